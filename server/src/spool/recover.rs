//! What a start finds in the spool: files of sessions that a crash or a stop left. A torn last line is cut, and the rest is
//! read again from its beginning.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::Context;
use rtctrace_protocol::dump::DumpReader;

use super::file::session_of;
use crate::session::SessionId;
use crate::telemetry;

/// How much of a file's end is read at once in search of its last newline.
const BLOCK: u64 = 64 * 1024;

/// A spool file that was found.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// Whose it is.
    pub(crate) session: SessionId,
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// Its length, all of it whole lines.
    pub(crate) length: u64,
}

/// Lists the spool files, torn tails cut. Files without a whole line behind the header are removed: their session never
/// had a line acknowledged. Files that are no spool files are left alone.
pub(crate) fn recover(dir: &Path) -> io::Result<Vec<Recovered>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let Some(session) = session_of(&path) else {
            tracing::warn!(path = %path.display(), "not a spool file; left alone");
            continue;
        };
        match look_at(&path) {
            Ok(Some(length)) => {
                telemetry::spool_changed(i64::try_from(length).unwrap_or(i64::MAX));
                found.push(Recovered { session, path, length });
            }
            Ok(None) => {}
            // The other sessions must not wait for somebody to repair this one.
            Err(error) => {
                tracing::error!(path = %path.display(), "a spool file cannot be read and is left alone: {error}")
            }
        }
    }
    Ok(found)
}

/// The length of a file's whole lines; `None` if there was none behind the header, and the file was removed.
fn look_at(path: &Path) -> io::Result<Option<u64>> {
    let length = cut_torn_tail(path)?;
    if has_lines(path)? {
        return Ok(Some(length));
    }
    std::fs::remove_file(path)?;
    Ok(None)
}

/// Opens a spool file, or a part of it, for reading its lines.
pub(crate) fn replay(path: &Path, length: u64) -> anyhow::Result<DumpReader<impl BufRead>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    Ok(DumpReader::open(BufReader::new(file.take(length)))?)
}

/// Cuts the file behind its last newline and says how long it is then.
fn cut_torn_tail(path: &Path) -> io::Result<u64> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        let mut block = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        (&mut file).take(end - start).read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            end = start + at as u64 + 1;
            break;
        }
        end = start;
    }
    if end < length {
        tracing::warn!(path = %path.display(), bytes = length - end, "a torn line at the end of a spool file was cut");
        telemetry::torn_tail();
        file.set_len(end)?;
    }
    Ok(end)
}

/// Whether a line stands behind the two of the header.
fn has_lines(path: &Path) -> io::Result<bool> {
    let mut input = BufReader::new(File::open(path)?);
    for _ in 0..2 {
        input.skip_until(b'\n')?;
    }
    Ok(!input.fill_buf()?.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::{HeldLines, SpoolFile, path_of};
    use super::*;

    const HEADER: &str = "RTCStatsDump\n{\"fileFormat\":3}\n";

    #[test]
    fn a_torn_tail_is_cut_at_the_last_newline() {
        let dir = tempfile::tempdir().unwrap();
        let path = path_of(dir.path(), SessionId::new());
        let whole = format!("{HEADER}[36,null,null,1]\n");
        for torn in ["", "[", "[36,null,nu", &"x".repeat(200_000)] {
            std::fs::write(&path, format!("{whole}{torn}")).unwrap();
            let found = recover(dir.path()).unwrap();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].length, whole.len() as u64);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        }
    }

    #[test]
    fn a_file_without_a_line_is_removed_and_a_foreign_file_stays() {
        let dir = tempfile::tempdir().unwrap();
        let header_only = path_of(dir.path(), SessionId::new());
        let torn_header = path_of(dir.path(), SessionId::new());
        let foreign = dir.path().join("notes.txt");
        std::fs::write(&header_only, HEADER).unwrap();
        std::fs::write(&torn_header, "RTCSt").unwrap();
        std::fs::write(&foreign, "mine").unwrap();
        assert!(recover(dir.path()).unwrap().is_empty());
        assert!(!header_only.exists() && !torn_header.exists() && foreign.exists());
    }

    #[test]
    fn what_cannot_be_read_costs_no_other_session() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, good) = (path_of(dir.path(), SessionId::new()), path_of(dir.path(), SessionId::new()));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(&good, format!("{HEADER}[36,null,null,1]\n")).unwrap();
        let found = recover(dir.path()).unwrap();
        assert_eq!(found.iter().map(|found| &found.path).collect::<Vec<_>>(), [&good]);
        assert!(folder.exists());
    }

    #[test]
    fn held_lines_are_read_from_any_number() {
        let dir = tempfile::tempdir().unwrap();
        let path = path_of(dir.path(), SessionId::new());
        let mut spool = SpoolFile::create(path.clone(), &format!("{HEADER}[0]\n[1]\n")).unwrap();
        spool.append("[2]\n").unwrap();
        let mut held = HeldLines::open(&path, spool.length(), 1, 3).unwrap();
        assert_eq!(held.left(), 2);
        assert_eq!(held.next_line().unwrap().as_deref(), Some("[1]"));
        assert_eq!(held.next_line().unwrap().as_deref(), Some("[2]"));
        assert_eq!(held.next_line().unwrap(), None);
    }

    #[test]
    fn a_session_has_one_spool_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = path_of(dir.path(), SessionId::new());
        SpoolFile::create(path.clone(), HEADER).unwrap();
        assert!(SpoolFile::create(path, HEADER).is_err());
    }
}
