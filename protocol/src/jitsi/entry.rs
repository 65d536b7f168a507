//! One entry, `[type, connection, payload, time, sequence number]`, and what its parts are in our words.

use std::borrow::Cow;

use crate::json::{Kind, RawValue, write_string};
use crate::line::MAX_CONNECTION_ID;
use crate::tables;

/// Times beyond are none: 12,000 years after 1970. The difference of two of them is one that a line can have.
const MAX_TIME: f64 = 4e14;
/// Beyond, JavaScript cannot count.
const MAX_NUMBER: u64 = 1 << 53;
/// So many elements of a line's extras are kept apart.
const MAX_REST: usize = 16;

/// An entry taken apart.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) kind: Cow<'a, str>,
    pub(super) connection: Option<Cow<'a, str>>,
    pub(super) payload: RawValue<'a>,
    /// ms since the Unix epoch, if the entry has a time.
    pub(super) time: Option<f64>,
    /// Its sequence number, if it has one.
    pub(super) number: Option<u64>,
    /// What stands in the place of time or number and is none, or behind them; the number's own place is last.
    pub(super) rest: Vec<RawValue<'a>>,
}

impl<'a> Entry<'a> {
    /// `None` if the value is none: it is kept as it is then.
    pub(super) fn of(value: RawValue<'a>) -> Option<Self> {
        if value.kind() != Kind::Array {
            return None;
        }
        let mut elements = value.elements();
        let kind = elements.next()?.as_str()?;
        let connection = elements.next().unwrap_or(RawValue::NULL);
        let connection = match connection.kind() {
            Kind::Null => None,
            _ => Some(connection.as_str().filter(|id| id.len() <= MAX_CONNECTION_ID)?),
        };
        let payload = elements.next().unwrap_or(RawValue::NULL);
        let time = elements.next().unwrap_or(RawValue::NULL);
        let number = elements.next();
        let mut rest: Vec<RawValue<'a>> = Vec::new();
        if !time.is_null() && time_of(time).is_none() {
            rest.push(time);
        }
        for element in elements {
            if rest.len() == MAX_REST {
                return None;
            }
            rest.push(element);
        }
        if let Some(number) = number.filter(|number| number_of(*number).is_none()) {
            rest.push(number);
        } else if number.is_none() && !rest.is_empty() {
            // Nothing else may stand where a reader looks for the number.
            rest.push(RawValue::NULL);
        }
        Some(Self { kind, connection, payload, time: time_of(time), number: number.and_then(number_of), rest })
    }
}

/// The time that a value is.
pub(super) fn time_of(value: RawValue<'_>) -> Option<f64> {
    value.as_f64().filter(|time| (0.0..=MAX_TIME).contains(time))
}

/// The sequence number that a value is.
pub(super) fn number_of(value: RawValue<'_>) -> Option<u64> {
    value.as_count().filter(|number| *number <= MAX_NUMBER)
}

/// The method's name in our lines. A client cannot say what only we say: how a session ends, what was lost, a report in
/// our format. Such a name becomes one of the application's own, which begin with a colon.
pub(super) fn method_of<'a>(kind: &Cow<'a, str>, connection: Option<&str>) -> Cow<'a, str> {
    let is_ours = match &**kind {
        "getStats" => true,
        "close" => connection.is_none(),
        kind => kind.starts_with(":rtctrace.") || tables::method_of_letter(kind).is_some(),
    };
    if is_ours { Cow::Owned(format!(":{kind}")) } else { kind.clone() }
}

/// A payload in our form, where ours is another one that says the same; `None` where it stays as it is.
pub(super) fn value_of(kind: &str, payload: RawValue<'_>) -> Option<String> {
    match kind {
        "createDataChannel" => arguments(payload),
        "addTrack" | "ontrack" => track(payload),
        "addTransceiver" => transceiver(payload),
        _ if kind.ends_with("etUserMediaOnSuccess") || kind.ends_with("etDisplayMediaOnSuccess") => tracks(payload),
        _ => None,
    }
}

/// Whether the payload says more than its form in our lines, so that it stands beside it.
pub(super) fn says_more(kind: &str) -> bool {
    kind.ends_with("MediaOnSuccess")
}

/// The arguments of a call, `{"0":..,"1":..}`, as an array.
fn arguments(payload: RawValue<'_>) -> Option<String> {
    if payload.kind() != Kind::Object {
        return None;
    }
    let mut out = String::from("[");
    for (at, (name, value)) in payload.members().enumerate() {
        if *name != *at.to_string() {
            return None;
        }
        separate(&mut out);
        out.push_str(value.text());
    }
    out.push(']');
    Some(out)
}

/// A stream, `{id, tracks: [{id, kind, label, ..}]}`, as the array of its tracks, `[kind, id, label, stream]`. Each repeats the
/// stream's id: what would grow far beyond the payload by that is no stream of a browser's.
fn tracks(payload: RawValue<'_>) -> Option<String> {
    let longest = 4 * payload.text().len();
    let stream = payload.get("id").filter(|id| id.kind() == Kind::String)?;
    let tracks = payload.get("tracks").filter(|tracks| tracks.kind() == Kind::Array)?;
    let mut out = String::from("[");
    for track in tracks.elements() {
        separate(&mut out);
        out.push('[');
        for name in ["kind", "id", "label"] {
            out.push_str(track.get(name).filter(|value| value.kind() == Kind::String).map_or("\"\"", RawValue::text));
            out.push(',');
        }
        out.push_str(stream.text());
        out.push(']');
        if out.len() > longest {
            return None;
        }
    }
    out.push(']');
    Some(out)
}

/// A track, `kind:id stream:id;stream:id` or `kind:id -`, as `[kind, id, label, ...streams]`. Its label is not told.
fn track(payload: RawValue<'_>) -> Option<String> {
    let text = payload.as_str()?;
    let (track, streams) = text.split_once(' ')?;
    let mut out = named_track(track)?;
    for stream in streams.split([';', ',']).filter(|stream| !matches!(*stream, "-" | "")) {
        separate(&mut out);
        write_string(&mut out, stream.strip_prefix("stream:")?);
    }
    out.push(']');
    Some(out)
}

/// `kind:id`, as the beginning of an array, `[kind, id, label`.
fn named_track(text: &str) -> Option<String> {
    let (kind, id) = text.split_once(':').filter(|(kind, _)| matches!(*kind, "audio" | "video"))?;
    let mut out = String::from("[");
    for part in [kind, id, ""] {
        separate(&mut out);
        write_string(&mut out, part);
    }
    Some(out)
}

/// A track or a kind and what its transceiver begins with, `kind:id {..}` or `kind {..}`, as `[[kind, id, label], {..}]` or
/// `[kind, {..}]`.
fn transceiver(payload: RawValue<'_>) -> Option<String> {
    let text = payload.as_str()?;
    let (track, init) = text.split_once(' ').map_or((&*text, None), |(track, init)| (track, Some(init)));
    let mut out = String::from("[");
    match track {
        "audio" | "video" => write_string(&mut out, track),
        _ => {
            out.push_str(&named_track(track)?);
            out.push(']');
        }
    }
    if let Some(init) = init {
        let init = RawValue::parse(init).ok().filter(|init| init.kind() == Kind::Object)?;
        separate(&mut out);
        out.push_str(init.text());
    }
    out.push(']');
    Some(out)
}

fn separate(out: &mut String) {
    if out.len() > 1 {
        out.push(',');
    }
}
