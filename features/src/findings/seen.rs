//! What is seen of video that is received: freezes, decoders that do not keep up or do not go on, and pictures of nothing.

use std::sync::LazyLock;

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, Places, Wanted};

use super::episodes::{Episodes, JOIN, Piece, Terms};
use super::finding::FindingTrack;
use super::looks::Window;
use super::received::{Gained, Member};
use super::rule::{Rule, Severity, Threshold};
use super::sink::{Sink, number, text};
use super::watch::Around;
use crate::limits;
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] = &[&DECODER_STUCK, &VIDEO_FROZEN, &REPAIR_FAILS, &DECODER_OVERLOADED, &VIDEO_BLANK];

const FREEZES: Threshold = Threshold {
    name: described("frozen time"),
    value: 1.0,
    unit: Unit::Seconds,
    reason: described(
        "webrtc-stats counts as a freeze what lasts longer than max(3 δ, δ + 150 ms) after the frame before, δ being the mean of the last 30 frames; half a second now and then passes for a hitch",
    ),
};

const STILL: Threshold = Threshold {
    name: described("time without a frame, of a browser that does not count freezes"),
    value: 5.0,
    unit: Unit::Seconds,
    reason: described(
        "reasoned: well beyond the 3 s after which libwebrtc asks for a key frame (kMaxWaitForFrame); reports a second apart tell no less exactly",
    ),
};

const SMOOTH: Threshold = Threshold {
    name: described("frame rate before that"),
    value: 5.0,
    unit: Unit::FramesPerSecond,
    reason: described("reasoned: a shared screen that shows nothing new has fewer, and may stand still"),
};

const SMOOTH_TIME: Threshold = Threshold {
    name: described("time with that frame rate"),
    value: 4.0,
    unit: Unit::Seconds,
    reason: described("reasoned: a page that is scrolled moves for less"),
};

static VIDEO_FROZEN: Rule = Rule {
    id: "video-frozen",
    severity: Severity::Warning,
    title: "Video froze",
    meaning: "The viewer saw a still picture while the sender moved.",
    advice: "Look for packet loss, a change of path or an overloaded decoder at that moment; if there is none, at the sender's encoder and frame rate.",
    sentence: "Video froze {count:times}, for {total} in all[, up to {longest} at once][, {path}]",
    thresholds: &[FREEZES, STILL, SMOOTH, SMOOTH_TIME],
    reads: described(
        "getStats: inbound-rtp.freezeCount, totalFreezesDuration, else framesDecoded, unless its track is muted or ends, its direction is negotiated, or its page is hidden, frozen or suspended meanwhile",
    ),
};

