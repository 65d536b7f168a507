//! `rtctrace import`: dumps become sessions of this collector, as if their clients had sent them. It works on the stores
//! themselves, so no collector may run over the same data directory.

use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::progress::Progress;
use crate::app;
use crate::cli::{LogFlags, StoreSettings};
use crate::session::{self, ImportError, Registry};
use crate::telemetry;

/// Which dumps, and into which stores.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Dumps of sessions, gzip-compressed or not. One whose session is here already is passed over.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: StoreSettings,
    #[command(flatten)]
    log: LogFlags,
}

/// Imports dumps, one after the other.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let config = options.settings.load()?;
    // A store that refuses is tried again and again: somebody should hear of it.
    telemetry::install_log(&config.log, None, options.log.verbose)?;
    super::block_on(async {
        let (registry, _lock) = app::offline(config).await?;
        let mut progress = Progress::new();
        let mut failed = 0;
        for (number, file) in options.files.iter().enumerate() {
            progress.show(|| format!("{} of {} dumps: {}", number + 1, options.files.len(), file.display()));
            if let Err(error) = one(&registry, file).await {
                failed += 1;
                progress.note(&format!("{}: {error:#}", file.display()));
            }
        }
        progress.clear();
        app::settle(registry.stores()).await;
        if failed > 0 {
            bail!("{failed} of {} dumps were not imported", options.files.len());
        }
        Ok(())
    })
}

async fn one(registry: &Registry, file: &Path) -> anyhow::Result<()> {
    let input = BufReader::new(File::open(file).context("cannot be opened")?);
    let mut out = std::io::stdout();
    match session::import(registry, input, None, None).await {
        Ok(imported) => {
            imported.stored.await.context("the session was not stored")?;
            let mut text = format!("{}: session {}, {} lines", file.display(), imported.session, imported.lines);
            if imported.left_out > 0 {
                text += &format!(", {} lines left out", imported.left_out);
            }
            if let Some(torn) = imported.torn {
                text += &format!("; {torn}");
            }
            writeln!(out, "{text}").context("cannot print the result")
        }
        Err(ImportError::Known(id)) => {
            writeln!(out, "{}: session {id} is here already", file.display()).context("cannot print the result")
        }
        Err(error) => Err(error.into()),
    }
}
