//! That the extractor looks only at what has changed loses nothing: its features are those of one to which every report is new.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

mod common;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rtctrace_features::FeatureExtractor;
use rtctrace_protocol::event::SessionDecoder;
use rtctrace_protocol::line::Line;
use rtctrace_protocol::report::Report;

/// Members that features depend on, and what they may be.
const MEMBERS: &[(&str, &[&str])] = &[
    ("codecId", &["\"3\"", "\"4\"", "\"9\""]),
    ("mediaSourceId", &["\"2\"", "\"3\""]),
    ("trackIdentifier", &["\"T\"", "\"U\"", "\"V\""]),
    ("remoteId", &["\"1\"", "\"2\"", "\"9\""]),
    ("selectedCandidatePairId", &["\"6\"", "\"4\"", "\"\""]),
    ("localCandidateId", &["\"7\"", "\"2\""]),
    ("remoteCandidateId", &["\"7\"", "\"3\""]),
    ("localId", &["\"0\"", "\"1\"", "\"9\""]),
    ("nackCount", &["1", "2", "3"]),
    ("framesDecoded", &["5", "6"]),
    ("frameWidth", &["0", "320", "640"]),
    ("frameHeight", &["0", "180", "360"]),
    ("jitterBufferFlushes", &["1", "2", "3", "4"]),
    ("decoderImplementation", &["\"NullVideoDecoder\"", "\"other\""]),
    ("qualityLimitationDurations", &["{\"cpu\":1,\"none\":2}", "{\"cpu\":null}", "{\"none\":7}"]),
    ("psnrSum", &["{\"y\":1}", "[2]"]),
    ("packetsReceivedWithEct1", &["1", "2"]),
    ("packetsWithBleachedEct1Marking", &["3", "4"]),
    ("bytesSent", &["0", "10", "20", "5000"]),
    ("bytesReceived", &["0", "30", "40", "7000"]),
    ("framesEncoded", &["5", "6", "40"]),
    ("packetsReceived", &["0", "10", "20", "30"]),
    ("packetsSent", &["10", "20", "30"]),
    ("packetsLost", &["-1", "0", "1", "2", "4294967295"]),
    ("jitter", &["0", "0.01", "0.02"]),
    ("jitterBufferDelay", &["0", "1.5", "2.5"]),
    ("jitterBufferEmittedCount", &["0", "100", "200"]),
    ("roundTripTime", &["0.01", "0.02"]),
    ("fractionLost", &["0", "0.25", "7"]),
    ("currentRoundTripTime", &["0.05", "0.5"]),
    ("availableOutgoingBitrate", &["300000", "2.5e6"]),
    ("kind", &["\"audio\"", "\"video\""]),
    ("mid", &["\"0\"", "\"1\""]),
    ("rid", &["\"h\"", "\"l\""]),
    ("silentConcealedSamples", &["1", "2"]),
    ("concealedSamples", &["3", "4"]),
    ("totalSamplesReceived", &["0", "100"]),
    ("totalFreezesDuration", &["0", "0.5"]),
    ("totalInterFrameDelay", &["0", "2.5"]),
    ("selected", &["true", "false"]),
    ("nominated", &["true", "false"]),
    ("state", &["\"succeeded\"", "\"in-progress\""]),
    ("candidateType", &["\"host\"", "\"relay\"", "\"srflx\""]),
    ("relayProtocol", &["\"udp\"", "\"tls\""]),
    ("totalRoundTripTime", &["0.5", "1.5"]),
    ("responsesReceived", &["1", "5"]),
    ("tlsVersion", &["\"FEFD\"", "\"\""]),
    ("mimeType", &["\"audio/opus\"", "\"audio/PCMU\"", "\"video/VP8\""]),
    ("sdpFmtpLine", &["\"useinbandfec=1\"", "\"\""]),
    ("encodingIndex", &["0", "1"]),
    ("address", &["\"192.0.2.1\"", "\"192.0.2.2\""]),
];

const TYPES: &[&str] = &[
    "inbound-rtp",
    "outbound-rtp",
    "inbound-rtp",
    "outbound-rtp",
    "codec",
    "transport",
    "candidate-pair",
    "remote-inbound-rtp",
    "remote-inbound-rtp",
    "remote-outbound-rtp",
    "media-source",
    "peer-connection",
    "local-candidate",
    "remote-candidate",
];

