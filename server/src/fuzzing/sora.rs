//! An input as what the SFU Sora sends: steps, one after the other, with a record separator (0x1e) behind each, while a connection is there of
//! which nothing wrong is said. Its requests come by HTTP/1.1 and from behind the listener's door, so that any of them gets as far as its body.

use std::collections::{HashMap, HashSet};

use rtctrace_protocol::dump::DumpReader;
use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::line::Line;
use rtctrace_protocol::sora::{EVENT, Notice, Push, STATS, Subject};
use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::rules;
use super::script::NEXT;
use super::world::{self, Running, World};
use crate::session::SessionId;
use crate::store::sessions;

/// Steps that are worth their time.
const STEPS: usize = 32;
/// A header is no longer.
const LONGEST_HEADER: usize = 200;
/// Stands before what tells bodies without an id from each other; no id has such a character.
const SUM: &str = "\0";
const STATS_PATH: &str = "/sora/webhook/stats";

/// One thing that Sora does. Where a header is said, it is the rest of the first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step<'a> {
    /// A body to one of the routes, with the header that tells its type, if there is one.
    Post(&'static str, Option<(&'static str, &'a [u8])>, &'a [u8]),
    /// The last body once more.
    Repeat,
    /// Bytes that are no request, or one of the input's own making.
    Raw(&'a [u8]),
    /// The process is killed, and a new one started.
    Crash,
}

fn steps(input: &[u8]) -> impl Iterator<Item = Step<'_>> {
    input.split(|byte| *byte == NEXT).take(STEPS).map(|step| match step {
        [b'e', body @ ..] => Step::Post("/collector", None, body),
        [b's', body @ ..] => Step::Post("/sora/webhook/session", None, body),
        [b'v', body @ ..] => Step::Post("/sora/webhook/event", None, body),
        [b'E', rest @ ..] => headed("/collector", "x-sora-stats-exporter-type", rest),
        [b'P', rest @ ..] => headed(STATS_PATH, "sora-stats-webhook-type", rest),
        [b'S', rest @ ..] => headed("/sora/webhook/session", "sora-session-webhook-type", rest),
        [b'V', rest @ ..] => headed("/sora/webhook/event", "sora-event-webhook-type", rest),
        [b'C', rest @ ..] => headed(STATS_PATH, "content-type", rest),
        [b'r', ..] => Step::Repeat,
        [b'w', bytes @ ..] => Step::Raw(bytes),
        [b'k', ..] => Step::Crash,
        [b'p', body @ ..] | body => Step::Post(STATS_PATH, None, body),
    })
}

fn headed<'a>(path: &'static str, name: &'static str, rest: &'a [u8]) -> Step<'a> {
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(0).min(LONGEST_HEADER);
    let (value, body) = rest.split_at(end);
    Step::Post(path, Some((name, value)), body)
}

/// A push that was answered 204: of which connection or node, the method of its line, when, and its id.
type Stamp = (String, String, i64, String);

fn stamp_of(push: &Push<'_>) -> Stamp {
    let name = push.connection.as_ref().map_or(&push.sender.node_name, |connection| &connection.connection_id);
    let id = push.sender.id.as_deref().unwrap_or_default();
    let method = if push.subject == Subject::Client { "getStats" } else { STATS };
    (name.to_string(), method.to_owned(), push.sender.timestamp, id.to_owned())
}

/// Takes an input.
pub(super) fn run(input: &[u8]) {
    world::with(|world| async move { drive(&world, input).await });
}

async fn drive(world: &World, input: &[u8]) {
    let mut running = world.start();
    let neighbour = Neighbour::join(world, &running).await;
    let (mut told, mut last) = (HashSet::new(), None);
    for step in steps(input) {
        let (path, header, body) = match step {
            Step::Post(path, header, body) => (path, header, body),
            Step::Repeat => match last {
                Some(last) => last,
                None => continue,
            },
            Step::Raw(bytes) => {
                Client::for_sora(world, &running.app).finish(bytes).await;
                continue;
            }
            Step::Crash => {
                rules::settle(&running).await;
                running.stop();
                running = world.start();
                continue;
            }
        };
        last = Some((path, header, body));
        let answer = post(world, &running, path, header, body).await;
        assert!(
            matches!(answer.status, 204 | 400 | 503),
            "{path} answers {}: {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        if answer.status == 204 && matches!(path, "/collector" | STATS_PATH) {
            told.insert(stamp_of(&Push::read(body).expect("what is taken is a push")));
        }
    }
    neighbour.part(world, &running, &mut told).await;
    hold(world, running, &told, input).await;
}

async fn post(world: &World, running: &Running, path: &str, header: Option<(&str, &[u8])>, body: &[u8]) -> Answer {
    let mut head =
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    let (name, value) = header.unwrap_or(("content-type", b"application/json"));
    if name != "content-type" {
        head.push_str("Content-Type: application/json\r\n");
    }
    // What ends a header would begin another one.
    let value: String = value.iter().map(|byte| char::from(*byte)).filter(|char| (' '..='~').contains(char)).collect();
    head.push_str(&format!("{name}: {value}\r\n\r\n"));
    Client::for_sora(world, &running.app).ask(&head, body).await
}

