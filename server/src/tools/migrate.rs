//! `rtctrace migrate`: the database's schema brought up to date by itself, for who does not want `serve`, or its account, to do that.

use std::io::Write as _;

use anyhow::Context;
use clap::Args;

use crate::cli::{LogFlags, StoreSettings};
use crate::config::masked;
use crate::store::database::Database;
use crate::telemetry;

/// Which database.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) settings: StoreSettings,
    #[command(flatten)]
    log: LogFlags,
}

/// Runs the migrations that the database lacks; none if it is up to date.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let config = options.settings.load()?;
    telemetry::install_log(&config.log, None, options.log.verbose)?;
    super::block_on(async {
        let url = config.database_url()?;
        let database = Database::open(&url).await?;
        let schema = database.schema();
        database.close().await;
        writeln!(std::io::stdout(), "{} has schema {schema}", masked(&url)).context("cannot print the result")
    })
}
