//! The first half of an import of Sora's logs: files are read line by line, and what is a line of a log goes to the sorter. A bad one costs
//! itself.

use std::io::{self, BufRead, Chain, Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use rtctrace_protocol::dump::{DumpError, GZIP_MAGIC, MAGIC, MAX_LINE, TextLines};
use rtctrace_protocol::sora::Logged;

use super::sort::{Key, Sorter};
use super::{Logs, Read as Tally};
use crate::session::sora::{name_of_connection, name_of_node};

/// As much of a file's beginning shows what it is.
const BEGINNING: u64 = 1 << 20;
/// Between two looks of who waits, in lines.
const SHOW_EVERY: u64 = 1024;

/// A file whose beginning was looked at.
pub(crate) type Begun<R> = Chain<Cursor<Vec<u8>>, R>;

/// Says whether a file is a log of Sora's, by its beginning, and gives all of it back.
pub(crate) fn recognise<R: BufRead>(mut input: R) -> io::Result<(bool, Begun<R>)> {
    let mut beginning = Vec::new();
    input.by_ref().take(BEGINNING).read_to_end(&mut beginning)?;
    let mut unpacked = Vec::new();
    let text = if beginning.starts_with(&GZIP_MAGIC) {
        // It is cut somewhere: what could be unpacked counts.
        let _ = MultiGzDecoder::new(beginning.as_slice()).take(BEGINNING).read_to_end(&mut unpacked);
        &unpacked
    } else {
        &beginning
    };
    let mut lines = text.split(|byte| *byte == b'\n');
    let is_log = !text.starts_with(MAGIC.as_bytes())
        && lines.any(|line| std::str::from_utf8(line).is_ok_and(|line| Logged::is_one(line.trim_end())));
    Ok((is_log, Cursor::new(beginning).chain(input)))
}

impl Logs {
    /// Takes in a log, gzip-compressed or not. `name` is what its lines are told by.
    ///
    /// # Errors
    /// If lines cannot be written to where they are sorted. What is wrong with the file itself is told and counted.
    pub(crate) fn take(&mut self, name: &str, input: impl BufRead) -> io::Result<Tally> {
        self.files.push((self.lines, name.to_owned()));
        let mut tally = Tally::default();
        let mut lines = match TextLines::open(input, MAX_LINE, u64::MAX) {
            Ok(lines) => lines,
            Err(error) => return Ok(Tally { torn: Some(error.to_string()), ..tally }),
        };
        let before = self.bytes;
        while let Some(next) = lines.next_line() {
            let taken = match next {
                Ok(line) if line.trim_ascii().is_empty() => {
                    self.lines += 1;
                    Ok(())
                }
                Ok(line) => {
                    self.lines += 1;
                    tally.lines += 1;
                    match std::str::from_utf8(line) {
                        Ok(line) => place(&mut self.sorter, self.lines, line)?,
                        Err(error) => Err(format!("it is not UTF-8 from byte {} on", error.valid_up_to())),
                    }
                }
                Err(DumpError::LineTooLong { limit, .. }) => {
                    self.lines += 1;
                    tally.lines += 1;
                    Err(format!("it is longer than {limit} bytes"))
                }
                Err(DumpError::Read { line, error }) => {
                    tally.torn = Some(format!("it cannot be read beyond line {line}: {error}"));
                    break;
                }
                Err(error) => {
                    tally.torn = Some(error.to_string());
                    break;
                }
            };
            if let Err(why) = taken {
                tally.left_out += 1;
                self.complain(self.lines, 1, &why);
            }
            if self.lines.is_multiple_of(SHOW_EVERY) {
                self.bytes = before + lines.bytes();
                let (lines, megabytes) = (self.lines, self.bytes / 1_000_000);
                self.watch.show(&|| format!("{name}: {lines} lines, {megabytes} MB in all"));
            }
        }
        self.bytes = before + lines.bytes();
        Ok(tally)
    }
}

/// Gives a line to the sorter, as often as it is about a connection; says what is wrong with it.
fn place(sorter: &mut Sorter, number: u64, line: &str) -> io::Result<Result<(), String>> {
    let logged = match Logged::read(line) {
        Ok(logged) => logged,
        Err(error) => return Ok(Err(error.to_string().replace("the body is", "it is"))),
    };
    let key = |name: &str| Key::new(logged.session(), name, logged.time(), logged.id(), number);
    match &logged {
        Logged::Entry(entry) => sorter.add(&key(&name_of_connection(&entry.connection.connection_id)), line)?,
        Logged::Push(push) => {
            let name = match &push.connection {
                Some(connection) => name_of_connection(&connection.connection_id),
                None => name_of_node(&push.sender.node_name),
            };
            sorter.add(&key(&name), push.text().text())?;
        }
        Logged::Notice(notice) => {
            let (each, whole) = match (notice.by_connections(), notice.of_whole_session()) {
                (Ok(each), Ok(whole)) => (each, whole),
                (Err(error), _) | (_, Err(error)) => return Ok(Err(error.to_string())),
            };
            for about in each {
                sorter.add(&key(&name_of_connection(&about.connection_id)), &about.text)?;
            }
            if let Some(text) = whole {
                // Before all connections of its session.
                sorter.add(&key(""), &text)?;
            }
        }
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn is_log(text: &[u8]) -> bool {
        let (is_log, mut whole) = recognise(text).unwrap();
        let mut read = Vec::new();
        whole.read_to_end(&mut read).unwrap();
        assert_eq!(read, text, "all of it is there");
        is_log
    }

    #[test]
    fn a_log_is_known_by_what_it_holds() {
        let line = r#"{"type":"session.created","timestamp":"2026-11-29T20:15:04Z","label":"l","version":"v","node_name":"n"}"#;
        let log = format!("torn\":1}}\n\n{line}\r\n");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(log.as_bytes()).unwrap();
        let packed = encoder.finish().unwrap();
        for log in [log.as_bytes(), line.as_bytes(), &packed, &packed[..packed.len() - 4]] {
            assert!(is_log(log), "{:?}", String::from_utf8_lossy(log));
        }
        let dump = format!("RTCStatsDump\n{{\"fileFormat\":3}}\n{line}");
        for other in ["", "\n", "{}", "[1]", &line[1..], &dump, r#"{"PeerConnections":{}}"#] {
            assert!(!is_log(other.as_bytes()), "{other}");
        }
    }
}
