//! Section compression of session descriptions, and the state it needs: which description a connection has now.
//!
//! The SDP is split before each `m=` line and every part trimmed. A part that equals the same part of the base is written
//! as `v=` (the first) or `m=` (any other). A base must be of the same type; without one the SDP travels whole. Both sides
//! follow the same rules about bases, and these need nothing but what stands in lines, so a reader is never ahead of the
//! writer or behind it.

use alloc::borrow::Cow;
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{Kind, RawValue, write_string};

/// How many calls of one connection may be under way. A page that awaits its calls has one.
const MAX_IN_FLIGHT: usize = 16;

/// An RTCSessionDescription: what it is, and its SDP if it has one (a rollback has none).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description {
    /// `offer`, `answer`, `pranswer` or `rollback`; `None` if the page gave none.
    pub kind: Option<String>,
    /// The SDP.
    pub sdp: Option<String>,
}

impl Description {
    /// Reads `{type, sdp}`; `None` for any other value than an object.
    #[must_use]
    pub fn from_json(value: RawValue<'_>) -> Option<Self> {
        if value.kind() != Kind::Object {
            return None;
        }
        let text = |name| value.get(name).and_then(RawValue::as_str).map(Cow::into_owned);
        Some(Self { kind: text("type"), sdp: text("sdp") })
    }

    /// Appends `{"type":..,"sdp":..}`, without what is absent.
    pub fn write_json(&self, out: &mut String) {
        out.push('{');
        if let Some(kind) = &self.kind {
            out.push_str("\"type\":");
            write_string(out, kind);
        }
        if let Some(sdp) = &self.sdp {
            out.push_str(if self.kind.is_some() { ",\"sdp\":" } else { "\"sdp\":" });
            write_string(out, sdp);
        }
        out.push('}');
    }
}

/// What the browser knows as `currentXDescription` and `pendingXDescription` (webrtc-pc, section 4.4.1.5).
#[derive(Debug, Default, Clone)]
struct Side {
    current: Option<Description>,
    pending: Option<Description>,
}

impl Side {
    fn description(&self) -> Option<&Description> {
        self.pending.as_ref().or(self.current.as_ref())
    }
}

/// Compresses or expands the descriptions of one connection, line by line.
#[derive(Debug, Default, Clone)]
pub struct DescriptionCodec {
    local: Side,
    remote: Side,
    created: Option<Description>,
    /// Calls without an outcome yet: tracking id, and what was passed (`None`: implicit).
    in_flight: Vec<(String, Option<Description>)>,
}

/// Which way a codec works on a description.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Compress,
    Expand,
}

/// Whether lines of this method carry a description.
#[must_use]
pub fn carries_description(method: &str) -> bool {
    matches!(
        method,
        "createOfferOnSuccess"
            | "createAnswerOnSuccess"
            | "setLocalDescription"
            | "setLocalDescriptionOnSuccess"
            | "setRemoteDescription"
            | "setRemoteDescriptionOnSuccess"
    )
}

impl DescriptionCodec {
    /// A codec for a connection that has no description.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the description of an event in full and gives the one to send. `None` stands for a line whose value is null.
    /// Every event of the connection whose method begins with `create`, `setLocalDescription` or `setRemoteDescription`
    /// must pass, outcomes and failures too: they say which description is the current one.
    pub fn compress(&mut self, method: &str, tracking_id: &str, full: Option<&Description>) -> Option<Description> {
        self.step(Direction::Compress, method, tracking_id, full)
    }

    /// The reverse: takes the description as it was sent and gives it in full.
    pub fn expand(&mut self, method: &str, tracking_id: &str, sent: Option<&Description>) -> Option<Description> {
        self.step(Direction::Expand, method, tracking_id, sent)
    }

