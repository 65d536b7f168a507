//! Reports: from the deltas of Jitsi's client to those of our format.
//!
//! Theirs name every entry of the report, by its own id, with the members that have changed; what has not changed is left out,
//! and an entry that is not named is gone. Ours use short ids, and tell in their lines what those mean ([`crate::report`]'s named
//! reports). So the state of both sides follows from the lines alone, and the next delta fits after a crash too.

use std::collections::{HashMap, HashSet};

use crate::json::{Kind, Members, RawValue};
use crate::report::{MAX_REPORT, NamedDelta, NamedReports};

/// So many connections of one session are translated.
const MAX_CONNECTIONS: usize = 1024;
/// The text of all reports of a session together, in bytes.
const MAX_BYTES: usize = 16 << 20;
/// What the entry of a delta is called. The first versions of rtcstats sent whole reports, too.
const DELTA: &str = "getstats";
/// The longest text of a time. Those of clients have 13 to 18 bytes.
const MAX_TIME: usize = 32;

/// The reports of one session. Those of a connection that are too large to be translated are kept as they come, from then on.
#[derive(Debug, Default)]
pub(super) struct Reports {
    connections: HashMap<String, NamedReports>,
    bytes: usize,
    is_rtcstats: bool,
}

impl Reports {
    /// Of the deltas of rtcstats, from which Jitsi's come: an entry that one does not name has not changed, and its time may be a text.
    pub(super) fn of_rtcstats() -> Self {
        Self { is_rtcstats: true, ..Self::default() }
    }

    /// Whether what is called so has a report.
    pub(super) fn are(&self, kind: &str) -> bool {
        kind == DELTA || self.is_rtcstats && kind == "getStats"
    }

    /// Translates a payload; `None` if it is no report or one too many, and is to be kept as it is.
    pub(super) fn translate(&mut self, connection: &str, kind: &str, payload: RawValue<'_>) -> Option<NamedDelta> {
        if !is_report(payload, self.is_rtcstats) {
            return None;
        }
        if !self.connections.contains_key(connection) {
            if self.connections.len() >= MAX_CONNECTIONS {
                return None;
            }
            self.connections.insert(connection.to_owned(), NamedReports::default());
        }
        let state = self.connections.get_mut(connection)?;
        let is_replayed = matches!(state, NamedReports::Replayed(_));
        let live = state.live()?;
        if is_replayed {
            self.bytes += live.report().len();
        }
        let before = live.report().len();
        let limit = (MAX_BYTES + before).saturating_sub(self.bytes).min(MAX_REPORT);
        let base = RawValue::parse(live.report()).unwrap_or(RawValue::EMPTY_OBJECT);
        let mut full = String::with_capacity(base.text().len() + 64);
        let omitted = merge(base, payload, self.is_rtcstats && kind == DELTA, &mut full);
        let delta = if full.len() > limit { None } else { live.encode(&mut full, &omitted) };
        self.bytes = self.bytes.saturating_sub(before);
        match delta {
            Some(delta) => {
                self.bytes += live.report().len();
                Some(delta)
            }
            None => {
                *state = NamedReports::Refused;
                None
            }
        }
    }

    /// The newest delta of the connection was not written. Its next one does not build on it.
    pub(super) fn not_written(&mut self, connection: &str) {
        if let Some(reports) = self.connections.get_mut(connection) {
            reports.not_written();
        }
    }

    /// Takes in what a line says that was written before.
    pub(super) fn replay(&mut self, connection: &str, delta: RawValue<'_>, names: Option<RawValue<'_>>) {
        if self.connections.len() >= MAX_CONNECTIONS && !self.connections.contains_key(connection) {
            return;
        }
        self.connections.entry(connection.to_owned()).or_insert_with(NamedReports::replayed).replay(delta, names);
    }

    /// A payload was written as it came.
    pub(super) fn replay_kept(&mut self, connection: &str, payload: RawValue<'_>) {
        let is_known = self.connections.contains_key(connection);
        if is_report(payload, self.is_rtcstats) && (is_known || self.connections.len() < MAX_CONNECTIONS) {
            self.connections.insert(connection.to_owned(), NamedReports::Refused);
        }
    }
}

/// Whether a payload has the form of a report.
fn is_report(payload: RawValue<'_>, is_rtcstats: bool) -> bool {
    let is_time = |kind| matches!(kind, Kind::Number | Kind::Null) || is_rtcstats && kind == Kind::String;
    let is_entry = |(name, value): (std::borrow::Cow<'_, str>, RawValue<'_>)| {
        value.kind() == Kind::Object || name == "timestamp" && is_time(value.kind())
    };
    payload.kind() == Kind::Object && payload.members().all(is_entry)
}

/// Appends the full report that `payload` makes of `base`, and says which of its new entries never travel. `keeps`: whether entries that it
/// does not name stay.
fn merge(base: RawValue<'_>, payload: RawValue<'_>, keeps: bool, out: &mut String) -> Vec<String> {
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
    if keeps {
        let mut members = base.members();
        while let Some((id, entry)) = members.next_raw() {
            if !seen.contains(id) {
                separate(out);
                out.push_str(id);
                out.push(':');
                out.push_str(entry.text());
            }
        }
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
