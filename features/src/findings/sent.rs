//! What is sent, one `outbound-rtp` entry: what the encoder made of its source, and what became of it on its way.

use std::sync::LazyLock;

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, Places, Report, Wanted};

use super::codec::{Fallbacks, Side};
use super::directions::Directions;
use super::episodes::{Episodes, JOIN, Piece, Terms};
use super::finding::FindingTrack;
use super::growth::Growth;
use super::limited::{Limits, Reason};
use super::looks::Window;
use super::loss::{self, Losses};
use super::rule::{Rule, Severity, Threshold};
use super::sink::{Sink, number, text};
use super::sources::Source;
use super::watch::Around;
use crate::input;
use crate::track::{Direction, legacy};
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] =
    &[&NO_MEDIA_SENT, &ENCODER_SLOW, &SIMULCAST_LAYER_LOST, &KEY_FRAME_STORM, &VIDEO_BLACK];

const DRY: Threshold = Threshold {
    name: described("time without a packet"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described(
        "two looks; Opus with DTX sends a packet every 400 ms, and encoders of video repeat a still picture at least once a second",
    ),
};

static NO_MEDIA_SENT: Rule = Rule {
    id: "no-media-sent",
    severity: Severity::Critical,
    title: "Nothing was sent",
    meaning: "The others did not hear or see this user: the source gave sound or pictures, and none left the browser though the connection was up.",
    advice: "Look whether the transceiver's direction and the far end's answer let it send, and whether the encoder failed.",
    sentence: "No {kind} was sent for {total} though its source was running",
    thresholds: &[DRY],
    reads: described(
        "setLocalDescription, setRemoteDescription: directions; getStats: outbound-rtp.packetsSent, active; media-source.frames, totalSamplesDuration",
    ),
};

const HALF: Threshold = Threshold {
    name: described("share of the source's frames that is encoded"),
    value: 0.5,
    unit: Unit::Fraction,
    reason: described(
        "reasoned: an encoder drops a frame now and then to keep its bit rate; of 30 frames 15 are seen to jerk",
    ),
};

const LIVELY: Threshold = Threshold {
    name: described("frame rate of the source"),
    value: 10.0,
    unit: Unit::FramesPerSecond,
    reason: described("below it there is little to drop: a screen's source gives what changes"),
};

const BEHIND: Threshold = Threshold {
    name: described("time behind"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described("reasoned: two looks; encoders are slow while they start"),
};

static ENCODER_SLOW: Rule = Rule {
    id: "encoder-slow",
    severity: Severity::Warning,
    title: "The encoder is slower than the camera",
    meaning: "The others saw this user jerk: the encoder took only a part of the frames, and did not say that processor or bandwidth limit it.",
    advice: "Look at the bit rate that the encoder may use for that size, at its implementation, and at its time for a frame.",
    sentence: "Only {worst} of {source} were encoded, for {total}",
    thresholds: &[HALF, LIVELY, BEHIND],
    reads: described(
        "getStats: outbound-rtp.framesEncoded (of simulcast the fastest layer), qualityLimitationReason; media-source.frames. Silent where the page sets a maxFramerate",
    ),
};

static SIMULCAST_LAYER_LOST: Rule = Rule {
    id: "simulcast-layer-lost",
    severity: Severity::Warning,
    title: "A layer of simulcast stood still",
    meaning: "Those who receive that layer saw a still picture, or were switched to another size.",
    advice: "Bandwidth or the processor may not suffice for all layers: look at the limitations at that moment.",
    sentence: "Layer {rid} of the sent video stood still for {total} while others went on[, limited by {reason}]",
    thresholds: &[DRY],
    reads: described(
        "getStats: outbound-rtp.packetsSent, active, rid, qualityLimitationReason, of streams with one mid or mediaSourceId",
    ),
};

const STORM: Threshold = Threshold {
    name: described("key frames a second"),
    value: 0.5,
    unit: Unit::FramesPerSecond,
    reason: described(
        "reasoned: libwebrtc sends one in 300 ms at most (kMinKeyframeSendIntervalMs); who joins asks for one, and one every two seconds for so long is no joining",
    ),
};

const STORM_TIME: Threshold = Threshold {
    name: described("time of so many"),
    value: 9.0,
    unit: Unit::Seconds,
    reason: described("reasoned: two looks"),
};

static KEY_FRAME_STORM: Rule = Rule {
    id: "key-frame-storm",
    severity: Severity::Warning,
    title: "Key frames again and again",
    meaning: "The others saw less sharp pictures: each key frame costs as much as many others, and somebody asks for one after the other.",
    advice: "Look who sends PLI or FIR: a receiver that loses much, or an SFU that passes on every request.",
    sentence: "{count:key frame} went out in {total}[, {requests:time} asked for]",
    thresholds: &[STORM, STORM_TIME],
    reads: described("getStats: outbound-rtp.keyFramesEncoded, pliCount, firCount"),
};

const BLACK: Threshold = Threshold {
    name: described("bytes of a frame"),
    value: 100.0,
    unit: Unit::Count,
    reason: described(
        "reasoned: a frame that says nothing but that all is as it was takes some tens of bytes, and the noise of any camera some hundreds",
    ),
};

const BLACK_TIME: Threshold = Threshold {
    name: described("time of such frames"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described("reasoned: two looks"),
};

static VIDEO_BLACK: Rule = Rule {
    id: "video-black",
    severity: Severity::Notice,
    title: "The camera's picture is black or still",
    meaning: "The others saw a black or motionless picture, though the camera gave frames: its lid is closed, or it shows an image.",
    advice: "Ask the user, who may mean it so; a camera in use by another program may give black frames, too.",
    sentence: "The sent video was black or still for {total}, with {worst} bytes a frame",
    thresholds: &[BLACK, BLACK_TIME],
    reads: described(
        "getStats: outbound-rtp.bytesSent, framesEncoded, frameWidth (from 160 on), of tracks of getUserMedia that MediaStreamTrack.enabled does not silence",
    ),
};

const DRY_TERMS: Terms = Terms { least: DRY.value, count: 0.0, join: JOIN };
const SLOW_TERMS: Terms = Terms { least: BEHIND.value, count: 0.0, join: JOIN };
const BLACK_TERMS: Terms = Terms { least: BLACK_TIME.value, count: 0.0, join: JOIN };
const STORM_TERMS: Terms = Terms { least: STORM_TIME.value, count: 0.0, join: JOIN };

/// Declares the members that are looked at.
macro_rules! members {
    ($($member:ident $name:literal;)*) => {
        #[derive(Debug, Clone, Copy)]
        enum Member { $($member,)* }

        const MEMBERS: usize = [$($name),*].len();

        static WANTED: LazyLock<Wanted<MEMBERS>> = LazyLock::new(|| Wanted::new([$($name),*]));

        /// The same of entries from before there was a standard.
        static LEGACY: LazyLock<Wanted<MEMBERS>> =
            LazyLock::new(|| Wanted::new(legacy::names([$($name),*], Direction::Outbound)));
    };
}

members! {
    Packets "packetsSent";
    Bytes "bytesSent";
    Frames "framesEncoded";
    KeyFrames "keyFramesEncoded";
    Plis "pliCount";
    Firs "firCount";
    Width "frameWidth";
    Height "frameHeight";
}

/// What is no number.
#[derive(Debug, Clone, Copy)]
enum Other {
    Active,
    Reason,
    Durations,
    Encoder,
    Efficient,
}

static OTHERS: LazyLock<Wanted<5>> = LazyLock::new(|| {
    Wanted::new([
        "active",
        "qualityLimitationReason",
        "qualityLimitationDurations",
        "encoderImplementation",
        "powerEfficientEncoder",
    ])
});

static FAR_END: LazyLock<Wanted<2>> = LazyLock::new(|| Wanted::new(["packetsLost", "roundTripTime"]));

/// The rules of one stream that is sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Outbound {
    track: FindingTrack,
    is_video: bool,
    /// Whether its entry is one from before there was a standard.
    is_legacy: bool,
    counters: Growth<MEMBERS>,
    others: Places<5>,
    /// The place of its source among those of the connection.
    source: Option<usize>,
    /// Where the entry is that the far end tells of it.
    far_end: Option<usize>,
    at_far_end: Growth<2>,
    /// The place of its sender among those with several layers.
    pub(super) sender: Option<usize>,
    /// Whether it is a layer beside the first: what is told of the sender, each of its streams tells.
    pub(super) is_other_layer: bool,
    /// Whether it is switched on, as far as is told, and whether it was at the look before.
    is_active: bool,
    was_active: bool,
    /// Whether it says that it is.
    says_active: bool,
    /// Packets and frames between the newest two looks.
    pub(super) packets: Option<f64>,
    frames: Option<f64>,
    /// Whether it ever sent.
    pub(super) has_sent: bool,
    limits: Limits,
    dry: Episodes,
    slow: Episodes,
    lost_layer: Episodes,
    storm: Episodes,
    black: Episodes,
    losses: Losses,
    fallbacks: Fallbacks,
}

/// What the streams of one sender do between two looks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layers {
    /// Whether any sends.
    is_sent: bool,
    /// The frames of the fastest.
    frames: f64,
}

impl Outbound {
    /// Its entry is there, maybe for the first time. `is_changed`: whether it may say something else than before; `source`: the place of
    /// its source, and that.
    pub(super) fn found(&mut self, entry: Entry<'_>, is_changed: bool, source: Option<(usize, &Source)>) {
        self.source = source.map(|(at, _)| at);
        self.far_end = None;
        (self.sender, self.is_other_layer) = (None, false);
        if !is_changed {
            return;
        }
        self.is_legacy = entry.kind() == legacy::KIND;
        let name = |name| input::entry_name(entry, name);
        let track = match source {
            Some((_, source)) => source.track_identifier().map(str::to_owned),
            None if self.is_legacy => name("googTrackId"),
            None => None,
        };
        self.track = FindingTrack {
            kind: name(if self.is_legacy { "mediaType" } else { "kind" }).or_else(|| self.track.kind.take()),
            direction: Some("outbound"),
            mid: name("mid"),
            rid: name("rid"),
            track_identifier: track.or_else(|| self.track.track_identifier.take()),
            stats_id: Some(entry.id().to_owned()),
        };
        self.is_video = self.track.kind.as_deref() == Some("video");
    }

    /// Its far end tells of it at that place of the report, if it does.
    pub(super) fn found_far_end(&mut self, place: Option<usize>) {
        self.far_end = place;
    }

    pub(super) fn is_video(&self) -> bool {
        self.is_video
    }

    pub(super) fn is_audio(&self) -> bool {
        self.track.kind.as_deref() == Some("audio")
    }

    pub(super) fn gone(&mut self) {
        self.counters.forget();
        self.at_far_end.forget();
        (self.packets, self.frames) = (None, None);
        self.limits.gone();
    }

    /// The place of its source.
    pub(super) fn source(&self) -> Option<usize> {
        self.source
    }

    /// Whether it was on between the newest two looks. Where no event tells what the page does (`is_traced`), it has to say so itself.
    fn is_on(&self, window_holds: bool, is_traced: bool) -> bool {
        self.is_active && window_holds && (is_traced || self.says_active)
    }

    /// Whether it should send, and has a source that gives something. `is_traced`: whether events tell what the page does.
    pub(super) fn should_send(&self, source: Option<&Source>, directions: &Directions, is_traced: bool) -> bool {
        let is_given = |source: &Source| source.is_alive == Some(true) && source.is_enabled != Some(false);
        let may_send = self.track.mid.as_deref().is_none_or(|mid| directions.may_send(mid));
        self.is_on(true, is_traced) && may_send && source.is_some_and(is_given)
    }

    pub(super) fn look(
        &mut self,
        report: &Report,
        entry: Entry<'_>,
        since: u64,
        window: Option<Window>,
        around: &Around<'_>,
    ) {
        let is_changed = entry.is_changed_since(since);
        self.counters.look(if self.is_legacy { &LEGACY } else { &WANTED }, entry, is_changed);
        self.packets = self.counters.grown(Member::Packets as usize);
        self.frames = self.counters.grown(Member::Frames as usize);
        self.has_sent |= self.packets.is_some_and(|packets| packets > 0.0);
        self.was_active = self.is_active;
        if is_changed {
            self.look_at_others(entry, window);
        }
        match self.far_end.and_then(|place| report.at(place)) {
            Some(far_end) => self.at_far_end.look(&FAR_END, far_end, far_end.is_changed_since(since)),
            None => self.at_far_end.forget(),
        }
        let Some(window) = window else { return };
        let lost = self.at_far_end.signed(0).and_then(loss::unwrapped);
        if let (Some(sent), Some(lost)) = (self.packets, lost) {
            self.losses.look(sent, lost, window, around);
        }
        if self.is_video && !self.is_other_layer {
            let share = lost.zip(self.packets).map_or(0.0, |(lost, sent)| if sent > 0.0 { lost / sent } else { 0.0 });
            let way = (share, around.round_trip_time.or(self.at_far_end.now(1)).unwrap_or(0.0));
            self.limits.look(is_changed, self.counters.now(Member::Height as usize), way, window, around);
            self.key_frames(window);
        }
    }

    /// What is no number.
    fn look_at_others(&mut self, entry: Entry<'_>, window: Option<Window>) {
        self.others.find(&OTHERS, entry);
        let raw = |other: Other| self.others.value(entry, other as usize);
        let active = raw(Other::Active).and_then(RawValue::as_bool);
        (self.is_active, self.says_active) = (active != Some(false), active == Some(true));
        if !self.is_video {
            return;
        }
        let names = [raw(Other::Encoder), raw(Other::Efficient)];
        self.fallbacks.look(names, window.map_or(f64::NAN, |window| window.end));
        self.limits.told(raw(Other::Reason), raw(Other::Durations));
    }

    fn key_frames(&mut self, window: Window) {
        let seconds = window.seconds;
        let grown = |member| self.counters.grown(member as usize);
        let Some(count) = grown(Member::KeyFrames).filter(|count| *count >= STORM.value * seconds) else { return };
        let requests = grown(Member::Plis).unwrap_or(0.0) + grown(Member::Firs).unwrap_or(0.0);
        let piece = Piece { count, sum: requests, ..Piece::of(window) };
        self.storm.add(piece, STORM_TERMS);
    }

    /// Adds to what its sender's streams do.
    pub(super) fn add_to(&self, layers: &mut Layers) {
        layers.is_sent |= self.packets.is_some_and(|packets| packets > 0.0);
        layers.frames = layers.frames.max(self.frames.unwrap_or(0.0));
    }

    /// Compares with its source, and with the other layers, when all have been looked at. `is_free`: whether the page sets no frame
    /// rate of its own; `is_traced`: whether events tell what it does.
    pub(super) fn compare(
        &mut self,
        source: Option<&Source>,
        layers: Option<Layers>,
        window: Window,
        directions: &Directions,
        (is_connected, is_free, is_traced): (bool, bool, bool),
    ) {
        let (piece, seconds) = (Piece::of(window), window.seconds);
        let is_dry = self.packets == Some(0.0);
        match layers {
            Some(layers) if layers.is_sent => {
                if is_dry && self.has_sent && self.is_on(window.holds(self.was_active), is_traced) {
                    let with = [self.limits.reason().number(), 0.0];
                    self.lost_layer.add(Piece { worst: with[0], with, ..piece }, DRY_TERMS);
                }
            }
            _ => {
                let should_send = window.holds(self.was_active) && self.should_send(source, directions, is_traced);
                if is_dry && is_connected && !self.is_other_layer && should_send {
                    self.dry.add(piece, DRY_TERMS);
                }
            }
        }
        let is_camera = source.is_some_and(|source| source.is_enabled == Some(true));
        let is_sized = self.counters.now(Member::Width as usize).is_some_and(|width| width >= 160.0);
        let frames = self.frames.filter(|frames| *frames >= 5.0 * seconds);
        if let (Some(bytes), Some(frames)) = (self.counters.grown(Member::Bytes as usize), frames)
            && is_camera
            && is_sized
            && bytes > 0.0
            && bytes < BLACK.value * frames
        {
            self.black.add(Piece { worst: -bytes / frames, ..piece }, BLACK_TERMS);
        }
        let of_source = source.and_then(|source| source.frame_rate).filter(|rate| *rate >= LIVELY.value);
        let frames = layers.map_or(self.frames, |layers| Some(layers.frames));
        if let (Some(of_source), Some(frames)) = (of_source, frames)
            && self.is_video
            && is_free
            && !self.is_other_layer
            && self.is_active
            && !self.limits.reason().is_any()
            && frames > 0.0
            && frames / seconds < HALF.value * of_source
        {
            let rate = frames / seconds;
            self.slow.add(Piece { worst: -rate, with: [rate, of_source], ..piece }, SLOW_TERMS);
        }
    }

    pub(super) fn write(&self, sink: &mut Sink<'_>) {
        let track = Some(&self.track);
        let total = |seconds: f64| number("total", seconds, Unit::Seconds);
        sink.episodes(&NO_MEDIA_SENT, track, (&self.dry, DRY_TERMS), &|episode| vec![total(episode.whole.seconds)]);
        sink.episodes(&ENCODER_SLOW, track, (&self.slow, SLOW_TERMS), &|episode| {
            let [rate, of_source] = episode.whole.with;
            vec![
                number("worst", rate, Unit::FramesPerSecond),
                number("source", of_source, Unit::FramesPerSecond),
                total(episode.whole.seconds),
            ]
        });
        sink.episodes(&SIMULCAST_LAYER_LOST, track, (&self.lost_layer, DRY_TERMS), &|episode| {
            let name = self.track.rid.as_deref().or(self.track.stats_id.as_deref()).unwrap_or_default();
            let mut values = vec![text("rid", name), total(episode.whole.seconds)];
            let [reason, _] = episode.whole.with;
            values.extend(Reason::name(reason).map(|name| text("reason", name)));
            values
        });
        sink.episodes(&KEY_FRAME_STORM, track, (&self.storm, STORM_TERMS), &|episode| {
            let mut values = vec![number("count", episode.whole.count, Unit::Count), total(episode.whole.seconds)];
            if episode.whole.sum > 0.0 {
                values.push(number("requests", episode.whole.sum, Unit::Count));
            }
            values
        });
        sink.episodes(&VIDEO_BLACK, track, (&self.black, BLACK_TERMS), &|episode| {
            vec![total(episode.whole.seconds), number("worst", (-episode.whole.worst).round(), Unit::Count)]
        });
        self.limits.write(&self.track, sink);
        self.losses.write("sent", &self.track, sink);
        self.fallbacks.write(Side::Encoder, &self.track, sink);
    }
}
