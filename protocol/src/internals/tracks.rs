//! [`Tracks`]: tracks as our clients write them, `[kind, id, label, ...streams]`, and what becomes of them without a call of its own
//! in the dump: Chromium does not tell of `replaceTrack`, and older ones told of no track but with its transceiver.

use std::collections::HashMap;

use super::limits::{MAX_CONNECTIONS, MAX_ENTRY, MAX_LABEL, MAX_TRACKS, MAX_TRANSCEIVERS};
use super::text::quoted;
use super::writer::Draft;
use crate::json::{Kind, RawValue};

/// Reasons of a transceiver's change that come with a call that names the track.
const CALLS: [&str; 3] = ["addTrack", "addTransceiver", "removeTrack"];

/// What is known of all tracks of a dump.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    /// By the track's id.
    labels: HashMap<String, String>,
    connections: HashMap<String, HashMap<u64, Transceiver>>,
    /// How many there are, of all connections.
    transceivers: usize,
    /// The dump tells of tracks only with their transceivers.
    pub(super) are_implied: bool,
}

#[derive(Debug, Default)]
struct Transceiver {
    sends: Option<String>,
    has_received: bool,
}

impl Tracks {
    /// `getUserMedia` gave this track.
    pub(super) fn label(&mut self, id: &str, label: &str) {
        if self.labels.len() < MAX_TRACKS && id.len() <= MAX_ENTRY && label.len() <= MAX_LABEL {
            self.labels.insert(id.to_owned(), label.to_owned());
        }
    }

    /// A track as our clients write it.
    pub(super) fn track(&self, kind: &str, id: &str, label: Option<&str>, streams: RawValue<'_>) -> String {
        let label = label.or_else(|| self.labels.get(id).map(String::as_str)).unwrap_or_default();
        let mut out = format!("[{},{},{}", quoted(kind), quoted(id), quoted(label));
        for stream in streams.elements() {
            out.push(',');
            out.push_str(stream.text());
        }
        out.push(']');
        out
    }

    /// The track that an event is about, as our clients write it. `None` for a value that is no track.
    pub(super) fn of_event(&self, method: &str, value: RawValue<'_>) -> Option<String> {
        if value.kind() == Kind::Object {
            let text = |name| value.get(name).and_then(RawValue::as_str);
            let streams = value.get("streams").unwrap_or(RawValue::NULL);
            return Some(self.track(&text("kind")?, &text("id")?, text("label").as_deref(), streams));
        }
        if method != "addTrack" {
            return None;
        }
        // The rtcstats dump leaves out the label of a track that is sent.
        let elements: Vec<RawValue<'_>> = value.elements().collect();
        let text = |at: usize| elements.get(at).and_then(|element| element.as_str());
        let (kind, id) = (text(0)?, text(1)?);
        let label = self.labels.get(&*id).map_or("", String::as_str);
        if text(2).is_some_and(|second| second == label) {
            return None;
        }
        let streams =
            format!("[{}]", elements.iter().skip(2).map(|stream| stream.text()).collect::<Vec<_>>().join(","));
        Some(self.track(&kind, &id, Some(label), RawValue::parse(&streams).ok()?))
    }

    /// What the addition or change of a transceiver implies.
    pub(super) fn transceiver(&mut self, connection: &str, method: &str, value: RawValue<'_>, out: &mut Vec<Draft>) {
        let text = |value: RawValue<'_>, name| value.get(name).and_then(RawValue::as_str).map(|text| text.into_owned());
        let Some(index) = value.get("transceiverIndex").and_then(RawValue::as_u64) else { return };
        if !self.connections.contains_key(connection) && self.connections.len() < MAX_CONNECTIONS {
            self.connections.insert(connection.to_owned(), HashMap::new());
        }
        let Some(known) = self.connections.get_mut(connection) else { return };
        if !known.contains_key(&index) {
            if self.transceivers == MAX_TRANSCEIVERS {
                return;
            }
            self.transceivers += 1;
        }
        let transceiver = known.entry(index).or_default();
        let kind = text(value, "kind").unwrap_or_default();
        let reason = text(value, "reason").unwrap_or_default();
        let end = |name| value.get(name).unwrap_or(RawValue::NULL);
        let (sender, receiver) = (end("sender"), end("receiver"));
        let streams = |end: RawValue<'_>| end.get("streams").map_or("[]", RawValue::text).to_owned();

        // What is longer is no track's id, and is not remembered.
        let sends = text(sender, "track").filter(|track| track.len() <= MAX_ENTRY);
        let before = std::mem::replace(&mut transceiver.sends, sends.clone());
        let receives = reason == "setRemoteDescription"
            && (method == "transceiverAdded"
                || text(value, "currentDirection").is_some_and(|direction| direction.contains("recv")));
        let is_received = receives && !transceiver.has_received;
        transceiver.has_received |= receives;

        let draft = |method, value| Draft::new(method, Some(connection), value);
        if let Some(track) = sends.filter(|track| before.as_ref() != Some(track)) {
            let no_streams = RawValue::NULL;
            if !CALLS.contains(&&*reason) {
                let old = before.map_or("null".to_owned(), |old| self.track(&kind, &old, None, no_streams));
                let value = format!("[{old},{}]", self.track(&kind, &track, None, no_streams));
                let mut replaced = draft("replaceTrack", value);
                replaced.extra.extend(text(receiver, "track").map(|id| quoted(&id)));
                out.push(replaced);
            } else if self.are_implied {
                let streams = streams(sender);
                let streams = RawValue::parse(&streams).unwrap_or(no_streams);
                out.push(draft("addTrack", self.track(&kind, &track, None, streams)));
            }
        }
        if self.are_implied
            && is_received
            && let Some(track) = text(receiver, "track")
        {
            let streams = streams(receiver);
            let streams = RawValue::parse(&streams).unwrap_or(RawValue::NULL);
            out.push(draft("ontrack", self.track(&kind, &track, None, streams)));
        }
    }
}
