//! Logs of the SFU Sora (JSON Lines): whose sessions are in one, and a recording of one of them, with all of its connections. A log has the
//! pushes of many connections between each other, cut into lines, so the lines of a session are held and put in order before they are read.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::io::BufRead;

use rtctrace_protocol::dump::{DumpError, MAGIC, MAX_LINE, Metadata, TextLines, write_header};
use rtctrace_protocol::json::write_string;
use rtctrace_protocol::line::{Line, write_line};
use rtctrace_protocol::sora::{BadBody, Gathering, Logged, Notice, Push, Refused, Translator};
use rtctrace_protocol::sorted_by;
use serde::Serialize;

use crate::lines::{Lines, Span};
use crate::opening::{Fault, fault};
use crate::problems::Problems;

/// Whether a file is a log shows in so many bytes of its text.
const BEGINNING: u64 = 1 << 20;
/// Sessions that are told apart; those beyond are left out.
const SESSIONS: usize = 10_000;
/// Bytes of text of a session that are held.
const TEXT_LIMIT: u64 = 512 << 20;

/// A session of a channel, or what a node counts itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SoraSession {
    /// Its id, or the name of the node.
    pub id: String,
    /// The channel; of a node there is none.
    pub channel: Option<String>,
    /// How many connections are told of.
    pub connections: usize,
    /// Unix ms of the first line.
    pub start: f64,
    /// Unix ms of the last line.
    pub end: f64,
    #[serde(skip)]
    names: HashMap<String, usize>,
}

/// What a log holds.
pub(crate) struct Log {
    pub(crate) sessions: Vec<SoraSession>,
    /// The session that was asked for, else the first one.
    session: String,
    lines: Lines,
    said: Vec<Said>,
    hasher: RandomState,
    pub(crate) problems: Problems,
}

/// A line about a connection.
struct Said {
    /// Its place among the connections of the session; of what is about all of them, and of a node, none.
    connection: Option<usize>,
    time: i64,
    /// Stands for the id of its push or notice: two may be of the same time.
    push: u64,
    number: u32,
    span: Span,
}

/// A session as lines of a dump.
pub(crate) struct SoraLines {
    /// The dump's second line.
    pub(crate) metadata: String,
    /// Each with the number of the line in the log.
    pub(crate) lines: Vec<(u32, String)>,
}

/// Whether a text is a log, by its first lines.
pub(crate) fn is_log<R: BufRead>(input: R) -> bool {
    let Ok(mut lines) = TextLines::open(input, MAX_LINE, BEGINNING) else { return false };
    while let Some(line) = lines.next_line() {
        match line {
            Ok(line) if line == MAGIC.as_bytes() => return false,
            Ok(line) if str::from_utf8(line).is_ok_and(|line| Logged::is_one(line.trim())) => return true,
            Ok(_) | Err(DumpError::NotUtf8 { .. } | DumpError::LineTooLong { .. }) => {}
            Err(_) => return false,
        }
    }
    false
}

impl Log {
    /// Reads a log and holds what it says of `session`, or of the first one.
    ///
    /// # Errors
    /// If nothing of the source can be had.
    pub(crate) fn read<R: BufRead>(input: R, session: Option<&str>) -> Result<Self, DumpError> {
        let mut lines =
            TextLines::open(input, MAX_LINE, u64::MAX).map_err(|error| DumpError::Read { line: 0, error })?;
        let mut log = Self {
            sessions: Vec::new(),
            session: session.unwrap_or_default().to_owned(),
            lines: Lines::default(),
            said: Vec::new(),
            hasher: RandomState::new(),
            problems: Problems::default(),
        };
        let mut places = HashMap::new();
        let mut number = 0;
        while let Some(line) = lines.next_line() {
            number += 1;
            let read = match line {
                Ok(line) => match str::from_utf8(line) {
                    Ok(line) if line.trim().is_empty() => Ok(()),
                    Ok(line) => log.line(line.trim(), number, &mut places),
                    Err(_) => Err(fault(&DumpError::NotUtf8 { line: number.into() })),
                },
                Err(error) => Err(fault(&error)),
            };
            if let Err(fault) = read
                && log.problems.is_end(number, fault)
            {
                break;
            }
        }
        Ok(log)
    }

