//! The collector dies under pushes, or its disk is full: what was answered 204 is in the dump once, and by its time.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::{JSON, Link, base32, body, counting, notice, numbers, rows, session_of, start, times};
use crate::support::*;

const STATS: &str = "/sora/webhook/stats";

/// A report that takes some bytes.
fn long(number: i64, bytes: usize) -> Value {
    let mut stats = counting(number);
    stats[0]["note"] = json!(format!("{number} {}", "x".repeat(bytes)));
    stats
}

/// One of Sora's connections: says all its numbers, each until it is answered 204, over whatever collector is there. Two of three come late, and some are
/// said twice.
async fn say(connection: String, mut links: watch::Receiver<Vec<Link>>, count: i64) {
    for at in 0..count {
        let number = at / 3 * 3 + 2 - at % 3;
        let push = body(&connection, number * 1000, &counting(number)).to_string();
        let mut left = if at % 7 == 0 { 2 } else { 1 };
        while left > 0 {
            let link = {
                let links = links.borrow_and_update();
                links[(at as usize + left) % links.len()].clone()
            };
            match link.post(STATS, &[JSON], push.clone()).await {
                Some(answer) if answer.status == 204 => left -= 1,
                Some(answer) => {
                    assert_eq!(answer.status, 503, "{}", answer.text());
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                // It is dead.
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        tokio::time::sleep(Duration::from_millis(at as u64 % 8)).await;
    }
}

async fn links_to(collector: &Collector) -> Vec<Link> {
    let mut links = Vec::new();
    for _ in 0..3 {
        links.push(Link::http2(collector).await);
    }
    links
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_crashes_under_load_is_there_once_and_by_its_time() {
    let (connections, count) = (8, 150);
    let mut collector = start(&[("RTCTRACE_SPOOL_DURABILITY", "process"), ("RTCTRACE_SPOOL_PART_BYTES", "4KiB")]);
    let (new, links) = watch::channel(links_to(&collector).await);
    let names: Vec<String> = (0..connections).map(|number| base32(&format!("C{number}"))).collect();
    let tasks: Vec<_> = names.iter().map(|name| tokio::spawn(say(name.clone(), links.clone(), count))).collect();
    for fall in 0_u32..5 {
        let stored = "rtctrace_lines_total{dialect=\"sora\"}";
        let moment = f64::from(20 + std::process::id().wrapping_mul(fall + 1) % 60);
        until("some are answered", async || (collector.metric(stored).await >= moment).then_some(())).await;
        collector.crash();
        let durability = if fall % 2 == 0 { "power" } else { "process" };
        collector.set("RTCTRACE_SPOOL_DURABILITY", durability);
        collector.restart();
        new.send_replace(links_to(&collector).await);
    }
    for task in tasks {
        task.await.unwrap();
    }
    let link = Link::http2(&collector).await;
    link.tell("/sora/webhook/session", &notice("session.destroyed", None)).await;
    for name in &names {
        let (_, lines) = collector.dump(&session_of(&collector, name).await).await;
        assert_eq!(numbers(&lines), (0..count).collect::<Vec<_>>(), "{name}");
        assert!(times(&lines).is_sorted(), "{lines:?}");
    }
    assert_eq!(collector.sessions().await.len(), connections);
    let every_row: Vec<i64> = (0..count).flat_map(|number| vec![number; connections]).collect();
    assert_eq!(rows(&collector).await, every_row);
}

/// The files of the spool whose names have an end.
fn files(dir: &Path, end: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join("spool")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.to_string_lossy().ends_with(end)).collect()
}

/// Says 150 long pushes of a connection, nearly all of them late.
async fn say_unordered(collector: &Collector, connection: &str) {
    let link = Link::http2(collector).await;
    for number in (0..150).rev() {
        assert_eq!(link.push(&body(connection, number * 100, &long(number, 4000))).await, 204);
    }
}

/// Says that it is over.
async fn end(collector: &Collector, connection: &str) {
    let link = Link::http2(collector).await;
    link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(connection))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_while_lines_are_put_in_order_costs_nothing() {
    let mut collector = start(&[("RTCTRACE_SPOOL_PART_BYTES", "64KiB"), ("RTCTRACE_LIMITS_RATE", "off")]);
    let connection = base32("R1");
    say_unordered(&collector, &connection).await;
    let id = session_of(&collector, &connection).await;
    end(&collector, &connection).await;
    let mut crashes = 0;
    for step in ["late.part", "ordered.part", "ordered.part"] {
        let deadline = Instant::now() + Duration::from_secs(30);
        while files(collector.dir.path(), step).is_empty() && collector.spool(&id).exists() {
            assert!(Instant::now() < deadline, "{step}: nothing is put in order");
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        // After a start it may be done before anybody looks.
        if collector.spool(&id).exists() {
            collector.crash();
            crashes += 1;
            collector.restart();
        }
    }
    assert!(crashes > 0);
    let (_, lines) = collector.dump(&id).await;
    assert_eq!(numbers(&lines), (0..150).collect::<Vec<_>>());
    assert!(times(&lines).is_sorted());
    let session = collector.session(&id).await;
    assert_eq!((&session["lines"], &session["closeCode"]), (&json!(153), &json!(1000)));
    until("the spool is empty", async || files(collector.dir.path(), "").is_empty().then_some(())).await;
    assert_eq!(rows(&collector).await, (0..150).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_a_crash_leaves_of_the_unordered_text_behind_the_ordered_one_is_known() {
    let settings = [("RTCTRACE_SPOOL_PART_BYTES", "16KiB"), ("RTCTRACE_LIMITS_RATE", "off")];
    let mut collector = start(&settings);
    let connection = base32("R2");
    say_unordered(&collector, &connection).await;
    let id = session_of(&collector, &connection).await;
    collector.crash();
    let before = collector.spool(&id);
    let parts = (1..).map(|number| before.with_extension(format!("jsonl.{number}"))).take_while(|part| part.exists());
    let mut parts: Vec<String> = parts.map(|part| std::fs::read_to_string(part).unwrap()).collect();
    assert!(parts.len() > 10, "{} parts", parts.len());
    // As it was when it was put in order: over.
    parts.last_mut().unwrap().push_str("[\"close\",null,1000,2000]\n");
    collector.restart();
    end(&collector, &connection).await;
    let (_, whole) = collector.dump(&id).await;
    let ordered = collector.get(&format!("/api/v1/sessions/{id}/dump")).await.body;
    let ordered = gunzip(ordered.as_slice());

    // How far the removal had come: nowhere, half way, to the last.
    for left in [parts.len(), parts.len() / 2, 1] {
        let dir = tempfile::tempdir().unwrap();
        let spool = dir.path().join("spool");
        std::fs::create_dir(&spool).unwrap();
        std::fs::write(spool.join(format!("{id}.jsonl")), &ordered).unwrap();
        for (number, part) in parts.iter().take(left).enumerate() {
            std::fs::write(spool.join(format!("{id}.jsonl.{}", number + 1)), part).unwrap();
        }
        let collector = Collector::start_in(dir, &[&settings[..], &[("RTCTRACE_SORA_LISTEN", "127.0.0.1:0")]].concat());
        let (_, lines) = collector.dump(&id).await;
        assert!(lines == whole, "{left} parts are left: {} lines of {}", lines.len(), whole.len());
        until("the spool is empty", async || files(collector.dir.path(), "").is_empty().then_some(())).await;
        assert_eq!(collector.session(&id).await["lines"], whole.len());
        assert_eq!(rows(&collector).await, (0..150).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn on_a_full_disk_pushes_are_refused_and_go_on_when_there_is_space() {
    let dir = tempfile::tempdir().unwrap();
    let spool = dir.path().join("spool");
    let Some(_mount) = Mount::tmpfs(&spool, "4m") else { return };
    let ballast = spool.join("ballast");
    std::fs::write(&ballast, vec![0; 7 << 19]).unwrap();
    let listen = ("RTCTRACE_SORA_LISTEN", "127.0.0.1:0");
    let mut collector = Collector::start_in(dir, &[listen, ("RTCTRACE_LIMITS_RATE", "off")]);
    let links = links_to(&collector).await;
    let [full, new] = ["W1", "W2"].map(base32);
    let push = |connection: &str, number: i64| body(connection, number * 1000, &long(number, 20_000));
    let mut said = Vec::new();
    let refused = loop {
        let number = said.len() as i64;
        let answer = links[said.len() % 3].post(STATS, &[JSON], push(&full, number).to_string()).await.unwrap();
        if answer.status != 204 {
            break answer;
        }
        said.push(number);
        assert!(said.len() < 40, "the disk takes all");
    };
    refused.problem(503, "overloaded");
    assert_eq!(refused.header("retry-after"), "1");
    assert!(said.len() > 5, "{said:?}");
    // Whatever comes now: what was refused, what was not said yet, and a connection that is new.
    let next = said.len() as i64;
    for link in &links {
        for (connection, number) in [(&full, next), (&full, next + 1), (&new, 0)] {
            assert_eq!(link.push(&push(connection, number)).await, 503);
        }
        // What it has is answered as before.
        assert_eq!(link.get("/.ok").await.status, 503);
    }
    assert!(collector.metric("rtctrace_store_failures_total{store=\"spool\"}").await >= 3.0);
    let held = std::fs::read_to_string(collector.spool(&session_of(&collector, &full).await)).unwrap();
    assert_eq!(numbers(&split_dump(&held).1), said);

    // A crash forgets what it could not write, and nothing else.
    collector.crash();
    std::fs::remove_file(&ballast).unwrap();
    collector.restart();
    let links = links_to(&collector).await;
    for (connection, number) in [(&full, next + 1), (&full, next), (&new, 0), (&full, 2)] {
        assert_eq!(links[0].push(&push(connection, number)).await, 204);
    }
    std::fs::write(&ballast, vec![0; 3 << 20]).unwrap();
    let mut more = next + 2;
    while links[1].push(&push(&new, more)).await == 204 {
        more += 1;
        assert!(more < next + 60, "the disk takes all");
    }
    std::fs::remove_file(&ballast).unwrap();
    // It goes on without a start, too.
    until("the disk takes some", async || (links[1].push(&push(&new, more)).await == 204).then_some(())).await;
    assert_eq!(links[2].get("/.ok").await.status, 204);
    links[2].tell("/sora/webhook/session", &notice("session.destroyed", None)).await;
    said.extend([next, next + 1]);
    for (connection, said) in [(full, said), (new, std::iter::once(0).chain(next + 2..=more).collect())] {
        let id = session_of(&collector, &connection).await;
        let (_, lines) = collector.dump(&id).await;
        assert_eq!(numbers(&lines), said, "{connection}");
        assert!(times(&lines).is_sorted());
    }
}
