//! One RTP stream of the connection: its entry through all reports that have it. Here is what
//! depends on more than the last of them.

use std::sync::LazyLock;

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, MemberName, Places, Report, Wanted};

use super::count;
use super::first_media::{FirstMedia, Media};
use super::frame_sizes::Dimension;
use super::last::{Last, Remote};
use super::legacy;
use super::mos::Speech;
use super::of_reports::Carried;
use super::quality::{Quality, Told};
use super::{CHOICES, Direction, Now};
use crate::budget::Budget;
use crate::input;
use crate::metric::Sample;
use crate::table::TrackFeatures;

/// Jitter buffer flushes that come so far apart (ms), every time, come from a clock that drifts.
const FLUSH_PERIOD: std::ops::RangeInclusive<f64> = 3000.0..=5000.0;

/// How often flushes must be seen before they can be periodic.
const FLUSHES: u32 = 3;

/// Declares the members that are read of a stream's entry in every report that has changed it.
macro_rules! members {
    ($($member:ident $name:literal;)*) => {
        #[derive(Debug, Clone, Copy)]
        enum Member { $($member,)* }

        const MEMBERS: usize = [$($name),*].len();

        const NAMES: [&str; MEMBERS] = [$($name),*];
    };
}

members! {
    Kind "kind";
    Width "frameWidth";
    Height "frameHeight";
    Decoder "decoderImplementation";
    Flushes "jitterBufferFlushes";
    BytesReceived "bytesReceived";
    BytesSent "bytesSent";
    FramesDecoded "framesDecoded";
    FramesEncoded "framesEncoded";
    Jitter "jitter";
    PacketsReceived "packetsReceived";
    PacketsLost "packetsLost";
    JitterBufferDelay "jitterBufferDelay";
    JitterBufferEmittedCount "jitterBufferEmittedCount";
}

static WANTED: LazyLock<Wanted<MEMBERS>> = LazyLock::new(|| Wanted::new(NAMES));

static OF_LEGACY_RECEIVED: LazyLock<Wanted<MEMBERS>> =
    LazyLock::new(|| Wanted::new(legacy::names(NAMES, Direction::Inbound)));

static OF_LEGACY_SENT: LazyLock<Wanted<MEMBERS>> =
    LazyLock::new(|| Wanted::new(legacy::names(NAMES, Direction::Outbound)));

static CODEC: LazyLock<MemberName> = LazyLock::new(|| MemberName::new("codecId"));

/// Codec of the first report that has both the stream and its codec.
#[derive(Debug)]
struct Codec {
    mime_type: Option<String>,
    sdp_fmtp_line: String,
}

#[derive(Debug, Default)]
struct Flushes {
    before: Option<f64>,
    growths: u32,
    last: f64,
    irregular: bool,
}

impl Flushes {
    fn report(&mut self, count: Option<f64>, time: f64) {
        let Some(count) = count else { return };
        if self.before.is_some_and(|before| count > before) {
            self.irregular |= self.growths > 0 && !FLUSH_PERIOD.contains(&(time - self.last));
            self.growths = self.growths.saturating_add(1);
            self.last = time;
        }
        self.before = Some(count);
    }

    fn are_periodic(&self) -> Option<bool> {
        (self.growths >= FLUSHES).then_some(!self.irregular)
    }
}

/// The size of a video's frames, through reports that follow each other.
#[derive(Debug, Clone, Default)]
struct Sizes {
    widths: Dimension,
    heights: Dimension,
    /// The size now; `None` while there is no frame.
    now: Option<(f64, f64)>,
    /// How many reports the connection had when that was counted last.
    counted: u64,
}

impl Sizes {
    /// `reports`: how many there were, this one included.
    fn report(&mut self, size: Option<(f64, f64)>, reports: u64) {
        if size != self.now {
            self.count_until(reports.saturating_sub(1));
            self.now = size;
            self.counted = reports;
            if let Some((width, height)) = size {
                self.widths.seen(width, 1);
                self.heights.seen(height, 1);
            }
        }
    }

    fn count_until(&mut self, reports: u64) {
        if let Some((width, height)) = self.now {
            let times = u32::try_from(reports.saturating_sub(self.counted)).unwrap_or(u32::MAX);
            self.widths.seen(width, times);
            self.heights.seen(height, times);
        }
        self.counted = reports;
    }
}

