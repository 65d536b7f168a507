//! What a real Chromium said of one call, in both its dumps, against what the dumps hold, against each other, and against what our own
//! client said of the same call.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use rtctrace_protocol::dump::DumpReader;
use rtctrace_protocol::event::SessionDecoder;
use serde_json::{Map, Value};

const INTERNALS: &str = "webrtc_internals_dump.gz";
const RTCSTATS: &str = "rtcstats_dump.gz";
const OURS: &str = "rtctrace.jsonl.gz";

struct Event {
    method: String,
    connection: Option<String>,
    value: Value,
    extra: Vec<Value>,
    time: f64,
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/internals").join(name)
}

fn text(name: &str) -> String {
    let mut text = String::new();
    GzDecoder::new(File::open(path(name)).unwrap()).read_to_string(&mut text).unwrap();
    text
}

fn events(name: &str) -> Vec<Event> {
    let mut reader = DumpReader::open(BufReader::new(File::open(path(name)).unwrap())).unwrap();
    let (mut decoder, mut events) = (SessionDecoder::new(), Vec::new());
    while let Some(line) = reader.next_line() {
        let event = decoder.decode(line.unwrap()).unwrap();
        events.push(Event {
            value: serde_json::from_str(&event.value.to_json()).unwrap(),
            extra: event.extra.iter().map(|extra| serde_json::from_str(extra.text()).unwrap()).collect(),
            method: event.method.into_owned(),
            connection: event.connection.map(|id| id.replace("PC_0", "9-1").replace("PC_1", "9-2")),
            time: event.time,
        });
    }
    events
}

/// An event in a line: when it was, whose it is, and as much of its value as a reader wants to see.
fn line(event: &Event, start: f64) -> String {
    let mut value = event.value.to_string();
    if event.method == "getStats" {
        let report = event.value.as_object().unwrap();
        let members: usize = report.values().map(|entry| entry.as_object().unwrap().len()).sum();
        value = format!("{} entries with {members} members", report.len());
    }
    if let Some(sdp) = event.value.get("sdp").and_then(Value::as_str) {
        value = format!("{} with {} lines", event.value["type"].as_str().unwrap(), sdp.lines().count());
    }
    let extra: Vec<String> = event.extra.iter().map(Value::to_string).collect();
    let connection = event.connection.as_deref().unwrap_or("-");
    format!("{:.3} {connection} {} {value} {}", event.time - start, event.method, extra.join(" ")).trim_end().to_owned()
}

/// `UPDATE_EVENTS=1` writes the file anew.
#[test]
fn the_webrtc_internals_dump_is_these_events() {
    let events = events(INTERNALS);
    let found: Vec<String> = events.iter().map(|event| line(event, events[0].time)).collect();
    let file = path("events.txt");
    if std::env::var_os("UPDATE_EVENTS").is_some() {
        std::fs::write(&file, found.join("\n") + "\n").unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap();
    for (found, expected) in found.iter().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.lines().count());
}

/// Times of events are sums of differences.
fn is_at(value: &Value, time: f64) -> bool {
    (value.as_f64().unwrap() - time).abs() < 0.01
}

/// `type member value`, for what has the report's own time and refers to no other entry.
fn measured<'a>(entries: impl Iterator<Item = &'a Map<String, Value>>, time: f64) -> Vec<String> {
    let is_own = |entry: &&Map<String, Value>| is_at(&entry["timestamp"], time) && entry["type"] != "certificate";
    let dropped = ["timestamp", "id", "isRemote", "ip", "mediaType", "writable"];
    let is_kept = |name: &str| !name.ends_with("Id") && !dropped.contains(&name);
    let mut all: Vec<String> = entries
        .filter(is_own)
        .flat_map(|entry| {
            let members = entry.iter().filter(|(name, _)| is_kept(name));
            members.map(|(name, value)| format!("{} {name} {}", entry["type"], value.to_string().trim_matches('"')))
        })
        .collect();
    all.sort();
    all
}

