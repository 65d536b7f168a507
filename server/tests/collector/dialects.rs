//! What clients speak, and what becomes of it.

use std::time::{Duration, Instant};

use crate::support::*;

#[tokio::test]
async fn a_recording_uploaded_by_rtcstats_is_the_dump() {
    let collector = Collector::start(&[]);
    let (_, mut lines) = recording("loopback-av-60s.jsonl");
    lines.pop();
    let mut socket = collector.socket("/room/7?rtcstats-token=secret", RTCSTATS).await;
    for line in &lines {
        socket.send(line).await;
    }
    socket.close().await;

    let session = until("the session is over", async || {
        collector.sessions().await.into_iter().find(|session| session["state"] == "ended")
    })
    .await;
    let id = session["id"].as_str().unwrap();
    let (metadata, mut stored) = collector.dump(id).await;
    let close: Vec<serde_json::Value> = serde_json::from_str(&stored.pop().unwrap()).unwrap();
    assert_eq!(close[..3], [serde_json::json!("close"), serde_json::json!(null), serde_json::json!(1005)]);
    assert!(close[3].as_u64().unwrap() < 2_000);
    assert_eq!(stored, lines);

    assert_eq!(metadata["fileFormat"], 3);
    assert_eq!(metadata["clientProtocol"], RTCSTATS);
    assert_eq!(metadata["url"], "/room/7");
    assert_eq!(metadata["origin"], "http://app.example");
    assert_eq!(metadata["session"], id);
    assert_eq!(metadata["remoteAddresses"], serde_json::json!(["127.0.0.1"]));
    let first: Vec<serde_json::Value> = serde_json::from_str(&stored[0]).unwrap();
    assert_eq!(first.last().unwrap(), 1_795_159_383_861_u64);

    let session = collector.session(id).await;
    assert_eq!(session["closeCode"], 1005);
    assert_eq!(session["connections"], 2);
    assert_eq!(session["lines"], lines.len() + 1);
    assert_eq!(session["browser"], serde_json::json!({"name": "Chromium", "version": "156", "os": "Linux"}));
    assert!(!collector.spool(id).exists());
    assert_eq!(collector.metric("rtctrace_spool_bytes").await, 0.0);
}

#[tokio::test]
async fn a_recording_uploaded_by_rtctrace_v1_is_the_dump() {
    let collector = Collector::start(&[]);
    let lines = whole_recording();
    let session = new_session();
    let (mut socket, received) = collector.v1(&session, 0).await;
    assert_eq!(received, 0);
    for frame in lines.chunks(7) {
        socket.send(frame.join("\n")).await;
    }
    socket.acknowledged(lines.len()).await;
    socket.close().await;

    let (metadata, stored) = collector.dump(&session).await;
    assert_eq!(stored, lines);
    assert_eq!(metadata["clientProtocol"], V1);
    assert_eq!(metadata["session"], session);
    let described = collector.session(&session).await;
    assert_eq!(described["closeCode"], 1000);
    assert_eq!(described["dialect"], V1);
    assert_eq!(described["duration"], described["features"]["client"]["duration"]);
}

#[tokio::test]
async fn a_dump_is_byte_for_byte_what_the_format_says() {
    let collector = Collector::start(&[]);
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send("[39,null,{\"reloadCount\":0},1795159383861]\n[36,null,null,12]\n").await;
    socket.acknowledged(2).await;
    collector.stored(&session).await;
    let answer = collector.get(&format!("/api/v1/sessions/{session}/dump")).await;
    assert_eq!(answer.body[..3], [0x1f, 0x8b, 8], "gzip, deflate");
    let (metadata, _) = collector.dump(&session).await;
    let start_time = metadata["startTime"].as_u64().unwrap();
    let text = gunzip(answer.body.as_slice());
    let expected = format!(
        "RTCStatsDump\n{{\"url\":\"/v1/ws?session={session}&from=0\",\"origin\":\"http://app.example\",\
         \"userAgent\":\"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0\",\"startTime\":{start_time},\
         \"remoteAddresses\":[\"127.0.0.1\"],\"clientProtocol\":\"rtctrace.v1\",\"session\":\"{session}\",\"fileFormat\":3}}\n\
         [39,null,{{\"reloadCount\":0}},1795159383861]\n[36,null,null,12]\n"
    );
    assert_eq!(text, expected);
}