    fn step(
        &mut self,
        direction: Direction,
        method: &str,
        tracking_id: &str,
        given: Option<&Description>,
    ) -> Option<Description> {
        let base = match method {
            "createOfferOnSuccess" | "createAnswerOnSuccess" | "setLocalDescriptionOnSuccess" => {
                self.local.description()
            }
            "setLocalDescription" => self.local.description().or(self.created.as_ref()),
            "setRemoteDescription" | "setRemoteDescriptionOnSuccess" => self.remote.description(),
            _ => None,
        };
        let result = given.map(|given| transform(direction, given, base));
        let full = match direction {
            Direction::Compress => given,
            Direction::Expand => result.as_ref(),
        };
        match method {
            "createOfferOnSuccess" | "createAnswerOnSuccess" => self.created = full.cloned(),
            "setLocalDescription" | "setRemoteDescription" => {
                if self.in_flight.len() == MAX_IN_FLIGHT {
                    self.in_flight.remove(0);
                }
                let full = full.cloned();
                self.in_flight.push((tracking_id.to_owned(), full));
            }
            "setLocalDescriptionOnSuccess" | "setRemoteDescriptionOnSuccess" => {
                let resulting = full.cloned();
                let passed = self.finish(tracking_id);
                if let Some(description) = resulting.or(passed) {
                    let (side, other) = match method {
                        "setLocalDescriptionOnSuccess" => (&mut self.local, &mut self.remote),
                        _ => (&mut self.remote, &mut self.local),
                    };
                    apply(side, other, description);
                }
            }
            "setLocalDescriptionOnFailure" | "setRemoteDescriptionOnFailure" => {
                self.finish(tracking_id);
            }
            _ => {}
        }
        result
    }

    /// What the call of that tracking id had passed.
    fn finish(&mut self, tracking_id: &str) -> Option<Description> {
        let at = self.in_flight.iter().position(|(id, _)| id == tracking_id)?;
        self.in_flight.remove(at).1
    }

    /// How many bytes of text the codec holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let held =
            [&self.local.current, &self.local.pending, &self.remote.current, &self.remote.pending, &self.created];
        let in_flight = self.in_flight.iter().map(|(_, description)| description);
        let texts = held.into_iter().chain(in_flight).flatten();
        texts.map(|description| description.sdp.as_ref().map_or(0, String::len)).sum()
    }
}

/// A description has been set on `side` (webrtc-pc, "set a session description", step 4).
fn apply(side: &mut Side, other: &mut Side, description: Description) {
    match description.kind.as_deref() {
        Some("answer") => {
            side.current = Some(description);
            side.pending = None;
            if let Some(offer) = other.pending.take() {
                other.current = Some(offer);
            }
        }
        Some("rollback") => {
            side.pending = None;
            other.pending = None;
        }
        Some("offer") => {
            side.pending = Some(description);
            // An offer that meets our own one rolls that back.
            other.pending = None;
        }
        _ => side.pending = Some(description),
    }
}

fn transform(direction: Direction, given: &Description, base: Option<&Description>) -> Description {
    let base = base.filter(|base| base.kind == given.kind).and_then(|base| base.sdp.as_deref());
    let sdp = match (&given.sdp, base) {
        (Some(sdp), Some(base)) => Some(replace_sections(direction, sdp, base)),
        (sdp, _) => sdp.clone(),
    };
    Description { kind: given.kind.clone(), sdp }
}

/// The parts of an SDP, each trimmed: the session's, then one for each `m=` line.
pub fn sections(sdp: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(sdp);
    core::iter::from_fn(move || {
        let text = rest?;
        let cut = text.as_bytes().windows(3).position(|bytes| bytes == b"\nm=").map(|at| at + 1);
        let (section, behind) = match cut {
            Some(at) => (text.get(..at)?, text.get(at..)),
            None => (text, None),
        };
        rest = behind;
        Some(section.trim())
    })
}

