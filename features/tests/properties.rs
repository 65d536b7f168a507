//! No sequence of events makes an extractor panic, and none makes it remember without bound.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

mod common;

use proptest::collection::vec;
use proptest::prelude::*;
use rtctrace_features::{FeatureExtractor, Finding, limits};
use rtctrace_protocol::event::{Event, SessionDecoder, Value};
use rtctrace_protocol::json::RawValue;

const METHODS: &[&str] = &[
    "create",
    "close",
    "websocket",
    "constraints",
    "setConfiguration",
    "onicecandidate",
    "addIceCandidate",
    "addIceCandidateOnFailure",
    "addIceCandidateOnSuccess",
    "onsignalingstatechange",
    "oniceconnectionstatechange",
    "onconnectionstatechange",
    "onicegatheringstatechange",
    "createOffer",
    "createOfferOnSuccess",
    "setLocalDescription",
    "setLocalDescriptionOnSuccess",
    "setLocalDescriptionOnFailure",
    "setRemoteDescription",
    "setRemoteDescriptionOnSuccess",
    "setRemoteDescriptionOnFailure",
    "getStats",
    "getStats",
    "getStats",
    "navigator.mediaDevices.getUserMedia",
    "navigator.mediaDevices.getUserMediaOnSuccess",
    "navigator.mediaDevices.getUserMediaOnFailure",
    "getUserMediaOnSuccess",
    "navigator.mediaDevices.getDisplayMedia",
    "navigator.mediaDevices.getDisplayMediaOnSuccess",
    "navigator.mediaDevices.enumerateDevices",
    "MediaStreamTrack.onended",
    "MediaStreamTrack.onunmute",
    "addTrack",
    "ontrack",
    "addTransceiver",
    "replaceTrack",
    "ondtlsstatechange",
    "ondtlserror",
    "onicecandidateerror",
    "MediaStreamTrack.onmute",
    "MediaStreamTrack.enabled",
    "MediaStreamTrack.applyConstraints",
    "HTMLMediaElement.playOnFailure",
    "document.onvisibilitychange",
    "document.onfreeze",
    ":rtctrace.suspended",
    "setParameters",
    ":custom",
    "",
    "unheard of",
];

