//! The second half of an import of Sora's logs: lines come by connection and time, and what a connection's come to is the text of a session,
//! as if it had been pushed.

use std::io::{self, BufReader, Seek as _, Write as _};
use std::path::Path;

use rtctrace_protocol::dump::{self, DumpError, DumpReader, MAX_LINE};
use rtctrace_protocol::line::Line;
use rtctrace_protocol::sora::{Gathering, Logged, Notice, Push, Refused, Taken, Translated, Translator};

use super::Logs;
use super::known::Destination;
use super::sort::{Key, Sorted, nameless};
use crate::config::Privacy;
use crate::session::import::{ImportError, Output, Part, Prepared, is_sensible};
use crate::session::registry::DESTROYED;
use crate::session::{LOST, Origin, UnixMillis};

/// So many notices about a session of a channel as a whole are held: there is one, unless somebody makes them up.
const ENDS: usize = 16;

/// The lines of all logs, in order.
#[derive(Debug)]
pub(super) struct Converting {
    sorted: Sorted,
    key: Option<Key>,
    text: String,
    /// Of the session of a channel that is at hand.
    ends_of: String,
    ends: Vec<(Key, String)>,
}

/// What a connection came to.
#[derive(Debug)]
pub(super) enum Converted {
    /// A session, or all of one that goes on.
    New(Prepared),
    /// Sessions that are here hold all its statistics.
    Held,
    /// Nothing: there are no statistics of it.
    Nothing,
}

impl Converting {
    pub(super) fn new(sorted: Sorted) -> io::Result<Self> {
        let mut new = Self { sorted, key: None, text: String::new(), ends_of: String::new(), ends: Vec::new() };
        new.advance()?;
        Ok(new)
    }

    fn advance(&mut self) -> io::Result<()> {
        self.key = self.sorted.next(&mut self.text)?;
        Ok(())
    }

    /// The name of the session that comes next.
    pub(super) fn next_name(&mut self) -> io::Result<Option<String>> {
        while let Some(key) = &self.key {
            let (session, name) = key.group();
            if session != self.ends_of {
                session.clone_into(&mut self.ends_of);
                self.ends.clear();
            }
            if !name.is_empty() {
                return Ok(Some(name.to_owned()));
            }
            if self.ends.len() < ENDS {
                self.ends.push((key.clone(), self.text.clone()));
            }
            self.advance()?;
        }
        Ok(None)
    }

    /// Passes over it.
    pub(super) fn skip(&mut self) -> Result<(), ImportError> {
        self.each(|_, _| Ok(()))
    }

    /// Makes its session of what is new.
    pub(super) fn convert(
        &mut self,
        logs: &mut Logs,
        to: &Destination,
        (dir, privacy): (&Path, &Privacy),
    ) -> Result<Converted, ImportError> {
        let mut making = Making::new(logs, to, dir, privacy)?;
        let mut ends = self.ends.clone().into_iter().peekable();
        self.each(|key, text| {
            while let Some((of_end, end)) = ends.next_if(|(of_end, _)| of_end.time() < key.time()) {
                making.line(&of_end, &end)?;
            }
            making.line(key, text)
        })?;
        for (of_end, end) in ends {
            making.line(&of_end, &end)?;
        }
        making.finish(dir)
    }

    fn each(&mut self, mut line: impl FnMut(&Key, &str) -> Result<(), ImportError>) -> Result<(), ImportError> {
        let Some(first) = self.key.clone() else { return Ok(()) };
        while let Some(key) = self.key.as_ref().filter(|key| key.group() == first.group()) {
            line(key, &self.text)?;
            self.advance()?;
        }
        Ok(())
    }
}

/// A session in the making.
struct Making<'l> {
    logs: &'l mut Logs,
    to: &'l Destination,
    /// Whether anything is new.
    is_new: bool,
    translator: Translator,
    lines: String,
    body: Output,
    origin: Option<Origin>,
    /// When the first line was, in microseconds.
    first: Option<i64>,
    /// The push whose entries are read.
    gathering: Gathering,
    of: Vec<u8>,
    number: u64,
    entries: u64,
    refused: Option<Refused>,
    /// Whether statistics came that are held.
    is_known: bool,
}

impl<'l> Making<'l> {
    fn new(logs: &'l mut Logs, to: &'l Destination, dir: &Path, privacy: &Privacy) -> io::Result<Self> {
        Ok(Self {
            logs,
            to,
            is_new: false,
            translator: Translator::new(MAX_LINE),
            lines: String::new(),
            body: Output::new(nameless(dir)?, privacy.obfuscator(), u64::MAX),
            origin: None,
            first: None,
            gathering: Gathering::default(),
            of: Vec::new(),
            number: 0,
            entries: 0,
            refused: None,
            is_known: false,
        })
    }

    /// Takes in the next line.
    fn line(&mut self, key: &Key, text: &str) -> Result<(), ImportError> {
        if self.of != key.of_push() {
            self.gathered()?;
            key.of_push().clone_into(&mut self.of);
        }
        match Logged::read(text) {
            Ok(Logged::Entry(entry)) => {
                if self.entries == 0 {
                    self.number = key.number();
                }
                self.entries += 1;
                match self.gathering.take(text, &entry) {
                    Ok(Taken::New) => {}
                    Ok(Taken::Held) => self.logs.repeated += 1,
                    Err(refused) => self.refused = Some(refused),
                }
                Ok(())
            }
            Ok(Logged::Push(push)) => {
                self.gathered()?;
                self.push(&push, key.number(), 1)
            }
            Ok(Logged::Notice(notice)) => self.notice(&notice, key.number()),
            // It was read before.
            Err(error) => Err(io::Error::other(error).into()),
        }
    }

