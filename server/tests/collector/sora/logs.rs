//! Sora's logs, imported: each connection in them is a session as if it had been pushed, whatever else is in them, and however often.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::{Link, base32, body, clients, counting, notice, numbers, session_of, start, time};
use crate::support::*;

#[path = "../../../../tests/fixtures/sora_log.rs"]
mod sora_log;

/// The lines that Sora logs of a push.
fn logged(push: &Value) -> Vec<String> {
    let mut envelope = push.clone();
    let stats = envelope.as_object_mut().unwrap().remove("stats").unwrap();
    let line = |entry: &Value| {
        let mut line = envelope.clone();
        for (name, member) in [("rtc_id", "id"), ("rtc_type", "type"), ("rtc_timestamp", "timestamp")] {
            line[name] = entry[member].clone();
        }
        line["rtc_data"] = entry.clone();
        line.to_string()
    };
    stats.as_array().unwrap().iter().map(line).collect()
}

/// The line that Sora logs of a webhook.
fn requested(request: &Value) -> String {
    json!({"id": base32("LOG"), "timestamp": time(61_000), "req": request}).to_string()
}

/// A folder of logs.
struct Logs(tempfile::TempDir);

impl Logs {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

fn arguments(files: &[PathBuf]) -> Vec<&str> {
    std::iter::once("import").chain(files.iter().map(|file| file.to_str().unwrap())).collect()
}

/// Imports while the collector is away: whether that succeeded, and what was said.
fn import(collector: &mut Collector, files: &[PathBuf]) -> (bool, String, String) {
    tokio::task::block_in_place(|| {
        collector.stop();
        let database = collector.server.as_ref().map(|server| (DATABASE_URL, server.url.as_str()));
        let variables: Vec<(&str, &str)> = database.into_iter().collect();
        let result = run(collector.dir.path(), &arguments(files), &variables);
        collector.restart();
        result
    })
}

/// All rows of stats of a session, without what is the session's own.
async fn rows(collector: &Collector, session: &str) -> Vec<Map<String, Value>> {
    let mut rows = Vec::new();
    for table in [
        "inbound_rtp",
        "outbound_rtp",
        "remote_inbound_rtp",
        "remote_outbound_rtp",
        "candidate_pair",
        "transport",
        "media_source",
        "media_playout",
        "codec",
        "data_channel",
        "peer_connection",
        "ice_candidate",
        "other",
    ] {
        let sql = format!("SELECT * FROM stats_{table} WHERE session_id = '{session}' ORDER BY stats_id, time");
        rows.extend(collector.query(&sql).await);
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_a_log_is_the_session_that_its_pushes_make() {
    let live = start(&[]);
    let link = Link::http1(&live);
    let mut created = notice("session.created", None);
    created["timestamp"] = json!(time(-5000));
    link.tell("/sora/webhook/session", &created).await;
    let (mut stats, mut webhooks) = (Vec::new(), vec![requested(&created)]);
    for (name, report) in clients::all() {
        let connection = base32(name);
        for number in 0..3 {
            let mut report = report.clone();
            for entry in report.as_array_mut().unwrap() {
                entry["bytesSent"] = json!(number * 1000);
            }
            let push = body(&connection, number * 1000, &report);
            assert_eq!(link.push(&push).await, 204);
            stats.extend(logged(&push));
        }
        let mut updated = notice("session.updated", None);
        updated["connections"] =
            json!([{"connection_id": connection, "video_codec_type": "VP9", "connection_destroyed_timestamp": null}]);
        updated["id"] = json!(base32(&format!("A{name}")));
        link.tell("/sora/webhook/session", &updated).await;
        let ended = notice("connection.destroyed", Some(&connection));
        link.tell("/sora/webhook/event", &ended).await;
        webhooks.extend([requested(&updated), requested(&ended)]);
    }
    let logs = Logs::new();
    let files = [
        logs.file("rtc_stats.jsonl", stats.join("\n") + "\n"),
        logs.file("session_webhook.jsonl", webhooks.join("\n") + "\n"),
    ];
    let mut collector = start(&[]);
    let (success, printed, errors) = import(&mut collector, &files);
    assert!(success && !errors.contains(": line "), "{printed}{errors}");
    let lines = stats.len() + webhooks.len();
    assert!(
        printed.contains(&format!("4 sessions of connections, 0 are here already; {lines} lines, 0 left out")),
        "{printed}"
    );
    for (name, report) in clients::all() {
        let connection = base32(name);
        let (id, other) = (session_of(&collector, &connection).await, session_of(&live, &connection).await);
        assert_eq!(id, other);
        let ((header, lines), (expected_header, expected)) = (collector.dump(&id).await, live.dump(&id).await);
        assert_eq!(lines.len(), expected.len());
        assert_eq!(lines[..lines.len() - 1], expected[..lines.len() - 1]);
        assert_eq!(lines.last().unwrap(), "[\"close\",null,1000,0]");
        let without = |value: &Value, names: &[&str]| {
            let mut value = value.clone();
            names.iter().for_each(|name| drop(value.as_object_mut().unwrap().remove(*name)));
            value
        };
        assert_eq!(without(&header, &["startTime"]), without(&expected_header, &["startTime"]));
        assert_eq!(header["startTime"], super::START);
        let times = ["startTime", "endTime", "dumpBytes", "duration", "dumpPath"];
        let shown = async |collector: &Collector| {
            let mut session = without(&collector.session(&id).await, &times);
            // The first event of none of its connections is the end, which a live session has when nothing more comes.
            session["features"]["client"].as_object_mut().unwrap().remove("startTime");
            session
        };
        assert_eq!(shown(&collector).await, shown(&live).await, "{name}");
        let found = rows(&collector, &id).await;
        assert!(found.len() >= report.as_array().unwrap().len(), "{name}: {} rows", found.len());
        assert_eq!(found, rows(&live, &id).await, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_a_push_are_found_wherever_they_stand_and_bad_ones_cost_themselves() {
    let mut collector = start(&[]);
    let connection = base32("AA");
    let mut lines: Vec<String> =
        (0..40).flat_map(|number| logged(&body(&connection, number * 1000, &counting(number)))).collect();
    // Late, repeated, and the entries of one push in two files.
    lines.reverse();
    let (first, second) = lines.split_at(31);
    let good = lines[0].clone();
    let mut packed = first.join("\n").into_bytes();
    packed.extend_from_slice(b"\n\n{\"type\":\"session.created\"}\n");
    packed.extend_from_slice(good.replace("\"role\"", "\"roll\"").as_bytes());
    packed.extend_from_slice(b"\n\xff\n");
    packed.extend_from_slice(good.replacen("\"id\":\"", "\"id\":7,\"x\":\"", 1).as_bytes());
    packed.extend_from_slice(b"\n{\"torn\":");
    let mut again = second.join("\n");
    again.push('\n');
    again.push_str(&first[..5].join("\n"));
    let logs = Logs::new();
    // A member of gzip after the other, as appending to a file makes it.
    let gz = [gzip(&packed[..1000]), gzip(&packed[1000..])].concat();
    let torn = gzip((logged(&body(&base32("BB"), 0, &counting(7))).join("\n") + "\n").as_bytes());
    let files = [
        logs.file("a.gz", gz),
        logs.file("b.log", again),
        logs.file("c.gz", &torn[..torn.len() - 6]),
        logs.file("events", requested(&notice("session.destroyed", None)) + "\n"),
        logs.file("foreign.jsonl", "{\"level\":\"info\"}\n"),
    ];
    let (success, printed, errors) = import(&mut collector, &files);
    assert!(!success, "one of them is no log");
    let say = |name: &str, what: &str| {
        let told = format!("{}: {what}", logs.0.path().join(name).display());
        assert!(errors.contains(&told), "{told}: {errors}");
    };
    say("a.gz", "line 33: timestamp is missing");
    say("a.gz", "line 34: role is missing");
    say("a.gz", "line 35: it is not UTF-8 from byte 0 on");
    say("a.gz", "line 36: ");
    say("a.gz", "line 37: it is not JSON");
    say("foreign.jsonl", "this is no dump");
    assert!(errors.contains("1 of 5 files were not imported"), "{errors}");
    assert!(printed.contains("a.gz: 36 lines of a log, 5 lines left out\n"), "{printed}");
    assert!(printed.contains("c.gz: 2 lines of a log; it cannot be read beyond line 2: "), "{printed}");
    assert!(
        printed.contains("2 sessions of connections, 0 are here already; 93 lines, 5 left out, 5 repeated; "),
        "{printed}"
    );
    let id = session_of(&collector, &connection).await;
    let (_, stored) = collector.dump(&id).await;
    assert_eq!(numbers(&stored), (0..40).collect::<Vec<_>>());
    let mut expected: Vec<i64> = (0..40).chain([7]).collect();
    expected.sort_unstable();
    assert_eq!(super::rows(&collector).await, expected);
    let session = collector.session(&id).await;
    assert_eq!((&session["closeCode"], &session["conference"]), (&json!(1000), &json!("standup")));

    // Once more, and then with what came since.
    let (_, printed, _) = import(&mut collector, &files[..4]);
    assert!(printed.contains("0 sessions of connections, 2 are here already"), "{printed}");
    let late = (5500, 5);
    let more = (38..45).map(|number| (number * 1000, number)).chain([late]);
    let more: Vec<String> =
        more.flat_map(|(millis, number)| logged(&body(&connection, millis, &counting(number)))).collect();
    let more = [logs.file("more", more.join("\n"))];
    for said in
        ["0 sessions of connections, 0 are here already, 1 go on;", "0 sessions of connections, 1 are here already;"]
    {
        let (success, printed, errors) = import(&mut collector, &more);
        assert!(success && printed.contains(said), "{printed}{errors}");
        assert_eq!(collector.sessions().await.len(), 2);
    }
    let (_, stored) = collector.dump(&id).await;
    expected = (0..45).chain([5]).collect();
    expected.sort_unstable();
    assert_eq!(numbers(&stored), expected);
    assert!(super::times(&stored).is_sorted());
    expected = (0..45).chain([7]).collect();
    expected.sort_unstable();
    assert_eq!(super::rows(&collector).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_pushed_is_not_imported_again_and_what_was_not_is() {
    let mut collector = start(&[("RTCTRACE_SORA_IDLE_TIMEOUT", "1s")]);
    let connection = base32("DD");
    let push = |number: i64| body(&connection, number * 1000, &counting(number));
    for number in 0..3 {
        assert_eq!(Link::http1(&collector).push(&push(number)).await, 204);
    }
    let id = session_of(&collector, &connection).await;
    collector.stored(&id).await;
    let logs = Logs::new();
    let log: Vec<String> = (0..5).flat_map(|number| logged(&push(number))).collect();
    let (success, printed, errors) = import(&mut collector, &[logs.file("log", log.join("\n"))]);
    assert!(
        success && printed.contains("0 sessions of connections, 0 are here already, 1 go on;"),
        "{printed}{errors}"
    );
    assert_eq!(numbers(&collector.dump(&id).await.1), [0, 1, 2, 3, 4]);
    assert_eq!(super::rows(&collector).await, [0, 1, 2, 3, 4]);
    assert_eq!(collector.session(&id).await["closeCode"], 1006);
    // A webhook alone, too.
    let ended = requested(&notice("connection.destroyed", Some(&connection)));
    let other = requested(&notice("connection.destroyed", Some(&base32("D0"))));
    let (_, printed, errors) = import(&mut collector, &[logs.file("events", [ended, other].join("\n"))]);
    let said = "0 sessions of connections, 0 are here already, 1 go on, 1 have no statistics; 2 lines, 0 left out;";
    assert!(printed.contains(said), "{printed}{errors}");
    let session = collector.session(&id).await;
    assert_eq!((&session["closeCode"], &session["state"]), (&json!(1000), &json!("ended")));
    assert_eq!(collector.dump(&id).await.1.iter().filter(|line| line.starts_with("[\"close\"")).count(), 1);
    assert_eq!(collector.sessions().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_and_logged_requests_are_pushes_like_those_of_entries() {
    let mut collector = start(&[]);
    let connection = base32("KK");
    let push = |number: i64| body(&connection, number * 1000, &counting(number));
    let mut anothers = push(2);
    anothers["client_id"] = json!("bob");
    let node = json!({"type": "node.erlang-vm", "id": base32("N"), "timestamp": time(0), "label": "rooms", "version": "2025.1.0",
        "node_name": "sora@10.0.0.1", "stats": [{"type": "erlang-vm-memory", "total": 5}]});
    let logs = Logs::new();
    let requests = [vec![requested(&push(1))], logged(&push(1))].concat();
    let shipped = (3..5).flat_map(|number| logged(&push(number))).enumerate().map(|(at, line)| {
        let mut line: Value = serde_json::from_str(&line).unwrap();
        line["date"] = json!(at as f64 + 0.5);
        line.to_string()
    });
    let files = [
        logs.file("bodies", [push(0), anothers, node].map(|body| body.to_string()).join("\n")),
        logs.file("stats_webhook.jsonl", requests.join("\n")),
        logs.file("shipped", shipped.collect::<Vec<_>>().join("\n")),
    ];
    let (success, printed, errors) = import(&mut collector, &files);
    assert!(success, "{errors}");
    assert!(
        errors.contains("bodies: line 2: client_id is another one than that of the connection's session"),
        "{errors}"
    );
    let said = "2 sessions of connections, 0 are here already; 10 lines, 1 left out, 2 repeated;";
    assert!(printed.contains(said), "{printed}");
    let (header, lines) = collector.dump(&session_of(&collector, &connection).await).await;
    assert_eq!(numbers(&lines), [0, 1, 3, 4]);
    assert_eq!((&header["user"], &header["url"]), (&json!("ann"), &json!("/sora/webhook/stats")));
    assert_eq!(lines.iter().filter(|line| line.starts_with("[\":sora.connection\"")).count(), 1, "{lines:?}");
    let nodes = collector.get("/api/v1/sessions?source=sora-node").await.json();
    let (_, lines) = collector.dump(nodes["sessions"][0]["id"].as_str().unwrap()).await;
    assert_eq!(lines.iter().filter(|line| line.contains("erlang-vm-memory")).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_begins_and_ends_at_the_same_times_in_whatever_order_its_logs_come() {
    let connection = base32("XRDER");
    let event = |kind: &str, millis: i64| {
        let mut event = notice(kind, Some(&connection).filter(|_| kind.starts_with("connection")).map(String::as_str));
        event["timestamp"] = json!(time(millis));
        event["id"] = json!(base32(&format!("{}{millis}", kind.replace('.', ""))));
        event
    };
    let mut created = event("connection.created", -70_000);
    let whole = json!({"client_id": "ann", "role": "sendrecv", "simulcast": false, "spotlight": false});
    created.as_object_mut().unwrap().extend(whole.as_object().unwrap().clone());
    // The day before, by half a minute; and a session of the channel that went on for an hour.
    let midnight = 24 * 3_600_000 - super::START % (24 * 3_600_000);
    let shifted = |mut body: Value| {
        let at = chrono::DateTime::parse_from_rfc3339(body["timestamp"].as_str().unwrap()).unwrap();
        body["timestamp"] = json!(time(at.timestamp_millis() - super::START + midnight + 30_000));
        body
    };
    let mut member = event("session.updated", 2500);
    let began = time(midnight + 30_000 - 80_000);
    member["connections"] = json!([{"connection_id": connection, "connection_created_timestamp": began}]);
    let pushes: Vec<String> =
        (0..3).flat_map(|number| logged(&shifted(body(&connection, number * 1000, &counting(number))))).collect();
    let logs = Logs::new();
    let files = [
        logs.file("stats", pushes.join("\n")),
        logs.file("created", requested(&shifted(created)) + "\n"),
        logs.file("updated", requested(&shifted(event("connection.updated", -35_000))) + "\n"),
        logs.file("destroyed", requested(&shifted(event("connection.destroyed", 5000))) + "\n"),
        logs.file("began", requested(&shifted(event("session.created", -7_200_000))) + "\n"),
        logs.file("over", requested(&shifted(event("session.destroyed", 3_600_000))) + "\n"),
        logs.file("member", requested(&shifted(member)) + "\n"),
    ];
    let mut told = Vec::new();
    for order in [
        vec![vec![0, 1, 2, 3, 4, 5, 6]],
        vec![vec![0], vec![5], vec![6], vec![3], vec![2], vec![4], vec![1]],
        vec![vec![4, 1, 3], vec![0, 5], vec![2], vec![6]],
    ] {
        let mut collector = start(&[]);
        for some in &order {
            let some: Vec<PathBuf> = some.iter().map(|at: &usize| files[*at].clone()).collect();
            let (success, printed, errors) = import(&mut collector, &some);
            assert!(success && !printed.contains("0 go on"), "{order:?}: {printed}{errors}");
        }
        let id = session_of(&collector, &connection).await;
        let session = collector.stored(&id).await;
        let of = |member: &str| session[member].clone();
        let times = (of("startTime"), of("endTime"), of("duration"));
        assert!(times.0.is_string() || times.0.is_i64(), "{session}");
        let (header, lines) = collector.dump(&id).await;
        assert_eq!(header["startTime"], super::START + midnight + 30_000 - 80_000, "{order:?}");
        assert_eq!(times.2, 85_000, "{order:?}: {session}");
        assert!(super::times(&lines).is_sorted(), "{order:?}: {lines:?}");
        // Its dump lies with those of its day, and there alone.
        assert_eq!(walk(&collector.dir.path().join("dumps")), 1, "{order:?}");
        told.push(times);
    }
    assert!(told.iter().all(|times| *times == told[0]), "{told:?}");
}

/// The same lines, but for the ids of their pushes.
fn without_ids(lines: &[String]) -> Vec<String> {
    let without = |line: &String| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line.as_object_mut().unwrap().remove("id");
        line.to_string()
    };
    lines.iter().map(without).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_cut_between_two_imports_is_whole() {
    let mut collector = start(&[]);
    let connections = [base32("CXT"), base32("CXTNOXD")];
    let of = |connection: &str| -> Vec<String> {
        let certificate = json!({"id": "CF1", "timestamp": super::START, "type": "certificate", "fingerprint": "1A"});
        let push = |number: i64| {
            let mut stats = counting(number);
            let more = ["X", "Y"]
                .map(|id| json!({"id": id, "timestamp": super::START, "type": "codec", "payloadType": number}));
            stats.as_array_mut().unwrap().extend(more.into_iter().chain([certificate.clone()]));
            body(connection, number * 1000, &stats)
        };
        (0..4).flat_map(|number| logged(&push(number))).collect()
    };
    let lines = [of(&connections[0]), without_ids(&of(&connections[1]))];
    let logs = Logs::new();
    // In the midst of one, of another, and of the last, which is newer than all; whatever comes first.
    let pieces = [(6, 8), (0, 6), (8, 17), (17, 20)];
    let file = |name: &str, (from, to): (usize, usize)| {
        let part: Vec<&str> = lines.iter().flat_map(|lines| &lines[from..to]).map(String::as_str).collect();
        logs.file(name, part.join("\n") + "\n")
    };
    for (at, piece) in pieces.into_iter().enumerate() {
        let (success, printed, errors) = import(&mut collector, &[file("piece", piece)]);
        let said =
            if at == 0 { "2 sessions of connections, 0 are here already;" } else { "0 are here already, 2 go on;" };
        assert!(success && printed.contains(said), "{at}: {printed}{errors}");
    }
    let mut dumps = Vec::new();
    for connection in &connections {
        let id = session_of(&collector, connection).await;
        let (_, stored) = collector.dump(&id).await;
        let reports = super::reports(&stored);
        assert_eq!(reports.len(), 4, "{stored:?}");
        for (number, (_, report)) in reports.iter().enumerate() {
            let said: Vec<(&str, Option<i64>)> =
                report.iter().map(|(id, entry)| (id.as_str(), entry["payloadType"].as_i64())).collect();
            let number = Some(number as i64);
            assert_eq!(said, [("CP1", None), ("T01", None), ("X", number), ("Y", number)], "{stored:?}");
        }
        assert!(super::times(&stored).is_sorted(), "{stored:?}");
        let sql = format!("SELECT payload_type FROM stats_codec WHERE session_id = '{id}' ORDER BY time, stats_id");
        assert_eq!(collector.query(&sql).await.len(), 8);
        dumps.push((id, stored));
    }
    // All of it once more, in one and in pieces, changes nothing.
    for piece in [(0, 20), (6, 8), (17, 20)] {
        let (_, printed, _) = import(&mut collector, &[file("again", piece)]);
        assert!(printed.contains("0 sessions of connections, 2 are here already;"), "{printed}");
    }
    for (id, stored) in dumps {
        assert_eq!(collector.dump(&id).await.1, stored);
    }
    // What could be read of a file that is cut off is told again when all of it comes.
    let torn = base32("CXTTXRN");
    let whole = gzip((of(&torn).join("\n") + "\n").as_bytes());
    let (_, printed, _) = import(&mut collector, &[logs.file("torn.gz", &whole[..whole.len() - 40])]);
    assert!(printed.contains("it cannot be read beyond"), "{printed}");
    let (_, printed, _) = import(&mut collector, &[logs.file("whole.gz", &whole)]);
    assert!(printed.contains("1 go on;"), "{printed}");
    let (_, stored) = collector.dump(&session_of(&collector, &torn).await).await;
    let reports = super::reports(&stored);
    assert_eq!(reports.iter().map(|(_, report)| report.len()).collect::<Vec<_>>(), [4, 4, 4, 4], "{stored:?}");
}

/// Runs an import, and says how much memory it had at most, in KiB.
fn memory(dir: &Path, files: &[PathBuf]) -> (String, String, u64) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtctrace"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RTCTRACE_")) {
        command.env_remove(name);
    }
    command.args(arguments(files)).env("RTCTRACE_DATA_DIR", dir).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let (id, mut highest) = (child.id(), 0);
    let output = std::thread::spawn(move || child.wait_with_output().unwrap());
    while let Some(now) = highest_memory(id).filter(|_| !output.is_finished()) {
        highest = highest.max(now);
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = output.join().unwrap();
    let (printed, errors) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{printed}{errors}");
    (printed, errors, highest)
}

#[test]
fn neither_a_push_nor_a_line_without_an_end_takes_memory() {
    if crate::ON_POSTGRES {
        return;
    }
    let (logs, dir) = (Logs::new(), tempfile::tempdir().unwrap());
    let path = logs.0.path().join("log");
    let mut log = BufWriter::new(File::create(&path).unwrap());
    let good = logged(&body(&base32("EE"), 0, &counting(1)));
    writeln!(log, "{}", good[0]).unwrap();
    log.write_all(&vec![b'x'; 40 << 20]).unwrap();
    writeln!(log, "\n{}", good[1]).unwrap();
    let endless = |number: usize| {
        let entry =
            json!({"id": number.to_string(), "timestamp": super::START, "type": "codec", "x": "y".repeat(20_000)});
        logged(&body(&base32("FF"), 0, &json!([entry]))).remove(0)
    };
    for number in 0..1000 {
        writeln!(log, "{}", endless(number)).unwrap();
    }
    log.flush().unwrap();
    let small = logs.file("small", logged(&body(&base32("GG"), 0, &counting(1))).join("\n"));
    let (_, _, least) = memory(dir.path(), &[small]);
    let (printed, errors, highest) = memory(dir.path(), &[path]);
    assert!(
        printed.contains("1 sessions of connections") && printed.contains("1003 lines, 1001 left out"),
        "{printed}"
    );
    assert!(errors.contains("line 2: it is longer than 16777216 bytes"), "{errors}");
    assert!(errors.contains("line 4 and 999 more: it is too large for a report: its "), "{errors}");
    assert!(highest < least + (100 << 10), "{highest} KiB, {least} KiB for a small one");
}

fn write_logs(logs: &Logs, connections: usize, bytes: usize) -> (Vec<PathBuf>, sora_log::Written) {
    let files = ["rtc_stats.jsonl", "session_webhook.jsonl"].map(|name| logs.0.path().join(name));
    let [mut stats, mut webhooks] = files.each_ref().map(|path| BufWriter::new(File::create(path).unwrap()));
    let clients: Vec<Value> = clients::all().into_iter().map(|(_, client)| client).collect();
    let written = sora_log::write_stats(&clients, connections, bytes, 5000, &mut stats).unwrap();
    sora_log::write_webhooks(connections, written.pushes, &mut webhooks).unwrap();
    (stats.flush().and(webhooks.flush()).map(|()| files.to_vec()).unwrap(), written)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_killed_is_done_by_the_next_one() {
    let mut collector = start(&[]);
    let logs = Logs::new();
    let (files, written) = write_logs(&logs, 60, 3_000_000);
    let data = collector.dir.path().to_owned();
    tokio::task::block_in_place(|| collector.stop());
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtctrace"));
    command.args(arguments(&files)).env("RTCTRACE_DATA_DIR", &data).stdout(Stdio::null()).stderr(Stdio::null());
    command.envs(collector.server.as_ref().map(|server| (DATABASE_URL, server.url.as_str())));
    let mut child = command.spawn().unwrap();
    let waits = Instant::now();
    let stored = || walk(&data.join("dumps"));
    while stored() < 5 {
        assert!(waits.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none(), "too late");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(stored() < 60, "it was killed on its way");
    collector.restart();
    let (success, printed, errors) = import(&mut collector, &files);
    assert!(success, "{printed}{errors}");
    let count = |what: &str| {
        let before = printed.split(what).next().unwrap();
        before.rsplit([' ', '\n']).next().unwrap().parse::<usize>().unwrap()
    };
    let (new, known) = (count(" sessions of connections"), count(" are here already"));
    assert!(new + known == 60 && known >= 5, "{printed}");
    assert_eq!(std::fs::read_dir(data.join("import")).unwrap().count(), 0, "nothing is left behind");
    let sessions = until("all are stored", async || {
        let sessions = collector.get("/api/v1/sessions?limit=100").await.json()["sessions"].as_array().unwrap().clone();
        (sessions.len() == 60 && sessions.iter().all(|session| session["dumpBytes"].is_u64())).then_some(sessions)
    })
    .await;
    for session in sessions.iter().step_by(7) {
        let (_, lines) = collector.dump(session["id"].as_str().unwrap()).await;
        assert_eq!(super::reports(&lines).len(), written.pushes, "each push is there once");
    }
}

/// How many files are in a folder, and in those that are in it.
fn walk(dir: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .map(
            |path| {
                if path.is_dir() { walk(&path) } else { usize::from(path.extension().is_some_and(|end| end == "gz")) }
            },
        )
        .sum()
}

/// Imports a log of so many bytes; says what was printed, and the most memory in KiB.
fn measure(connections: usize, bytes: usize) -> (String, u64) {
    let (logs, dir) = (Logs::new(), tempfile::tempdir().unwrap());
    let (files, written) = write_logs(&logs, connections, bytes);
    let (printed, errors, highest) = memory(dir.path(), &files);
    assert!(printed.contains(&format!("{connections} sessions of connections, 0 are here already")), "{printed}");
    assert!(printed.contains(&format!(", {} left out", written.bad.len())), "{printed}");
    for number in written.bad.iter().take(20) {
        assert!(errors.contains(&format!(": line {number}: ")), "{number}: {errors}");
    }
    assert_eq!(walk(&dir.path().join("dumps")), connections);
    (printed, highest)
}

#[test]
fn a_log_of_many_connections_is_imported_with_its_bad_lines_named() {
    if !crate::ON_POSTGRES {
        let (printed, highest) = measure(300, 4_000_000);
        assert!(highest < 200 << 10, "{highest} KiB: {printed}");
    }
}

#[test]
#[ignore = "a measurement"]
fn a_log_of_a_hundred_megabytes_is_imported() {
    let setting = |name: &str, default: usize| std::env::var(name).map_or(default, |value| value.parse().unwrap());
    let (connections, megabytes) = (setting("CONNECTIONS", 1000), setting("MEGABYTES", 100));
    let used = children();
    let (printed, highest) = measure(connections, megabytes * 1_000_000);
    let used = children() - used;
    println!("{printed}{:.4} CPU s per MB, {} MB of memory", used / megabytes as f64, highest / 1024);
    assert!(highest < 200 << 10, "{highest} KiB");
}

/// CPU seconds of all processes that were started here and have ended.
fn children() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    let times: Vec<f64> = fields.skip(13).take(2).map(|ticks| ticks.parse().unwrap()).collect();
    times.iter().sum::<f64>() / 100.0
}

#[tokio::test]
async fn an_upload_of_a_log_is_told_where_it_belongs() {
    let collector = start(&[]);
    let log = logged(&body(&base32("HH"), 0, &counting(1))).join("\n");
    for log in [log.clone().into_bytes(), gzip(log.as_bytes())] {
        let answer = collector.request_bytes("POST", "/api/v1/dumps", "", &log).await;
        let detail = answer.problem(422, "bad-dump");
        assert!(detail.contains("log of Sora's") && detail.contains("`rtctrace import`"), "{detail}");
    }
    assert!(collector.sessions().await.is_empty());
}
