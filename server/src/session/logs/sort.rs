//! Lines by connection and time, however many there are: as many as fit into memory are sorted and written to a file, a run, and the runs
//! are merged while they are read. The files have no name, so a crash leaves nothing of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::session::SessionId;

/// Bytes of lines, with what is needed to sort them, that are in memory at one time. A longer line is there alone.
const ROOM: usize = 32 << 20;
/// So many runs of about one length are merged into one: so few files are open, and few are read in turns.
const FAN_IN: usize = 16;
/// What is read and written of a run at once.
const BLOCK: usize = 128 << 10;

/// What lines are sorted by: the session of a channel, the connection in it, the time, the id of push or notice, the number of the line. As
/// bytes that compare in this order; none of the texts holds a NUL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(Vec<u8>);

impl Key {
    /// `name` is that of the connection's session. Times are of 1970 or later.
    pub(super) fn new(session: &str, name: &str, time: i64, id: &str, number: u64) -> Self {
        let mut key = Vec::with_capacity(session.len() + name.len() + id.len() + 19);
        for text in [session, name] {
            key.extend_from_slice(text.as_bytes());
            key.push(0);
        }
        key.extend_from_slice(&time.to_be_bytes());
        key.extend_from_slice(id.as_bytes());
        key.push(0);
        key.extend_from_slice(&number.to_be_bytes());
        Self(key)
    }

    /// Its two texts that tell which connection it is of.
    pub(super) fn group(&self) -> (&str, &str) {
        let mut texts = self.0.splitn(3, |byte| *byte == 0).map(|text| std::str::from_utf8(text).unwrap_or_default());
        (texts.next().unwrap_or_default(), texts.next().unwrap_or_default())
    }

    /// The part that lines of one push share.
    pub(super) fn of_push(&self) -> &[u8] {
        self.0.len().checked_sub(8).and_then(|end| self.0.get(..end)).unwrap_or_default()
    }

    /// In microseconds since the Unix epoch.
    pub(super) fn time(&self) -> i64 {
        let (session, name) = self.group();
        let behind = self.0.get(session.len() + name.len() + 2..).and_then(<[u8]>::first_chunk);
        behind.map_or(0, |time| i64::from_be_bytes(*time))
    }

    /// The number of the line.
    pub(super) fn number(&self) -> u64 {
        self.0.last_chunk().map_or(0, |number| u64::from_be_bytes(*number))
    }
}

/// Takes lines in any order.
#[derive(Debug)]
pub(super) struct Sorter {
    dir: PathBuf,
    room: usize,
    /// Keys, each with its line behind it.
    text: Vec<u8>,
    records: Vec<Record>,
    /// Runs of lines as they came, then merged ones, and so on.
    runs: Vec<Vec<File>>,
}

/// Where a line is in the text.
#[derive(Debug, Clone, Copy)]
struct Record {
    at: usize,
    key: u32,
    line: u32,
}

impl Record {
    fn key<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        text.get(self.at..self.at + self.key as usize).unwrap_or_default()
    }
}

impl Sorter {
    /// Its files are in `dir`.
    pub(super) fn new(dir: &Path) -> Self {
        Self::with_room(dir, ROOM)
    }

    fn with_room(dir: &Path, room: usize) -> Self {
        Self { dir: dir.to_owned(), room, text: Vec::new(), records: Vec::new(), runs: Vec::new() }
    }

    /// Takes a line in.
    pub(super) fn add(&mut self, key: &Key, line: &str) -> io::Result<()> {
        let used = self.text.len() + self.records.len() * size_of::<Record>();
        if used + key.0.len() + line.len() > self.room && !self.records.is_empty() {
            self.spill()?;
        }
        let short = |length: usize| u32::try_from(length).map_err(io::Error::other);
        let record = Record { at: self.text.len(), key: short(key.0.len())?, line: short(line.len())? };
        self.text.extend_from_slice(&key.0);
        self.text.extend_from_slice(line.as_bytes());
        self.records.push(record);
        Ok(())
    }

    /// All of them, in order.
    pub(super) fn finish(mut self) -> io::Result<Sorted> {
        self.spill()?;
        Sorted::of(self.runs.into_iter().flatten())
    }

    /// Writes what is in memory to a run.
    fn spill(&mut self) -> io::Result<()> {
        if self.records.is_empty() {
            return Ok(());
        }
        let text = &self.text;
        self.records.sort_unstable_by(|a, b| a.key(text).cmp(b.key(text)));
        let mut run = BufWriter::with_capacity(BLOCK, nameless(&self.dir)?);
        for record in &self.records {
            let end = record.at + record.key as usize + record.line as usize;
            run.write_all(&record.key.to_le_bytes())?;
            run.write_all(&record.line.to_le_bytes())?;
            run.write_all(text.get(record.at..end).unwrap_or_default())?;
        }
        let run = run.into_inner().map_err(io::IntoInnerError::into_error)?;
        self.records.clear();
        self.text.clear();
        // What one long line needed.
        self.text.shrink_to(self.room);
        self.keep(run, 0)
    }

