//! [`Notice`]: a body of the session and event webhooks, which tells that something began, changed or ended.

use std::borrow::Cow;

use crate::json::{Kind, RawValue};

use super::BadBody;
use super::fields::Fields;
use super::push::{Connection, Sender};
use super::time::micros;
use super::translate::write_member;

/// What is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nothing.
    No,
    /// The connection that the body names.
    Connection,
    /// The session, and each connection of it.
    Session,
}

impl Ended {
    /// By the type of a notice.
    pub(super) fn by(kind: &str) -> Self {
        match kind {
            // A connection that could not be made is none, and one that broke ends once more.
            "connection.destroyed" | "connection.failed" => Self::Connection,
            "session.destroyed" => Self::Session,
            _ => Self::No,
        }
    }
}

/// What a line of [`EVENT`](super::EVENT) says of when its connection was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lived {
    /// At the time of the line.
    Then,
    /// Until the time of the line.
    UntilThen,
    /// Until another time, in microseconds since the Unix epoch.
    Until(i64),
    /// No longer than until the time of the line, when its session was over.
    NotBeyond,
    /// Nothing: the line is about its session.
    Untold,
}

impl Lived {
    /// By the value of the line.
    #[must_use]
    pub fn of(value: RawValue<'_>) -> Self {
        let kind = value.get("type").and_then(RawValue::as_str).unwrap_or_default();
        let ended = Ended::by(&kind);
        if !is_of_session(&kind) {
            return if ended == Ended::Connection { Self::UntilThen } else { Self::Then };
        }
        let member = value.get("connection").filter(|member| member.kind() == Kind::Object);
        let destroyed = member.and_then(|member| member.get("connection_destroyed_timestamp")?.as_str());
        match (destroyed.and_then(|destroyed| micros(&destroyed)), member, ended) {
            (Some(destroyed), ..) => Self::Until(destroyed),
            (None, _, Ended::Session) => Self::NotBeyond,
            (None, Some(_), _) => Self::Then,
            (None, None, _) => Self::Untold,
        }
    }

    /// Since when the connection was there, in microseconds since the Unix epoch, if the line says that.
    #[must_use]
    pub fn since(value: RawValue<'_>) -> Option<i64> {
        micros(&value.get("connection")?.get("connection_created_timestamp")?.as_str()?)
    }
}

/// How long a connection was there, by what its lines say of itself: what is said of its session counts only as long as its own end is not told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stay {
    /// When it was there last, in ms since the Unix epoch.
    last: f64,
    /// Whether a notice told when the connection ended.
    is_told: bool,
    /// When a notice told that the session which the connection was part of was over.
    at_most: Option<f64>,
}

impl Stay {
    /// That of a connection which was there at `time`, in ms since the Unix epoch.
    #[must_use]
    pub fn at(time: f64) -> Self {
        Self { last: time, ..Self::default() }
    }

    /// Takes in what a line of that time says.
    pub fn take_in(&mut self, lived: Lived, time: f64) {
        match lived {
            Lived::Then | Lived::UntilThen => {
                self.is_told |= lived == Lived::UntilThen;
                self.last = if self.is_told { self.last.max(time) } else { time };
            }
            Lived::Until(micros) => {
                self.is_told = true;
                self.last = self.last.max(micros as f64 / 1000.0);
            }
            Lived::NotBeyond => self.at_most = Some(time),
            Lived::Untold => {}
        }
    }

    /// It was there for so many milliseconds more.
    pub fn lengthen(&mut self, millis: f64) {
        self.last += millis;
    }

    /// When it ended, in ms since the Unix epoch, as far as is known.
    #[must_use]
    pub fn end(&self) -> f64 {
        self.at_most.filter(|_| !self.is_told).map_or(self.last, |at_most| self.last.max(at_most))
    }
}

fn is_of_session(kind: &str) -> bool {
    kind.split('.').next() == Some("session")
}

/// A connection as the notice about its session tells it.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// Its id.
    pub connection_id: Cow<'a, str>,
    /// When it began, in microseconds since the Unix epoch.
    pub created: Option<i64>,
    /// When it ended; none while it runs.
    pub destroyed: Option<i64>,
    /// All that is said of it.
    pub text: RawValue<'a>,
}

