//! One spool file, written: created with its header at a session's first lines, appended to by one write per frame.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::session::SessionId;
use crate::telemetry;

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

/// Deletes a spool file that is stored elsewhere now.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let length = std::fs::metadata(path)?.len();
    std::fs::remove_file(path)?;
    telemetry::spool_changed(-i64::try_from(length).unwrap_or(i64::MAX));
    Ok(())
}

/// A spool file that is open for appending.
#[derive(Debug)]
pub(crate) struct SpoolFile {
    file: File,
    path: PathBuf,
    length: u64,
    /// Bytes of a failed write may stand behind `length`: they must go before the next write.
    torn: bool,
}

impl SpoolFile {
    /// Creates the file of a session with `content`: the header and the first lines. Nothing stays behind when it fails.
    pub(crate) fn create(path: PathBuf, content: &str) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path)?;
        let mut spool = Self { file, path, length: 0, torn: false };
        if let Err(error) = spool.append(content) {
            // An empty file is harmless: recovery removes it.
            let _ = std::fs::remove_file(&spool.path);
            return Err(error);
        }
        Ok(spool)
    }

    /// Opens the file of a recovered session, whose first `length` bytes are whole lines.
    pub(crate) fn reopen(path: PathBuf, length: u64) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).open(&path)?;
        file.set_len(length)?;
        Ok(Self { file, path, length, torn: false })
    }

    /// Appends whole lines by one write. After an error the file is as it was before.
    pub(crate) fn append(&mut self, lines: &str) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.length)?;
            self.torn = false;
        }
        if let Err(error) = self.file.write_all(lines.as_bytes()) {
            self.torn = self.file.set_len(self.length).is_err();
            return Err(error);
        }
        self.length += lines.len() as u64;
        telemetry::spool_changed(i64::try_from(lines.len()).unwrap_or(i64::MAX));
        Ok(())
    }

    /// How many bytes of whole lines the file holds.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }
}