fn replace_sections(direction: Direction, sdp: &str, base: &str) -> String {
    let mut out = String::with_capacity(sdp.len());
    let mut base_sections = sections(base);
    for (index, section) in sections(sdp).enumerate() {
        let known = base_sections.next();
        let mark = if index == 0 { "v=" } else { "m=" };
        out.push_str(match (direction, known) {
            (Direction::Compress, Some(known)) if known == section => mark,
            (Direction::Expand, Some(known)) if section == mark => known,
            _ => section,
        });
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn description(kind: &str, sdp: &str) -> Description {
        Description { kind: Some(kind.to_owned()), sdp: (kind != "rollback").then(|| sdp.to_owned()) }
    }

    #[test]
    fn equal_sections_are_written_as_marks() {
        let mut codec = DescriptionCodec::new();
        let offer = description("offer", "v=0\r\na=1\r\nm=audio\r\na=x\r\nm=video\r\n");
        assert_eq!(codec.compress("createOfferOnSuccess", "2-0", Some(&offer)), Some(offer.clone()));
        let set = codec.compress("setLocalDescription", "6-0", Some(&offer)).unwrap();
        assert_eq!(set.sdp.unwrap(), "v=\r\nm=\r\nm=\r\n");
        codec.compress("setLocalDescriptionOnSuccess", "6-0", None);
        let next = description("offer", "v=0\r\na=2\r\nm=audio\r\na=x\r\nm=video\r\na=y\r\n");
        let sent = codec.compress("createOfferOnSuccess", "2-1", Some(&next)).unwrap();
        assert_eq!(sent.sdp.unwrap(), "v=0\r\na=2\r\nm=\r\nm=video\r\na=y\r\n");
        let answer = description("answer", "v=0\r\nm=audio\r\n");
        assert_eq!(codec.compress("setRemoteDescription", "8-0", Some(&answer)), Some(answer), "no base of its type");
    }

    #[test]
    fn a_failed_or_rolled_back_description_is_no_base() {
        let mut codec = DescriptionCodec::new();
        let offer = description("offer", "v=0\r\nm=audio\r\n");
        codec.compress("setRemoteDescription", "8-0", Some(&offer));
        codec.compress("setRemoteDescriptionOnFailure", "8-0", None);
        assert_eq!(codec.compress("setRemoteDescription", "8-1", Some(&offer)), Some(offer.clone()));
        codec.compress("setRemoteDescriptionOnSuccess", "8-1", None);
        let again = codec.compress("setRemoteDescription", "8-2", Some(&offer)).unwrap();
        assert_eq!(again.sdp.unwrap(), "v=\r\nm=\r\n");
        codec.compress("setRemoteDescriptionOnFailure", "8-2", None);
        codec.compress("setRemoteDescription", "8-3", Some(&description("rollback", "")));
        codec.compress("setRemoteDescriptionOnSuccess", "8-3", None);
        assert_eq!(codec.compress("setRemoteDescription", "8-4", Some(&offer)), Some(offer));
    }

    #[test]
    fn an_implicit_local_description_is_compressed_in_its_outcome() {
        let mut codec = DescriptionCodec::new();
        let offer = description("offer", "v=0\r\nm=audio\r\n");
        assert_eq!(codec.compress("setLocalDescription", "6-0", None), None);
        assert_eq!(codec.compress("setLocalDescriptionOnSuccess", "6-0", Some(&offer)), Some(offer.clone()));
        codec.compress("setLocalDescription", "6-1", None);
        let sent = codec.compress("setLocalDescriptionOnSuccess", "6-1", Some(&offer)).unwrap();
        assert_eq!(sent.sdp.unwrap(), "v=\r\nm=\r\n");
    }

    #[test]
    fn a_reader_without_a_base_keeps_what_it_got() {
        let sent = description("offer", "v=\r\nm=\r\n");
        assert_eq!(DescriptionCodec::new().expand("setLocalDescription", "6-0", Some(&sent)), Some(sent));
    }

    fn event() -> impl Strategy<Value = (&'static str, u8, Option<Description>)> {
        let methods = prop::sample::select(vec![
            "createOfferOnSuccess",
            "createAnswerOnSuccess",
            "setLocalDescription",
            "setLocalDescriptionOnSuccess",
            "setLocalDescriptionOnFailure",
            "setRemoteDescription",
            "setRemoteDescriptionOnSuccess",
            "setRemoteDescriptionOnFailure",
        ]);
        let section = prop::sample::select(vec!["a", "b", "c"]);
        let sdp = prop::collection::vec(section, 1..4).prop_map(|parts| format!("v={}\r\n", parts.join("\r\nm=")));
        let kind = prop::sample::select(vec!["offer", "answer", "pranswer", "rollback"]);
        let description = prop::option::of((kind, sdp).prop_map(|(kind, sdp)| description(kind, &sdp)));
        (methods, 0..3_u8, description)
    }

    proptest! {
        #[test]
        fn any_sequence_of_descriptions_round_trips(events in prop::collection::vec(event(), 0..20)) {
            let (mut writer, mut reader) = (DescriptionCodec::new(), DescriptionCodec::new());
            for (method, call, description) in events {
                let tracking_id = format!("6-{call}");
                let sent = writer.compress(method, &tracking_id, description.as_ref());
                prop_assert_eq!(reader.expand(method, &tracking_id, sent.as_ref()), description);
            }
        }

        #[test]
        fn any_text_is_expanded_without_harm(texts in prop::collection::vec(".{0,80}", 1..6)) {
            let mut codec = DescriptionCodec::new();
            for text in texts {
                let sent = description("offer", &text);
                codec.expand("setLocalDescription", "6-0", Some(&sent));
                codec.expand("setLocalDescriptionOnSuccess", "6-0", None);
            }
            prop_assert!(codec.bytes() < 2_000);
        }
    }
}
