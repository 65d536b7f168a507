//! What a start finds in the spool: files of sessions that a crash or a stop left. A torn last line is cut, and the rest is
//! read again from its beginning.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use flate2::bufread::MultiGzDecoder;
use rtctrace_protocol::dump::DumpReader;

use super::file::session_of;
use super::held::HEADER_LINES;
use super::parts::{check, last_part, length_before, part_of, set_aside, whole_of};
use super::{Spool, SpoolText};
use crate::session::SessionId;
use crate::telemetry;

/// How much of a file's end is read at once in search of its last newline.
const BLOCK: u64 = 64 * 1024;

/// A spool file that was looked at.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// Whose it is.
    pub(crate) session: SessionId,
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// Its length, all of it whole lines.
    pub(crate) length: u64,
}

/// Lists the spool files. What a dump that was being brought back left behind goes; other files are left alone.
pub(crate) fn list(spool: &Spool) -> io::Result<Vec<(SessionId, PathBuf)>> {
    let (mut found, mut parts) = (Vec::new(), HashMap::<PathBuf, Vec<u32>>::new());
    for entry in std::fs::read_dir(&spool.dir)? {
        let path = entry?.path();
        if let Some(session) = session_of(&path) {
            found.push((session, path));
        } else if let Some((whole, number)) = whole_of(&path).filter(|(whole, _)| session_of(whole).is_some()) {
            parts.entry(whole).or_default().push(number);
        } else if path.extension().is_some_and(|extension| extension == "part") {
            std::fs::remove_file(&path)?;
        } else {
            tracing::warn!(path = %path.display(), "not a spool file; left alone");
        }
    }
    for (path, numbers) in parts {
        set_aside(&path, numbers)?;
    }
    Ok(found)
}

/// Looks at a spool text that was found: a torn tail is cut. A file without a whole line behind the header is removed: its
/// session never had a line acknowledged.
pub(crate) async fn look_at(spool: &Arc<Spool>, session: SessionId, path: PathBuf) -> io::Result<Option<Recovered>> {
    let spool = Arc::clone(spool);
    let looking = tokio::task::spawn_blocking(move || {
        let last = last_part(&path)?;
        check(&path, last)?;
        let length = length_before(&path, last)? + cut_torn_tail(&part_of(&path, last))?;
        if has_lines(&path)? {
            spool.grew(length);
            return Ok(Some(Recovered { session, path, length }));
        }
        std::fs::remove_file(&path)?;
        Ok(None)
    });
    looking.await.map_err(io::Error::other)?
}

/// How many lines a text of so many bytes has, behind its header.
pub(crate) async fn lines(path: &Path, length: u64) -> io::Result<u64> {
    let path = path.to_owned();
    let counting = tokio::task::spawn_blocking(move || {
        let mut input = BufReader::new(SpoolText::open(&path)?.take(length));
        let mut lines = 0_u64;
        while input.skip_until(b'\n')? > 0 {
            lines += 1;
        }
        Ok(lines.saturating_sub(HEADER_LINES))
    });
    counting.await.map_err(io::Error::other)?
}

/// Decompresses a dump into a file that a session can go on with: without the line that the collector closed it with.
pub(crate) fn unpack(from: &Path, to: &Path) -> io::Result<()> {
    let mut output = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(to)?;
    io::copy(&mut MultiGzDecoder::new(BufReader::new(File::open(from)?)), &mut output)?;
    let length = output.metadata()?.len();
    let start = length.saturating_sub(LONGEST_CLOSE);
    let mut tail = Vec::new();
    output.seek(SeekFrom::Start(start))?;
    output.read_to_end(&mut tail)?;
    let before = tail.strip_suffix(b"\n").unwrap_or(&tail);
    let last = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line = before.get(last..).unwrap_or_default();
    // With a code: a client's own has none, and is one of its lines.
    if line.strip_prefix(b"[\"close\",null,").and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit) {
        output.set_len(start + last as u64)?;
    }
    output.sync_all()
}

/// The collector's own last line is shorter.
const LONGEST_CLOSE: u64 = 256;

