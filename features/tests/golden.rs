//! The recordings give, feature by feature, what upstream's extractor gives for them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

mod common;

use rtctrace_features::{CLIENT_FEATURES, CONNECTION_FEATURES, Feature, FeatureValue, SessionFeatures, TRACK_FEATURES};
use serde_json::{Map, Value};

fn features_of(recording: &str) -> SessionFeatures {
    common::features_of(common::recording(recording).lines())
}

fn golden(name: &str) -> Value {
    let path = format!("{}/../tests/fixtures/recordings/{name}.features.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Equal up to 1e-9 of a fraction; a whole number must be equal.
fn equal(ours: &Value, upstream: &Value) -> bool {
    match (ours.as_f64(), upstream.as_f64()) {
        (Some(a), Some(b)) if b.fract() != 0.0 => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
        _ => ours == upstream,
    }
}

fn assert_same(what: &str, ours: &Map<String, Value>, upstream: &Map<String, Value>) {
    for (name, value) in upstream {
        let found = ours.get(name).unwrap_or_else(|| panic!("{what}: {name} is missing"));
        assert!(equal(found, value), "{what}: {name} is {found}, upstream has {value}");
    }
    for (name, value) in ours {
        assert!(upstream.contains_key(name), "{what}: {name} is {value}, upstream has none");
    }
}

fn assert_golden(name: &str) {
    let features = features_of(&format!("{name}.jsonl"));
    let mut ours = object(&serde_json::to_value(features.upstream()).unwrap());
    let mut upstream = object(&golden(name));
    let (connections, upstream_connections) =
        (ours.remove("peerConnections").unwrap(), upstream.remove("peerConnections").unwrap());
    assert_same(name, &ours, &upstream);

    let (ours, upstream) = (connections.as_array().unwrap(), upstream_connections.as_array().unwrap());
    assert_eq!(ours.len(), upstream.len());
    for (position, (ours, upstream)) in ours.iter().zip(upstream).enumerate() {
        let (mut ours, mut upstream) = (object(ours), object(upstream));
        assert_eq!(features.connections[position].id, format!("PC_{position}"));
        let (tracks, upstream_tracks) = (ours.remove("tracks").unwrap(), upstream.remove("tracks").unwrap());
        assert_same(&format!("{name} PC_{position}"), &ours, &upstream);
        let (tracks, upstream_tracks) = (tracks.as_array().unwrap(), upstream_tracks.as_array().unwrap());
        assert_eq!(tracks.len(), upstream_tracks.len());
        for (at, (track, upstream)) in tracks.iter().zip(upstream_tracks).enumerate() {
            assert_same(&format!("{name} PC_{position} track {at}"), &object(track), &object(upstream));
        }
    }
}

#[test]
fn a_call_with_audio_and_video_has_upstream_s_features() {
    assert_golden("loopback-av-60s");
}

#[test]
fn a_call_with_failures_restart_rollback_and_data_channel_has_upstream_s_features() {
    assert_golden("rich-session");
}

/// What upstream has not, by connection and track.
fn ours(features: &SessionFeatures) -> Value {
    fn named<'f>(values: impl Iterator<Item = (&'static Feature, FeatureValue<'f>)>) -> Map<String, Value> {
        let values = values.filter(|(feature, _)| !feature.upstream);
        values.map(|(feature, value)| (feature.name.to_owned(), serde_json::to_value(value).unwrap())).collect()
    }
    let connections = features.connections.iter().map(|connection| {
        let mut values = named(connection.values());
        values.insert("tracks".to_owned(), connection.tracks.iter().map(|track| named(track.values())).collect());
        values
    });
    let mut all = named(features.client.values());
    all.insert("connections".to_owned(), connections.collect());
    all.into()
}

/// They were looked through when they were written. `UPDATE_GOLDENS=1` writes them anew.
fn assert_ours(name: &str) {
    let found = ours(&features_of(&format!("{name}.jsonl")));
    let path = format!("{}/tests/goldens/{name}.json", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
    }
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_like(name, &found, &golden);
}

fn assert_like(what: &str, found: &Value, golden: &Value) {
    match (found, golden) {
        (Value::Object(found), Value::Object(golden)) => {
            assert!(found.keys().eq(golden.keys()), "{what}: {:?} are not {:?}", found.keys(), golden.keys());
            found.iter().for_each(|(name, found)| assert_like(&format!("{what} {name}"), found, &golden[name]));
        }
        (Value::Array(found), Value::Array(golden)) => {
            assert_eq!(found.len(), golden.len(), "{what}");
            let pairs = found.iter().zip(golden).enumerate();
            pairs.for_each(|(at, (found, golden))| assert_like(&format!("{what}[{at}]"), found, golden));
        }
        _ => assert!(equal(found, golden), "{what} is {found}, and was {golden}"),
    }
}

#[test]
fn what_upstream_has_not_is_as_it_was_for_a_call_with_audio_and_video() {
    assert_ours("loopback-av-60s");
}

#[test]
fn what_upstream_has_not_is_as_it_was_for_a_call_with_failures() {
    assert_ours("rich-session");
}

/// Upstream's extractor throws on this one, and the session has no features at all.
#[test]
fn a_candidate_that_cannot_be_parsed_costs_no_feature() {
    let bogus = features_of("rich-session-bogus-candidate.jsonl");
    let sane = features_of("rich-session.jsonl");
    let names = |features: &SessionFeatures| {
        let connections = features
            .connections
            .iter()
            .map(|connection| connection.values().map(|(feature, _)| feature.name).collect::<Vec<_>>());
        (features.client.values().map(|(feature, _)| feature.name).collect::<Vec<_>>(), connections.collect::<Vec<_>>())
    };
    assert_eq!(names(&bogus), names(&sane));
    // The other recording adds a server reflexive candidate in its place, and nothing else does.
    assert!(!bogus.connections[0].added_srflx_candidate.unwrap());
    assert!(bogus.connections[0].added_host_candidate.unwrap());
    assert!(bogus.connections[0].add_ice_candidate_failure.is_some());
    assert!(bogus.connections[0].average_outbound_bitrate.unwrap() > 0.0);
}

#[test]
fn features_can_be_asked_for_at_any_time_and_do_not_change_what_follows() {
    let text = common::recording("rich-session.jsonl");
    let mut decoder = rtctrace_protocol::event::SessionDecoder::new();
    let mut asked = rtctrace_features::FeatureExtractor::new();
    for line in text.lines() {
        if let Ok(event) = decoder.decode(line) {
            asked.event(&event);
            asked.features(&decoder);
        }
    }
    assert_eq!(asked.features(&decoder), features_of("rich-session.jsonl"));
}

#[test]
fn the_tables_hold_every_feature_once() {
    let upstream = |table: &[Feature]| table.iter().take_while(|feature| feature.upstream).count();
    assert_eq!([CLIENT_FEATURES, CONNECTION_FEATURES, TRACK_FEATURES].map(upstream), [30, 69, 64]);
    for table in [CLIENT_FEATURES, CONNECTION_FEATURES, TRACK_FEATURES] {
        for (position, feature) in table.iter().enumerate() {
            assert_eq!(feature.column, snake_case(feature.name));
            assert!(feature.about.ends_with('.'), "{} has no sentence", feature.name);
            assert!(!feature.formula.is_empty() && !feature.source.is_empty(), "{} has no formula", feature.name);
            assert_eq!(feature.upstream, position < upstream(table), "{} is not where it should be", feature.name);
            assert!(table[..position].iter().all(|other| other.name != feature.name), "{} is twice", feature.name);
        }
    }
}

#[test]
fn the_row_the_values_and_the_json_of_a_struct_follow_its_table() {
    let features = features_of("rich-session.jsonl");
    for connection in &features.connections {
        assert!(connection.row().map(|(feature, _)| feature.name).eq(CONNECTION_FEATURES.iter().map(|f| f.name)));
        let json = object(&serde_json::to_value(connection).unwrap());
        let present = connection.row().filter(|(_, value)| value.is_some()).count();
        assert_eq!(connection.values().count(), present);
        assert_eq!(json.len(), present + 2, "the features, the id and the tracks");
        for (feature, value) in connection.values() {
            assert_eq!(json[feature.name], serde_json::to_value(value).unwrap());
        }
    }
    let json = object(&serde_json::to_value(&features.client).unwrap());
    assert!(features.client.row().map(|(feature, _)| feature.name).eq(CLIENT_FEATURES.iter().map(|f| f.name)));
    assert_eq!(json.len(), features.client.values().count());
}

fn snake_case(name: &str) -> String {
    let mut column = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            column.push('_');
        }
        column.push(letter.to_ascii_lowercase());
    }
    column
}
