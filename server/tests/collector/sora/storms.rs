//! More than there is room for: who is past a limit is asked to come back, the next good one is taken, and what was answered 204 is stored
//! once.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{JSON, Link, base32, body, counting, notice, numbers, session_of, start};
use crate::support::*;

const STATS: &str = "/sora/webhook/stats";
const SOON_OVER: (&str, &str) = ("RTCTRACE_SORA_IDLE_TIMEOUT", "2s");

/// A push that has its place and is not over: its last byte is still to come.
struct Unfinished {
    stream: TcpStream,
    last: u8,
}

impl Unfinished {
    async fn begin(collector: &Collector, push: &Value) -> Self {
        let text = push.to_string().into_bytes();
        let mut stream = TcpStream::connect(&collector.sora).await.unwrap();
        let head = format!(
            "POST {STATS} HTTP/1.1\r\nHost: sora.test\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            text.len()
        );
        let (last, text) = text.split_last().unwrap();
        stream.write_all(&[head.as_bytes(), text].concat()).await.unwrap();
        Self { stream, last: *last }
    }

    /// Ends it, and says what it is answered.
    async fn end(mut self) -> String {
        self.stream.write_all(&[self.last]).await.unwrap();
        let mut heard = vec![0; 1024];
        let length = self.stream.read(&mut heard).await.unwrap();
        heard.truncate(length);
        String::from_utf8(heard).unwrap()
    }
}

/// What comes back when it is refused, unless it gives up. Says whether it was taken, and how often it was not.
async fn come_again(link: Link, push: Value, wanted: &'static str, gives_up: bool) -> (bool, u32) {
    let text = push.to_string();
    for refused in 0..1000 {
        let answer = link.post(STATS, &[JSON], text.clone()).await.unwrap();
        if answer.status == 204 {
            return (true, refused);
        }
        let detail = answer.problem(503, "too-many-requests");
        assert!(detail.contains(wanted), "{detail}");
        assert_eq!(answer.header("retry-after"), "1");
        if gives_up {
            return (false, refused + 1);
        }
        // Sooner than it is told to, and not with all others.
        let spread = text.len() as u64 + u64::from(refused) * 37;
        tokio::time::sleep(Duration::from_millis(30 * u64::from(refused + 1).min(10) + spread % 50)).await;
    }
    panic!("there is never room");
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_past_the_room_for_them_are_refused_and_those_that_were_taken_are_stored_once() {
    // Two of three places are taken for as long as nothing was refused.
    for (setting, value, named) in [
        ("RTCTRACE_SORA_REQUESTS", "3", "sora.requests"),
        ("RTCTRACE_SORA_REQUEST_BYTES", "3KiB", "sora.request_bytes"),
    ] {
        let collector = start(&[(setting, value), ("RTCTRACE_SORA_BODY_BYTES", "1KiB"), SOON_OVER]);
        let mut taken = Vec::new();
        for name in ["SLOW1", "SLOW2"] {
            taken.push(Unfinished::begin(&collector, &body(&base32(name), 0, &counting(0))).await);
        }
        until("two have their places", async || {
            (collector.metric("rtctrace_sora_requests").await >= 2.0).then_some(())
        })
        .await;
        let mut links = Vec::new();
        for _ in 0..4 {
            links.push(Link::http2(&collector).await);
        }
        let mut tasks = Vec::new();
        for number in 0..20 {
            for connection in 0..8 {
                let push = body(&base32(&format!("ST{connection}")), number * 1000, &counting(number));
                let link = links[(number as usize + connection) % links.len()].clone();
                let coming = come_again(link, push, named, number % 5 == 4);
                tasks.push((connection, number, tokio::spawn(coming)));
            }
        }
        let of_requests = "rtctrace_refused_total{reason=\"too_many_requests\"}";
        until("many are refused", async || (collector.metric(of_requests).await >= 20.0).then_some(())).await;
        assert_eq!(links[0].get("/.ok").await.status, 204, "health needs no room");
        for one in taken {
            let heard = one.end().await;
            assert!(heard.starts_with("HTTP/1.1 204 "), "{heard}");
        }
        let (mut answered, mut refusals) = (BTreeMap::<_, Vec<i64>>::new(), 0);
        for (connection, number, task) in tasks {
            let (was_taken, refused) = task.await.unwrap();
            refusals += refused;
            if was_taken {
                answered.entry(connection).or_default().push(number);
            }
        }
        let count = answered.values().map(Vec::len).sum::<usize>();
        assert!((8 * 16..=8 * 20).contains(&count), "{count}");
        assert_eq!(collector.metric(of_requests).await, f64::from(refusals));
        assert_eq!(collector.metric("rtctrace_sora_answers_total{status=\"503\"}").await, f64::from(refusals));
        assert_eq!(collector.metric("rtctrace_sora_answers_total{status=\"204\"}").await, count as f64 + 2.0);
        for gauge in ["rtctrace_sora_requests", "rtctrace_sora_request_bytes"] {
            assert_eq!(collector.metric(gauge).await, 0.0, "{gauge}");
        }
        for (connection, said) in answered {
            let id = session_of(&collector, &base32(&format!("ST{connection}"))).await;
            assert_eq!(numbers(&collector.dump(&id).await.1), said);
        }
        assert_eq!(collector.sessions().await.len(), 10);
    }
}

#[tokio::test]
async fn connections_past_the_limit_of_sessions_are_asked_to_come_back() {
    let collector = start(&[("RTCTRACE_LIMITS_SESSIONS", "2")]);
    let link = Link::http2(&collector).await;
    let [first, second, third] = ["M1", "M2", "M3"].map(base32);
    for connection in [&first, &second] {
        assert_eq!(link.push(&body(connection, 0, &counting(0))).await, 204);
    }
    for number in 0..20 {
        let push = body(&third, number * 1000, &counting(number)).to_string();
        let answer = link.post(STATS, &[JSON], push).await.unwrap();
        answer.problem(503, "too-many-sessions");
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert_eq!(link.push(&body(&second, 1000, &counting(1))).await, 204, "those that run go on");
    link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&first))).await;
    until("there is a place", async || (link.push(&body(&third, 20_000, &counting(20))).await == 204).then_some(()))
        .await;
    for connection in [&second, &third] {
        link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(connection))).await;
    }
    for (connection, said) in [(first, vec![0]), (second, vec![0, 1]), (third, vec![20])] {
        let id = session_of(&collector, &connection).await;
        assert_eq!(numbers(&collector.dump(&id).await.1), said, "{connection}");
    }
    assert_eq!(collector.metric("rtctrace_sessions_live").await, 0.0);
}

