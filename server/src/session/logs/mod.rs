//! Logs of the SFU Sora become sessions: each connection one, as if its pushes had come by themselves. Lines of all files are sorted by
//! connection and time, in files beside the spool; then each connection's are read, made to pushes, and written as the text of one session, which
//! goes the way of a dump that is imported. So memory does not depend on how much there is, in which order, or of how many connections: what is
//! held is the lines that are sorted at one time, a push, and what the sessions hold that are on their way to the stores.

mod convert;
mod known;
mod read;
mod sort;

use std::path::PathBuf;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use self::convert::{Converted, Converting};
use self::known::{Known, known};
use self::sort::Sorter;
use super::import::{ImportError, place, place_again};
use super::registry::Registry;

pub(crate) use self::read::recognise;

/// So many sessions are on their way to the stores at one time: most of it is waiting, for disks and for rows that are written together.
const AT_ONE_TIME: usize = 32;
/// So many lines that are left out are told one by one.
const TOLD: u64 = 20;

/// Who waits for an import.
pub(crate) trait Watch: Send {
    /// How far it has come.
    fn show(&mut self, text: &dyn Fn() -> String);
    /// What went wrong on the way.
    fn note(&mut self, text: &str);
}

/// Logs whose lines are read.
pub(crate) struct Logs {
    sorter: Sorter,
    /// How many lines were before each file, and what it is called.
    files: Vec<(u64, String)>,
    lines: u64,
    bytes: u64,
    repeated: u64,
    complaints: u64,
    left_out: u64,
    watch: Box<dyn Watch>,
}

/// What a file brought.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// Its lines, the bad ones among them.
    pub(crate) lines: u64,
    /// Those that are none.
    pub(crate) left_out: u64,
    /// Why it could not be read to its end; what came before counts.
    pub(crate) torn: Option<String>,
}

/// What all of them came to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// New sessions.
    pub(crate) sessions: u64,
    /// Sessions that were here and had not all of it.
    pub(crate) longer: u64,
    /// Connections of which sessions hold all.
    pub(crate) known: u64,
    /// Connections of which only webhooks tell.
    pub(crate) without: u64,
    /// Connections whose sessions could not be had.
    pub(crate) failed: u64,
    /// Lines that are left out although they could be read.
    pub(crate) left_out: u64,
    /// Lines whose entries or pushes were there before.
    pub(crate) repeated: u64,
    /// Bytes of text that were read.
    pub(crate) bytes: u64,
}

impl Logs {
    /// None yet; `registry` will have their sessions.
    pub(crate) fn new(registry: &Registry, watch: Box<dyn Watch>) -> Self {
        Self {
            sorter: Sorter::new(&folder(registry)),
            files: Vec::new(),
            lines: 0,
            bytes: 0,
            repeated: 0,
            complaints: 0,
            left_out: 0,
            watch,
        }
    }

    /// Lines that could be read are left out, from one of that number on.
    fn leave_out(&mut self, number: u64, lines: u64, why: &str) {
        self.left_out += lines;
        self.complain(number, lines, why);
    }

    fn complain(&mut self, number: u64, lines: u64, why: &str) {
        self.complaints += 1;
        if self.complaints > TOLD {
            return;
        }
        let Some((before, name)) = self.files.iter().rev().find(|(before, _)| *before < number) else { return };
        let others = if lines > 1 { format!(" and {} more", lines - 1) } else { String::new() };
        self.watch.note(&format!("{name}: line {}{others}: {why}", number - before));
    }
}

fn folder(registry: &Registry) -> PathBuf {
    registry.config().data_dir.join("import")
}

/// Stores what logs came to. When this returns, all of it is in the stores.
pub(crate) async fn store_logs(registry: &Registry, logs: Logs) -> anyhow::Result<Outcome> {
    let mut logs = logs;
    let sorter = std::mem::replace(&mut logs.sorter, Sorter::new(&folder(registry)));
    let sorting = tokio::task::spawn_blocking(move || Converting::new(sorter.finish()?));
    let mut converting = sorting.await?.context("the lines cannot be sorted")?;
    let mut outcome = Outcome { bytes: logs.bytes, ..Outcome::default() };
    let mut storing = FuturesUnordered::new();
    loop {
        let (back, name) = beside(converting, Converting::next_name).await?;
        converting = back;
        let Some(name) = name.context("the lines cannot be read again")? else { break };
        logs.watch.show(&|| format!("{} sessions, {} are here already", outcome.sessions, outcome.known));
        let known = known(registry, &folder(registry), &name).await;
        let to = match known.with_context(|| format!("nobody can say what is held of {name}"))? {
            Known::To(to) => Some(to),
            Known::Gone => {
                outcome.known += 1;
                None
            }
            Known::Elsewhere(id) => {
                outcome.failed += 1;
                logs.watch.note(&format!("the session {id} is held by another collector; its lines are left out"));
                None
            }
            Known::Full => {
                outcome.failed += 1;
                logs.watch.note(&format!("{name} has had as many sessions as it may have; its lines are left out"));
                None
            }
        };
        let Some(to) = to else {
            let (back, skipped) = beside(converting, Converting::skip).await?;
            converting = back;
            skipped?;
            continue;
        };
        let (dir, privacy) = (folder(registry), registry.config().privacy.clone());
        let making = beside((converting, logs, to), move |(converting, logs, to)| {
            converting.convert(logs, to, (&dir, &privacy))
        });
        let (back, converted) = making.await?;
        let to;
        (converting, logs, to) = back;
        let prepared = match converted? {
            Converted::New(prepared) => prepared,
            Converted::Held => {
                outcome.known += 1;
                continue;
            }
            Converted::Nothing => {
                outcome.without += 1;
                continue;
            }
        };
        while storing.len() >= AT_ONE_TIME {
            stored(storing.next().await)?;
        }
        registry.spool().room().await;
        let (placed, count) = match &to.stored {
            Some(stored) => (place_again(registry, &prepared, &stored.row).await, &mut outcome.longer),
            None => (place(registry, &prepared).await, &mut outcome.sessions),
        };
        match placed {
            Ok(task) => {
                *count += 1;
                storing.push(task);
            }
            Err(ImportError::Known(_)) => outcome.known += 1,
            Err(error) => return Err(error.into()),
        }
    }
    while let Some(task) = storing.next().await {
        stored(Some(task))?;
    }
    if logs.complaints > TOLD {
        logs.watch.note(&format!("{} more were left out for such reasons", logs.complaints - TOLD));
    }
    outcome.left_out = logs.left_out;
    outcome.repeated = logs.repeated;
    Ok(outcome)
}

/// Does work that waits for files, on a thread for it.
async fn beside<S: Send + 'static, T: Send + 'static>(
    mut state: S,
    work: impl FnOnce(&mut S) -> T + Send + 'static,
) -> anyhow::Result<(S, T)> {
    let done = tokio::task::spawn_blocking(move || {
        let result = work(&mut state);
        (state, result)
    });
    Ok(done.await?)
}

fn stored(task: Option<Result<(), tokio::task::JoinError>>) -> anyhow::Result<()> {
    task.unwrap_or(Ok(())).context("a session was not stored")
}
