//! `rtctrace import`: dumps, and logs of the SFU Sora, become sessions of this collector, as if their clients had sent them. It works on the
//! stores themselves, so no collector may run over the same data directory.

use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use clap::Args;

use super::progress::Progress;
use crate::app;
use crate::cli::{LogFlags, StoreSettings};
use crate::session::{self, ImportError, Logs, Outcome, Registry, Watch, recognise, store_logs};
use crate::telemetry;

/// Which dumps, and into which stores.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Dumps of sessions, or logs of the SFU Sora (JSON Lines: rtc_stats.jsonl, session_webhook.jsonl and those of its other webhooks),
    /// gzip-compressed or not, each known by what it holds. What is here already is passed over. All logs of one command belong
    /// together: each connection in them becomes a session, and webhooks tell how it began and ended.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: StoreSettings,
    #[command(flatten)]
    log: LogFlags,
}

/// Imports dumps, one after the other, and then what logs came to.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let config = options.settings.load()?;
    // A store that refuses is tried again and again: somebody should hear of it.
    telemetry::install_log(&config.log, None, options.log.verbose)?;
    super::block_on(async {
        let (registry, _lock) = app::offline(config).await?;
        let (mut progress, started) = (Progress::new(), Instant::now());
        let (mut failed, mut logs, mut lines) = (0, None, LogLines::default());
        for (number, file) in options.files.iter().enumerate() {
            progress.show(|| format!("{} of {} files: {}", number + 1, options.files.len(), file.display()));
            if let Err(error) = one(&registry, file, &mut progress, &mut logs, &mut lines).await {
                failed += 1;
                progress.note(&format!("{}: {error:#}", file.display()));
            }
        }
        progress.clear();
        let outcome = match logs {
            Some(logs) => Some(store_logs(&registry, logs).await.context("the logs were not imported to their end")),
            None => None,
        };
        app::settle(registry.stores()).await;
        let outcome = outcome.transpose()?;
        if let Some(outcome) = &outcome {
            tell(outcome, &lines, started)?;
        }
        if failed > 0 {
            bail!("{failed} of {} files were not imported", options.files.len());
        }
        if let Some(failed) = outcome.map(|outcome| outcome.failed).filter(|failed| *failed > 0) {
            bail!("{failed} connections were not imported");
        }
        Ok(())
    })
}

/// Lines of all logs.
#[derive(Debug, Default)]
struct LogLines {
    lines: u64,
    left_out: u64,
}

async fn one(
    registry: &Registry,
    file: &Path,
    progress: &mut Progress,
    logs: &mut Option<Logs>,
    lines: &mut LogLines,
) -> anyhow::Result<()> {
    let input = BufReader::new(File::open(file).context("cannot be opened")?);
    let (is_log, input) = recognise(input).context("cannot be read")?;
    if is_log {
        // It shows how far it is itself.
        progress.clear();
        let all = logs.take().unwrap_or_else(|| Logs::new(registry, Box::new(Progress::new())));
        return log(file, input, all, logs, lines).await;
    }
    dump(registry, file, input).await
}

/// Reads a log.
async fn log(
    file: &Path,
    input: impl BufRead + Send + 'static,
    mut all: Logs,
    logs: &mut Option<Logs>,
    lines: &mut LogLines,
) -> anyhow::Result<()> {
    let name = file.display().to_string();
    let reading = tokio::task::spawn_blocking(move || {
        let read = all.take(&name, input);
        (all, read)
    });
    let (all, read) = reading.await?;
    *logs = Some(all);
    let read = read.context("its lines cannot be sorted")?;
    lines.lines += read.lines;
    lines.left_out += read.left_out;
    let mut text = format!("{}: {} lines of a log", file.display(), read.lines);
    if read.left_out > 0 {
        text += &format!(", {} lines left out", read.left_out);
    }
    if let Some(torn) = read.torn {
        text += &format!("; {torn}");
    }
    writeln!(std::io::stdout(), "{text}").context("cannot print the result")
}

fn tell(outcome: &Outcome, lines: &LogLines, started: Instant) -> anyhow::Result<()> {
    let Outcome { sessions, longer, known, without, left_out, repeated, bytes, .. } = outcome;
    let mut text = format!("{sessions} sessions of connections, {known} are here already");
    if *longer > 0 {
        text += &format!(", {longer} go on");
    }
    if *without > 0 {
        text += &format!(", {without} have no statistics");
    }
    text += &format!("; {} lines, {} left out", lines.lines, lines.left_out + left_out);
    if *repeated > 0 {
        text += &format!(", {repeated} repeated");
    }
    let (megabytes, seconds) = (*bytes as f64 / 1e6, started.elapsed().as_secs_f64());
    text += &format!("; {megabytes:.1} MB in {seconds:.1} s, {:.1} MB/s", megabytes / seconds.max(1e-3));
    writeln!(std::io::stdout(), "{text}").context("cannot print the result")
}

impl Watch for Progress {
    fn show(&mut self, text: &dyn Fn() -> String) {
        Progress::show(self, text);
    }

    fn note(&mut self, text: &str) {
        Progress::note(self, text);
    }
}

async fn dump(registry: &Registry, file: &Path, input: impl BufRead + Send + 'static) -> anyhow::Result<()> {
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