#[tokio::test]
async fn a_full_spool_takes_no_push_until_dumps_are_stored() {
    let collector = start(&[("RTCTRACE_SPOOL_MAX_BYTES", "32KiB")]);
    let dumps = collector.dir.path().join("dumps");
    std::fs::remove_dir(&dumps).unwrap();
    std::fs::write(&dumps, "no folder").unwrap();
    let link = Link::http2(&collector).await;
    let [large, other] = ["N1", "N2"].map(base32);
    let push = |connection: &str, number: i64| {
        let mut stats = counting(number);
        stats[0]["note"] = json!(format!("{number} {}", "x".repeat(3000)));
        body(connection, number * 1000, &stats)
    };
    let mut said = Vec::new();
    while link.push(&push(&large, said.len() as i64)).await == 204 {
        said.push(said.len() as i64);
        assert!(said.len() < 20, "the spool takes all");
    }
    for connection in [&large, &other] {
        let answer = link.post(STATS, &[JSON], push(connection, 99).to_string()).await.unwrap();
        answer.problem(503, "spool-full");
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert_eq!(link.get("/.ok").await.status, 503);
    // It could never end else.
    link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&large))).await;
    let id = session_of(&collector, &large).await;
    until("it is over", async || (collector.session(&id).await["state"] == "ended").then_some(())).await;
    assert_eq!(link.push(&push(&other, 0)).await, 503);
    std::fs::remove_file(&dumps).unwrap();
    assert_eq!(numbers(&collector.dump(&id).await.1), said);
    until("there is room again", async || (link.push(&push(&other, 1)).await == 204).then_some(())).await;
    assert_eq!(link.get("/.ok").await.status, 204);
    link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&other))).await;
    assert_eq!(numbers(&collector.dump(&session_of(&collector, &other).await).await.1), [1]);
}

#[tokio::test]
async fn the_work_of_who_does_not_wait_for_his_answer_keeps_its_place() {
    use sqlx::{Connection as _, Executor as _};
    // That a statement waits for a lock is PostgreSQL's.
    if !crate::ON_POSTGRES {
        return;
    }
    let collector = start(&[("RTCTRACE_SORA_REQUESTS", "1"), SOON_OVER]);
    let url = &collector.server.as_ref().unwrap().url;
    let mut database = sqlx::postgres::PgConnection::connect(url).await.unwrap();
    database.execute("BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let link = Link::http2(&collector).await;
    let push = body(&base32("Q1"), 0, &counting(0)).to_string();
    let asking = link.post(STATS, &[JSON], push);
    assert!(tokio::time::timeout(Duration::from_secs(1), asking).await.is_err(), "it waits for the table");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let answer = link.post(STATS, &[JSON], body(&base32("Q2"), 0, &counting(0)).to_string()).await.unwrap();
    answer.problem(503, "too-many-requests");
    assert_eq!(collector.metric("rtctrace_sora_requests").await, 1.0);
    database.execute("ROLLBACK").await.unwrap();
    until("there is room again", async || {
        (link.push(&body(&base32("Q2"), 1000, &counting(1))).await == 204).then_some(())
    })
    .await;
    for (connection, number) in [("Q1", 0), ("Q2", 1)] {
        let id = session_of(&collector, &base32(connection)).await;
        assert_eq!(numbers(&collector.dump(&id).await.1), [number]);
    }
}

#[tokio::test]
async fn a_connection_that_is_too_fast_is_asked_to_wait_and_what_was_taken_is_stored() {
    let collector = start(&[("RTCTRACE_LIMITS_LINES_PER_SECOND", "2"), ("RTCTRACE_SORA_IDLE_TIMEOUT", "1s")]);
    let link = Link::http2(&collector).await;
    let (storm, calm) = (base32("H1"), base32("H2"));
    let mut taken = Vec::new();
    for number in 0..60 {
        let push = body(&storm, number * 1000, &counting(number)).to_string();
        let answer = link.post("/sora/webhook/stats", &[JSON], push).await.unwrap();
        if answer.status == 204 {
            taken.push(number);
        } else {
            answer.problem(503, "too-fast");
            assert!((1..=30).contains(&answer.header("retry-after").parse::<u64>().unwrap()));
        }
        if number % 20 == 0 {
            assert_eq!(link.push(&body(&calm, number * 1000, &counting(number))).await, 204, "others do not wait");
        }
    }
    assert!((20..40).contains(&taken.len()), "{}", taken.len());
    let (_, lines) = collector.dump(&session_of(&collector, &storm).await).await;
    assert_eq!(numbers(&lines), taken);
}
