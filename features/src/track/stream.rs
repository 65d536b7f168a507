//! One RTP stream of the connection: an entry `inbound-rtp` or `outbound-rtp` through all reports that have it.

use std::sync::LazyLock;

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, Report, Wanted};

use super::frame_sizes::Dimension;
use crate::input;
use crate::table::TrackFeatures;

/// Jitter buffer flushes that come so far apart (ms), every time, come from a clock that drifts.
const FLUSH_PERIOD: std::ops::RangeInclusive<f64> = 3000.0..=5000.0;

/// How often flushes must be seen before they can be periodic.
const FLUSHES: u32 = 3;

/// Declares the members that are looked at, which are found in one pass over an entry.
macro_rules! members {
    (numbers { $($field:ident $name:literal;)* } others { $($other:ident $other_name:literal;)* }) => {
        /// The numbers of an entry as its last report had them.
        #[derive(Debug, Default)]
        struct Numbers { $($field: Option<f64>,)* }

        /// Its members that are none.
        struct Others<'e> { $($other: Option<RawValue<'e>>,)* }

        const NAMES: &[&str] = &[$($name,)* $($other_name,)*];

        static MEMBERS: LazyLock<Wanted<{ NAMES.len() }>> = LazyLock::new(|| Wanted::new([$($name,)* $($other_name,)*]));

        fn members(entry: Entry<'_>) -> (Numbers, Others<'_>) {
            let [$($field,)* $($other,)*] = MEMBERS.of(entry);
            (Numbers { $($field: $field.and_then(RawValue::as_f64),)* }, Others { $($other,)* })
        }
    };
}

members! {
numbers {
    frames_encoded "framesEncoded";
    frames_decoded "framesDecoded";
    key_frames_encoded "keyFramesEncoded";
    key_frames_decoded "keyFramesDecoded";
    qp_sum "qpSum";
    nack_count "nackCount";
    pli_count "pliCount";
    fir_count "firCount";
    frame_width "frameWidth";
    frame_height "frameHeight";
    resolution_changes "qualityLimitationResolutionChanges";
    encoding_index "encodingIndex";
    packets_sent_with_ect1 "packetsSentWithEct1";
    total_encode_time "totalEncodeTime";
    psnr_measurements "psnrMeasurements";
    freeze_count "freezeCount";
    total_freezes_duration "totalFreezesDuration";
    frames_dropped "framesDropped";
    jitter_buffer_delay "jitterBufferDelay";
    jitter_buffer_minimum_delay "jitterBufferMinimumDelay";
    jitter_buffer_target_delay "jitterBufferTargetDelay";
    jitter_buffer_emitted_count "jitterBufferEmittedCount";
    jitter_buffer_flushes "jitterBufferFlushes";
    total_processing_delay "totalProcessingDelay";
    frames_assembled "framesAssembledFromMultiplePackets";
    total_assembly_time "totalAssemblyTime";
    concealed_samples "concealedSamples";
    total_samples_received "totalSamplesReceived";
    inserted_samples "insertedSamplesForDeceleration";
    removed_samples "removedSamplesForAcceleration";
    total_decode_time "totalDecodeTime";
    total_inter_frame_delay "totalInterFrameDelay";
}
others {
    limitations "qualityLimitationDurations";
    psnr_sum "psnrSum";
    rid "rid";
    encoder "encoderImplementation";
    decoder "decoderImplementation";
    efficient_encoder "powerEfficientEncoder";
    efficient_decoder "powerEfficientDecoder";
    codec "codecId";
    remote "remoteId";
}
}

/// A member that is no number, as its last report had it: JSON, in a buffer that is used again.
#[derive(Debug, Default)]
struct Other {
    json: String,
}

impl Other {
    fn keep(&mut self, value: Option<RawValue<'_>>) {
        let json =
            value.map(RawValue::text).filter(|json| json.len() <= crate::limits::STREAM_MEMBER).unwrap_or_default();
        if self.json != json {
            self.json.clear();
            self.json.push_str(json);
        }
    }

    fn value(&self) -> Option<RawValue<'_>> {
        RawValue::parse(&self.json).ok()
    }

    fn text(&self) -> Option<String> {
        self.value().and_then(input::text)
    }

    fn truth(&self) -> Option<bool> {
        self.value().and_then(RawValue::as_bool)
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.value()?.get(name)?.as_f64()
    }
}

/// Codec of the first report that has both the stream and its codec.
#[derive(Debug)]
struct Codec {
    mime_type: Option<String>,
    sdp_fmtp_line: String,
}

