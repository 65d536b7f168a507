//! Reports: from the deltas of Jitsi's client to those of our format.
//!
//! Theirs name every entry of the report, by its own id, with the members that have changed; what has not changed is left out,
//! and an entry that is not named is gone. Ours use short ids, whose meaning a line tells when it first uses one, as an extra:
//! `{"ids":{"<short id>":"<id>"},"omitted":["<id of an entry that does not travel>"]}`. So the state of both sides follows
//! from the lines alone, and the next delta fits after a crash too.

use std::collections::{HashMap, HashSet};

use crate::json::{Kind, Members, RawValue};
use crate::report::{ReportDecoder, ReportEncoder};

/// So many connections of one session are translated.
const MAX_CONNECTIONS: usize = 1024;
/// The longest report, in full, in bytes.
const MAX_REPORT: usize = 4 << 20;
/// The text of all reports of a session together, in bytes.
const MAX_BYTES: usize = 16 << 20;
/// The longest text of a time. Those of clients have 13 to 18 bytes.
const MAX_TIME: usize = 32;

/// The reports of one session.
#[derive(Debug, Default)]
pub(super) struct Reports {
    connections: HashMap<String, Connection>,
    bytes: usize,
}

/// A delta of ours, ready for a line.
#[derive(Debug, Default)]
pub(super) struct Delta {
    pub(super) value: String,
    /// What the new short ids mean; empty if there is none.
    pub(super) names: String,
}

#[derive(Debug)]
enum Connection {
    Live(Box<Live>),
    /// Known from lines only.
    Replayed(Box<Replayed>),
    /// Too large to be translated: from some report on, all are kept as they come.
    Refused,
}

#[derive(Debug, Default)]
struct Live {
    encoder: ReportEncoder,
    /// Short ids below it have been told.
    told: u32,
}

#[derive(Debug, Default)]
struct Replayed {
    decoder: ReportDecoder,
    /// The ids behind the short ones, with their quotes.
    ids: HashMap<String, String>,
    omitted: Vec<String>,
    next_short: u32,
}

impl Reports {
    /// Translates a payload; `None` if it is no report or one too many, and is to be kept as it is.
    pub(super) fn translate(&mut self, connection: &str, payload: RawValue<'_>) -> Option<Delta> {
        if !is_report(payload) {
            return None;
        }
        if !self.connections.contains_key(connection) {
            let room = self.connections.len() < MAX_CONNECTIONS;
            let new = if room { Connection::Live(Box::default()) } else { return None };
            self.connections.insert(connection.to_owned(), new);
        }
        let state = self.connections.get_mut(connection)?;
        if let Connection::Replayed(replayed) = state {
            *state = match replayed.resume() {
                Some(live) => {
                    self.bytes += live.encoder.report().len();
                    Connection::Live(Box::new(live))
                }
                None => Connection::Refused,
            };
        }
        let Connection::Live(live) = state else { return None };
        let before = live.encoder.report().len();
        let delta = live.translate(payload, (MAX_BYTES + before).saturating_sub(self.bytes).min(MAX_REPORT));
        self.bytes = self.bytes.saturating_sub(before);
        match delta {
            Some(delta) => {
                self.bytes += live.encoder.report().len();
                Some(delta)
            }
            None => {
                *state = Connection::Refused;
                None
            }
        }
    }

    /// The newest delta of the connection was not written. Its next one does not build on it.
    pub(super) fn not_written(&mut self, connection: &str) {
        if let Some(Connection::Live(live)) = self.connections.get_mut(connection) {
            live.encoder.reset();
            live.told = 0;
        }
    }

    /// Takes in what a line says that was written before.
    pub(super) fn replay(&mut self, connection: &str, delta: RawValue<'_>, names: Option<RawValue<'_>>) {
        if self.connections.len() >= MAX_CONNECTIONS && !self.connections.contains_key(connection) {
            return;
        }
        let state =
            self.connections.entry(connection.to_owned()).or_insert_with(|| Connection::Replayed(Box::default()));
        let Connection::Replayed(replayed) = state else { return };
        if replayed.replay(delta, names).is_none() {
            *state = Connection::Refused;
        }
    }

