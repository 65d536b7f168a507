//! Logs of the SFU Sora: the sessions in one, and the recording of one of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use rtctrace_viewer_wasm::{Growing, Opened, Reading};
use serde_json::{Value, json};

const MORNING: &str = "AAAAAAAAAAAAAAAAAAAAAAAAA2";
const EVENING: &str = "AAAAAAAAAAAAAAAAAAAAAAAAA3";
const ANN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAA4";
const BEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAA5";

fn envelope(kind: &str, session: &str, connection: &str, second: u32) -> Value {
    json!({
        "type": kind, "id": format!("{connection}{second}"), "timestamp": format!("2026-11-29T20:15:{second:02}.000001Z"),
        "label": "l", "version": "2025.2.0", "node_name": "n", "channel_id": format!("of {session}"), "client_id": "c",
        "session_id": session, "connection_id": connection, "role": "sendrecv", "simulcast": false, "spotlight": false,
    })
}

fn entry(session: &str, connection: &str, second: u32, id: &str) -> String {
    let mut line = envelope("connection.rtc", session, connection, second);
    let data = json!({"id": id, "type": "transport", "timestamp": 1_795_983_300_000_u64 + 1000 * u64::from(second), "bytesSent": second});
    line["rtc_data"] = data;
    line.to_string()
}

fn end(session: &str, connection: &str, second: u32) -> String {
    json!({"req": envelope("connection.destroyed", session, connection, second)}).to_string()
}

fn open<'t>(text: &'t str, session: Option<&str>) -> Opened<&'t [u8]> {
    Reading::open(|| text.as_bytes(), session).unwrap()
}

fn recording(text: &str, session: Option<&str>) -> (Growing, Value) {
    let Opened::Recording(reading) = open(text, session) else { panic!("there are several") };
    let growing = reading.whole();
    let overview = serde_json::from_str(&growing.recording().overview()).unwrap();
    (growing, overview)
}

#[test]
fn a_session_has_all_of_its_connections_in_the_order_of_time() {
    // Lines of two pushes between each other, one that is late, one that comes twice, and none.
    let lines = [
        entry(MORNING, ANN, 10, "a"),
        entry(MORNING, BEN, 12, "a"),
        entry(MORNING, ANN, 10, "b"),
        entry(MORNING, BEN, 12, "b"),
        end(MORNING, ANN, 40),
        entry(MORNING, ANN, 30, "a"),
        entry(MORNING, ANN, 20, "a"),
        entry(MORNING, ANN, 20, "a"),
        "{\"type\":\"connection.rtc\"".to_owned(),
    ];
    let (recording, overview) = recording(&lines.join("\n"), None);
    let of = |index: usize| &overview["connections"][index];
    assert_eq!([&of(0)["id"], &of(1)["id"]], [ANN, BEN]);
    assert_eq!([&of(0)["reports"], &of(1)["reports"]], [3, 1]);
    assert!(recording.recording().times.is_sorted());
    assert_eq!(recording.recording().times.last(), Some(&(1_795_983_340_000.0 + 0.001)));
    assert_eq!(overview["metadata"]["sora"]["sessionId"], MORNING);
    assert_eq!(overview["metadata"]["conference"], format!("of {MORNING}"));
    let entries = of(0)["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(recording.recording().series(0, 0, "bytesSent").unwrap(), [10.0, 20.0, 30.0]);
    assert_eq!(overview["skipped"]["count"], 1);
    assert_eq!(overview["skipped"]["first"][0]["line"], 9);
}

#[test]
fn of_several_sessions_one_is_named() {
    let text = [entry(MORNING, ANN, 10, "a"), entry(EVENING, BEN, 20, "a"), entry(MORNING, BEN, 30, "a")].join("\n");
    let Opened::Sessions(sessions) = open(&text, None) else { panic!("there are two") };
    let told: Vec<_> = sessions.iter().map(|session| (session.id.as_str(), session.connections)).collect();
    assert_eq!(told, [(MORNING, 2), (EVENING, 1)]);
    assert!(sessions[0].start < sessions[1].start && sessions[0].end > sessions[1].end);
    for (session, connections) in told {
        let (_, overview) = recording(&text, Some(session));
        assert_eq!(overview["connections"].as_array().unwrap().len(), connections);
    }
}

#[test]
fn another_file_is_no_log() {
    let text = "RTCStatsDump\n{\"fileFormat\":3}\n[\"create\",\"PC_0\",{},1]\n";
    let (recording, _) = recording(text, None);
    assert_eq!(recording.recording().times.len(), 1);
}