    fn line(&mut self, text: &str, number: u32, places: &mut HashMap<String, usize>) -> Result<(), Fault> {
        let wrong = |error: BadBody| Fault::Line(error.to_string().replace("the body is", "it is"));
        let logged = Logged::read(text).map_err(wrong)?;
        let (id, channel) = match &logged {
            Logged::Entry(entry) => (&entry.connection.session_id, Some(&entry.connection.channel_id)),
            Logged::Push(Push { connection: Some(connection), .. }) => {
                (&connection.session_id, Some(&connection.channel_id))
            }
            Logged::Push(push) => (&push.sender.node_name, None),
            Logged::Notice(Notice { session_id: Some(id), channel_id, .. }) => (id, channel_id.as_ref()),
            // It is about no session.
            Logged::Notice(_) => return Ok(()),
        };
        let place = match places.get(&**id) {
            Some(place) => *place,
            None if self.sessions.len() >= SESSIONS => {
                return Err(Fault::Line(format!("it is of a session beyond the first {SESSIONS}")));
            }
            None => {
                if self.session.is_empty() {
                    id.clone().into_owned().clone_into(&mut self.session);
                }
                places.insert(id.to_string(), self.sessions.len());
                self.sessions.push(SoraSession {
                    id: id.to_string(),
                    channel: channel.map(ToString::to_string),
                    connections: 0,
                    start: f64::INFINITY,
                    end: f64::NEG_INFINITY,
                    names: HashMap::new(),
                });
                self.sessions.len() - 1
            }
        };
        let Some(session) = self.sessions.get_mut(place) else { return Ok(()) };
        let time = logged.time();
        session.start = session.start.min(time as f64 / 1000.0);
        session.end = session.end.max(time as f64 / 1000.0);
        let push = self.hasher.hash_one(logged.id());
        let is_wanted = session.id == self.session;
        let (lines, said) = (&mut self.lines, &mut self.said);
        let mut tell = |connection: Option<&str>, text: &str| {
            let connection = connection.map(|id| session.connection(id));
            if !is_wanted {
                return Ok(());
            }
            let span = lines.push(text, TEXT_LIMIT);
            let span =
                span.ok_or_else(|| Fault::End(format!("the session has more than {TEXT_LIMIT} bytes of lines")))?;
            said.push(Said { connection, time, push, number, span });
            Ok(())
        };
        match &logged {
            Logged::Entry(entry) => tell(Some(&entry.connection.connection_id), text),
            Logged::Push(push) => {
                let connection = push.connection.as_ref().map(|connection| &*connection.connection_id);
                tell(connection, push.text().text())
            }
            Logged::Notice(notice) => {
                for about in notice.by_connections().map_err(wrong)? {
                    tell(Some(&about.connection_id), &about.text)?;
                }
                match notice.of_whole_session().map_err(wrong)? {
                    Some(text) => tell(None, &text),
                    None => Ok(()),
                }
            }
        }
    }

    /// The lines of the session that is held, by their times.
    pub(crate) fn into_lines(mut self) -> (SoraLines, Problems) {
        let held = self.sessions.iter().find(|session| session.id == self.session);
        let is_node = held.is_some_and(|session| session.channel.is_none() && session.connections == 0);
        let mut names: Vec<&str> = vec![""; held.map_or(0, |session| session.names.len())];
        for (name, place) in held.iter().flat_map(|session| &session.names) {
            if let Some(own) = names.get_mut(*place) {
                *own = name;
            }
        }
        // By connections, and of each what Sora sent at once stands together.
        let (texts, said) = (&self.lines, std::mem::take(&mut self.said));
        let (all, said): (Vec<Said>, Vec<Said>) =
            said.into_iter().partition(|said| said.connection.is_none() && !is_node);
        let said = sorted_by(said, |a, b| (a.connection, a.time, a.push).cmp(&(b.connection, b.time, b.push)));
        let mut made: Vec<(i64, u32, String)> = Vec::new();
        let mut sora = String::new();
        for own in said.chunk_by(|a, b| a.connection == b.connection) {
            let name = own.first().and_then(|said| names.get(said.connection?)).copied().unwrap_or_default();
            let mut making = Making::new(name, &mut made, &mut self.problems, &mut sora);
            for said in own.iter().chain(&all) {
                making.line(texts.get(said.span), said);
            }
            making.gathered();
        }
        let made = sorted_by(made, |(a, ..), (b, ..)| a.cmp(b));
        let mut metadata = Metadata { client_protocol: "sora".to_owned(), ..Metadata::default() };
        metadata.start_time = made.first().map_or(0, |(time, ..)| time.div_euclid(1000));
        metadata.client_session = Some(self.session.clone());
        metadata.conference = held.and_then(|session| session.channel.clone());
        metadata.sora = (!sora.is_empty()).then_some(sora);
        let mut header = String::new();
        write_header(&mut header, &metadata);
        let mut before = 0;
        let lines = made.iter().filter_map(|(time, number, text)| {
            let line = Line::parse(text).ok()?;
            let extra: Vec<&str> = line.extra().iter().map(|extra| extra.text()).collect();
            let mut out = String::with_capacity(text.len() + 16);
            let delta = (time - before) as f64 / 1000.0;
            before = *time;
            write_line(&mut out, &line.method(), line.connection().as_deref(), line.value().text(), &extra, delta);
            Some((*number, out))
        });
        let lines = lines.collect();
        (SoraLines { metadata: header.lines().nth(1).unwrap_or_default().to_owned(), lines }, self.problems)
    }
}

