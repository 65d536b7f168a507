//! What the events without a connection say: the client itself, media capture, and the tracks that ended by themselves.

use std::collections::VecDeque;

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::RawValue;

use crate::conference::Conference;
use crate::input::{self, TrackingId};
use crate::limits;
use crate::table::{CLIENT_FEATURES, ClientFeatures};
use crate::value::{Json, UnixMillis};

/// A track of getUserMedia whose end may come.
#[derive(Debug)]
struct CapturedTrack {
    id: Box<str>,
    kind: TrackKind,
    start: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum TrackKind {
    Audio,
    Video,
}

/// The first call of getUserMedia. A later call is not looked at, even if the first failed.
#[derive(Debug, Default)]
enum FirstCall {
    #[default]
    None,
    Pending(f64, TrackingId),
    Done(Option<i64>),
}

impl FirstCall {
    fn called(&mut self, event: &Event<'_>) {
        if matches!(self, Self::None) {
            *self = Self::Pending(event.time, TrackingId::of(event));
        }
    }

    fn succeeded(&mut self, event: &Event<'_>) {
        if let Self::Pending(time, tracking) = self
            && tracking.ties(&TrackingId::of(event))
        {
            *self = Self::Done(input::millis(event.time - *time));
        }
    }

    fn failed(&mut self, event: &Event<'_>) {
        if matches!(self, Self::Pending(_, tracking) if tracking.ties(&TrackingId::of(event))) {
            *self = Self::Done(None);
        }
    }
}

/// What the page has called, and how often.
#[derive(Debug, Default)]
struct Called {
    enumerations: u64,
    display_media: bool,
    display_media_audio: bool,
    display_media_video: bool,
    display_media_errors: u64,
    display_media_successes: u64,
    user_media: bool,
    user_media_audio: bool,
    user_media_combined: bool,
    user_media_video: bool,
    user_media_errors: u64,
    user_media_successes: u64,
}

impl Called {
    fn write(&self, features: &mut ClientFeatures) {
        features.enumerate_devices_count = Some(self.enumerations);
        features.called_get_display_media = Some(self.display_media);
        features.called_get_display_media_audio = Some(self.display_media_audio);
        features.called_get_display_media_video = Some(self.display_media_video);
        features.get_display_media_error_count = Some(self.display_media_errors);
        features.get_display_media_success_count = Some(self.display_media_successes);
        features.called_get_user_media = Some(self.user_media);
        features.called_get_user_media_audio = Some(self.user_media_audio);
        features.called_get_user_media_combined = Some(self.user_media_combined);
        features.called_get_user_media_video = Some(self.user_media_video);
        features.get_user_media_error_count = Some(self.user_media_errors);
        features.get_user_media_success_count = Some(self.user_media_successes);
    }
}

/// Accumulates the features of the client.
#[derive(Debug, Default)]
pub(crate) struct ClientExtractor {
    /// What is final as soon as it is seen.
    features: ClientFeatures,
    called: Called,
    times: Option<(f64, f64)>,
    created: bool,
    socket_seen: bool,
    error_seen: bool,
    first_call: FirstCall,
    tracks: VecDeque<CapturedTrack>,
    /// Only of an application that tells of one.
    conference: Option<Box<Conference>>,
}

impl ClientExtractor {
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        let (_, last) = self.times.get_or_insert((event.time, event.time));
        *last = event.time;

        let method: &str = &event.method;
        match method {
            "create" => self.create(event),
            "websocket" => self.socket(event),
            "MediaStreamTrack.onended" => self.track_ended(event),
            "navigator.mediaDevices.enumerateDevices" => self.called.enumerations += 1,
            _ if Conference::is_told_by(method) => self.conference.get_or_insert_default().event(event),
            _ => match capture_call(method) {
                "getUserMedia" => self.get_user_media(event),
                "getUserMediaOnSuccess" => self.got_user_media(event),
                "getUserMediaOnFailure" => self.user_media_failed(event),
                "getDisplayMedia" => self.get_display_media(event),
                "getDisplayMediaOnSuccess" => self.called.display_media_successes += 1,
                "getDisplayMediaOnFailure" => self.called.display_media_errors += 1,
                _ => {}
            },
        }
    }

    /// `end`: the time of the session's newest event, but for its end; `is_traced`: whether any event tells what the page or its browser did.
    pub(crate) fn features(&self, end: f64, is_traced: bool) -> ClientFeatures {
        let mut features = self.features.clone();
        if is_traced {
            self.called.write(&mut features);
        }
        if let Some((first, last)) = self.times {
            features.start_time = input::millis(first).map(UnixMillis);
            features.duration = input::millis(last - first);
        }
        if let FirstCall::Done(delay) = self.first_call {
            // A clock may go back.
            features.get_user_media_delay = delay.map(|millis| millis.max(0));
        }
        if let Some(conference) = &self.conference {
            conference.write(end, &mut features);
        }
        features
    }