/// What the far end said last about a stream that is sent to it.
#[derive(Debug, Default)]
struct Remote {
    received_with_ect1: Option<f64>,
    received_with_ce: Option<f64>,
    with_bleached_ect1: Option<f64>,
}

static REMOTE_MEMBERS: LazyLock<Wanted<3>> = LazyLock::new(|| {
    Wanted::new(["packetsReceivedWithEct1", "packetsReceivedWithCe", "packetsWithBleachedEct1Marking"])
});

impl Remote {
    fn of(entry: Entry<'_>) -> Self {
        let [received_with_ect1, received_with_ce, with_bleached_ect1] =
            REMOTE_MEMBERS.of(entry).map(|value| value.and_then(RawValue::as_f64));
        Self { received_with_ect1, received_with_ce, with_bleached_ect1 }
    }
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

/// Accumulates what the reports say about one stream.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The place of the first track that has it, in [`super::Tracks::tracks`].
    pub(super) owner: Option<usize>,
    last_time: f64,
    numbers: Numbers,
    limitations: Other,
    psnr_sum: Other,
    rid: Other,
    encoder: Other,
    decoder: Other,
    efficient_encoder: Other,
    efficient_decoder: Other,
    codec: Option<Codec>,
    remote: Remote,
    widths: Dimension,
    heights: Dimension,
    /// Whether it was ever decoded by what shows nothing.
    pub(super) null_decoder: bool,
    flushes: Flushes,
}

impl Stream {
    /// Time of the last report that had it.
    pub(super) fn last_time(&self) -> f64 {
        self.last_time
    }

    pub(super) fn report(&mut self, report: &Report, entry: Entry<'_>, time: f64) {
        self.last_time = time;
        let (numbers, others) = members(entry);
        self.numbers = numbers;
        self.limitations.keep(others.limitations);
        self.psnr_sum.keep(others.psnr_sum);
        self.rid.keep(others.rid);
        self.encoder.keep(others.encoder);
        self.decoder.keep(others.decoder);
        self.efficient_encoder.keep(others.efficient_encoder);
        self.efficient_decoder.keep(others.efficient_decoder);
        self.null_decoder |= self.decoder.json == r#""NullVideoDecoder""#;

        let referred = |reference: Option<RawValue<'_>>| report.get(&reference?.as_str()?);
        if self.codec.is_none() {
            self.codec = referred(others.codec).map(|codec| Codec {
                mime_type: input::entry_text(codec, "mimeType"),
                sdp_fmtp_line: input::entry_text(codec, "sdpFmtpLine").unwrap_or_default(),
            });
        }
        self.remote = referred(others.remote).map_or_else(Remote::default, Remote::of);
        // While there is no frame, there is no size.
        if let (Some(width), Some(height)) = (self.numbers.frame_width, self.numbers.frame_height)
            && width != 0.0
            && height != 0.0
        {
            self.widths.seen(width);
            self.heights.seen(height);
        }
        self.flushes.report(self.numbers.jitter_buffer_flushes, time);
    }

    /// Fills in what a track of that direction has.
    pub(super) fn write(&self, features: &mut TrackFeatures, is_inbound: bool) {
        let numbers = &self.numbers;
        if let Some(codec) = &self.codec {
            features.codec_mime_type = codec.mime_type.clone();
            features.codec_sdp_fmtp_line = Some(codec.sdp_fmtp_line.clone());
        }
        features.common_width = self.widths.common().and_then(count);
        features.common_height = self.heights.common().and_then(count);
        features.min_width = self.widths.min().and_then(count);
        features.min_height = self.heights.min().and_then(count);
        features.max_width = self.widths.max().and_then(count);
        features.max_height = self.heights.max().and_then(count);
        features.frame_count = numbers.frames_encoded.or(numbers.frames_decoded).and_then(count);
        features.key_frame_count = numbers.key_frames_encoded.or(numbers.key_frames_decoded).and_then(count);
        features.qp_sum = numbers.qp_sum.and_then(count);
        features.nack_count = numbers.nack_count.and_then(count);
        features.pli_count = numbers.pli_count.and_then(count);
        features.fir_count = numbers.fir_count.and_then(count);
        if is_inbound {
            self.write_inbound(features);
        } else {
            self.write_outbound(features);
        }
    }

