//! [`Push`]: a body with statistics.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::json::{Kind, RawValue, skip_string, skip_white_space, write_string};

use super::fields::Fields;
use super::translate::STATS;
use super::{BadBody, MAX_TEXT};

/// What the statistics of a body are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// `getStats` of a client: `connection.user-agent` of the exporter, `connection.rtc` of the webhook.
    Client,
    /// What Sora itself counts of a connection: `connection.sora`.
    Connection,
    /// The Erlang machine that a node runs on: `node.erlang-vm`.
    Node,
}

impl Subject {
    /// By the name that stands in the header and in the body.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "connection.user-agent" | "connection.rtc" => Some(Self::Client),
            "connection.sora" => Some(Self::Connection),
            "node.erlang-vm" => Some(Self::Node),
            _ => None,
        }
    }
}

/// Who sends and who receives media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The client does both.
    SendRecv,
    /// It only sends.
    SendOnly,
    /// It only receives.
    RecvOnly,
}

impl Role {
    /// As Sora writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly].into_iter().find(|role| role.name() == name)
    }
}

/// Which Sora it was that sent a body, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender<'a> {
    /// `type` of the body.
    pub kind: Cow<'a, str>,
    /// The body's own id, which is another one for each.
    pub id: Option<Cow<'a, str>>,
    /// When, in microseconds since the Unix epoch.
    pub timestamp: i64,
    /// The same as it is written.
    pub timestamp_text: Cow<'a, str>,
    /// What its operator calls it.
    pub label: Cow<'a, str>,
    /// Its version.
    pub version: Cow<'a, str>,
    /// Its node in the cluster.
    pub node_name: Cow<'a, str>,
}

impl<'a> Sender<'a> {
    pub(super) fn read(fields: Fields<'a>) -> Result<Self, BadBody> {
        Ok(Self {
            kind: fields.text("type")?,
            id: fields.optional_text("id")?,
            timestamp: fields.time("timestamp")?,
            timestamp_text: fields.text("timestamp")?,
            label: fields.text("label")?,
            version: fields.text("version")?,
            node_name: fields.text("node_name")?,
        })
    }
}

/// A client's connection to Sora.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection<'a> {
    /// Its channel: the conference.
    pub channel_id: Cow<'a, str>,
    /// Its client: the user, or the connection's own id where nobody gave one.
    pub client_id: Cow<'a, str>,
    /// The session of the channel, from its first connection to its last.
    pub session_id: Cow<'a, str>,
    /// The connection.
    pub connection_id: Cow<'a, str>,
    /// Connections that belong together, in newer versions.
    pub bundle_id: Option<Cow<'a, str>>,
    /// What the client does.
    pub role: Role,
    /// Whether it is of multistream, in older versions.
    pub multistream: Option<bool>,
    /// Whether it sends simulcast.
    pub simulcast: bool,
    /// Whether its channel is a spotlight.
    pub spotlight: bool,
}

impl<'a> Connection<'a> {
    const MEMBERS: [&'static str; 9] = [
        "channel_id",
        "client_id",
        "session_id",
        "connection_id",
        "bundle_id",
        "role",
        "multistream",
        "simulcast",
        "spotlight",
    ];

    pub(super) fn read(fields: Fields<'a>) -> Result<Self, BadBody> {
        let role = fields.text("role")?;
        Ok(Self {
            multistream: fields.optional_flag("multistream")?,
            simulcast: fields.flag("simulcast")?,
            spotlight: fields.flag("spotlight")?,
            role: Role::of_name(&role).ok_or_else(|| fields.wrong("role", "sendrecv, sendonly or recvonly"))?,
            channel_id: fields.text("channel_id")?,
            client_id: fields.text("client_id")?,
            session_id: fields.base32("session_id")?,
            connection_id: fields.base32("connection_id")?,
            bundle_id: fields.optional_text("bundle_id")?,
        })
    }
}

