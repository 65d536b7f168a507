//! The writer of rows under load: nothing piles up, and afterwards nothing is missing, even where the server was away meanwhile. `make
//! soak-writer` does it for minutes.

// The table is what it is for.
#![allow(clippy::print_stdout)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant, UNIX_EPOCH};

use rtctrace_protocol::event::SessionDecoder;
use serde_json::{Map, Value, json};

use crate::postgres::Server;
use crate::support::*;

/// Entries of a report.
const ENTRIES: usize = 26;
/// Reports that a session sends before it begins again with the first of them.
const ROUND: usize = 60;

/// What is done to a writer.
struct Load {
    sessions: usize,
    /// Reports of each session, one per second.
    reports: usize,
    /// When the server stops, and for how long.
    outage: Option<(Duration, Duration)>,
    /// How often it is looked at.
    every: Duration,
}

/// What was seen at a time.
struct Sample {
    at: Duration,
    rows: f64,
    bytes: f64,
    oldest: f64,
    resident: f64,
    written: f64,
}

/// A dump whose reports have 26 entries, each another one in every report: a recorded call with two further streams. As in Chromium, what the far end
/// says of a stream changes while its own time stands still.
fn recording() -> String {
    let (_, lines) = crate::support::recording("loopback-av-60s.jsonl");
    let mut decoder = SessionDecoder::new();
    let (mut entries, mut deltas) = (Map::new(), Vec::new());
    for line in &lines {
        let event = decoder.decode(line).unwrap();
        let (Some(report), Some("PC_0")) = (event.value.report(), event.connection.as_deref()) else { continue };
        let delta: Value = serde_json::from_str(line).unwrap();
        deltas.push(delta[2].as_object().unwrap().clone());
        let mut text = String::new();
        report.write_json(&mut text);
        entries = serde_json::from_str(&text).unwrap();
    }
    let streams: Vec<_> = entries.values().filter(|entry| entry["type"] == "inbound-rtp").cloned().collect();
    for (number, stream) in streams.iter().cycle().take(ENTRIES.checked_sub(entries.len()).unwrap()).enumerate() {
        entries.insert(format!("9{number}"), stream.clone());
    }
    for entry in entries.values_mut() {
        entry.as_object_mut().unwrap().retain(|name, _| name != "id" && name != "timestamp");
    }
    let far: Vec<_> = entries.values_mut().filter(|entry| entry["type"] == "remote-outbound-rtp").collect();
    assert!(!far.is_empty());
    for entry in far {
        // The load has the times of now.
        entry["timestamp"] = (UNIX_EPOCH.elapsed().unwrap().as_secs() * 1000).into();
    }
    let mut dump = format!("RTCStatsDump\n{}\n", json!({ "fileFormat": 3 }));
    dump += &format!(
        "{}\n{}\n",
        json!(["create", null, {}, 1_795_159_383_861_i64]),
        json!(["getStats", "PC_0", entries, 1])
    );
    for number in 1..=ROUND {
        let recorded = &deltas[deltas.len() - 1 - number % 40];
        let change = |id: &String| {
            let mut change = recorded.get(id).and_then(Value::as_object).cloned().unwrap_or_default();
            change.retain(|name, value| !value.is_null() && !["id", "type", "timestamp", "t"].contains(&name.as_str()));
            change.insert("number".to_owned(), number.into());
            (id.clone(), Value::Object(change))
        };
        let delta: Map<_, _> = entries.keys().map(change).collect();
        dump += &format!("{}\n", json!(["getStats", "PC_0", delta, 1000]));
    }
    dump
}

async fn sample(collector: &Collector, began: Instant) -> Sample {
    let metrics = collector.get("/metrics").await.text();
    let sum = |name: &str| -> f64 {
        let lines = metrics.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    };
    let status = std::fs::read_to_string(format!("/proc/{}/status", collector.process())).unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().split(' ').next()?.parse().ok());
    Sample {
        at: began.elapsed(),
        rows: sum("rtctrace_stats_queue_rows"),
        bytes: sum("rtctrace_stats_queue_bytes"),
        oldest: sum("rtctrace_stats_queue_oldest_seconds"),
        resident: resident.unwrap_or(0.0),
        written: sum("rtctrace_stats_rows_total"),
    }
}

fn show(what: &str, sample: &Sample) {
    let Sample { rows, bytes, oldest, resident, written, .. } = sample;
    let (kilobytes, megabytes) = (bytes / 1024.0, resident / 1024.0);
    println!("{what:>12} {rows:>12.0} {kilobytes:>12.0} {oldest:>10.1} {megabytes:>10.1} {written:>12.0}");
}

/// The mean of samples.
fn mean(samples: &[Sample]) -> Sample {
    let of = |value: fn(&Sample) -> f64| samples.iter().map(value).sum::<f64>() / samples.len().max(1) as f64;
    Sample {
        at: Duration::ZERO,
        rows: of(|sample| sample.rows),
        bytes: of(|sample| sample.bytes),
        oldest: of(|sample| sample.oldest),
        resident: of(|sample| sample.resident),
        written: of(|sample| sample.written),
    }
}

/// Nothing piles up: of what waits, and of memory, the last minute has no more than three times as much as the first, or than a few seconds' rows.
fn assert_steady(first: &Sample, last: &Sample, rows_per_second: f64) {
    let (seconds, longest_row) = (4.0, 4096.0);
    let bars = [
        ("rows queued", first.rows, last.rows, seconds * rows_per_second),
        ("bytes queued", first.bytes, last.bytes, seconds * rows_per_second * longest_row),
        ("seconds that the oldest waits", first.oldest, last.oldest, seconds),
        ("KiB of memory", first.resident, last.resident, 64.0 * 1024.0),
    ];
    for (what, first, last, least) in bars {
        let bar = f64::max(3.0 * first, least);
        println!("{what}: {first:.0} in the first minute, {last:.0} in the last, bar {bar:.0}");
        assert!(last <= bar, "{what}: {last} after {first}");
    }
}