    /// The push of the entries that were gathered is whole.
    fn gathered(&mut self) -> Result<(), ImportError> {
        let (number, entries) = (self.number, std::mem::take(&mut self.entries));
        let gathering = std::mem::take(&mut self.gathering);
        if let Some(refused) = self.refused.take() {
            self.logs.leave_out(number, entries, &refused.to_string());
        } else if let Some(push) = gathering.push() {
            self.push(&push, number, entries)?;
        }
        self.gathering = gathering;
        self.gathering.clear();
        Ok(())
    }

    /// Something is new: a session that goes on begins with what it has.
    fn begin(&mut self) -> Result<(), ImportError> {
        if std::mem::replace(&mut self.is_new, true) {
            return Ok(());
        }
        let Some(stored) = &self.to.stored else { return Ok(()) };
        let mut dump = &stored.dump;
        dump.rewind()?;
        let mut dump = DumpReader::open(BufReader::new(dump))?;
        self.origin = Some(Origin::from_metadata(dump.metadata()).ok_or(DumpError::NoMetadata)?);
        while let Some(line) = dump.next_line() {
            let Ok(line) = Line::parse(line?) else { continue };
            // It is not over any more.
            if line.connection().is_none() && line.method() == "close" {
                continue;
            }
            self.translator.replay(&line);
            self.body.again(&line)?;
        }
        Ok(())
    }

    /// Takes in a push that so many lines hold, from one of that number on.
    fn push(&mut self, push: &Push<'_>, number: u64, lines: u64) -> Result<(), ImportError> {
        if self.to.held.has_push(push) {
            self.is_known = true;
            return Ok(());
        }
        self.begin()?;
        let origin = Origin::of_sora(&push.sender, push.connection.as_ref(), path(push), UnixMillis(0));
        if self.origin.as_ref().is_some_and(|first| first.is_anothers(origin.user.as_deref())) {
            let why = "client_id is another one than that of the connection's session";
            self.logs.leave_out(number, lines, why);
            return Ok(());
        }
        match self.translator.push(push, &mut self.lines) {
            Ok(Translated::Stored) => {
                self.origin.get_or_insert(origin);
                self.write(push.sender.timestamp)
            }
            Ok(Translated::Held) => {
                self.logs.repeated += lines;
                Ok(())
            }
            Err(refused) => {
                self.logs.leave_out(number, lines, &format!("stats cannot be stored: {refused}"));
                Ok(())
            }
        }
    }

    fn notice(&mut self, notice: &Notice<'_>, number: u64) -> Result<(), ImportError> {
        if self.to.held.has_notice(notice) {
            return Ok(());
        }
        self.begin()?;
        let member = notice.connections.first();
        let connection = match (&notice.connection_id, member) {
            (Some(connection), _) => connection.to_string(),
            (None, Some(member)) => member.connection_id.to_string(),
            // All of a session; this one is known by its statistics.
            (None, None) => match self.origin.as_ref().and_then(|origin| origin.client_session.clone()) {
                Some(connection) => connection,
                None => return Ok(()),
            },
        };
        match self.translator.notice(notice, member, &connection, &mut self.lines) {
            Ok(Translated::Stored) => self.write(notice.sender.timestamp),
            Ok(Translated::Held) => Ok(()),
            Err(refused) => {
                self.logs.leave_out(number, 1, &refused.to_string());
                Ok(())
            }
        }
    }

    /// Writes the lines that were made.
    fn write(&mut self, time: i64) -> Result<(), ImportError> {
        self.first.get_or_insert(time);
        for line in self.lines.lines() {
            self.body.line(line)?;
        }
        self.lines.clear();
        Ok(())
    }

    fn finish(mut self, dir: &Path) -> Result<Converted, ImportError> {
        self.gathered()?;
        let goes_on = self.to.stored.is_some();
        let is_held = self.is_known || goes_on;
        let Some(mut origin) = self.origin.filter(|_| self.is_new) else {
            return Ok(if is_held { Converted::Held } else { Converted::Nothing });
        };
        let code = if self.translator.is_over() { DESTROYED } else { LOST };
        self.body.line(&format!("[\"close\",null,{code},0]"))?;
        if !goes_on {
            let now = UnixMillis::now();
            let start = UnixMillis(self.first.unwrap_or_default().div_euclid(1000));
            origin.start_time = if is_sensible(start.0, now) { start } else { now };
        }
        let id = self.to.id;
        let (mut body, length, lines) = self.body.finish()?;
        body.rewind()?;
        let mut header = String::new();
        dump::write_header(&mut header, &origin.metadata(id));
        let (part, mut file) = Part::create(dir)?;
        file.write_all(header.as_bytes())?;
        io::copy(&mut body, &mut file)?;
        Ok(Converted::New(Prepared {
            session: id,
            part,
            length: header.len() as u64 + length,
            lines,
            left_out: 0,
            torn: None,
        }))
    }
}

/// Where its request would have gone.
fn path(push: &Push<'_>) -> &'static str {
    match &*push.sender.kind {
        "connection.user-agent" | "node.erlang-vm" => "/collector",
        _ => "/sora/webhook/stats",
    }
}