    /// A payload was written as it came.
    pub(super) fn replay_kept(&mut self, connection: &str, payload: RawValue<'_>) {
        let is_known = self.connections.contains_key(connection);
        if is_report(payload) && (is_known || self.connections.len() < MAX_CONNECTIONS) {
            self.connections.insert(connection.to_owned(), Connection::Refused);
        }
    }
}

impl Live {
    /// `limit`: how long the full report may be.
    fn translate(&mut self, payload: RawValue<'_>, limit: usize) -> Option<Delta> {
        let base = RawValue::parse(self.encoder.report()).unwrap_or(RawValue::EMPTY_OBJECT);
        let mut full = String::with_capacity(base.text().len() + 64);
        let mut delta = Delta::default();
        let omitted = merge(base, payload, &mut full);
        if full.len() > limit {
            return None;
        }
        self.encoder.encode_from(&mut full, &mut delta.value).ok()?;
        let mut next = self.told;
        for (short, id) in self.encoder.ids().filter(|(short, _)| *short >= self.told) {
            delta.names.push_str(if delta.names.is_empty() { "{\"ids\":{" } else { "," });
            delta.names.push_str(&format!("\"{short}\":{id}"));
            next = next.max(short + 1);
        }
        self.told = next;
        if !delta.names.is_empty() {
            delta.names.push('}');
        }
        if !omitted.is_empty() {
            let start = if delta.names.is_empty() { "{" } else { "," };
            delta.names.push_str(&format!("{start}\"omitted\":[{}]", omitted.join(",")));
        }
        if !delta.names.is_empty() {
            delta.names.push('}');
        }
        Some(delta)
    }
}

impl Replayed {
    fn replay(&mut self, delta: RawValue<'_>, names: Option<RawValue<'_>>) -> Option<()> {
        for (short, id) in names.and_then(|names| names.get("ids")).into_iter().flat_map(RawValue::members) {
            self.next_short = self.next_short.max(short.parse::<u32>().ok()?.checked_add(1)?);
            self.ids.insert(short.into_owned(), id.text().to_owned());
        }
        for id in names.and_then(|names| names.get("omitted")).into_iter().flat_map(RawValue::elements) {
            self.omitted.push(id.text().to_owned());
        }
        let report = self.decoder.decode(delta).ok()?;
        if self.ids.len() > 2 * report.len() + 64 {
            let ids = &mut self.ids;
            ids.retain(|short, _| report.get(short).is_some());
        }
        Some(())
    }

    /// What the client's next delta builds on.
    fn resume(&mut self) -> Option<Live> {
        let mut text = String::from("{");
        for entry in self.decoder.report().entries() {
            separate(&mut text);
            text.push_str(self.ids.get(entry.id())?);
            text.push_str(":{\"timestamp\":");
            text.push_str(&entry.timestamp().to_string());
            if !entry.kind().is_empty() {
                text.push_str(",\"type\":");
                crate::json::write_string(&mut text, entry.kind());
            }
            for (name, value) in entry.members() {
                text.push(',');
                crate::json::write_string(&mut text, name);
                text.push(':');
                let named = value.as_str().filter(|_| name.ends_with("Id")).and_then(|short| self.ids.get(&*short));
                text.push_str(named.map_or(value.text(), String::as_str));
                // Names are told once and stand for as many members as a dump likes.
                if text.len() > MAX_REPORT {
                    return None;
                }
            }
            text.push('}');
        }
        // Of those that are there: an entry that went and came again has two short ids.
        let entries = self.decoder.report().entries();
        let shorts: HashMap<&str, u32> =
            entries.filter_map(|entry| Some((self.ids.get(entry.id())?.as_str(), entry.id().parse().ok()?))).collect();
        for id in self.omitted.iter().filter(|id| !shorts.contains_key(id.as_str())) {
            separate(&mut text);
            text.push_str(id);
            text.push_str(":{\"type\":\"certificate\"}");
        }
        text.push('}');
        let mut encoder = ReportEncoder::new();
        encoder.resume(&text, self.next_short, |id| shorts.get(id).copied()).ok()?;
        Some(Live { encoder, told: self.next_short })
    }
}

