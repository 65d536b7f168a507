//! Lines of Sora's logs. `rtc_stats.jsonl` has a line for each entry of a push ([`Entry`]), the logs of the webhooks one for each request,
//! whose body is the member `req`; a body by itself is a line, too. [`Logged`] is any of them, and [`Gathering`] makes pushes of entries
//! again. Who reads a log sorts its lines by [`Logged::session`], [`Logged::time`] and [`Logged::id`], because pushes of many connections
//! stand between each other, and what ships logs may send a line twice, or later than the next.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use crate::json::{Kind, RawValue};
use crate::report::Room;

use super::fields::Fields;
use super::notice::{Ended, Notice};
use super::push::{Connection, Push, Sender, Subject, check_entry};
use super::translate::Refused;
use super::{BadBody, MAX_REPORT};

/// As much of a notice may stand beside its connections, in bytes: it is written once for each of them.
const MAX_BESIDE: usize = 64 * 1024;

/// A line of the log of statistics, borrowing its text.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Who sent it.
    pub sender: Sender<'a>,
    /// Whose it is.
    pub connection: Connection<'a>,
    /// The entry itself: `rtc_data`.
    pub data: RawValue<'a>,
    fields: Fields<'a>,
}

impl<'a> Entry<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// [`BadBody`] names the member that is wrong.
    pub fn read(line: &'a str) -> Result<Self, BadBody> {
        Self::of(Fields::of_text(line)?)
    }

    fn of(fields: Fields<'a>) -> Result<Self, BadBody> {
        let data = fields.required("rtc_data")?;
        if data.kind() != Kind::Object {
            return Err(fields.wrong("rtc_data", "an object"));
        }
        check_entry(Fields::of(data, "rtc_data."))?;
        let sender = Sender::read(fields)?;
        if Subject::of_name(&sender.kind) != Some(Subject::Client) {
            return Err(fields.wrong("type", "connection.rtc or connection.user-agent"));
        }
        Ok(Self { sender, connection: Connection::read(fields)?, data, fields })
    }

    /// Whether a line is of the same push: of the same connection, at the same moment, under the same id.
    #[must_use]
    pub fn is_with(&self, other: &Entry<'_>) -> bool {
        self.connection.connection_id == other.connection.connection_id
            && self.sender.timestamp == other.sender.timestamp
            && self.sender.id == other.sender.id
    }
}

/// A line of any of the logs, borrowing its text.
#[derive(Debug, Clone)]
pub enum Logged<'a> {
    /// An entry of a push.
    Entry(Entry<'a>),
    /// A push as a whole.
    Push(Push<'a>),
    /// What a webhook told.
    Notice(Notice<'a>),
}

impl<'a> Logged<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// [`BadBody`] names the member that is wrong.
    pub fn read(line: &'a str) -> Result<Self, BadBody> {
        let fields = Fields::of_text(line)?;
        let is_request = fields.get("req").is_some();
        let fields = if is_request { fields.inside("req", "req.")? } else { fields };
        let kind = fields.get("type").and_then(RawValue::as_str);
        if kind.is_none_or(|kind| Subject::of_name(&kind).is_none()) && fields.get("rtc_data").is_none() {
            return Notice::of(fields).map(Self::Notice);
        }
        if is_request || fields.get("stats").is_some() {
            return Push::of(fields).map(Self::Push);
        }
        Entry::of(fields).map(Self::Entry)
    }

    /// Whether a text is a line of such a log, well-formed to the last member or not.
    #[must_use]
    pub fn is_one(line: &str) -> bool {
        let Ok(fields) = Fields::of_text(line) else { return false };
        let sender = |fields| Sender::read(fields).is_ok();
        sender(fields) || fields.inside("req", "req.").is_ok_and(sender)
    }

    /// The session of the channel that it belongs to, as Sora counts sessions; nothing for a node.
    #[must_use]
    pub fn session(&self) -> &str {
        match self {
            Self::Entry(entry) => &entry.connection.session_id,
            Self::Push(push) => push.connection.as_ref().map_or("", |connection| &connection.session_id),
            Self::Notice(notice) => notice.session_id.as_deref().unwrap_or_default(),
        }
    }

    /// When it was, in microseconds since the Unix epoch.
    #[must_use]
    pub fn time(&self) -> i64 {
        self.sender().timestamp
    }

    /// The id of its push or notice; empty if that has none.
    #[must_use]
    pub fn id(&self) -> &str {
        self.sender().id.as_deref().unwrap_or_default()
    }

    fn sender(&self) -> &Sender<'a> {
        match self {
            Self::Entry(entry) => &entry.sender,
            Self::Push(push) => &push.sender,
            Self::Notice(notice) => &notice.sender,
        }
    }
}

/// What a notice says of one connection.
#[derive(Debug, Clone)]
pub struct About<'a> {
    /// The connection.
    pub connection_id: Cow<'a, str>,
    /// A notice, about this one alone.
    pub text: Cow<'a, str>,
}