/// Read with nothing of ours: the series whose lengths leave no doubt.
#[test]
fn reports_hold_what_the_series_of_the_webrtc_internals_dump_say() {
    let document: Value = serde_json::from_str(&text(INTERNALS)).unwrap();
    let events = events(INTERNALS);
    let mut compared = 0;
    for (id, connection) in document["PeerConnections"].as_object().unwrap() {
        let mut entries: BTreeMap<&str, BTreeMap<&str, Vec<Value>>> = BTreeMap::new();
        for (key, series) in connection["stats"].as_object().unwrap() {
            let Some((entry, member)) = key.rsplit_once('-').filter(|_| !key.ends_with(']')) else { continue };
            let values = serde_json::from_str(series["values"].as_str().unwrap()).unwrap();
            entries.entry(entry).or_default().insert(member, values);
        }
        let of_connection = |event: &&Event| event.method == "getStats" && event.connection.as_ref() == Some(id);
        for report in events.iter().filter(of_connection) {
            let mut told: Vec<Map<String, Value>> = Vec::new();
            for series in entries.values() {
                let times = &series["timestamp"];
                let Some(sample) = times.iter().position(|time| is_at(time, report.time)) else { continue };
                let whole = series.iter().filter(|(_, values)| values.len() == times.len());
                told.push(whole.map(|(name, values)| ((*name).to_owned(), values[sample].clone())).collect());
            }
            let ours = report.value.as_object().unwrap().values().map(|entry| entry.as_object().unwrap());
            let (ours, theirs) = (measured(ours, report.time), measured(told.iter(), report.time));
            compared += theirs.len();
            let mut ours = ours.into_iter();
            for told in theirs {
                assert!(ours.any(|ours| ours == told), "{id} at {}: {told}", report.time);
            }
        }
    }
    assert!(compared > 4_500, "{compared}");
}

fn of<'a>(events: &'a [Event], connection: &'a str, methods: &'a [&str]) -> impl Iterator<Item = &'a Event> {
    let is_asked_for = |event: &&Event| event.connection.as_deref() == Some(connection);
    events.iter().filter(is_asked_for).filter(|event| methods.contains(&&*event.method))
}

#[test]
fn both_dumps_give_the_same_reports() {
    let (internals, rtcstats) = (events(INTERNALS), events(RTCSTATS));
    let mut differences = 0;
    for connection in ["9-1", "9-2"] {
        let reports = |events| of(events, connection, &["getStats"]).map(|event| &event.value).collect::<Vec<_>>();
        let (internals, rtcstats) = (reports(&internals), reports(&rtcstats));
        assert_eq!((internals.len(), rtcstats.len()), (7, 7));
        for (internals, rtcstats) in internals.iter().zip(rtcstats) {
            let (internals, rtcstats) = (internals.as_object().unwrap(), rtcstats.as_object().unwrap());
            assert!(internals.keys().eq(rtcstats.keys()));
            for (id, entry) in rtcstats {
                let mut entry = entry.as_object().unwrap().clone();
                let mut told = internals[id].as_object().unwrap().clone();
                // Where a member was absent in between, its series does not say when.
                if entry["type"] == "remote-outbound-rtp" {
                    differences += usize::from(entry.remove("roundTripTime") != told.remove("roundTripTime"));
                }
                assert_eq!(entry, told);
            }
        }
    }
    assert_eq!(differences, 4);
}

#[test]
fn both_dumps_say_what_our_client_said() {
    let ours = events(OURS);
    // Each is told in its own order; one to another, Chromium tells some events before the calls that they follow from.
    for methods in [
        &["createOffer"][..],
        &["createOfferOnSuccess", "createAnswerOnSuccess"],
        &["setLocalDescription"],
        &["setLocalDescriptionOnSuccess"],
        &["setRemoteDescriptionOnSuccess"],
        &["onsignalingstatechange"],
        &["oniceconnectionstatechange"],
        &["onicegatheringstatechange"],
        &["onconnectionstatechange"],
        &["onnegotiationneeded"],
        &["restartIce"],
        &["createDataChannel"],
        &["ontrack"],
    ] {
        for name in [INTERNALS, RTCSTATS] {
            let theirs = events(name);
            for connection in ["9-1", "9-2"] {
                let said = |events| {
                    of(events, connection, methods)
                        // Chromium adds what it has by default.
                        .map(|event| {
                            (
                                event.method.clone(),
                                event.value.as_object().map_or(event.value.clone(), without_defaults),
                            )
                        })
                        .collect::<Vec<_>>()
                };
                assert_eq!(said(&theirs), said(&ours), "{name}: {methods:?} of {connection}");
            }
        }
    }
}

fn without_defaults(value: &Map<String, Value>) -> Value {
    let mut value = value.clone();
    value.remove("voiceActivityDetection");
    Value::Object(value)
}

#[test]
fn outcomes_have_the_tracking_ids_of_their_calls() {
    for name in [INTERNALS, RTCSTATS] {
        let events = events(name);
        for method in ["createOffer", "createAnswer", "setLocalDescription", "navigator.mediaDevices.getUserMedia"] {
            let ids = |suffix: &str| {
                let name = format!("{method}{suffix}");
                events
                    .iter()
                    .filter(|event| event.method == name)
                    .map(|event| event.extra[0].clone())
                    .collect::<Vec<_>>()
            };
            let mut outcomes = [ids("OnSuccess"), ids("OnFailure")].concat();
            outcomes.sort_by_key(Value::to_string);
            assert_eq!(ids(""), outcomes, "{method}");
            assert!(!outcomes.is_empty());
        }
        let failed = events.iter().position(|event| event.method == "addIceCandidateOnFailure").unwrap();
        assert_eq!(events[failed].extra[0], events[failed - 1].extra[0]);
    }
}