    fn keep(&mut self, run: File, level: usize) -> io::Result<()> {
        if self.runs.len() <= level {
            self.runs.resize_with(level + 1, Vec::new);
        }
        let Some(runs) = self.runs.get_mut(level) else { return Ok(()) };
        runs.push(run);
        if runs.len() < FAN_IN {
            return Ok(());
        }
        let mut sorted = Sorted::of(std::mem::take(runs))?;
        let mut merged = BufWriter::with_capacity(BLOCK, nameless(&self.dir)?);
        let mut line = String::new();
        while let Some(key) = sorted.next(&mut line)? {
            for length in [key.0.len(), line.len()] {
                merged.write_all(&u32::try_from(length).map_err(io::Error::other)?.to_le_bytes())?;
            }
            merged.write_all(&key.0)?;
            merged.write_all(line.as_bytes())?;
        }
        drop(sorted);
        self.keep(merged.into_inner().map_err(io::IntoInnerError::into_error)?, level + 1)
    }
}

/// Gives lines in order.
#[derive(Debug)]
pub(super) struct Sorted {
    runs: Vec<BufReader<File>>,
    /// The next line of each run: its key, the run, and how long it is.
    heads: BinaryHeap<Reverse<(Key, usize, u32)>>,
}

impl Sorted {
    fn of(runs: impl IntoIterator<Item = File>) -> io::Result<Self> {
        let mut sorted = Self { runs: Vec::new(), heads: BinaryHeap::new() };
        for (at, mut run) in runs.into_iter().enumerate() {
            run.rewind()?;
            sorted.runs.push(BufReader::with_capacity(BLOCK, run));
            sorted.look_at(at)?;
        }
        Ok(sorted)
    }

    /// The next line.
    pub(super) fn next(&mut self, line: &mut String) -> io::Result<Option<Key>> {
        let Some(Reverse((key, at, length))) = self.heads.pop() else { return Ok(None) };
        let mut bytes = std::mem::take(line).into_bytes();
        bytes.resize(length as usize, 0);
        if let Some(run) = self.runs.get_mut(at) {
            run.read_exact(&mut bytes)?;
        }
        *line = String::from_utf8(bytes).map_err(io::Error::other)?;
        self.look_at(at)?;
        Ok(Some(key))
    }

    fn look_at(&mut self, at: usize) -> io::Result<()> {
        let Some(run) = self.runs.get_mut(at) else { return Ok(()) };
        if run.fill_buf()?.is_empty() {
            return Ok(());
        }
        let mut lengths = [[0; 4]; 2];
        for length in &mut lengths {
            run.read_exact(length)?;
        }
        let [key, line] = lengths.map(u32::from_le_bytes);
        let mut bytes = vec![0; key as usize];
        run.read_exact(&mut bytes)?;
        self.heads.push(Reverse((Key(bytes), at, line)));
        Ok(())
    }
}

/// A file that nobody else can open, and that is gone with its handle.
pub(super) fn nameless(dir: &Path) -> io::Result<File> {
    std::fs::create_dir_all(dir)?;
    let path = dir.join(format!("{}.run", SessionId::new()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_by_connection_and_time_with_few_files_and_little_memory() {
        let dir = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::with_room(dir.path(), 10_000);
        let mut given = Vec::new();
        for number in 0..20_000_u64 {
            let at = number * 7919 % 20_000;
            let (session, name) = (["S1", "S2", "S22"][(at % 3) as usize], format!("sora@{}", at % 50));
            let (time, id) = (i64::try_from(at / 100).unwrap() * 1_000_003, ["", "A", "AB"][(at % 7 % 3) as usize]);
            let line = format!("{session} {name} {time} {id} {number} {}", "é".repeat((at % 90) as usize));
            let key = Key::new(session, &name, time, id, number);
            assert_eq!((key.group(), key.time(), key.number()), ((session, name.as_str()), time, number));
            sorter.add(&key, &line).unwrap();
            assert!(sorter.text.len() + sorter.records.len() * size_of::<Record>() < 11_000);
            given.push(((session.to_owned(), name, time, id.to_owned(), number), line));
            let open: usize = sorter.runs.iter().map(Vec::len).sum();
            assert!(open < 4 * FAN_IN, "{open} files are open");
        }
        given.sort();
        let mut sorted = sorter.finish().unwrap();
        let (mut line, mut count) = (String::new(), 0);
        while let Some(key) = sorted.next(&mut line).unwrap() {
            let ((session, name, time, _, number), expected) = &given[count];
            assert_eq!((&line, key.number(), key.time()), (expected, *number, *time));
            assert_eq!(key.group(), (session.as_str(), name.as_str()));
            count += 1;
        }
        assert_eq!(count, given.len());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "no file has a name");
    }

    #[test]
    fn a_line_that_is_longer_than_the_room_is_there_too() {
        let dir = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::with_room(dir.path(), 1000);
        for number in [2, 1, 3] {
            sorter.add(&Key::new("", "a", 0, "", number), &"x".repeat(number as usize * 5000)).unwrap();
        }
        let (mut sorted, mut line, mut lengths) = (sorter.finish().unwrap(), String::new(), Vec::new());
        while sorted.next(&mut line).unwrap().is_some() {
            lengths.push(line.len());
        }
        assert_eq!(lengths, [5000, 10_000, 15_000]);
    }
}
