//! A dump of Jitsi's has, member by member, what Jitsi's extractor gives for it, or the difference is here with its reason. It is read
//! where it lies beside the project; where it does not, the test says so and passes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

use std::collections::{BTreeMap, BTreeSet};

use rtctrace_features::{CLIENT_FEATURES, CONNECTION_FEATURES, FeatureExtractor, TRACK_FEATURES};
use rtctrace_protocol::dump::DumpReader;
use rtctrace_protocol::event::SessionDecoder;
use serde_json::{Value, json};

#[path = "../../tests/fixtures/jitsi.rs"]
mod fixture;

const DUMP: &str = "chrome96-add-transceiver";

/// What is ours for a member of theirs.
#[derive(Clone, Copy)]
enum Ours {
    /// The feature of this name, with the same value.
    Same(&'static str),
    /// The same within a hundredth: they average what the browser rounds, we what it counts.
    Near(&'static str),
    /// The same where there is one; they have 0 or `null` where we have no value.
    SameOrNone(&'static str),
    /// The same as a share of 1; they have 0 where we have no value.
    Percent(&'static str),
    /// The same in seconds; they have ms.
    Millis(&'static str),
    /// The same as a truth; they have 0 or 1.
    Truth(&'static str),
    /// No feature: why.
    No(&'static str),
}

use Ours::{Millis, Near, No, Percent, Same, SameOrNone, Truth};

const IN_THE_DUMP: &str = "a list of the application's own events, which the dump has; what they come to are features";
const OF_EXTRACTOR: &str = "what their extractor had to do, with lines as twice their UTF-16 length";
const OF_USER_AGENT: &str = "a part of the user agent, which the dump's header has and lists show by its parts";

/// Of a session.
const SESSION: &[(&str, Ours)] = &[
    ("sessionStartTime", Same("startTime")),
    ("sessionEndTime", Same("endTime")),
    ("metrics.sessionDurationMs", Same("sessionDuration")),
    ("browserInfo.userAgent", Same("userAgent")),
    ("browserInfo.majorVersion", No(OF_USER_AGENT)),
    ("browserInfo.name", No(OF_USER_AGENT)),
    ("browserInfo.nameOs", No(OF_USER_AGENT)),
    ("browserInfo.nameVersion", No(OF_USER_AGENT)),
    ("browserInfo.nameVersionOs", No(OF_USER_AGENT)),
    ("browserInfo.os", No(OF_USER_AGENT)),
    ("browserInfo.version", No(OF_USER_AGENT)),
    ("metrics.statsRequestCount", Same("reports")),
    ("metrics.dsRequestBytes", No(OF_EXTRACTOR)),
    ("metrics.dsRequestCount", No(OF_EXTRACTOR)),
    ("metrics.otherRequestBytes", No(OF_EXTRACTOR)),
    ("metrics.otherRequestCount", No(OF_EXTRACTOR)),
    ("metrics.sdpRequestBytes", No(OF_EXTRACTOR)),
    ("metrics.sdpRequestCount", No(OF_EXTRACTOR)),
    ("metrics.sentimentRequestBytes", No(OF_EXTRACTOR)),
    ("metrics.sentimentRequestCount", No(OF_EXTRACTOR)),
    ("metrics.statsRequestBytes", No(OF_EXTRACTOR)),
    ("metrics.totalProcessedBytes", No(OF_EXTRACTOR)),
    ("metrics.totalProcessedCount", No(OF_EXTRACTOR)),
    ("metrics.conferenceDurationMs", Same("conferenceDuration")),
    ("conferenceStartTime", Same("conferenceStartTime")),
    ("deploymentInfo.crossRegion", Truth("deploymentCrossRegion")),
    ("deploymentInfo.envType", SameOrNone("deploymentEnvironmentType")),
    ("deploymentInfo.environment", SameOrNone("deploymentEnvironment")),
    ("deploymentInfo.region", SameOrNone("deploymentRegion")),
    ("deploymentInfo.releaseNumber", SameOrNone("deploymentReleaseNumber")),
    ("deploymentInfo.shard", SameOrNone("deploymentShard")),
    ("deploymentInfo.userRegion", SameOrNone("deploymentUserRegion")),
    ("dominantSpeakerChanges", Same("dominantSpeakerChanges")),
    ("dominantSpeakerEvents", No(IN_THE_DUMP)),
    ("e2epings.as458df9.remoteRegion", No("the region of another; the dump has it")),
    ("e2epings.as458df9.rtt", Millis("endToEndRoundTripTimeLast")),
    ("faceLandmarksTimestamps", No(IN_THE_DUMP)),
    ("sentiment.angry", SameOrNone("sentimentAngry")),
    ("sentiment.disgusted", SameOrNone("sentimentDisgusted")),
    ("sentiment.fearful", SameOrNone("sentimentFearful")),
    ("sentiment.happy", SameOrNone("sentimentHappy")),
    ("sentiment.neutral", SameOrNone("sentimentNeutral")),
    ("sentiment.sad", SameOrNone("sentimentSad")),
    ("sentiment.surprised", SameOrNone("sentimentSurprised")),
    ("speakerTime", Same("speakerTime")),
];

/// Of a connection.
const CONNECTION: &[(&str, Ours)] = &[
    ("isP2P", Same("isP2p")),
    ("usesRelay", SameOrNone("usesRelay")),
    ("candidatePairData", SameOrNone("lastCandidatePairLocalType")),
    ("connectionFailed", Same("connectionFailed")),
    ("dtlsErrors", Same("dtlsErrors")),
    ("dtlsFailure", Same("dtlsFailures")),
    ("iceReconnects", Same("reconnects")),
    ("lastIceDisconnect", SameOrNone("lastIceDisconnectTime")),
    ("lastIceFailure", SameOrNone("lastIceFailureTime")),
    ("pcSessionDurationMs", Same("connectedDuration")),
    ("sdpCreateFailure", Same("sdpCreateFailures")),
    ("sdpSetFailure", Same("sdpSetFailures")),
    ("inboundVideoExperience.lowerBoundAggregates.meanFrameHeight", Same("shortestInboundVideoHeight")),
    ("inboundVideoExperience.lowerBoundAggregates.meanFramesPerSecond", Near("shortestInboundVideoFrameRate")),
    ("inboundVideoExperience.upperBoundAggregates.meanFrameHeight", Same("tallestInboundVideoHeight")),
    ("inboundVideoExperience.upperBoundAggregates.meanFramesPerSecond", Near("tallestInboundVideoFrameRate")),
    ("trackAggregates.receivedPacketsLostPct", Percent("receivedPacketsLostRatio")),
    ("trackAggregates.sentPacketsLostPct", Percent("sentPacketsLostRatio")),
    ("trackAggregates.totalPacketsReceived", Same("packetsReceived")),
    ("trackAggregates.totalPacketsSent", Same("packetsSent")),
    ("trackAggregates.totalReceivedPacketsLost", Same("receivedPacketsLost")),
    ("trackAggregates.totalSentPacketsLost", Same("sentPacketsLost")),
    ("transportAggregates.meanRtt", SameOrNone("roundTripTimeMean")),
];

/// Of a track.
const TRACK: &[(&str, Ours)] = &[
    ("ssrc", No("the reports' own; here it finds the track")),
    ("mediaType", Same("kind")),
    ("packets", Same("packets")),
    ("packetsLost", Same("packetsLost")),
    ("packetsLostPct", Percent("packetsLostRatio")),
    ("packetsLostVariance", SameOrNone("packetsLostVariance")),
    ("concealedPercentage", Percent("concealmentPercentage")),
    ("startTime", No("of the first report that has the stream; ours is when the track was added")),
    ("endTime", Same("endTime")),
];

/// Where their value is an artefact: the member, their value, ours, and why.
const ARTEFACTS: &[(&str, f64, Option<f64>, &str)] = &[
    (
        "PC_1 transportAggregates.meanRtt",
        40.33,
        None,
        "milliseconds in a member that has seconds; of a pair from before the standard we tell nothing",
    ),
    (
        "PC_1 inboundVideoExperience.lowerBoundAggregates.meanFramesPerSecond",
        27.0,
        Some(0.0),
        "the browser's own rate, of an entry that is 9 s old when it is first told: framesDecoded stands at 11",
    ),
    ("PC_1 inboundVideoExperience.upperBoundAggregates.meanFramesPerSecond", 27.0, Some(0.0), "the same"),
];

/// Members by their path; what is no object, or has nothing in it, is one.
fn leaves(path: &str, value: &Value, out: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(&path, value, out);
            }
        }
        _ => {
            out.insert(path.to_owned(), value.clone());
        }
    }
}

/// What is ours by another name than a feature's: put there by the test.
const BESIDE: [&str; 5] = ["endTime", "sessionDuration", "reports", "userAgent", "packets"];

fn is_ours(name: &str) -> bool {
    let tables = [CLIENT_FEATURES, CONNECTION_FEATURES, TRACK_FEATURES];
    BESIDE.contains(&name) || tables.iter().any(|table| table.iter().any(|feature| feature.name == name))
}

#[derive(Default)]
struct Comparison {
    /// Members with a value on both sides.
    equal: usize,
    /// Members that say nothing on either.
    empty: usize,
    artefacts: BTreeSet<&'static str>,
}

impl Comparison {
    fn compare(&mut self, what: &str, theirs: &Value, ours: &Value, table: &[(&str, Ours)]) {
        let mut members = BTreeMap::new();
        leaves("", theirs, &mut members);
        for (name, how) in table {
            assert!(members.contains_key(*name), "{what} {name} is not in the golden");
            if let Same(ours) | Near(ours) | SameOrNone(ours) | Percent(ours) | Millis(ours) | Truth(ours) = how {
                assert!(is_ours(ours), "no feature is called {ours}");
            }
        }
        for (name, theirs) in &members {
            let at = format!("{what} {name}");
            let (_, how) =
                table.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{at} is not mapped"));
            let is_empty = [json!(0), json!({}), json!(""), json!(null)].contains(theirs);
            let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
            let (ours, is_equal) = match how {
                No(why) => {
                    assert!(!why.is_empty());
                    continue;
                }
                Same(name) => (&ours[*name], *theirs == ours[*name] || number(theirs) == number(&ours[*name])),
                Near(name) => (&ours[*name], (number(&ours[*name]) / number(theirs) - 1.0).abs() < 0.01),
                Millis(name) => (&ours[*name], (number(&ours[*name]) * 1000.0 - number(theirs)).abs() < 1e-9),
                Truth(name) => (&ours[*name], ours[*name] == json!(*theirs != json!(0))),
                SameOrNone(name) => (&ours[*name], *theirs == ours[*name] || is_empty && ours[*name].is_null()),
                Percent(name) => {
                    let hundredths = (ours[*name].as_f64().unwrap_or(0.0) * 10_000.0).round() / 100.0;
                    (&ours[*name], number(theirs) == hundredths)
                }
            };
            if let Some((name, artefact, expected, _)) = ARTEFACTS.iter().find(|(name, ..)| *name == at) {
                assert!(!is_equal, "{at} is no artefact any more");
                assert_eq!((theirs.as_f64(), ours.as_f64()), (Some(*artefact), *expected), "{at}");
                self.artefacts.insert(name);
                continue;
            }
            assert!(is_equal, "{at} is {ours}, they have {theirs}");
            *if ours.is_null() { &mut self.empty } else { &mut self.equal } += 1;
        }
    }
}

/// The features of the dump, and its header.
fn ours(text: &str) -> (Value, Value) {
    let mut reader = DumpReader::open(text.as_bytes()).unwrap();
    let metadata = serde_json::from_str(reader.metadata().text()).unwrap();
    let (mut decoder, mut extractor) = (SessionDecoder::new(), FeatureExtractor::new());
    while let Some(line) = reader.next_line() {
        extractor.event(&decoder.decode(line.unwrap()).unwrap());
    }
    (serde_json::to_value(extractor.features(&decoder)).unwrap(), metadata)
}

/// The tracks of the streams, by connection and SSRC, as the reports have them.
fn tracks(text: &str) -> BTreeMap<(String, String), String> {
    let mut tracks = BTreeMap::new();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    for line in lines.filter(|line| line[0] == "getstats") {
        for entry in line[2].as_object().unwrap().values() {
            if let (Some(ssrc), Some(track)) = (entry["ssrc"].as_str(), entry["googTrackId"].as_str()) {
                let connection = line[1].as_str().unwrap().to_owned();
                tracks.insert((connection, ssrc.to_owned()), track.to_owned());
            }
        }
    }
    tracks
}

fn integer(value: &Value) -> i64 {
    value.as_i64().unwrap()
}

#[test]
fn the_features_are_jitsi_s_where_those_are_no_artefacts() {
    let (Some(text), Some(golden)) = (fixture::dump(DUMP), fixture::dump(&format!("{DUMP}.features.json"))) else {
        return;
    };
    let mut theirs: Value = serde_json::from_str(&golden).unwrap();
    let (mut ours, metadata) = ours(&text);
    let tracks = tracks(&text);
    let mut comparison = Comparison::default();
    let (mut ends, mut reports) = (Vec::new(), 0);
    let their_connections = theirs.as_object_mut().unwrap().remove("aggregates").unwrap();
    let their_connections = their_connections.as_object().unwrap();
    let connections = ours["connections"].as_array_mut().unwrap();
    assert_eq!(their_connections.len(), connections.len());
    for ours in connections {
        let id = ours["id"].as_str().unwrap().to_owned();
        let mut theirs = their_connections[&id].clone();
        ends.push(integer(&ours["startTime"]) + integer(&ours["duration"]));
        reports += integer(&ours["numberOfEvents"]) - integer(&ours["numberOfEventsNotGetStats"]);
        let their_tracks = theirs.as_object_mut().unwrap().remove("tracks").unwrap();
        comparison.compare(&id, &theirs, ours, CONNECTION);
        assert_eq!(their_tracks.as_object().unwrap().len(), 2);
        let mut matched = BTreeSet::new();
        for (list, direction, packets) in
            [("receiverTracks", "inbound", "packetsReceived"), ("senderTracks", "outbound", "packetsSent")]
        {
            for theirs in their_tracks[list].as_array().unwrap() {
                let ssrc = theirs["ssrc"].as_str().unwrap().to_owned();
                let track = &tracks[&(id.clone(), ssrc.clone())];
                let is_same = |ours: &&mut Value| ours["trackIdentifier"] == **track && ours["direction"] == direction;
                let ours = ours["tracks"].as_array_mut().unwrap().iter_mut().find(is_same);
                let ours = ours.unwrap_or_else(|| panic!("{id}: no track {track}, {direction}"));
                assert!(integer(&ours["startTime"]) <= integer(&theirs["startTime"]));
                ours["endTime"] = (integer(&ours["startTime"]) + integer(&ours["duration"])).into();
                ours["packets"] = ours[packets].clone();
                comparison.compare(&format!("{id} {ssrc}"), theirs, ours, TRACK);
                matched.insert((track, direction));
            }
        }
        assert_eq!(ours["tracks"].as_array().unwrap().len(), matched.len());
    }

    let mut client = ours["client"].clone();
    ends.push(integer(&client["startTime"]) + integer(&client["duration"]));
    let end = *ends.iter().max().unwrap();
    client["endTime"] = end.into();
    client["sessionDuration"] = (end - integer(&client["startTime"])).into();
    client["reports"] = reports.into();
    client["userAgent"] = metadata["userAgent"].clone();
    comparison.compare("session", &theirs, &client, SESSION);
    assert_eq!(comparison.artefacts, ARTEFACTS.iter().map(|(name, ..)| *name).collect());
    assert!(comparison.equal > 70, "{} members are equal", comparison.equal);
    assert!(comparison.empty < 40, "{} members say nothing", comparison.empty);
}

#[test]
#[should_panic(expected = "session new is not mapped")]
fn a_member_that_nobody_has_mapped_is_told() {
    Comparison::default().compare("session", &json!({"new": 1}), &json!({}), &[]);
}
