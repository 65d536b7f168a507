//! One session's spool text, written: created with its header at the session's first lines, appended to by one write per frame, and
//! continued in a next part when the last one is full.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Spool;
use super::open_files::OpenFile;
use super::parts::{last_part, length_before, part_of, remove_behind};
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

/// A session's spool text that is open for appending.
#[derive(Debug)]
pub(crate) struct SpoolFile {
    spool: Arc<Spool>,
    path: PathBuf,
    /// The last part, while it stays open.
    file: Option<OpenFile>,
    part: u32,
    part_length: u64,
    /// The length of all parts.
    length: u64,
    /// Bytes of a failed write may stand behind `part_length`: they must go before the next write.
    torn: bool,
}

impl SpoolFile {
    /// Creates the file of a session with `content`: the header and the first lines. Nothing stays behind when it fails.
    pub(crate) fn create(spool: &Arc<Spool>, path: &Path, content: &str) -> io::Result<Self> {
        let file = create(path).inspect_err(|_| spool.tried(false))?;
        // A crash may have kept the parts of a session of this name that was removed.
        remove_behind(path, 0)?;
        let mut created = Self::over(spool, path, file, 0);
        if let Err(error) = created.append(content) {
            // An empty file is harmless: recovery removes it.
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
        Ok(created)
    }

    /// Opens the text of a recovered session, whose first `length` bytes, and the end of its last part, are whole lines.
    pub(crate) fn reopen(spool: &Arc<Spool>, path: &Path, length: u64) -> io::Result<Self> {
        let part = last_part(path)?;
        let before = length_before(path, part)?;
        let file = open(&part_of(path, part))?;
        let part_length = length.saturating_sub(before);
        file.set_len(part_length)?;
        Ok(Self { part_length, length, ..Self::over(spool, path, file, part) })
    }

    fn over(spool: &Arc<Spool>, path: &Path, file: File, part: u32) -> Self {
        let file = OpenFile::new(file).keep(spool);
        Self { spool: Arc::clone(spool), path: path.to_owned(), file, part, part_length: 0, length: 0, torn: false }
    }

    /// Appends whole lines by one write. After an error the text is as it was before.
    pub(crate) fn append(&mut self, lines: &str) -> io::Result<()> {
        let result = self.try_append(lines.as_bytes());
        self.spool.tried(result.is_ok());
        result
    }

    fn try_append(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => OpenFile::new(open(&part_of(&self.path, self.part))?),
        };
        let result = self.write(&mut file, lines);
        self.file = file.keep(&self.spool);
        result
    }

    fn write(&mut self, file: &mut OpenFile, lines: &[u8]) -> io::Result<()> {
        if self.torn {
            file.set_len(self.part_length)?;
            self.torn = false;
        }
        if self.part_length >= self.spool.part_bytes {
            *file = OpenFile::new(create(&part_of(&self.path, self.part + 1))?);
            self.part += 1;
            self.part_length = 0;
        }
        if let Err(error) = (&**file).write_all(lines) {
            self.torn = file.set_len(self.part_length).is_err();
            return Err(error);
        }
        self.part_length += lines.len() as u64;
        self.length += lines.len() as u64;
        self.spool.grew(lines.len() as u64);
        Ok(())
    }

    /// How many bytes of whole lines the text has, in all its parts.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).open(path)
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)
}
