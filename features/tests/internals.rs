//! The features of one call, from both dumps of `chrome://webrtc-internals` and from what our client sent of it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

use std::fs::File;
use std::io::BufReader;

use rtctrace_features::{FeatureExtractor, SessionFeatures};
use rtctrace_protocol::dump::DumpReader;
use rtctrace_protocol::event::SessionDecoder;
use serde_json::{Map, Value, json};

const INTERNALS: &str = "webrtc_internals_dump.gz";
const RTCSTATS: &str = "rtcstats_dump.gz";
const OURS: &str = "rtctrace.jsonl.gz";

/// What Chromium does not tell, or says in other words.
const NOT_TOLD: [&str; 17] = [
    "id",
    "numberOfEvents",
    "numberOfEventsNotGetStats",
    // Errors without the name of the interface.
    "addIceCandidateFailure",
    "setRemoteDescriptionFailure",
    "getUserMediaError",
    // No end of candidates, no muted track, no list of devices, nothing of our socket.
    "addedNullCandidate",
    "timeToFirstFrame",
    // A track that is unmuted tells of its first packet; a report does only a second later.
    "timeToFirstAudioPacket",
    "timeToFirstVideoPacket",
    "setupMediaTime",
    "enumerateDevicesCount",
    "webSocketConnectionTime",
    "reloadCount",
    // Chromium has what the page left to its default, and names its versions in full.
    "configuredAlwaysNegotiateDataChannels",
    "userAgentData",
    // Members that only its own page gets.
    "jitterBufferFlushes",
];
/// Of the reports: taken every second, too, but at other moments. The first may see another pair of candidates.
const OF_REPORTS: [&str; 10] = [
    "averageInboundBitrate",
    "averageOutboundBitrate",
    "averageStunRoundTripTime",
    "clockSkew",
    "availableOutgoingBitrateMean",
    "bitrateMean",
    "bitrateP5",
    "frameRateMean",
    "frameRateP5",
    "frameRateP50",
];
/// A video's bit rate doubles within these seconds, so that of eight of them the median is one or its neighbour.
const OF_A_RAMP: [&str; 1] = ["bitrateP50"];
/// Our client takes a report at once when it is connected, a second before the page: the pair in use has its longest round trip then,
/// and the estimate of the bit rate its beginning.
const OF_FIRST_REPORT: [&str; 4] =
    ["roundTripTimeMean", "roundTripTimeP95", "roundTripTimeMax", "availableOutgoingBitrateP5"];
const OF_FIRST_PAIR: [&str; 2] = ["firstCandidatePairLocalAddress", "firstCandidatePairRemoteAddress"];
/// Times in ms, seen by the page or by the browser below it.
const TIMES: [&str; 12] = [
    "startTime",
    "duration",
    "connectionTime",
    "iceConnectionTime",
    "signalingDelay",
    "setLocalDescriptionDelay",
    "setRemoteDescriptionDelay",
    "timeToConnected",
    "timeToFirstVideoFrame",
    "connectedDuration",
    "setupSignalingTime",
    "setupDtlsTime",
];

