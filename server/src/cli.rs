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
    Serve {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        log: LogFlags,
    },
    /// Print the settings that `serve` would run with, each with what it means, secrets masked.
    Config(Settings),
    /// Make a token, for a client or for the API, and print it.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Send a load of recorded sessions to a collector, and say what it acknowledged and how soon.
    Load(tools::load::Options),
    /// Send the lines of a dump to a collector, in real time or faster.
    Replay(tools::replay::Options),
    /// Store dumps, and logs of the SFU Sora, as sessions; no collector may run over the same data directory.
    Import(tools::import::Options),
    /// Bring the database's schema up to date, as `serve` does at its start, and say which it has.
    Migrate(tools::migrate::Options),
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
        let overrides = match self {
            Self::Serve { settings, .. } => settings.overrides(),
            Self::Import(options) => options.settings.overrides(),
            Self::Migrate(options) => options.settings.overrides(),
            Self::Reprocess(options) => options.settings.overrides(),
            _ => return None,
        };
        Some(config::log_format(&overrides))
    }
}

/// How much is logged.
#[derive(Debug, Args)]
pub(crate) struct LogFlags {
    /// Log what happens to every socket and file.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// Settings by flag, for who needs settings at all. All of them, and more, can be set in the file or by RTCTRACE_* variables.
#[derive(Debug, Args)]
pub(crate) struct Files {
    /// Settings file (TOML); without it, ./rtctrace.toml is read if it exists.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of spool, dumps and database.
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
}

/// The same for who works on the stores.
#[derive(Debug, Args)]
pub(crate) struct StoreSettings {
    #[command(flatten)]
    files: Files,
    /// Database, sqlite://<path> or postgres://<user>@<host>/<database>.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Object storage of dumps: file:///<path>, s3://<bucket>/<prefix>, gs://<bucket>/<prefix> or az://<container>/<prefix>.
    #[arg(long, value_name = "URL")]
    storage_url: Option<String>,
}

/// The same for the collector.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    stores: StoreSettings,
    /// Address to listen on, such as 127.0.0.1:8080; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Listen where others can reach it, although it asks nobody for credentials.
    #[arg(long)]
    insecure_open: bool,
}

impl Files {
    /// The settings, all layers of them.
    pub(crate) fn load(&self) -> anyhow::Result<Config> {
        load(&self.overrides())
    }

    fn overrides(&self) -> Overrides {
        let mut overrides = Overrides { file: self.config.clone(), values: Vec::new() };
        overrides.set("data_dir", self.data_dir.as_ref());
        overrides
    }
}

impl StoreSettings {
    /// The settings, all layers of them.
    pub(crate) fn load(&self) -> anyhow::Result<Config> {
        load(&self.overrides())
    }

    fn overrides(&self) -> Overrides {
        let mut overrides = self.files.overrides();
        overrides.set("database.url", self.database_url.as_ref());
        overrides.set("storage.url", self.storage_url.as_ref());
        overrides
    }
}

impl Settings {
    /// The settings, all layers of them.
    pub(crate) fn load(&self) -> anyhow::Result<Config> {
        load(&self.overrides())
    }

    fn overrides(&self) -> Overrides {
        let mut overrides = self.stores.overrides();
        overrides.set("listen", self.listen.as_ref());
        overrides.set("insecure_open", self.insecure_open.then_some(&"true".to_owned()));
        overrides
    }
}

fn load(overrides: &Overrides) -> anyhow::Result<Config> {
    config::load(overrides, config::variables()?.into_iter())
}