/// Opens the first `length` bytes of a spool text for reading its lines.
pub(crate) fn replay(path: &Path, length: u64) -> anyhow::Result<DumpReader<impl BufRead>> {
    let text = SpoolText::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    Ok(DumpReader::open(BufReader::new(text.take(length)))?)
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
    use crate::config::Config;

    fn spool(dir: &tempfile::TempDir) -> Arc<Spool> {
        let config = Config { data_dir: dir.path().to_owned(), ..Config::default() };
        std::fs::create_dir_all(config.spool_dir()).unwrap();
        Spool::open(&config).unwrap()
    }

    async fn recover(spool: &Arc<Spool>) -> Vec<Recovered> {
        let mut found = Vec::new();
        for (session, path) in list(spool).unwrap() {
            found.extend(look_at(spool, session, path).await.ok().flatten());
        }
        found
    }

    const HEADER: &str = "RTCStatsDump\n{\"fileFormat\":3}\n";

    #[tokio::test]
    async fn a_torn_tail_is_cut_at_the_last_newline() {
        let dir = tempfile::tempdir().unwrap();
        let path = path_of(spool(&dir).dir(), SessionId::new());
        let whole = format!("{HEADER}[36,null,null,1]\n");
        for torn in ["", "[", "[36,null,nu", &"x".repeat(200_000)] {
            std::fs::write(&path, format!("{whole}{torn}")).unwrap();
            let found = recover(&spool(&dir)).await;
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].length, whole.len() as u64);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        }
    }

    #[tokio::test]
    async fn a_file_without_a_line_is_removed_and_a_foreign_file_stays() {
        let dir = tempfile::tempdir().unwrap();
        let header_only = path_of(spool(&dir).dir(), SessionId::new());
        let torn_header = path_of(spool(&dir).dir(), SessionId::new());
        let foreign = spool(&dir).dir().join("notes.txt");
        std::fs::write(&header_only, HEADER).unwrap();
        std::fs::write(&torn_header, "RTCSt").unwrap();
        std::fs::write(&foreign, "mine").unwrap();
        assert!(recover(&spool(&dir)).await.is_empty());
        assert!(!header_only.exists() && !torn_header.exists() && foreign.exists());
    }

    #[tokio::test]
    async fn what_cannot_be_read_costs_no_other_session() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, good) =
            (path_of(spool(&dir).dir(), SessionId::new()), path_of(spool(&dir).dir(), SessionId::new()));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(&good, format!("{HEADER}[36,null,null,1]\n")).unwrap();
        let found = recover(&spool(&dir)).await;
        assert_eq!(found.iter().map(|found| &found.path).collect::<Vec<_>>(), [&good]);
        assert!(folder.exists());
    }

    #[test]
    fn held_lines_are_read_from_any_number() {
        let dir = tempfile::tempdir().unwrap();
        let path = path_of(spool(&dir).dir(), SessionId::new());
        let mut file = SpoolFile::create(&spool(&dir), &path, &format!("{HEADER}[0]\n[1]\n")).unwrap();
        file.append("[2]\n").unwrap();
        let mut held = HeldLines::open(&path, file.length(), 1, 3).unwrap();
        assert_eq!(held.left(), 2);
        assert_eq!(held.next_line().unwrap().as_deref(), Some("[1]"));
        assert_eq!(held.next_line().unwrap().as_deref(), Some("[2]"));
        assert_eq!(held.next_line().unwrap(), None);
    }

    #[tokio::test]
    async fn a_long_session_goes_on_in_parts_and_only_the_last_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let part_bytes = crate::config::Size(40);
        let config = Config { data_dir: dir.path().to_owned(), ..Config::default() };
        let config = Config { spool: crate::config::Spool { part_bytes, ..config.spool.clone() }, ..config };
        std::fs::create_dir_all(config.spool_dir()).unwrap();
        let spool = Spool::open(&config).unwrap();
        let path = path_of(spool.dir(), SessionId::new());
        let mut text = format!("{HEADER}[0]\n");
        let mut file = SpoolFile::create(&spool, &path, &text).unwrap();
        for number in 1..20 {
            let line = format!("[{number},\"long enough\"]\n");
            file.append(&line).unwrap();
            text += &line;
        }
        let last = last_part(&path).unwrap();
        assert!(last > 3, "{last} parts");
        assert_eq!(file.length(), text.len() as u64);
        let mut held = HeldLines::open(&path, file.length(), 7, 20).unwrap();
        assert_eq!(held.next_line().unwrap().as_deref(), Some("[7,\"long enough\"]"));

        let mut torn = std::fs::read(part_of(&path, last)).unwrap();
        torn.extend_from_slice(b"[99,");
        std::fs::write(part_of(&path, last), torn).unwrap();
        let spool = Spool::open(&config).unwrap();
        let found = recover(&spool).await;
        assert_eq!(found.len(), 1, "all parts are one session");
        assert_eq!(found[0].length, text.len() as u64);
        let mut file = SpoolFile::reopen(&spool, &path, found[0].length).unwrap();
        file.append("[20]\n").unwrap();
        text += "[20]\n";
        let mut read = String::new();
        SpoolText::open(&path).unwrap().read_to_string(&mut read).unwrap();
        assert_eq!(read, text);

        // A removal that was cut short behind the first part.
        std::fs::remove_file(&path).unwrap();
        Spool::open(&config).unwrap();
        assert_eq!(std::fs::read_dir(spool.dir()).unwrap().count(), 0);
    }

    #[test]
    fn a_session_has_one_spool_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = path_of(spool(&dir).dir(), SessionId::new());
        SpoolFile::create(&spool(&dir), &path, HEADER).unwrap();
        assert!(SpoolFile::create(&spool(&dir), &path, HEADER).is_err());
    }
}