#[tokio::test]
async fn a_client_resumes_where_the_welcome_says() {
    let collector = Collector::start(&[]);
    let (session, lines) = (new_session(), lines(10));
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines[..6].join("\n")).await;
    socket.acknowledged(6).await;
    drop(socket);

    // It knows of 4, is told 6, and goes on there.
    let (mut socket, received) = collector.v1(&session, 4).await;
    assert_eq!(received, 6);
    socket.send(lines[6..].join("\n")).await;
    socket.acknowledged(10).await;
    socket.send("[36,null,null,1]").await;
    socket.acknowledged(11).await;
    assert_eq!(collector.dump(&session).await.1[..10], lines);
}

#[tokio::test]
async fn lines_that_are_held_already_are_not_stored_again() {
    let collector = Collector::start(&[]);
    let (session, lines) = (new_session(), lines(10));
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines[..6].join("\n")).await;
    socket.acknowledged(6).await;
    drop(socket);

    for from in [0, 3] {
        let (mut socket, received) = collector.v1(&session, from).await;
        assert_eq!(received, 6);
        socket.send(lines[from..6].join("\n")).await;
    }
    let (mut socket, _) = collector.v1(&session, 2).await;
    socket.send(lines[2..].join("\n")).await;
    socket.acknowledged(10).await;
    assert!(collector.metric("rtctrace_duplicate_lines_total").await >= 4.0);
    socket.send("[36,null,null,1]").await;
    socket.acknowledged(11).await;
    assert_eq!(collector.dump(&session).await.1[..10], lines);
}

#[tokio::test]
async fn acknowledgements_come_at_most_twice_a_second() {
    let collector = Collector::start(&[]);
    let (session, lines) = (new_session(), lines(60));
    let (mut socket, _) = collector.v1(&session, 0).await;
    let start = Instant::now();
    for line in &lines {
        socket.send(line).await;
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    socket.acknowledged(60).await;
    let acks = collector.metric("rtctrace_acks_total").await;
    let most = start.elapsed().as_millis() / 500 + 1;
    assert!((3.0..=most as f64).contains(&acks), "{acks} acknowledgements in {:?}", start.elapsed());
}

#[tokio::test]
async fn a_newer_socket_replaces_the_older_one() {
    let collector = Collector::start(&[]);
    let (session, lines) = (new_session(), lines(4));
    let (mut old, _) = collector.v1(&session, 0).await;
    old.send(&lines[0]).await;
    old.acknowledged(1).await;
    let (mut new, received) = collector.v1(&session, 1).await;
    assert_eq!(received, 1);
    assert_eq!(old.closed().await.0, 4002);
    new.send(lines[1..].join("\n")).await;
    new.acknowledged(4).await;
}

#[tokio::test]
async fn a_session_ends_when_the_grace_is_over_and_takes_no_more() {
    let settings = [("RTCTRACE_SESSION_RESUME_GRACE", "300ms"), ("RTCTRACE_SESSION_RESUME_WINDOW", "0s")];
    let collector = Collector::start(&settings);
    let (session, lines) = (new_session(), lines(3));
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines.join("\n")).await;
    socket.acknowledged(3).await;
    drop(socket);
    assert_eq!(collector.session(&session).await["state"], "live");

    let (_, stored) = collector.dump(&session).await;
    assert_eq!(stored[..3], lines);
    let close: Vec<serde_json::Value> = serde_json::from_str(&stored[3]).unwrap();
    assert_eq!(close[2], 1006);
    assert!(close[3].as_u64().unwrap() < 250, "the grace is no part of the session: {close:?}");
    assert_eq!(stored.len(), 4);
    let ended = collector.stored(&session).await;
    let time = |name: &str| chrono::DateTime::parse_from_rfc3339(ended[name].as_str().unwrap()).unwrap();
    let lasted = (time("endTime") - time("startTime")).num_milliseconds();
    assert!(lasted <= ended["duration"].as_i64().unwrap(), "the grace is no part of the session: {ended}");

    let mut late = collector.socket(&format!("/v1/ws?session={session}&from=3"), V1).await;
    let (code, reason, _) = late.closed().await;
    assert_eq!((code, reason.as_str()), (4000, "session already ended"));
}

