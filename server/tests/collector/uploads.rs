//! Whole dumps by `POST /api/v1/dumps`.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::*;

fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/recordings/");
    std::fs::read(format!("{folder}{name}")).unwrap()
}

async fn upload(collector: &Collector, kind: &str, body: &[u8]) -> Answer {
    let headers = format!("Content-Type: {kind}\r\n");
    collector.request_bytes("POST", "/api/v1/dumps", &headers, body).await
}

fn only(answer: &Answer) -> Value {
    assert_eq!(answer.status, 201, "{}", answer.text());
    let dumps = answer.json()["dumps"].as_array().unwrap().clone();
    assert_eq!(dumps.len(), 1);
    dumps[0].clone()
}

fn left_over(collector: &Collector) -> usize {
    std::fs::read_dir(collector.dir.path().join("import")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn a_dump_becomes_a_session_gzip_compressed_or_not() {
    let collector = Collector::start(&[]);
    let text = fixture("rich-session.jsonl");
    let taken = only(&upload(&collector, "application/x-ndjson", &text).await);
    let id = taken["session"].as_str().unwrap();
    let stored = collector.stored(id).await;
    assert_eq!((&stored["state"], &stored["lines"]), (&"ended".into(), &taken["lines"]));
    assert!(stored["features"]["connections"].as_array().is_some_and(|connections| !connections.is_empty()));
    let (_, lines) = collector.dump(id).await;
    assert_eq!(lines.len() as u64, taken["lines"].as_u64().unwrap());

    let again = upload(&collector, "application/gzip", &gzip(&text)).await;
    again.problem(409, "session-ended");
    let other = gzip(&fixture("loopback-av-60s.jsonl"));
    let other = only(&upload(&collector, "application/gzip", &other).await);
    collector.stored(other["session"].as_str().unwrap()).await;
    assert_eq!((collector.sessions().await.len(), left_over(&collector)), (2, 0));
}

/// What the page `chrome://webrtc-internals` saves: of a call that our client recorded, too.
#[tokio::test]
async fn both_dumps_of_a_chromium_become_sessions_like_that_of_our_client() {
    let collector = Collector::start(&[]);
    let mut bitrates = Vec::new();
    for name in ["webrtc_internals_dump.gz", "rtcstats_dump.gz", "rtctrace.jsonl.gz"] {
        let taken = only(&upload(&collector, "application/gzip", &fixture(&format!("../internals/{name}"))).await);
        assert_eq!((&taken["leftOut"], &taken["torn"]), (&0.into(), &Value::Null), "{name}");
        let stored = collector.stored(taken["session"].as_str().unwrap()).await;
        let connections = stored["features"]["connections"].as_array().unwrap();
        assert_eq!(connections.len(), 2, "{name}");
        assert_eq!(stored["lines"], taken["lines"], "{name}");
        bitrates.push(connections[0]["averageOutboundBitrate"].as_f64().unwrap());
    }
    let ours = bitrates.pop().unwrap();
    assert!(bitrates.iter().all(|theirs| (theirs / ours - 1.0).abs() < 0.1), "{bitrates:?} {ours}");
    // It is the same dump, packed or not.
    let mut text = Vec::new();
    let packed = fixture("../internals/webrtc_internals_dump.gz");
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.as_slice()), &mut text).unwrap();
    upload(&collector, "application/json", &text).await.problem(409, "session-ended");
    // Half of it is what there is of it.
    let torn = only(&upload(&collector, "application/json", &text[..text.len() / 2]).await);
    assert!(torn["torn"].as_str().unwrap().contains("the dump cannot be read beyond line "), "{torn}");
    collector.stored(torn["session"].as_str().unwrap()).await;
    assert_eq!((collector.sessions().await.len(), left_over(&collector)), (4, 0));
}

