//! rtctrace, the collector: it takes in what clients trace, keeps it safe, and shows it.

mod api;
mod app;
mod cli;
mod config;
mod ingest;
mod listener;
mod problem;
mod router;
mod session;
mod spool;
mod store;
mod telemetry;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser as _;

use cli::{Cli, Command};

/// What still runs on other threads when the collector has stopped (a compression, a write) may take so long.
const LAST_MOMENTS: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "rtctrace: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let (Command::Serve(settings) | Command::Config(settings)) = &cli.command;
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let config = config::load(&settings.overrides(), variables)?;
    match &cli.command {
        Command::Config(_) => {
            std::io::stdout().write_all(config::render(&config)?.as_bytes()).context("cannot print the settings")
        }
        Command::Serve(settings) => {
            telemetry::install_log(settings.verbose)?;
            let runtime =
                tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
            let result = runtime.block_on(app::serve(config));
            runtime.shutdown_timeout(LAST_MOMENTS);
            result
        }
    }
}
