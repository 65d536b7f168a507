//! Microphones and cameras: whether the page got them, and kept them.

use std::collections::VecDeque;

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::RawValue;

use super::episodes::{Episodes, Piece, Terms};
use super::finding::FindingTrack;
use super::rule::{Rule, Severity, Threshold};
use super::sink::{Sink, number, text};
use crate::input::{self, TrackingId};
use crate::limits;
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] = &[
    &CAPTURE_DENIED,
    &CAPTURE_DEVICE_BUSY,
    &CAPTURE_DEVICE_NOT_FOUND,
    &CAPTURE_OVERCONSTRAINED,
    &CAPTURE_FAILED,
    &DEVICE_VANISHED,
    &SOURCE_MUTED,
];

const OF_FAILURES: &str = described(
    "navigator.mediaDevices.getUserMedia, getUserMediaOnSuccess, getUserMediaOnFailure; the same without the object, of older clients",
);

static CAPTURE_DENIED: Rule = Rule {
    id: "capture-denied",
    severity: Severity::Critical,
    title: "Microphone or camera denied",
    meaning: "The others could not hear or see this user: the user, the browser or the page's permissions policy refused the device.",
    advice: "Show how to allow it in the browser's site settings; in an iframe, look at its allow attribute; outside of HTTPS nothing is allowed.",
    sentence: "Use of the {device} was refused {count:times}: {error}[, {then}]",
    thresholds: &[],
    reads: OF_FAILURES,
};

static CAPTURE_DEVICE_BUSY: Rule = Rule {
    id: "capture-device-busy",
    severity: Severity::Critical,
    title: "Microphone or camera could not be opened",
    meaning: "There is a device, and the user allows it, but it gave nothing: another program may have it, or the operating system refuses.",
    advice: "Have the user close other programs that use it, plug it in again, and allow the browser in the operating system's privacy settings.",
    sentence: "The {device} could not be opened, {count:times}: {error}[, {then}]",
    thresholds: &[],
    reads: OF_FAILURES,
};

static CAPTURE_DEVICE_NOT_FOUND: Rule = Rule {
    id: "capture-device-not-found",
    severity: Severity::Warning,
    title: "No microphone or camera",
    meaning: "The machine has no such device, so the others could not hear or see this user through it.",
    advice: "Have the user plug one in; ask for what enumerateDevices lists, and for audio alone where there is no camera.",
    sentence: "No {device} was found, {count:times}: {error}[, {then}]",
    thresholds: &[],
    reads: OF_FAILURES,
};

static CAPTURE_OVERCONSTRAINED: Rule = Rule {
    id: "capture-overconstrained",
    severity: Severity::Warning,
    title: "No device can do what was asked",
    meaning: "The page demanded what no microphone or camera of this user can do, and got none.",
    advice: "Ask with ideal instead of exact and min; a deviceId that was kept from an earlier visit may be gone.",
    sentence: "No {device} can do what the page asked for, {count:times}: {error}[, {then}]",
    thresholds: &[],
    reads: OF_FAILURES,
};

static CAPTURE_FAILED: Rule = Rule {
    id: "capture-failed",
    severity: Severity::Warning,
    title: "getUserMedia failed",
    meaning: "The page got no microphone or camera, for another reason than those that have rules of their own.",
    advice: "The error says more; a TypeError is the page's own mistake.",
    sentence: "getUserMedia for the {device} failed {count:times}: {error}[, {then}]",
    thresholds: &[],
    reads: OF_FAILURES,
};

static DEVICE_VANISHED: Rule = Rule {
    id: "device-vanished",
    severity: Severity::Warning,
    title: "Microphone or camera went away",
    meaning: "From then on the others did not hear or see this user: the device was unplugged, switched off, or taken away by the system or the user.",
    advice: "Listen for ended and devicechange, tell the user, and offer another device.",
    sentence: "The {kind} device[ \"{label}\"] went away after {after} of use",
    thresholds: &[],
    reads: described("MediaStreamTrack.onended of a track of getUserMedia that the page has not stopped"),
};

const MUTED: Threshold = Threshold {
    name: described("muted time"),
    value: 5.0,
    unit: Unit::Seconds,
    reason: described(
        "reasoned: browsers mute a source for a moment when devices are switched; what lasts longer is noticed",
    ),
};

static SOURCE_MUTED: Rule = Rule {
    id: "source-muted",
    severity: Severity::Warning,
    title: "The system muted a source",
    meaning: "The microphone or camera gave nothing though the page had it: the system, the browser or a switch on the device muted it, or a phone call took it.",
    advice: "Listen for mute and unmute on local tracks and tell the user.",
    sentence: "The source of the local {kind} track was muted by the system for {total}",
    thresholds: &[MUTED],
    reads: described("MediaStreamTrack.onmute, onunmute without a connection: of local tracks"),
};

const MUTED_TERMS: Terms = Terms { least: MUTED.value, count: 0.0, join: 0.0 };