#[tokio::test]
async fn a_dump_that_says_nonsense_of_its_start_counts_from_its_upload() {
    let mut collector = Collector::start(&[]);
    let now = || chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
    let before = now();
    let mut ids = Vec::new();
    for start in ["0", "-7", "99999999999999", "1795159383"] {
        let dump = format!("RTCStatsDump\n{{\"fileFormat\":3,\"startTime\":{start}}}\n[\"create\",null,null,5]\n");
        let id = only(&upload(&collector, "application/x-ndjson", dump.as_bytes()).await)["session"].clone();
        let stored = collector.stored(id.as_str().unwrap()).await;
        let began: chrono::DateTime<chrono::Utc> = stored["startTime"].as_str().unwrap().parse().unwrap();
        assert!(began >= before - chrono::TimeDelta::seconds(1) && began <= now(), "{start}: {began}");
        // It is the same dump the next time.
        upload(&collector, "application/x-ndjson", dump.as_bytes()).await.problem(409, "session-ended");
        ids.push(id);
    }
    // So its age is that of its upload. One that is old in earnest is removed, and after any that would seem older.
    let start = 1_500_000_000_000_i64;
    let dump = format!("RTCStatsDump\n{{\"fileFormat\":3,\"startTime\":{start}}}\n[\"create\",null,null,{start}]\n");
    let old = only(&upload(&collector, "application/x-ndjson", dump.as_bytes()).await)["session"].clone();
    let path = format!("/api/v1/sessions/{}", old.as_str().unwrap());
    collector.stored(old.as_str().unwrap()).await;
    collector.stop();
    collector.set("RTCTRACE_RETENTION_SESSIONS", "1d");
    collector.restart();
    until("the old one is removed", async || (collector.get(&path).await.status == 404).then_some(())).await;
    let left = collector.sessions().await;
    assert_eq!(left.len(), ids.len());
    assert!(left.iter().all(|session| ids.contains(&session["id"])), "{left:?}");
}