fn features_of(name: &str) -> SessionFeatures {
    let path = format!("{}/../tests/fixtures/internals/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut reader = DumpReader::open(BufReader::new(File::open(path).unwrap())).unwrap();
    let (mut decoder, mut extractor) = (SessionDecoder::new(), FeatureExtractor::new());
    while let Some(line) = reader.next_line() {
        extractor.event(&decoder.decode(line.unwrap()).unwrap());
    }
    extractor.features(&decoder)
}

fn json(features: &SessionFeatures) -> Map<String, Value> {
    serde_json::to_value(features).unwrap().as_object().unwrap().clone()
}

/// How many features are equal.
fn assert_same(what: &str, theirs: &Value, ours: &Value, except: &[&str]) -> usize {
    let (theirs, ours) = (theirs.as_object().unwrap(), ours.as_object().unwrap());
    let mut names: Vec<&String> = theirs.keys().chain(ours.keys()).filter(|name| *name != "tracks").collect();
    names.sort();
    names.dedup();
    let is_connection = theirs.contains_key("tracks");
    let mut equal = 0;
    for name in names {
        let (theirs, ours) = (theirs.get(name).unwrap_or(&Value::Null), ours.get(name).unwrap_or(&Value::Null));
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        let name = name.as_str();
        let is_of_first_report = is_connection && OF_FIRST_REPORT.contains(&name);
        if is_of_first_report || NOT_TOLD.contains(&name) || OF_FIRST_PAIR.contains(&name) || except.contains(&name) {
            continue;
        }
        let is_near = match name {
            _ if TIMES.contains(&name) => (number(theirs) - number(ours)).abs() < 50.0,
            _ if OF_A_RAMP.contains(&name) => (number(theirs) / number(ours) - 1.0).abs() < 0.5,
            "clockSkew" => number(theirs).abs() < 10.0 && number(ours).abs() < 10.0,
            _ if OF_REPORTS.contains(&name) => (number(theirs) / number(ours) - 1.0).abs() < 0.2,
            _ => theirs == ours,
        };
        assert!(is_near, "{what}: {name} is {theirs}, our client has {ours}");
        equal += 1;
    }
    equal
}

fn assert_features(name: &str, except: &[&str]) {
    let (theirs, ours) = (json(&features_of(name)), json(&features_of(OURS)));
    // Chromium dates the rtcstats dump a second before the first call, and it ends with the removal of the connections.
    let of_client = [except, &["startTime", "duration"]].concat();
    let mut equal = assert_same(name, &theirs["client"], &ours["client"], &of_client);
    let list = |value: &Value| value.as_array().unwrap().clone();
    let (connections, our_connections) = (list(&theirs["connections"]), list(&ours["connections"]));
    assert_eq!(connections.len(), our_connections.len());
    for (connection, ours) in connections.iter().zip(&our_connections) {
        let what = format!("{name} {}", connection["id"]);
        equal += assert_same(&what, connection, ours, except);
        let our_tracks = list(&ours["tracks"]);
        for track in list(&connection["tracks"]) {
            let is_same = |ours: &&Value| {
                ours["trackIdentifier"] == track["trackIdentifier"] && ours["direction"] == track["direction"]
            };
            let Some(ours) = our_tracks.iter().find(is_same) else {
                // A track of `addStream`, which our client tells by the streams; Chromium tells its tracks.
                assert_eq!((&track["kind"], &track["direction"]), (&json!("audio"), &json!("outbound")));
                continue;
            };
            equal += assert_same(&format!("{what} {}", track["trackIdentifier"]), &track, ours, except);
        }
    }
    assert!(equal > 220, "{equal} features were compared");
}

#[test]
fn the_rtcstats_dump_has_the_features_of_our_client() {
    assert_features(RTCSTATS, &[]);
}

#[test]
fn the_webrtc_internals_dump_has_the_features_of_our_client_but_for_what_comes_with_the_close() {
    assert_features(INTERNALS, &["closed", "duration", "connectedDuration", "screen", "window"]);
}

#[test]
fn both_dumps_have_the_same_tracks_with_the_same_last_values() {
    let (internals, rtcstats) = (features_of(INTERNALS), features_of(RTCSTATS));
    let mut compared = 0;
    for (internals, rtcstats) in internals.connections.iter().zip(&rtcstats.connections) {
        assert_eq!(internals.tracks.len(), rtcstats.tracks.len());
        for (internals, rtcstats) in internals.tracks.iter().zip(&rtcstats.tracks) {
            let all = |track| serde_json::to_value(track).unwrap().as_object().unwrap().clone();
            let (mut internals, mut rtcstats) = (all(internals), all(rtcstats));
            // Its reports are as old as the browser's answer, the other's as old as what is in them.
            let durations = (internals.remove("duration").unwrap(), rtcstats.remove("duration").unwrap());
            assert!(durations.0.as_f64().unwrap() <= durations.1.as_f64().unwrap());
            compared += internals.len();
            assert_eq!(internals, rtcstats);
        }
    }
    assert!(compared > 100, "{compared}");
}