/// A body with statistics, borrowing its text.
///
/// ```
/// use rtctrace_protocol::sora::{Push, Subject};
/// let body = br#"{"type":"node.erlang-vm","timestamp":"2025-07-25T06:06:51.592776Z","label":"WebRTC SFU Sora",
///     "version":"2025.1.0","node_name":"sora@127.0.0.1","stats":[{"type":"erlang-vm-memory","total":1}]}"#;
/// let push = Push::read(body)?;
/// assert_eq!((push.subject, push.sender.timestamp), (Subject::Node, 1_753_423_611_592_776));
/// # Ok::<(), rtctrace_protocol::sora::BadBody>(())
/// ```
#[derive(Debug, Clone)]
pub struct Push<'a> {
    /// What it is about.
    pub subject: Subject,
    /// Who sent it.
    pub sender: Sender<'a>,
    /// Whose it is; none for a node.
    pub connection: Option<Connection<'a>>,
    /// The entries: objects.
    pub stats: Vec<RawValue<'a>>,
    fields: Fields<'a>,
    is_logged: bool,
    is_part: bool,
}

impl<'a> Push<'a> {
    const MEMBERS: [&'static str; 7] = ["type", "id", "timestamp", "label", "version", "node_name", "stats"];
    /// Of a line of a log: what is the entry's, and the time that Fluent Bit adds.
    const OF_ENTRY: [&'static str; 5] = ["rtc_id", "rtc_type", "rtc_timestamp", "rtc_data", "date"];

    /// Reads a body. Each member is there once, of the body and of its entries. Each entry of a client's statistics has an id of its own, a type, and a time since the Unix epoch, in ms or, by native
    /// clients, in microseconds.
    ///
    /// # Errors
    /// [`BadBody`] names the member that is wrong.
    pub fn read(body: &'a [u8]) -> Result<Self, BadBody> {
        Self::of(Fields::of_body(body)?)
    }

    pub(super) fn of(fields: Fields<'a>) -> Result<Self, BadBody> {
        let sender = Sender::read(fields)?;
        let subject = Subject::of_name(&sender.kind).ok_or_else(|| {
            fields.wrong("type", "connection.user-agent, connection.rtc, connection.sora or node.erlang-vm")
        })?;
        let connection = match subject {
            Subject::Client | Subject::Connection => Some(Connection::read(fields)?),
            Subject::Node => None,
        };
        let stats = fields.required("stats")?;
        let stats: Vec<_> = match (stats.kind(), subject) {
            (Kind::Array, _) => stats.elements().collect(),
            // Sora's own counters may be one object.
            (Kind::Object, Subject::Connection | Subject::Node) => vec![stats],
            _ => return Err(fields.wrong("stats", "an array")),
        };
        check(&stats, subject)?;
        Ok(Self { subject, sender, connection, stats, fields, is_logged: false, is_part: false })
    }

    /// The push of a client whose entries stand in a log; `fields` are those of one of its lines.
    pub(super) fn of_entries(
        sender: Sender<'a>,
        connection: Connection<'a>,
        stats: Vec<RawValue<'a>>,
        fields: Fields<'a>,
    ) -> Self {
        let connection = Some(connection);
        Self { subject: Subject::Client, sender, connection, stats, fields, is_logged: true, is_part: false }
    }

    /// Those of its entries that lines lack which have others of it.
    #[must_use]
    pub fn part(&self, stats: Vec<RawValue<'a>>) -> Self {
        Self { stats, is_part: true, ..self.clone() }
    }

    pub(super) fn is_part(&self) -> bool {
        self.is_part
    }

    /// Whether its entries stand in lines of their own.
    pub(super) fn is_logged(&self) -> bool {
        self.is_logged
    }

    /// The method of its line.
    pub(super) fn method(&self) -> &'static str {
        if self.subject == Subject::Client { "getStats" } else { STATS }
    }

    /// Appends the value of its line, in full: the report, or what Sora counts.
    pub(super) fn write_value(&self, out: &mut String) {
        if self.subject == Subject::Client {
            return self.write_report(out);
        }
        out.push('[');
        for (at, entry) in self.stats.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            write_compact(entry.text(), out);
        }
        out.push(']');
    }

