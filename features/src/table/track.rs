//! The features of one track.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::features;
use crate::value::UnixMillis;

features! {
    /// The features of one track of a connection.
    struct TrackFeatures {}

    /// The table of track features.
    table TRACK_FEATURES {
        "kind" kind: Option<String>, None, "audio or video.";
        "direction" direction: Option<String>, None, "inbound or outbound.";
        "trackIdentifier" track_identifier: Option<String>, None, "The id of the MediaStreamTrack.";
        "startTime" start_time: Option<UnixMillis>, None, "Time of the event that brought the track.";
        "duration" duration: Option<i64>, Milliseconds, "From that event to the last report that has the track's stream; 0 if none ever had.";
        "timeToFirstFrame" time_to_first_frame: Option<i64>, Milliseconds, "Until the inbound track was first unmuted.";
        "hasNullVideoDecoder" has_null_video_decoder: Option<bool>, None, "Whether the inbound video was ever decoded by NullVideoDecoder, which shows nothing.";
        "hasPeriodicJitterBufferFlushes" has_periodic_jitter_buffer_flushes: Option<bool>, None, "Whether the inbound audio's jitter buffer was flushed at least three times, always 3 to 5 s apart.";
        "codecMimeType" codec_mime_type: Option<String>, None, "MIME type of the first codec.";
        "codecSdpFmtpLine" codec_sdp_fmtp_line: Option<String>, None, "Format parameters of the first codec; empty if it has none.";
        "commonWidth" common_width: Option<i64>, Pixels, "The width in most reports, the smallest of several.";
        "commonHeight" common_height: Option<i64>, Pixels, "The height in most reports, the smallest of several.";
        "minWidth" min_width: Option<i64>, Pixels, "The smallest width.";
        "minHeight" min_height: Option<i64>, Pixels, "The smallest height.";
        "maxWidth" max_width: Option<i64>, Pixels, "The largest width.";
        "maxHeight" max_height: Option<i64>, Pixels, "The largest height.";
        "frameCount" frame_count: Option<i64>, Count, "framesEncoded, or framesDecoded.";
        "keyFrameCount" key_frame_count: Option<i64>, Count, "keyFramesEncoded, or keyFramesDecoded.";
        "qpSum" qp_sum: Option<i64>, None, "Sum of the quantizer values of all frames.";
        "nackCount" nack_count: Option<i64>, Count, "NACKs.";
        "pliCount" pli_count: Option<i64>, Count, "Picture loss indications.";
        "firCount" fir_count: Option<i64>, Count, "Full intra requests.";
        "bandwidthQualityLimitationPercentage" bandwidth_quality_limitation_percentage: Option<f64>, Fraction, "Share of the time in which bandwidth limited the quality, from 0 to 1.";
        "cpuQualityLimitationPercentage" cpu_quality_limitation_percentage: Option<f64>, Fraction, "Share of the time in which the processor limited the quality, from 0 to 1.";
        "otherQualityLimitationPercentage" other_quality_limitation_percentage: Option<f64>, Fraction, "Share of the time in which something else limited the quality, from 0 to 1.";
        "qualityLimitationResolutionChanges" quality_limitation_resolution_changes: Option<i64>, Count, "Changes of resolution because of a limit.";
        "rid" rid: Option<String>, None, "The RTP stream id of the encoding.";
        "encodingIndex" encoding_index: Option<i64>, None, "The index of the encoding in the sender's parameters.";
        "encoderImplementation" encoder_implementation: Option<String>, None, "The encoder.";
        "powerEfficientEncoder" power_efficient_encoder: Option<bool>, None, "Whether the encoder is a power efficient one.";
        "averageEncodeTime" average_encode_time: Option<f64>, Seconds, "totalEncodeTime / framesEncoded.";
        "psnrMeasurements" psnr_measurements: Option<i64>, Count, "Frames whose PSNR was measured.";
        "psnrSumY" psnr_sum_y: Option<f64>, Decibels, "Sum of their PSNR, luma.";
        "psnrSumU" psnr_sum_u: Option<f64>, Decibels, "Sum of their PSNR, chroma U.";
        "psnrSumV" psnr_sum_v: Option<f64>, Decibels, "Sum of their PSNR, chroma V.";
        "packetsSentWithEct1" packets_sent_with_ect1: Option<i64>, Count, "Packets sent with ECT(1), which L4S uses.";
        "packetsReceivedWithEct1" packets_received_with_ect1: Option<i64>, Count, "Packets that arrived at the far end with ECT(1).";
        "packetsReceivedWithCe" packets_received_with_ce: Option<i64>, Count, "Packets that arrived at the far end marked as having seen congestion.";
        "packetsWithBleachedEct1Marking" packets_with_bleached_ect1_marking: Option<i64>, Count, "Packets sent with ECT(1) that arrived without.";
        "freezeCount" freeze_count: Option<i64>, Count, "Freezes of the video.";
        "totalFreezesDuration" total_freezes_duration: Option<f64>, Seconds, "How long it was frozen.";
        "framesDropped" frames_dropped: Option<i64>, Count, "Frames that were received and not shown.";
        "decoderImplementation" decoder_implementation: Option<String>, None, "The decoder.";
        "powerEfficientDecoder" power_efficient_decoder: Option<bool>, None, "Whether the decoder is a power efficient one.";
        "jitterBufferDelay" jitter_buffer_delay: Option<f64>, Seconds, "Sum over all samples or frames of the time that each spent in the jitter buffer.";
        "jitterBufferMinimumDelay" jitter_buffer_minimum_delay: Option<f64>, Seconds, "The same sum, had nothing but the network asked for it.";
        "jitterBufferTargetDelay" jitter_buffer_target_delay: Option<f64>, Seconds, "The same sum of the delay that was aimed at.";
        "jitterBufferEmittedCount" jitter_buffer_emitted_count: Option<i64>, Count, "Samples or frames that left the jitter buffer.";
        "jitterBufferFlushes" jitter_buffer_flushes: Option<i64>, Count, "Flushes of the jitter buffer.";
        "totalProcessingDelay" total_processing_delay: Option<f64>, Seconds, "Sum over all samples or frames of the time from first packet to decoded.";
        "framesAssembledFromMultiplePackets" frames_assembled_from_multiple_packets: Option<i64>, Count, "Frames of more than one packet.";
        "totalAssemblyTime" total_assembly_time: Option<f64>, Seconds, "Sum over these of the time from first packet to last.";
        "concealedSamples" concealed_samples: Option<i64>, Count, "Samples that stand in for lost ones.";
        "totalSamplesReceived" total_samples_received: Option<i64>, Count, "All samples, concealed ones too.";
        "insertedSamplesForDeceleration" inserted_samples_for_deceleration: Option<i64>, Count, "Samples added to play slower.";
        "removedSamplesForAcceleration" removed_samples_for_acceleration: Option<i64>, Count, "Samples left out to play faster.";
        "concealmentPercentage" concealment_percentage: Option<f64>, Fraction, "concealedSamples / totalSamplesReceived, from 0 to 1.";
        "decelerationPercentage" deceleration_percentage: Option<f64>, Fraction, "insertedSamplesForDeceleration / totalSamplesReceived, from 0 to 1.";
        "accelerationPercentage" acceleration_percentage: Option<f64>, Fraction, "removedSamplesForAcceleration / totalSamplesReceived, from 0 to 1.";
        "averageDecodeTime" average_decode_time: Option<f64>, Seconds, "totalDecodeTime / framesDecoded.";
        "averageInterFrameDelay" average_inter_frame_delay: Option<f64>, Seconds, "totalInterFrameDelay / framesDecoded.";
        "averageJitterBufferDelay" average_jitter_buffer_delay: Option<f64>, Seconds, "jitterBufferDelay / jitterBufferEmittedCount.";
        "averageProcessingDelay" average_processing_delay: Option<f64>, Seconds, "totalProcessingDelay / jitterBufferEmittedCount.";
        "averageAssemblyTime" average_assembly_time: Option<f64>, Seconds, "totalAssemblyTime / framesAssembledFromMultiplePackets.";
    }
}

impl Serialize for TrackFeatures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_values(&mut map)?;
        map.end()
    }
}
