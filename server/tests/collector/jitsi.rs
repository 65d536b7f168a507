//! Jitsi's browsers and backends: what they send, through cuts, crashes and nonsense, is in the dump once and in order.

use std::io::Write as _;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

#[path = "../../../tests/fixtures/jitsi.rs"]
mod fixture;

const STANDARD: &str = "3.1_STANDARD";
const START: u64 = 1_795_159_383_861;

/// A browser's entry as it travels: a text that holds JSON.
fn entry(session: &str, number: u64) -> String {
    let entry = json!(["logs", null, {"n": number}, START + number, number]).to_string();
    json!({"statsSessionId": session, "type": "stats-entry", "data": entry}).to_string()
}

fn report(session: &str, number: u64, payload: &Value) -> String {
    let entry = json!(["getstats", "PC_0", payload, START + number, number]).to_string();
    json!({"statsSessionId": session, "type": "stats-entry", "data": entry}).to_string()
}

fn message(session: &str, kind: &str) -> String {
    json!({"statsSessionId": session, "type": kind}).to_string()
}

/// A client as Jitsi's: its URL names the session. What the first message says that it holds.
async fn client(collector: &Collector, session: &str, is_reconnect: bool) -> (Socket, u64) {
    let path = format!("/some/conference?statsSessionId={session}&isReconnect={is_reconnect}");
    let mut socket = collector.socket(&path, STANDARD).await;
    let first: Value = serde_json::from_str(&socket.text().await).unwrap();
    assert_eq!((&first["type"], &first["body"]["state"]), (&json!("sn"), &json!("initial")));
    let value = first["body"]["value"].as_u64().unwrap();
    (socket, value)
}

/// Waits until the collector says that it holds this number, never more.
async fn stored(socket: &mut Socket, number: u64) {
    loop {
        let said: Value = serde_json::from_str(&socket.text().await).unwrap();
        let value = said["body"]["value"].as_u64().unwrap();
        assert!(said["type"] == "sn" && said["body"]["state"] != "initial" && value <= number, "{said}");
        if value == number {
            return;
        }
    }
}

async fn leave(mut socket: Socket) {
    let frame = tokio_tungstenite::tungstenite::protocol::CloseFrame { code: 3001.into(), reason: "".into() };
    socket.try_send(Message::Close(Some(frame))).await;
    socket.closed().await;
}

/// The sequence numbers of a dump's lines, without the line of its end.
async fn numbers(collector: &Collector, id: &str) -> Vec<u64> {
    let (_, lines) = collector.dump(id).await;
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |line: &Value| line.as_array().unwrap().iter().rev().nth(1).unwrap().as_u64();
    let entries = lines.iter().filter(|line| line[0] == "logs" || line[0] == "g");
    entries.map(|line| of(line).unwrap()).collect()
}