/// Accumulates what the reports say about one stream.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The places of the first tracks that have it, in [`super::Tracks::tracks`], by the [`super::Choice`].
    pub(super) owners: [Option<usize>; CHOICES],
    /// Where its entry is in the report; `None` if that has none.
    pub(super) place: Option<usize>,
    /// Which track it carries, by its own word; kept while no event tells of any.
    pub(super) carried: Option<Box<Carried>>,
    /// What was said last, and when, of a stream that is gone.
    last: Option<Box<(Last, f64)>>,
    codec: Option<Codec>,
    /// How its newest codec treats speech.
    speech: Option<Speech>,
    remote: Remote,
    sizes: Sizes,
    /// What its entry is.
    pub(super) direction: Option<Direction>,
    /// Whether that is one from before the standard.
    pub(super) is_legacy: bool,
    /// Where its entry has the members that are read again and again.
    places: Places<MEMBERS>,
    media: Option<Media>,
    /// Whether its first packets and frames have been seen.
    has_begun: bool,
    pub(super) quality: Quality,
    /// Where the entry of its far end is in the report: `remote-inbound-rtp` of what is sent, `remote-outbound-rtp` of what is received.
    pub(super) far_end: Option<usize>,
    /// Whether it was ever decoded by what shows nothing.
    pub(super) null_decoder: bool,
    flushes: Flushes,
}

