//! The command line. Its flags are the top layer of the settings.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::{self, Config, LogFormat, Overrides};
use crate::token::TokenCommand;
use crate::tools;

/// Flight recorder for WebRTC: the collector.
#[derive(Debug, Parser)]
#[command(name = "rtctrace", version, about)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the collector: ingest, storage, API and viewer.
    #[command(after_help = "\
Every setting can be set in the settings file, by an environment variable, or some by a flag; each of these wins over the one before.
`rtctrace config` prints all of them, what each means, and what they come to. The variable of `durability` in the section `spool`
is RTCTRACE_SPOOL_DURABILITY.")]
    Serve(Settings),
    /// Print the settings that `serve` would run with, each with what it means, secrets masked.
    Config(Settings),
    /// Make a token, for a client or for the API, and print it.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Send a load of recorded sessions to a collector, and say what it acknowledged and how soon.
    Load(tools::load::Options),
    /// Send the lines of a dump to a collector, in real time or faster.
    Replay(tools::replay::Options),
    /// Store dumps as sessions; no collector may run over the same data directory.
    Import(tools::import::Options),
    /// Make features and stats of stored sessions anew from their dumps.
    Reprocess(tools::reprocess::Options),
    /// Write a dump anew, without addresses, names of devices and queries of URLs.
    Anonymize(tools::anonymize::Options),
    /// Print the features of a dump as JSON.
    Features(tools::features::Options),
}

impl Command {
    /// How the log of this command looks, if it has one.
    pub(crate) fn log_format(&self) -> Option<LogFormat> {
        match self {
            Self::Serve(settings) => Some(settings.log_format()),
            Self::Import(options) => Some(options.settings.log_format()),
            Self::Reprocess(options) => Some(options.settings.log_format()),
            _ => None,
        }
    }
}

/// Settings by flag. All of them, and more, can be set in the file or by RTCTRACE_* variables.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Settings file (TOML); without it, ./rtctrace.toml is read if it exists.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on, such as 127.0.0.1:8080; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Folder of spool, dumps and database.
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// Database, sqlite://<path>.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Object storage of dumps: file:///<path>, s3://<bucket>/<prefix>, gs://<bucket>/<prefix> or az://<container>/<prefix>.
    #[arg(long, value_name = "URL")]
    storage_url: Option<String>,
    /// Listen where others can reach it, although it asks nobody for credentials.
    #[arg(long)]
    insecure_open: bool,
    /// Log what happens to every socket.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

impl Settings {
    /// The settings, all layers of them.
    pub(crate) fn load(&self) -> anyhow::Result<Config> {
        config::load(&self.overrides(), config::variables()?.into_iter())
    }

    /// How the log looks, whether the settings can be loaded or not.
    pub(crate) fn log_format(&self) -> LogFormat {
        config::log_format(&self.overrides())
    }

    /// The flags as a layer of settings.
    fn overrides(&self) -> Overrides {
        let flags = [
            ("listen", &self.listen),
            ("data_dir", &self.data_dir),
            ("database.url", &self.database_url),
            ("storage.url", &self.storage_url),
        ];
        let mut values: Vec<(&'static str, String)> =
            flags.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))).collect();
        if self.insecure_open {
            values.push(("insecure_open", "true".to_owned()));
        }
        Overrides { file: self.config.clone(), values }
    }
}
