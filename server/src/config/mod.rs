//! Settings: defaults, then a TOML file, then `RTCTRACE_*` variables, then flags. What a setting means is said here, once.

mod load;
mod units;

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use url::Url;

pub(crate) use load::{Overrides, load, render};
pub(crate) use units::{Size, Span};

/// All settings of the collector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Config {
    /// Where the listener binds. Port 0 takes a free one.
    pub(crate) listen: String,
    /// Allows a `listen` address that others can reach, although nothing asks them for credentials.
    pub(crate) insecure_open: bool,
    /// Spool, dumps and database lie under it unless their own settings say otherwise.
    pub(crate) data_dir: PathBuf,
    /// The database.
    pub(crate) database: Database,
    /// The object storage of dumps.
    pub(crate) storage: Storage,
    /// The stats tables.
    pub(crate) stats: Stats,
    /// How sessions live and end.
    pub(crate) session: Session,
    /// What is hidden before anything is stored.
    pub(crate) privacy: Privacy,
    /// How much is taken from whom.
    pub(crate) limits: Limits,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Database {
    /// `sqlite://<path>`; empty: `rtctrace.db` in the data directory.
    pub(crate) url: String,
}

/// The object storage of dumps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Storage {
    /// `file:///<path>`; empty: `dumps` in the data directory. The path of the URL is the prefix of every dump.
    pub(crate) url: String,
}

/// The stats tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stats {
    /// Whether reports are written to the stats tables. Dumps and features do not depend on it.
    pub(crate) enabled: bool,
    /// Rows that may wait for the database. Beyond it a session stops offering rows and is written from its dump at its end.
    pub(crate) queue_bytes: Size,
}

/// How sessions live and end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// How long a session whose socket is gone waits for its client.
    pub(crate) resume_grace: Span,
    /// How long a socket may be silent, pings unanswered, before it counts as gone.
    pub(crate) idle_timeout: Span,
}

/// What is hidden before anything is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Privacy {
    /// Whether IP addresses are obfuscated.
    pub(crate) addresses: bool,
}

/// How much is taken from whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// The longest WebSocket message and beacon.
    pub(crate) frame_bytes: Size,
    /// The longest line.
    pub(crate) line_bytes: Size,
    /// The longest spool file of one session; beyond it the session ends.
    pub(crate) session_bytes: Size,
    /// Sessions that run or wait for their client at one time.
    pub(crate) sessions: usize,
    /// Connections to the listener at one time.
    pub(crate) sockets: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            insecure_open: false,
            data_dir: PathBuf::from("./data"),
            database: Database { url: String::new() },
            storage: Storage { url: String::new() },
            stats: Stats { enabled: true, queue_bytes: Size(64 << 20) },
            session: Session { resume_grace: span(60), idle_timeout: span(60) },
            privacy: Privacy { addresses: true },
            limits: Limits {
                frame_bytes: Size(4 << 20),
                line_bytes: Size(2 << 20),
                session_bytes: Size(512 << 20),
                sessions: 10_000,
                sockets: 12_000,
            },
        }
    }
}

fn span(seconds: u64) -> Span {
    Span(std::time::Duration::from_secs(seconds))
}

impl Config {
    /// The folder of the spool.
    pub(crate) fn spool_dir(&self) -> PathBuf {
        self.data_dir.join("spool")
    }

    /// The database's URL, with the default filled in.
    pub(crate) fn database_url(&self) -> anyhow::Result<String> {
        if !self.database.url.is_empty() {
            return Ok(self.database.url.clone());
        }
        // Through a URL, because a folder's name may hold what a URL must escape.
        Ok(format!("sqlite://{}", file_url(&absolute(&self.data_dir)?.join("rtctrace.db"))?.path()))
    }

    /// The object storage's URL, with the default filled in.
    pub(crate) fn storage_url(&self) -> anyhow::Result<Url> {
        if !self.storage.url.is_empty() {
            return Url::parse(&self.storage.url).with_context(|| {
                format!("storage.url `{}` is no URL; write for example file:///var/lib/rtctrace", self.storage.url)
            });
        }
        file_url(&absolute(&self.data_dir)?.join("dumps"))
    }
}

fn file_url(path: &Path) -> anyhow::Result<Url> {
    Url::from_file_path(path).map_err(|()| anyhow::anyhow!("{} has no file:// URL", path.display()))
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("the data directory {} is no path", path.display()))
}
