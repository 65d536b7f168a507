//! The text of a session whose pushes did not come in the order of their times is written anew by them, before it is stored. Lines that
//! came late, with their reports in full, go to a file beside the spool's; then the text is read once more, and they are written where
//! they belong. So what is held is one report, and a few words for each late line. The new text takes the place of the old one
//! at once; a start that finds parts of the old text behind it knows their lines, and leaves them out when it does the same again.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rtctrace_protocol::dump::{MAGIC, MAX_LINE};
use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::line::Line;
use rtctrace_protocol::sora::{Moment, Translated, Translator, Unordered, merged};
use tokio::sync::Semaphore;

use super::handle::Handle;
use super::summary::Summary;
use crate::spool::{self, Spool};

/// What was written.
struct Ordered {
    part: Part,
    length: u64,
    lines: u64,
    summary: Summary,
}

/// A line that came late.
struct Late {
    time: i64,
    /// Where it lies, and how long it is.
    at: u64,
    length: u32,
    /// How much of that is the envelope of its push.
    envelope: u32,
    /// The push of a client that it is of.
    push: Option<u64>,
    is_part: bool,
}

/// What came late.
#[derive(Default)]
struct Aside {
    /// By their times.
    late: Vec<Late>,
    /// Entries that the lines of their pushes lack.
    parts: HashMap<u64, Vec<Late>>,
}

/// Puts the lines of a session that is over in order, if they are not; says whether they were not. Where that cannot be done, it is stored as
/// it came. Either way, its rows are written from its dump.
pub(super) async fn reorder(handle: &Handle, spool: &Spool, turns: &Semaphore) -> bool {
    let mut journal = handle.journal.lock().await;
    if !journal.is_unordered() {
        return false;
    }
    handle.rows_from_dump(&mut journal);
    let _turn = turns.acquire().await;
    let (path, length) = journal.held();
    let written = {
        let path = path.clone();
        tokio::task::spawn_blocking(move || write(&path, length)).await.context("it panicked").flatten()
    };
    let replaced = written.and_then(|Ordered { part, length, lines, summary }| {
        spool.replace(&path, &part.0)?;
        journal.reordered(length, lines, summary).context("the new text cannot be opened")
    });
    match replaced {
        Ok(()) => {
            handle.publish(&journal);
            tracing::debug!(session = %handle.id, "what came late is in its place");
        }
        Err(error) => {
            tracing::error!(session = %handle.id, "the session is stored in the order in which it came: {error:#}");
        }
    }
    true
}

/// A file that is removed unless it has taken the place of another.
struct Part(PathBuf);

impl Part {
    /// Beside the text. A start removes what has this extension.
    fn create(text: &Path, name: &str) -> io::Result<(Self, File)> {
        let path = text.with_extension(format!("{name}.part"));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        Ok((Self(path), file))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // It may have another name by now.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Writes the text anew.
fn write(path: &Path, length: u64) -> anyhow::Result<Ordered> {
    let (_late, file) = Part::create(path, "late")?;
    let mut reading = Unordered::new();
    let Aside { late, parts } = set_aside(path, length, &mut reading, &file)?;
    let (part, output) = Part::create(path, "ordered")?;
    let mut dump = spool::replay(path, length)?;
    let begin = dump.metadata().get("startTime").and_then(RawValue::as_i64).unwrap_or_default();
    let mut output = Output {
        file: BufWriter::new(output),
        translator: Translator::new(MAX_LINE),
        line: String::new(),
        length: 0,
        lines: 0,
        summary: Summary::since(begin),
        file_of_late: &file,
        parts,
    };
    let header = format!("{MAGIC}\n{}\n", dump.metadata().text());
    output.file.write_all(header.as_bytes())?;
    output.length = header.len() as u64;
    let mut late = late.into_iter().peekable();
    let (mut reading, mut text) = (reading.again(), String::new());
    while let Some(line) = dump.next_line() {
        let moment = reading.read(&Line::parse(line?)?, &mut text)?;
        let Some(moment) = moment.filter(|moment| !moment.is_late) else { continue };
        while let Some(next) = late.next_if(|late| late.time < moment.time) {
            output.late(&next)?;
        }
        let (envelope, line) = text.split_at(moment.line);
        output.whole(line, envelope, moment.time, moment.push)?;
    }
    for next in late {
        output.late(&next)?;
    }
    let Output { file, length, lines, summary, .. } = output;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(Ordered { part, length, lines, summary })
}

/// Writes the lines that came late to a file, and says where they are.
fn set_aside(path: &Path, length: u64, reading: &mut Unordered, file: &File) -> anyhow::Result<Aside> {
    let mut dump = spool::replay(path, length)?;
    let mut text = String::new();
    let mut output = BufWriter::new(file);
    let (mut all, mut at) = (Vec::new(), 0);
    while let Some(line) = dump.next_line() {
        if let Some(Moment { time, is_late: true, line, push, is_part }) =
            reading.read(&Line::parse(line?)?, &mut text)?
        {
            output.write_all(text.as_bytes())?;
            let (length, envelope) = (u32::try_from(text.len())?, u32::try_from(line)?);
            all.push(Late { time, at, length, envelope, push, is_part });
            at += text.len() as u64;
        }
    }
    output.flush()?;
    let mut aside = Aside::default();
    for late in all {
        match late.push {
            Some(push) if late.is_part && reading.has_whole(push) => aside.parts.entry(push).or_default().push(late),
            _ => aside.late.push(late),
        }
    }
    // Those of one time stay as they came.
    aside.late.sort_by_key(|late| late.time);
    Ok(aside)
}

struct Output<'f> {
    file: BufWriter<File>,
    file_of_late: &'f File,
    /// Those that are not written yet.
    parts: HashMap<u64, Vec<Late>>,
    translator: Translator,
    line: String,
    length: u64,
    lines: u64,
    summary: Summary,
}

impl Output<'_> {
    fn late(&mut self, late: &Late) -> anyhow::Result<()> {
        let text = self.text_of(late)?;
        let (envelope, line) = text.split_at_checked(late.envelope as usize).context("a late line is torn")?;
        self.whole(line, envelope, late.time, late.push)
    }

    fn text_of(&self, late: &Late) -> anyhow::Result<String> {
        let mut held = vec![0; late.length as usize];
        self.file_of_late.read_exact_at(&mut held, late.at)?;
        Ok(String::from_utf8(held)?)
    }

    /// Writes a line, with what others have of its push.
    fn whole(&mut self, line: &str, envelope: &str, time: i64, push: Option<u64>) -> anyhow::Result<()> {
        let parts = push.and_then(|push| self.parts.remove(&push)).unwrap_or_default();
        let mut whole = Cow::Borrowed(line);
        for part in &parts {
            let text = self.text_of(part)?;
            let part = text.get(part.envelope as usize..).unwrap_or_default();
            whole = Cow::Owned(merged(&whole, part).context("entries of a push cannot be had")?);
        }
        match self.line(&whole, envelope, time) {
            Err(error) if !parts.is_empty() => {
                tracing::warn!("entries of a push are left out, for with them it is too long: {error:#}");
                self.line(line, envelope, time)
            }
            written => written,
        }
    }

    fn line(&mut self, line: &str, envelope: &str, time: i64) -> anyhow::Result<()> {
        self.line.clear();
        if self.translator.again(&Line::parse(line)?, envelope, time, &mut self.line)? == Translated::Stored {
            self.summary.lines(&self.line);
            self.lines += self.line.lines().count() as u64;
            self.length += self.line.len() as u64;
            self.file.write_all(self.line.as_bytes())?;
        }
        Ok(())
    }
}
