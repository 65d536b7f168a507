//! The tools as processes of their own, against a collector and against its stores.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::*;

#[path = "../../../tests/fixtures/long_call.rs"]
mod long_call;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/recordings").join(name)
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtctrace"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RTCTRACE_")) {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

fn tool(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// What a tool that succeeds prints.
async fn printed(arguments: &[&str]) -> String {
    let owned: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    // The collector's own tests run on this thread, too.
    let run = move || tool(&owned.iter().map(String::as_str).collect::<Vec<_>>());
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_in_either_dialect_is_stored_to_the_last_line() {
    for (dialect, ends) in [("rtctrace.v1", "[36,null,null,1]"), ("rtcstats#5.0", "[\"close\",null,1000,")] {
        let collector = Collector::start(&[("RTCTRACE_STATS_ENABLED", "false")]);
        let url = format!("ws://{}/app", collector.address);
        let arguments = [
            "load",
            "--json",
            "--dialect",
            dialect,
            "--url",
            &url,
            "--sessions",
            "8",
            "--rate",
            "max",
            "--lines",
            "150",
        ];
        let result: Value = serde_json::from_str(&printed(&arguments).await).unwrap();
        let sent = result["sent"].as_u64().unwrap();
        assert_eq!((&result["failedSessions"], &result["lost"]), (&Value::from(0), &Value::from(0)));
        if dialect == "rtctrace.v1" {
            assert_eq!(result["acknowledged"], sent);
        }
        let mut stored = 0;
        for session in until("all are stored", async || {
            let sessions = collector.sessions().await;
            (sessions.len() == 8 && sessions.iter().all(|session| session["dumpBytes"].is_u64())).then_some(sessions)
        })
        .await
        {
            let (_, lines) = collector.dump(session["id"].as_str().unwrap()).await;
            assert!(lines.last().unwrap().starts_with(ends), "{:?}", lines.last());
            stored += lines.len() as u64 - u64::from(dialect != "rtctrace.v1");
        }
        assert_eq!(stored, sent);
        assert_eq!(collector.metric("rtctrace_undecoded_lines_total").await, 0.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_is_refused_says_why_and_fails() {
    let collector = Collector::start(&[("RTCTRACE_LIMITS_SESSIONS", "2")]);
    let url = format!("ws://{}", collector.address);
    let run = move || tool(&["load", "--url", &url, "--sessions", "4", "--rate", "50", "--duration", "2s"]);
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("2 of 4 sessions failed") && error.contains("1013"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_dump_arrives_line_by_line() {
    let collector = Collector::start(&[]);
    let url = format!("ws://{}", collector.address);
    let file = fixture("rich-session.jsonl");
    let (_, mut sent) = recording("rich-session.jsonl");
    let session = new_session();
    let printed_v1 =
        printed(&["replay", file.to_str().unwrap(), "--url", &url, "--speed", "max", "--session", &session]).await;
    assert_eq!(printed_v1, format!("session {session}: {0} lines sent, {0} acknowledged\n", sent.len()));
    let (_, stored) = collector.dump(&session).await;
    assert_eq!(stored, sent);

    // A client of upstream's does not send the line that its collector writes.
    printed(&["replay", file.to_str().unwrap(), "--url", &url, "--speed", "1000", "--dialect", "rtcstats#5.0"]).await;
    let other = until("it is stored", async || {
        let found = collector.sessions().await.into_iter().find(|found| found["dialect"] == "rtcstats#5.0");
        found.filter(|found| found["dumpBytes"].is_u64())
    })
    .await;
    let (_, stored) = collector.dump(other["id"].as_str().unwrap()).await;
    sent.pop();
    assert_eq!(stored[..stored.len() - 1], sent);
    assert!(stored.last().unwrap().starts_with("[\"close\",null,1000,"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_goes_on_after_the_collector_crashed() {
    let mut collector = Collector::start(&[]);
    let address = collector.address.clone();
    let port = address.rsplit(':').next().unwrap().to_owned();
    let session = new_session();
    let (file, of) = (fixture("loopback-av-60s.jsonl"), session.clone());
    let replay = tokio::spawn(async move {
        let url = format!("ws://127.0.0.1:{port}");
        printed(&["replay", file.to_str().unwrap(), "--url", &url, "--speed", "20", "--session", &of]).await
    });
    until("lines arrive", async || collector.session(&session).await["lines"].as_u64().filter(|lines| *lines > 60))
        .await;
    collector.crash();
    collector.restart_at(&address);
    replay.await.unwrap();
    let (_, mut lines) = recording("loopback-av-60s.jsonl");
    let (_, stored) = collector.dump(&session).await;
    assert_eq!(stored.len(), lines.len());
    lines.truncate(stored.len());
    assert_eq!(stored, lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_of_a_dump_are_printed() {
    let dir = tempfile::tempdir().unwrap();
    let dump = "RTCStatsDump\n{\"fileFormat\":3}\n[\"create\",null,{},1795159383861]\n\
         [\"navigator.mediaDevices.getUserMedia\",null,{\"audio\":true},\"60-0\",100]\n\
         [\"navigator.mediaDevices.getUserMediaOnFailure\",null,\"NotFoundError\",\"60-0\",50]\n";
    let file = dir.path().join("dump.jsonl");
    std::fs::write(&file, dump).unwrap();
    let findings: Value =
        serde_json::from_str(&printed(&["features", file.to_str().unwrap(), "--findings"]).await).unwrap();
    let [finding] = findings.as_array().unwrap().as_slice() else { panic!("{findings}") };
    assert_eq!(
        (&finding["rule"], &finding["begin"]),
        (&"capture-device-not-found".into(), &1_795_159_384_011_i64.into())
    );
    assert!(!tool(&["features", file.to_str().unwrap(), "--findings", "--upstream"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn features_of_a_dump_are_those_of_upstream() {
    for name in ["loopback-av-60s", "rich-session"] {
        let file = fixture(&format!("{name}.jsonl"));
        let ours: Value =
            serde_json::from_str(&printed(&["features", file.to_str().unwrap(), "--upstream"]).await).unwrap();
        let golden = std::fs::read_to_string(fixture(&format!("{name}.features.json"))).unwrap();
        let upstream: Value = serde_json::from_str(&golden).unwrap();
        let mut compared = 0;
        assert_has(&ours, &upstream, name, &mut compared);
        assert!(compared > 100, "{compared}");
    }
    let file = fixture("rich-session.jsonl");
    let plain: Value = serde_json::from_str(&printed(&["features", file.to_str().unwrap()]).await).unwrap();
    assert_eq!(plain["connections"][0]["id"], "PC_0");
}

/// The most memory that `rtctrace features` has for a dump, in KiB.
fn memory_of_features(dump: &[u8]) -> u64 {
    let mut child = command(&["features", "/dev/stdin"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(dump).unwrap();
    let is_waiting = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        stat.rsplit(')').next().unwrap().trim_start().starts_with('S')
    };
    // When it has read all and waits for more, and then what the end of the dump makes it do.
    let (mut highest, mut seen) = (0, 0);
    while seen < 3 {
        std::thread::sleep(Duration::from_millis(50));
        let before = std::mem::replace(&mut highest, highest_memory(child.id()).unwrap());
        seen = if is_waiting() && highest == before { seen + 1 } else { 0 };
    }
    drop(input);
    while let Some(now) = highest_memory(child.id()) {
        highest = highest.max(now);
        std::thread::sleep(Duration::from_millis(1));
    }
    let output = child.wait_with_output().unwrap();
    let features: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success() && features["connections"].is_array());
    highest
}

#[test]
fn features_of_a_long_call_take_no_more_memory_than_those_of_a_short_one() {
    let recording = std::fs::read_to_string(fixture("loopback-av-60s.jsonl")).unwrap();
    let tiny = memory_of_features(b"RTCStatsDump\n{\"fileFormat\":3}\n[\"create\",null,{},1795159383861]\n");
    let (short, long) = (long_call::long_call(&recording, 0), long_call::long_call(&recording, 10_000_000));
    for (short, long) in [(short.as_bytes(), long.as_bytes()), (&gzip(short.as_bytes()), &gzip(long.as_bytes()))] {
        let (short, long) = (memory_of_features(short), memory_of_features(long));
        assert!(long < tiny + 8_000, "{long} KiB, {tiny} KiB of a tiny one");
        assert!(long < short + 2_000, "{long} KiB, {short} KiB of a minute");
    }
}

/// What its reader holds of it beside the text has a budget.
#[test]
fn a_hostile_dump_of_webrtc_internals_takes_a_few_times_its_length() {
    const LENGTH: usize = 12 << 20;
    let fill = |start: &str, end: &str, part: &mut dyn FnMut(usize) -> String| {
        let (mut text, mut number) = (start.to_owned(), 0);
        while text.len() < LENGTH {
            text.push_str(&part(number));
            number += 1;
        }
        text.truncate(text.rfind(',').unwrap());
        text + end
    };
    let (stats, end) = (r#"{"PeerConnections":{"7-1":{"stats":{"#, "}}}}");
    let name = "n".repeat(90);
    let values = vec!["1"; 10_000].join(",");
    let dumps = [
        // An entry for each value, members with long names, samples, updates; all of it one update, or what nobody knows.
        fill(stats, end, &mut |n| format!(r#""{n}-a":{{"startTime":1e9,"values":"[1]"}},"#)),
        fill(stats, end, &mut |n| {
            format!(r#""{:x}-{:05}{name}":{{"startTime":1e9,"values":"[1]"}},"#, n / 200, n % 200)
        }),
        fill(stats, end, &mut |n| format!(r#""{n}-a":{{"startTime":1e9,"values":[{values}]}},"#)),
        fill(r#"{"PeerConnections":{"7-1":{"updateLog":["#, "]}}}", &mut |_| "{},".to_owned()),
        format!(
            r#"{{"PeerConnections":{{"7-1":{{"updateLog":[{{"type":"x","value":"{}"}}]}}}}}}"#,
            "\\u0061x".repeat(LENGTH / 7)
        ),
        format!(r#"{{"PeerConnections":{{"7-1":{{}}}},"more":"{}"}}"#, "x".repeat(LENGTH)),
    ];
    let tiny = memory_of_features(br#"{"PeerConnections":{"7-1":{}}}"#);
    for dump in dumps {
        let highest = memory_of_features(dump.as_bytes()) - tiny;
        assert!(highest < 80 << 10, "{highest} KiB more: {}", dump.get(..200).unwrap());
    }
}

/// Every member of upstream's is there and equal up to 1e-9, but the tracks.
fn assert_has(ours: &Value, upstream: &Value, place: &str, compared: &mut usize) {
    match upstream {
        Value::Object(members) => {
            for (name, member) in members.iter().filter(|(name, _)| *name != "tracks") {
                assert_has(&ours[name], member, &format!("{place}.{name}"), compared);
            }
        }
        Value::Array(elements) => {
            for (at, element) in elements.iter().enumerate() {
                assert_has(&ours[at], element, &format!("{place}[{at}]"), compared);
            }
        }
        _ => {
            *compared += 1;
            match (ours.as_f64(), upstream.as_f64()) {
                (Some(a), Some(b)) => assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{place}: {a} and {b}"),
                _ => assert_eq!(ours, upstream, "{place}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymized_dump_names_nobody_and_gives_the_same_features() {
    let dir = tempfile::tempdir().unwrap();
    let secret = "RTCStatsDump\n{\"url\":\"/room?user=jane\",\"userAgent\":\"Firefox/140\",\"remoteAddresses\":[\"198.51.100.7\"],\"fileFormat\":3}\n\
         [61,null,[[\"audio\",\"id\",\"Jane's AirPods\",\"s\"]],\"60-0\",1795159383861]\nnot a line of 198.51.100.7\n\
         [20,\"PC_0\",{\"candidate\":\"candidate:1 1 UDP 2 198.51.100.7 5 typ host\"},1]\n\
         [\"createDataChannel\",\"PC_0\",[\"Jane's chat\"],1]\n[\"app\",null,\"at HTTPS://jane.example/room of 198.51.100.7\",1]\n";
    let (input, output) = (dir.path().join("in.jsonl.gz"), dir.path().join("out.jsonl.gz"));
    std::fs::write(&input, gzip(secret.as_bytes())).unwrap();
    printed(&["anonymize", input.to_str().unwrap(), "-o", output.to_str().unwrap()]).await;
    let text = gunzip(std::fs::File::open(&output).unwrap());
    for hidden in ["198.51.100.7", "jane", "Jane"] {
        assert!(!text.contains(hidden), "{text}");
    }
    assert!(text.contains("Firefox/140") && text.contains("198.51.100.x") && text.contains("device 1"), "{text}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "nothing else is left behind");

    let file = fixture("rich-session.jsonl");
    let plain = dir.path().join("out.jsonl");
    std::fs::write(&plain, printed(&["anonymize", file.to_str().unwrap()]).await).unwrap();
    let of = async |path: &Path| {
        let path = path.to_str().unwrap();
        printed(&["features", path]).await + &printed(&["features", path, "--findings"]).await
    };
    assert_eq!(of(&plain).await, of(&file).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_dumps_are_sessions_like_others_and_come_in_once() {
    let mut collector = Collector::start(&[]);
    let data = collector.dir.path().to_owned();
    let file = fixture("rich-session.jsonl");
    let dir = tempfile::tempdir().unwrap();
    let torn = dir.path().join("torn.jsonl");
    let text = std::fs::read_to_string(fixture("loopback-av-60s.jsonl")).unwrap();
    std::fs::write(&torn, &text[..text.len() / 2]).unwrap();
    let arguments = ["import", "--data-dir", data.to_str().unwrap(), file.to_str().unwrap(), torn.to_str().unwrap()];

    let arguments_while_running = arguments.map(str::to_owned);
    let run = move || tool(&arguments_while_running.each_ref().map(String::as_str));
    let refused = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another collector uses the data directory"));

    tokio::task::block_in_place(|| collector.stop());
    let first = printed(&arguments).await;
    assert!(first.contains("232 lines") || first.contains("230 lines"), "{first}");
    assert!(first.contains("1 lines left out"), "{first}");
    let second = printed(&arguments).await;
    assert_eq!(second.matches("is here already").count(), 2, "{second}");

    collector.restart();
    let sessions = collector.sessions().await;
    assert_eq!(sessions.len(), 2);
    for session in sessions {
        let id = session["id"].as_str().unwrap();
        let (_, stored) = collector.dump(id).await;
        let name = if stored.len() == 230 { "rich-session.jsonl" } else { "loopback-av-60s.jsonl" };
        let (_, lines) = recording(name);
        assert_eq!(stored, lines[..stored.len()]);
        let features = collector.session(id).await["features"].clone();
        assert!(features["connections"].as_array().is_some_and(|connections| !connections.is_empty()), "{features}");
    }
    assert_eq!(collector.query("SELECT DISTINCT session_id FROM stats_inbound_rtp").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_back_from_dumps_when_the_database_is_lost() {
    let mut collector = Collector::start(&[]);
    let lines = whole_recording();
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    for line in &lines {
        socket.send(line).await;
    }
    socket.acknowledged(lines.len()).await;
    // When it ended by the collector's clock is in no dump.
    let told = async |collector: &Collector| {
        let mut told = collector.stored(&session).await;
        told.as_object_mut().unwrap().remove("endTime");
        told
    };
    let before = told(&collector).await;
    crate::stores::assert_stats(&collector, &lines).await;
    tokio::task::block_in_place(|| collector.stop());
    for file in ["rtctrace.db", "rtctrace.db-wal", "rtctrace.db-shm"] {
        let _ = std::fs::remove_file(collector.dir.path().join(file));
    }

    let data = collector.dir.path().to_str().unwrap().to_owned();
    // Beside a collector that runs, and again: nothing is there twice.
    collector.restart();
    assert!(collector.sessions().await.is_empty());
    for arguments in [&["reprocess", "--data-dir", &data][..], &["reprocess", "--data-dir", &data, &session][..]] {
        assert_eq!(printed(arguments).await, "1 sessions reprocessed\n");
        assert_eq!(told(&collector).await, before);
        crate::stores::assert_stats(&collector, &lines).await;
    }
    let other = new_session();
    let run = move || tool(&["reprocess", "--data-dir", &data, &other]);
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("have no dump in object storage"));
}

#[test]
fn a_schema_is_made_by_itself_and_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut said = Vec::new();
    for _ in 0..2 {
        let (success, printed, errors) = run(dir.path(), &["migrate"], &[]);
        assert!(success && printed.contains("rtctrace.db has schema "), "{printed}{errors}");
        assert!(dir.path().join("rtctrace.db").exists());
        said.push(printed);
    }
    assert_eq!(said[0], said[1]);
    let (success, _, errors) = run(dir.path(), &["migrate", "--database-url", "mysql://localhost/x"], &[]);
    assert!(!success && errors.contains("database.url has the unknown scheme `mysql`"), "{errors}");
}

#[test]
fn what_cannot_be_read_of_a_dump_that_is_reprocessed_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let session = new_session();
    let folder = dir.path().join("dumps/2026/11/20");
    std::fs::create_dir_all(&folder).unwrap();
    let mut dump = b"RTCStatsDump\n{\"fileFormat\":3,\"startTime\":1795159383861,\"url\":\"/\",\"remoteAddresses\":[],\"clientProtocol\":\"rtctrace.v1\"}\n\
         [39,null,{},1795159383861]\n"
        .to_vec();
    dump.extend_from_slice(b"[\":x\",null,\"\xff\",1]\n[36,null,null,1]\n");
    std::fs::write(folder.join(format!("{session}.jsonl.gz")), gzip(&dump)).unwrap();
    let (success, printed, errors) = run(dir.path(), &["reprocess"], &[("RTCTRACE_LOG_FORMAT", "json")]);
    assert!(success && printed == "1 sessions reprocessed\n", "{errors}");
    let told: Value = serde_json::from_str(errors.lines().next().expect("a line")).expect("of JSON");
    assert_eq!((&told["level"], &told["session"]), (&"WARN".into(), &session.into()), "{told}");
}

#[test]
fn a_command_takes_the_flags_that_it_uses_and_values_that_make_sense() {
    let dir = tempfile::tempdir().unwrap();
    let dump = fixture("rich-session.jsonl");
    let dump = dump.to_str().unwrap();
    let session = new_session();
    for (arguments, said) in [
        (&["import", "--listen", "127.0.0.1:0", dump][..], "'--listen'"),
        (&["reprocess", "--insecure-open"], "'--insecure-open'"),
        (&["config", "--verbose"], "'--verbose'"),
        (&["token", "client", "--storage-url", "x"], "'--storage-url'"),
        (&["token", "api", "--name", "x", "--scope", "read", "--listen", "x"], "'--listen'"),
        (&["load", "--sessions", "0"], "1..=1000000"),
        (&["load", "--sessions", "99999999999"], "1..=1000000"),
        (&["load", "--sessions", "1000000"], "open files"),
        (&["load", "--lines", "0"], "--lines"),
        (&["load", "--duration", "0s"], "it is more than 0s"),
        (&["load", "--duration", "100000000d"], "the longest is 24h"),
        (&["load", "--ramp", "25h"], "the longest is 24h"),
        (&["load", "--rate", "0"], "0.001 to 100000"),
        (&["load", "--watch", "1", "--dialect", "rtcstats#5.0"], "--watch is for rtctrace.v1"),
        (&["load", "--token", "a.b.c d"], "a client's token is three texts"),
        (&["load", "--token", "a.b\r\nX: y.c"], "a client's token is three texts"),
        (&["replay", dump, "--token", ""], "a client's token is three texts"),
        (&["replay", dump, "--speed", "nan"], "--speed"),
        (&["replay", dump, "--session", &session, "--dialect", "rtcstats#5.0"], "--session is for rtctrace.v1"),
    ] {
        let (success, printed, errors) = run(dir.path(), arguments, &[]);
        assert!(!success && printed.is_empty() && errors.contains(said), "{arguments:?}: {errors}");
    }
}