/// A body of a webhook, borrowing its text.
#[derive(Debug, Clone)]
pub struct Notice<'a> {
    /// Who sent it.
    pub sender: Sender<'a>,
    /// The channel.
    pub channel_id: Option<Cow<'a, str>>,
    /// The session of the channel.
    pub session_id: Option<Cow<'a, str>>,
    /// The connection that it is about.
    pub connection_id: Option<Cow<'a, str>>,
    /// The connections of its session, where it tells of them.
    pub connections: Vec<Member<'a>>,
    /// What is over.
    pub ended: Ended,
    /// What a push about the connection would say of it, where the body says all of it: with that, its session can begin.
    pub envelope: Option<Connection<'a>>,
    /// All that is said.
    pub text: RawValue<'a>,
}

/// The notice that begins a session; of its connections there may be none yet.
pub(super) const SESSION_CREATED: &str = "session.created";

impl<'a> Notice<'a> {
    /// Whether it tells that a session began, which each of its connections is to know.
    #[must_use]
    pub fn is_announcement(&self) -> bool {
        self.sender.kind == SESSION_CREATED && self.connection_id.is_none()
    }

    /// Appends the value of its line for one connection: `member` is what it says of that, where it is about all connections of a session.
    pub(super) fn write_value(&self, member: Option<&Member<'_>>, out: &mut String) {
        out.push('{');
        // What it is about comes first, for who reads no further.
        let (kind, others): (Vec<_>, Vec<_>) = self.text.members().partition(|(name, _)| name == "type");
        let others = others.into_iter().filter(|(name, _)| name != "connections" && name != "connection");
        for (name, text) in kind.into_iter().chain(others) {
            write_member(&name, text.text(), out);
        }
        if let Some(member) = member {
            write_member("connection", member.text.text(), out);
        }
        out.push('}');
    }

    /// Reads a body, of whatever type: there will be further ones.
    ///
    /// # Errors
    /// [`BadBody`] names the member that is wrong.
    pub fn read(body: &'a [u8]) -> Result<Self, BadBody> {
        Self::of(Fields::of_body(body)?)
    }

    pub(super) fn of(fields: Fields<'a>) -> Result<Self, BadBody> {
        let sender = Sender::read(fields)?;
        let is_of_session = is_of_session(&sender.kind);
        let ended = Ended::by(&sender.kind);
        let id = |name, needed: bool| match fields.get(name) {
            None if !needed => Ok(None),
            _ => fields.base32(name).map(Some),
        };
        let connection_id = id("connection_id", ended == Ended::Connection)?;
        Ok(Self {
            channel_id: fields.optional_text("channel_id")?,
            session_id: id("session_id", is_of_session)?,
            envelope: connection_id.as_ref().and_then(|_| Connection::read(fields).ok()),
            connection_id,
            connections: members(fields)?,
            ended,
            sender,
            text: fields.object(),
        })
    }
}

fn members<'a>(fields: Fields<'a>) -> Result<Vec<Member<'a>>, BadBody> {
    let Some(connections) = fields.get("connections") else { return Ok(Vec::new()) };
    if connections.kind() != Kind::Array {
        return Err(fields.wrong("connections", "an array"));
    }
    let member = |(index, text): (usize, RawValue<'a>)| {
        let prefix = format!("connections[{index}].");
        if text.kind() != Kind::Object {
            return Err(BadBody::Wrong { field: format!("connections[{index}]").into(), wanted: "an object" });
        }
        let (created, destroyed) = {
            let fields = Fields::of(text, &prefix);
            fields.are_there_once()?;
            fields.base32("connection_id")?;
            let created = fields.optional_time("connection_created_timestamp")?;
            (created, fields.optional_time("connection_destroyed_timestamp")?)
        };
        let connection_id = text.get("connection_id").and_then(RawValue::as_str).unwrap_or_default();
        Ok(Member { connection_id, created, destroyed, text })
    };
    connections.elements().enumerate().map(member).collect()
}
