//! The HTTP surface.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::support::*;

#[tokio::test]
async fn a_session_is_in_the_list_as_soon_as_its_first_line_is_there() {
    let collector = Collector::start(&[]);
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    assert!(collector.sessions().await.is_empty());
    let sent = Instant::now();
    socket.send(&lines(1)[0]).await;
    let listed = until("it is listed", async || collector.sessions().await.pop()).await;
    // A moment; this machine may be busy.
    assert!(sent.elapsed() < Duration::from_secs(4), "{:?}", sent.elapsed());
    assert_eq!(listed["id"], session);
    assert_eq!(
        (&listed["state"], &listed["lines"], &listed["endTime"]),
        (&"live".into(), &1.into(), &serde_json::Value::Null)
    );
    assert_eq!(listed["browser"]["name"], "Firefox");
    assert_eq!(listed["source"], "browser");

    let live = collector.get(&format!("/api/v1/sessions/{session}/dump")).await;
    assert_eq!((live.status, live.header("content-type")), (200, "application/x-ndjson"));
    assert_eq!(split_dump(&live.text()).1, lines(1));
    socket.send("[36,null,null,1500]").await;
    socket.acknowledged(2).await;
    let ended = collector.stored(&session).await;
    assert_eq!((&ended["state"], &ended["duration"]), (&"ended".into(), &1500.into()));
    assert!(ended["startTime"].as_str().unwrap() <= ended["endTime"].as_str().unwrap());
    let stored = collector.get(&format!("/api/v1/sessions/{session}/dump")).await;
    assert_eq!(stored.body.len() as u64, ended["dumpBytes"].as_u64().unwrap());
    assert_eq!(stored.header("content-disposition"), format!("attachment; filename=\"{session}.jsonl.gz\""));
    let day = ended["startTime"].as_str().unwrap()[..10].replace('-', "/");
    assert!(collector.dir.path().join(format!("dumps/{day}/{session}.jsonl.gz")).exists());
}

#[tokio::test]
async fn the_list_is_paged() {
    let collector = Collector::start(&[]);
    for _ in 0..5 {
        let (mut socket, _) = collector.v1(&new_session(), 0).await;
        socket.send(&lines(1)[0]).await;
        socket.acknowledged(1).await;
    }
    until("all are listed", async || (collector.sessions().await.len() == 5).then_some(())).await;
    let (mut seen, mut path) = (Vec::new(), "/api/v1/sessions?limit=2".to_owned());
    loop {
        let page = collector.get(&path).await.json();
        seen.extend(page["sessions"].as_array().unwrap().iter().map(|session| session["startTime"].to_string()));
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        path = format!("/api/v1/sessions?limit=2&cursor={cursor}");
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by(|newer, older| newer >= older), "{seen:?}");
    let ids: HashSet<String> = collector.sessions().await.iter().map(|session| session["id"].to_string()).collect();
    assert_eq!(ids.len(), 5);

    for query in ["limit=0", "limit=many", "limit=501", "cursor=here"] {
        collector.get(&format!("/api/v1/sessions?{query}")).await.problem(400, "bad-parameter");
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_document() {
    let collector = Collector::start(&[]);
    for path in
        ["/api/v1/nothing", "/api", "/api/", "/nowhere", "/demo/rtctrace/../../secret", "/api/v1/sessions/x/y/z"]
    {
        let detail = collector.get(path).await.problem(404, "unknown-path");
        assert!(detail.contains(path), "{detail}");
    }
    assert_eq!(collector.metric("rtctrace_refused_total{reason=\"unknown_path\"}").await, 6.0);
    for id in ["x", "..%2f..%2fetc%2fpasswd", "0190163d86947 39b", "%ff"] {
        let answer = collector.get(&format!("/api/v1/sessions/{}", id.replace(' ', ""))).await;
        answer.problem(400, "bad-session-id");
    }
    for path in ["", "/dump"] {
        let answer = collector.get(&format!("/api/v1/sessions/{}{path}", new_session())).await;
        answer.problem(404, "unknown-session");
    }
    let answer = collector.request("PUT", "/api/v1/sessions", "", "").await;
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD,DELETE");
}

#[tokio::test]
async fn answers_carry_security_headers() {
    let collector = Collector::start(&[]);
    for path in ["/", "/healthz", "/api/v1/sessions", "/nowhere"] {
        let answer = collector.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(answer.header("content-security-policy").contains("script-src 'self' 'wasm-unsafe-eval'"), "{path}");
    }
    assert_eq!(collector.get("/healthz").await.text(), "ok\n");
}

#[tokio::test]
async fn http2_is_spoken_without_tls() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let collector = Collector::start(&[]);
    let mut stream = tokio::net::TcpStream::connect(&collector.address).await.unwrap();
    // The preface and an empty SETTINGS frame (RFC 9113, section 3.4); the answer begins with a SETTINGS frame.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], 4);
}

#[tokio::test]
async fn settings_are_printed_and_wrong_ones_named() {
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let dir = tempfile::tempdir().unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_rtctrace"))
            .args(arguments)
            .envs(variables.iter().copied())
            .current_dir(dir.path())
            .output()
            .unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (success, text) = run(&["config", "--listen", "127.0.0.1:1"], &[("RTCTRACE_SESSION_RESUME_GRACE", "2s")]);
    assert!(success && text.contains("listen = \"127.0.0.1:1\"") && text.contains("resume_grace = \"2s\""), "{text}");
    let (success, text) = run(&["config"], &[("RTCTRACE_SESSION_RESUME_GRACEE", "2s")]);
    assert!(!success && text.contains("did you mean `RTCTRACE_SESSION_RESUME_GRACE`"), "{text}");
    let (success, text) =
        run(&["serve"], &[("RTCTRACE_DATABASE_URL", "mysql://x/y"), ("RTCTRACE_LISTEN", "127.0.0.1:0")]);
    assert!(!success && text.contains("unknown scheme `mysql`"), "{text}");
}

#[tokio::test]
async fn metrics_have_their_series_before_anything_happens() {
    let collector = Collector::start(&[]);
    let metrics = collector.get("/metrics").await.text();
    for series in [
        "rtctrace_stats_rows_lost_total 0",
        "rtctrace_stats_behind_total 0",
        "rtctrace_stats_rows_total{table=\"stats_inbound_rtp\"} 0",
        "rtctrace_store_failures_total{store=\"database\"} 0",
        "rtctrace_store_up{store=\"objects\"} 1",
        "rtctrace_bad_lines_total{reason=\"not_json\"} 0",
        "rtctrace_lines_total{dialect=\"rtctrace.v1\"} 0",
        "rtctrace_sessions_total{dialect=\"rtctrace.v1\"} 0",
        "rtctrace_sessions_recovered_total 0",
        "rtctrace_sessions_removed_total{reason=\"retention\"} 0",
        "rtctrace_spool_torn_tails_total 0",
    ] {
        assert!(metrics.lines().any(|line| line == series), "{series} is not in\n{metrics}");
    }
}