    /// The body as a whole.
    #[must_use]
    pub fn text(&self) -> RawValue<'a> {
        self.fields.object()
    }

    /// Members of the body that nobody has described, in their order.
    pub fn others(&self) -> impl Iterator<Item = (Cow<'a, str>, RawValue<'a>)> {
        let known = |name: &str| {
            Self::MEMBERS.contains(&name)
                || (self.connection.is_some() && Connection::MEMBERS.contains(&name))
                || (self.is_logged && Self::OF_ENTRY.contains(&name))
        };
        self.fields.all().filter(move |(name, _)| !known(name))
    }

    /// Appends the report that the entries are, as `JSON.stringify(Object.fromEntries(report))` would give it.
    pub fn write_report(&self, out: &mut String) {
        write_report(&self.stats, out);
    }
}

/// From here on, a time of an entry is in microseconds: native clients send what libwebrtc's `RTCStats::ToJson` writes.
const MICROS_FROM: f64 = 1e14;
const MICROS_UNTIL: f64 = 1e17;

/// Milliseconds, of a time that may be in microseconds.
pub(super) fn millis_of(time: f64) -> f64 {
    if time >= MICROS_FROM { time / 1000.0 } else { time }
}

fn write_report(stats: &[RawValue<'_>], out: &mut String) {
    out.push('{');
    for (index, entry) in stats.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match Fields::of(*entry, "").first("id") {
            Some(id) if id.kind() == Kind::String && !id.text().contains('\\') => out.push_str(id.text()),
            id => write_string(out, &id.and_then(RawValue::as_str).unwrap_or_default()),
        }
        out.push(':');
        write_entry(*entry, out);
    }
    out.push('}');
}

/// What older clients call a member that no report carries under that name, and what it is called now.
const OBSOLETE: [(&str, &str); 2] = [("ip", "address"), ("mediaType", "kind")];

/// Appends an entry whose time is in milliseconds, and without an exponent: entries of one time then share it. What only an obsolete member says,
/// the one that took its place says.
fn write_entry(entry: RawValue<'_>, out: &mut String) {
    let [(ip, address), (media, kind)] = OBSOLETE;
    let fields = Fields::of(entry, "");
    let [time, has_ip, has_address, has_media, has_kind] = fields.each_of(["timestamp", ip, address, media, kind]);
    let time = time.and_then(|time| {
        let is_plain = time.text().bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let millis = time.as_f64().map(millis_of)?;
        (!is_plain || time.as_f64() != Some(millis)).then_some(millis)
    });
    let is_old = [has_ip.is_some() && has_address.is_none(), has_media.is_some() && has_kind.is_none()];
    if time.is_none() && is_old == [false; 2] {
        return write_compact(entry.text(), out);
    }
    let names = || OBSOLETE.iter().zip(is_old).filter_map(|(names, is_old)| is_old.then_some(*names));
    out.push('{');
    let start = out.len();
    for (name, value) in entry.members() {
        // Of a name of today, only null can be there then.
        if names().any(|(_, today)| name == today) {
            continue;
        }
        let name = names().find(|(old, _)| name == *old).map_or(&*name, |(_, today)| today);
        if out.len() > start {
            out.push(',');
        }
        write_string(out, name);
        out.push(':');
        match time.filter(|_| name == "timestamp") {
            Some(time) => out.push_str(&time.to_string()),
            None => write_compact(value.text(), out),
        }
    }
    out.push('}');
}

