//! The spool: one append-only text per session that is not yet in object storage, in a file or, if it is very long, in several. It is
//! the session's dump as plain text (header and lines), and that is the only truth about what was received.

mod announced;
mod file;
mod held;
mod identity;
mod open_files;
mod parts;
mod recover;
mod sync;
mod tail;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::config::{Config, Durability};
use crate::process;
use crate::telemetry;

use announced::Announced;
pub(crate) use file::{SpoolFile, path_of};
pub(crate) use held::HeldLines;
pub(crate) use identity::of as collector_of;
use open_files::OpenFiles;
pub(crate) use parts::SpoolText;
pub(crate) use recover::{Recovered, lines, list, look_at, replay, unpack};
use sync::GroupCommit;
pub(crate) use tail::Tail;

/// A disk that does not take so much is as good as full, although a small line may still fit.
const PROBE: usize = 256 * 1024;

/// The folder of spool files: how much it holds, how much it may hold, and what makes its content safe.
#[derive(Debug)]
pub(crate) struct Spool {
    dir: PathBuf,
    id: String,
    limit: u64,
    /// A text goes on in a next part when its last one has so many bytes.
    part_bytes: u64,
    used: AtomicU64,
    shrank: Notify,
    failing: AtomicBool,
    open_files: OpenFiles,
    announced: Announced,
    commit: Option<GroupCommit>,
}

impl Spool {
    /// Opens the folder, which exists.
    pub(crate) fn open(config: &Config) -> io::Result<Arc<Self>> {
        let commit = match config.spool.durability {
            Durability::Process => None,
            Durability::Power => Some(GroupCommit::start(&config.spool_dir())?),
        };
        remove_leftovers(&config.spool_dir())?;
        let (id, announced) = (identity::of(&config.data_dir)?, Announced::open(config)?);
        Ok(Arc::new(Self { id, announced, commit, ..Self::of(config) }))
    }

    /// One that nobody writes to: what reads dumps has a session's state, but no file of its own.
    pub(crate) fn unwritten(config: &Config) -> Arc<Self> {
        Arc::new(Self::of(config))
    }

    fn of(config: &Config) -> Self {
        let limit = match config.spool.max_bytes.0 {
            0 => u64::MAX,
            limit => limit,
        };
        Self {
            dir: config.spool_dir(),
            id: String::new(),
            limit,
            part_bytes: config.spool.part_bytes.0.max(1),
            used: AtomicU64::new(0),
            shrank: Notify::new(),
            failing: AtomicBool::new(false),
            open_files: OpenFiles::of(process::file_limit()),
            announced: Announced::default(),
            commit: None,
        }
    }

    /// Where the files are.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The id of the collector whose it is; of one that nobody writes to, none.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// What Sora told of sessions whose connections come later.
    pub(crate) fn announced(&self) -> &Announced {
        &self.announced
    }

    /// Whether it holds as much as it may: no session begins, and nothing is read from sockets, until dumps are stored.
    pub(crate) fn is_full(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.limit
    }

    /// Waits until it is not.
    pub(crate) async fn room(&self) {
        loop {
            let mut shrank = std::pin::pin!(self.shrank.notified());
            shrank.as_mut().enable();
            if !self.is_full() {
                return;
            }
            shrank.await;
        }
    }

    /// Waits until what was written before the call is as durable as the settings say.
    pub(crate) async fn commit(&self) -> io::Result<()> {
        match &self.commit {
            None => Ok(()),
            Some(commit) => commit.join().await,
        }
    }

    /// Whether the newest write worked. After one that did not, a write of nobody's tells whether the disk is back.
    pub(crate) fn works(&self) -> bool {
        if !self.failing.load(Ordering::Relaxed) {
            return true;
        }
        let path = self.dir.join("probe");
        let result = std::fs::write(&path, vec![0; PROBE]);
        let _ = std::fs::remove_file(&path);
        if result.is_ok() {
            self.failing.store(false, Ordering::Relaxed);
        }
        result.is_ok()
    }

    /// Deletes a text that is stored elsewhere now. Once its first part is gone it is no session's any more.
    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        let length = SpoolText::length(path)?;
        std::fs::remove_file(path)?;
        if let Err(error) = parts::remove_behind(path, 0) {
            tracing::warn!(path = %path.display(), "parts of a stored session stay until the next start: {error}");
        }
        self.shrank(length);
        Ok(())
    }

    /// Puts a text, which is safe, in the place of another. At any moment one of them is there, whole: what is still there of the parts of
    /// the old one after a crash comes behind the new one.
    pub(crate) fn replace(&self, path: &Path, by: &Path) -> io::Result<()> {
        let (before, after) = (SpoolText::length(path)?, std::fs::metadata(by)?.len());
        std::fs::rename(by, path)?;
        self.grew(after);
        self.shrank(before);
        parts::remove_behind(path, 0)
    }

    fn shrank(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        telemetry::spool_changed(-i64::try_from(bytes).unwrap_or(i64::MAX));
        self.shrank.notify_waiters();
    }

    /// Removes further parts of a name that is about to become another text's: a removal may have left them behind.
    pub(crate) fn forget_parts(&self, path: &Path) -> io::Result<()> {
        parts::remove_behind(path, 0)
    }

    /// A file grew, or came.
    pub(crate) fn grew(&self, bytes: u64) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
        telemetry::spool_changed(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    fn tried(&self, works: bool) {
        if self.failing.load(Ordering::Relaxed) == works {
            self.failing.store(!works, Ordering::Relaxed);
        }
    }
}

/// Removes parts that a removal left behind when it was cut short.
fn remove_leftovers(dir: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let part = entry?.path();
        if let Some((path, _)) = parts::whole_of(&part)
            && file::session_of(&path).is_some()
            && !path.try_exists()?
        {
            tracing::warn!(path = %part.display(), "a part of a spool text whose beginning is gone is removed");
            std::fs::remove_file(&part)?;
        }
    }
    Ok(())
}
