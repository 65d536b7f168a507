//! [`Updates`]: what Chromium tells of a connection's calls and events, in the methods and values of our clients.

use std::borrow::Cow;

use super::calls::Calls;
use super::limits::MAX_PART;
use super::media::Media;
use super::text::{self, json_of, write_member};
use super::tracks::Tracks;
use super::writer::Draft;
use crate::description::carries_description;
use crate::json::{Kind, RawValue, write_string};

/// Events by the names that they had before the newer ones, which are ours.
const METHODS: [(&str, &str); 14] = [
    ("icecandidate", "onicecandidate"),
    ("icecandidateerror", "onicecandidateerror"),
    ("iceCandidateError", "onicecandidateerror"),
    ("signalingstatechange", "onsignalingstatechange"),
    ("iceconnectionstatechange", "oniceconnectionstatechange"),
    ("connectionstatechange", "onconnectionstatechange"),
    ("icegatheringstatechange", "onicegatheringstatechange"),
    ("negotiationneeded", "onnegotiationneeded"),
    ("renegotiationneeded", "onnegotiationneeded"),
    ("track", "ontrack"),
    ("datachannel", "ondatachannel"),
    ("addIceCandidateFailed", "addIceCandidateOnFailure"),
    ("removeIceCandidateFailed", "removeIceCandidateOnFailure"),
    ("stop", "close"),
];

/// Members of `onicecandidateerror` in Chromium's words and in those of the event.
const ERROR_MEMBERS: [(&str, &str); 3] =
    [("host_candidate", "hostCandidate"), ("error_code", "errorCode"), ("error_text", "errorText")];

/// The connection was closed some time ago, or its page is gone, and the browser forgets it. An event of the page, with the id of
/// the connection as its value: a connection that was closed ends with that.
const REMOVE: &str = "remove";

/// Whether a dump that has such updates tells of tracks by themselves.
pub(super) fn tells_of_tracks(kind: &str) -> bool {
    matches!(kind, "addTrack" | "ontrack" | "track" | "addTransceiver")
}

/// What a dump has told so far.
#[derive(Debug, Default)]
pub(super) struct Updates {
    pub(super) calls: Calls,
    pub(super) tracks: Tracks,
    pub(super) media: Media,
}

impl Updates {
    /// Adds the events that an update of a connection means: itself, and what follows from it.
    pub(super) fn update(
        &mut self,
        connection: &str,
        kind: &str,
        said: RawValue<'_>,
        extra: &[RawValue<'_>],
        out: &mut Vec<Draft>,
    ) {
        if kind == REMOVE {
            return out.push(Draft::new(REMOVE, None, text::quoted(connection)));
        }
        let known = METHODS.iter().find(|(name, _)| *name == kind);
        let method: Cow<'static, str> = known.map_or_else(|| kind.to_owned().into(), |(_, method)| (*method).into());
        let words = said.as_str();
        let value = match words.as_deref().and_then(|words| of_words(&method, words)) {
            Some(value) => value,
            None => words.as_deref().map_or_else(|| said.text().to_owned(), json_of),
        };
        let ours = RawValue::parse(&value).ok().and_then(|value| self.value(&method, value));
        let mut draft = Draft::new(method.clone(), Some(connection), ours.unwrap_or(value));
        draft.extra.extend(self.calls.id(connection, &method));
        draft.extra.extend(extra.iter().map(|extra| extra.text().to_owned()));
        if !matches!(&*method, "transceiverAdded" | "transceiverModified") {
            return out.push(draft);
        }
        let place = out.len();
        if let Ok(value) = RawValue::parse(&draft.value) {
            self.tracks.transceiver(connection, &method, value, out);
        }
        out.insert(place, draft);
    }

    /// The value in the form of our clients, where Chromium's is another one.
    fn value(&self, method: &str, value: RawValue<'_>) -> Option<String> {
        if value.kind() == Kind::Array {
            return matches!(method, "addTrack" | "ontrack").then(|| self.tracks.of_event(method, value)).flatten();
        }
        if value.kind() != Kind::Object {
            return None;
        }
        match method {
            "addTrack" | "ontrack" => self.tracks.of_event(method, value),
            "addTransceiver" => self.transceiver(value),
            "createDataChannel" => {
                let rest = without(value, &["label"])?;
                let label = value.get("label")?.text();
                Some(if rest == "{}" { format!("[{label}]") } else { format!("[{label},{rest}]") })
            }
            // Its id is not told.
            "ondatachannel" => {
                let rest = without(value, &["label"])?;
                Some(format!("[null,{},{rest}]", value.get("label")?.text()))
            }
            "onicecandidateerror" => {
                let mut out = String::from("{");
                for (name, value) in value.members() {
                    let known = ERROR_MEMBERS.iter().find(|(theirs, _)| *theirs == name);
                    write_member(&mut out, known.map_or(&name, |(_, ours)| ours), value.text());
                }
                out.push('}');
                Some(out)
            }
            _ => None,
        }
    }

    /// `[kind or track, init]`.
    fn transceiver(&self, value: RawValue<'_>) -> Option<String> {
        let kind = value.get("kind")?.as_str()?;
        let mut out = String::from("[");
        match value.get("track").and_then(RawValue::as_str) {
            Some(track) => out.push_str(&self.tracks.track(&kind, &track, None, RawValue::NULL)),
            None => write_string(&mut out, &kind),
        }
        out.push_str(",{");
        for (name, value) in value.members().filter(|(name, _)| !matches!(&**name, "kind" | "track")) {
            let is_empty = value.kind() == Kind::Array && value.at(0).is_none();
            if !is_empty {
                write_member(&mut out, if name == "encodings" { "sendEncodings" } else { &name }, value.text());
            }
        }
        out.push_str("}]");
        Some(out)
    }
}

/// What older Chromiums wrote in words of their own; `None` if it is none of that.
fn of_words(method: &str, words: &str) -> Option<String> {
    match method {
        _ if carries_description(method) => text::description(words),
        "onicecandidate" | "addIceCandidate" => text::candidate(words),
        "onicecandidateerror" => text::candidate_error(words),
        "createOffer" | "createAnswer" => text::options(words),
        "create" | "setConfiguration" => text::configuration(words).filter(|_| RawValue::parse(words).is_err()),
        "createDataChannel" | "ondatachannel" => text::channel(words),
        "transceiverAdded" | "transceiverModified" => text::transceiver(words),
        _ => None,
    }
}

/// An object without some of its members.
pub(super) fn without(value: RawValue<'_>, names: &[&str]) -> Option<String> {
    let mut out = String::from("{");
    for (name, value) in value.members().filter(|(name, _)| !names.contains(&&**name)) {
        if out.len() + name.len() + value.text().len() > MAX_PART {
            return None;
        }
        write_member(&mut out, &name, value.text());
    }
    out.push('}');
    Some(out)
}