/// Looks at everything, and leaves nothing behind.
async fn hold(world: &World, running: Running, told: &HashSet<Stamp>, input: &[u8]) {
    rules::settle(&running).await;
    let known = rules::known(world, &running).await;
    running.stop();

    let running = world.start();
    rules::remembers(&running.app.registry, &known).await;
    let mut texts = HashMap::new();
    if rules::goes_on(input) {
        // Of a connection that nobody named since a crash nothing is in memory.
        for name in world.files("spool") {
            let text = std::fs::read_to_string(world.config.spool_dir().join(&name)).unwrap();
            texts.insert(name.strip_suffix(".jsonl").unwrap().parse::<SessionId>().unwrap(), text);
        }
        running.stop();
        world.empty_spool();
    } else {
        rules::end_all(world, running).await;
    }
    let stored = rules::stored(world).await;
    // Others give their sessions the same names.
    for id in texts.keys() {
        sessions::remove(&world.stores.database, *id).await.unwrap();
    }
    for (id, text) in stored {
        is_in_order(&text);
        texts.insert(id, text);
    }
    world.forget_announced();
    let mut found = HashSet::new();
    for text in texts.values() {
        let stamps = stamps(text);
        let all = stamps.len();
        let stamps: HashSet<Stamp> = stamps.into_iter().collect();
        assert_eq!(stamps.len(), all, "what was said twice is there once");
        // Of what comes without an id, this asks no more than for one of that time.
        found.extend(stamps.into_iter().map(|(name, method, time, id)| {
            let id = if id.starts_with(SUM) { String::new() } else { id };
            (name, method, time, id)
        }));
    }
    for stamp in told {
        assert!(found.contains(stamp), "what was answered 204 is there: {stamp:?} of {found:?}");
    }
}

