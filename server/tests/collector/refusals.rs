//! Bad input: each has a clear answer and a counter, and touches nothing else.

use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::*;

async fn refused(collector: &Collector, reason: &str) -> f64 {
    collector.metric(&format!("rtctrace_refused_total{{reason=\"{reason}\"}}")).await
}

async fn bad_lines(collector: &Collector, reason: &str) -> f64 {
    collector.metric(&format!("rtctrace_bad_lines_total{{reason=\"{reason}\"}}")).await
}

#[tokio::test]
async fn an_unknown_subprotocol_is_refused_before_the_upgrade() {
    let collector = Collector::start(&[]);
    for (offered, said) in [("rtctrace.v9", "`rtctrace.v9`"), ("", "No subprotocol")] {
        let Err(Error::Http(answer)) = Socket::open(&collector.address, "/v1/ws", offered).await else {
            panic!("`{offered}` was not refused");
        };
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: serde_json::Value = serde_json::from_slice(answer.body().as_deref().unwrap()).unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(said) && detail.contains("rtctrace.v1, rtcstats#5.0"), "{detail}");
    }
    assert_eq!(refused(&collector, "unknown_subprotocol").await, 2.0);
}

#[tokio::test]
async fn a_bad_handshake_is_refused_before_the_upgrade() {
    let collector = Collector::start(&[]);
    for (path, status, kind) in [
        ("/v1/ws?from=0", 400, "bad-session-id"),
        ("/v1/ws?session=../../etc/passwd", 400, "bad-session-id"),
        ("/v1/ws?session=0190163d-8694-739b-aea5-966c26f8ad90&from=x", 400, "bad-parameter"),
        ("/elsewhere?session=0190163d-8694-739b-aea5-966c26f8ad90", 404, "unknown-path"),
    ] {
        let Err(Error::Http(answer)) = Socket::open(&collector.address, path, V1).await else { panic!("{path}") };
        let problem: serde_json::Value = serde_json::from_slice(answer.body().as_deref().unwrap()).unwrap();
        assert_eq!(problem["type"], format!("urn:rtctrace:problem:{kind}"), "{path}");
        assert_eq!(answer.status(), status, "{path}");
    }
    let plain = collector.get("/v1/ws").await;
    plain.problem(400, "bad-handshake");
    assert_eq!(plain.header("upgrade"), "websocket");
    // The API's paths are no place for sockets.
    let Err(Error::Http(answer)) = Socket::open(&collector.address, "/api/v1/nothing", RTCSTATS).await else {
        panic!()
    };
    assert_eq!(answer.status(), 404);
}

#[tokio::test]
async fn a_line_that_is_no_array_closes_its_own_socket_only() {
    let collector = Collector::start(&[("RTCTRACE_SESSION_RESUME_GRACE", "200ms")]);
    let (victim, neighbour) = (new_session(), new_session());
    let (mut other, _) = collector.v1(&neighbour, 0).await;
    other.send(&lines(1)[0]).await;
    other.acknowledged(1).await;

    let lines = lines(3);
    for (bad, reason, said) in [
        ("{\"not\":\"an array\"}", "not_an_array", "line 3: the line is not a JSON array but a JSON object"),
        ("[1,2", "not_json", "line 3: the line is not JSON"),
        ("[1]", "malformed", "line 3: the line has 1 elements"),
    ] {
        let (mut socket, received) = collector.v1(&victim, 3).await;
        let before = if received == 0 { lines.join("\n") + "\n" } else { String::new() };
        socket.send(format!("{before}{bad}\n[36,null,null,1]")).await;
        let (code, text, acknowledged) = socket.closed().await;
        assert_eq!(code, 1007);
        assert!(text.starts_with(said), "{text}");
        assert_eq!(acknowledged, (received == 0).then_some(3), "what came before is kept, and acknowledged");
        assert_eq!(bad_lines(&collector, reason).await, 1.0);
    }
    let (_, stored) = collector.dump(&victim).await;
    assert_eq!(stored[..3], lines);
    assert!(stored[3].starts_with("[\"close\",null,1007,"), "{}", stored[3]);
    assert_eq!(refused(&collector, "bad_line").await, 3.0);

    other.send("[\":still\",null,1,5]").await;
    other.acknowledged(2).await;
}

