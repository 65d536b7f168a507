//! [`Document`]: the webrtc-internals dump, one JSON object, taken apart.

use super::limits::{MAX_CONNECTION, MAX_CONNECTIONS, MAX_PART, MAX_UPDATES};
use super::sampling::{Room, Sampling};
use super::text::{compact, write_member};
use super::time::{Moment, QUARTER_HOUR, moment_of};
use super::updates::{tells_of_tracks, without};
use crate::dump::{Metadata, write_header};
use crate::json::{JsonError, JsonErrorKind, Kind, RawValue, skip_string};

/// Members of the whole that have a place of their own.
const MEMBERS: [(&str, Option<&str>); 9] = [
    ("getUserMedia", None),
    ("PeerConnections", None),
    ("UserAgent", None),
    ("UserAgentData", Some("userAgentData")),
    ("hardwareConcurrency", Some("hardwareConcurrency")),
    ("deviceMemory", Some("deviceMemory")),
    ("cpuPerformance", Some("cpuPerformance")),
    ("screen", Some("screen")),
    ("window", Some("window")),
];
/// The same of a connection and of an update.
const CONNECTION_MEMBERS: [&str; 5] = ["rtcConfiguration", "constraints", "url", "updateLog", "stats"];
const UPDATE_MEMBERS: [&str; 4] = ["type", "value", "time", "timestamp"];

/// A part of the document's text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

/// A call or an event.
#[derive(Debug)]
pub(super) struct Update {
    /// The whole object.
    pub(super) whole: Span,
    pub(super) time: f64,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: String,
    pub(super) configuration: Option<Span>,
    pub(super) constraints: Option<Span>,
    pub(super) url: Option<Span>,
    /// What has no place among our events, as an object.
    pub(super) rest: String,
    pub(super) updates: Vec<Update>,
    pub(super) sampling: Sampling,
}

/// A webrtc-internals dump.
#[derive(Debug)]
pub(crate) struct Document {
    text: String,
    /// What the page's machine and browser are, as an object.
    pub(super) client: String,
    /// What has no place among our events, as an object.
    pub(super) rest: String,
    agent: Option<String>,
    /// Calls of `getUserMedia` and its like, and their outcomes.
    pub(super) media: Vec<Update>,
    pub(super) connections: Vec<Connection>,
    /// When the first thing happened, in ms since the Unix epoch.
    pub(super) start: f64,
    /// Older browsers tell of tracks only with their transceivers.
    pub(super) are_tracks_implied: bool,
    /// Parts that are more than there may be, or none of their kind.
    pub(super) left_out: u64,
}

/// What an update takes in memory: its place and its time, as they are read and as they are known, and its turn among the lines.
const UPDATE: usize = size_of::<Timed>() + size_of::<Update>() + 64;

/// Whether a file that begins with this line is such a dump, or at least an object that goes on behind the line.
pub(crate) fn is_document(first: &str) -> bool {
    match RawValue::parse(first) {
        Ok(value) => value.get("PeerConnections").is_some(),
        Err(JsonError { kind, .. }) => kind == JsonErrorKind::End && first.trim_start().starts_with('{'),
    }
}

/// A text that was cut, closed where a value ends: what is behind that is lost.
pub(crate) fn closed(mut text: String) -> String {
    let (mut open, mut end, mut at) = (Vec::new(), 0, 0);
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at) {
        let next = if *byte == b'"' { skip_string(bytes, at) } else { at + 1 };
        match byte {
            b'{' | b'[' => {
                open.push(if *byte == b'{' { '}' } else { ']' });
                end = next;
            }
            b'}' | b']' => {
                open.pop();
                end = next;
            }
            b',' => end = at,
            _ => {}
        }
        at = next;
    }
    text.truncate(end);
    text.extend(open.into_iter().rev());
    text
}

impl Document {
    /// Takes a text apart; `Ok(None)` for JSON that is something else.
    ///
    /// # Errors
    /// [`JsonError`] if it is no JSON, as a dump that was cut off.
    pub(crate) fn parse(text: String) -> Result<Option<Self>, JsonError> {
        let whole = RawValue::parse(&text)?;
        let Some(connections) = whole.get("PeerConnections").filter(|value| value.kind() == Kind::Object) else {
            return Ok(None);
        };
        let mut reading = Reading { text: &text, room: Room::of(text.len()), updates: MAX_UPDATES, left_out: 0 };
        let media = reading.updates(whole.get("getUserMedia").unwrap_or(RawValue::NULL));
        let mut read = Vec::new();
        for (id, value) in connections.members() {
            if read.len() < MAX_CONNECTIONS && id.len() <= MAX_CONNECTION {
                read.push(reading.connection(&id, value));
            } else {
                reading.left_out += 1;
            }
        }
        let mut client = String::from("{");
        for (name, ours) in MEMBERS {
            if let (Some(ours), Some(value)) = (ours, whole.get(name)) {
                if client.len() + value.text().len() > MAX_PART {
                    reading.left_out += 1;
                    continue;
                }
                write_member(&mut client, ours, value.text());
            }
        }
        client.push('}');
        let client = compact(&client);
        let rest = reading.rest(whole, &MEMBERS.map(|(name, _)| name));
        let left_out = reading.left_out;
        let are_tracks_implied = !read.iter().flat_map(|(_, updates)| updates).any(|(span, _)| {
            let kind = span.of(&text).get("type").and_then(RawValue::as_str);
            kind.is_some_and(|kind| tells_of_tracks(&kind))
        });
        let agent = whole.get("UserAgent").and_then(RawValue::as_str).map(|agent| agent.into_owned());
        let (start, media) = settle(&mut read, media, whole.get("timestamp").and_then(moment_of));
        let connections = read.into_iter().map(|(connection, _)| connection).collect();
        Ok(Some(Self { client, rest, agent, media, connections, start, are_tracks_implied, left_out, text }))
    }

