//! What the database holds of a session.

use std::collections::HashMap;

use crate::support::*;
use rtctrace_features::{CLIENT_FEATURES, CONNECTION_FEATURES, Feature, TRACK_FEATURES};
use rtctrace_protocol::event::SessionDecoder;
use serde_json::Value;

/// Tables of one kind of entry, and those that say of each row of which kind it is.
const TABLES: [(&str, &str); 15] = [
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
    ("", "stats_sora_connection"),
    ("", "stats_erlang_vm"),
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
    assert_thinned(collector, lines, 0.0).await;
}

/// What an entry has said.
#[derive(Default)]
struct Said {
    rows: Vec<(f64, HashMap<String, Value>)>,
    last: HashMap<String, Value>,
    /// The part of the session that the last row lies in.
    part: Option<f64>,
    /// Since when there is something without a row.
    waits: Option<f64>,
}

impl Said {
    fn row(&mut self, time: f64) {
        self.rows.push((kept_time(time), self.last.clone()));
        self.waits = None;
    }
}

/// The same where an entry has a row at most for each so many milliseconds, and one of its last state.
pub(crate) async fn assert_thinned(collector: &Collector, lines: &[String], interval: f64) {
    let mut said: HashMap<(String, String, String), Said> = HashMap::new();
    let (mut decoder, mut first) = (SessionDecoder::new(), None);
    for line in lines {
        let event = decoder.decode(line).unwrap();
        let Some(report) = event.value.report() else { continue };
        let connection = event.connection.as_deref().unwrap();
        let since = event.time - *first.get_or_insert(event.time);
        // Without an interval none is that of the last row.
        let part = if interval > 0.0 { (since / interval).floor() } else { f64::NAN };
        for ((_, of, id), gone) in &mut said {
            if of == connection && report.get(id).is_none() {
                gone.waits.into_iter().for_each(|time| gone.row(time));
                gone.part = None;
            }
        }
        for entry in report.entries() {
            let members: HashMap<String, Value> = entry
                .members()
                .map(|(name, value)| (column_name(name), as_stored(&serde_json::from_str(value.text()).unwrap())))
                .collect();
            let entry_said =
                said.entry((entry.kind().to_owned(), connection.to_owned(), entry.id().to_owned())).or_default();
            let is_changed = entry_said.part.is_none() || entry_said.last != members;
            entry_said.last = members;
            if entry_said.part == Some(part) {
                entry_said.waits = if is_changed { Some(entry.timestamp()) } else { entry_said.waits };
            } else if is_changed || entry_said.waits.is_some() {
                entry_said.part = Some(part);
                entry_said.row(entry.timestamp());
            }
        }
    }
    let rows_of = |mut said: Said| {
        said.waits.into_iter().for_each(|time| said.row(time));
        said.rows
    };
    let expected: Rows = said.into_iter().map(|(key, said)| (key, rows_of(said))).collect();
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
                    // The last is no member, but what views by minutes need of the row before.
                    ("time" | "session_id" | "connection_id" | "stats_id" | "type" | "before", _)
                    | (_, Value::Null) => {}
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
    assert!(expected.values().map(Vec::len).sum::<usize>() > if interval > 0.0 { 100 } else { 500 });
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

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_thinned_the_same_however_they_come_about() {
    const INTERVAL: f64 = 7_000.0;
    let settings = [("RTCTRACE_STATS_INTERVAL", "7s"), ("RTCTRACE_SESSION_RESUME_GRACE", "200ms")];
    let collector = Collector::start(&settings);
    let lines = whole_recording();
    let (before, after) = lines.split_at(lines.len() / 2);
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(before.join("\n")).await;
    socket.acknowledged(before.len()).await;
    drop(socket);
    // It ends for want of its client, which then comes back.
    let first_half = collector.dump(&session).await.1;
    assert_thinned(&collector, &first_half, INTERVAL).await;
    let count = async || collector.query("SELECT * FROM stats_inbound_rtp").await.len();
    let of_first_half = count().await;
    let (mut socket, received) = collector.v1(&session, before.len()).await;
    assert_eq!(received as usize, before.len());
    let (last, after) = after.split_last().unwrap();
    socket.send(after.join("\n")).await;
    socket.acknowledged(lines.len() - 1).await;
    until("rows of the second half come while it runs", async || (count().await > of_first_half).then_some(())).await;
    assert_eq!(collector.session(&session).await["state"], "live");
    socket.send(last).await;
    socket.acknowledged(lines.len()).await;
    until("the whole is stored", async || (collector.dump(&session).await.1 == lines).then_some(())).await;
    until("nothing is left to do", async || (!collector.spool(&session).exists()).then_some(())).await;
    assert_thinned(&collector, &lines, INTERVAL).await;

    let other = new_session();
    let (mut socket, _) = collector.v1(&other, 0).await;
    for line in &lines {
        socket.send(line).await;
    }
    collector.stored(&other).await;
    let rows = count().await;
    assert!((20..120).contains(&rows), "{rows} of two calls of a minute with five streams each way");
    let request = collector.request("DELETE", &format!("/api/v1/sessions/{other}"), "", "").await;
    assert_eq!(request.status, 204);
    assert_thinned(&collector, &lines, INTERVAL).await;

    let dir = collector.dir.path().to_owned();
    let url = collector.server.as_ref().map(|server| server.url.clone());
    let reprocess = move |interval: &str| {
        let mut variables = vec![("RTCTRACE_STATS_INTERVAL", interval)];
        variables.extend(url.as_deref().map(|url| (DATABASE_URL, url)));
        let (success, _, errors) = run(&dir, &["reprocess"], &variables);
        assert!(success, "{errors}");
    };
    tokio::task::block_in_place(|| reprocess("7s"));
    assert_thinned(&collector, &lines, INTERVAL).await;
    tokio::task::block_in_place(|| reprocess("0s"));
    assert_stats(&collector, &lines).await;
    tokio::task::block_in_place(|| reprocess("7s"));
    assert_thinned(&collector, &lines, INTERVAL).await;
    if crate::ON_POSTGRES {
        return;
    }
    let mut dump = collector.dir.path().join("dumps");
    while dump.is_dir() {
        dump = std::fs::read_dir(&dump).unwrap().next().unwrap().unwrap().path();
    }
    let dir = tempfile::tempdir().unwrap();
    let imported = tokio::task::block_in_place(|| {
        run(dir.path(), &["import", dump.to_str().unwrap()], &[("RTCTRACE_STATS_INTERVAL", "7s")])
    });
    assert!(imported.0, "{}", imported.2);
    let collector = Collector::start_in(dir, &settings);
    assert_thinned(&collector, &lines, INTERVAL).await;
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
