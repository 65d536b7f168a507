//! What the database holds of a session.

use std::collections::HashMap;

use crate::support::*;
use rtctrace_features::{CLIENT_FEATURES, CONNECTION_FEATURES, Feature, TRACK_FEATURES};
use rtctrace_protocol::event::SessionDecoder;
use serde_json::Value;

/// Tables of one kind of entry, and those that say of each row of which kind it is.
const TABLES: [(&str, &str); 13] = [
    ("inbound-rtp", "stats_inbound_rtp"),
    ("outbound-rtp", "stats_outbound_rtp"),
    ("remote-inbound-rtp", "stats_remote_inbound_rtp"),
    ("remote-outbound-rtp", "stats_remote_outbound_rtp"),
    ("media-source", "stats_media_source"),
    ("candidate-pair", "stats_candidate_pair"),
    ("codec", "stats_codec"),
    ("transport", "stats_transport"),
    ("media-playout", "stats_media_playout"),
    ("data-channel", "stats_data_channel"),
    ("peer-connection", "stats_peer_connection"),
    ("", "stats_ice_candidate"),
    ("", "stats_other"),
];

/// Times and members of the rows of an entry: by its kind, its connection and its id.
type Rows = HashMap<(String, String, String), Vec<(f64, HashMap<String, Value>)>>;

/// `packetsReceivedWithEct1` is the column `packets_received_with_ect1`.
fn column_name(member: &str) -> String {
    member.chars().flat_map(|c| c.is_ascii_uppercase().then_some('_').into_iter().chain(c.to_lowercase())).collect()
}

/// A number as SQLite gives it back; booleans are numbers there.
fn as_stored(value: &Value) -> Value {
    match value {
        Value::Bool(value) => Value::from(f64::from(u8::from(*value))),
        Value::Number(number) => Value::from(number.as_f64().unwrap()),
        other => other.clone(),
    }
}

/// A row's time as Unix time in ms: a number in SQLite, a text with microseconds in PostgreSQL.
fn millis(time: &Value) -> f64 {
    match time {
        Value::String(text) => chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros() as f64 / 1000.0,
        other => other.as_f64().unwrap(),
    }
}

/// What is kept of a time: PostgreSQL's have whole microseconds.
fn kept_time(time: f64) -> f64 {
    if crate::ON_POSTGRES { (time * 1000.0).round() / 1000.0 } else { time }
}

/// Holds all stats rows against the reports of these lines: every change of an entry is one row, and nothing else is.
pub(crate) async fn assert_stats(collector: &Collector, lines: &[String]) {
    let mut expected = Rows::new();
    let mut decoder = SessionDecoder::new();
    for line in lines {
        let event = decoder.decode(line).unwrap();
        let Some(report) = event.value.report() else { continue };
        for entry in report.entries() {
            let members: HashMap<String, Value> = entry
                .members()
                .map(|(name, value)| (column_name(name), as_stored(&serde_json::from_str(value.text()).unwrap())))
                .collect();
            let connection = event.connection.as_deref().unwrap().to_owned();
            let rows = expected.entry((entry.kind().to_owned(), connection, entry.id().to_owned())).or_default();
            if rows.last().is_none_or(|(_, last)| *last != members) {
                rows.push((kept_time(entry.timestamp()), members));
            }
        }
    }
    let mut found = Rows::new();
    for (kind, table) in TABLES {
        for row in collector.query(&format!("SELECT * FROM {table} ORDER BY time")).await {
            let mut members = HashMap::new();
            let text = |column: &str| row[column].as_str().unwrap().to_owned();
            let kind = if kind.is_empty() { text("type") } else { kind.to_owned() };
            for (name, value) in &row {
                // Records are text in SQLite.
                let parsed = value.as_str().filter(|text| text.starts_with('{'));
                let value = parsed.map_or_else(|| value.clone(), |text| serde_json::from_str(text).unwrap());
                match (name.as_str(), value) {
                    ("time" | "session_id" | "connection_id" | "stats_id" | "type", _) | (_, Value::Null) => {}
                    ("extra", value) => {
                        let extra = value.as_object().unwrap();
                        members.extend(extra.iter().map(|(name, value)| (column_name(name), as_stored(value))));
                    }
                    (name, value) => {
                        members.insert(name.to_owned(), as_stored(&value));
                    }
                }
            }
            let key = (kind, text("connection_id"), text("stats_id"));
            found.entry(key).or_default().push((millis(&row["time"]), members));
        }
    }
    assert!(expected.values().map(Vec::len).sum::<usize>() > 500);
    for (key, expected) in &expected {
        assert_eq!(found.get(key), Some(expected), "{key:?}");
    }
    assert_eq!(found.len(), expected.len());
}