#[tokio::test]
async fn a_line_that_is_no_array_ends_a_session_of_rtcstats() {
    let collector = Collector::start(&[]);
    let lines = lines(2);
    let mut socket = collector.socket("/app", RTCSTATS).await;
    for line in &lines {
        socket.send(line).await;
    }
    socket.send("hello").await;
    assert_eq!(socket.closed().await.0, 1007);
    let session =
        until("it ends", async || collector.sessions().await.pop().filter(|session| session["state"] == "ended")).await;
    let (_, stored) = collector.dump(session["id"].as_str().unwrap()).await;
    assert_eq!(stored[..2], lines);
    assert!(stored[2].starts_with("[\"close\",null,1007,"), "{}", stored[2]);
}

#[tokio::test]
async fn what_is_too_large_is_refused_with_1009() {
    let collector =
        Collector::start(&[("RTCTRACE_LIMITS_FRAME_BYTES", "64KiB"), ("RTCTRACE_LIMITS_LINE_BYTES", "1KiB")]);
    let (session, lines) = (new_session(), lines(2));
    let (mut socket, _) = collector.v1(&session, 0).await;
    let long = format!("[\":long\",null,\"{}\",1]", "x".repeat(2_000));
    socket.send(format!("{}\n{long}", lines.join("\n"))).await;
    let (code, reason, acknowledged) = socket.closed().await;
    assert_eq!((code, acknowledged), (1009, Some(2)));
    assert_eq!(reason, "line 2 is longer than 1024 bytes");
    assert_eq!(bad_lines(&collector, "line_too_large").await, 1.0);

    // The client is still sending when the collector has seen enough, and hears the reason all the same.
    let (mut socket, received) = collector.v1(&session, 2).await;
    assert_eq!(received, 2);
    let huge = Message::text(format!("[\":huge\",null,\"{}\",1]", "x".repeat(3 << 20)));
    socket.try_send(huge).await;
    let (code, reason, _) = socket.closed().await;
    assert_eq!((code, reason.as_str()), (1009, "a frame is longer than 64KiB"));
    assert_eq!(bad_lines(&collector, "frame_too_large").await, 1.0);
    assert_eq!((refused(&collector, "line_too_long").await, refused(&collector, "frame_too_long").await), (1.0, 1.0));

    let beacon =
        collector.request("POST", &format!("/v1/beacon?session={session}&from=2"), "", &"x".repeat(70_000)).await;
    beacon.problem(413, "too-large");
    let (mut socket, received) = collector.v1(&session, 2).await;
    assert_eq!(received, 2);
    socket.send("[36,null,null,1]").await;
    socket.acknowledged(3).await;
    assert_eq!(collector.dump(&session).await.1[..2], lines);
}