    /// A part of it.
    pub(super) fn part(&self, span: Span) -> RawValue<'_> {
        span.of(&self.text)
    }

    /// The second line of our format, about the session.
    pub(crate) fn metadata(&self) -> String {
        let page = self.connections.iter().find_map(|connection| self.part(connection.url?).as_str());
        let path = page.as_deref().and_then(|page| page.split_once("://")).map(|(scheme, rest)| {
            let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
            (format!("{scheme}://{host}"), path.to_owned())
        });
        let (origin, url) = path.unzip();
        let metadata = Metadata {
            url: url.unwrap_or_default(),
            origin,
            user_agent: self.agent.clone(),
            start_time: self.start as i64,
            client_protocol: "webrtc-internals".to_owned(),
            ..Metadata::default()
        };
        let mut header = String::new();
        write_header(&mut header, &metadata);
        header.lines().nth(1).unwrap_or("{}").to_owned()
    }

    /// What an update says beside what is understood of it.
    pub(super) fn rest_of(update: RawValue<'_>) -> Option<String> {
        without(update, &UPDATE_MEMBERS).filter(|rest| rest != "{}")
    }
}

impl Span {
    fn of(self, text: &str) -> RawValue<'_> {
        RawValue::slice(text, self.start as usize, self.end as usize)
    }
}

/// An update with its time, if it tells one.
type Timed = (Span, Option<Moment>);

struct Reading<'a> {
    text: &'a str,
    room: Room,
    /// How many more there may be.
    updates: usize,
    left_out: u64,
}

impl Reading<'_> {
    fn span(&self, value: RawValue<'_>) -> Span {
        let start = (value.text().as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        // The document is shorter than a number of 32 bits can say.
        let place = |place: usize| u32::try_from(place).unwrap_or_default();
        Span { start: place(start), end: place(start + value.text().len()) }
    }

    fn updates(&mut self, log: RawValue<'_>) -> Vec<Timed> {
        let mut updates = Vec::new();
        for update in log.elements() {
            if self.updates == 0 || update.kind() != Kind::Object || !self.room.take(UPDATE) {
                self.left_out += 1;
                continue;
            }
            self.updates -= 1;
            let time = ["timestamp", "time", "startTime"].iter().find_map(|name| moment_of(update.get(name)?));
            updates.push((self.span(update), time));
        }
        updates
    }

    /// What has no place among our events, as an object; an empty one if there is too much of it.
    fn rest(&mut self, value: RawValue<'_>, names: &[&str]) -> String {
        let rest = without(value, names).map(|rest| compact(&rest)).filter(|rest| self.room.take(rest.len()));
        rest.unwrap_or_else(|| {
            self.left_out += 1;
            "{}".to_owned()
        })
    }

    fn connection(&mut self, id: &str, value: RawValue<'_>) -> (Connection, Vec<Timed>) {
        let mut part = |name| {
            let part = value.get(name).filter(|part| part.truthy())?;
            if part.text().len() > MAX_PART {
                self.left_out += 1;
                return None;
            }
            Some(self.span(part))
        };
        let (configuration, constraints, url) = (part("rtcConfiguration"), part("constraints"), part("url"));
        let sampling = Sampling::of(value.get("stats").unwrap_or(RawValue::NULL), &mut self.room);
        self.left_out += sampling.left_out;
        let updates = self.updates(value.get("updateLog").unwrap_or(RawValue::NULL));
        let rest = self.rest(value, &CONNECTION_MEMBERS);
        let id = id.to_owned();
        (Connection { id, configuration, constraints, url, rest, updates: Vec::new(), sampling }, updates)
    }
}

/// Gives every update a time: its own, in the browser's time zone as far as the statistics show which that is; else that of the one
/// before it. When the first thing happened, and the updates that are of no connection.
fn settle(
    connections: &mut [(Connection, Vec<Timed>)],
    media: Vec<Timed>,
    dumped: Option<Moment>,
) -> (f64, Vec<Update>) {
    let sampled = connections.iter().filter_map(|(connection, _)| connection.sampling.times().first().copied());
    let sampled = sampled.min_by(f64::total_cmp);
    let all = || connections.iter().flat_map(|(_, updates)| updates).chain(&media);
    let local = all().filter_map(|(_, time)| if let Some(Moment::Local(time)) = time { Some(*time) } else { None });
    let shift = match (sampled, local.min_by(f64::total_cmp)) {
        (Some(sampled), Some(local)) => ((sampled - local) / QUARTER_HOUR).round() * QUARTER_HOUR,
        _ => 0.0,
    };
    let at = |moment: Moment| match moment {
        Moment::At(time) => time,
        Moment::Local(time) => time + shift,
    };
    let told = all().filter_map(|(_, time)| time.map(at)).min_by(f64::total_cmp);
    let first = told.into_iter().chain(sampled).min_by(f64::total_cmp);
    let start = first.or(dumped.map(at)).unwrap_or(0.0);
    let timed = |updates: Vec<Timed>| {
        let mut last = start;
        let mut settled = |(whole, time): Timed| {
            last = time.map_or(last, at).max(last);
            Update { whole, time: last }
        };
        updates.into_iter().map(&mut settled).collect::<Vec<_>>()
    };
    let media = timed(media);
    for (connection, updates) in connections {
        connection.updates = timed(std::mem::take(updates));
    }
    (start, media)
}