async fn upload(collector: &Collector, name: &str) -> (String, Vec<String>) {
    let (_, mut lines) = recording(name);
    lines.pop();
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines.join("\n")).await;
    socket.send("[36,null,null,110]").await;
    socket.acknowledged(lines.len() + 1).await;
    collector.stored(&session).await;
    (session, lines)
}

#[tokio::test]
async fn stats_rows_are_the_reports_of_the_recording() {
    let collector = Collector::start(&[]);
    let (_, lines) = upload(&collector, "loopback-av-60s.jsonl").await;
    assert_stats(&collector, &lines).await;
    let rows = collector.query("SELECT * FROM stats_inbound_rtp").await.len();
    assert_eq!(collector.metric("rtctrace_stats_rows_total{table=\"stats_inbound_rtp\"}").await, rows as f64);
}

#[tokio::test]
async fn stats_can_be_turned_off() {
    let collector = Collector::start(&[("RTCTRACE_STATS_ENABLED", "false")]);
    let (session, _) = upload(&collector, "loopback-av-60s.jsonl").await;
    for (_, table) in TABLES {
        assert!(collector.query(&format!("SELECT * FROM {table}")).await.is_empty());
    }
    assert_eq!(collector.session(&session).await["features"]["connections"].as_array().unwrap().len(), 2);
}

/// Leaves out the features that upstream has not.
fn keep_upstream(table: &[Feature], features: &mut Value) {
    let is_ours = |name: &str| table.iter().any(|feature| feature.name == name && !feature.upstream);
    features.as_object_mut().unwrap().retain(|name, _| !is_ours(name));
}

#[tokio::test]
async fn features_are_those_of_upstream() {
    let collector = Collector::start(&[]);
    for name in ["loopback-av-60s", "rich-session"] {
        let (session, _) = upload(&collector, &format!("{name}.jsonl")).await;
        let path = format!("{}/../tests/fixtures/recordings/{name}.features.json", env!("CARGO_MANIFEST_DIR"));
        let mut golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let connections = golden.as_object_mut().unwrap().remove("peerConnections").unwrap();
        let mut features = collector.session(&session).await["features"].take();
        keep_upstream(CLIENT_FEATURES, &mut features["client"]);
        for of in [&mut golden, &mut features["client"]] {
            of.as_object_mut().unwrap().remove("duration");
        }
        assert_eq!(features["client"], golden, "{name}");
        let ours = features["connections"].as_array_mut().unwrap();
        assert_eq!(ours.len(), connections.as_array().unwrap().len());
        for (position, (ours, golden)) in ours.iter_mut().zip(connections.as_array().unwrap()).enumerate() {
            assert_eq!(ours.as_object_mut().unwrap().remove("id").unwrap(), format!("PC_{position}"));
            keep_upstream(CONNECTION_FEATURES, ours);
            ours["tracks"].as_array_mut().unwrap().iter_mut().for_each(|track| keep_upstream(TRACK_FEATURES, track));
            assert_eq!(ours, golden, "{name}, PC_{position}");
        }
    }
    let rows = collector
        .query("SELECT c.hardware_concurrency, s.lines FROM features_client c JOIN sessions s ON s.id = c.session_id")
        .await;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["hardware_concurrency"], 2);
    assert_eq!(collector.query("SELECT outcome FROM sessions WHERE outcome = 'connected'").await.len(), 2);
    assert_eq!(collector.query("SELECT * FROM features_connection").await.len(), 4 + 1);
    assert_eq!(collector.query("SELECT * FROM features_track").await.len(), 6 + 9);
}