/// Why getUserMedia failed.
fn reason(error: &str) -> &'static Rule {
    // As of the standard, and by older names of Chromium and Firefox.
    let name = error.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
    match name {
        "NotAllowedError" | "PermissionDeniedError" | "PermissionDismissedError" | "SecurityError" => &CAPTURE_DENIED,
        "NotReadableError" | "TrackStartError" | "SourceUnavailableError" | "AbortError" => &CAPTURE_DEVICE_BUSY,
        "NotFoundError" | "DevicesNotFoundError" => &CAPTURE_DEVICE_NOT_FOUND,
        "OverconstrainedError" | "OverConstrainedError" | "ConstraintNotSatisfiedError" => &CAPTURE_OVERCONSTRAINED,
        _ => &CAPTURE_FAILED,
    }
}

/// A call of getUserMedia that has no outcome yet.
#[derive(Debug, Clone)]
struct Call {
    tracking: TrackingId,
    device: &'static str,
    frame_rate: Option<f64>,
}

/// Calls that failed for one reason.
#[derive(Debug, Clone)]
struct Failed {
    rule: &'static Rule,
    device: &'static str,
    error: String,
    begin: f64,
    end: f64,
    count: u64,
    /// Whether a call after it had an outcome.
    then: bool,
}

/// A track of getUserMedia.
#[derive(Debug, Clone)]
pub(super) struct Captured {
    id: Box<str>,
    kind: &'static str,
    label: Option<String>,
    start: f64,
    /// How many frames a second the page asked for.
    pub(super) frame_rate: Option<f64>,
    /// Whether the page lets it through, if its client tells that.
    pub(super) is_enabled: Option<bool>,
    /// Whether it has ended, by itself or by the page.
    pub(super) is_over: bool,
    /// When it went away by itself.
    vanished: Option<f64>,
    muted_since: Option<f64>,
    muted: Episodes,
}

/// Follows what getUserMedia gave.
#[derive(Debug, Clone, Default)]
pub(crate) struct Devices {
    calls: VecDeque<Call>,
    failed: Vec<Failed>,
    captured: VecDeque<Captured>,
}

impl Devices {
    /// The track of that id, if getUserMedia gave it.
    pub(super) fn captured(&self, id: &str) -> Option<&Captured> {
        self.captured.iter().rev().find(|captured| *captured.id == *id)
    }

    pub(super) fn event(&mut self, event: &Event<'_>) {
        let method: &str = &event.method;
        match method.strip_prefix("navigator.mediaDevices.").unwrap_or(method) {
            "getUserMedia" => self.called(event),
            "getUserMediaOnSuccess" => self.succeeded(event),
            "getUserMediaOnFailure" => self.failed(event),
            "MediaStreamTrack.onended" => {
                let time = event.time;
                self.track(input::word(event), |track| {
                    if !std::mem::replace(&mut track.is_over, true) {
                        track.vanished = Some(time);
                        track.unmuted(time);
                    }
                });
            }
            "MediaStreamTrack.onmute" => {
                let time = event.time;
                self.track(input::word(event), |track| {
                    if !track.is_over {
                        track.muted_since.get_or_insert(time);
                    }
                });
            }
            "MediaStreamTrack.onunmute" => {
                let time = event.time;
                self.track(input::word(event), |track| track.unmuted(time));
            }
            "MediaStreamTrack.enabled" => {
                let is_enabled = input::json(event).and_then(RawValue::as_bool).unwrap_or(true);
                self.track(extra(event), |track| track.is_enabled = Some(is_enabled));
            }
            "MediaStreamTrack.stop" => {
                let time = event.time;
                self.track(extra(event), |track| {
                    track.is_over = true;
                    track.unmuted(time);
                });
            }
            "MediaStreamTrack.applyConstraints" => {
                let asked = input::json(event).and_then(|arguments| frame_rate(arguments.at(0)?));
                self.track(extra(event), |track| track.frame_rate = asked);
            }
            _ => {}
        }
    }

    fn track(&mut self, id: Option<impl AsRef<str>>, change: impl FnOnce(&mut Captured)) {
        let Some(id) = id else { return };
        if let Some(track) = self.captured.iter_mut().rev().find(|captured| *captured.id == *id.as_ref()) {
            change(track);
        }
    }

    fn called(&mut self, event: &Event<'_>) {
        let asked = |kind| input::member(event, kind).filter(|asked| asked.truthy());
        let (audio, video) = (asked("audio").is_some(), asked("video"));
        let device = match (audio, video.is_some()) {
            (true, true) => "microphone and camera",
            (false, true) => "camera",
            _ => "microphone",
        };
        if self.calls.len() >= limits::TRACKS_PER_CALL {
            self.calls.pop_front();
        }
        let frame_rate = video.and_then(frame_rate);
        self.calls.push_back(Call { tracking: TrackingId::of(event), device, frame_rate });
    }