#[tokio::test]
async fn the_last_lines_come_by_beacon() {
    let collector = Collector::start(&[]);
    let (session, lines) = (new_session(), lines(5));
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines[..3].join("\n")).await;
    socket.acknowledged(3).await;
    let path = format!("/v1/beacon?session={session}&from=");
    // It overlaps with what the socket has carried.
    let answer = collector.request("POST", &format!("{path}2"), "", &lines[2..].join("\n")).await;
    assert_eq!(answer.json(), serde_json::json!({"received": 5}));
    // The socket's own copy of the same lines comes late.
    socket.send(lines[3..].join("\n")).await;
    let gap = collector.request("POST", &format!("{path}9"), "", "[36,null,null,1]").await;
    assert!(gap.problem(409, "gap").contains("holds 5 lines"));
    let answer = collector.request("POST", &format!("{path}5"), "", "[36,null,null,1]").await;
    assert_eq!(answer.status, 200);
    let (_, stored) = collector.dump(&session).await;
    assert_eq!(stored[..5], lines);
    assert_eq!(stored.len(), 6);
    let late = collector.request("POST", &format!("{path}6"), "", "[36,null,null,1]").await;
    late.problem(409, "session-ended");
}

#[tokio::test]
async fn addresses_are_hidden_before_anything_is_stored() {
    let line =
        r#"[20,"PC_0",{"candidate":"candidate:1 1 udp 1 192.168.1.77 5000 typ host","sdpMid":"0"},1795159383861]"#;
    for (setting, hidden) in [("true", true), ("false", false)] {
        let collector = Collector::start(&[("RTCTRACE_PRIVACY_ADDRESSES", setting)]);
        let session = new_session();
        let (mut socket, _) = collector.v1(&session, 0).await;
        socket.send(line).await;
        socket.acknowledged(1).await;
        let spooled = std::fs::read_to_string(collector.spool(&session)).unwrap();
        assert_eq!(spooled.contains("192.168.1.x"), hidden);
        assert_eq!(spooled.contains("192.168.1.77"), !hidden);
        assert_eq!(collector.session(&session).await["features"]["connections"][0]["gatheredHostCandidate"], true);
    }
}

#[tokio::test]
async fn a_session_that_was_stored_goes_on_when_its_client_comes_back_late() {
    let mut collector = Collector::start(&[("RTCTRACE_SESSION_RESUME_GRACE", "200ms")]);
    let lines = whole_recording();
    let session = new_session();
    let mut known = 0;
    for until in [60, 120, 150, lines.len()] {
        let (mut socket, received) = collector.v1(&session, known).await;
        assert_eq!(received as usize, known, "the collector's own close line is none of the client's");
        socket.send(lines[known..until].join("\n")).await;
        socket.acknowledged(until).await;
        known = until;
        // The last line ends it.
        if until < lines.len() {
            assert_eq!(rows_of_features(&collector).await, [0; 3], "it runs, and has those of its last end no more");
        }
        drop(socket);
        until_stored(&collector, &session, if until == lines.len() { until } else { until + 1 }).await;
        if until == 120 {
            collector.crash();
            collector.restart();
        }
    }
    assert_eq!(collector.dump(&session).await.1, lines);
    assert!(rows_of_features(&collector).await.iter().all(|rows| *rows > 0));
    crate::stores::assert_stats(&collector, &lines).await;
    let (mut late, _) = (collector.socket(&format!("/v1/ws?session={session}&from=3"), V1).await, ());
    assert_eq!(late.closed().await.0, 4000, "its client closed it");
    assert_eq!(collector.sessions().await.len(), 1);
}

/// How many rows of features exports have, and how many sessions a list by a feature.
async fn rows_of_features(collector: &Collector) -> [usize; 3] {
    let exported =
        async |table| collector.get(&format!("/api/v1/export/features/{table}")).await.text().lines().count() - 1;
    let listed = collector.get("/api/v1/sessions?feature=numberOfEvents%3E0").await.json();
    [exported("client").await, exported("connection").await, listed["sessions"].as_array().unwrap().len()]
}

async fn until_stored(collector: &Collector, session: &str, lines: usize) {
    until("the session is stored", async || {
        let found = collector.session(session).await;
        let is_stored = found["state"] == "ended" && found["lines"] == lines && !collector.spool(session).exists();
        is_stored.then_some(())
    })
    .await;
}
