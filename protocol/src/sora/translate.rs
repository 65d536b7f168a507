//! [`Translator`]: from what Sora says of a connection, or of a node, to the lines of a session's dump.
//!
//! A push with a client's statistics becomes a line of `getStats`, any other a line of [`STATS`], a notice a line of [`EVENT`]. The last
//! extra of such a line is its stamp, by which a repetition is known; its time is the stamp's. What the envelope says stands in a line of [`CONNECTION`] or [`NODE`] before the first push, and again when it has changed;
//! with it the certificates, which no report carries.

use std::collections::VecDeque;
use std::hash::RandomState;

use thiserror::Error;

use super::fields::Fields;
use super::notice::{Ended, Member, Notice, SESSION_CREATED};
use super::push::{Connection, Push, Sender, Subject, write_compact};
use super::stamp::Stamp;
use crate::json::{RawValue, write_string};
use crate::line::{Line, write_line};
use crate::report::{NamedReports, Room, is_readable};

/// The line `[":sora.connection","<connection>",{..},dt]` has the envelope of the pushes that follow.
pub const CONNECTION: &str = ":sora.connection";
/// The same for a node.
pub const NODE: &str = ":sora.node";
/// The line `[":sora.stats",..]` has what Sora counts itself.
pub const STATS: &str = ":sora.stats";
/// The line `[":sora.event",..]` has what a webhook told.
pub const EVENT: &str = ":sora.event";

/// So many pushes are known again, the newest. What is repeated later than that is known when the lines are put in order.
const MAX_HELD: usize = 1024;
/// As much is told of certificates, and as much of who has them, in bytes.
pub(super) const MAX_CERTIFICATES: usize = 4096;
/// A longer envelope is not compared with the next one, which is written in any case.
const MAX_ENVELOPE: usize = 16 * 1024;

/// What became of a push or a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Translated {
    /// Its lines are there.
    Stored,
    /// They were there before.
    Held,
}

/// Why a push or a notice becomes no line. Nothing has changed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// No line can carry it.
    #[error("it is too large for a line: that would have {bytes} bytes, and may have {limit}")]
    LineTooLong {
        /// As many as it would have.
        bytes: usize,
        /// As many as it may have.
        limit: usize,
    },
    /// Readers would not hold its report. It cannot be cut in two: each line of `getStats` is a report of its own.
    #[error(
        "it is too large for a report: its {} entries take {} bytes where they are read, and a report may have {} entries in {} bytes: a client with fewer streams, or \
         one whose streams are spread over several connections, has reports that fit",
        .0.entries, .0.bytes, Room::most().entries, Room::most().bytes
    )]
    ReportTooLarge(Room),
    /// The lines that are there cannot be gone on with.
    #[error("the session's last report cannot be built upon")]
    Stuck,
}

/// Makes the lines of one session. Its memory is bounded, whatever is said.
#[derive(Debug)]
pub struct Translator {
    max_line: usize,
    clock: Clock,
    is_over: bool,
    /// What is told of its session, and stands in no line yet.
    announcement: Option<String>,
    is_announced: bool,
    reports: NamedReports,
    envelopes: Envelopes,
    held: VecDeque<u64>,
    hasher: RandomState,
}

/// The times of lines, in microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    /// Of the line before; none before the first.
    pub(super) time: Option<i64>,
    pub(super) newest: i64,
    /// Whether a line is older than one before it.
    pub(super) is_unordered: bool,
}

/// The envelopes of the newest pushes, by their subjects.
#[derive(Debug, Default)]
pub(super) struct Envelopes([String; 3]);

impl Translator {
    /// A translator for a session's first line. No line will have more than `max_line` bytes.
    #[must_use]
    pub fn new(max_line: usize) -> Self {
        Self {
            max_line,
            clock: Clock::default(),
            is_over: false,
            announcement: None,
            is_announced: false,
            reports: NamedReports::default(),
            envelopes: Envelopes::default(),
            held: VecDeque::new(),
            hasher: RandomState::new(),
        }
    }