/// Values that the formulas look for, whole or broken, wherever they may turn up.
const VALUES: &[&str] = &[
    "null",
    "true",
    "0",
    "-1",
    "1e308",
    "1e400",
    "-0.0",
    "\"\"",
    "\"stable\"",
    "\"closed\"",
    "\"connected\"",
    "\"connecting\"",
    "\"checking\"",
    "\"gathering\"",
    "\"complete\"",
    "\"t1\"",
    "[]",
    "{}",
    "[[]]",
    "[null]",
    r#"{"iceServers":[{"urls":["turn:x?transport=udp",1]},null,7],"bundlePolicy":1}"#,
    r#"{"hardwareConcurrency":1e99,"deviceMemory":1e400,"userAgentData":{"platform":1},"\ud800":1}"#,
    r#"{"audio":true,"video":false,"connectionTime":1e300,"iceRestart":true}"#,
    r#"[["audio","t1","x (1234:5678)"],["video","t1",")"],["audio"],[],7,["video","t2","\ud83c:1234567)"]]"#,
    r#"{"candidate":"candidate:1 1 udp 1 192.0.2.x 9 typ host tcptype passive","relayProtocol":"udp"}"#,
    r#"{"candidate":"candidate:bogus"}"#,
    r#"{"candidate":7,"relayProtocol":[]}"#,
    r#"{"type":"offer","sdp":"v=0\r\na=ice-lite\r\na=candidate:\r\nm=audio 9 X 0\r\n"}"#,
    r#"{"type":"answer"}"#,
    r#"{"type":"offer","sdp":"v=\r\nm=\r\nm=\r\n"}"#,
    r#"{"type":7,"sdp":{}}"#,
    r#"{"0":{"type":"transport","selectedCandidatePairId":"1","tlsVersion":"FEFD","bytesSent":5,"bytesReceived":1e308},"t":1}"#,
    r#"{"1":{"type":"candidate-pair","localCandidateId":"2","remoteCandidateId":"0","totalRoundTripTime":-1e308}}"#,
    r#"{"1":{"responsesReceived":1e308},"2":{"type":"local-candidate","priority":1e300,"address":"192.0.2.x"}}"#,
    r#"{"2":{"priority":null},"3":{"type":"peer-connection","timestamp":-1e308},"t":1e308}"#,
    r#"{"4":{"type":"inbound-rtp","kind":"audio","trackIdentifier":"t1","bytesReceived":0,"packetsReceived":0,"packetsLost":0,"jitterBufferDelay":0,"jitterBufferEmittedCount":0},"t":400}"#,
    r#"{"4":{"bytesReceived":1e308,"packetsReceived":1e308,"packetsLost":-1e308,"jitterBufferDelay":1e308,"jitterBufferEmittedCount":1e-308,"jitter":-1},"t":900}"#,
    r#"{"5":{"type":"outbound-rtp","mid":"0","rid":[],"bytesSent":0},"6":{"type":"outbound-rtp","mid":"0","bytesSent":7},"7":{"type":"remote-inbound-rtp","localId":"5","fractionLost":-1},"t":1600}"#,
    r#"{"5":{"bytesSent":1e308},"7":{"packetsLost":4294967295,"roundTripTime":1e308},"t":2400}"#,
    r#"{"8":{"type":"media-source","kind":"video","trackIdentifier":"t1","frames":0},"9":{"type":"outbound-rtp","kind":"video","mediaSourceId":"8","packetsSent":0,"framesEncoded":0,"qualityLimitationDurations":{"cpu":0,"bandwidth":"x"}},"t":400}"#,
    r#"{"8":{"frames":1e308},"9":{"packetsSent":1e308,"framesEncoded":-1,"qualityLimitationDurations":{"cpu":1e308}},"t":9000}"#,
    r#"{"10":{"type":"inbound-rtp","kind":"video","packetsReceived":0,"framesReceived":0,"framesDecoded":0,"freezeCount":0,"totalFreezesDuration":0,"frameWidth":2,"frameHeight":2},"t":18000}"#,
    r#"{"10":{"packetsReceived":1e308,"framesReceived":9,"pliCount":1e308,"freezeCount":1e308,"totalFreezesDuration":1e308},"t":27000}"#,
    r#"{"errorCode":1e300,"errorText":[],"url":7}"#,
    r#"{"errorCode":401,"errorText":"no {x} [y]","duration":1e308}"#,
    r#""NotAllowedError: {count} [no]""#,
    r#""hidden""#,
    r#"{"optional":[{"rtcStatsSFUP2P":true},7]}"#,
    r#""disconnected""#,
    r#""failed""#,
    r#"{"0":null,"1":null}"#,
    r#"{"0":{"selectedCandidatePairId":1}}"#,
    r#"{"rtcstatsLocation":{"continent":"Europe","city":1}}"#,
    r#"{"rtcstatsLocation":"here"}"#,
];

fn json() -> impl Strategy<Value = String> {
    let any_text = any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap());
    prop_oneof![
        8 => proptest::sample::select(VALUES).prop_map(str::to_owned),
        1 => any_text,
        1 => any::<f64>().prop_filter("JSON has no such number", |n| n.is_finite()).prop_map(|n| format!("{n:e}")),
    ]
}

fn method() -> impl Strategy<Value = String> {
    prop_oneof![9 => proptest::sample::select(METHODS).prop_map(str::to_owned), 1 => any::<String>()]
}

fn connection() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        2 => Just(None),
        6 => (0..3).prop_map(|number| Some(format!("PC_{number}"))),
        1 => any::<String>().prop_map(Some),
    ]
}

