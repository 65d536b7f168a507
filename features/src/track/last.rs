//! What the last report that had a stream says about it: most features of a track. It is read when features are asked for, or when the
//! stream is gone.

use std::sync::LazyLock;

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, Report, Wanted};

use crate::input;
use crate::table::TrackFeatures;

use super::quality::losses;
use super::{Direction, count, legacy, quotient};

/// Declares the members that are looked at, which are found in one pass over an entry.
macro_rules! members {
    (numbers { $($field:ident $name:literal;)* } others { $($other:ident $other_name:literal;)* }) => {
        /// The members of an entry as its last report had them.
        #[derive(Debug, Default, Clone)]
        pub(super) struct Last { $(pub(super) $field: Option<f64>,)* $(pub(super) $other: Other,)* }

        const MEMBERS: usize = [$($name,)* $($other_name,)*].len();

        const NAMES: [&str; MEMBERS] = [$($name,)* $($other_name,)*];

        impl Last {
            fn read(entry: Entry<'_>, wanted: &Wanted<MEMBERS>, number: fn(RawValue<'_>) -> Option<f64>) -> Self {
                let [$($field,)* $($other,)*] = wanted.of(entry);
                Self { $($field: $field.and_then(number),)* $($other: Other::of($other),)* }
            }
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
    silent_concealed_samples "silentConcealedSamples";
    packets_sent "packetsSent";
    packets_received "packetsReceived";
    packets_lost "packetsLost";
}
others {
    limitations "qualityLimitationDurations";
    psnr_sum "psnrSum";
    rid "rid";
    mid "mid";
    kind "kind";
    media_source "mediaSourceId";
    encoder "encoderImplementation";
    decoder "decoderImplementation";
    efficient_encoder "powerEfficientEncoder";
    efficient_decoder "powerEfficientDecoder";
}
}

static WANTED: LazyLock<Wanted<MEMBERS>> = LazyLock::new(|| Wanted::new(NAMES));

static OF_LEGACY_RECEIVED: LazyLock<Wanted<MEMBERS>> =
    LazyLock::new(|| Wanted::new(legacy::names(NAMES, Direction::Inbound)));

static OF_LEGACY_SENT: LazyLock<Wanted<MEMBERS>> =
    LazyLock::new(|| Wanted::new(legacy::names(NAMES, Direction::Outbound)));

/// A member that is no number: JSON; empty if there is none.
#[derive(Debug, Default, Clone)]
pub(super) struct Other {
    json: Box<str>,
}

impl Other {
    fn of(value: Option<RawValue<'_>>) -> Self {
        let json = value.map(RawValue::text).filter(|json| json.len() <= crate::limits::STREAM_MEMBER);
        Self { json: json.unwrap_or_default().into() }
    }

    pub(super) fn value(&self) -> Option<RawValue<'_>> {
        RawValue::parse(&self.json).ok()
    }

    /// As it is written; empty if there is none.
    pub(super) fn json(&self) -> &str {
        &self.json
    }

    pub(super) fn text(&self) -> Option<String> {
        self.value().and_then(input::text)
    }

    fn truth(&self) -> Option<bool> {
        self.value().and_then(RawValue::as_bool)
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.value()?.get(name)?.as_f64()
    }
}

impl Last {
    pub(super) fn of(entry: Entry<'_>) -> Self {
        Self::read(entry, &WANTED, |value| value.as_f64())
    }

    /// The same of an entry from before the standard.
    pub(super) fn of_legacy(entry: Entry<'_>, direction: Direction) -> Self {
        let wanted = if direction == Direction::Inbound { &OF_LEGACY_RECEIVED } else { &OF_LEGACY_SENT };
        Self::read(entry, wanted, legacy::number)
    }

