//! The parts of a session's spool text. A very long session goes on in a next part: `<session>.jsonl`, then `<session>.jsonl.1`,
//! `.2`, ..., each of whole lines. Only the last one grows, and only it can be torn. Whoever reads sees one text.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Where a part lies, counted from 0; part 0 is the session's path itself.
pub(super) fn part_of(path: &Path, number: u32) -> PathBuf {
    if number == 0 {
        return path.to_owned();
    }
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    name.into()
}

/// The path of the session that a further part belongs to, and the part's number.
pub(super) fn whole_of(part: &Path) -> Option<(PathBuf, u32)> {
    let number = part.extension()?.to_str()?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    Some((part.with_extension(""), number.parse().ok().filter(|number| is_number && *number > 0)?))
}

/// What stands in place of the number of a part that has none before it.
const ASIDE: &str = "aside";

/// Moves parts behind a gap out of the way, where a person finds them: what came before them is lost, and they would be taken for
/// what comes after something else.
pub(super) fn set_aside(path: &Path, numbers: Vec<u32>) -> io::Result<()> {
    // Looked at now: a session may go on while a folder is listed, and then its parts are there one after the other.
    let last = last_part(path)?;
    for number in numbers.into_iter().filter(|number| *number > last) {
        let part = part_of(path, number);
        let mut aside = OsString::from(&part);
        aside.push(format!(".{ASIDE}"));
        tracing::error!(path = %part.display(), "a part of a spool text before this one is gone; this one is set aside");
        std::fs::rename(&part, aside)?;
    }
    Ok(())
}

/// Looks whether each part but the last ends with a line's end, and says where one does not: its last line is lost.
pub(super) fn check(path: &Path, last: u32) -> io::Result<()> {
    for number in 0..last {
        let part = part_of(path, number);
        let mut file = File::open(&part)?;
        let mut end = [0];
        if file.metadata()?.len() > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut end)?;
        }
        if end != *b"\n" {
            tracing::error!(path = %part.display(), "a part of a spool text was cut short; what is missing there is lost");
        }
    }
    Ok(())
}

/// The number of the last part.
pub(super) fn last_part(path: &Path) -> io::Result<u32> {
    last_behind(path, 0)
}

fn last_behind(path: &Path, mut number: u32) -> io::Result<u32> {
    while part_of(path, number + 1).try_exists()? {
        number += 1;
    }
    Ok(number)
}

/// The length of all parts before one.
pub(super) fn length_before(path: &Path, part: u32) -> io::Result<u64> {
    (0..part).map(|number| Ok(std::fs::metadata(part_of(path, number))?.len())).sum()
}

/// Removes the parts behind one, the last of them first: what a crash leaves has no gap.
pub(super) fn remove_behind(path: &Path, number: u32) -> io::Result<()> {
    let last = last_behind(path, number)?;
    for number in (number + 1..=last).rev() {
        match std::fs::remove_file(part_of(path, number)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => result?,
        }
    }
    Ok(())
}

/// A session's spool text from its beginning on, through all its parts.
#[derive(Debug)]
pub(crate) struct SpoolText {
    path: PathBuf,
    number: u32,
    part: File,
}

impl SpoolText {
    /// Opens it at its beginning.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), number: 0, part: File::open(path)? })
    }

    /// Opens it behind its first `at` bytes.
    ///
    /// # Errors
    /// If no part that reaches so far can be opened.
    pub(crate) fn open_at(path: &Path, at: u64) -> io::Result<Self> {
        let (mut text, mut left) = (Self::open(path)?, at);
        while left > 0 {
            let length = text.part.metadata()?.len();
            if left <= length {
                text.part.seek(SeekFrom::Start(left))?;
                break;
            }
            left -= length;
            text.number += 1;
            text.part = File::open(part_of(&text.path, text.number))?;
        }
        Ok(text)
    }

    /// How long it is now.
    ///
    /// # Errors
    /// If a part cannot be looked at.
    pub(crate) fn length(path: &Path) -> io::Result<u64> {
        length_before(path, last_part(path)? + 1)
    }
}

impl Read for SpoolText {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.part.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            match File::open(part_of(&self.path, self.number + 1)) {
                Ok(next) => {
                    self.part = next;
                    self.number += 1;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_one_text() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        for (number, text) in ["one\n", "", "two\n", "three\n"].into_iter().enumerate() {
            std::fs::write(part_of(&path, u32::try_from(number).unwrap()), text).unwrap();
        }
        let mut text = String::new();
        SpoolText::open(&path).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\ntwo\nthree\n");
        assert_eq!(SpoolText::length(&path).unwrap(), text.len() as u64);
        assert_eq!(last_part(&path).unwrap(), 3);
        assert_eq!(whole_of(&part_of(&path, 12)), Some((path.clone(), 12)));
        assert_eq!(whole_of(&path), None);
        std::fs::remove_file(part_of(&path, 1)).unwrap();
        set_aside(&path, vec![3, 2]).unwrap();
        assert_eq!(last_part(&path).unwrap(), 0);
        let names =
            std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        assert_eq!(names, ["a.jsonl", "a.jsonl.2.aside", "a.jsonl.3.aside"]);
    }
}
