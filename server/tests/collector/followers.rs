//! Answers that go on: what becomes of sessions, and the lines of one that runs.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::*;

/// An answer that is read as it comes. By HTTP/1.0 its body ends with the connection.
struct Stream {
    stream: TcpStream,
    read: String,
    /// What of it a test has seen.
    seen: usize,
}

impl Stream {
    async fn open(collector: &Collector, path: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(&collector.address).await.unwrap();
        let head = format!("GET {path} HTTP/1.0\r\nHost: test\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut stream = Self { stream, read: String::new(), seen: 0 };
        stream.find("\r\n\r\n").await;
        stream
    }

    /// Reads until this comes, and gives what came before it.
    async fn find(&mut self, what: &str) -> String {
        loop {
            if let Some(at) = self.read[self.seen..].find(what) {
                let before = self.read[self.seen..self.seen + at].to_owned();
                self.seen += at + what.len();
                return before;
            }
            assert!(self.more().await, "`{what}` does not come: {}", self.read);
        }
    }

    async fn more(&mut self) -> bool {
        let mut bytes = [0; 4096];
        let read = tokio::time::timeout(Duration::from_secs(30), self.stream.read(&mut bytes));
        let count = read.await.expect("something comes in time").unwrap_or(0);
        self.read.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        count > 0
    }

    /// All that is left until it ends.
    async fn rest(&mut self) -> String {
        while self.more().await {}
        self.read[self.seen..].to_owned()
    }

    /// The next events, until one says this of a session.
    async fn event(&mut self, what: &str, session: &str) -> Value {
        loop {
            self.find("event: sessions\ndata: ").await;
            let changes: Value = serde_json::from_str(&self.find("\n").await).unwrap();
            let named = |entry: &&Value| entry.as_str().or_else(|| entry["id"].as_str()) == Some(session);
            if let Some(entry) = changes[what].as_array().into_iter().flatten().find(named) {
                return entry.clone();
            }
        }
    }
}

async fn events(collector: &Collector) -> Stream {
    let mut stream = Stream::open(collector, "/api/v1/sessions/events", "").await;
    assert!(stream.read.contains("text/event-stream"), "{}", stream.read);
    // Once for himself, and once because he is the first who listens.
    stream.find("event: refresh\n").await;
    stream.find("event: refresh\n").await;
    stream
}

#[tokio::test]
async fn what_becomes_of_a_session_is_told_to_who_listens() {
    let mut collector = Collector::start(&[("RTCTRACE_SHUTDOWN_DEADLINE", "60s")]);
    let mut stream = events(&collector).await;
    let lines = whole_recording();
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines[..20].join("\n")).await;
    stream.event("began", &session).await;
    assert_eq!(collector.sessions().await[0]["id"], session.as_str(), "it is in the list by then");
    socket.send(lines[20..40].join("\n")).await;
    while stream.event("progress", &session).await["lines"] != 40 {}
    socket.send(lines[40..].join("\n")).await;
    stream.event("stored", &session).await;
    assert_eq!(collector.session(&session).await["state"], "ended");
    collector.request("DELETE", &format!("/api/v1/sessions/{session}"), "", "").await;
    stream.find("event: refresh\n").await;

    // Who listens holds up no stop.
    let other = new_session();
    let (mut socket, _) = collector.v1(&other, 0).await;
    socket.send(lines[..20].join("\n")).await;
    socket.acknowledged(20).await;
    let mut followed = Stream::open(&collector, &format!("/api/v1/sessions/{other}/lines"), "").await;
    followed.find(&lines[19]).await;
    assert!(collector.stop() < Duration::from_secs(30));
    stream.rest().await;
    assert_eq!(followed.rest().await, "\n");
}

#[tokio::test]
async fn of_sessions_of_others_is_told_when_they_begin_and_when_they_are_over() {
    let (first, second, _dumps) = crate::ends::two(&[]);
    let mut stream = events(&first).await;
    let lines = whole_recording();
    let session = new_session();
    let (mut socket, _) = second.v1(&session, 0).await;
    socket.send(lines[..20].join("\n")).await;
    stream.event("began", &session).await;
    let there = first.get(&format!("/api/v1/sessions/{session}/lines")).await;
    assert!(there.problem(409, "session-running").contains("another collector"));
    socket.send(lines[20..].join("\n")).await;
    stream.event("stored", &session).await;
}

#[tokio::test]
async fn a_session_is_followed_line_by_line_to_its_end() {
    let mut collector = Collector::start(&[]);
    let lines = whole_recording();
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines[..20].join("\n")).await;
    socket.acknowledged(20).await;
    let path = format!("/api/v1/sessions/{session}/lines");
    let known = collector.get(&format!("/api/v1/sessions/{session}/dump")).await.text();
    let mut whole = Stream::open(&collector, &path, "").await;
    let mut behind = Stream::open(&collector, &format!("{path}?from={}", known.len() - 5), "").await;
    whole.find(&format!("{}\n", lines[19])).await;
    behind.find("\n").await;
    for line in &lines[20..25] {
        socket.send(line.clone()).await;
        for stream in [&mut whole, &mut behind] {
            assert_eq!(stream.find("\n").await, *line);
        }
    }
    let beyond = collector.get(&format!("{path}?from=100000000")).await;
    assert!(beyond.problem(400, "bad-parameter").contains("bytes"));
    assert_eq!(collector.get(&format!("/api/v1/sessions/{}/lines", new_session())).await.status, 404);

    socket.send(lines[25..].join("\n")).await;
    let rest = behind.rest().await;
    assert_eq!(rest.lines().collect::<Vec<_>>(), lines[25..]);
    assert_eq!(whole.rest().await, rest);
    collector.stored(&session).await;
    assert!(collector.get(&path).await.problem(409, "session-ended").contains("dump"));
    collector.stop();
}

#[tokio::test]
async fn as_many_follow_as_may_and_none_without_a_token() {
    let dir = tempfile::tempdir().unwrap();
    let of = |name: &str, scope: &str| {
        let (success, token, _) = run(dir.path(), &["token", "api", "--name", name, "--scope", scope], &[]);
        assert!(success);
        format!("Authorization: Bearer {}\r\n", token.trim())
    };
    let (reads, uploads) = (of("reads", "read"), of("uploads", "upload"));
    let mut collector = Collector::start_in(dir, &[("RTCTRACE_LIMITS_FOLLOWERS", "1")]);
    let path = "/api/v1/sessions/events";
    assert_eq!(collector.get(path).await.status, 401);
    assert_eq!(collector.request("GET", path, &uploads, "").await.status, 403);
    let mut first = Stream::open(&collector, path, &reads).await;
    first.find("refresh").await;
    let second = collector.request("GET", path, &reads, "").await;
    second.problem(503, "too-many-followers");
    assert_eq!(second.header("retry-after"), "30");

    // A token that is withdrawn is none to go on with.
    let tokens = collector.dir.path().join("api-tokens");
    let kept: String = std::fs::read_to_string(&tokens)
        .unwrap()
        .lines()
        .filter(|line| !line.contains("reads"))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&tokens, kept).unwrap();
    first.rest().await;
    collector.stop();
}