/// Whether a payload has the form of a report.
fn is_report(payload: RawValue<'_>) -> bool {
    let is_entry = |(name, value): (std::borrow::Cow<'_, str>, RawValue<'_>)| {
        value.kind() == Kind::Object || name == "timestamp" && matches!(value.kind(), Kind::Number | Kind::Null)
    };
    payload.kind() == Kind::Object && payload.members().all(is_entry)
}

/// Appends the full report that `payload` makes of `base`, and says which of its new entries never travel.
fn merge(base: RawValue<'_>, payload: RawValue<'_>, out: &mut String) -> Vec<String> {
    // It is written into every entry: one with a million digits would be a million times as much.
    let is_time = |time: &RawValue<'_>| time.kind() == Kind::Number && time.text().len() <= MAX_TIME;
    let newest = payload.get("timestamp").filter(is_time);
    let mut seen = HashSet::new();
    let mut index: Option<HashMap<&str, RawValue<'_>>> = None;
    let mut in_order = base.members();
    let mut omitted = Vec::new();
    out.push('{');
    let mut entries = payload.members();
    while let Some((id, entry)) = entries.next_raw() {
        if entry.kind() != Kind::Object || !seen.insert(id) {
            continue;
        }
        // The same entries stand in the same order as a rule.
        let before = match (&index, in_order.next_raw()) {
            (None, Some((name, before))) if name == id => Some(before),
            _ => index.get_or_insert_with(|| Keys::of(base)).get(id).copied(),
        };
        if before.is_none() && entry.get("type").and_then(RawValue::as_str).is_some_and(|kind| kind == "certificate") {
            omitted.push(id.to_owned());
        }
        separate(out);
        out.push_str(id);
        out.push_str(":{");
        merge_entry(before.unwrap_or(RawValue::EMPTY_OBJECT), entry, newest, out);
        out.push('}');
    }
    out.push('}');
    omitted
}

/// The members of an object by their names, which have their quotes.
struct Keys;

impl Keys {
    fn of(object: RawValue<'_>) -> HashMap<&str, RawValue<'_>> {
        let mut members = object.members();
        std::iter::from_fn(move || members.next_raw()).collect()
    }
}

/// Appends the members of one entry.
fn merge_entry(base: RawValue<'_>, delta: RawValue<'_>, newest: Option<RawValue<'_>>, out: &mut String) {
    let start = out.len();
    let mut push = |name: &str, value: RawValue<'_>| {
        if out.len() > start {
            out.push(',');
        }
        out.push_str(name);
        out.push(':');
        let time = newest.filter(|_| name == "\"timestamp\"" && value.text() == "0");
        out.push_str(time.unwrap_or(value).text());
    };
    if let Some(members) = in_order(base, delta) {
        for (name, value) in members {
            push(name, value);
        }
        return;
    }
    let (old, new) = (Keys::of(base), Keys::of(delta));
    let mut members: Members<'_> = base.members();
    while let Some((name, value)) = members.next_raw() {
        push(name, new.get(name).copied().unwrap_or(value));
    }
    let mut members = delta.members();
    let mut seen = HashSet::new();
    while let Some((name, _)) = members.next_raw() {
        if name != "\"id\""
            && !old.contains_key(name)
            && seen.insert(name)
            && let Some(value) = new.get(name)
        {
            push(name, *value);
        }
    }
}

/// The members of `base` with those of `delta` in their places, if `delta` names none but those and in their order.
fn in_order<'a>(base: RawValue<'a>, delta: RawValue<'a>) -> Option<Vec<(&'a str, RawValue<'a>)>> {
    let mut changes = delta.members();
    let mut change = changes.next_raw();
    let mut result = Vec::new();
    let mut members = base.members();
    while let Some((name, value)) = members.next_raw() {
        match change {
            Some((changed, new)) if changed == name => {
                result.push((name, new));
                change = changes.next_raw();
            }
            _ => result.push((name, value)),
        }
    }
    change.is_none().then_some(result)
}

fn separate(out: &mut String) {
    if out.len() > 1 {
        out.push(',');
    }
}