/// Appends JSON without the white space around its values: encoders take what `JSON.stringify` writes.
pub(super) fn write_compact(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    if !has_white_space(bytes) {
        return out.push_str(text);
    }
    let (mut at, mut kept) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = skip_string(bytes, at),
            b' ' | b'\n' | b'\r' | b'\t' => {
                out.push_str(text.get(kept..at).unwrap_or_default());
                at = skip_white_space(bytes, at);
                kept = at;
            }
            _ => at += 1,
        }
    }
    out.push_str(text.get(kept..).unwrap_or_default());
}

/// Whether there is any, many bytes at a time.
fn has_white_space(bytes: &[u8]) -> bool {
    let is_one = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
    bytes.chunks(64).any(|chunk| chunk.iter().fold(false, |found, byte| found | is_one(byte)))
}

/// What every entry has to have.
fn check(stats: &[RawValue<'_>], subject: Subject) -> Result<(), BadBody> {
    let (mut ids, mut names) = (HashSet::with_capacity(stats.len()), Vec::new());
    for (index, entry) in stats.iter().enumerate() {
        if subject == Subject::Client
            && let Some(id) = id_of_plain(*entry, &mut names)
        {
            if !ids.insert(Cow::Borrowed(id)) {
                return Err(BadBody::Twice(index));
            }
            continue;
        }
        if entry.kind() != Kind::Object {
            return Err(BadBody::Wrong { field: format!("stats[{index}]").into(), wanted: "an object" });
        }
        let prefix = format!("stats[{index}].");
        let fields = Fields::of(*entry, &prefix);
        if subject != Subject::Client {
            fields.are_there_once_within()?;
            continue;
        }
        check_entry(fields)?;
        if !ids.insert(entry.get("id").and_then(RawValue::as_str).unwrap_or_default()) {
            return Err(BadBody::Twice(index));
        }
    }
    Ok(())
}

/// Ids of codecs hold their parameters.
const MAX_ID: usize = 4 * MAX_TEXT;

/// The id of an entry that is seen by one look to have what it has to have, as nearly all are: what is in it is neither nested nor
/// escaped, and not much. Of any other, [`check_entry`] knows whether something is wrong. `names` is room to work in.
fn id_of_plain<'a>(entry: RawValue<'a>, names: &mut Vec<&'a str>) -> Option<&'a str> {
    // So few names are compared with each other sooner than looked up.
    const MOST: usize = 64;
    names.clear();
    let (mut id, mut kind, mut time) = (None, None, None);
    let mut members = entry.members();
    while let Some((name, value)) = members.next_raw() {
        let is_nested = matches!(value.kind(), Kind::Object | Kind::Array);
        if is_nested || names.len() == MOST || names.contains(&name) || name.contains('\\') {
            return None;
        }
        names.push(name);
        match name {
            "\"id\"" => id = Some(value),
            "\"type\"" => kind = Some(value),
            "\"timestamp\"" => time = Some(value),
            _ => {}
        }
    }
    let plain = |value: RawValue<'a>, most| {
        let text = value.text().strip_prefix('"')?.strip_suffix('"')?;
        ((1..=most).contains(&text.len()) && !text.contains('\\')).then_some(text)
    };
    plain(kind?, MAX_TEXT)?;
    time?.as_f64().filter(|time| (0.0..MICROS_UNTIL).contains(time))?;
    plain(id?, MAX_ID)
}

/// What an entry of a client's statistics has to have.
pub(super) fn check_entry(entry: Fields<'_>) -> Result<(), BadBody> {
    let [id, timestamp] = entry.each_of(["id", "timestamp"]);
    if entry.needed("id", id)?.as_str().is_none_or(|id| id.is_empty() || id.len() > MAX_ID) {
        return Err(entry.wrong("id", "a string of 1 to 1020 bytes"));
    }
    entry.text("type")?;
    let timestamp = entry.needed("timestamp", timestamp)?;
    if timestamp.as_f64().is_none_or(|timestamp| !(0.0..MICROS_UNTIL).contains(&timestamp)) {
        return Err(entry.wrong("timestamp", "a time in ms since 1970"));
    }
    entry.are_there_once_within()
}