#[tokio::test]
async fn binary_frames_and_bytes_that_are_no_text_are_refused() {
    let collector = Collector::start(&[]);
    let mut socket = collector.socket("/app", RTCSTATS).await;
    socket.try_send(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(socket.closed().await.0, 1003);
    assert!(collector.sessions().await.is_empty(), "a session without a line leaves nothing behind");
    assert_eq!(bad_lines(&collector, "binary").await, 1.0);
    assert_eq!(std::fs::read_dir(collector.dir.path().join("spool")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_session_over_its_limit_ends() {
    let collector = Collector::start(&[("RTCTRACE_LIMITS_SESSION_BYTES", "2KiB")]);
    let (session, lines) = (new_session(), lines(400));
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines.join("\n")).await;
    let (code, reason, acknowledged) = socket.closed().await;
    assert_eq!((code, reason.as_str()), (4001, "session limit of 2048 bytes reached"));
    let (_, stored) = collector.dump(&session).await;
    let kept = acknowledged.unwrap() as usize;
    assert_eq!(stored[..kept], lines[..kept]);
    assert_eq!(collector.session(&session).await["closeCode"], 4001);
    assert_eq!(refused(&collector, "session_too_long").await, 1.0);
}

#[tokio::test]
async fn too_many_sessions_are_asked_to_come_back() {
    let collector = Collector::start(&[("RTCTRACE_LIMITS_SESSIONS", "1")]);
    let (mut first, _) = collector.v1(&new_session(), 0).await;
    let mut second = collector.socket(&format!("/v1/ws?session={}&from=0", new_session()), V1).await;
    assert_eq!(second.closed().await.0, 1013);
    first.send(&lines(1)[0]).await;
    first.acknowledged(1).await;
    assert_eq!(refused(&collector, "too_many_sessions").await, 1.0);
}

#[tokio::test]
async fn a_session_that_is_too_fast_is_read_more_slowly_and_loses_nothing() {
    let collector = Collector::start(&[("RTCTRACE_LIMITS_LINES_PER_SECOND", "10")]);
    let (session, lines) = (new_session(), lines(120));
    let (mut socket, _) = collector.v1(&session, 0).await;
    let started = std::time::Instant::now();
    socket.send(lines.join("\n")).await;
    socket.acknowledged(120).await;
    socket.send("[36,null,null,1]").await;
    socket.acknowledged(121).await;
    assert!(started.elapsed().as_millis() >= 1_900, "20 lines too many are 2 s: {:?}", started.elapsed());
    assert!(collector.metric("rtctrace_slowed_total").await >= 1.0);
    assert_eq!(collector.dump(&session).await.1[..120], lines);
}

#[tokio::test]
async fn a_session_that_makes_the_collector_work_is_read_more_slowly() {
    let (_, recorded) = recording("loopback-av-60s.jsonl");
    for stats in ["true", "false"] {
        let collector = Collector::start(&[
            ("RTCTRACE_LIMITS_WORK_PER_SECOND", "1ms"),
            ("RTCTRACE_LIMITS_LINES_PER_SECOND", "1000000"),
            ("RTCTRACE_LIMITS_BYTES_PER_SECOND", "1GiB"),
            ("RTCTRACE_STATS_ENABLED", stats),
        ]);
        let (session, first) = (new_session(), &recorded[..recorded.len() - 1]);
        let (mut socket, _) = collector.v1(&session, 0).await;
        socket.send(first.join("\n")).await;
        socket.acknowledged(first.len()).await;
        // Ten times what it may take in a second is soon used up; then its socket is left unread.
        let mut sent = first.len() as u64;
        let reports: Vec<_> = first.iter().filter(|line| line.starts_with("[\"g\"")).map(String::as_str).collect();
        until("the session is slowed", async || {
            collector.session(&session).await;
            socket.send(reports.join("\n")).await;
            sent += reports.len() as u64;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            (collector.metric("rtctrace_slowed_total").await >= 1.0).then_some(())
        })
        .await;
        // What was not read its client still has.
        let (_again, received) = collector.v1(&session, 0).await;
        assert!((first.len() as u64..=sent).contains(&received), "{received} of {sent}");
    }
}

#[tokio::test]
async fn a_session_that_is_too_old_ends() {
    let collector = Collector::start(&[("RTCTRACE_LIMITS_SESSION_AGE", "300ms")]);
    let (session, lines) = (new_session(), lines(3));
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines[..2].join("\n")).await;
    socket.acknowledged(2).await;
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    socket.send(&lines[2]).await;
    assert_eq!(socket.closed().await.0, 4001);
    assert_eq!(collector.dump(&session).await.1[..2], lines[..2]);
    assert_eq!(collector.stored(&session).await["closeCode"], 4001);
    assert_eq!(refused(&collector, "session_too_old").await, 1.0);
}

#[tokio::test]
async fn a_client_that_believes_more_to_be_held_than_is_goes_on_and_is_told_of() {
    let collector = Collector::start(&[]);
    let (session, lines) = (new_session(), lines(2));
    let (mut socket, received) = collector.v1(&session, 7).await;
    assert_eq!(received, 0);
    socket.send(format!("{}\n[36,null,null,1]", lines.join("\n"))).await;
    socket.acknowledged(3).await;
    assert_eq!(collector.dump(&session).await.1[..2], lines);
    collector.v1(&new_session(), 0).await.0.close().await;
    assert_eq!(collector.metric("rtctrace_short_sessions_total").await, 1.0);
    let log = std::fs::read_to_string(collector.dir.path().join("log")).unwrap();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("lines are missing")).collect();
    assert!(told.len() == 1 && told[0].contains(&session) && told[0].contains("from=7 received=0"), "{told:?}");
}

#[test]
fn limits_that_would_refuse_everything_start_no_collector() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["LINE_BYTES", "FRAME_BYTES", "SESSION_BYTES", "BODY_BYTES", "SESSIONS"] {
        let variable = format!("RTCTRACE_LIMITS_{name}");
        let (success, _, errors) = run(dir.path(), &["serve", "--listen", "127.0.0.1:0"], &[(&variable, "0")]);
        let setting = format!("limits.{} is 0", name.to_ascii_lowercase());
        assert!(!success && errors.contains(&setting) && errors.contains("at least"), "{errors}");
    }
}