fn line() -> impl Strategy<Value = String> {
    let time = prop_oneof![4 => 0.0..1e5, 1 => any::<f64>().prop_filter("finite", |n| n.is_finite())];
    (method(), connection(), json(), vec(json(), 0..3), time).prop_map(|(method, connection, value, extra, time)| {
        let mut parts =
            vec![serde_json::to_string(&method).unwrap(), serde_json::to_string(&connection).unwrap(), value];
        parts.extend(extra);
        parts.push(format!("{time:e}"));
        format!("[{}]", parts.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_sequence_of_lines_panics_and_what_comes_out_is_json(lines in vec(line(), 0..60)) {
        let features = common::features_of(lines.iter().map(String::as_str));
        let json = serde_json::to_string(&features).unwrap();
        prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
        assert_readable(&common::findings_of(lines.iter().map(String::as_str)));
        for connection in &features.connections {
            prop_assert!(connection.number_of_events_not_get_stats <= connection.number_of_events);
        }
    }

    /// Events as no decoder would make them: a description where JSON belongs and the other way round, any time.
    #[test]
    fn no_sequence_of_events_panics(
        events in vec((method(), connection(), json(), any::<bool>(), vec(json(), 0..2), any::<f64>()), 0..60),
    ) {
        let mut extractor = FeatureExtractor::new();
        for (method, connection, json, description, extra, time) in &events {
            let Ok(raw) = RawValue::parse(json) else { continue };
            let value = if *description {
                Value::Description { kind: raw.as_str(), sdp: Some(json.into()) }
            } else {
                Value::Raw(raw)
            };
            let connection = connection.as_deref().map(Into::into);
            let extra = extra.iter().filter_map(|json| RawValue::parse(json).ok()).collect();
            extractor.event(&Event { method: method.into(), connection, value, extra, time: *time });
        }
        prop_assert!(serde_json::to_string(&extractor.features(&SessionDecoder::new())).is_ok());
        assert_readable(&extractor.findings(&SessionDecoder::new()));
    }
}

/// Findings are sentences, and JSON, and no more than are bearable.
fn assert_readable(findings: &[Finding]) {
    assert!(findings.len() <= limits::FINDINGS);
    assert!(findings.is_sorted_by_key(|finding| finding.rule.severity));
    for finding in findings {
        let sentence = finding.sentence();
        assert!(!sentence.is_empty() && !sentence.contains("NaN") && !sentence.contains("inf "), "{sentence}");
        assert!(finding.begin <= finding.end, "{sentence}");
        assert!(serde_json::to_string(finding).is_ok());
    }
}

/// As the extractor's own, so that no test depends on what a decoder refuses.
fn raw<'a>(method: &'a str, connection: Option<&'a str>, json: &'a str) -> Event<'a> {
    let value = Value::Raw(RawValue::parse(json).unwrap());
    Event { method: method.into(), connection: connection.map(Into::into), value, extra: Vec::new(), time: 1000.0 }
}

#[test]
fn connections_beyond_the_limit_are_counted_and_disturb_no_other() {
    let mut extractor = FeatureExtractor::new();
    for number in 0..limits::CONNECTIONS + 10 {
        extractor.event(&raw("create", Some(&format!("PC_{number}")), "null"));
    }
    extractor.event(&raw("create", Some(&"x".repeat(limits::CONNECTION_ID + 1)), "null"));
    extractor.event(&raw("close", Some("PC_0"), "null"));
    let features = extractor.features(&SessionDecoder::new());
    assert_eq!(features.connections.len(), limits::CONNECTIONS);
    assert_eq!(extractor.ignored_events(), 11);
    assert!(features.connections[0].closed.unwrap());
    assert_eq!(features.connections[0].number_of_events, 2);
}

#[test]
fn connections_stand_in_the_order_in_which_they_appeared() {
    let mut extractor = FeatureExtractor::new();
    for id in ["PC_9", "a", "PC_1", "a", "PC_9"] {
        extractor.event(&raw("onnegotiationneeded", Some(id), "null"));
    }
    let features = extractor.features(&SessionDecoder::new());
    let ids: Vec<_> = features.connections.iter().map(|connection| connection.id.as_str()).collect();
    assert_eq!(ids, ["PC_9", "a", "PC_1"]);
}

#[test]
fn what_a_client_says_about_itself_is_kept_within_its_limits() {
    let long = "x".repeat(limits::JSON);
    let members: Vec<_> = (0..100).map(|number| format!(r#""m{number:03}":{number}"#)).collect();
    let client = format!(r#"{{"screen":"{long}","{}":1,{}}}"#, "n".repeat(limits::OTHER_NAME + 1), members.join(","));
    let mut extractor = FeatureExtractor::new();
    extractor.event(&raw("create", None, &client));
    let client = extractor.features(&SessionDecoder::new()).client;
    assert_eq!(client.screen, None);
    assert_eq!(client.other.len(), limits::OTHER_MEMBERS);
    assert!(client.other.contains_key("m000"));
    assert!(client.other.keys().all(|name| name.len() <= limits::OTHER_NAME));
}

#[test]
fn the_oldest_of_too_many_tracks_is_forgotten() {
    let track = |number: usize| format!(r#"[["audio","t{number}","Mic"]]"#);
    let mut extractor = FeatureExtractor::new();
    for number in 0..=limits::USER_MEDIA_TRACKS {
        extractor.event(&raw("navigator.mediaDevices.getUserMediaOnSuccess", None, &track(number)));
    }
    extractor.event(&raw("MediaStreamTrack.onended", None, "\"t0\""));
    assert_eq!(extractor.features(&SessionDecoder::new()).client.audio_ended, None);
    extractor.event(&raw("MediaStreamTrack.onended", None, "\"t1\""));
    assert_eq!(extractor.features(&SessionDecoder::new()).client.audio_ended, Some(true));
}

#[test]
fn a_session_with_too_many_stats_ids_only_stops_watching_new_ones() {
    let entry = |id: &str| format!(r#""{id}":{{"type":"inbound-rtp"}}"#);
    let crowd = |connection: usize, entries: usize| {
        let entries: Vec<_> = (0..entries).map(|number| entry(&number.to_string())).collect();
        format!(r#"["getStats","PC_{connection}",{{{}}},60001]"#, entries.join(","))
    };
    let truncated = |others: usize| {
        let mut lines = vec![r#"["create","PC_0",null,1000]"#.to_owned()];
        lines.extend((1..=2).map(|connection| crowd(connection, others)));
        lines.push(format!(r#"["getStats","PC_0",{{{}}},1]"#, entry("late")));
        lines.extend((1..1000).map(|_| r#"["getStats","PC_0",{},1]"#.to_owned()));
        common::features_of(lines.iter().map(String::as_str)).connections[0].stats_truncated
    };
    assert!(truncated(10));
    assert!(!truncated(limits::STATS_IDS / 2));
}

#[test]
fn tracks_and_streams_beyond_the_limit_have_no_features() {
    let mut lines: Vec<String> =
        (0..limits::TRACKS + 10).map(|number| format!(r#"["addTrack","PC_{}",["audio","t"],1]"#, number % 4)).collect();
    let entries: Vec<_> = (0..8000)
        .map(|number| format!(r#""{number}":{{"type":"inbound-rtp","trackIdentifier":"t","nackCount":1}}"#))
        .collect();
    lines.extend((0..4).map(|connection| format!(r#"["getStats","PC_{connection}",{{{}}},1]"#, entries.join(","))));
    let features = common::features_of(lines.iter().map(String::as_str));
    let tracks: Vec<_> = features.connections.iter().flat_map(|connection| &connection.tracks).collect();
    assert_eq!(tracks.len(), limits::TRACKS);
    assert_eq!(
        tracks.iter().filter(|track| track.nack_count.is_some()).count(),
        limits::STREAMS.min(limits::TRACKS / 4)
    );
}