/// Lines that make tracks and connections, and reports that are none.
const OTHERS: &[&str] = &[
    r#""addTrack","#,
    r#""ontrack","#,
    r#""MediaStreamTrack.onunmute","#,
    r#""onconnectionstatechange","#,
    r#""oniceconnectionstatechange","#,
    r#""getStats",[]"#,
    r#""getStats",{"0":{"nackCount":9,"type":"codec"},"1":5}"#,
    r#""getStats",{"0":null,"1":{"codecId":"5"},"t":"x"}"#,
];

/// The first of [`MEMBERS`] refer to entries and tracks.
const REFERENCES: usize = 8;

/// What every connection begins with. In whole reports the last entry is named each time, and refers to another one: all is looked
/// up anew.
const FIRST: &str = r#"{"0":{"type":"outbound-rtp","mediaSourceId":"2","remoteId":"1","codecId":"3"},"1":{"type":"remote-inbound-rtp","packetsReceivedWithEct1":1,"localId":"0"},"2":{"type":"media-source","trackIdentifier":"T"},"3":{"type":"codec","mimeType":"audio/opus"},"4":{"type":"inbound-rtp","trackIdentifier":"U","kind":"audio","codecId":"3","packetsLost":0,"packetsReceived":0,"jitterBufferDelay":0,"jitterBufferEmittedCount":0,"bytesReceived":0},"5":{"type":"transport","selectedCandidatePairId":"6"},"6":{"type":"candidate-pair","localCandidateId":"7"},"7":{"type":"local-candidate"},"99":{"codecId":"x"},"t":1}"#;

/// A member and its value, or that it is gone. Those that refer to others are rare, as each makes the extractor look at everything.
fn member() -> impl Strategy<Value = String> {
    let (references, others) = MEMBERS.split_at(REFERENCES);
    let known = prop_oneof![1 => select(references), 6 => select(others)];
    let any = (known, any::<prop::sample::Index>(), prop::bool::weighted(0.1));
    any.prop_map(|((name, values), at, is_gone)| {
        let value = if is_gone { "null" } else { values[at.index(values.len())] };
        format!("\"{name}\":{value}")
    })
}

/// What a delta says about an entry.
fn entry() -> impl Strategy<Value = String> {
    let change =
        (prop::option::weighted(0.1, select(TYPES)), prop::option::weighted(0.2, 0..9_u32), vec(member(), 0..4));
    let change = change.prop_map(|(kind, time, mut members)| {
        members.extend(time.map(|time| format!("\"t\":{time}")));
        members.extend(kind.map(|kind| format!("\"type\":\"{kind}\"")));
        format!("{{{}}}", members.join(","))
    });
    prop_oneof![12 => change, 1 => Just("null".to_owned())]
}

/// Each entry is named once, as in all real ones.
fn delta() -> impl Strategy<Value = String> {
    let entries = prop::collection::btree_map(0..8_u32, entry(), 0..5);
    // Times go back as often as not, and some are too close to the one before to be a sample.
    let time = (0..100_u32).prop_map(|time| 1 + 137 * time);
    (entries, prop::option::weighted(0.8, time)).prop_map(|(entries, time)| {
        let mut parts: Vec<_> = entries.into_iter().map(|(id, entry)| format!("\"{id}\":{entry}")).collect();
        parts.extend(time.map(|time| format!("\"t\":{time}")));
        format!("{{{}}}", parts.join(","))
    })
}

/// Method, value and the rest of a line.
fn line() -> impl Strategy<Value = (String, String)> {
    let value = select(&["[\"video\",\"T\"]", "[\"audio\",\"U\"]", "\"connected\"", "\"connecting\"", "\"T\""][..]);
    prop_oneof![
        4 => delta().prop_map(|delta| ("getStats".to_owned(), delta)),
        1 => (select(OTHERS), value).prop_map(|(other, value)| {
            let (method, broken) = other.split_once(',').unwrap();
            (method.trim_matches('"').to_owned(), if broken.is_empty() { value } else { broken }.to_owned())
        }),
    ]
}