const STUCK: Threshold = Threshold {
    name: described("time in which nothing was decoded"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described(
        "two looks; libwebrtc asks for a key frame after 3 s without a frame (kMaxWaitForFrame), and again",
    ),
};

static DECODER_STUCK: Rule = Rule {
    id: "decoder-stuck",
    severity: Severity::Critical,
    title: "Video comes and is not decoded",
    meaning: "This user saw a still picture or none while frames came: the decoder does not know the codec or has failed, or the frames are encrypted with another key.",
    advice: "NullVideoDecoder means that the browser cannot decode what was negotiated. Look at end-to-end encryption, at transforms, and for key frames that do not come.",
    sentence: "Video arrived and none of it was decoded for {total}[, by {decoder}]",
    thresholds: &[STUCK],
    reads: described(
        "getStats: inbound-rtp.framesReceived, else packetsReceived, with framesDecoded; decoderImplementation",
    ),
};

const REQUESTS: Threshold = Threshold {
    name: described("requests for a key frame between two looks"),
    value: 2.0,
    unit: Unit::Count,
    reason: described("one may be answered after the look"),
};

const REPAIR: Threshold = Threshold {
    name: described("time without a key frame"),
    value: 9.0,
    unit: Unit::Seconds,
    reason: described("reasoned: two looks; an answer takes a round trip and a frame"),
};

static REPAIR_FAILS: Rule = Rule {
    id: "repair-fails",
    severity: Severity::Warning,
    title: "Key frames are asked for and do not come",
    meaning: "This user saw a still or smeared picture: the receiver asks for a whole picture (PLI, FIR) and gets none.",
    advice: "Look whether the requests reach the sender: its pliCount should grow. An SFU may drop them, or throttle key frames.",
    sentence: "{count:key frame} asked for in {total}, and none came",
    thresholds: &[REQUESTS, REPAIR],
    reads: described("getStats: inbound-rtp.pliCount, firCount, keyFramesDecoded, packetsReceived"),
};

const BUSY: Threshold = Threshold {
    name: described("share of the time that decoding takes"),
    value: 0.8,
    unit: Unit::Fraction,
    reason: described("reasoned: one decoder works at one frame after the other, and needs room for large ones"),
};

const DROPPED: Threshold = Threshold {
    name: described("share of dropped frames"),
    value: 0.1,
    unit: Unit::Fraction,
    reason: described(
        "reasoned: decoders in hardware work at several frames at once, so time alone proves nothing; three frames of 30 are seen",
    ),
};

const OVERLOAD_TIME: Threshold = Threshold {
    name: described("time of both"),
    value: 9.0,
    unit: Unit::Seconds,
    reason: described("reasoned: two looks"),
};

static DECODER_OVERLOADED: Rule = Rule {
    id: "decoder-overloaded",
    severity: Severity::Warning,
    title: "The decoder does not keep up",
    meaning: "This user saw video jerk: the machine takes longer to decode a frame than there is from one to the next, and drops some.",
    advice: "Receive smaller or fewer videos, prefer a codec that the machine decodes in hardware.",
    sentence: "The decoder was busy for up to {worst} of the time and dropped {dropped} of the frames, for {total}",
    thresholds: &[BUSY, DROPPED, OVERLOAD_TIME],
    reads: described("getStats: inbound-rtp.totalDecodeTime, framesDropped, framesReceived"),
};

const TINY: Threshold = Threshold {
    name: described("width and height"),
    value: 2.0,
    unit: Unit::Pixels,
    reason: described(
        "browsers send 2 x 2 black pixels for a source that has ended or gives nothing; no camera has so few",
    ),
};

const BLANK_TIME: Threshold = Threshold {
    name: described("time of such pictures"),
    value: 9.0,
    unit: Unit::Seconds,
    reason: described("reasoned: two looks; a source that is replaced shows nothing for a moment"),
};

static VIDEO_BLANK: Rule = Rule {
    id: "video-blank",
    severity: Severity::Warning,
    title: "Video of 2 x 2 pixels",
    meaning: "This user saw a black or empty picture: what comes is a placeholder for a source that gives nothing.",
    advice: "Look at the sender's camera or canvas: its track may have ended.",
    sentence: "Received video was {width} x {height} pixels for {total}",
    thresholds: &[TINY, BLANK_TIME],
    reads: described("getStats: inbound-rtp.frameWidth, frameHeight, framesDecoded"),
};

const FROZEN_TERMS: Terms = Terms { least: FREEZES.value, count: 0.0, join: JOIN };
const STUCK_TERMS: Terms = Terms { least: STUCK.value, count: 0.0, join: JOIN };
const REPAIR_TERMS: Terms = Terms { least: REPAIR.value, count: 0.0, join: JOIN };
const OVERLOAD_TERMS: Terms = Terms { least: OVERLOAD_TIME.value, count: 0.0, join: JOIN };
const BLANK_TERMS: Terms = Terms { least: BLANK_TIME.value, count: 0.0, join: JOIN };

/// Without a count of frames, so many packets a second are video and no mere probes or padding.
const FRAMES_WORTH: f64 = 5.0;

static FREEZE: LazyLock<Wanted<3>> =
    LazyLock::new(|| Wanted::new(["freezeCount", "totalFreezesDuration", "framesDecoded"]));

/// A video of which only its frames tell whether it moves.
#[derive(Debug, Clone, Copy)]
struct Moving {
    frames: f64,
    /// The newest report with more frames than the one before (Unix ms).
    at: f64,
    /// Since when it has moved smoothly (Unix ms).
    smooth_since: f64,
}

impl Moving {
    fn at(frames: f64, time: f64) -> Self {
        Self { frames, at: time, smooth_since: time }
    }

    /// Takes in another count; says for how long (s) it has stood before, if that was a freeze. `steady`: from when on nothing else has
    /// kept it from moving.
    fn glance(&mut self, frames: f64, before: f64, time: f64, steady: f64) -> Option<f64> {
        let Self { frames: had, at, smooth_since } = *self;
        let grown = frames - had;
        if grown == 0.0 {
            return None;
        }
        let rate = 1000.0 * grown / (time - before).max(1.0);
        let is_smooth = grown > 0.0 && rate >= SMOOTH.value;
        let stood = (before - at) / 1000.0;
        let moves_on = is_smooth && stood <= 0.0;
        *self = Self { frames, at: time, smooth_since: if moves_on { smooth_since } else { time } };
        let was_smooth = at - smooth_since >= 1000.0 * SMOOTH_TIME.value;
        (grown > 0.0 && was_smooth && at >= steady && stood >= STILL.value).then_some(stood)
    }
}

/// The rules of one video.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Where its entry counts freezes, and what it counted last: how many, for how long (s).
    places: Places<3>,
    freezes: Option<(f64, f64)>,
    /// Where it counts none.
    moving: Option<Moving>,
    /// When something happened to its track (Unix ms).
    interrupted: f64,
    frozen: Episodes,
    decoder: Box<str>,
    stuck: Episodes,
    repair: Episodes,
    overloaded: Episodes,
    blank: Episodes,
    /// Whether it was blank at the look before.
    was_blank: bool,
}

