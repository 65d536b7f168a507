//! rtctrace, the collector: it takes in what clients trace, keeps it safe, and shows it. A library only so that what hammers
//! on it from inside (`fuzz/`) can reach it; nobody else builds on it.

mod access;
mod api;
mod app;
mod cli;
mod config;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod geo;
mod ingest;
mod listener;
mod problem;
mod process;
mod router;
mod session;
mod spool;
mod store;
mod telemetry;
mod token;
mod tools;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser as _;

use cli::{Cli, Command};
use config::{Log, LogFormat};
use telemetry::traces::Traces;

/// What still runs on other threads when the collector has stopped (a compression, a write) may take so long.
const LAST_MOMENTS: Duration = Duration::from_secs(1);

/// The program: what the command line asks for, to its end.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&cli, &error);
            ExitCode::FAILURE
        }
    }
}

/// Says why the program ends. Who reads its log by program reads this, too.
fn complain(cli: &Cli, error: &anyhow::Error) {
    if cli.command.log_format() == Some(LogFormat::Json) {
        // It may have one already.
        let _ = telemetry::install_log(&Log { format: LogFormat::Json }, None, false);
        tracing::error!("{error:#}");
    } else {
        let _ = writeln!(std::io::stderr(), "rtctrace: {error:#}");
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    // All TLS of the process: object stores, listeners. It fails only if there is one already.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    match &cli.command {
        Command::Config(settings) => {
            let config = settings.load()?;
            std::io::stdout().write_all(config::render(&config)?.as_bytes()).context("cannot print the settings")
        }
        Command::Load(options) => tools::load::run(options),
        Command::Replay(options) => tools::replay::run(options),
        Command::Import(options) => tools::import::run(options),
        Command::Migrate(options) => tools::migrate::run(options),
        Command::Reprocess(options) => tools::reprocess::run(options),
        Command::Anonymize(options) => tools::anonymize::run(options),
        Command::Features(options) => tools::features::run(options),
        Command::Token(command) => token::run(command),
        Command::Serve { settings, log } => {
            let config = settings.load()?;
            let traces = Traces::open(&config.traces)?;
            telemetry::install_log(&config.log, traces.as_ref(), log.verbose)?;
            process::raise_file_limit();
            let runtime =
                tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
            let result = runtime.block_on(app::serve(config));
            runtime.shutdown_timeout(LAST_MOMENTS);
            if let Some(traces) = traces {
                traces.close();
            }
            result
        }
    }
}