    fn write_outbound(&self, features: &mut TrackFeatures) {
        let numbers = &self.numbers;
        features.bandwidth_quality_limitation_percentage = self.limited_by("bandwidth");
        features.cpu_quality_limitation_percentage = self.limited_by("cpu");
        features.other_quality_limitation_percentage = self.limited_by("other");
        features.quality_limitation_resolution_changes = numbers.resolution_changes.and_then(count);
        features.rid = self.rid.text();
        features.encoding_index = numbers.encoding_index.and_then(count);
        features.encoder_implementation = self.encoder.text();
        features.power_efficient_encoder = self.efficient_encoder.truth();
        features.packets_sent_with_ect1 = numbers.packets_sent_with_ect1.and_then(count);
        features.average_encode_time = quotient(numbers.total_encode_time, numbers.frames_encoded);
        if numbers.psnr_measurements.is_some_and(|measurements| measurements != 0.0) {
            features.psnr_measurements = numbers.psnr_measurements.and_then(count);
            features.psnr_sum_y = self.psnr_sum.number("y");
            features.psnr_sum_u = self.psnr_sum.number("u");
            features.psnr_sum_v = self.psnr_sum.number("v");
        }
        features.packets_received_with_ect1 = self.remote.received_with_ect1.and_then(count);
        features.packets_received_with_ce = self.remote.received_with_ce.and_then(count);
        features.packets_with_bleached_ect1_marking = self.remote.with_bleached_ect1.and_then(count);
    }

    fn write_inbound(&self, features: &mut TrackFeatures) {
        let numbers = &self.numbers;
        if features.kind.as_deref() == Some("audio") {
            features.has_periodic_jitter_buffer_flushes = self.flushes.are_periodic();
        }
        features.freeze_count = numbers.freeze_count.and_then(count);
        features.total_freezes_duration = numbers.total_freezes_duration;
        features.frames_dropped = numbers.frames_dropped.and_then(count);
        features.decoder_implementation = self.decoder.text();
        features.power_efficient_decoder = self.efficient_decoder.truth();
        features.jitter_buffer_delay = numbers.jitter_buffer_delay;
        features.jitter_buffer_minimum_delay = numbers.jitter_buffer_minimum_delay;
        features.jitter_buffer_target_delay = numbers.jitter_buffer_target_delay;
        features.jitter_buffer_emitted_count = numbers.jitter_buffer_emitted_count.and_then(count);
        features.jitter_buffer_flushes = numbers.jitter_buffer_flushes.and_then(count);
        features.total_processing_delay = numbers.total_processing_delay;
        features.frames_assembled_from_multiple_packets = numbers.frames_assembled.and_then(count);
        features.total_assembly_time = numbers.total_assembly_time;
        features.concealed_samples = numbers.concealed_samples.and_then(count);
        features.total_samples_received = numbers.total_samples_received.and_then(count);
        features.inserted_samples_for_deceleration = numbers.inserted_samples.and_then(count);
        features.removed_samples_for_acceleration = numbers.removed_samples.and_then(count);
        let of_samples = |samples| quotient(samples, numbers.total_samples_received);
        features.concealment_percentage = of_samples(numbers.concealed_samples);
        features.deceleration_percentage = of_samples(numbers.inserted_samples);
        features.acceleration_percentage = of_samples(numbers.removed_samples);
        features.average_decode_time = quotient(numbers.total_decode_time, numbers.frames_decoded);
        features.average_inter_frame_delay = quotient(numbers.total_inter_frame_delay, numbers.frames_decoded);
        let of_emitted = |delay| quotient(delay, numbers.jitter_buffer_emitted_count);
        features.average_jitter_buffer_delay = of_emitted(numbers.jitter_buffer_delay);
        features.average_processing_delay = of_emitted(numbers.total_processing_delay);
        features.average_assembly_time = quotient(numbers.total_assembly_time, numbers.frames_assembled);
    }

    /// The share of the stream's time in which its quality was limited by `reason`. Absent where upstream has NaN: before the
    /// encoder has worked, and for a reason that the browser does not know.
    fn limited_by(&self, reason: &str) -> Option<f64> {
        let durations = self.limitations.value()?;
        let all: f64 = durations.members().filter_map(|(_, duration)| duration.as_f64()).sum();
        quotient(durations.get(reason)?.as_f64(), Some(all))
    }
}

/// Both, and the divisor is not 0.
fn quotient(dividend: Option<f64>, divisor: Option<f64>) -> Option<f64> {
    let quotient = dividend? / divisor.filter(|divisor| *divisor != 0.0)?;
    quotient.is_finite().then_some(quotient)
}

/// A number that counts something.
fn count(number: f64) -> Option<i64> {
    number.is_finite().then_some(number as i64)
}