    /// Upstream has no features at all without this event; here only those that it carries are absent.
    fn create(&mut self, event: &Event<'_>) {
        if std::mem::replace(&mut self.created, true) {
            return;
        }
        let Some(client) = input::json(event) else { return };
        for (name, value) in client.members() {
            let features = &mut self.features;
            match &*name {
                "hardwareConcurrency" => features.hardware_concurrency = input::integer(value),
                "userAgentData" => {
                    features.user_agent_data = Json::new(value.text());
                    features.operating_system = value.get("platform").and_then(input::text);
                }
                "deviceMemory" => features.device_memory = value.as_f64(),
                "cpuPerformance" => features.cpu_performance = input::integer(value),
                "screen" => features.screen = Json::new(value.text()),
                "window" => features.window = Json::new(value.text()),
                "reloadCount" => features.reload_count = input::integer(value),
                other => self.other(other, value),
            }
        }
    }

    /// A client may say more than is known here; it cannot overrule what is computed.
    fn other(&mut self, name: &str, value: RawValue<'_>) {
        let other = &mut self.features.other;
        let known = CLIENT_FEATURES.iter().any(|feature| feature.name == name);
        let room = other.len() < limits::OTHER_MEMBERS || other.contains_key(name);
        if known || !room || name.len() > limits::OTHER_NAME {
            return;
        }
        if let Some(json) = Json::new(value.text()) {
            other.insert(name.to_owned(), json);
        }
    }

    fn socket(&mut self, event: &Event<'_>) {
        if !std::mem::replace(&mut self.socket_seen, true) {
            let time = input::member(event, "connectionTime").and_then(RawValue::as_f64);
            self.features.web_socket_connection_time = time.and_then(input::millis);
        }
    }

    fn get_user_media(&mut self, event: &Event<'_>) {
        self.first_call.called(event);
        let asks = |kind| input::member(event, kind).is_some_and(RawValue::truthy);
        let (audio, video) = (asks("audio"), asks("video"));
        self.called.user_media = true;
        self.called.user_media_audio |= audio;
        self.called.user_media_video |= video;
        self.called.user_media_combined |= audio && video;
    }

    fn got_user_media(&mut self, event: &Event<'_>) {
        self.called.user_media_successes += 1;
        self.first_call.succeeded(event);
        let Some(tracks) = input::json(event) else { return };
        for track in tracks.elements().take(limits::TRACKS_PER_CALL) {
            let mut fields = track.elements();
            let mut field = || fields.next().and_then(RawValue::as_str);
            let (kind, id, label) = (field(), field(), field());
            let kind = match kind.as_deref() {
                Some("audio") => TrackKind::Audio,
                Some("video") => TrackKind::Video,
                _ => continue,
            };
            let usb_id = match kind {
                TrackKind::Audio => &mut self.features.audio_device_usb_id,
                TrackKind::Video => &mut self.features.video_device_usb_id,
            };
            if usb_id.is_none() {
                *usb_id = label.as_deref().and_then(usb_id_in);
            }
            if let Some(id) = id.as_deref().and_then(input::identifier) {
                self.remember(CapturedTrack { id, kind, start: event.time });
            }
        }
    }

    fn remember(&mut self, track: CapturedTrack) {
        self.tracks.retain(|known| known.id != track.id);
        if self.tracks.len() >= limits::USER_MEDIA_TRACKS {
            self.tracks.pop_front();
        }
        self.tracks.push_back(track);
    }

    fn user_media_failed(&mut self, event: &Event<'_>) {
        self.called.user_media_errors += 1;
        self.first_call.failed(event);
        if !std::mem::replace(&mut self.error_seen, true) {
            self.features.get_user_media_error = input::failure(event);
        }
    }

    fn get_display_media(&mut self, event: &Event<'_>) {
        self.called.display_media = true;
        self.called.display_media_audio |= input::member(event, "audio").is_some_and(RawValue::truthy);
        // Video is what getDisplayMedia is for: only an explicit false refuses it.
        let refused = input::member(event, "video").and_then(RawValue::as_bool) == Some(false);
        self.called.display_media_video |= !refused;
    }

    fn track_ended(&mut self, event: &Event<'_>) {
        let Some(id) = input::word(event) else { return };
        let Some(track) = self.tracks.iter().find(|track| *track.id == *id) else { return };
        let (ended, short) = match track.kind {
            TrackKind::Audio => (&mut self.features.audio_ended, &mut self.features.audio_short_duration),
            TrackKind::Video => (&mut self.features.video_ended, &mut self.features.video_short_duration),
        };
        *ended = Some(true);
        if event.time - track.start < 1000.0 {
            *short = Some(true);
        }
    }
}

/// The name of a capture call without the object that it is called on; older clients trace `getUserMedia` bare.
fn capture_call(method: &str) -> &str {
    method.strip_prefix("navigator.mediaDevices.").unwrap_or(method)
}

/// Browsers end the label of a USB device with `(vendor:product)`, four hexadecimal digits each. JavaScript counts
/// UTF-16 code units from the label's end, and so do we.
fn usb_id_in(label: &str) -> Option<String> {
    let inner: Vec<u16> = label.strip_suffix(')')?.encode_utf16().collect();
    let id = inner.get(inner.len().saturating_sub(9)..)?;
    (id.get(4) == Some(&u16::from(b':'))).then(|| String::from_utf16_lossy(id))
}
