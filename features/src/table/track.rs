//! The features of one track.

#[cfg(feature = "serde")]
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::features;
use crate::value::{Json, UnixMillis};

features! {
    /// The features of one track of a connection.
    struct TrackFeatures {
        /// Whether no event tells of it, but the reports' streams do. Upstream has no such track.
        is_of_reports: bool,
    }

    /// The table of track features.
    table TRACK_FEATURES {
        upstream {
            "kind" kind: Option<String>, None, "audio or video.", "the first element; without events, the member", "addTrack, addTransceiver, replaceTrack, ontrack; getStats: inbound-rtp, outbound-rtp.kind, else mediaType";
            "direction" direction: Option<String>, None, "inbound or outbound.", "by the event; without events, by the type", "addTrack, addTransceiver, replaceTrack: outbound; ontrack: inbound; getStats: inbound-rtp, outbound-rtp";
            "trackIdentifier" track_identifier: Option<String>, None, "The id of the MediaStreamTrack; absent without events, where no stream tells it.", "the second element; without events, the member", "addTrack, addTransceiver, replaceTrack, ontrack; getStats: inbound-rtp, media-source, track.trackIdentifier";
            "startTime" start_time: Option<UnixMillis>, UnixMilliseconds, "Time of the event that brought the track; without events, of the first report that has its stream.", "time of the event", "addTrack, addTransceiver, replaceTrack, ontrack; getStats";
            "duration" duration: Option<i64>, Milliseconds, "From that time to the last report that has the track's stream; 0 if none ever had.", "floor(time of the last report with the stream - startTime)", "getStats: inbound-rtp, outbound-rtp";
            "timeToFirstFrame" time_to_first_frame: Option<i64>, Milliseconds, "Until the inbound track was first unmuted.", "floor(time of the first - startTime)", "MediaStreamTrack.onunmute";
            "hasNullVideoDecoder" has_null_video_decoder: Option<bool>, None, "Whether the inbound video was ever decoded by NullVideoDecoder, which shows nothing.", "any is NullVideoDecoder", "getStats: inbound-rtp.decoderImplementation";
            "hasPeriodicJitterBufferFlushes" has_periodic_jitter_buffer_flushes: Option<bool>, None, "Whether the inbound audio's jitter buffer was flushed at least three times, always 3 to 5 s apart.", "at least 3 growths, all 3000 to 5000 ms apart", "getStats: inbound-rtp.jitterBufferFlushes";
            "codecMimeType" codec_mime_type: Option<String>, None, "MIME type of the first codec.", "in the first report with stream and codec", "getStats: codec.mimeType";
            "codecSdpFmtpLine" codec_sdp_fmtp_line: Option<String>, None, "Format parameters of the first codec; empty if it has none.", "in the first report with stream and codec", "getStats: codec.sdpFmtpLine";
            "commonWidth" common_width: Option<i64>, Pixels, "The width in most reports, the smallest of several.", "most frequent, of equals the smallest; where frameWidth and frameHeight are not 0", "getStats: inbound-rtp, outbound-rtp.frameWidth";
            "commonHeight" common_height: Option<i64>, Pixels, "The height in most reports, the smallest of several.", "most frequent, of equals the smallest; where frameWidth and frameHeight are not 0", "getStats: inbound-rtp, outbound-rtp.frameHeight";
            "minWidth" min_width: Option<i64>, Pixels, "The smallest width.", "min, where frameWidth and frameHeight are not 0", "getStats: inbound-rtp, outbound-rtp.frameWidth";
            "minHeight" min_height: Option<i64>, Pixels, "The smallest height.", "min, where frameWidth and frameHeight are not 0", "getStats: inbound-rtp, outbound-rtp.frameHeight";
            "maxWidth" max_width: Option<i64>, Pixels, "The largest width.", "max, where frameWidth and frameHeight are not 0", "getStats: inbound-rtp, outbound-rtp.frameWidth";
            "maxHeight" max_height: Option<i64>, Pixels, "The largest height.", "max, where frameWidth and frameHeight are not 0", "getStats: inbound-rtp, outbound-rtp.frameHeight";
            "frameCount" frame_count: Option<i64>, Count, "framesEncoded, or framesDecoded.", "framesEncoded, else framesDecoded; last", "getStats: outbound-rtp.framesEncoded, inbound-rtp.framesDecoded";
            "keyFrameCount" key_frame_count: Option<i64>, Count, "keyFramesEncoded, or keyFramesDecoded.", "keyFramesEncoded, else keyFramesDecoded; last", "getStats: outbound-rtp.keyFramesEncoded, inbound-rtp.keyFramesDecoded";
            "qpSum" qp_sum: Option<i64>, None, "Sum of the quantizer values of all frames.", "last", "getStats: inbound-rtp, outbound-rtp.qpSum";
            "nackCount" nack_count: Option<i64>, Count, "NACKs.", "last", "getStats: inbound-rtp, outbound-rtp.nackCount";
            "pliCount" pli_count: Option<i64>, Count, "Picture loss indications.", "last", "getStats: inbound-rtp, outbound-rtp.pliCount";
            "firCount" fir_count: Option<i64>, Count, "Full intra requests.", "last", "getStats: inbound-rtp, outbound-rtp.firCount";
            "bandwidthQualityLimitationPercentage" bandwidth_quality_limitation_percentage: Option<f64>, Fraction, "Share of the time in which bandwidth limited the quality, from 0 to 1.", "bandwidth / sum of all; last", "getStats: outbound-rtp.qualityLimitationDurations";
            "cpuQualityLimitationPercentage" cpu_quality_limitation_percentage: Option<f64>, Fraction, "Share of the time in which the processor limited the quality, from 0 to 1.", "cpu / sum of all; last", "getStats: outbound-rtp.qualityLimitationDurations";
            "otherQualityLimitationPercentage" other_quality_limitation_percentage: Option<f64>, Fraction, "Share of the time in which something else limited the quality, from 0 to 1.", "other / sum of all; last", "getStats: outbound-rtp.qualityLimitationDurations";
            "qualityLimitationResolutionChanges" quality_limitation_resolution_changes: Option<i64>, Count, "Changes of resolution because of a limit.", "last", "getStats: outbound-rtp.qualityLimitationResolutionChanges";
            "rid" rid: Option<String>, None, "The RTP stream id of the encoding.", "last", "getStats: outbound-rtp.rid";
            "encodingIndex" encoding_index: Option<i64>, None, "The index of the encoding in the sender's parameters.", "last", "getStats: outbound-rtp.encodingIndex";
            "encoderImplementation" encoder_implementation: Option<String>, None, "The encoder.", "last", "getStats: outbound-rtp.encoderImplementation";
            "powerEfficientEncoder" power_efficient_encoder: Option<bool>, None, "Whether the encoder is a power efficient one.", "last", "getStats: outbound-rtp.powerEfficientEncoder";
            "averageEncodeTime" average_encode_time: Option<f64>, Seconds, "totalEncodeTime / framesEncoded.", "totalEncodeTime / framesEncoded; last", "getStats: outbound-rtp";
            "psnrMeasurements" psnr_measurements: Option<i64>, Count, "Frames whose PSNR was measured.", "last, if not 0", "getStats: outbound-rtp.psnrMeasurements";
            "psnrSumY" psnr_sum_y: Option<f64>, Decibels, "Sum of their PSNR, luma.", "y; last", "getStats: outbound-rtp.psnrSum";
            "psnrSumU" psnr_sum_u: Option<f64>, Decibels, "Sum of their PSNR, chroma U.", "u; last", "getStats: outbound-rtp.psnrSum";
            "psnrSumV" psnr_sum_v: Option<f64>, Decibels, "Sum of their PSNR, chroma V.", "v; last", "getStats: outbound-rtp.psnrSum";
            "packetsSentWithEct1" packets_sent_with_ect1: Option<i64>, Count, "Packets sent with ECT(1), which L4S uses.", "last", "getStats: outbound-rtp.packetsSentWithEct1";
            "packetsReceivedWithEct1" packets_received_with_ect1: Option<i64>, Count, "Packets that arrived at the far end with ECT(1).", "last", "getStats: remote-inbound-rtp.packetsReceivedWithEct1";
            "packetsReceivedWithCe" packets_received_with_ce: Option<i64>, Count, "Packets that arrived at the far end marked as having seen congestion.", "last", "getStats: remote-inbound-rtp.packetsReceivedWithCe";
            "packetsWithBleachedEct1Marking" packets_with_bleached_ect1_marking: Option<i64>, Count, "Packets sent with ECT(1) that arrived without.", "last", "getStats: remote-inbound-rtp.packetsWithBleachedEct1Marking";
            "freezeCount" freeze_count: Option<i64>, Count, "Freezes of the video.", "last", "getStats: inbound-rtp.freezeCount";
            "totalFreezesDuration" total_freezes_duration: Option<f64>, Seconds, "How long it was frozen.", "last", "getStats: inbound-rtp.totalFreezesDuration";
            "framesDropped" frames_dropped: Option<i64>, Count, "Frames that were received and not shown.", "last", "getStats: inbound-rtp.framesDropped";
            "decoderImplementation" decoder_implementation: Option<String>, None, "The decoder.", "last", "getStats: inbound-rtp.decoderImplementation";
            "powerEfficientDecoder" power_efficient_decoder: Option<bool>, None, "Whether the decoder is a power efficient one.", "last", "getStats: inbound-rtp.powerEfficientDecoder";
            "jitterBufferDelay" jitter_buffer_delay: Option<f64>, Seconds, "Sum over all samples or frames of the time that each spent in the jitter buffer.", "last", "getStats: inbound-rtp.jitterBufferDelay";
            "jitterBufferMinimumDelay" jitter_buffer_minimum_delay: Option<f64>, Seconds, "The same sum, had nothing but the network asked for it.", "last", "getStats: inbound-rtp.jitterBufferMinimumDelay";
            "jitterBufferTargetDelay" jitter_buffer_target_delay: Option<f64>, Seconds, "The same sum of the delay that was aimed at.", "last", "getStats: inbound-rtp.jitterBufferTargetDelay";
            "jitterBufferEmittedCount" jitter_buffer_emitted_count: Option<i64>, Count, "Samples or frames that left the jitter buffer.", "last", "getStats: inbound-rtp.jitterBufferEmittedCount";
            "jitterBufferFlushes" jitter_buffer_flushes: Option<i64>, Count, "Flushes of the jitter buffer.", "last", "getStats: inbound-rtp.jitterBufferFlushes";
            "totalProcessingDelay" total_processing_delay: Option<f64>, Seconds, "Sum over all samples or frames of the time from first packet to decoded.", "last", "getStats: inbound-rtp.totalProcessingDelay";
            "framesAssembledFromMultiplePackets" frames_assembled_from_multiple_packets: Option<i64>, Count, "Frames of more than one packet.", "last", "getStats: inbound-rtp.framesAssembledFromMultiplePackets";
            "totalAssemblyTime" total_assembly_time: Option<f64>, Seconds, "Sum over these of the time from first packet to last.", "last", "getStats: inbound-rtp.totalAssemblyTime";
            "concealedSamples" concealed_samples: Option<i64>, Count, "Samples that stand in for lost ones.", "last", "getStats: inbound-rtp.concealedSamples";
            "totalSamplesReceived" total_samples_received: Option<i64>, Count, "All samples, concealed ones too.", "last", "getStats: inbound-rtp.totalSamplesReceived";
            "insertedSamplesForDeceleration" inserted_samples_for_deceleration: Option<i64>, Count, "Samples added to play slower.", "last", "getStats: inbound-rtp.insertedSamplesForDeceleration";
            "removedSamplesForAcceleration" removed_samples_for_acceleration: Option<i64>, Count, "Samples left out to play faster.", "last", "getStats: inbound-rtp.removedSamplesForAcceleration";
            "concealmentPercentage" concealment_percentage: Option<f64>, Fraction, "concealedSamples / totalSamplesReceived, from 0 to 1.", "concealedSamples / totalSamplesReceived; last", "getStats: inbound-rtp";
            "decelerationPercentage" deceleration_percentage: Option<f64>, Fraction, "insertedSamplesForDeceleration / totalSamplesReceived, from 0 to 1.", "insertedSamplesForDeceleration / totalSamplesReceived; last", "getStats: inbound-rtp";
            "accelerationPercentage" acceleration_percentage: Option<f64>, Fraction, "removedSamplesForAcceleration / totalSamplesReceived, from 0 to 1.", "removedSamplesForAcceleration / totalSamplesReceived; last", "getStats: inbound-rtp";
            "averageDecodeTime" average_decode_time: Option<f64>, Seconds, "totalDecodeTime / framesDecoded.", "totalDecodeTime / framesDecoded; last", "getStats: inbound-rtp";
            "averageInterFrameDelay" average_inter_frame_delay: Option<f64>, Seconds, "totalInterFrameDelay / framesDecoded.", "totalInterFrameDelay / framesDecoded; last", "getStats: inbound-rtp";
            "averageJitterBufferDelay" average_jitter_buffer_delay: Option<f64>, Seconds, "jitterBufferDelay / jitterBufferEmittedCount.", "jitterBufferDelay / jitterBufferEmittedCount; last", "getStats: inbound-rtp";
            "averageProcessingDelay" average_processing_delay: Option<f64>, Seconds, "totalProcessingDelay / jitterBufferEmittedCount.", "totalProcessingDelay / jitterBufferEmittedCount; last", "getStats: inbound-rtp";
            "averageAssemblyTime" average_assembly_time: Option<f64>, Seconds, "totalAssemblyTime / framesAssembledFromMultiplePackets.", "totalAssemblyTime / framesAssembledFromMultiplePackets; last", "getStats: inbound-rtp";
        }
        ours {
            "bitrateMean" bitrate_mean: Option<f64>, BitsPerSecond, "Mean of the bit rate, of payloads.", "mean of growth of bytes * 8 / seconds, from sample to sample; of simulcast, that of the first layer", "getStats: inbound-rtp.bytesReceived, outbound-rtp.bytesSent";
            "bitrateP5" bitrate_p5: Option<f64>, BitsPerSecond, "5th percentile of the bit rate, of payloads.", "5th percentile of growth of bytes * 8 / seconds, from sample to sample; of simulcast, that of the first layer", "getStats: inbound-rtp.bytesReceived, outbound-rtp.bytesSent";
            "bitrateP50" bitrate_p50: Option<f64>, BitsPerSecond, "Median of the bit rate, of payloads.", "median of growth of bytes * 8 / seconds, from sample to sample; of simulcast, that of the first layer", "getStats: inbound-rtp.bytesReceived, outbound-rtp.bytesSent";
            "bitrateP95" bitrate_p95: Option<f64>, BitsPerSecond, "95th percentile of the bit rate, of payloads.", "95th percentile of growth of bytes * 8 / seconds, from sample to sample; of simulcast, that of the first layer", "getStats: inbound-rtp.bytesReceived, outbound-rtp.bytesSent";
            "bitrateMax" bitrate_max: Option<f64>, BitsPerSecond, "Maximum of the bit rate, of payloads.", "max of growth of bytes * 8 / seconds, from sample to sample; of simulcast, that of the first layer", "getStats: inbound-rtp.bytesReceived, outbound-rtp.bytesSent";
            "frameRateMean" frame_rate_mean: Option<f64>, FramesPerSecond, "Mean of the frame rate.", "mean of growth of frames / seconds, from sample to sample; of simulcast, that of the first layer", "getStats: inbound-rtp.framesDecoded, outbound-rtp.framesEncoded";
            "frameRateP5" frame_rate_p5: Option<f64>, FramesPerSecond, "5th percentile of the frame rate.", "5th percentile of growth of frames / seconds, from sample to sample; of simulcast, that of the first layer", "getStats: inbound-rtp.framesDecoded, outbound-rtp.framesEncoded";
            "frameRateP50" frame_rate_p50: Option<f64>, FramesPerSecond, "Median of the frame rate.", "median of growth of frames / seconds, from sample to sample; of simulcast, that of the first layer", "getStats: inbound-rtp.framesDecoded, outbound-rtp.framesEncoded";
            "frameRateP95" frame_rate_p95: Option<f64>, FramesPerSecond, "95th percentile of the frame rate.", "95th percentile of growth of frames / seconds, from sample to sample; of simulcast, that of the first layer", "getStats: inbound-rtp.framesDecoded, outbound-rtp.framesEncoded";
            "frameRateMax" frame_rate_max: Option<f64>, FramesPerSecond, "Maximum of the frame rate.", "max of growth of frames / seconds, from sample to sample; of simulcast, that of the first layer", "getStats: inbound-rtp.framesDecoded, outbound-rtp.framesEncoded";
            "roundTripTimeMean" round_trip_time_mean: Option<f64>, Seconds, "Mean of the round trip time of what is sent.", "mean of roundTripTime in each sample; of simulcast, that of the first layer", "getStats: remote-inbound-rtp.roundTripTime";
            "roundTripTimeP5" round_trip_time_p5: Option<f64>, Seconds, "5th percentile of the round trip time of what is sent.", "5th percentile of roundTripTime in each sample; of simulcast, that of the first layer", "getStats: remote-inbound-rtp.roundTripTime";
            "roundTripTimeP50" round_trip_time_p50: Option<f64>, Seconds, "Median of the round trip time of what is sent.", "median of roundTripTime in each sample; of simulcast, that of the first layer", "getStats: remote-inbound-rtp.roundTripTime";
            "roundTripTimeP95" round_trip_time_p95: Option<f64>, Seconds, "95th percentile of the round trip time of what is sent.", "95th percentile of roundTripTime in each sample; of simulcast, that of the first layer", "getStats: remote-inbound-rtp.roundTripTime";
            "roundTripTimeMax" round_trip_time_max: Option<f64>, Seconds, "Maximum of the round trip time of what is sent.", "max of roundTripTime in each sample; of simulcast, that of the first layer", "getStats: remote-inbound-rtp.roundTripTime";
            "jitterMean" jitter_mean: Option<f64>, Seconds, "Mean of the jitter, outbound as the far end sees it.", "mean of jitter in each sample; of simulcast, that of the first layer", "getStats: inbound-rtp.jitter, remote-inbound-rtp.jitter";
            "jitterP5" jitter_p5: Option<f64>, Seconds, "5th percentile of the jitter, outbound as the far end sees it.", "5th percentile of jitter in each sample; of simulcast, that of the first layer", "getStats: inbound-rtp.jitter, remote-inbound-rtp.jitter";
            "jitterP50" jitter_p50: Option<f64>, Seconds, "Median of the jitter, outbound as the far end sees it.", "median of jitter in each sample; of simulcast, that of the first layer", "getStats: inbound-rtp.jitter, remote-inbound-rtp.jitter";
            "jitterP95" jitter_p95: Option<f64>, Seconds, "95th percentile of the jitter, outbound as the far end sees it.", "95th percentile of jitter in each sample; of simulcast, that of the first layer", "getStats: inbound-rtp.jitter, remote-inbound-rtp.jitter";
            "jitterMax" jitter_max: Option<f64>, Seconds, "Maximum of the jitter, outbound as the far end sees it.", "max of jitter in each sample; of simulcast, that of the first layer", "getStats: inbound-rtp.jitter, remote-inbound-rtp.jitter";
            "lossMean" loss_mean: Option<f64>, Fraction, "Mean of the share of lost packets, from 0 to 1.", "mean of inbound: growth of packetsLost / (of packetsLost + of packetsReceived) from sample to sample, and if any was lost for all samples since packets came last; outbound: fractionLost in each sample; of simulcast, that of the first layer", "getStats: inbound-rtp.packetsLost, packetsReceived; remote-inbound-rtp.fractionLost";
            "lossP5" loss_p5: Option<f64>, Fraction, "5th percentile of the share of lost packets, from 0 to 1.", "5th percentile of inbound: growth of packetsLost / (of packetsLost + of packetsReceived) from sample to sample, and if any was lost for all samples since packets came last; outbound: fractionLost in each sample; of simulcast, that of the first layer", "getStats: inbound-rtp.packetsLost, packetsReceived; remote-inbound-rtp.fractionLost";
            "lossP50" loss_p50: Option<f64>, Fraction, "Median of the share of lost packets, from 0 to 1.", "median of inbound: growth of packetsLost / (of packetsLost + of packetsReceived) from sample to sample, and if any was lost for all samples since packets came last; outbound: fractionLost in each sample; of simulcast, that of the first layer", "getStats: inbound-rtp.packetsLost, packetsReceived; remote-inbound-rtp.fractionLost";
            "lossP95" loss_p95: Option<f64>, Fraction, "95th percentile of the share of lost packets, from 0 to 1.", "95th percentile of inbound: growth of packetsLost / (of packetsLost + of packetsReceived) from sample to sample, and if any was lost for all samples since packets came last; outbound: fractionLost in each sample; of simulcast, that of the first layer", "getStats: inbound-rtp.packetsLost, packetsReceived; remote-inbound-rtp.fractionLost";
            "lossMax" loss_max: Option<f64>, Fraction, "Maximum of the share of lost packets, from 0 to 1.", "max of inbound: growth of packetsLost / (of packetsLost + of packetsReceived) from sample to sample, and if any was lost for all samples since packets came last; outbound: fractionLost in each sample; of simulcast, that of the first layer", "getStats: inbound-rtp.packetsLost, packetsReceived; remote-inbound-rtp.fractionLost";
            "jitterBufferDelayMean" jitter_buffer_delay_mean: Option<f64>, Seconds, "Mean of the time in the jitter buffer.", "mean of growth of jitterBufferDelay / growth of jitterBufferEmittedCount, from sample to sample", "getStats: inbound-rtp.jitterBufferDelay, jitterBufferEmittedCount";
            "jitterBufferDelayP5" jitter_buffer_delay_p5: Option<f64>, Seconds, "5th percentile of the time in the jitter buffer.", "5th percentile of growth of jitterBufferDelay / growth of jitterBufferEmittedCount, from sample to sample", "getStats: inbound-rtp.jitterBufferDelay, jitterBufferEmittedCount";
            "jitterBufferDelayP50" jitter_buffer_delay_p50: Option<f64>, Seconds, "Median of the time in the jitter buffer.", "median of growth of jitterBufferDelay / growth of jitterBufferEmittedCount, from sample to sample", "getStats: inbound-rtp.jitterBufferDelay, jitterBufferEmittedCount";
            "jitterBufferDelayP95" jitter_buffer_delay_p95: Option<f64>, Seconds, "95th percentile of the time in the jitter buffer.", "95th percentile of growth of jitterBufferDelay / growth of jitterBufferEmittedCount, from sample to sample", "getStats: inbound-rtp.jitterBufferDelay, jitterBufferEmittedCount";
            "jitterBufferDelayMax" jitter_buffer_delay_max: Option<f64>, Seconds, "Maximum of the time in the jitter buffer.", "max of growth of jitterBufferDelay / growth of jitterBufferEmittedCount, from sample to sample", "getStats: inbound-rtp.jitterBufferDelay, jitterBufferEmittedCount";
            "mosMean" mos_mean: Option<f64>, Score, "Mean of the inbound audio's mean opinion score.", "over samples, weighted as lossMean, E-model of ITU-T G.107: R = 93.2 - Id - Ie,eff, from 0 to 100; d = 1000 (round trip time / 2 + delay in the jitter buffer), round trip time = currentRoundTripTime, else the newest roundTripTime of a remote-inbound-rtp, else of a remote-outbound-rtp, and without any no score, Id = 0.024 d + 0.11 max(0, d - 177.3); Ie,eff = 95 P / (P + Bpl), P = loss in percent, Bpl = 20 for Opus with FEC or RED, 10 without, 25.1 for G.711; MOS = max(1, 1 + 0.035 R + 7e-6 R (R - 60) (100 - R))", "getStats: inbound-rtp.packetsLost, packetsReceived, jitterBufferDelay, jitterBufferEmittedCount; candidate-pair in use.currentRoundTripTime; remote-inbound-rtp.roundTripTime, remote-outbound-rtp.roundTripTime; codec.mimeType, sdpFmtpLine (of the newest codec)";
            "mosP5" mos_p5: Option<f64>, Score, "5th percentile of the inbound audio's mean opinion score.", "5th percentile of the scores of mosMean", "as mosMean";
            "mosMin" mos_min: Option<f64>, Score, "Least of the inbound audio's mean opinion scores.", "min of the scores of mosMean", "as mosMean";
            "packetsSent" packets_sent: Option<i64>, Count, "Packets sent.", "last", "getStats: outbound-rtp.packetsSent";
            "packetsReceived" packets_received: Option<i64>, Count, "Packets received.", "last", "getStats: inbound-rtp.packetsReceived";
            "packetsLost" packets_lost: Option<i64>, Count, "Packets that never came, or that the far end missed; below 0 if some came twice.", "last", "getStats: inbound-rtp.packetsLost, remote-inbound-rtp.packetsLost";
            "packetsLostRatio" packets_lost_ratio: Option<f64>, Fraction, "Share of lost packets, from 0 to 1.", "inbound: packetsLost / (packetsReceived + packetsLost); outbound: packetsLost / packetsSent", "getStats: inbound-rtp; outbound-rtp.packetsSent, remote-inbound-rtp.packetsLost";
            "freezeRatio" freeze_ratio: Option<f64>, Fraction, "Share of its time in which the video was frozen, from 0 to 1.", "totalFreezesDuration / totalInterFrameDelay, which is the time from its first frame to its last", "getStats: inbound-rtp";
            "audibleConcealmentRatio" audible_concealment_ratio: Option<f64>, Fraction, "As concealmentPercentage, without what was concealed by silence.", "(concealedSamples - silentConcealedSamples) / totalSamplesReceived; last", "getStats: inbound-rtp";
            "noneQualityLimitationDuration" none_quality_limitation_duration: Option<f64>, Seconds, "How long nothing limited the quality.", "none; last", "getStats: outbound-rtp.qualityLimitationDurations";
            "cpuQualityLimitationDuration" cpu_quality_limitation_duration: Option<f64>, Seconds, "How long the processor limited the quality.", "cpu; last", "getStats: outbound-rtp.qualityLimitationDurations";
            "bandwidthQualityLimitationDuration" bandwidth_quality_limitation_duration: Option<f64>, Seconds, "How long bandwidth limited the quality.", "bandwidth; last", "getStats: outbound-rtp.qualityLimitationDurations";
            "otherQualityLimitationDuration" other_quality_limitation_duration: Option<f64>, Seconds, "How long something else limited the quality.", "other; last", "getStats: outbound-rtp.qualityLimitationDurations";
            "simulcastLayers" simulcast_layers: Option<Json>, None, "The layers of an outbound video that is sent as several streams.", "[{rid, maxWidth, maxHeight, frameRateMean: 1/s, bitrateMean: bit/s, activeSeconds: sum of the samples' seconds in which bytesSent grew}] of the streams of video with the same mid, else mediaSourceId: the newest of each rid, else encodingIndex, else id; the newest 16", "getStats: outbound-rtp";
            "packetsLostVariance" packets_lost_variance: Option<f64>, Count, "How unevenly packets were lost.", "population variance of the growth of packetsLost from sample to sample", "getStats: inbound-rtp.packetsLost, remote-inbound-rtp.packetsLost";
        }
    }
}

#[cfg(feature = "serde")]
impl Serialize for TrackFeatures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_values(&mut map, false)?;
        map.end()
    }
}