impl SoraSession {
    fn connection(&mut self, id: &str) -> usize {
        if let Some(place) = self.names.get(id) {
            return *place;
        }
        self.names.insert(id.to_owned(), self.connections);
        self.connections += 1;
        self.connections - 1
    }
}

/// The lines of one connection on their way.
struct Making<'m> {
    name: &'m str,
    translator: Translator,
    gathering: Gathering,
    /// The time and the id of the push that is gathered, and the line that began it.
    of: (i64, u64, u32),
    text: String,
    made: &'m mut Vec<(i64, u32, String)>,
    problems: &'m mut Problems,
    /// JSON of what the dump's header says of Sora.
    sora: &'m mut String,
}

impl<'m> Making<'m> {
    fn new(
        name: &'m str,
        made: &'m mut Vec<(i64, u32, String)>,
        problems: &'m mut Problems,
        sora: &'m mut String,
    ) -> Self {
        Self {
            name,
            translator: Translator::new(MAX_LINE),
            gathering: Gathering::default(),
            of: (0, 0, 0),
            text: String::new(),
            made,
            problems,
            sora,
        }
    }

    fn line(&mut self, text: &str, said: &Said) {
        // They were read before.
        let Ok(logged) = Logged::read(text) else { return };
        if !matches!(logged, Logged::Entry(_)) || (self.of.0, self.of.1) != (said.time, said.push) {
            self.gathered();
        }
        let told = match &logged {
            Logged::Entry(entry) => {
                if self.gathering.is_empty() {
                    self.of = (said.time, said.push, said.number);
                }
                self.gathering.take(text, entry).map(|_| ())
            }
            Logged::Push(push) => self.push(push),
            Logged::Notice(notice) => {
                let member = notice.connections.first();
                self.translator.notice(notice, member, self.name, &mut self.text).map(|_| ())
            }
        };
        if let Err(refused) = told {
            self.problems.skip(said.number, refused.to_string());
        }
        self.written(said.number, said.time);
    }

    /// The push whose entries have come.
    fn gathered(&mut self) {
        let gathering = std::mem::take(&mut self.gathering);
        let (time, _, number) = self.of;
        if let Some(push) = gathering.push()
            && let Err(refused) = self.push(&push)
        {
            self.problems.skip(number, refused.to_string());
        }
        self.written(number, time);
    }

    fn push(&mut self, push: &Push<'_>) -> Result<(), Refused> {
        if self.sora.is_empty() {
            let members = [
                ("node", Some(&push.sender.node_name)),
                ("version", Some(&push.sender.version)),
                ("label", Some(&push.sender.label)),
                ("sessionId", push.connection.as_ref().map(|connection| &connection.session_id)),
            ];
            self.sora.push('{');
            for (name, value) in members.into_iter().filter_map(|(name, value)| Some((name, value?))) {
                self.sora.push_str(if self.sora.len() > 1 { "," } else { "" });
                write_string(self.sora, name);
                self.sora.push(':');
                write_string(self.sora, value);
            }
            self.sora.push('}');
        }
        self.translator.push(push, &mut self.text).map(|_| ())
    }

    fn written(&mut self, number: u32, time: i64) {
        self.made.extend(self.text.lines().map(|line| (time, number, line.to_owned())));
        self.text.clear();
    }
}
