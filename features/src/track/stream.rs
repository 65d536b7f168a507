//! One RTP stream of the connection: an entry `inbound-rtp` or `outbound-rtp` through all reports that have it. Here is what
//! depends on more than the last of them.

use std::sync::LazyLock;

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, MemberName, Report};

use super::count;
use super::frame_sizes::Dimension;
use super::last::{Last, Remote};
use crate::input;
use crate::table::TrackFeatures;

/// Jitter buffer flushes that come so far apart (ms), every time, come from a clock that drifts.
const FLUSH_PERIOD: std::ops::RangeInclusive<f64> = 3000.0..=5000.0;

/// How often flushes must be seen before they can be periodic.
const FLUSHES: u32 = 3;

static FRAME_WIDTH: LazyLock<MemberName> = LazyLock::new(|| MemberName::new("frameWidth"));
static FRAME_HEIGHT: LazyLock<MemberName> = LazyLock::new(|| MemberName::new("frameHeight"));
static DECODER: LazyLock<MemberName> = LazyLock::new(|| MemberName::new("decoderImplementation"));
static FLUSH_COUNT: LazyLock<MemberName> = LazyLock::new(|| MemberName::new("jitterBufferFlushes"));
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
    /// The place of the first track that has it, in [`super::Tracks::tracks`].
    pub(super) owner: Option<usize>,
    /// Where its entry is in the report; `None` if that has none.
    pub(super) place: Option<usize>,
    /// What was said last, and when, of a stream that is gone.
    last: Option<Box<(Last, f64)>>,
    codec: Option<Codec>,
    remote: Remote,
    sizes: Sizes,
    /// Whether it was ever decoded by what shows nothing.
    pub(super) null_decoder: bool,
    flushes: Flushes,
}

impl Stream {
    /// A delta has named its entry. `reports`: how many there were, this one included.
    pub(super) fn changed(&mut self, entry: Entry<'_>, time: f64, reports: u64) {
        let number = |name: &MemberName| entry.named(name).and_then(RawValue::as_f64);
        self.null_decoder =
            self.null_decoder || entry.named(&DECODER).map(RawValue::text) == Some(r#""NullVideoDecoder""#);
        let size = number(&FRAME_WIDTH).zip(number(&FRAME_HEIGHT));
        // While there is no frame, there is no size.
        self.sizes.report(size.filter(|(width, height)| *width != 0.0 && *height != 0.0), reports);
        self.flushes.report(number(&FLUSH_COUNT), time);
    }

    /// Looks at what its entry refers to. `far_ends`: whether there is news of the far end at all.
    pub(super) fn referred(&mut self, report: &Report, entry: Entry<'_>, far_ends: bool) {
        if self.codec.is_none() {
            let codec = entry.named(&CODEC).and_then(RawValue::as_str).and_then(|id| report.get(&id));
            self.codec = codec.map(|codec| Codec {
                mime_type: input::entry_text(codec, "mimeType"),
                sdp_fmtp_line: input::entry_text(codec, "sdpFmtpLine").unwrap_or_default(),
            });
        }
        if far_ends {
            self.remote = Remote::of(report, entry);
        }
    }

    /// Its entry is gone; this is what it was in the last report that had it, at `time`. `reports`: how many there were until then.
    pub(super) fn gone(&mut self, entry: Option<Entry<'_>>, time: f64, reports: u64) {
        self.place = None;
        self.sizes.count_until(reports);
        self.sizes.now = None;
        self.last = Some(Box::new((entry.map(Last::of).unwrap_or_default(), time)));
    }

    /// Fills in what a track of that direction has. `now`: the newest report, if it has the entry; `time` and `reports`: when it
    /// came, and how many there were; `start`: the time of the track.
    pub(super) fn write(
        &self,
        now: Option<(&Report, Entry<'_>)>,
        (time, reports): (f64, u64),
        start: f64,
        features: &mut TrackFeatures,
        is_inbound: bool,
    ) {
        let last_time = match &self.last {
            Some(last) if self.place.is_none() => last.1,
            _ => time,
        };
        features.duration = input::floor_millis(last_time - start);
        if let Some(codec) = &self.codec {
            features.codec_mime_type = codec.mime_type.clone();
            features.codec_sdp_fmtp_line = Some(codec.sdp_fmtp_line.clone());
        }
        let mut sizes = self.sizes.clone();
        sizes.count_until(reports);
        features.common_width = sizes.widths.common().and_then(count);
        features.common_height = sizes.heights.common().and_then(count);
        features.min_width = sizes.widths.min().and_then(count);
        features.min_height = sizes.heights.min().and_then(count);
        features.max_width = sizes.widths.max().and_then(count);
        features.max_height = sizes.heights.max().and_then(count);
        if is_inbound && features.kind.as_deref() == Some("audio") {
            features.has_periodic_jitter_buffer_flushes = self.flushes.are_periodic();
        }
        match (now, &self.last) {
            (Some((report, entry)), _) if self.place.is_some() => {
                Last::of(entry).write(&Remote::of(report, entry), features, is_inbound);
            }
            (_, Some(last)) => last.0.write(&self.remote, features, is_inbound),
            _ => {}
        }
    }
}
