//! Connections of which reports alone are known, as the SFU Sora pushes them once a minute: what their tracks are, and what is not said of them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

mod common;

use common::{connection, session};
use rtctrace_features::{ConnectionFeatures, FeatureValue, TrackFeatures, UnixMillis};

const BEGIN: u64 = 1_795_983_300_000;

/// What Sora tells of a connection, and pushes of it a minute apart.
fn pushed(reports: &[&str]) -> Vec<String> {
    let mut lines = vec![format!(r#"[":sora.connection","C1",{{"role":"sendrecv"}},{BEGIN}]"#)];
    lines.extend(reports.iter().enumerate().map(|(number, report)| {
        let time = BEGIN + 60_000 * (number as u64 + 1);
        format!(r#"["getStats","C1",{{{report},"t":{time}}},"{{}}",60000]"#)
    }));
    lines
}

fn of(reports: &[&str]) -> ConnectionFeatures {
    let lines = pushed(reports);
    connection(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Direction, kind and id of each track.
fn told(features: &ConnectionFeatures) -> Vec<String> {
    let track = |track: &TrackFeatures| {
        [&track.direction, &track.kind, &track.track_identifier].map(|value| value.as_deref().unwrap_or("-")).join(" ")
    };
    features.tracks.iter().map(track).collect()
}

#[test]
fn tracks_are_those_of_the_streams_with_a_track_s_identifier() {
    let layers = |frames: u32| {
        format!(
            r#""IA":{{"type":"inbound-rtp","kind":"audio","trackIdentifier":"far-mic","packetsReceived":{frames},"packetsLost":1}},
            "IV":{{"type":"inbound-rtp","kind":"video","trackIdentifier":"far-cam","framesDecoded":{frames},"freezeCount":2,"frameWidth":640,"frameHeight":360,"jitterBufferFlushes":{frames},"codecId":"C"}},
            "SA":{{"type":"media-source","kind":"audio","trackIdentifier":"mic"}},"SV":{{"type":"media-source","kind":"video","trackIdentifier":"far-cam"}},
            "OA":{{"type":"outbound-rtp","kind":"audio","mediaSourceId":"SA","bytesSent":{}}},
            "O0":{{"type":"outbound-rtp","kind":"video","mediaSourceId":"SV","mid":"1","rid":"r0","framesEncoded":{frames}}},
            "O1":{{"type":"outbound-rtp","kind":"video","mediaSourceId":"SV","mid":"1","rid":"r1","framesEncoded":{frames}}},
            "C":{{"type":"codec","mimeType":"video/AV1"}}"#,
            frames * 4000
        )
        .replace('\n', " ")
    };
    let features = of(&[&layers(60), &layers(120), &layers(180)]);
    let expected = [
        "inbound audio far-mic",
        "inbound video far-cam",
        "outbound audio mic",
        // One that comes and goes on has the same id both ways; layers are one track.
        "outbound video far-cam",
    ];
    assert_eq!(told(&features), expected);
    let [audio, video, sent, layered] = features.tracks.as_slice() else { panic!() };
    assert_eq!((audio.packets_received, audio.packets_lost), (Some(180), Some(1)));
    assert_eq!((video.freeze_count, video.common_height, video.frame_count), (Some(2), Some(360), Some(180)));
    assert_eq!(video.codec_mime_type.as_deref(), Some("video/AV1"));
    assert_eq!((video.has_null_video_decoder, video.time_to_first_frame), (Some(false), None));
    assert_eq!(audio.has_periodic_jitter_buffer_flushes, None, "reports a minute apart cannot say it");
    assert_eq!(video.start_time, Some(UnixMillis(BEGIN as i64 + 60_000)));
    assert_eq!(video.duration, Some(120_000));
    assert_eq!(sent.bitrate_mean, Some(4000.0 * 8.0));
    assert_eq!((layered.rid.as_deref(), layered.frame_rate_mean), (Some("r0"), Some(1.0)));
    assert!(layered.simulcast_layers.is_some());
}

#[test]
fn a_track_s_identifier_is_found_as_other_browsers_and_old_clients_tell_it() {
    // Firefox names no source; there is but one sender of the kind.
    let firefox = of(&[
        r#""O":{"type":"outbound-rtp","kind":"audio","mid":"0","packetsSent":9},"S":{"type":"media-source","kind":"audio","trackIdentifier":"mic"}"#,
    ]);
    assert_eq!(told(&firefox), ["outbound audio mic"]);
    // libwebrtc before there were sources.
    let old = of(&[r#""RTCOutboundRTPVideoStream_1":{"type":"outbound-rtp","mediaType":"video","trackId":"T1","packetsSent":9},
        "RTCInboundRTPAudioStream_2":{"type":"inbound-rtp","trackId":"T2","packetsReceived":9},
        "T1":{"type":"track","trackIdentifier":"cam","kind":"video"},"T2":{"type":"track","trackIdentifier":"far","kind":"audio"}"#
        .replace('\n', " ")
        .as_str()]);
    assert_eq!(told(&old), ["outbound video cam", "inbound audio far"]);
    // Before the standard.
    let legacy = of(&[r#""S":{"type":"ssrc","mediaType":"audio","googTrackId":"a","packetsReceived":"20"}"#]);
    assert_eq!(told(&legacy), ["inbound audio a"]);
}

#[test]
fn a_stream_that_tells_no_track_is_one_and_what_tells_it_later_counts() {
    let features = of(&[
        r#""A":{"type":"inbound-rtp","kind":"audio"},"B":{"type":"inbound-rtp","kind":"audio"},"F":{"type":"inbound-rtp","isRemote":true,"kind":"audio"},"O":{"type":"outbound-rtp","kind":"video"}"#,
        r#""B":{"type":"inbound-rtp","kind":"audio","trackIdentifier":"b"},"S":{"type":"media-source","kind":"video","trackIdentifier":"cam"}"#,
    ]);
    assert_eq!(told(&features), ["inbound audio -", "inbound audio b", "outbound video cam"]);
}

#[test]
fn events_alone_tell_the_tracks_where_there_are_any() {
    let features = connection(&[
        r#"["create","PC_0",null,1000]"#,
        r#"["getStats","PC_0",{"R":{"type":"inbound-rtp","kind":"audio","trackIdentifier":"a"},"t":1},10]"#,
        r#"["addTrack","PC_0",["video","cam","",""],0]"#,
        r#"["getStats","PC_0",{"R":{"packetsReceived":7},"t":1},10]"#,
    ]);
    assert_eq!(told(&features), ["outbound video cam"]);
}

#[test]
fn upstream_s_shape_has_no_track_that_no_event_tells_of() {
    let lines = pushed(&[r#""A":{"type":"inbound-rtp","kind":"audio","trackIdentifier":"a"}"#]);
    let features = session(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(features.connections[0].tracks.len(), 1);
    let upstream = serde_json::to_value(features.upstream()).unwrap();
    assert_eq!(upstream["peerConnections"][0]["tracks"], serde_json::json!([]));
}

const RECEIVED: &str = r#""R":{"type":"inbound-rtp","kind":"video","packetsReceived":900,"framesDecoded":300},"T":{"type":"transport","dtlsState":"connected","tlsVersion":"FEFD","selectedCandidatePairId":"P"},"P":{"type":"candidate-pair","localCandidateId":"L"},"L":{"type":"local-candidate","candidateType":"relay","relayProtocol":"udp","priority":41885439}"#;

#[test]
fn nothing_is_said_of_what_only_events_tell() {
    let features = of(&[RECEIVED]);
    let absent = [
        features.time_to_connected,
        features.time_to_first_audio_packet,
        features.time_to_first_video_packet,
        features.time_to_first_video_frame,
        features.setup_signaling_time,
        features.setup_ice_time,
        features.setup_dtls_time,
        features.setup_media_time,
        features.reconnects,
    ];
    assert_eq!(absent, [None; 9]);
    // Counts of what was received, and what is told by reports, may be 0 or false; nothing else is.
    let negative =
        features.row().filter(|(_, value)| matches!(value, Some(FeatureValue::Bool(false) | FeatureValue::Integer(0))));
    let negative: Vec<_> = negative.map(|(feature, _)| feature.name).collect();
    assert_eq!(negative, ["statsTruncated", "icePathChanges"]);
    let lines = pushed(&[RECEIVED]);
    let client = session(&lines.iter().map(String::as_str).collect::<Vec<_>>()).client;
    let said: Vec<_> = client.values().map(|(feature, _)| feature.name).collect();
    assert_eq!(said, [""; 0], "of the page nothing is known");
    assert!(features.connected);
    assert_eq!(features.first_candidate_pair_local_type.as_deref(), Some("relay"));
}

#[test]
fn without_a_word_of_the_begin_no_time_is_since_it() {
    let late = connection(&[
        &format!(r#"["getStats","PC_0",{{{RECEIVED},"t":1}},1000]"#),
        r#"["onconnectionstatechange","PC_0","connected",500]"#,
    ]);
    assert_eq!((late.time_to_connected, late.time_to_first_video_packet), (None, None));
    assert_eq!((late.connected, late.ice_connected), (true, Some(false)));
    let whole = connection(&[
        r#"["create","PC_0",null,1000]"#,
        &format!(r#"["getStats","PC_0",{{{RECEIVED},"t":1}},400]"#),
        r#"["onconnectionstatechange","PC_0","connected",100]"#,
    ]);
    assert_eq!((whole.time_to_connected, whole.time_to_first_video_packet), (Some(500), Some(400)));
}

#[test]
fn a_connection_is_connected_without_events_if_reports_show_it() {
    let lines = |report: &str| format!(r#"["getStats","PC_0",{{{report},"t":1}},1000]"#);
    for (report, is_connected) in [
        (
            r#""T":{"type":"transport","dtlsState":"new"},"R":{"type":"inbound-rtp","kind":"audio","packetsReceived":0}"#,
            false,
        ),
        (r#""R":{"type":"inbound-rtp","kind":"audio","packetsReceived":1}"#, true),
        (r#""T":{"type":"transport","tlsVersion":"FEFD"}"#, true),
        (
            r#""T":{"type":"transport","selectedCandidatePairId":"P","bytesSent":1,"bytesReceived":1},"P":{"type":"candidate-pair"}"#,
            true,
        ),
    ] {
        assert_eq!(connection(&[&lines(report)]).connected, is_connected, "{report}");
        let traced = [r#"["create","PC_0",null,1000]"#.to_owned(), lines(report)];
        let traced = connection(&traced.each_ref().map(String::as_str));
        assert!(!traced.connected, "its events say when it is");
    }
}

#[test]
fn a_connection_lasts_as_long_as_is_said_of_itself() {
    let lasts = |events: &[(&str, &str)]| {
        let mut lines = pushed(&[r#""T":{"type":"transport","packetsSent":1}"#]);
        lines.extend(events.iter().map(|(kind, more)| {
            format!(r#"[":sora.event","C1",{{"type":"{kind}"{more}}},{{"timestamp":"2026-11-29T20:16:00Z"}},60000]"#)
        }));
        connection(&lines.iter().map(String::as_str).collect::<Vec<_>>()).duration
    };
    let (ended, over) = (("connection.destroyed", ""), ("session.destroyed", ""));
    assert_eq!(lasts(&[]), Some(60_000));
    assert_eq!(lasts(&[ended, over]), Some(120_000), "others were there longer");
    assert_eq!(lasts(&[over]), Some(120_000), "no longer than its session, where nothing else is told");
    // BEGIN and 90 s.
    let member = r#","connection":{"connection_destroyed_timestamp":"2026-11-29T20:16:30Z"}"#;
    assert_eq!(lasts(&[("session.updated", ""), ("session.destroyed", member)]), Some(90_000));
}