impl Seen {
    pub(super) fn gone(&mut self) {
        (self.places, self.freezes, self.moving, self.was_blank) = (Places::default(), None, None, false);
    }

    /// Its track was muted, unmuted or ended.
    pub(super) fn interrupted(&mut self, time: f64) {
        self.interrupted = time;
    }

    /// `name`: of the decoder, as JSON.
    pub(super) fn decoder(&mut self, name: Option<&str>) {
        if let Some(name) = name.filter(|name| **name != *self.decoder && name.len() <= limits::FINDING_TEXT) {
            self.decoder = name.into();
        }
    }

    /// A freeze is counted when it is over: with the frame that ends it. `steady`: since when reports have come regularly and nothing was
    /// negotiated (Unix ms).
    pub(super) fn glance(&mut self, entry: Entry<'_>, before: f64, time: f64, steady: f64, around: &Around<'_>) {
        self.places.find(&FREEZE, entry);
        let value = |at| self.places.value(entry, at).and_then(RawValue::as_f64).filter(|value| value.is_finite());
        let count = value(0);
        if count.is_none() || value(1).is_none() {
            let Some(frames) = value(2) else { return };
            let steady = steady.max(self.interrupted).max(around.page.away_until());
            let moving = self.moving.get_or_insert(Moving::at(frames, time));
            if let Some(stood) = moving.glance(frames, before, time, steady) {
                let begin = before - 1000.0 * stood;
                let piece = Piece { begin, end: before, seconds: stood, count: 1.0, worst: stood, ..Piece::default() };
                self.frozen.add(Piece { with: [1.0, 0.0], path: around.path, ..piece }, FROZEN_TERMS);
            }
            return;
        }
        if count == self.freezes.map(|(count, _)| count) {
            return;
        }
        let now = count.zip(value(1));
        let before_it = std::mem::replace(&mut self.freezes, now);
        let (Some((count, total)), Some((count_before, total_before))) = (now, before_it) else { return };
        let (count, seconds) = (count - count_before, total - total_before);
        if count < 1.0 || seconds <= 0.0 {
            return;
        }
        let begin = (time - 1000.0 * seconds).min(before);
        let (worst, path) = (seconds / count, around.path);
        let with = [count, 0.0];
        self.frozen
            .add(Piece { begin, end: time, seconds, count, worst, with, path, ..Piece::default() }, FROZEN_TERMS);
    }