#[tokio::test]
async fn a_form_holds_several_dumps() {
    let collector = Collector::start(&[]);
    let mut body = Vec::new();
    let files = [("a.jsonl", fixture("rich-session.jsonl")), ("b.gz", gzip(&fixture("loopback-av-60s.jsonl")))];
    body.extend_from_slice(b"--xx\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nno file\r\n");
    for (name, content) in &files {
        let head = format!("--xx\r\nContent-Disposition: form-data; name=\"dump\"; filename=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--xx--\r\n");
    let answer = upload(&collector, "multipart/form-data; boundary=xx", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    for dump in answer.json()["dumps"].as_array().unwrap() {
        collector.stored(dump["session"].as_str().unwrap()).await;
    }
    assert_eq!((collector.sessions().await.len(), left_over(&collector)), (2, 0));

    let none = b"--xx\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nno file\r\n--xx--\r\n";
    upload(&collector, "multipart/form-data; boundary=xx", none).await.problem(400, "bad-parameter");
    upload(&collector, "multipart/form-data", none).await.problem(400, "bad-parameter");
    upload(&collector, "multipart/form-data; boundary=xx", &body[..body.len() / 2]).await.problem(400, "bad-parameter");
    assert_eq!(left_over(&collector), 0);
}

#[tokio::test]
async fn what_is_no_dump_or_too_long_is_refused_and_leaves_nothing() {
    let settings = [("RTCTRACE_LIMITS_UPLOAD_BYTES", "64KiB"), ("RTCTRACE_LIMITS_SESSION_BYTES", "1MiB")];
    let collector = Collector::start(&settings);
    for body in [&b""[..], b"nonsense", b"RTCStatsDump\n{\"fileFormat\":3}\n", &gzip(b"{}")] {
        upload(&collector, "application/octet-stream", body).await.problem(422, "bad-dump");
    }
    let long = fixture("rich-session.jsonl");
    upload(&collector, "application/octet-stream", &long).await.problem(413, "upload-too-long");
    // A small file that unpacks to a large one.
    let mut bomb = b"RTCStatsDump\n{\"fileFormat\":3}\n[\"create\",null,null,1795159383861]\n".to_vec();
    for _ in 0..100 {
        bomb.extend_from_slice(format!("[\":x\",null,\"{}\",1]\n", "a".repeat(100_000)).as_bytes());
    }
    let bomb = gzip(&bomb);
    assert!(bomb.len() < 64 << 10);
    upload(&collector, "application/gzip", &bomb).await.problem(413, "session-too-long");
    assert!(collector.sessions().await.is_empty());
    assert_eq!((left_over(&collector), collector.metric("rtctrace_spool_bytes").await), (0, 0.0));
}

#[tokio::test]
async fn an_upload_needs_a_place() {
    let collector = Collector::start(&[("RTCTRACE_LIMITS_UPLOADS", "0")]);
    upload(&collector, "application/gzip", b"x").await.problem(503, "too-many-uploads");
    collector.get("/api/v1/dumps").await.problem(405, "method-not-allowed");
}

#[tokio::test]
async fn an_upload_that_is_too_slow_loses_its_place() {
    let settings = [("RTCTRACE_LIMITS_UPLOADS", "1"), ("RTCTRACE_LIMITS_IDLE_TIME", "2s")];
    let collector = Collector::start(&settings);
    let text = fixture("rich-session.jsonl");
    for form in [false, true] {
        let kind = if form { "multipart/form-data; boundary=xx" } else { "application/x-ndjson" };
        let head = format!(
            "POST /api/v1/dumps HTTP/1.0\r\nHost: test\r\nContent-Length: 100000\r\nContent-Type: {kind}\r\n\r\n\
             --xx\r\nContent-Disposition: form-data; name=\"dump\"; filename=\"a\"\r\n\r\n"
        );
        // Who asks whether the place is taken may take it: then the slow one is refused, and another must come.
        let (mut answers, trickle) = until("it has its place", async || {
            let mut slow = TcpStream::connect(&collector.address).await.unwrap();
            slow.write_all(head.as_bytes()).await.unwrap();
            // A byte now and then, and never a pause that is too long.
            let (answers, mut asks) = slow.into_split();
            let trickle = tokio::spawn(async move {
                while asks.write_all(b"x").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            });
            tokio::time::sleep(Duration::from_millis(300)).await;
            if upload(&collector, "application/x-ndjson", b"x").await.status == 503 {
                return Some((answers, trickle));
            }
            trickle.abort();
            None
        })
        .await;
        let started = Instant::now();
        let mut answer = String::new();
        let _ = answers.read_to_string(&mut answer).await;
        assert!(answer.starts_with("HTTP/1.0 408") && answer.contains("slow-upload"), "{answer}");
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        trickle.abort();
    }
    assert!(collector.metric("rtctrace_refused_total{reason=\"slow_upload\"}").await >= 2.0);
    until("there is a place again", async || {
        (upload(&collector, "application/x-ndjson", &text).await.status == 201).then_some(())
    })
    .await;
    assert_eq!(left_over(&collector), 0);
}

#[tokio::test]
async fn at_a_path_of_its_own_a_client_of_upstreams_uploads_with_its_token() {
    let secret = ("RTCTRACE_ACCESS_CLIENT_SECRET", "a secret that only this test and its collector know");
    let collector = Collector::start(&[secret, ("RTCTRACE_UPLOAD_PATH", "/upload")]);
    let (success, token, _) = run(collector.dir.path(), &["token", "client", "--user", "ann"], &[secret]);
    assert!(success);
    let mut body = b"--xx\r\nContent-Disposition: form-data; name=\"dump\"; filename=\"a.jsonl\"\r\n\r\n".to_vec();
    body.extend_from_slice(&fixture("rich-session.jsonl"));
    body.extend_from_slice(b"\r\n--xx--\r\n");
    let form = "Content-Type: multipart/form-data; boundary=xx\r\n";
    collector.request_bytes("POST", "/upload", form, &body).await.problem(401, "unauthorized");
    let path = format!("/upload?rtcstats-token={}", token.trim());
    let answer = collector.request_bytes("POST", &path, form, &body).await;
    assert_eq!((answer.status, &answer.json()["message"]), (200, &"Upload successful".into()), "{}", answer.text());
    let stored = collector.stored(answer.json()["clientId"].as_str().unwrap()).await;
    assert_eq!((&stored["user"], &stored["state"]), (&"ann".into(), &"ended".into()));
    collector.request_bytes("POST", &path, form, &body).await.problem(409, "session-ended");

    // A token for one session brings no other.
    let (_, token, _) = run(collector.dir.path(), &["token", "client", "--session", &new_session()], &[secret]);
    let path = format!("/upload?rtcstats-token={}", token.trim());
    let other = fixture("loopback-av-60s.jsonl");
    collector.request_bytes("POST", &path, "", &other).await.problem(403, "forbidden");
    assert_eq!((left_over(&collector), collector.sessions().await.len()), (0, 1));
}

#[tokio::test]
async fn a_path_that_something_else_has_is_none_for_uploads() {
    let dir = tempfile::tempdir().unwrap();
    for path in ["upload", "/", "/api", "/v1/x", "/demo/x", "/metrics", "/index.html", "/a//b", "/a/", "/{x}", "/%2e"] {
        let (success, _, errors) =
            run(dir.path(), &["serve", "--listen", "127.0.0.1:0"], &[("RTCTRACE_UPLOAD_PATH", path)]);
        assert!(!success && errors.contains(&format!("upload.path is `{path}`")), "{path}: {errors}");
    }
}

#[tokio::test]
async fn a_full_spool_takes_no_upload() {
    let collector = Collector::start(&[("RTCTRACE_SPOOL_MAX_BYTES", "1KiB")]);
    let dumps = collector.dir.path().join("dumps");
    std::fs::remove_dir(&dumps).unwrap();
    std::fs::write(&dumps, "no folder").unwrap();
    let text = fixture("rich-session.jsonl");
    assert_eq!(upload(&collector, "application/x-ndjson", &text).await.status, 201, "there is room yet");
    upload(&collector, "application/x-ndjson", &fixture("loopback-av-60s.jsonl")).await.problem(503, "spool-full");
}