#[tokio::test]
async fn a_browsers_session_is_a_dump_in_our_words() {
    let collector = Collector::start(&[]);
    let session = new_session();
    let (mut socket, value) = client(&collector, &session, false).await;
    assert_eq!(value, 0);
    let identity = json!(["identity", null, {"confName": "c", "displayName": "d"}, START, 1]);
    socket.send(json!({"statsSessionId": session, "type": "identity", "data": identity}).to_string()).await;
    let first = json!({"T": {"timestamp": 0, "type": "candidate-pair", "bytesSent": 7}, "timestamp": START});
    socket.send(report(&session, 2, &first)).await;
    socket.send(report(&session, 3, &json!({"T": {"timestamp": 0, "bytesSent": 8}, "timestamp": START + 5}))).await;
    stored(&mut socket, 3).await;
    leave(socket).await;

    let (metadata, lines) = collector.dump(&session).await;
    assert_eq!(metadata["clientProtocol"], STANDARD);
    assert_eq!(metadata["url"], format!("/some/conference?statsSessionId={session}&isReconnect=false"));
    assert_eq!(
        lines[..3],
        [
            format!(r#"["identity",null,{{"confName":"c","displayName":"d"}},null,1,{START}]"#),
            format!(r#"["g","PC_0",{{"0":{{"80":7,"type":6}},"t":{START}}},{{"ids":{{"0":"T"}}}},2,2]"#),
            format!(r#"["g","PC_0",{{"0":{{"80":8}},"t":{}}},3,1]"#, START + 5),
        ]
    );
    assert!(lines[3].starts_with(r#"["close",null,3001,"#), "{}", lines[3]);
    let described = collector.session(&session).await;
    assert_eq!((&described["closeCode"], &described["connections"]), (&json!(3001), &json!(1)));
    let rows = collector.query("SELECT bytes_sent FROM stats_candidate_pair ORDER BY time").await;
    let sent: Vec<i64> = rows.iter().map(|row| row["bytes_sent"].as_i64().unwrap()).collect();
    assert_eq!(sent, [7, 8]);
}

#[tokio::test]
async fn what_the_application_tells_of_its_conference_is_in_the_features() {
    let collector = Collector::start(&[]);
    let session = new_session();
    let (mut socket, _) = client(&collector, &session, false).await;
    let identity = json!({"endpointId": "me", "deploymentInfo": {"region": "eu", "crossRegion": 1}});
    let identity = json!(["identity", null, identity, START, 1]);
    socket.send(json!({"statsSessionId": session, "type": "identity", "data": identity}).to_string()).await;
    let told = [
        ("conferenceStartTimestamp", json!(START - 1000)),
        ("dominantSpeaker", json!({"dominantSpeakerEndpoint": "me", "previousSpeakers": []})),
        ("e2eRtt", json!({"remoteEndpointId": "other", "rtt": 50, "remoteRegion": "us"})),
        ("faceLandmarks", json!({"duration": 2, "faceLandmarks": "happy", "timestamp": START})),
    ];
    for (number, (kind, payload)) in (2..).zip(told) {
        let entry = json!([kind, null, payload, START + 100 * number, number]).to_string();
        socket.send(json!({"statsSessionId": session, "type": "stats-entry", "data": entry}).to_string()).await;
    }
    stored(&mut socket, 5).await;
    leave(socket).await;
    collector.dump(&session).await;
    let client = collector.session(&session).await["features"]["client"].take();
    assert_eq!(client["conferenceStartTime"], START - 1000);
    // The collector's line, which ends the session, is days later.
    assert_eq!((&client["conferenceDuration"], &client["speakerTime"]), (&json!(1500), &json!(200)));
    let sql = "SELECT dominant_speaker_changes, speaker_time, deployment_region, sentiment_happy, end_to_end_round_trip_time_mean FROM features_client";
    let rows = collector.query(sql).await;
    assert_eq!((&rows[0]["dominant_speaker_changes"], &rows[0]["speaker_time"]), (&json!(1), &json!(200)));
    assert_eq!((&rows[0]["deployment_region"], rows[0]["sentiment_happy"].as_f64()), (&json!("eu"), Some(2.0)));
    assert_eq!(rows[0]["end_to_end_round_trip_time_mean"], 0.05);
}

#[tokio::test]
async fn a_reconnect_resumes_and_every_entry_is_stored_once() {
    let collector = Collector::start(&[]);
    let session = new_session();
    let (mut socket, _) = client(&collector, &session, false).await;
    for number in 1..=6 {
        socket.send(entry(&session, number)).await;
    }
    stored(&mut socket, 6).await;
    drop(socket);

    let (mut socket, value) = client(&collector, &session, true).await;
    assert_eq!(value, 6);
    // A client that had not heard of all of them sends some again.
    for number in 4..=9 {
        socket.send(entry(&session, number)).await;
    }
    stored(&mut socket, 9).await;
    assert_eq!(collector.metric("rtctrace_duplicate_lines_total").await, 3.0);
    leave(socket).await;
    assert_eq!(numbers(&collector, &session).await, (1..=9).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_never_came_is_recorded() {
    let collector = Collector::start(&[]);
    let session = new_session();
    let (mut socket, _) = client(&collector, &session, false).await;
    for number in [1, 2, 6] {
        socket.send(entry(&session, number)).await;
    }
    stored(&mut socket, 6).await;
    leave(socket).await;
    let (_, lines) = collector.dump(&session).await;
    assert_eq!(lines[2], r#"[":rtctrace.gap",null,{"from":3,"to":5},4]"#);
    assert_eq!(numbers(&collector, &session).await, [1, 2, 6]);
    assert_eq!(collector.metric("rtctrace_missing_entries_total").await, 3.0);
}

#[tokio::test]
async fn messages_may_be_split_joined_and_binary() {
    let collector = Collector::start(&[]);
    let session = new_session();
    let (mut socket, _) = client(&collector, &session, false).await;
    let stream: String = (1..=30).map(|number| entry(&session, number)).collect();
    for (at, part) in stream.as_bytes().chunks(97).enumerate() {
        let text = String::from_utf8(part.to_vec()).unwrap();
        let frame = if at % 2 == 0 { Message::text(text) } else { Message::binary(part.to_vec()) };
        socket.try_send(frame).await;
    }
    stored(&mut socket, 30).await;
    leave(socket).await;
    assert_eq!(numbers(&collector, &session).await, (1..=30).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_bad_message_ends_nothing_but_itself() {
    let collector = Collector::start(&[("RTCTRACE_LIMITS_LINE_BYTES", "2000")]);
    let (session, other) = (new_session(), new_session());
    let (mut socket, _) = client(&collector, &session, false).await;
    socket.send(entry(&session, 1)).await;
    let illegal = [
        "nonsense".to_owned(),
        r#"{"a":b}"#.to_owned(),
        r#"{"type":"stats-entry","data":"[]"}"#.to_owned(),
        entry("../../etc/passwd", 1),
        entry("", 1),
        json!({"statsSessionId": session}).to_string(),
        entry(&session, 2).replace("logs", &"x".repeat(3000)),
        // Torn: its end never comes.
        entry(&session, 2)[..60].to_owned(),
    ];
    for message in illegal {
        socket.send(message).await;
        socket.send(entry(&other, 1)).await;
    }
    socket.send(entry(&session, 3)).await;
    stored(&mut socket, 3).await;
    leave(socket).await;
    assert_eq!(numbers(&collector, &session).await, [1, 3]);
    assert_eq!(numbers(&collector, &other).await, [1]);
    let bad = collector.get("/metrics").await.text();
    for reason in ["not_json", "malformed", "line_too_large"] {
        assert!(bad.contains(&format!("rtctrace_bad_lines_total{{reason=\"{reason}\"}}")), "{bad}");
    }
    assert_eq!(collector.sessions().await.len(), 2);
}

#[tokio::test]
async fn sessions_on_one_socket_do_not_know_of_each_other() {
    let collector = Collector::start(&[]);
    let mut socket = collector.socket("/", "3.0_JVB").await;
    socket.text().await;
    let said = |session: &str, n: u64| {
        let data = json!({"endpoints": {"n": n}, "timestamp": START + n}).to_string();
        json!({"statsSessionId": session, "type": "stats-entry", "data": data}).to_string()
    };
    for n in 1..=3 {
        socket.send(said("conf-a", n)).await;
        socket.send(said("conf_b", n)).await;
    }
    // What was on its way when it closed is kept.
    socket.send(message("conf-a", "close") + &said("conf-a", 4)).await;
    socket.send(message("conf-c", "keepalive")).await;
    let a = until("one session is over", async || {
        collector.sessions().await.into_iter().find(|session| session["state"] == "ended")
    })
    .await;
    let (metadata, lines) = collector.dump(a["id"].as_str().unwrap()).await;
    assert_eq!((&metadata["clientSession"], &metadata["clientProtocol"]), (&json!("conf-a"), &json!("3.0_JVB")));
    let n = |line: &String| serde_json::from_str::<Value>(line).unwrap()[2]["endpoints"]["n"].as_u64();
    assert_eq!(lines.iter().filter_map(n).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(a["closeCode"], 1000);

    socket.send(said("conf_b", 4)).await;
    let b = until("the other runs on", async || {
        collector.sessions().await.into_iter().find(|session| session["state"] == "live" && session["lines"] == 4)
    })
    .await;
    assert_ne!(a["id"], b["id"]);
    assert_eq!(collector.sessions().await.len(), 2, "a keepalive begins nothing");
}

#[tokio::test]
async fn all_of_the_dialects_are_spoken_on_any_path() {
    let collector = Collector::start(&[]);
    for dialect in ["3.1_LEGACY", "3.0_STANDARD", "1.0_JICOFO", "1.0_JIGASI", "1.0_JIBRI"] {
        let mut socket = collector.socket("/any/path", dialect).await;
        assert_eq!(socket.text().await, r#"{"type":"sn","body":{"value":0,"state":"initial"}}"#);
        let identity =
            json!({"statsSessionId": dialect.replace('.', "-"), "type": "identity", "data": {"confName": dialect}});
        socket.send(identity.to_string()).await;
        until("it is there", async || {
            collector.sessions().await.into_iter().find(|session| session["dialect"] == dialect)
        })
        .await;
    }
}

#[tokio::test]
async fn an_acknowledged_entry_survives_a_crash_and_the_next_report_fits() {
    let mut collector = Collector::start(&[]);
    let session = new_session();
    let payload = |number: u64| match number {
        1 => {
            json!({"T": {"timestamp": 0, "type": "candidate-pair", "bytesSent": 1, "dtlsState": "connected"}, "timestamp": START})
        }
        _ => json!({"T": {"timestamp": 0, "bytesSent": number}, "timestamp": START + number}),
    };
    let mut known = 0;
    for crash in 0..3 {
        let (mut socket, value) = client(&collector, &session, crash > 0).await;
        assert!(value >= known, "{value} of {known} acknowledged entries are there");
        for number in value + 1..=value + 8 {
            socket.send(report(&session, number, &payload(number))).await;
        }
        stored(&mut socket, value + 8).await;
        known = value + 8;
        if crash == 2 {
            leave(socket).await;
            break;
        }
        collector.crash();
        if crash == 1 {
            let mut spool = std::fs::File::options().append(true).open(collector.spool(&session)).unwrap();
            spool.write_all(b"[\"g\",\"PC_0\",{\"0\":{\"80\"").unwrap();
        }
        collector.restart();
    }
    assert_eq!(numbers(&collector, &session).await, (1..=24).collect::<Vec<_>>());
    let (_, lines) = collector.dump(&session).await;
    let delta: Value = serde_json::from_str(&lines[16]).unwrap();
    assert_eq!(delta[2], json!({"0": {"80": 17}, "t": START + 17}), "it builds on what was before the crash");
    let rows = collector.query("SELECT bytes_sent FROM stats_candidate_pair ORDER BY time").await;
    assert_eq!(rows.len(), 24);
}

#[tokio::test]
async fn a_client_that_comes_back_late_goes_on_with_its_stored_session() {
    let collector = Collector::start(&[("RTCTRACE_SESSION_RESUME_GRACE", "200ms")]);
    let session = new_session();
    let (mut socket, _) = client(&collector, &session, false).await;
    socket.send(entry(&session, 1)).await;
    stored(&mut socket, 1).await;
    drop(socket);
    collector.stored(&session).await;

    let (mut socket, value) = client(&collector, &session, true).await;
    assert_eq!(value, 1);
    socket.send(entry(&session, 2)).await;
    stored(&mut socket, 2).await;
    leave(socket).await;
    until("it is stored again", async || (!collector.spool(&session).exists()).then_some(())).await;
    assert_eq!(numbers(&collector, &session).await, [1, 2]);
    assert_eq!(collector.sessions().await.len(), 1);
}

#[tokio::test]
async fn what_comes_for_a_session_that_was_left_goes_beside_it() {
    let collector = Collector::start(&[]);
    let session = new_session();
    let (mut socket, _) = client(&collector, &session, false).await;
    socket.send(entry(&session, 1)).await;
    stored(&mut socket, 1).await;
    leave(socket).await;
    collector.stored(&session).await;

    let (mut socket, value) = client(&collector, &session, true).await;
    assert_eq!(value, 0);
    socket.send(entry(&session, 2)).await;
    stored(&mut socket, 2).await;
    leave(socket).await;
    let beside = until("both are stored", async || {
        let sessions = collector.sessions().await;
        sessions.into_iter().find(|one| one["id"] != session.as_str() && one["state"] == "ended")
    })
    .await;
    let beside = beside["id"].as_str().unwrap();
    let (metadata, _) = collector.dump(beside).await;
    assert_eq!(metadata["clientSession"], session);
    assert_eq!(numbers(&collector, beside).await, [2]);
}

#[tokio::test]
async fn addresses_are_hidden_after_translation() {
    let collector = Collector::start(&[]);
    let session = new_session();
    let (mut socket, _) = client(&collector, &session, false).await;
    let candidate =
        json!({"timestamp": 0, "type": "local-candidate", "candidateType": "host", "address": "192.0.2.77"});
    socket.send(report(&session, 1, &json!({"C": candidate, "timestamp": START}))).await;
    let backend = json!({"statsSessionId": session, "type": "stats-entry", "data": "{\"at\":\"198.51.100.77:10000\"}"});
    socket.send(backend.to_string()).await;
    socket.send(entry(&session, 2)).await;
    stored(&mut socket, 2).await;
    let spooled = std::fs::read_to_string(collector.spool(&session)).unwrap();
    assert!(spooled.contains("192.0.2.x") && spooled.contains("198.51.100.x:10000"), "{spooled}");
    assert!(!spooled.contains(".77"), "{spooled}");
}

#[tokio::test]
async fn a_recorded_browser_is_stored_entry_by_entry() {
    let Some(text) = fixture::dump("chrome-relay-p2p") else { return };
    let collector = Collector::start(&[]);
    let session = new_session();
    let (mut socket, _) = client(&collector, &session, false).await;
    let entries: Vec<&str> = text.lines().skip(1).collect();
    for entry in &entries {
        let data = json!({"statsSessionId": session, "type": "stats-entry", "data": entry});
        socket.send(data.to_string()).await;
    }
    stored(&mut socket, 101).await;
    leave(socket).await;
    let (_, lines) = collector.dump(&session).await;
    assert_eq!(lines.len(), entries.len() + 1);
    for (line, entry) in lines.iter().zip(entries) {
        let (line, entry): (Value, Value) = (serde_json::from_str(line).unwrap(), serde_json::from_str(entry).unwrap());
        assert_eq!((&line[1], line.as_array().unwrap().iter().rev().nth(1)), (&entry[1], entry.get(4)));
    }
    let described = collector.session(&session).await;
    assert_eq!(described["connections"], 2);
    assert_eq!(collector.metric("rtctrace_undecoded_lines_total").await, 0.0);
}

#[tokio::test]
async fn a_recorded_backend_is_stored_message_by_message() {
    for (name, dialect) in [("jicofo-sample", "1.0_JICOFO"), ("jvb-sample-head", "3.0_JVB")] {
        let Some(text) = fixture::dump(name) else { return };
        let collector = Collector::start(&[]);
        let mut socket = collector.socket("/", dialect).await;
        socket.text().await;
        for chunk in text.as_bytes().chunks(20_000) {
            socket.try_send(Message::binary(chunk.to_vec())).await;
        }
        socket.send(message("xxxx-yyyy-zzzz", "close")).await;
        let ended = until("the session is over", async || {
            collector.sessions().await.into_iter().find(|session| session["state"] == "ended")
        })
        .await;
        assert_eq!(ended["lines"], text.lines().count() + 1, "{name}");
    }
}

#[tokio::test]
async fn a_full_disk_sends_the_client_away_with_what_is_not_stored() {
    // No file of this process may grow beyond 1 MiB; without the trap the signal would end it.
    let collector = Collector::start_after("trap '' XFSZ; ulimit -f 2048", &[]);
    let session = new_session();
    let (mut socket, _) = client(&collector, &session, false).await;
    let entry = |number: u64| entry(&session, number).replace("logs", &format!("logs{}", "x".repeat(50_000)));
    for number in 1..=40 {
        socket.try_send(Message::text(entry(number))).await;
    }
    let (code, _, _) = socket.closed().await;
    assert_eq!(code, 1013);
    let spooled = std::fs::read_to_string(collector.spool(&session)).unwrap();
    let (_, kept) = split_dump(&spooled);
    let kept = kept.len() as u64;
    assert!((1..40).contains(&kept));
    for _ in 0..2 {
        let (mut socket, value) = client(&collector, &session, true).await;
        assert_eq!(value, kept, "what is not in the spool is not held");
        socket.try_send(Message::text(entry(kept + 1))).await;
        assert_eq!(socket.closed().await.0, 1013);
    }
    assert_eq!(std::fs::read_to_string(collector.spool(&session)).unwrap(), spooled);
}