/// The stamps of a dump's lines, in their order.
fn stamps(text: &str) -> Vec<Stamp> {
    let dump = DumpReader::open(text.as_bytes()).unwrap();
    let name = dump.metadata().get("clientSession").and_then(RawValue::as_str).unwrap().into_owned();
    let mut stamps = Vec::new();
    for line in rules::lines_of(text) {
        let line = Line::parse(&line).unwrap();
        let method = line.method();
        // What is told of a session stands in its connections' lines, and by their time.
        if method == EVENT && line.extra().is_empty() {
            assert_eq!(line.value().get("type").and_then(RawValue::as_str).as_deref(), Some("session.created"));
            continue;
        }
        if matches!(&*method, "getStats" | STATS | EVENT) {
            let stamp = line.extra().last().unwrap().text();
            let sum = line.extra().last().and_then(|stamp| stamp.get("crc32"));
            let envelope = format!(r#"{{"type":"x","label":"x","version":"x","node_name":"x",{}"#, &stamp[1..]);
            let sender = Notice::read(envelope.as_bytes()).unwrap().sender;
            let id = sender.id.as_deref().unwrap_or_default().to_owned();
            let id = sum.map_or(id, |sum| format!("{SUM}{}", sum.text()));
            stamps.push((name.clone(), method.into_owned(), sender.timestamp, id));
        }
    }
    stamps
}

/// Lines are by their times, and the last is the end.
fn is_in_order(text: &str) {
    let stamps = stamps(text);
    assert!(stamps.is_sorted_by_key(|(_, _, time, _)| *time), "{stamps:?}");
    let lines = rules::lines_of(text);
    let ends = lines.iter().filter(|line| line.starts_with("[\"close\",null,")).count();
    assert!(ends == 1 && lines.last().unwrap().starts_with("[\"close\",null,"), "{text}");
}

/// A connection of which nothing wrong is said.
struct Neighbour {
    connection: String,
    session: String,
}

impl Neighbour {
    async fn join(world: &World, running: &Running) -> Self {
        // Digits of base 16 are digits of base 32.
        let id = || SessionId::new().to_string().replace('-', "").to_ascii_uppercase()[6..].to_owned();
        let neighbour = Self { connection: id(), session: id() };
        neighbour.says(world, running, 1).await;
        neighbour
    }

    async fn says(&self, world: &World, running: &Running, number: u8) -> Stamp {
        let body = body(&self.connection, &self.session, number, &json!([entry(number)])).to_string();
        let answer = post(world, running, STATS_PATH, None, body.as_bytes()).await;
        assert_eq!(answer.status, 204, "a neighbour is heard: {}", String::from_utf8_lossy(&answer.body));
        stamp_of(&Push::read(body.as_bytes()).unwrap())
    }

    /// What is said of it last, and that all of it is there.
    async fn part(self, world: &World, running: &Running, told: &mut HashSet<Stamp>) {
        let last = self.says(world, running, 2).await;
        let of_it = running
            .app
            .registry
            .held_now()
            .into_iter()
            .find(|handle| handle.origin.client_session.as_deref() == Some(self.connection.as_str()));
        assert_eq!(of_it.map(|handle| handle.snapshot().lines), Some(3), "a neighbour's lines are all there");
        told.insert((last.0.clone(), last.1.clone(), last.2 - 1_000_000, "PUSH1".to_owned()));
        told.insert(last);
    }
}

fn entry(number: u8) -> Value {
    json!({"id": "T01", "type": "transport", "timestamp": 1_795_983_300_000_i64 + i64::from(number), "bytesSent": number})
}

fn body(connection: &str, session: &str, number: u8, stats: &Value) -> Value {
    json!({
        "type": "connection.rtc", "id": format!("PUSH{number}"), "timestamp": format!("2026-11-29T20:15:0{number}.000000Z"),
        "label": "a", "version": "2025.2.1", "node_name": "sora@10.0.0.1", "role": "sendrecv", "simulcast": false, "spotlight": false,
        "channel_id": "c", "client_id": "u", "session_id": session, "connection_id": connection, "stats": stats,
    })
}

/// What a search begins with.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let (connection, other, session) = ("A".repeat(26), "B".repeat(26), "C".repeat(26));
    let report = |number: u8| {
        json!([
            entry(number),
            {"id": "ITA", "type": "inbound-rtp", "kind": "audio", "timestamp": 1_795_983_300_000.125, "jitter": 0.5, "transportId": "T01"},
            {"id": "I1", "type": "local-candidate", "timestamp": 1, "address": "192.0.2.7", "candidateType": "host", "priority": 18_446_744_073_709_551_615_u64},
        ])
    };
    let push = |number: u8| body(&connection, &session, number, &report(number));
    let of_type = |kind: &str, number: u8| {
        let mut push = push(number);
        push["type"] = json!(kind);
        push
    };
    let counters = |number: u8| {
        let mut push = of_type("connection.sora", number);
        push["stats"] = json!({"rtp": {"total_received": number}});
        push
    };
    let node = json!({"type": "node.erlang-vm", "id": "N", "timestamp": "2026-11-29T20:15:00Z", "label": "a", "version": "1",
        "node_name": "sora@10.0.0.1", "stats": [{"type": "erlang-vm-memory", "total": 5}]});
    let notice = |kind: &str, more: Value| {
        let mut notice = json!({"type": kind, "id": kind, "timestamp": "2026-11-29T20:15:01.5Z", "label": "a", "version": "1", "node_name": "n",
            "channel_id": "c", "session_id": session});
        notice.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        notice
    };
    let member = |connection: &str, destroyed: Value| json!({"connection_id": connection, "connection_destroyed_timestamp": destroyed});
    let created = notice("connection.created", json!({"connection_id": connection}));
    let destroyed = notice("connection.destroyed", json!({"connection_id": connection}));
    let members =
        json!({"connections": [member(&connection, Value::Null), member(&other, json!("2026-11-29T20:15:09Z"))]});
    let without_id = |number: u8, sent: u8| {
        let mut push = push(number);
        push["stats"][0]["bytesSent"] = json!(sent);
        push.as_object_mut().unwrap().remove("id");
        push
    };
    let scripts: [Vec<String>; 12] = [
        vec![format!("p{}", without_id(1, 1)), format!("p{}", without_id(1, 2)), "r".to_owned(), "k".to_owned(), "r".to_owned(), format!("p{}", without_id(1, 1))],
        vec![format!("s{}", notice("session.created", json!({"connections": []}))), "k".to_owned(), format!("p{}", push(1)), "k".to_owned(), format!("p{}", push(2))],
        (1..6).map(|number| format!("p{}", push(number))).collect(),
        vec![format!("p{}", push(2)), format!("p{}", push(1)), "r".to_owned(), "k".to_owned(), format!("p{}", push(2)), format!("p{}", push(3))],
        vec![format!("Econnection.user-agent\n{}", of_type("connection.user-agent", 1)), format!("Enode.erlang-vm\n{node}"), "r".to_owned()],
        vec![format!("Pconnection.sora\n{}", counters(1)), format!("p{}", push(1)), "k".to_owned(), format!("p{}", counters(2)), "r".to_owned()],
        vec![format!("p{}", push(1)), format!("v{created}"), format!("Vconnection.destroyed\n{destroyed}"), format!("p{}", push(2)), "k".to_owned(), format!("p{}", push(3))],
        vec![format!("p{}", push(1)), format!("p{}", body(&other, &session, 1, &report(1))), format!("Ssession.updated\n{}", notice("session.updated", members)), "r".to_owned()],
        vec![format!("p{}", push(1)), format!("s{}", notice("session.destroyed", json!({}))), format!("p{}", push(2))],
        vec![format!("Capplication/json; charset=utf-8\n{}", push(1)), format!("Ctext/plain\n{}", push(2)), "e{}".to_owned(), "p".to_owned()],
        vec!["wPOST /collector HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n".to_owned(), "wGET /.ok HTTP/1.1\r\n\r\n".to_owned()],
        vec![format!("p{}", body(&connection, &session, 1, &json!([]))), format!("p{}", of_type("node.erlang-vm", 3)), format!("p{}", push(0))],
    ];
    let separator = char::from(NEXT).to_string();
    scripts.iter().map(|steps| steps.join(&separator).into_bytes()).collect()
}