#[tokio::test]
async fn limits_as_large_as_can_be_start_a_collector() {
    let most = usize::MAX.to_string();
    let (count, time, size) = (most.as_str(), "100000000d", "8000000GiB");
    let collector = Collector::start(&[
        ("RTCTRACE_LIMITS_UPLOADS", count),
        ("RTCTRACE_LIMITS_SESSIONS", count),
        ("RTCTRACE_LIMITS_SESSIONS_PER_ADDRESS", count),
        ("RTCTRACE_LIMITS_SOCKETS", count),
        ("RTCTRACE_LIMITS_HEADER_TIME", time),
        ("RTCTRACE_LIMITS_IDLE_TIME", time),
        ("RTCTRACE_LIMITS_EXPORTS", count),
        ("RTCTRACE_LIMITS_QUERY_TIME", time),
        ("RTCTRACE_LIMITS_SESSION_AGE", time),
        ("RTCTRACE_LIMITS_SESSION_BYTES", size),
        ("RTCTRACE_LIMITS_UPLOAD_BYTES", size),
        ("RTCTRACE_SESSION_IDLE_TIMEOUT", time),
    ]);
    let (session, lines) = (new_session(), lines(2));
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(format!("{}\n[36,null,null,1]", lines.join("\n"))).await;
    socket.acknowledged(3).await;
    assert_eq!(collector.dump(&session).await.1[..2], lines);
    let dump = "RTCStatsDump\n{\"fileFormat\":3}\n[\"create\",null,{},1795159383861]\n";
    assert_eq!(collector.request("POST", "/api/v1/dumps", "", dump).await.status, 201);
    assert_eq!(collector.get("/api/v1/export/features/client").await.status, 200);
}

#[tokio::test]
async fn too_many_connections_are_asked_to_come_back() {
    let collector = Collector::start(&[("RTCTRACE_LIMITS_SOCKETS", "2")]);
    let (mut first, _) = collector.v1(&new_session(), 0).await;
    let (second, _) = collector.v1(&new_session(), 0).await;
    for _ in 0..3 {
        let answer = collector.get("/healthz").await;
        answer.problem(503, "too-many-connections");
        assert_eq!((answer.header("retry-after"), answer.header("connection")), ("10", "close"));
    }
    let Err(Error::Http(answer)) = Socket::open(&collector.address, "/v1/ws", V1).await else { panic!("it is full") };
    assert_eq!(answer.status(), 503);
    first.send(&lines(1)[0]).await;
    first.acknowledged(1).await;
    second.close().await;
    until("there is a place again", async || (collector.get("/healthz").await.status == 200).then_some(())).await;
    // So may the next request be, once more.
    until("they are counted", async || (refused(&collector, "too_many_connections").await >= 4.0).then_some(())).await;
}