    /// Whether the lines are in the order of their times.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        !self.clock.is_unordered
    }

    /// Whether a notice told that the connection, or its session, is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Before the next line of its connection, what a notice tells of its session is told ([`Notice::is_announcement`]), by that line's time and unless
    /// it is there: the session may have begun long before.
    pub fn announce(&mut self, notice: &Notice<'_>) {
        if self.is_announced {
            return;
        }
        let mut value = String::new();
        notice.write_value(None, &mut value);
        self.announcement.get_or_insert(value);
    }

    /// Whether something is to be told before the next line.
    #[must_use]
    pub fn is_announcing(&self) -> bool {
        self.announcement.is_some()
    }

    /// Appends that, without a further line.
    ///
    /// # Errors
    /// [`Refused`] says why there is none.
    pub fn announce_now(&mut self, connection: &str, out: &mut String) -> Result<(), Refused> {
        let time = self.clock.time.unwrap_or_default();
        self.all_or_nothing(out, |translator, out| translator.announcement(Some(connection), time, out))?;
        self.announced(Some(connection));
        Ok(())
    }

    fn announcement(&mut self, connection: Option<&str>, time: i64, out: &mut String) -> Result<(), Refused> {
        match self.announcement.clone().filter(|_| connection.is_some()) {
            Some(value) => self.write(EVENT, connection, &value, &[], time, out),
            None => Ok(()),
        }
    }

    /// What was to be told is written.
    fn announced(&mut self, connection: Option<&str>) {
        if connection.is_some() && self.announcement.take().is_some() {
            self.is_announced = true;
        }
    }

    /// A line of this value is there.
    fn take_in_event(&mut self, value: RawValue<'_>) {
        self.is_over |= ends(value);
        if announces(value) {
            self.is_announced = true;
            self.announcement = None;
        }
    }

    /// Appends the lines of a push, each with its newline.
    ///
    /// # Errors
    /// [`Refused`] says why there are none.
    pub fn push(&mut self, push: &Push<'_>, out: &mut String) -> Result<Translated, Refused> {
        let mut value = String::with_capacity(push.stats.iter().map(|entry| entry.text().len() + 64).sum());
        push.write_value(&mut value);
        let (stamp, text) = Stamp::of_body(push.method(), &push.sender, &value, push.is_part(), &self.hasher);
        if self.holds(stamp) {
            return Ok(Translated::Held);
        }
        let mut envelope = String::new();
        write_envelope(push, &mut envelope);
        let connection = push.connection.as_ref().map(|connection| &*connection.connection_id);
        self.all_or_nothing(out, |translator, out| {
            let told = Told { subject: push.subject, connection, envelope: &envelope, value, stamp: &text };
            translator.announcement(connection, push.sender.timestamp, out)?;
            translator.statistics(told, push.sender.timestamp, out)
        })?;
        self.announced(connection);
        self.clock.is_unordered |= stamp.is_part;
        self.hold(stamp);
        Ok(Translated::Stored)
    }

    /// Appends the line of a notice for this session's connection, `connection`: `member` is what it says of this one, where it is about
    /// all connections of a session.
    ///
    /// # Errors
    /// [`Refused`] says why there is none.
    pub fn notice(
        &mut self,
        notice: &Notice<'_>,
        member: Option<&Member<'_>>,
        connection: &str,
        out: &mut String,
    ) -> Result<Translated, Refused> {
        let mut value = String::new();
        notice.write_value(member, &mut value);
        let (stamp, text) = Stamp::of_body(EVENT, &notice.sender, &value, false, &self.hasher);
        if self.holds(stamp) {
            return Ok(Translated::Held);
        }
        self.all_or_nothing(out, |translator, out| {
            if !notice.is_announcement() {
                translator.announcement(Some(connection), notice.sender.timestamp, out)?;
            }
            translator.write(EVENT, Some(connection), &value, &[&text], notice.sender.timestamp, out)
        })?;
        if !notice.is_announcement() {
            self.announced(Some(connection));
        }
        if let Ok(value) = RawValue::parse(&value) {
            self.take_in_event(value);
        }
        self.hold(stamp);
        Ok(Translated::Stored)
    }

    /// Takes in a line that was written before, to go on behind it.
    pub fn replay(&mut self, line: &Line<'_>) {
        let method = line.method();
        let stamp = Stamp::of(line, &method, &self.hasher);
        self.clock.take_in(line, stamp);
        match &*method {
            "getStats" => {
                if matches!(self.reports, NamedReports::Live(_)) {
                    self.reports = NamedReports::replayed();
                }
                self.reports.replay(line.value(), line.extra().first().copied());
            }
            EVENT => self.take_in_event(line.value()),
            STATS => {}
            CONNECTION | NODE => return self.envelopes.take_in(line.value()),
            _ => return,
        }
        if let Some(stamp) = stamp {
            self.hold(stamp);
        }
    }

    /// Appends a line that [`Unordered`] has read, unless it is there; `envelope` is that of its push, if it is one.
    ///
    /// # Errors
    /// [`Refused`] says why there is none.
    pub fn again(
        &mut self,
        line: &Line<'_>,
        envelope: &str,
        time: i64,
        out: &mut String,
    ) -> Result<Translated, Refused> {
        let (method, connection) = (line.method(), line.connection());
        let connection = connection.as_deref();
        let extra: Vec<&str> = line.extra().iter().map(|extra| extra.text()).collect();
        let stamp = Stamp::of(line, &method, &self.hasher);
        if stamp.is_some_and(|stamp| self.holds(stamp)) {
            return Ok(Translated::Held);
        }
        self.all_or_nothing(out, |translator, out| match pushed(&method, connection) {
            Some(subject) => {
                let value = line.value().text().to_owned();
                let stamp = extra.last().copied().unwrap_or("null");
                translator.statistics(Told { subject, connection, envelope, value, stamp }, time, out)
            }
            None => translator.write(&method, connection, line.value().text(), &extra, time, out),
        })?;
        if let Some(stamp) = stamp {
            self.hold(stamp);
        }
        Ok(Translated::Stored)
    }

    fn statistics(&mut self, told: Told<'_>, time: i64, out: &mut String) -> Result<(), Refused> {
        let Told { subject, connection, envelope, mut value, stamp } = told;
        if !self.envelopes.is(subject, envelope) {
            let method = if connection.is_some() { CONNECTION } else { NODE };
            self.write(method, connection, envelope, &[], time, out)?;
        }
        if subject == Subject::Client {
            is_readable(&value).map_err(Refused::ReportTooLarge)?;
            let live = self.reports.live().ok_or(Refused::Stuck)?;
            let bytes = value.len();
            let Some(delta) = live.encode(&mut value, &[]) else {
                let entries = RawValue::parse(&value).into_iter().flat_map(RawValue::members).count();
                return Err(Refused::ReportTooLarge(Room { entries, bytes }));
            };
            let extra: Vec<&str> = [&*delta.names, stamp].into_iter().filter(|extra| !extra.is_empty()).collect();
            let written = self.write("getStats", connection, &delta.value, &extra, time, out);
            if written.is_err() {
                self.reports.not_written();
            }
            written?;
        } else {
            self.write(STATS, connection, &value, &[stamp], time, out)?;
        }
        self.envelopes.set(subject, envelope);
        Ok(())
    }

    fn all_or_nothing(
        &mut self,
        out: &mut String,
        write: impl FnOnce(&mut Self, &mut String) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let (start, clock) = (out.len(), self.clock);
        let written = write(self, out);
        if written.is_err() {
            out.truncate(start);
            self.clock = clock;
        }
        written
    }

    fn write(
        &mut self,
        method: &str,
        connection: Option<&str>,
        value: &str,
        extra: &[&str],
        time: i64,
        out: &mut String,
    ) -> Result<(), Refused> {
        let start = out.len();
        let delta = time.saturating_sub(self.clock.time.unwrap_or(0));
        write_line(out, method, connection, value, extra, delta as f64 / 1000.0);
        if method == "close"
            && let Some(end) = out.get(start..).and_then(|line| line.find(','))
        {
            // As the collector writes it, and looks for it.
            out.replace_range(start + 1..start + end, "\"close\"");
        }
        let bytes = out.len() - start;
        if bytes > self.max_line {
            return Err(Refused::LineTooLong { bytes, limit: self.max_line });
        }
        out.push('\n');
        self.clock.is_now(time);
        Ok(())
    }

    fn holds(&self, stamp: Stamp) -> bool {
        // What is newer than all is new.
        stamp.time <= self.clock.newest && self.held.contains(&stamp.hash)
    }

    fn hold(&mut self, stamp: Stamp) {
        if self.held.len() >= MAX_HELD {
            self.held.pop_front();
        }
        self.held.push_back(stamp.hash);
    }
}