    /// Fills in what a track of that direction has.
    pub(super) fn write(&self, remote: &Remote, features: &mut TrackFeatures, is_inbound: bool) {
        features.frame_count = self.frames_encoded.or(self.frames_decoded).and_then(count);
        features.key_frame_count = self.key_frames_encoded.or(self.key_frames_decoded).and_then(count);
        features.qp_sum = self.qp_sum.and_then(count);
        features.nack_count = self.nack_count.and_then(count);
        features.pli_count = self.pli_count.and_then(count);
        features.fir_count = self.fir_count.and_then(count);
        if is_inbound {
            self.write_inbound(features);
        } else {
            self.write_outbound(features);
            features.packets_received_with_ect1 = remote.received_with_ect1.and_then(count);
            features.packets_received_with_ce = remote.received_with_ce.and_then(count);
            features.packets_with_bleached_ect1_marking = remote.with_bleached_ect1.and_then(count);
        }
    }

    fn write_outbound(&self, features: &mut TrackFeatures) {
        features.bandwidth_quality_limitation_percentage = self.limited_by("bandwidth");
        features.cpu_quality_limitation_percentage = self.limited_by("cpu");
        features.other_quality_limitation_percentage = self.limited_by("other");
        features.quality_limitation_resolution_changes = self.resolution_changes.and_then(count);
        features.rid = self.rid.text();
        features.encoding_index = self.encoding_index.and_then(count);
        features.encoder_implementation = self.encoder.text();
        features.power_efficient_encoder = self.efficient_encoder.truth();
        features.packets_sent_with_ect1 = self.packets_sent_with_ect1.and_then(count);
        features.average_encode_time = quotient(self.total_encode_time, self.frames_encoded);
        if self.psnr_measurements.is_some_and(|measurements| measurements != 0.0) {
            features.psnr_measurements = self.psnr_measurements.and_then(count);
            features.psnr_sum_y = self.psnr_sum.number("y");
            features.psnr_sum_u = self.psnr_sum.number("u");
            features.psnr_sum_v = self.psnr_sum.number("v");
        }
    }

    fn write_inbound(&self, features: &mut TrackFeatures) {
        features.freeze_count = self.freeze_count.and_then(count);
        features.total_freezes_duration = self.total_freezes_duration;
        features.frames_dropped = self.frames_dropped.and_then(count);
        features.decoder_implementation = self.decoder.text();
        features.power_efficient_decoder = self.efficient_decoder.truth();
        features.jitter_buffer_delay = self.jitter_buffer_delay;
        features.jitter_buffer_minimum_delay = self.jitter_buffer_minimum_delay;
        features.jitter_buffer_target_delay = self.jitter_buffer_target_delay;
        features.jitter_buffer_emitted_count = self.jitter_buffer_emitted_count.and_then(count);
        features.jitter_buffer_flushes = self.jitter_buffer_flushes.and_then(count);
        features.total_processing_delay = self.total_processing_delay;
        features.frames_assembled_from_multiple_packets = self.frames_assembled.and_then(count);
        features.total_assembly_time = self.total_assembly_time;
        features.concealed_samples = self.concealed_samples.and_then(count);
        features.total_samples_received = self.total_samples_received.and_then(count);
        features.inserted_samples_for_deceleration = self.inserted_samples.and_then(count);
        features.removed_samples_for_acceleration = self.removed_samples.and_then(count);
        let of_samples = |samples| quotient(samples, self.total_samples_received);
        features.concealment_percentage = of_samples(self.concealed_samples);
        features.deceleration_percentage = of_samples(self.inserted_samples);
        features.acceleration_percentage = of_samples(self.removed_samples);
        features.average_decode_time = quotient(self.total_decode_time, self.frames_decoded);
        features.average_inter_frame_delay = quotient(self.total_inter_frame_delay, self.frames_decoded);
        let of_emitted = |delay| quotient(delay, self.jitter_buffer_emitted_count);
        features.average_jitter_buffer_delay = of_emitted(self.jitter_buffer_delay);
        features.average_processing_delay = of_emitted(self.total_processing_delay);
        features.average_assembly_time = quotient(self.total_assembly_time, self.frames_assembled);
    }

