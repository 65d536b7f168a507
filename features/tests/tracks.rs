//! Track features, formula by formula.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

mod common;

use common::connection;
use rtctrace_features::{TrackFeatures, UnixMillis};

/// A line with a report, 1 s after the line before it.
fn report(entries: &str) -> String {
    format!(r#"["getStats","PC_0",{{{entries},"t":1}},1000]"#)
}

/// A line with an event at the time of the line before it.
fn event(method: &str, value: &str) -> String {
    format!(r#"["{method}","PC_0",{value},0]"#)
}

fn of(lines: &[String]) -> Vec<TrackFeatures> {
    connection(&lines.iter().map(String::as_str).collect::<Vec<_>>()).tracks
}

/// The features of an inbound track called `a` of that kind, after these reports.
fn inbound(kind: &str, reports: &[&str]) -> TrackFeatures {
    let mut lines = vec![event("ontrack", &format!(r#"["{kind}","a","label","stream"]"#))];
    lines.extend(reports.iter().map(|entries| report(entries)));
    let mut tracks = of(&lines);
    assert_eq!(tracks.len(), 1);
    tracks.remove(0)
}

/// The features of an outbound track called `a`, after these reports, each of which has its source.
fn outbound(reports: &[&str]) -> TrackFeatures {
    let mut lines = vec![event("addTrack", r#"["video","a","label","stream"]"#)];
    let source = r#""S":{"type":"media-source","trackIdentifier":"a"}"#;
    lines.extend(reports.iter().map(|entries| report(&format!("{source},{entries}"))));
    let mut tracks = of(&lines);
    assert_eq!(tracks.len(), 1);
    tracks.remove(0)
}

const IN: &str = r#""R":{"type":"inbound-rtp","trackIdentifier":"a""#;
const OUT: &str = r#""R":{"type":"outbound-rtp","mediaSourceId":"S""#;

#[test]
fn tracks_come_from_the_events_that_bring_one() {
    let tracks = of(&[
        event("addTrack", r#"["audio","a","mic","s"]"#),
        event("addTransceiver", r#"["video"]"#),
        event("addTransceiver", r#"[["video","b","camera"],{"direction":"sendonly"}]"#),
        event("ontrack", r#"["audio","c","remote","s"]"#),
        event("ontrack", r#"["audio","c","remote","s"]"#),
        event("ontrack", r#"["audio","a","loop","s"]"#),
        event("replaceTrack", r#"[["video","b","camera"],["video","d","screen"]]"#),
        event("replaceTrack", r#"[["video","d","screen"],["audio","c","remote"]]"#),
        event("replaceTrack", r#"[["video","d","screen"],null]"#),
        event("removeTrack", r#""a""#),
    ]);
    let seen: Vec<_> = tracks
        .iter()
        .map(|track| {
            let text = |text: &Option<String>| text.clone().unwrap();
            [text(&track.direction), text(&track.kind), text(&track.track_identifier)].join(" ")
        })
        .collect();
    let expected = ["outbound audio a", "outbound video b", "inbound audio c", "inbound audio a", "outbound video d"];
    assert_eq!(seen, expected);
    assert!(tracks.iter().all(|track| track.duration == Some(0)), "no report knows them");
}

#[test]
fn a_track_has_the_first_stream_that_carries_it_and_a_layer_beside_it_belongs_to_none() {
    let layers = |frames: [u32; 2]| {
        format!(
            r#""S":{{"type":"media-source","trackIdentifier":"a"}},"L":{{"type":"outbound-rtp","mediaSourceId":"S","rid":"low","framesEncoded":{}}},"H":{{"type":"outbound-rtp","mediaSourceId":"S","rid":"high","framesEncoded":{}}}"#,
            frames[0], frames[1]
        )
    };
    let tracks = of(&[event("addTrack", r#"["video","a"]"#), report(&layers([1, 2])), report(&layers([3, 4]))]);
    assert_eq!(tracks[0].rid.as_deref(), Some("low"));
    assert_eq!(tracks[0].frame_count, Some(3));
    // The same track twice: the second one takes the second layer.
    let twice = [event("addTrack", r#"["video","a"]"#), event("addTrack", r#"["video","a"]"#), report(&layers([1, 2]))];
    let rids: Vec<_> = of(&twice).into_iter().map(|track| track.rid.unwrap()).collect();
    assert_eq!(rids, ["low", "high"]);
}

#[test]
fn a_stream_that_is_known_before_its_track_counts_from_its_beginning() {
    let codec = r#""C":{"type":"codec","mimeType":"video/H264","sdpFmtpLine":"x=1"}"#;
    let tracks = of(&[
        report(&format!(r#"{IN},"codecId":"C","frameWidth":320,"frameHeight":240}},{codec}"#)),
        event("ontrack", r#"["video","a"]"#),
        report(r#""R":{"codecId":"D","frameWidth":640,"frameHeight":480},"D":{"type":"codec","mimeType":"video/VP8"}"#),
    ]);
    assert_eq!(tracks[0].codec_mime_type.as_deref(), Some("video/H264"));
    assert_eq!(tracks[0].codec_sdp_fmtp_line.as_deref(), Some("x=1"));
    assert_eq!((tracks[0].min_width, tracks[0].max_height), (Some(320), Some(480)));
    assert_eq!(tracks[0].duration, Some(1000), "its own time begins with its event");
}

#[test]
fn what_counts_is_the_last_report_that_has_the_stream() {
    let features = inbound(
        "audio",
        &[
            &format!(r#"{IN},"nackCount":1,"concealedSamples":5,"totalSamplesReceived":10}}"#),
            r#""R":{"nackCount":2,"concealedSamples":null}"#,
            r#""R":null,"X":{"type":"peer-connection"}"#,
        ],
    );
    assert_eq!(features.nack_count, Some(2));
    assert_eq!(features.concealed_samples, None);
    assert_eq!(features.concealment_percentage, None);
    assert_eq!(features.total_samples_received, Some(10));
    assert_eq!(features.duration, Some(2000));
}

#[test]
fn the_time_to_the_first_frame_is_that_of_the_first_unmute_and_never_negative() {
    let unmute = r#"["MediaStreamTrack.onunmute","PC_0","a",1000]"#.to_owned();
    let track = event("ontrack", r#"["audio","a"]"#);
    let of = |lines: &[&String]| of(&lines.iter().copied().cloned().collect::<Vec<_>>())[0].time_to_first_frame;
    assert_eq!(of(&[&track]), None);
    assert_eq!(of(&[&track, &unmute, &unmute]), Some(1000));
    let late = r#"["ontrack","PC_0",["audio","a"],500]"#.to_owned();
    assert_eq!(of(&[&unmute, &late, &unmute]), None, "what was unmuted before has no first frame of its own");
    let out = event("addTrack", r#"["audio","a"]"#);
    assert_eq!(of(&[&out, &unmute]), None);
}

#[test]
fn the_common_size_is_the_smallest_of_those_seen_most_often() {
    let size = |width: u32, height: u32| format!(r#"{IN},"frameWidth":{width},"frameHeight":{height}}}"#);
    let sizes = [size(640, 480), size(320, 480), size(320, 240), size(640, 360), size(0, 9999)];
    let features = inbound("video", &sizes.each_ref().map(String::as_str));
    assert_eq!((features.common_width, features.common_height), (Some(320), Some(480)));
    assert_eq!((features.min_width, features.min_height), (Some(320), Some(240)));
    assert_eq!((features.max_width, features.max_height), (Some(640), Some(480)));
    let audio = inbound("audio", &[&format!("{IN}}}")]);
    assert_eq!((audio.common_width, audio.min_height, audio.max_width), (None, None, None));
}

#[test]
fn flushes_are_periodic_when_every_gap_is_between_three_and_five_seconds() {
    let flushed = |counts: &[u32]| {
        let reports: Vec<_> = counts.iter().map(|count| format!(r#"{IN},"jitterBufferFlushes":{count}}}"#)).collect();
        inbound("audio", &reports.iter().map(String::as_str).collect::<Vec<_>>()).has_periodic_jitter_buffer_flushes
    };
    // A report a second: growths at 1, 4, 8.
    assert_eq!(flushed(&[0, 1, 1, 1, 2, 2, 2, 2, 3]), Some(true));
    assert_eq!(flushed(&[0, 1, 1, 1, 2, 2, 3]), Some(false), "2 s");
    assert_eq!(flushed(&[0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3]), Some(false), "6 s");
    assert_eq!(flushed(&[0, 1, 1, 1, 2]), None);
    // What there was when the stream was first seen has not grown.
    assert_eq!(flushed(&[5, 5, 5, 6, 6, 6, 7]), None);
    let video = inbound("video", &[&format!(r#"{IN},"jitterBufferFlushes":1}}"#)]);
    assert_eq!((video.has_periodic_jitter_buffer_flushes, video.jitter_buffer_flushes), (None, Some(1)));
}

#[test]
fn only_inbound_video_may_have_a_null_decoder() {
    let decoder = |name: &str| format!(r#"{IN},"decoderImplementation":"{name}"}}"#);
    let reports = [decoder("libvpx"), decoder("NullVideoDecoder"), decoder("dav1d")];
    let reports = reports.each_ref().map(String::as_str);
    let video = inbound("video", &reports);
    assert_eq!(video.has_null_video_decoder, Some(true));
    assert_eq!(video.decoder_implementation.as_deref(), Some("dav1d"));
    assert_eq!(inbound("video", &reports[..1]).has_null_video_decoder, Some(false));
    assert_eq!(inbound("audio", &reports).has_null_video_decoder, None);
}

#[test]
fn the_shares_of_limits_are_fractions_of_all_their_durations() {
    let limited = |durations: &str| outbound(&[&format!(r#"{OUT},"qualityLimitationDurations":{durations}}}"#)]);
    let features = limited(r#"{"none":1,"cpu":2,"bandwidth":5,"other":0}"#);
    assert_eq!(features.bandwidth_quality_limitation_percentage, Some(0.625));
    assert_eq!(features.cpu_quality_limitation_percentage, Some(0.25));
    assert_eq!(features.other_quality_limitation_percentage, Some(0.0));
    // Where upstream has NaN.
    let features = limited(r#"{"none":0,"cpu":0,"bandwidth":0}"#);
    assert_eq!(features.cpu_quality_limitation_percentage, None);
    let features = limited(r#"{"none":1}"#);
    assert_eq!(features.cpu_quality_limitation_percentage, None);
    assert_eq!(limited("7").cpu_quality_limitation_percentage, None);
}

#[test]
fn an_outbound_track_has_what_its_encoder_and_the_far_end_say() {
    let features = outbound(&[&format!(
        r#"{OUT},"framesEncoded":4,"keyFramesEncoded":1,"framesDecoded":9,"totalEncodeTime":0.5,"encodingIndex":0,"encoderImplementation":"libvpx","powerEfficientEncoder":false,"packetsSentWithEct1":3,"qpSum":12,"firCount":0,"psnrMeasurements":2,"psnrSum":{{"y":80.5,"u":90,"v":91}},"remoteId":"F","freezeCount":1}},"F":{{"type":"remote-inbound-rtp","packetsReceivedWithEct1":2,"packetsReceivedWithCe":1,"packetsWithBleachedEct1Marking":0}}"#
    )]);
    assert_eq!((features.frame_count, features.key_frame_count), (Some(4), Some(1)));
    assert_eq!(features.average_encode_time, Some(0.125));
    assert_eq!((features.encoding_index, features.power_efficient_encoder), (Some(0), Some(false)));
    assert_eq!(features.encoder_implementation.as_deref(), Some("libvpx"));
    assert_eq!((features.qp_sum, features.fir_count, features.pli_count), (Some(12), Some(0), None));
    assert_eq!(
        (features.psnr_measurements, features.psnr_sum_y, features.psnr_sum_v),
        (Some(2), Some(80.5), Some(91.0))
    );
    assert_eq!(features.packets_sent_with_ect1, Some(3));
    assert_eq!(features.packets_received_with_ect1, Some(2));
    assert_eq!(features.packets_received_with_ce, Some(1));
    assert_eq!(features.packets_with_bleached_ect1_marking, Some(0));
    assert_eq!(features.freeze_count, None, "that is of inbound tracks");
    // Upstream throws here.
    let features = outbound(&[&format!(r#"{OUT},"psnrMeasurements":2,"remoteId":"gone"}}"#)]);
    assert_eq!((features.psnr_measurements, features.psnr_sum_y), (Some(2), None));
    assert_eq!(features.packets_received_with_ce, None);
    assert_eq!(outbound(&[&format!(r#"{OUT},"psnrMeasurements":0}}"#)]).psnr_measurements, None);
}

#[test]
fn an_inbound_track_has_what_its_buffer_and_decoder_say() {
    let features = inbound(
        "video",
        &[&format!(
            r#"{IN},"framesDecoded":10,"keyFramesDecoded":2,"totalDecodeTime":1,"totalInterFrameDelay":2,"jitterBufferDelay":3,"jitterBufferEmittedCount":10,"totalProcessingDelay":5,"framesAssembledFromMultiplePackets":4,"totalAssemblyTime":1,"totalFreezesDuration":0.5,"powerEfficientDecoder":true,"qualityLimitationDurations":{{"cpu":1}}}}"#
        )],
    );
    assert_eq!((features.frame_count, features.key_frame_count), (Some(10), Some(2)));
    assert_eq!((features.average_decode_time, features.average_inter_frame_delay), (Some(0.1), Some(0.2)));
    assert_eq!((features.average_jitter_buffer_delay, features.average_processing_delay), (Some(0.3), Some(0.5)));
    assert_eq!((features.average_assembly_time, features.total_freezes_duration), (Some(0.25), Some(0.5)));
    assert_eq!(features.power_efficient_decoder, Some(true));
    assert_eq!(features.cpu_quality_limitation_percentage, None, "that is of outbound tracks");
    let audio = inbound(
        "audio",
        &[&format!(
            r#"{IN},"concealedSamples":1,"insertedSamplesForDeceleration":2,"removedSamplesForAcceleration":4,"totalSamplesReceived":8,"jitterBufferDelay":1,"jitterBufferEmittedCount":0}}"#
        )],
    );
    assert_eq!(audio.concealment_percentage, Some(0.125));
    assert_eq!(audio.deceleration_percentage, Some(0.25));
    assert_eq!(audio.acceleration_percentage, Some(0.5));
    assert_eq!(audio.average_jitter_buffer_delay, None, "nothing came out yet");
}

#[test]
fn the_track_s_time_is_that_of_its_event() {
    let tracks =
        of(&[r#"["create","PC_0",null,1000]"#.to_owned(), r#"["addTrack","PC_0",["audio","a"],234]"#.to_owned()]);
    assert_eq!(tracks[0].start_time, Some(UnixMillis(1234)));
}

#[test]
fn a_track_before_the_one_that_has_a_stream_gets_it_too_when_it_is_what_the_stream_carries() {
    let of_source = |track: &str, frames: u32| {
        report(&format!(
            r#""S":{{"type":"media-source","trackIdentifier":"{track}"}},{OUT},"framesEncoded":{frames}}}"#
        ))
    };
    let tracks = of(&[
        event("addTrack", r#"["video","camera"]"#),
        event("replaceTrack", r#"[["video","camera"],["video","blurred"]]"#),
        of_source("blurred", 1),
        event("replaceTrack", r#"[["video","blurred"],["video","camera"]]"#),
        of_source("camera", 2),
        // Who comes later does not take it from who has it.
        event("replaceTrack", r#"[["video","camera"],["video","screen"]]"#),
        of_source("screen", 3),
    ]);
    assert_eq!(tracks.iter().map(|track| track.frame_count).collect::<Vec<_>>(), [Some(3), Some(3), None]);
}

#[test]
fn inbound_video_without_a_report_has_no_null_decoder() {
    let tracks = of(&[
        event("ontrack", r#"["video","a"]"#),
        event("ontrack", r#"["audio","b"]"#),
        event("addTrack", r#"["video","c"]"#),
    ]);
    assert_eq!(tracks.iter().map(|track| track.has_null_video_decoder).collect::<Vec<_>>(), [Some(false), None, None]);
}

#[test]
fn the_least_and_the_largest_size_count_however_many_there_are() {
    let sizes: Vec<_> =
        (1..1000).map(|width| format!(r#"{IN},"frameWidth":{},"frameHeight":9}}"#, width * 2)).collect();
    let features = inbound("video", &sizes.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((features.min_width, features.max_width, features.common_height), (Some(2), Some(1998), Some(9)));
}

/// Chromium until version 116, for those that asked for reports as they were before the standard.
#[test]
fn streams_from_before_the_standard_count_for_their_tracks() {
    let connection = connection(&[
        r#"["create","PC_0",null,1000]"#,
        r#"["addTrack","PC_0",["video","a",""],1]"#,
        r#"["ontrack","PC_0",["video","b",""],1]"#,
        r#"["getStats","PC_0",{"t":2000,
            "S":{"type":"ssrc","timestamp":2000,"mediaType":"video","googTrackId":"a","packetsSent":"10","packetsLost":"1","googFrameWidthSent":"640","googFrameHeightSent":"480","googNacksReceived":"3"},
            "R":{"type":"ssrc","timestamp":2000,"mediaType":"video","googTrackId":"b","packetsReceived":"20","packetsLost":"5","googFrameWidthReceived":"320","googFrameHeightReceived":"240","framesDecoded":"30","googNacksSent":"4"},
            "V":{"type":"ssrc","timestamp":2000,"googTrackId":"b"}},1000]"#.replace('\n', " ").as_str(),
        r#"["getStats","PC_0",{"t":3000,"R":{"packetsReceived":"45","framesDecoded":"60","packetsLost":"no number"}},1000]"#,
    ]);
    assert_eq!((connection.packets_sent, connection.sent_packets_lost), (Some(10), Some(1)));
    assert_eq!((connection.packets_received, connection.received_packets_lost), (Some(45), None));
    assert_eq!(connection.tallest_inbound_video_height, Some(240.0));
    assert_eq!(connection.tallest_inbound_video_frame_rate, Some(30.0));
    assert_eq!(connection.time_to_first_video_packet, Some(1002));
    let [sent, received] = connection.tracks.as_slice() else { panic!("there are two tracks") };
    assert_eq!((sent.max_width, sent.max_height, sent.nack_count), (Some(640), Some(480), Some(3)));
    assert_eq!((sent.packets_sent, sent.packets_lost, sent.packets_lost_ratio), (Some(10), Some(1), Some(0.1)));
    assert_eq!((received.max_width, received.max_height, received.nack_count), (Some(320), Some(240), Some(4)));
    assert_eq!((received.packets_received, received.frame_count), (Some(45), Some(60)));
}
