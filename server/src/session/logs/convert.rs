//! The second half of an import of Sora's logs: lines come by connection and time, and what a connection's come to is the text of a session,
//! as if it had been pushed.

use std::io::{self, BufReader, Seek as _, Write as _};
use std::path::Path;

use rtctrace_protocol::dump::{self, DumpError, DumpReader, MAX_LINE};
use rtctrace_protocol::line::Line;
use rtctrace_protocol::sora::{
    Ended, Gathering, Lived, Logged, Missing, Notice, Push, Refused, Taken, Translated, Translator,
};

use super::Logs;
use super::known::Destination;
use super::sort::{Key, Sorted, nameless};
use crate::config::Privacy;
use crate::session::import::{ImportError, Output, Part, Prepared, is_sensible};
use crate::session::registry::DESTROYED;
use crate::session::{LOST, Origin, UnixMillis};

/// So many notices about a session of a channel as a whole are held: there is one, unless somebody makes them up.
const ENDS: usize = 16;

/// Where a notice that begins a session would have gone.
const EVENT_PATH: &str = "/sora/webhook/event";

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
    /// The earliest time at which something new says that the connection was there, in microseconds.
    begin: Option<i64>,
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
            begin: None,
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
        // A log may end between two entries of a push, and the next one begin with the others.
        let part;
        let push = match self.to.held.missing(push) {
            Missing::All => push,
            Missing::These(entries) => {
                part = push.part(entries);
                &part
            }
            Missing::Nothing => {
                self.is_known = true;
                return Ok(());
            }
        };
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
                self.write(Some(push.sender.timestamp))
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
        if notice.is_announcement() && notice.connections.is_empty() {
            if !self.to.held.is_announced() {
                self.translator.announce(notice);
            }
            return Ok(());
        }
        let member = notice.connections.first();
        if self.to.held.has_notice(notice, member) {
            return Ok(());
        }
        self.begin()?;
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
            Ok(Translated::Stored) => {
                // One that says all of the connection begins its session, as when it is sent.
                if let Some(envelope) = notice.envelope.as_ref().filter(|_| notice.ended == Ended::No) {
                    let begin = || Origin::of_sora(&notice.sender, Some(envelope), EVENT_PATH, UnixMillis(0));
                    self.origin.get_or_insert_with(begin);
                }
                // What is told of its session may stand before it.
                let line = self.lines.lines().last().unwrap_or_default();
                let lived = Line::parse(line).map(|line| Lived::of(line.value()));
                let was_there = matches!(lived, Ok(Lived::Then | Lived::UntilThen));
                let told = notice.sender.timestamp;
                let since = member.and_then(|member| member.created).filter(|since| *since <= told);
                // One that makes no sense tells nothing.
                let since =
                    since.filter(|since| is_sensible(since.div_euclid(1000), UnixMillis(told.div_euclid(1000))));
                self.write(was_there.then_some(told).into_iter().chain(since).min())
            }
            Ok(Translated::Held) => Ok(()),
            Err(refused) => {
                self.logs.leave_out(number, 1, &refused.to_string());
                Ok(())
            }
        }
    }

    /// Writes the lines that were made; the connection was there at `time`.
    fn write(&mut self, time: Option<i64>) -> Result<(), ImportError> {
        self.begin = self.begin.into_iter().chain(time).min();
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
        if (goes_on || self.origin.is_some()) && self.translator.is_announcing() {
            self.begin()?;
            let connection = self.origin.as_ref().and_then(|origin| origin.client_session.clone());
            let connection = connection.filter(|_| self.translator.is_announcing()).unwrap_or_default();
            match self.translator.announce_now(&connection, &mut self.lines) {
                Ok(()) => self.write(None)?,
                Err(refused) => tracing::warn!("when a session began is left out: {refused}"),
            }
        }
        let Some(mut origin) = self.origin.filter(|_| self.is_new) else {
            return Ok(if is_held { Converted::Held } else { Converted::Nothing });
        };
        let code = if self.translator.is_over() { DESTROYED } else { LOST };
        self.body.line(&format!("[\"close\",null,{code},0]"))?;
        let now = UnixMillis::now();
        let begin = self.begin.map(|micros| micros.div_euclid(1000)).filter(|begin| is_sensible(*begin, now));
        origin.start_time = match (begin.map(UnixMillis), goes_on) {
            (Some(begin), true) => begin.min(origin.start_time),
            (Some(begin), false) => begin,
            (None, true) => origin.start_time,
            (None, false) => now,
        };
        let start = origin.start_time;
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
            start,
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
