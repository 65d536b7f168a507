//! What is received, one `inbound-rtp` entry: whether it comes, and what ears and eyes have of it.

use std::sync::LazyLock;

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, Places, Report, Wanted};

use super::codec::{Fallbacks, Side};
use super::episodes::{Episodes, JOIN, Piece, Terms};
use super::finding::FindingTrack;
use super::growth::Growth;
use super::heard::Heard;
use super::looks::Window;
use super::loss::{self, Losses};
use super::rule::{Rule, Severity, Threshold};
use super::seen::Seen;
use super::sink::{Sink, number, text};
use super::watch::Around;
use crate::input;
use crate::track::{Direction, legacy};
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] = &[&NO_MEDIA_RECEIVED, &JITTER_BUFFER_STRESS, &NOT_RENDERED];

pub(super) const DRY: Threshold = Threshold {
    name: described("time without a packet"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described(
        "two looks; senders of speech with DTX send every 400 ms, and of a still video at least once a second",
    ),
};

pub(super) static NO_MEDIA_RECEIVED: Rule = Rule {
    id: "no-media-received",
    severity: Severity::Critical,
    title: "Nothing was received",
    meaning: "This user did not hear or see the other side: nothing came though the connection was up. Of one stream that is only told where the sender says that it sends, for it may have been muted.",
    advice: "Look at the sender's own recording, at the SFU's subscriptions, and for a path that lets packets pass in one direction only.",
    sentence: "No {kind} arrived for {total}[, {proof}]",
    thresholds: &[DRY],
    reads: described("getStats: inbound-rtp.packetsReceived; remote-outbound-rtp.packetsSent, reportsSent"),
};

const DEEP: Threshold = Threshold {
    name: described("time of audio in the jitter buffer"),
    value: 0.2,
    unit: Unit::Seconds,
    reason: described(
        "G.114 wants less than 150 ms one way, and 400 ms at most; NetEq needs 40 to 80 ms on a good network",
    ),
};

const DEEP_VIDEO: Threshold = Threshold {
    name: described("time of video in the jitter buffer"),
    value: 0.5,
    unit: Unit::Seconds,
    reason: described(
        "reasoned: video waits for speech that comes late, and for whole frames; half a second is felt in any talk",
    ),
};

const DEEP_TIME: Threshold = Threshold {
    name: described("time that deep"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described("reasoned: two looks; a burst passes"),
};

static JITTER_BUFFER_STRESS: Rule = Rule {
    id: "jitter-buffer-stress",
    severity: Severity::Warning,
    title: "The jitter buffer is deep",
    meaning: "This user heard or saw the other side late, and people talked into each other: packets come so unevenly that they have to wait.",
    advice: "Look at jitter and losses: Wi-Fi, a busy link, a relay over TCP. A page that sets jitterBufferTarget does not count where the browser tells the minimum that the network asks for.",
    sentence: "Received {kind} waited up to {worst} in the jitter buffer, for {total}[, {path}]",
    thresholds: &[DEEP, DEEP_VIDEO, DEEP_TIME],
    reads: described(
        "getStats: inbound-rtp.jitterBufferMinimumDelay, else jitterBufferDelay, by jitterBufferEmittedCount",
    ),
};

const UNSEEN: Threshold = Threshold {
    name: described("time"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described("reasoned: two looks; an element may be attached a moment after the track came"),
};

static NOT_RENDERED: Rule = Rule {
    id: "received-not-rendered",
    severity: Severity::Notice,
    title: "Received and not played",
    meaning: "Sound or pictures came, and the browser did not play them: no element has the track, it does not play, or there is no output device. The page may mean it so.",
    advice: "Look whether the track is in the srcObject of an element that plays, at autoplay, and at the output device.",
    sentence: "Received {kind} was not played for {total}",
    thresholds: &[UNSEEN],
    reads: described(
        "getStats: inbound-rtp.packetsReceived with totalSamplesReceived of audio (Chromium takes samples only to play them), framesDecoded with framesRendered of video, where events are told, too; not while the page is hidden",
    ),
};

const DRY_TERMS: Terms = Terms { least: DRY.value, count: 0.0, join: JOIN };
const DEEP_TERMS: Terms = Terms { least: DEEP_TIME.value, count: 0.0, join: JOIN };
const UNSEEN_TERMS: Terms = Terms { least: UNSEEN.value, count: 0.0, join: JOIN };

/// Declares the members that are looked at.
macro_rules! members {
    ($($member:ident $name:literal;)*) => {
        #[derive(Debug, Clone, Copy)]
        pub(super) enum Member { $($member,)* }

        pub(super) const MEMBERS: usize = [$($name),*].len();

        static WANTED: LazyLock<Wanted<MEMBERS>> = LazyLock::new(|| Wanted::new([$($name),*]));

        /// The same of entries from before there was a standard.
        static LEGACY: LazyLock<Wanted<MEMBERS>> =
            LazyLock::new(|| Wanted::new(legacy::names([$($name),*], Direction::Inbound)));
    };
}

// First what streams of both kinds have, then audio, then video.
members! {
    Packets "packetsReceived";
    Lost "packetsLost";
    WaitedAtLeast "jitterBufferMinimumDelay";
    Emitted "jitterBufferEmittedCount";
    Waited "jitterBufferDelay";
    Samples "totalSamplesReceived";
    Concealed "concealedSamples";
    SilentConcealed "silentConcealedSamples";
    Inserted "insertedSamplesForDeceleration";
    Removed "removedSamplesForAcceleration";
    FramesReceived "framesReceived";
    FramesDecoded "framesDecoded";
    FramesDropped "framesDropped";
    FramesRendered "framesRendered";
    KeyFrames "keyFramesDecoded";
    DecodeTime "totalDecodeTime";
    Plis "pliCount";
    Firs "firCount";
    Width "frameWidth";
    Height "frameHeight";
}

const WAITED: usize = Member::Waited as usize;
const AUDIO: usize = Member::Samples as usize;
const VIDEO: usize = Member::FramesReceived as usize;

static DECODER: LazyLock<Wanted<2>> = LazyLock::new(|| Wanted::new(["decoderImplementation", "powerEfficientDecoder"]));

static FAR_END: LazyLock<Wanted<2>> = LazyLock::new(|| Wanted::new(["packetsSent", "reportsSent"]));

/// What the counters of a stream have gained.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gained<'c>(pub(super) &'c Growth<MEMBERS>);

impl Gained<'_> {
    pub(super) fn of(self, member: Member) -> Option<f64> {
        self.0.grown(member as usize)
    }

    pub(super) fn now(self, member: Member) -> Option<f64> {
        self.0.now(member as usize)
    }
}

/// The rules of one stream that is received.
#[derive(Debug, Clone, Default)]
pub(super) struct Inbound {
    track: FindingTrack,
    is_video: bool,
    /// Whether its entry is one from before there was a standard.
    is_legacy: bool,
    counters: Growth<MEMBERS>,
    decoder: Places<2>,
    /// Where the entry is that the far end tells of it.
    far_end: Option<usize>,
    at_far_end: Growth<2>,
    /// Whether anything ever came.
    pub(super) has_come: bool,
    losses: Losses,
    dry: Episodes,
    deep: Episodes,
    unseen: Episodes,
    fallbacks: Fallbacks,
    heard: Heard,
    seen: Seen,
}

impl Inbound {
    pub(super) fn is_audio(&self) -> bool {
        self.track.kind.as_deref() == Some("audio")
    }

    /// How many packets came between the newest two looks.
    pub(super) fn packets(&self) -> Option<f64> {
        Gained(&self.counters).of(Member::Packets)
    }

    /// Its entry is there, maybe for the first time. `is_changed`: whether it may say something else than before.
    pub(super) fn found(&mut self, entry: Entry<'_>, is_changed: bool) {
        self.far_end = None;
        if !is_changed {
            return;
        }
        self.is_legacy = entry.kind() == legacy::KIND;
        let name = |name| input::entry_name(entry, name);
        self.track = FindingTrack {
            kind: name(if self.is_legacy { "mediaType" } else { "kind" }).or_else(|| self.track.kind.take()),
            direction: Some("inbound"),
            mid: name("mid"),
            rid: None,
            track_identifier: name(if self.is_legacy { "googTrackId" } else { "trackIdentifier" }),
            stats_id: Some(entry.id().to_owned()),
        };
        self.is_video = self.track.kind.as_deref() == Some("video");
    }

    /// Its far end tells of it at that place of the report, if it does.
    pub(super) fn found_far_end(&mut self, place: Option<usize>) {
        self.far_end = place;
    }

    pub(super) fn gone(&mut self) {
        self.counters.forget();
        self.at_far_end.forget();
        self.losses.gone();
        self.seen.gone();
    }

    /// A report between two looks, of which only what has to be known exactly is read. `before`: when the report before came; `steady`: see
    /// [`Seen::glance`].
    pub(super) fn glance(&mut self, entry: Entry<'_>, before: f64, time: f64, steady: f64, around: &Around<'_>) {
        self.losses.glance(entry, before, time);
        if self.is_video {
            self.seen.glance(entry, before, time, steady, around);
        }
    }

    /// Something happened to a track.
    pub(super) fn interrupted(&mut self, track: &str, time: f64) {
        if self.track.track_identifier.as_deref() == Some(track) {
            self.seen.interrupted(time);
        }
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
        let wanted = if self.is_legacy { &*LEGACY } else { &*WANTED };
        self.counters.look_at(0..WAITED, wanted, entry, is_changed);
        if self.counters.now(Member::WaitedAtLeast as usize).is_none() {
            self.counters.look_at(WAITED..AUDIO, wanted, entry, is_changed);
        }
        let of_kind = if self.is_video { VIDEO..MEMBERS } else { AUDIO..VIDEO };
        self.counters.look_at(of_kind, wanted, entry, is_changed);
        match self.far_end.and_then(|place| report.at(place)) {
            Some(far_end) => self.at_far_end.look(&FAR_END, far_end, far_end.is_changed_since(since)),
            None => self.at_far_end.forget(),
        }
        if is_changed && self.is_video && !self.is_legacy {
            self.decoder.find(&DECODER, entry);
            let decoder = [0, 1].map(|at| self.decoder.value(entry, at));
            self.fallbacks.look(decoder, window.map_or(f64::NAN, |window| window.end));
            self.seen.decoder(decoder[0].map(RawValue::text));
        }
        let gained = Gained(&self.counters);
        self.has_come |= gained.now(Member::Packets).is_some_and(|packets| packets > 0.0);
        let Some(window) = window else { return };
        let piece = Piece::of(window);
        let lost = self.counters.signed(Member::Lost as usize).and_then(loss::unwrapped);
        if let (Some(received), Some(lost)) = (gained.of(Member::Packets), lost) {
            self.losses.look(received + lost, lost, window, around);
        }
        let is_sent = (0..2).any(|at| self.at_far_end.grown(at).is_some_and(|grown| grown > 0.0));
        if gained.of(Member::Packets) == Some(0.0) && is_sent {
            self.dry.add(piece, DRY_TERMS);
        }
        let waited = match gained.now(Member::WaitedAtLeast) {
            Some(_) => gained.of(Member::WaitedAtLeast),
            None => gained.of(Member::Waited),
        };
        let emitted = gained.of(Member::Emitted).filter(|emitted| *emitted > 0.0);
        if let (Some(waited), Some(emitted)) = (waited, emitted) {
            let limit = if self.is_video { DEEP_VIDEO } else { DEEP };
            let delay = waited / emitted;
            if delay >= limit.value {
                self.deep.add(Piece { worst: delay, path: around.path, ..piece }, DEEP_TERMS);
            }
        }
        let comes = gained.of(Member::Packets) > Some(0.0);
        let is_unseen = match self.is_video {
            true => gained.of(Member::FramesDecoded) > Some(0.0) && gained.of(Member::FramesRendered) == Some(0.0),
            false => comes && gained.of(Member::Samples) == Some(0.0),
        };
        // Whether a page is hidden, only events tell; it hears what it does not show.
        let may_hide = around.page.is_hidden() || (self.is_video && !around.is_traced);
        if is_unseen && !may_hide {
            self.unseen.add(piece, UNSEEN_TERMS);
        }
        match self.is_video {
            true => self.seen.look(gained, window, around),
            false => self.heard.look(gained, piece, around),
        }
    }

    pub(super) fn write(&self, sink: &mut Sink<'_>) {
        let track = Some(&self.track);
        let total = |seconds: f64| number("total", seconds, Unit::Seconds);
        sink.episodes(&NO_MEDIA_RECEIVED, track, (&self.dry, DRY_TERMS), &|episode| {
            vec![total(episode.whole.seconds), text("proof", "though the other side says that it sent")]
        });
        sink.episodes(&JITTER_BUFFER_STRESS, track, (&self.deep, DEEP_TERMS), &|episode| {
            vec![number("worst", episode.whole.worst, Unit::Seconds), total(episode.whole.seconds)]
        });
        sink.episodes(&NOT_RENDERED, track, (&self.unseen, UNSEEN_TERMS), &|episode| {
            vec![total(episode.whole.seconds)]
        });
        self.losses.write("received", &self.track, sink);
        self.fallbacks.write(Side::Decoder, &self.track, sink);
        self.heard.write(&self.track, sink);
        self.seen.write(&self.track, sink);
    }
}
