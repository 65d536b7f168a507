//! One spool file, written: created with its header at a session's first lines, appended to by one write per frame.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Spool;
use crate::session::SessionId;

/// What the names of spool files end in.
const EXTENSION: &str = "jsonl";

/// Where the spool file of a session lies.
pub(crate) fn path_of(dir: &Path, session: SessionId) -> PathBuf {
    dir.join(format!("{session}.{EXTENSION}"))
}

/// The session whose spool file this would be.
pub(super) fn session_of(path: &Path) -> Option<SessionId> {
    if path.extension()? != EXTENSION {
        return None;
    }
    path.file_stem()?.to_str()?.parse().ok()
}

/// A spool file that is open for appending.
#[derive(Debug)]
pub(crate) struct SpoolFile {
    spool: Arc<Spool>,
    file: File,
    length: u64,
    /// Bytes of a failed write may stand behind `length`: they must go before the next write.
    torn: bool,
}

impl SpoolFile {
    /// Creates the file of a session with `content`: the header and the first lines. Nothing stays behind when it fails.
    pub(crate) fn create(spool: &Arc<Spool>, path: &Path, content: &str) -> io::Result<Self> {
        let opened = OpenOptions::new().append(true).create_new(true).mode(0o600).open(path);
        let file = opened.inspect_err(|_| spool.tried(false))?;
        let mut created = Self { spool: Arc::clone(spool), file, length: 0, torn: false };
        if let Err(error) = created.append(content) {
            // An empty file is harmless: recovery removes it.
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
        Ok(created)
    }

    /// Opens the file of a recovered session, whose first `length` bytes are whole lines.
    pub(crate) fn reopen(spool: &Arc<Spool>, path: &Path, length: u64) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).open(path)?;
        file.set_len(length)?;
        Ok(Self { spool: Arc::clone(spool), file, length, torn: false })
    }

    /// Appends whole lines by one write. After an error the file is as it was before.
    pub(crate) fn append(&mut self, lines: &str) -> io::Result<()> {
        let result = self.try_append(lines.as_bytes());
        self.spool.tried(result.is_ok());
        result
    }

    fn try_append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.length)?;
            self.torn = false;
        }
        if let Err(error) = self.file.write_all(lines) {
            self.torn = self.file.set_len(self.length).is_err();
            return Err(error);
        }
        self.length += lines.len() as u64;
        self.spool.grew(lines.len() as u64);
        Ok(())
    }

    /// How many bytes of whole lines the file holds.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }
}