    /// Of how many packets how many never came.
    pub(super) fn losses(&self, far_end_lost: Option<f64>, is_inbound: bool) -> (Option<f64>, Option<f64>) {
        match is_inbound {
            true => (self.packets_received, self.packets_lost.map(losses)),
            false => (self.packets_sent, far_end_lost.map(losses)),
        }
    }

    /// What upstream has not. `far_end_lost`: how many packets the far end missed.
    pub(super) fn write_losses(&self, far_end_lost: Option<f64>, features: &mut TrackFeatures, is_inbound: bool) {
        let (packets, lost) = self.losses(far_end_lost, is_inbound);
        let counter = if is_inbound { &mut features.packets_received } else { &mut features.packets_sent };
        *counter = packets.and_then(count);
        features.packets_lost = lost.and_then(count);
        features.packets_lost_ratio = lost_ratio(packets, lost, is_inbound);
        if is_inbound {
            let at_most_all = |ratio: f64| ratio.clamp(0.0, 1.0);
            features.freeze_ratio =
                quotient(self.total_freezes_duration, self.total_inter_frame_delay).map(at_most_all);
            let audible = self.concealed_samples.zip(self.silent_concealed_samples).map(|(all, silent)| all - silent);
            features.audible_concealment_ratio = quotient(audible, self.total_samples_received).map(at_most_all);
        } else {
            let durations = self.limitations.value();
            let seconds = |reason| durations?.get(reason)?.as_f64();
            features.none_quality_limitation_duration = seconds("none");
            features.cpu_quality_limitation_duration = seconds("cpu");
            features.bandwidth_quality_limitation_duration = seconds("bandwidth");
            features.other_quality_limitation_duration = seconds("other");
        }
    }

    /// The share of the stream's time in which its quality was limited by `reason`. Absent where upstream has NaN: before the
    /// encoder has worked, and for a reason that the browser does not know.
    fn limited_by(&self, reason: &str) -> Option<f64> {
        let durations = self.limitations.value()?;
        let all: f64 = durations.members().filter_map(|(_, duration)| duration.as_f64()).sum();
        quotient(durations.get(reason)?.as_f64(), Some(all))
    }
}

/// The share of packets that never came: of those that should have come, or of those that were sent.
pub(crate) fn lost_ratio(packets: Option<f64>, lost: Option<f64>, is_inbound: bool) -> Option<f64> {
    let (packets, lost) = (packets?, lost?.max(0.0));
    let all = if is_inbound { packets + lost } else { packets };
    quotient(Some(lost), Some(all)).map(|ratio| ratio.clamp(0.0, 1.0))
}

/// What the far end said last about a stream that is sent to it.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Remote {
    received_with_ect1: Option<f64>,
    received_with_ce: Option<f64>,
    with_bleached_ect1: Option<f64>,
}

static REMOTE_MEMBERS: LazyLock<Wanted<3>> = LazyLock::new(|| {
    Wanted::new(["packetsReceivedWithEct1", "packetsReceivedWithCe", "packetsWithBleachedEct1Marking"])
});

impl Remote {
    /// What the entry says that the stream's entry refers to.
    pub(super) fn of(report: &Report, stream: Entry<'_>) -> Self {
        let far_end = stream.member("remoteId").and_then(RawValue::as_str).and_then(|id| report.get(&id));
        let [received_with_ect1, received_with_ce, with_bleached_ect1] = match far_end {
            Some(far_end) => REMOTE_MEMBERS.of(far_end).map(|value| value.and_then(RawValue::as_f64)),
            None => [None; 3],
        };
        Self { received_with_ect1, received_with_ce, with_bleached_ect1 }
    }

    /// Whether an entry says any of it.
    pub(super) fn is_told_by(entry: Entry<'_>) -> bool {
        REMOTE_MEMBERS.is_any_in(entry)
    }
}
