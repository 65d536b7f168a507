//! The parts of a session's spool text. A very long session goes on in a next part: `<session>.jsonl`, then `<session>.jsonl.1`,
//! `.2`, ..., each of whole lines. Only the last one grows, and only it can be torn. Whoever reads sees one text.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
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

/// The path of the session that a further part belongs to.
pub(super) fn whole_of(part: &Path) -> Option<PathBuf> {
    let number = part.extension()?.to_str()?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.with_extension(""))
}

/// The number of the last part.
pub(super) fn last_part(path: &Path) -> io::Result<u32> {
    let mut number = 0;
    while part_of(path, number + 1).try_exists()? {
        number += 1;
    }
    Ok(number)
}

/// The length of all parts before one.
pub(super) fn length_before(path: &Path, part: u32) -> io::Result<u64> {
    (0..part).map(|number| Ok(std::fs::metadata(part_of(path, number))?.len())).sum()
}

/// Removes the parts behind one.
pub(super) fn remove_behind(path: &Path, number: u32) -> io::Result<()> {
    for number in number + 1.. {
        match std::fs::remove_file(part_of(path, number)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
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
        assert_eq!(whole_of(&part_of(&path, 12)), Some(path.clone()));
        assert_eq!(whole_of(&path), None);
        remove_behind(&path, 0).unwrap();
        assert_eq!(last_part(&path).unwrap(), 0);
    }
}
