//! What a load of Sora's costs: `make bench-sora`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Link, base32, body, session_of, start};
use crate::support::*;

/// From the environment, for other loads.
fn setting(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// A report of so many entries, in which counters grow.
fn report(entries: usize, number: usize) -> Value {
    let time = super::START as f64 + number as f64 * 1000.0 + 0.125;
    let entry = |at: usize| {
        json!({
            "id": format!("ITdata1V{at}"), "timestamp": time, "type": "inbound-rtp", "kind": "video", "ssrc": at, "mid": format!("video_{at}"),
            "codecId": "COTdata1_120", "jitter": 0.004, "packetsLost": 0, "packetsReceived": number * 50 + at, "bytesReceived": number * 40_000 + at,
            "framesDecoded": number * 30, "framesPerSecond": 30, "frameWidth": 1280, "frameHeight": 720, "keyFramesDecoded": 1, "totalDecodeTime": number as f64 * 0.11,
            "jitterBufferDelay": number as f64 * 1.5, "jitterBufferEmittedCount": number * 30, "totalInterFrameDelay": number as f64 * 0.99,
            "decoderImplementation": "libvpx", "trackIdentifier": format!("track{at}"), "transportId": "Tdata1",
        })
    };
    Value::Array((0..entries).map(entry).collect())
}

/// What a process has used of a core, in seconds.
fn cpu(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let times: Vec<f64> = rest.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse().unwrap()).collect();
    times.iter().sum::<f64>() / 100.0
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn a_thousand_connections_push_once_a_second() {
    let (connections, seconds) = (setting("CONNECTIONS", 1000), setting("SECONDS", 60));
    let (entries, links) = (setting("ENTRIES", 30), setting("LINKS", 5));
    let collector = start(&[("RTCTRACE_SORA_IDLE_TIMEOUT", "20s"), (QUIET, "1")]);
    let mut open = Vec::new();
    for _ in 0..links {
        open.push(Link::http2(&collector).await);
    }
    let used = cpu(collector.process());
    let bodies: Arc<Vec<String>> = Arc::new((0..seconds).map(|number| report(entries, number).to_string()).collect());
    let mut tasks = Vec::new();
    for number in 0..connections {
        let (link, bodies) = (open[number % links].clone(), Arc::clone(&bodies));
        tasks.push(tokio::spawn(async move {
            let connection = base32(&format!("LD{number:05}"));
            let begin = Instant::now() + Duration::from_secs_f64(number as f64 / connections as f64);
            let mut times = Vec::new();
            for (second, stats) in bodies.iter().enumerate() {
                let push = body(&connection, second as i64 * 1000, &Value::Null).to_string();
                let push = push.replace("\"stats\":null", &format!("\"stats\":{stats}"));
                tokio::time::sleep_until((begin + Duration::from_secs(second as u64)).into()).await;
                let asked = Instant::now();
                let answer = link.post("/sora/webhook/stats", &[super::JSON], push).await.unwrap();
                assert_eq!(answer.status, 204, "{}", answer.text());
                times.push(asked.elapsed());
            }
            (connection, times)
        }));
    }
    let (mut names, mut times) = (Vec::new(), Vec::new());
    for task in tasks {
        let (name, of_one) = task.await.unwrap();
        names.push(name);
        times.extend(of_one);
    }
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    let used = cpu(collector.process()) - used;
    let million = (connections * seconds * entries) as f64 / 1e6;
    println!(
        "{connections} connections, {seconds} s, {entries} entries: answers p50 {:.1?}, p99 {:.1?}, longest {:.1?}; {:.1} CPU s per million entries; {} MB",
        at(0.5),
        at(0.99),
        at(1.0),
        used / million,
        highest_memory(collector.process()).unwrap_or(0) / 1024
    );
    for name in names {
        let (_, lines) = collector.dump(&session_of(&collector, &name).await).await;
        assert_eq!(lines.len(), seconds + 2, "{name}");
    }
}