/// Statistics on their way to a line.
struct Told<'a> {
    subject: Subject,
    connection: Option<&'a str>,
    envelope: &'a str,
    /// A report in full, or what Sora counts.
    value: String,
    stamp: &'a str,
}

impl Clock {
    /// A line is there whose time is known.
    pub(super) fn is_now(&mut self, time: i64) {
        self.is_unordered |= self.time.is_some() && time < self.newest;
        self.time = Some(time);
        self.newest = self.newest.max(time);
    }

    /// The same for a line that says how long it is after the one before. If its stamp says another time, it stands in no order.
    pub(super) fn take_in(&mut self, line: &Line<'_>, stamp: Option<Stamp>) {
        // As it was written: a time of this century in ms has room for microseconds.
        let delta = (line.delta() * 1000.0).round() as i64;
        let told = self.time.unwrap_or(0).saturating_add(delta);
        let time = stamp.map_or(told, |stamp| stamp.time);
        // What a part is of stands before it.
        self.is_unordered |= time != told || stamp.is_some_and(|stamp| stamp.is_part);
        self.is_now(time);
    }
}

impl Envelopes {
    fn is(&self, subject: Subject, envelope: &str) -> bool {
        self.of(subject) == envelope
    }

    pub(super) fn of(&self, subject: Subject) -> &str {
        let [client, connection, node] = &self.0;
        match subject {
            Subject::Client => client,
            Subject::Connection => connection,
            Subject::Node => node,
        }
    }

    fn set(&mut self, subject: Subject, envelope: &str) {
        if !self.is(subject, envelope) {
            let envelope = if envelope.len() > MAX_ENVELOPE { "" } else { envelope };
            self.put(subject, envelope);
        }
    }