impl Load {
    /// Sends it, looks at the collector meanwhile, and counts the rows of every session. The means of its first and its last minute.
    async fn run(&self) -> (Sample, Sample) {
        let mut server = Server::start();
        let database = server.database().await;
        let settings = [("RTCTRACE_LIMITS_RATE", "off"), ("RTCTRACE_LIMITS_SESSIONS", "20000")];
        let collector = Collector::start_on(database, &settings);
        let path = collector.dir.path().join("recording.jsonl");
        std::fs::write(&path, recording()).unwrap();
        let mut load = Command::new(env!("CARGO_BIN_EXE_rtctrace"))
            .arg("load")
            .arg(&path)
            .args(["--url", &format!("ws://{}", collector.address), "--rate", "1", "--ramp", "2s"])
            .args(["--sessions", &self.sessions.to_string(), "--lines", &self.reports.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        println!("{} sessions, {} reports each, {ENTRIES} rows a report", self.sessions, self.reports);
        println!(
            "{:>12} {:>12} {:>12} {:>10} {:>10} {:>12}",
            "s", "rows queued", "KiB queued", "oldest, s", "RSS, MiB", "written"
        );
        let (began, mut samples) = (Instant::now(), Vec::new());
        let (mut is_stopped, mut outage) = (false, self.outage);
        let longest = Duration::from_secs(60 + 3 * self.reports as u64);
        while load.try_wait().unwrap().is_none() {
            if began.elapsed() > longest {
                let _ = load.kill();
            }
            if let Some((at, length)) = outage {
                if !is_stopped && began.elapsed() > at {
                    println!("{:>12} the server stops", began.elapsed().as_secs());
                    tokio::task::block_in_place(|| server.stop());
                    is_stopped = true;
                } else if is_stopped && began.elapsed() > at + length {
                    tokio::task::block_in_place(|| server.start_again());
                    println!("{:>12} the server is back", began.elapsed().as_secs());
                    outage = None;
                }
            }
            let next = sample(&collector, began).await;
            show(&next.at.as_secs().to_string(), &next);
            samples.push(next);
            tokio::time::sleep(self.every).await;
        }
        let sent = began.elapsed();
        let said = load.wait_with_output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
        println!("{}", String::from_utf8_lossy(&said.stdout));
        assert!(outage.is_none(), "the server came back while the load ran");

        let deadline = Instant::now() + Duration::from_secs(60) + sent;
        while collector.metric("rtctrace_sessions_stored_total").await < self.sessions as f64 {
            assert!(Instant::now() < deadline, "all sessions are stored");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        println!("all were stored {:.1} s after the last line", (began.elapsed() - sent).as_secs_f64());
        let minute = |first: bool| {
            let length = Duration::from_secs(60).min(sent / 3);
            let is_in = |sample: &&Sample| if first { sample.at < length } else { sample.at + length > sent };
            let of: Vec<_> = samples.iter().filter(is_in).collect();
            mean(&of.into_iter().map(|sample| Sample { ..*sample }).collect::<Vec<_>>())
        };
        let (first, last) = (minute(true), minute(false));
        show("first", &first);
        show("last", &last);
        println!("{} sessions fell behind", collector.metric("rtctrace_stats_behind_total").await);

        let tables = [
            "inbound_rtp",
            "outbound_rtp",
            "remote_inbound_rtp",
            "remote_outbound_rtp",
            "media_source",
            "candidate_pair",
            "ice_candidate",
            "codec",
            "transport",
            "media_playout",
            "data_channel",
            "peer_connection",
            "other",
        ];
        let counts = tables.map(|table| format!("SELECT session_id, count(*) AS rows FROM stats_{table} GROUP BY 1"));
        let of_sessions =
            format!("SELECT sum(rows) AS rows FROM ({}) t GROUP BY session_id", counts.join(" UNION ALL "));
        let found = collector.query(&of_sessions).await;
        assert_eq!(found.len(), self.sessions);
        let expected = ((self.reports + 1) * ENTRIES) as u64;
        let wrong = found.iter().filter(|row| row["rows"].as_u64() != Some(expected)).count();
        assert_eq!(wrong, 0, "sessions that have not {expected} rows");
        assert_eq!(collector.metric("rtctrace_stats_rows_lost_total").await, 0.0);
        println!("each of {} sessions has its {expected} rows", self.sessions);
        (first, last)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_a_load_is_written_although_the_server_was_away() {
    let outage = Some((Duration::from_secs(3), Duration::from_secs(3)));
    Load { sessions: 10, reports: 9, outage, every: Duration::from_millis(500) }.run().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make soak-writer"]
async fn minutes() {
    let number = |name: &str| -> usize { std::env::var(name).unwrap().parse().unwrap() };
    let seconds = number("RTCTRACE_TEST_MINUTES") * 60;
    // For a minute, or for a fifth of a run that has few.
    let away = Duration::from_secs(60.min(seconds as u64 / 5));
    let outage = (number("RTCTRACE_TEST_STOP_DATABASE") > 0).then(|| (Duration::from_secs(seconds as u64 / 3), away));
    let sessions = number("RTCTRACE_TEST_SESSIONS");
    let (first, last) = Load { sessions, reports: seconds, outage, every: Duration::from_secs(5) }.run().await;
    assert_steady(&first, &last, (sessions * ENTRIES) as f64);
}
