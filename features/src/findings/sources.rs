//! What microphones and cameras give: `media-source` entries.

use std::sync::LazyLock;

use rtctrace_protocol::report::{Entry, Wanted};

use super::episodes::{Episodes, JOIN, Piece, Terms};
use super::finding::FindingTrack;
use super::growth::Growth;
use super::looks::Window;
use super::rule::{Rule, Severity, Threshold};
use super::sink::{Sink, number};
use super::watch::Around;
use crate::input;
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] = &[&SILENT_MICROPHONE, &CAMERA_WITHOUT_FRAMES, &CAMERA_SLOW];

const SILENCE: Threshold = Threshold {
    name: described("silence from the beginning on"),
    value: 15.0,
    unit: Unit::Seconds,
    reason: described(
        "reasoned: any microphone that works gives some noise, so its energy grows at once; a user may take a moment to unmute in the system",
    ),
};

static SILENT_MICROPHONE: Rule = Rule {
    id: "silent-microphone",
    severity: Severity::Warning,
    title: "The microphone gave no sound",
    meaning: "The others never heard this user: the microphone gave nothing but zeros though the page had it and let it through.",
    advice: "The system or a switch mutes it, or the wrong device is chosen: show a level meter before the call.",
    sentence: "The microphone gave no sound for {total}, and none before",
    thresholds: &[SILENCE],
    reads: described(
        "getStats: media-source.totalAudioEnergy, totalSamplesDuration, of tracks of getUserMedia that MediaStreamTrack.enabled does not silence, of clients that trace it",
    ),
};