    pub(super) fn put(&mut self, subject: Subject, envelope: &str) {
        let [client, connection, node] = &mut self.0;
        let place = match subject {
            Subject::Client => client,
            Subject::Connection => connection,
            Subject::Node => node,
        };
        envelope.clone_into(place);
    }

    fn take_in(&mut self, envelope: RawValue<'_>) {
        self.set(subject_of(envelope), envelope.text());
    }
}

/// What the push of a line is about, if it is the line of one.
pub(super) fn pushed(method: &str, connection: Option<&str>) -> Option<Subject> {
    match method {
        "getStats" => Some(Subject::Client),
        STATS if connection.is_some() => Some(Subject::Connection),
        STATS => Some(Subject::Node),
        _ => None,
    }
}

/// What the pushes of an envelope are about.
pub(super) fn subject_of(envelope: RawValue<'_>) -> Subject {
    let kind = envelope.get("type").and_then(RawValue::as_str);
    kind.and_then(|kind| Subject::of_name(&kind)).unwrap_or(Subject::Client)
}

/// Whether a notice, as a line has it, is about an end.
fn ends(value: RawValue<'_>) -> bool {
    let kind = value.get("type").and_then(RawValue::as_str).unwrap_or_default();
    let member = value.get("connection");
    let destroyed = member.and_then(|member| member.get("connection_destroyed_timestamp"));
    Ended::by(&kind) != Ended::No || destroyed.is_some_and(|time| !time.is_null())
}

/// Whether a notice, as a line has it, tells that a session began.
pub(super) fn announces(value: RawValue<'_>) -> bool {
    value.get("type").and_then(RawValue::as_str).is_some_and(|kind| kind == SESSION_CREATED)
}

fn write_envelope(push: &Push<'_>, out: &mut String) {
    out.push('{');
    let Sender { kind, label, version, node_name, .. } = &push.sender;
    for (name, text) in [("type", kind), ("label", label), ("version", version), ("node_name", node_name)] {
        write_text(name, text, out);
    }
    if let Some(connection) = &push.connection {
        let Connection { channel_id, client_id, session_id, connection_id, bundle_id, role, .. } = connection;
        for (name, text) in [
            ("session_id", session_id),
            ("channel_id", channel_id),
            ("client_id", client_id),
            ("connection_id", connection_id),
        ] {
            write_text(name, text, out);
        }
        if let Some(bundle) = bundle_id {
            write_text("bundle_id", bundle, out);
        }
        write_text("role", role.name(), out);
        let flags = [
            ("multistream", connection.multistream),
            ("simulcast", Some(connection.simulcast)),
            ("spotlight", Some(connection.spotlight)),
        ];
        for (name, flag) in flags {
            if let Some(flag) = flag {
                write_member(name, if flag { "true" } else { "false" }, out);
            }
        }
    }
    for (name, value) in push.others() {
        write_member(&name, value.text(), out);
    }
    if push.subject == Subject::Client {
        write_certificates(&push.stats, out);
    }
    out.push('}');
}

/// Reports carry no certificates. They stand with what hardly ever changes: their entries but for their times, and which transports have them.
fn write_certificates(stats: &[RawValue<'_>], out: &mut String) {
    let (mut certificates, mut transports) = (String::new(), String::new());
    for entry in stats {
        let kind = Fields::of(*entry, "").first("type").and_then(RawValue::as_str);
        let (told, is_told): (&mut String, fn(&str) -> bool) = match kind.as_deref() {
            Some("certificate") => (&mut certificates, |name| !matches!(name, "id" | "type" | "timestamp")),
            Some("transport") => (&mut transports, |name| name.ends_with("CertificateId")),
            _ => continue,
        };
        let mut text = String::from("{");
        for (name, value) in entry.members().filter(|(name, _)| is_told(name)) {
            write_member(&name, value.text(), &mut text);
        }
        text.push('}');
        if text.len() > 2 && told.len() + text.len() <= MAX_CERTIFICATES {
            told.push_str(if told.is_empty() { "{" } else { "," });
            write_string(told, &entry.get("id").and_then(RawValue::as_str).unwrap_or_default());
            told.push(':');
            told.push_str(&text);
        }
    }
    for (name, mut told) in [("certificates", certificates), ("transports", transports)] {
        if !told.is_empty() {
            told.push('}');
            write_member(name, &told, out);
        }
    }
}

fn write_text(name: &str, text: &str, out: &mut String) {
    write_member(name, "", out);
    write_string(out, text);
}

pub(super) fn write_member(name: &str, value: &str, out: &mut String) {
    if !out.ends_with('{') {
        out.push(',');
    }
    write_string(out, name);
    out.push(':');
    write_compact(value, out);
}