    pub(super) fn look(&mut self, gained: Gained<'_>, window: Window, around: &Around<'_>) {
        let piece = Piece::of(window);
        let of = |member| gained.of(member);
        let packets = of(Member::Packets).unwrap_or(0.0);
        let frames = of(Member::FramesReceived);
        let comes = frames.map_or(packets >= FRAMES_WORTH * piece.seconds, |frames| frames > 0.0);
        if comes && of(Member::FramesDecoded) == Some(0.0) {
            self.stuck.add(piece, STUCK_TERMS);
        }
        let requests = of(Member::Plis).unwrap_or(0.0) + of(Member::Firs).unwrap_or(0.0);
        if requests >= REQUESTS.value && packets > 0.0 && of(Member::KeyFrames) == Some(0.0) {
            self.repair.add(Piece { count: requests, path: around.path, ..piece }, REPAIR_TERMS);
        }
        if let (Some(busy), Some(dropped)) = (of(Member::DecodeTime), of(Member::FramesDropped)) {
            let busy = busy / piece.seconds;
            let dropped = dropped / frames.or(of(Member::FramesDecoded)).unwrap_or(0.0).max(1.0);
            if busy >= BUSY.value && dropped >= DROPPED.value {
                let (busy, dropped) = (busy.min(1.0), dropped.min(1.0));
                self.overloaded.add(Piece { worst: busy + dropped, with: [busy, dropped], ..piece }, OVERLOAD_TERMS);
            }
        }
        let size = gained.now(Member::Width).zip(gained.now(Member::Height));
        let is_tiny = |size: f64| size > 0.0 && size <= TINY.value;
        let blank = size.filter(|(width, height)| is_tiny(*width) && is_tiny(*height));
        let was_blank = std::mem::replace(&mut self.was_blank, blank.is_some());
        if let Some((width, height)) = blank
            && window.holds(was_blank)
            && of(Member::FramesDecoded) > Some(0.0)
        {
            self.blank.add(Piece { with: [width, height], ..piece }, BLANK_TERMS);
        }
    }

    pub(super) fn write(&self, track: &FindingTrack, sink: &mut Sink<'_>) {
        let track = Some(track);
        let total = |seconds: f64| number("total", seconds, Unit::Seconds);
        sink.episodes(&DECODER_STUCK, track, (&self.stuck, STUCK_TERMS), &|episode| {
            let mut values = vec![total(episode.whole.seconds)];
            if !self.decoder.is_empty() {
                values.push(text("decoder", self.decoder.trim_matches('"')));
            }
            values
        });
        sink.episodes(&VIDEO_FROZEN, track, (&self.frozen, FROZEN_TERMS), &|episode| {
            let whole = &episode.whole;
            let mut values = vec![number("count", whole.count, Unit::Count), total(whole.seconds)];
            // Of several between two reports, only the mean is known.
            if whole.count > 1.0 && whole.with[0] <= 1.0 {
                values.push(number("longest", whole.worst, Unit::Seconds));
            }
            values
        });
        sink.episodes(&REPAIR_FAILS, track, (&self.repair, REPAIR_TERMS), &|episode| {
            vec![number("count", episode.whole.count, Unit::Count), total(episode.whole.seconds)]
        });
        sink.episodes(&DECODER_OVERLOADED, track, (&self.overloaded, OVERLOAD_TERMS), &|episode| {
            let [busy, dropped] = episode.whole.with;
            vec![
                number("worst", busy, Unit::Fraction),
                number("dropped", dropped, Unit::Fraction),
                total(episode.whole.seconds),
            ]
        });
        sink.episodes(&VIDEO_BLANK, track, (&self.blank, BLANK_TERMS), &|episode| {
            let [width, height] = episode.whole.with;
            vec![
                number("width", width, Unit::Pixels),
                number("height", height, Unit::Pixels),
                total(episode.whole.seconds),
            ]
        });
    }
}