const NO_FRAMES: Threshold = Threshold {
    name: described("time without a frame"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described("reasoned: two looks; cameras that are switched over, and machines that wake up, are faster"),
};

static CAMERA_WITHOUT_FRAMES: Rule = Rule {
    id: "camera-without-frames",
    severity: Severity::Warning,
    title: "The camera gave no frames",
    meaning: "The others saw a still picture, or nothing: the camera stands still though the page has it.",
    advice: "A privacy switch, another program or a driver may hold it; have the user plug it in again, or choose another.",
    sentence: "The camera gave no frame for {total}",
    thresholds: &[NO_FRAMES],
    reads: described(
        "getStats: media-source.frames, of tracks of getUserMedia that MediaStreamTrack.enabled does not silence",
    ),
};

const SLOW: Threshold = Threshold {
    name: described("share of the frame rate that was asked for"),
    value: 0.7,
    unit: Unit::Fraction,
    reason: described("reasoned: 20 of 30 frames pass for fluent, 15 do not; cameras halve their rate in dim light"),
};

const SLOW_TIME: Threshold = Threshold {
    name: described("slow time"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described("reasoned: exposure settles within seconds"),
};

static CAMERA_SLOW: Rule = Rule {
    id: "camera-slow",
    severity: Severity::Warning,
    title: "The camera is slower than asked",
    meaning: "The others saw this user jerk: the camera itself gave too few frames.",
    advice: "More light helps most cameras; a hub or another program may take their bandwidth. Asking for a smaller size may help.",
    sentence: "The camera gave {worst} where {asked} were asked for, for {total}",
    thresholds: &[SLOW, SLOW_TIME],
    reads: described(
        "getStats: media-source.frames; getUserMedia and MediaStreamTrack.applyConstraints: video.frameRate as exact, ideal or min",
    ),
};

const SILENT_TERMS: Terms = Terms { least: SILENCE.value, count: 0.0, join: f64::INFINITY };
const STILL_TERMS: Terms = Terms { least: NO_FRAMES.value, count: 0.0, join: JOIN };
const SLOW_TERMS: Terms = Terms { least: SLOW_TIME.value, count: 0.0, join: JOIN };

const MEMBERS: usize = 3;
const NAMES: [&str; MEMBERS] = ["frames", "totalAudioEnergy", "totalSamplesDuration"];
const FRAMES: usize = 0;
const ENERGY: usize = 1;
const DURATION: usize = 2;

static WANTED: LazyLock<Wanted<MEMBERS>> = LazyLock::new(|| Wanted::new(NAMES));

/// The rules of one source.
#[derive(Debug, Clone, Default)]
pub(super) struct Source {
    track: FindingTrack,
    is_video: bool,
    counters: Growth<MEMBERS>,
    /// Whether it ever gave a sound.
    is_heard: bool,
    silent: Episodes,
    still: Episodes,
    slow: Episodes,
    /// How many frames a second it gave between the newest two looks.
    pub(super) frame_rate: Option<f64>,
    /// Whether it gave anything between them, if it says so.
    pub(super) is_alive: Option<bool>,
    /// Whether the page lets it through, as far as that is known.
    pub(super) is_enabled: Option<bool>,
}

impl Source {
    /// Its entry is there, maybe for the first time.
    pub(super) fn found(&mut self, entry: Entry<'_>) {
        self.track = FindingTrack {
            kind: input::entry_name(entry, "kind"),
            direction: Some("outbound"),
            track_identifier: input::entry_name(entry, "trackIdentifier"),
            stats_id: Some(entry.id().to_owned()),
            ..FindingTrack::default()
        };
        self.is_video = self.track.kind.as_deref() == Some("video");
    }

    pub(super) fn gone(&mut self) {
        self.counters.forget();
        (self.frame_rate, self.is_alive, self.is_enabled) = (None, None, None);
    }

    /// The id of its track.
    pub(super) fn track_identifier(&self) -> Option<&str> {
        self.track.track_identifier.as_deref()
    }

    pub(super) fn look(&mut self, entry: Entry<'_>, since: u64, window: Option<Window>, around: &Around<'_>) {
        self.counters.look(&WANTED, entry, entry.is_changed_since(since));
        (self.frame_rate, self.is_alive) = (None, None);
        let captured = self.track_identifier().and_then(|id| around.page.devices.captured(id));
        self.is_enabled = captured.and_then(|captured| Some(captured.is_enabled? && !captured.is_over));
        let asked = captured.and_then(|captured| captured.frame_rate);
        let Some(window) = window else { return };
        let piece = Piece::of(window);
        let is_open = self.is_enabled == Some(true);
        if self.is_video {
            let Some(frames) = self.counters.grown(FRAMES) else { return };
            let rate = frames / piece.seconds;
            (self.frame_rate, self.is_alive) = (Some(rate), Some(frames > 0.0));
            if frames == 0.0 && is_open {
                self.still.add(piece, STILL_TERMS);
            }
            if let Some(asked) = asked.filter(|asked| is_open && rate > 0.0 && rate < SLOW.value * asked) {
                self.slow.add(Piece { worst: -rate, with: [rate, asked], ..piece }, SLOW_TERMS);
            }
            return;
        }
        let samples = self.counters.grown(DURATION);
        self.is_alive = samples.map(|samples| samples > 0.0);
        let Some(energy) = self.counters.grown(ENERGY) else { return };
        self.is_heard |= self.counters.now(ENERGY).is_some_and(|energy| energy > 0.0);
        if energy == 0.0 && is_open && self.is_alive != Some(false) && !self.is_heard {
            self.silent.add(piece, SILENT_TERMS);
        }
    }

    pub(super) fn write(&self, sink: &mut Sink<'_>) {
        let track = Some(&self.track);
        if !self.is_heard {
            sink.episodes(&SILENT_MICROPHONE, track, (&self.silent, SILENT_TERMS), &|episode| {
                vec![number("total", episode.whole.seconds, Unit::Seconds)]
            });
        }
        sink.episodes(&CAMERA_WITHOUT_FRAMES, track, (&self.still, STILL_TERMS), &|episode| {
            vec![number("total", episode.whole.seconds, Unit::Seconds)]
        });
        sink.episodes(&CAMERA_SLOW, track, (&self.slow, SLOW_TERMS), &|episode| {
            let [rate, asked] = episode.whole.with;
            vec![
                number("worst", rate, Unit::FramesPerSecond),
                number("asked", asked, Unit::FramesPerSecond),
                number("total", episode.whole.seconds, Unit::Seconds),
            ]
        });
    }
}
