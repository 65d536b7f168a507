//! [`Media`]: calls of `getUserMedia` and `getDisplayMedia`, and what they gave.

use std::collections::HashMap;

use super::calls::{Calls, tracking_id};
use super::limits::{MAX_ENTRY, MAX_REQUESTS};
use super::text::{json_of, quoted, write_member};
use super::tracks::Tracks;
use super::writer::Draft;
use crate::json::{Kind, RawValue};

const USER: &str = "navigator.mediaDevices.getUserMedia";
const DISPLAY: &str = "navigator.mediaDevices.getDisplayMedia";

/// Members of an entry that are not the page's constraints.
const OWN_MEMBERS: [&str; 14] = [
    "pid",
    "rid",
    "origin",
    "url",
    "request_id",
    "request_type",
    "timestamp",
    "time",
    "stream_id",
    "error",
    "error_message",
    "audio_track_info",
    "video_track_info",
    "startTime",
];

/// Which number each request got.
#[derive(Debug, Default)]
pub(super) struct Media {
    numbers: HashMap<String, u64>,
}

/// The method of which this is the call or the outcome.
fn base_of(method: &str) -> Option<&'static str> {
    let base = method.strip_suffix("OnSuccess").or_else(|| method.strip_suffix("OnFailure")).unwrap_or(method);
    [USER, DISPLAY].into_iter().find(|name| *name == base)
}

impl Media {
    /// An event of the rtcstats dump; `None` if it is of another method. Chromium's own id of the request is its first extra.
    pub(super) fn event(
        &mut self,
        method: &str,
        value: RawValue<'_>,
        extra: &[RawValue<'_>],
        calls: &mut Calls,
        tracks: &mut Tracks,
    ) -> Option<Draft> {
        let base = base_of(method)?;
        let request = extra.first().and_then(|extra| extra.as_str()).unwrap_or_default();
        let value = if method.ends_with("OnSuccess") {
            for track in value.elements() {
                if let (Some(id), Some(label)) =
                    (track.at(1).and_then(RawValue::as_str), track.at(2).and_then(RawValue::as_str))
                {
                    tracks.label(&id, &label);
                }
            }
            value.text().to_owned()
        } else if method.ends_with("OnFailure") {
            failure(value).unwrap_or_else(|| value.text().to_owned())
        } else {
            constraints(value)
        };
        let mut draft = Draft::new(method.to_owned(), None, value);
        draft.extra.push(self.id(base, &request, method == base, calls));
        draft.extra.extend(extra.iter().map(|extra| extra.text().to_owned()));
        Some(draft)
    }

    /// An entry of the webrtc-internals dump.
    pub(super) fn entry(&mut self, entry: RawValue<'_>, calls: &mut Calls, tracks: &mut Tracks) -> Draft {
        let text = |name| entry.get(name).and_then(RawValue::as_str).map(|text| text.into_owned());
        let kind = text("request_type").filter(|kind| kind == "getDisplayMedia").unwrap_or("getUserMedia".to_owned());
        let base = if kind == "getDisplayMedia" { DISPLAY } else { USER };
        let part = |name| entry.get(name).map_or("", RawValue::text);
        // As the rtcstats dump calls it.
        let request = format!("{kind}-{}-{}-{}", part("rid"), part("pid"), part("request_id"));
        let infos = [("audio", "audio_track_info"), ("video", "video_track_info")];
        let (suffix, value) = if entry.get("error").is_some() {
            ("OnFailure", failure(entry).unwrap_or("null".to_owned()))
        } else if entry.get("stream_id").is_some() || infos.iter().any(|(_, info)| entry.get(info).is_some()) {
            let stream = text("stream_id").map(|id| format!("[{}]", quoted(&id))).unwrap_or("[]".to_owned());
            let stream = RawValue::parse(&stream).unwrap_or(RawValue::NULL);
            let mut given = Vec::new();
            for (kind, info) in infos {
                let info = text(info);
                let Some(info) = info.as_deref().and_then(|info| RawValue::parse(info).ok()) else { continue };
                let Some(id) = info.get("id").and_then(RawValue::as_str) else { continue };
                let label = info.get("label").and_then(RawValue::as_str).unwrap_or_default();
                tracks.label(&id, &label);
                given.push(tracks.track(kind, &id, Some(&label), stream));
            }
            ("OnSuccess", format!("[{}]", given.join(",")))
        } else {
            ("", constraints(entry))
        };
        let mut draft = Draft::new(format!("{base}{suffix}"), None, value);
        draft.extra.push(self.id(base, &request, suffix.is_empty(), calls));
        draft.extra.push(quoted(&request));
        draft.extra.extend(text("url").or_else(|| text("origin")).map(|page| quoted(&page)));
        draft
    }

    fn id(&mut self, base: &'static str, request: &str, is_call: bool, calls: &mut Calls) -> String {
        let known = if is_call { None } else { self.numbers.remove(request) };
        let number = known.unwrap_or_else(|| calls.number(base));
        if is_call && self.numbers.len() < MAX_REQUESTS && request.len() <= MAX_ENTRY {
            self.numbers.insert(request.to_owned(), number);
        }
        tracking_id(base, number)
    }
}

/// Constraints as the page gave them. Chromium says each as a text, and `true` as an empty one.
fn constraints(value: RawValue<'_>) -> String {
    let mut out = String::from("{");
    for (name, value) in value.members().filter(|(name, _)| !OWN_MEMBERS.contains(&&**name)) {
        let value = match value.as_str() {
            Some(text) if text.is_empty() => "true".to_owned(),
            Some(text) => json_of(&text),
            None => value.text().to_owned(),
        };
        write_member(&mut out, &name, &value);
    }
    out.push('}');
    out
}

/// An error as its `toString()` says it.
fn failure(value: RawValue<'_>) -> Option<String> {
    if value.kind() != Kind::Object {
        return None;
    }
    let text = |name| value.get(name).and_then(RawValue::as_str).filter(|text| !text.is_empty());
    let name = text("error").unwrap_or_default();
    Some(match text("error_message") {
        Some(message) => quoted(&format!("{name}: {message}")),
        None => quoted(&name),
    })
}