impl<'a> Notice<'a> {
    /// What it says of each connection that it names.
    ///
    /// # Errors
    /// If it is too long to be said of each of them.
    pub fn by_connections(&self) -> Result<Vec<About<'a>>, BadBody> {
        if let Some(connection) = &self.connection_id {
            let text = Cow::Borrowed(self.text.text());
            return Ok(vec![About { connection_id: connection.clone(), text }]);
        }
        let beside = self.beside()?;
        let about = |member: &super::Member<'a>| {
            let text = format!("{{{beside}\"connections\":[{}]}}", member.text.text());
            About { connection_id: member.connection_id.clone(), text: Cow::Owned(text) }
        };
        Ok(self.connections.iter().map(about).collect())
    }

    /// What it says of all connections of a session that began or is over, also of those that it does not name.
    ///
    /// # Errors
    /// If it is too long to be said of each of them.
    pub fn of_whole_session(&self) -> Result<Option<String>, BadBody> {
        if self.ended != Ended::Session && !self.is_announcement() || self.connection_id.is_some() {
            return Ok(None);
        }
        let beside = self.beside()?;
        Ok(Some(format!("{{{}}}", beside.trim_end_matches(','))))
    }

    /// Its members without its connections, each with a comma behind it.
    fn beside(&self) -> Result<String, BadBody> {
        let mut beside = String::new();
        for (name, value) in self.text.members().filter(|(name, _)| name != "connections") {
            if beside.len() + name.len() + value.text().len() > MAX_BESIDE {
                let field = Cow::Owned(name.into_owned());
                return Err(BadBody::Wrong { field, wanted: "short enough to be told of each connection" });
            }
            crate::json::write_string(&mut beside, &name);
            beside.push(':');
            beside.push_str(value.text());
            beside.push(',');
        }
        Ok(beside)
    }
}

/// The entries of one push, as their lines come. What it holds is bounded, however many there are.
///
/// ```
/// use rtctrace_protocol::sora::{Entry, Gathering, Taken};
/// let line = |id: &str| format!(r#"{{"type":"connection.rtc","id":"P","timestamp":"2025-07-25T06:06:51.592776Z","label":"l",
///     "version":"2025.2.1","node_name":"n","role":"sendrecv","channel_id":"c","client_id":"ann","simulcast":false,"spotlight":false,
///     "session_id":"7N8FP3M0ZH2ASBCDPHRGS2HYB8","connection_id":"JXW8K4FG6H7TZ2F63T38ZHSJQG",
///     "rtc_data":{{"id":"{id}","timestamp":1.75342361155652490234e+12,"type":"transport"}}}}"#);
/// let mut gathering = Gathering::default();
/// for (id, taken) in [("A", Taken::New), ("B", Taken::New), ("A", Taken::Held)] {
///     let line = line(id);
///     assert_eq!(gathering.take(&line, &Entry::read(&line)?)?, taken);
/// }
/// assert_eq!(gathering.push().map(|push| push.stats.len()), Some(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Gathering {
    /// The line whose envelope is that of the push.
    first: String,
    /// The texts of the entries.
    data: String,
    entries: Vec<Range<usize>>,
    ids: HashSet<String>,
}

/// What became of the line of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is an entry of the push.
    New,
    /// An entry of this id was there before.
    Held,
}

impl Gathering {
    /// Whether it has no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// Takes in a line of the push, and what was read of it.
    ///
    /// # Errors
    /// If the push has more entries than a report may have.
    pub fn take(&mut self, line: &str, entry: &Entry<'_>) -> Result<Taken, Refused> {
        let id = entry.data.get("id").and_then(RawValue::as_str).unwrap_or_default();
        if self.ids.contains(&*id) {
            return Ok(Taken::Held);
        }
        let (start, end) = (self.data.len(), self.data.len() + entry.data.text().len());
        if end > MAX_REPORT {
            let entries = self.entries.len() + 1;
            return Err(Refused::ReportTooLarge(Room { entries, bytes: end }));
        }
        if self.first.is_empty() {
            line.clone_into(&mut self.first);
        }
        self.ids.insert(id.into_owned());
        self.data.push_str(entry.data.text());
        self.entries.push(start..end);
        Ok(Taken::New)
    }

    /// The push of the entries so far; none before the first.
    #[must_use]
    pub fn push(&self) -> Option<Push<'_>> {
        let first = Entry::read(&self.first).ok()?;
        let stats = self.entries.iter().map(|entry| RawValue::slice(&self.data, entry.start, entry.end)).collect();
        Some(Push::of_entries(first.sender, first.connection, stats, first.fields))
    }

    /// Begins another push.
    pub fn clear(&mut self) {
        self.first.clear();
        self.data.clear();
        self.entries.clear();
        self.ids.clear();
    }
}