    /// The call that has its outcome.
    fn answered(&mut self, event: &Event<'_>) -> Option<Call> {
        let tracking = TrackingId::of(event);
        let at = self.calls.iter().position(|call| call.tracking.ties(&tracking))?;
        self.calls.remove(at)
    }

    fn succeeded(&mut self, event: &Event<'_>) {
        let call = self.answered(event);
        for failed in &mut self.failed {
            failed.then = true;
        }
        let is_enabled = tells_enabled(event).then_some(true);
        let Some(tracks) = input::json(event) else { return };
        for track in tracks.elements().take(limits::TRACKS_PER_CALL) {
            let kind = match track.at(0).map(RawValue::text) {
                Some(r#""audio""#) => "audio",
                Some(r#""video""#) => "video",
                _ => continue,
            };
            let Some(id) = track.at(1).and_then(RawValue::as_str).and_then(|id| input::identifier(&id)) else {
                continue;
            };
            if self.captured.len() >= limits::USER_MEDIA_TRACKS {
                self.captured.pop_front();
            }
            let label = track.at(2).and_then(RawValue::as_str).filter(|label| !label.is_empty());
            self.captured.push_back(Captured {
                id,
                kind,
                label: label.map(|label| input::bounded(&label, limits::FINDING_TEXT)),
                start: event.time,
                frame_rate: call.as_ref().filter(|_| kind == "video").and_then(|call| call.frame_rate),
                is_enabled,
                is_over: false,
                vanished: None,
                muted_since: None,
                muted: Episodes::default(),
            });
        }
    }

    fn failed(&mut self, event: &Event<'_>) {
        let device = self.answered(event).map_or("microphone or camera", |call| call.device);
        let name = input::member(event, "name").and_then(RawValue::as_str).map(|name| name.into_owned());
        let error = name.or_else(|| input::failure(event)).unwrap_or_else(|| "no reason was given".to_owned());
        let rule = reason(&error);
        if let Some(failed) = self.failed.iter_mut().find(|failed| failed.rule == rule && failed.device == device) {
            failed.end = event.time;
            failed.count = failed.count.saturating_add(1);
            failed.then = false;
            return;
        }
        let error = input::bounded(&error, limits::FINDING_TEXT);
        self.failed.push(Failed { rule, device, error, begin: event.time, end: event.time, count: 1, then: false });
    }

    pub(super) fn write(&self, end: f64, sink: &mut Sink<'_>) {
        for failed in &self.failed {
            let mut values = vec![
                text("device", failed.device),
                number("count", failed.count as f64, Unit::Count),
                text("error", &failed.error),
            ];
            values.extend(failed.then.then(|| text("then", "and a later call succeeded")));
            sink.found(failed.rule, None, (failed.begin, failed.end), values);
        }
        for track in &self.captured {
            track.write(end, sink);
        }
    }
}

impl Captured {
    fn unmuted(&mut self, time: f64) {
        if let Some(begin) = self.muted_since.take() {
            let seconds = (time - begin).max(0.0) / 1000.0;
            self.muted.add(Piece { begin, end: time, seconds, ..Piece::default() }, MUTED_TERMS);
        }
    }

    fn write(&self, end: f64, sink: &mut Sink<'_>) {
        let of = FindingTrack {
            kind: Some(self.kind.to_owned()),
            track_identifier: Some(self.id.to_string()),
            ..FindingTrack::default()
        };
        if let Some(time) = self.vanished {
            let mut values = vec![number("after", (time - self.start).max(0.0) / 1000.0, Unit::Seconds)];
            values.extend(self.label.as_deref().map(|label| text("label", label)));
            sink.found(&DEVICE_VANISHED, Some(&of), (time, time), values);
        }
        let mut all = self.clone();
        all.unmuted(end);
        sink.episodes(&SOURCE_MUTED, Some(&of), (&all.muted, MUTED_TERMS), &|episode| {
            vec![number("total", episode.whole.seconds, Unit::Seconds)]
        });
    }
}

/// Whether who wrote this outcome of getUserMedia traces `MediaStreamTrack.enabled`: our client and upstream's do. Theirs are lines with
/// a tracking id of theirs alone. Jitsi's have none, and those of Chromium's own dumps have more.
fn tells_enabled(event: &Event<'_>) -> bool {
    matches!(&*event.extra, [tracking] if tracking.text().starts_with("\"60-"))
}

/// The first extra, which is the id of a track.
fn extra<'e>(event: &'e Event<'_>) -> Option<std::borrow::Cow<'e, str>> {
    event.extra.first()?.as_str()
}

/// How many frames a second constraints ask for.
fn frame_rate(constraints: RawValue<'_>) -> Option<f64> {
    let asked = constraints.get("frameRate")?;
    let number = |value: RawValue<'_>| value.as_f64();
    let member = |name| asked.get(name).and_then(number);
    number(asked).or_else(|| member("exact")).or_else(|| member("ideal")).or_else(|| member("min"))
}
