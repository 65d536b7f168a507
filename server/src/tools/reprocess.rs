//! `rtctrace reprocess`: rows made anew from dumps, for a database that was lost, or that an older version filled. It may
//! run beside the collector.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use futures_util::StreamExt as _;

use super::progress::Progress;
use crate::app;
use crate::cli::{LogFlags, StoreSettings};
use crate::session::{self, SessionId};
use crate::telemetry;

/// Which sessions, in which stores.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Sessions; without any, all whose dumps are in object storage.
    sessions: Vec<SessionId>,
    #[command(flatten)]
    pub(crate) settings: StoreSettings,
    #[command(flatten)]
    log: LogFlags,
}

/// Goes through the stored dumps, one after the other.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let config = Arc::new(options.settings.load()?);
    telemetry::install_log(&config.log, None, options.log.verbose)?;
    super::block_on(async {
        let stores = app::open(&config).await?;
        let mut progress = Progress::new();
        let (mut done, mut failed) = (0_u64, 0_u64);
        let mut objects = stores.objects.list();
        while let Some(object) = objects.next().await {
            let object = object.context("cannot list the dumps")?;
            let name = object.location.filename().unwrap_or_default();
            let is_asked_for = |id: &SessionId| name.starts_with(&id.to_string());
            if !options.sessions.is_empty() && !options.sessions.iter().any(is_asked_for) {
                continue;
            }
            progress.show(|| format!("{done} sessions done, {failed} failed, at {}", object.location));
            match session::reprocess(&stores, &config, &object).await {
                Ok(_) => done += 1,
                Err(error) => {
                    failed += 1;
                    progress.note(&format!("{}: {error:#}", object.location));
                }
            }
        }
        progress.clear();
        app::settle(&stores).await;
        writeln!(std::io::stdout(), "{done} sessions reprocessed").context("cannot print the result")?;
        if failed > 0 {
            bail!("{failed} dumps were not reprocessed");
        }
        let missing = (options.sessions.len() as u64).saturating_sub(done);
        if missing > 0 {
            bail!("{missing} of the sessions have no dump in object storage");
        }
        Ok(())
    })
}