/// A delta that says everything that is in `report`, whatever `before` has of it.
fn whole(report: &Report, before: Option<&Report>) -> String {
    let gone = |before: &Report| {
        let gone = before.entries().filter(|entry| report.get(entry.id()).is_none());
        gone.map(|entry| format!("\"{}\":null", entry.id())).collect::<Vec<_>>()
    };
    let mut parts = before.map(gone).unwrap_or_default();
    for entry in report.entries() {
        let before = before.and_then(|before| before.get(entry.id()));
        let mut members = vec![format!("\"t\":{}", entry.timestamp())];
        if !entry.kind().is_empty() {
            members.push(format!("\"type\":\"{}\"", entry.kind()));
        }
        for (name, value) in entry.members() {
            let mut text = value.text().to_owned();
            if let Some(before) = before.and_then(|before| before.member(name)) {
                let keys = before.members().filter(|(key, _)| value.get(key).is_none());
                let keys: Vec<_> = keys.map(|(key, _)| format!("\"{key}\":null")).collect();
                if !keys.is_empty() && text.starts_with('{') {
                    let comma = if text == "{}" { "" } else { "," };
                    text.insert_str(1, &format!("{}{comma}", keys.join(",")));
                }
            }
            members.push(format!("\"{name}\":{text}"));
        }
        for (name, _) in before.iter().flat_map(|before| before.members()) {
            if entry.member(name).is_none() {
                members.push(format!("\"{name}\":null"));
            }
        }
        parts.push(format!("\"{}\":{{{}}}", entry.id(), members.join(",")));
    }
    if report.timestamp() > 0.0 {
        parts.push(format!("\"t\":{}", report.timestamp()));
    }
    format!("{{{}}}", parts.join(","))
}

/// What is in a report; an entry without a time of its own has the report's.
fn content(report: Option<&Report>) -> serde_json::Value {
    let mut json = String::new();
    report.unwrap().write_json(&mut json);
    let mut content: serde_json::Value = serde_json::from_str(&json).unwrap();
    for entry in report.unwrap().entries() {
        content[entry.id()]["timestamp"] = serde_json::json!(entry.timestamp());
    }
    content
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn features_are_those_of_one_to_which_every_report_is_new(
        lines in vec((0..3_u32, line(), prop_oneof![8 => 0..1500_u32, 1 => Just(61_000)]), 1..60),
    ) {
        let (mut decoder, mut extractor) = (SessionDecoder::new(), FeatureExtractor::new());
        let (mut whole_decoder, mut whole_extractor) = (SessionDecoder::new(), FeatureExtractor::new());
        let first = (0..3).map(|connection| (connection, ("getStats".to_owned(), FIRST.to_owned()), 1000));
        for (connection, (method, value), time) in first.chain(lines) {
            let id = format!("PC_{connection}");
            let line = format!("[\"{method}\",\"{id}\",{value},{time}]");
            let is_decoded = match decoder.decode(&line) {
                Ok(event) => {
                    extractor.event(&event);
                    true
                }
                Err(_) => false,
            };
            let is_report = is_decoded && method == "getStats";
            let value = if is_report { whole(decoder.report(&id).unwrap(), whole_decoder.report(&id)) } else { value };
            let line = format!("[\"{method}\",\"{id}\",{value},{time}]");
            prop_assert!(Line::parse(&line).is_ok(), "{}", line);
            match whole_decoder.decode(&line) {
                Ok(event) => {
                    prop_assert!(is_decoded);
                    if let Some(report) = event.value.report() {
                        let seen = report.generation() - 1;
                        prop_assert!(report.reshaped() > seen && report.changed_since(seen).count() == report.len());
                    }
                    whole_extractor.event(&event);
                }
                Err(_) => prop_assert!(!is_decoded),
            }
            if is_report {
                prop_assert_eq!(content(decoder.report(&id)), content(whole_decoder.report(&id)));
            }
        }
        let of = |extractor: &FeatureExtractor, decoder| serde_json::to_value(extractor.features(decoder)).unwrap();
        prop_assert_eq!(of(&extractor, &decoder), of(&whole_extractor, &whole_decoder));
    }
}

/// Whatever the delta that makes another entry of a stream says besides.
#[test]
fn what_was_said_last_of_a_stream_is_what_its_last_report_said() {
    for last in [
        r#"{"0":{"nackCount":9,"type":"codec"}}"#,
        r#"{"0":{"type":"codec","nackCount":null}}"#,
        r#"{"0":null}"#,
        r#"{"0":null,"0":{"type":"codec","nackCount":9}}"#,
    ] {
        let last = format!(r#"["getStats","PC_0",{last},1000]"#);
        let features = common::connection(&[
            r#"["addTrack","PC_0",["audio","T"],1000]"#,
            r#"["getStats","PC_0",{"0":{"type":"outbound-rtp","mediaSourceId":"1"},"1":{"trackIdentifier":"T"}},1000]"#,
            r#"["getStats","PC_0",{"0":{"nackCount":7}},1000]"#,
            &last,
        ]);
        assert_eq!((features.tracks[0].nack_count, features.tracks[0].duration), (Some(7), Some(2000)), "{last}");
    }
}