impl Stream {
    /// A delta has named its entry. `reports`: how many there were, this one included; `first`: the first media of the connection, if
    /// this is received.
    pub(super) fn changed(&mut self, entry: Entry<'_>, time: f64, reports: u64, first: Option<&mut FirstMedia>) {
        self.find(entry);
        self.null_decoder = self.null_decoder
            || self.value(entry, Member::Decoder).map(RawValue::text) == Some(r#""NullVideoDecoder""#);
        let size = self.number(entry, Member::Width).zip(self.number(entry, Member::Height));
        // While there is no frame, there is no size.
        self.sizes.report(size.filter(|(width, height)| *width != 0.0 && *height != 0.0), reports);
        self.flushes.report(self.number(entry, Member::Flushes), time);
        if self.is_legacy && self.direction == Some(Direction::Outbound) {
            self.quality.far_end_lost = self.number(entry, Member::PacketsLost).or(self.quality.far_end_lost);
        }
        if let Some(first) = first.filter(|_| !self.has_begun) {
            self.begin(entry, time, first);
        }
    }

    fn find(&mut self, entry: Entry<'_>) {
        let wanted = match self.direction {
            _ if !self.is_legacy => &WANTED,
            Some(Direction::Inbound) => &OF_LEGACY_RECEIVED,
            _ => &OF_LEGACY_SENT,
        };
        self.places.find(wanted, entry);
    }

    fn value<'e>(&self, entry: Entry<'e>, member: Member) -> Option<RawValue<'e>> {
        self.places.value(entry, member as usize)
    }

    fn number(&self, entry: Entry<'_>, member: Member) -> Option<f64> {
        let value = self.value(entry, member)?;
        if self.is_legacy { legacy::number(value) } else { value.as_f64() }
    }

    fn begin(&mut self, entry: Entry<'_>, time: f64, first: &mut FirstMedia) {
        self.media = self.media.or_else(|| Media::of(self.value(entry, Member::Kind)?));
        let Some(media) = self.media else { return };
        let has = |member| self.number(entry, member) > Some(0.0);
        let (has_packet, has_frame) = (has(Member::PacketsReceived), has(Member::FramesDecoded));
        if has_packet {
            first.packet(media, time);
        }
        if has_frame && media == Media::Video {
            first.frame(time);
        }
        self.has_begun = has_packet && (has_frame || media == Media::Audio);
    }

    /// A delta has named its entry since the sample before. `round_trip_time` (s): of the connection.
    pub(super) fn sample(
        &mut self,
        entry: Entry<'_>,
        sample: &Sample,
        round_trip_time: Option<f64>,
        buckets: &mut Budget,
    ) {
        self.find(entry);
        if self.direction == Some(Direction::Outbound) {
            let [bytes, frames] = [Member::BytesSent, Member::FramesEncoded].map(|member| self.number(entry, member));
            if self.is_legacy {
                self.quality.lost(self.number(entry, Member::PacketsLost), sample);
            }
            return self.quality.sent(bytes, frames, sample, buckets);
        }
        let told = Told {
            bytes: self.number(entry, Member::BytesReceived),
            frames: self.number(entry, Member::FramesDecoded),
            jitter: self.number(entry, Member::Jitter),
            received: self.number(entry, Member::PacketsReceived),
            lost: self.number(entry, Member::PacketsLost),
            buffered: self.number(entry, Member::JitterBufferDelay),
            emitted: self.number(entry, Member::JitterBufferEmittedCount),
        };
        self.quality.received(told, sample, round_trip_time, self.speech, buckets);
    }

    /// The height of its frames, and how many of them a second were decoded until the sample of that number.
    pub(super) fn seen(&self, number: u64) -> Option<(f64, f64)> {
        let (_, height) = self.sizes.now?;
        Some((height, self.quality.frame_rate.now(number)?))
    }

    /// The largest size of its frames.
    pub(super) fn largest(&self) -> (Option<f64>, Option<f64>) {
        (self.sizes.widths.max(), self.sizes.heights.max())
    }

    /// Looks at what its entry refers to. `codecs`: whether there may be news of its codec; `far_ends`: whether there is news of the far
    /// end at all.
    pub(super) fn referred(&mut self, report: &Report, entry: Entry<'_>, codecs: bool, far_ends: bool) {
        if (codecs || self.codec.is_none())
            && let Some(codec) = entry.named(&CODEC).and_then(RawValue::as_str).and_then(|id| report.get(&id))
        {
            let mime_type = input::entry_text(codec, "mimeType");
            let sdp_fmtp_line = input::entry_text(codec, "sdpFmtpLine").unwrap_or_default();
            if codec.kind() == "codec" {
                self.speech = mime_type.as_deref().and_then(|mime_type| Speech::of(mime_type, &sdp_fmtp_line));
            }
            self.codec.get_or_insert(Codec { mime_type, sdp_fmtp_line });
        }
        if far_ends {
            self.remote = Remote::of(report, entry);
        }
    }

    /// Its entry is gone; this is what it was in the last report that had it, at `time`. `reports` and `samples`: how many there were
    /// until then.
    pub(super) fn gone(
        &mut self,
        entry: Option<Entry<'_>>,
        time: f64,
        (reports, samples): (u64, u64),
        buckets: &mut Budget,
    ) {
        self.quality.finish(samples, buckets);
        self.place = None;
        self.sizes.count_until(reports);
        self.sizes.now = None;
        self.last = Some(Box::new((entry.map(|entry| self.last_of(entry)).unwrap_or_default(), time)));
    }

    fn last_of(&self, entry: Entry<'_>) -> Last {
        match self.direction {
            Some(direction) if self.is_legacy => Last::of_legacy(entry, direction),
            _ => Last::of(entry),
        }
    }

    /// What its entry says now, or said last.
    pub(super) fn told(&self, report: Option<&Report>, entry: Option<Entry<'_>>) -> (Last, Remote) {
        match (report, entry, &self.last) {
            (Some(report), Some(entry), _) if self.place.is_some() => (self.last_of(entry), Remote::of(report, entry)),
            (_, _, Some(last)) => (last.0.clone(), self.remote),
            _ => (Last::default(), Remote::default()),
        }
    }

    /// Fills in what a track of that direction has with upstream. `told`: what its entry says now, or said last; `start`: the time of the track.
    pub(super) fn write(
        &self,
        (last, remote): &(Last, Remote),
        now: Now,
        start: f64,
        features: &mut TrackFeatures,
        is_inbound: bool,
    ) {
        let last_time = match &self.last {
            Some(last) if self.place.is_none() => last.1,
            _ => now.time,
        };
        features.duration = input::floor_millis(last_time - start);
        if let Some(codec) = &self.codec {
            features.codec_mime_type = codec.mime_type.clone();
            features.codec_sdp_fmtp_line = Some(codec.sdp_fmtp_line.clone());
        }
        let mut sizes = self.sizes.clone();
        sizes.count_until(now.reports);
        features.common_width = sizes.widths.common().and_then(count);
        features.common_height = sizes.heights.common().and_then(count);
        features.min_width = sizes.widths.min().and_then(count);
        features.min_height = sizes.heights.min().and_then(count);
        features.max_width = sizes.widths.max().and_then(count);
        features.max_height = sizes.heights.max().and_then(count);
        if is_inbound && features.kind.as_deref() == Some("audio") {
            features.has_periodic_jitter_buffer_flushes = self.flushes.are_periodic();
        }
        if self.place.is_some() || self.last.is_some() {
            last.write(remote, features, is_inbound);
        }
    }

    /// Fills in what upstream has not of a track, which has the direction of the stream. `samples`: how many there were.
    pub(super) fn write_ours(&self, last: &Last, samples: u64, features: &mut TrackFeatures, is_inbound: bool) {
        if self.place.is_some() || self.last.is_some() {
            last.write_losses(self.quality.far_end_lost, features, is_inbound);
        }
        self.quality.write(samples, features);
    }
}
