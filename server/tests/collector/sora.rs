//! The SFU Sora pushes: what is answered 204 is in a session's dump once, by its time and with its values, whatever comes how often,
//! over which connection, and in which order.

#[path = "sora/clients.rs"]
mod clients;
#[path = "sora/counters.rs"]
mod counters;
#[path = "sora/crashes.rs"]
mod crashes;
#[path = "sora/load.rs"]
mod load;
#[path = "sora/logs.rs"]
mod logs;
#[path = "sora/privacy.rs"]
mod privacy;
#[path = "sora/storms.rs"]
mod storms;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Method;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Map, Value, json};
use tokio::net::TcpStream;

use crate::support::*;

const JSON: (&str, &str) = ("content-type", "application/json");
/// 2026-11-29T20:15:00Z.
const START: i64 = 1_795_983_300_000;

/// A collector that listens for Sora.
pub(crate) fn start(settings: &[(&str, &str)]) -> Collector {
    Collector::start(&[settings, &[("RTCTRACE_SORA_LISTEN", "127.0.0.1:0")]].concat())
}

/// A connection as Sora keeps it open.
#[derive(Clone)]
enum Link {
    Http1(String),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Link {
    async fn http2(collector: &Collector) -> Self {
        let stream = TcpStream::connect(&collector.sora).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self::Http2(sender)
    }

    fn http1(collector: &Collector) -> Self {
        Self::Http1(collector.sora.clone())
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Option<Answer> {
        self.ask(Method::POST, path, headers, body.into()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], Bytes::new()).await.unwrap()
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Bytes) -> Option<Answer> {
        let address = if let Self::Http1(address) = self { address } else { "sora.test" };
        let uri = if let Self::Http1(_) = self { path.to_owned() } else { format!("http://{address}{path}") };
        let mut request = hyper::Request::builder().method(method).uri(uri);
        if let Self::Http1(_) = self {
            request = request.header("host", address);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).unwrap();
        let response = match self {
            Self::Http1(address) => {
                let stream = TcpStream::connect(address).await.ok()?;
                let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
                tokio::spawn(connection);
                sender.send_request(request).await.ok()?
            }
            Self::Http2(sender) => {
                let mut sender = sender.clone();
                sender.ready().await.ok()?;
                sender.send_request(request).await.ok()?
            }
        };
        Answer::of(response).await
    }

    /// The status of the answer to a push; 0 if there is none.
    async fn push(&self, body: &Value) -> u16 {
        let (path, header) = match body["type"].as_str() {
            Some("connection.user-agent" | "node.erlang-vm") => ("/collector", "x-sora-stats-exporter-type"),
            _ => ("/sora/webhook/stats", "sora-stats-webhook-type"),
        };
        let kind = body["type"].as_str().unwrap();
        self.post(path, &[JSON, (header, kind)], body.to_string()).await.map_or(0, |answer| answer.status)
    }

    async fn tell(&self, path: &str, notice: &Value) {
        let answer = self.post(path, &[JSON], notice.to_string()).await.unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (204, ""));
    }
}

/// 26 characters of base32.
fn base32(name: &str) -> String {
    format!("{name:0<26}").to_ascii_uppercase().replace(['I', 'L', 'O', 'U'], "X")
}

fn time(millis: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(START + millis).unwrap();
    time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// A push of a connection, `millis` after the start.
fn body(connection: &str, millis: i64, stats: &Value) -> Value {
    json!({
        "type": "connection.rtc", "id": base32(&format!("P{millis}")), "timestamp": time(millis), "label": "rooms", "version": "2025.2.1",
        "node_name": "sora@10.0.0.1", "role": "sendrecv", "simulcast": false, "spotlight": false, "channel_id": "standup", "client_id": "ann",
        "session_id": base32("CHANNEL"), "connection_id": connection, "bundle_id": connection, "stats": stats,
    })
}

/// A small report that says which push it is of.
fn counting(number: i64) -> Value {
    json!([
        {"id": "T01", "timestamp": START + number * 1000, "type": "transport", "bytesSent": number, "dtlsState": "connected", "selectedCandidatePairId": "CP1"},
        {"id": "CP1", "timestamp": START + number * 1000, "type": "candidate-pair", "bytesSent": 2 * number, "state": "succeeded"},
    ])
}

fn notice(kind: &str, connection: Option<&str>) -> Value {
    let mut notice = json!({
        "type": kind, "id": base32(&kind.replace('.', "")), "timestamp": time(60_000), "label": "rooms", "version": "2025.2.1",
        "node_name": "sora@10.0.0.1", "channel_id": "standup", "session_id": base32("CHANNEL"),
    });
    if let Some(connection) = connection {
        notice["connection_id"] = json!(connection);
    }
    notice
}

/// The session of a connection, once it is there.
async fn session_of(collector: &Collector, connection: &str) -> String {
    until("the connection is a session", async || {
        let list = collector.get(&format!("/api/v1/sessions?soraConnection={connection}")).await.json();
        Some(list["sessions"].as_array()?.first()?["id"].as_str()?.to_owned())
    })
    .await
}

/// What a dump says: the ids of pushes with their reports in full, in the order of the lines.
fn reports(lines: &[String]) -> Vec<(String, BTreeMap<String, Value>)> {
    let mut decoder = rtctrace_protocol::event::SessionDecoder::new();
    let mut ids: HashMap<String, String> = HashMap::new();
    let mut found = Vec::new();
    for line in lines {
        let event = decoder.decode(line).unwrap();
        let Some(report) = event.value.report() else { continue };
        let extra: Vec<Value> = event.extra.iter().map(|extra| serde_json::from_str(extra.text()).unwrap()).collect();
        for (short, id) in extra[0]["ids"].as_object().unwrap_or(&Map::new()) {
            ids.insert(short.clone(), id.as_str().unwrap().to_owned());
        }
        let mut text = String::new();
        report.write_json(&mut text);
        let report: Map<String, Value> = serde_json::from_str(&text).unwrap();
        let report = report.into_iter().map(|(short, entry)| (ids[&short].clone(), entry)).collect();
        found.push((extra.last().unwrap()["id"].as_str().unwrap_or_default().to_owned(), report));
    }
    found
}

fn numbers(lines: &[String]) -> Vec<i64> {
    reports(lines).iter().map(|(_, report)| report["T01"]["bytesSent"].as_i64().unwrap()).collect()
}

/// The rows of the transport, by their times.
async fn rows(collector: &Collector) -> Vec<i64> {
    let rows = collector.query("SELECT bytes_sent FROM stats_transport ORDER BY time").await;
    rows.iter().map(|row| row["bytes_sent"].as_i64().unwrap()).collect()
}

fn times(lines: &[String]) -> Vec<f64> {
    let mut decoder = rtctrace_protocol::event::SessionDecoder::new();
    lines.iter().map(|line| decoder.decode(line).unwrap().time).collect()
}

#[tokio::test]
async fn whatever_a_client_says_is_read_back_value_by_value() {
    let collector = start(&[("RTCTRACE_PRIVACY_ADDRESSES", "false")]);
    let (by_http2, by_http1) = (Link::http2(&collector).await, Link::http1(&collector));
    for (number, (name, stats)) in clients::all().into_iter().enumerate() {
        let connection = base32(name);
        let mut push = body(&connection, 0, &stats);
        let link = if number % 2 == 0 { &by_http2 } else { &by_http1 };
        if number == 0 {
            push["type"] = json!("connection.user-agent");
            push["multistream"] = json!(true);
        }
        assert_eq!(link.push(&push).await, 204, "{name}");
        link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&connection))).await;
        let id = session_of(&collector, &connection).await;
        let (header, lines) = collector.dump(&id).await;
        assert_eq!(
            (&header["clientProtocol"], &header["conference"], &header["user"]),
            (&json!("sora"), &json!("standup"), &json!("ann"))
        );
        let ids = clients::assert_report(name, &stats, &reports(&lines)[0].1, &lines);
        clients::assert_rows(&collector, &id, name, &stats, &ids).await;
        let session = collector.session(&id).await;
        let said = (
            &session["source"],
            &session["dialect"],
            &session["conference"],
            &session["outcome"],
            &session["closeCode"],
        );
        assert_eq!(
            said,
            (&json!("sora"), &json!("sora"), &json!("standup"), &json!("connected"), &json!(1000)),
            "{session}"
        );
        let multistream = if number == 0 { json!(true) } else { Value::Null };
        assert_eq!(
            session["sora"],
            json!({
                "connectionId": connection, "sessionId": base32("CHANNEL"), "bundleId": connection, "role": "sendrecv",
                "multistream": multistream, "simulcast": false, "spotlight": false,
                "node": "sora@10.0.0.1", "version": "2025.2.1", "label": "rooms",
            })
        );
        let features = &session["features"]["connections"];
        assert_eq!(
            (&features[0]["id"], &features[0]["connected"]),
            (&json!(connection), &json!(true)),
            "{name}: {features}"
        );
        for untold in ["timeToFirstVideoPacket", "iceConnected", "numberOfNegotiations", "closed", "sdpSetFailures"] {
            assert_eq!(features[0][untold], Value::Null, "{name}: {untold}");
        }
        let kinds = stats.as_array().unwrap().iter().filter_map(|entry| entry["type"].as_str()?.strip_suffix("-rtp"));
        let streams: BTreeSet<String> = kinds.filter(|kind| !kind.starts_with("remote")).map(str::to_owned).collect();
        let tracks = collector.query(&format!("SELECT direction FROM features_track WHERE session_id = '{id}'")).await;
        let tracks: BTreeSet<String> =
            tracks.iter().map(|track| track["direction"].as_str().unwrap().to_owned()).collect();
        assert_eq!(tracks, streams, "{name}");
    }
    let of_channel =
        collector.get(&format!("/api/v1/sessions?soraSession={}&source=sora", base32("CHANNEL"))).await.json();
    assert_eq!(of_channel["sessions"].as_array().unwrap().len(), clients::all().len());
}

#[tokio::test]
async fn pushes_over_several_connections_are_there_once_and_by_their_times() {
    let collector = start(&[]);
    let mut links = Vec::new();
    for _ in 0..3 {
        links.push(Link::http2(&collector).await);
    }
    let connection = base32("AABB");
    // Two late ones of three, and every fifth once more.
    let mut order: Vec<i64> = (0..60).map(|number| number / 3 * 3 + 2 - number % 3).collect();
    order.extend((0..60).step_by(5));
    order.swap(7, 40);
    for (at, number) in order.iter().enumerate() {
        let push = body(&connection, number * 1000, &counting(*number));
        assert_eq!(links[at % links.len()].push(&push).await, 204);
    }
    let id = session_of(&collector, &connection).await;
    assert_eq!(collector.session(&id).await["lines"], 61, "one line for each push, and one for the connection");
    assert_eq!(collector.metric("rtctrace_duplicate_lines_total").await, 12.0);
    links[0].tell("/sora/webhook/event", &notice("connection.destroyed", Some(&connection))).await;
    let (_, lines) = collector.dump(&id).await;
    assert_eq!(numbers(&lines), (0..60).collect::<Vec<_>>());
    assert!(times(&lines).is_sorted(), "{lines:?}");
    let session = collector.session(&id).await;
    assert_eq!((&session["lines"], &session["duration"]), (&json!(63), &json!(60_000)));
    assert_eq!(rows(&collector).await, (0..60).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_session_goes_on_after_a_restart_and_after_its_end() {
    let mut collector = start(&[("RTCTRACE_SORA_IDLE_TIMEOUT", "1s")]);
    let connection = base32("ZZ");
    let push = |number: i64| body(&connection, number * 1000, &counting(number));
    assert_eq!(Link::http2(&collector).await.push(&push(1)).await, 204);
    collector.stop();
    collector.restart();
    let link = Link::http2(&collector).await;
    for number in [1, 2, 3] {
        assert_eq!(link.push(&push(number)).await, 204);
    }
    let id = session_of(&collector, &connection).await;
    let (_, lines) = collector.dump(&id).await;
    assert_eq!(numbers(&lines), [1, 2, 3]);
    let delta: Value = serde_json::from_str(&lines[2]).unwrap();
    let entry = &delta[2]["0"];
    assert_eq!((&entry["80"], &entry["123"]), (&json!(2), &Value::Null), "it builds on what was before: {lines:?}");
    assert_eq!(collector.session(&id).await["closeCode"], 1006, "nothing came");

    // What comes late belongs to it all the same, and what is repeated is known.
    for number in [5, 3, 4] {
        assert_eq!(link.push(&push(number)).await, 204);
    }
    link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&connection))).await;
    let (_, lines) = until("it is stored again", async || {
        let (header, lines) = collector.dump(&id).await;
        (numbers(&lines).len() == 5).then_some((header, lines))
    })
    .await;
    assert_eq!(numbers(&lines), [1, 2, 3, 4, 5]);
    let session = collector.session(&id).await;
    assert_eq!((&session["state"], &session["closeCode"]), (&json!("ended"), &json!(1000)));
    assert_eq!(collector.sessions().await.len(), 1);
    assert_eq!(rows(&collector).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn webhooks_end_what_they_are_about() {
    let collector = start(&[]);
    let link = Link::http1(&collector);
    let connections = ["D1", "D2", "D3"].map(base32);
    for connection in &connections {
        assert_eq!(link.push(&body(connection, 0, &counting(0))).await, 204);
    }
    let member = |connection: &str, destroyed: Value| json!({"connection_id": connection, "video_codec_type": "VP9", "connection_destroyed_timestamp": destroyed});
    let mut updated = notice("session.updated", None);
    updated["connections"] = json!([
        member(&connections[0], json!(time(30_000))),
        member(&connections[1], Value::Null),
        member(&base32("D9"), Value::Null)
    ]);
    link.tell("/sora/webhook/session", &updated).await;
    let first = session_of(&collector, &connections[0]).await;
    let (_, lines) = collector.dump(&first).await;
    let event = lines.iter().find(|line| line.contains(":sora.event")).unwrap();
    assert!(event.contains("VP9") && !event.contains(&connections[1]), "{event}");
    let second = session_of(&collector, &connections[1]).await;
    assert_eq!(collector.session(&second).await["state"], "live");
    link.tell("/sora/webhook/session", &notice("session.destroyed", None)).await;
    for connection in &connections {
        let id = session_of(&collector, connection).await;
        assert_eq!(collector.stored(&id).await["closeCode"], 1000);
    }
    // Of nobody that is known: there is nothing to end.
    link.tell("/sora/webhook/event", &notice("connection.created", Some(&base32("D8")))).await;
    assert_eq!(collector.sessions().await.len(), 3);
    assert_eq!(collector.metric("rtctrace_bad_lines_total{reason=\"unknown_connection\"}").await, 2.0);
}

#[tokio::test]
async fn what_sora_counts_itself_is_kept() {
    let collector = start(&[("RTCTRACE_SORA_IDLE_TIMEOUT", "1s")]);
    let link = Link::http2(&collector).await;
    let connection = base32("E1");
    let mut counters = body(&connection, 0, &json!({"rtp": {"total_received": 7}}));
    counters["type"] = json!("connection.sora");
    assert_eq!(link.push(&counters).await, 204);
    assert_eq!(link.push(&body(&connection, 1000, &counting(1))).await, 204);
    let node = json!({"type": "node.erlang-vm", "id": base32("N"), "timestamp": time(0), "label": "rooms", "version": "2025.1.0",
        "node_name": "sora@10.0.0.1", "stats": [{"type": "erlang-vm-memory", "total": 5}]});
    assert_eq!(link.push(&node).await, 204);
    assert_eq!(link.push(&node).await, 204);
    let (_, lines) = collector.dump(&session_of(&collector, &connection).await).await;
    assert!(
        lines
            .iter()
            .any(|line| line
                .starts_with(&format!(r#"[":sora.stats","{connection}",[{{"rtp":{{"total_received":7}}}}],"#))),
        "{lines:?}"
    );
    let nodes = collector.get("/api/v1/sessions?source=sora-node").await.json();
    let (_, lines) = collector.dump(nodes["sessions"][0]["id"].as_str().unwrap()).await;
    assert_eq!(lines.iter().filter(|line| line.contains("erlang-vm-memory")).count(), 1);
}

#[tokio::test]
async fn a_push_of_thousands_of_entries_is_a_report_or_is_told_how_many_it_may_have() {
    let collector = start(&[]);
    let link = Link::http2(&collector).await;
    let many = |count: usize, bytes: usize| {
        let entry = |id: usize| json!({"id": format!("CXT{id}"), "timestamp": START, "type": "codec", "payloadType": id % 128, "sdpFmtpLine": "x".repeat(bytes)});
        Value::Array((0..count).map(entry).collect())
    };
    let connection = base32("MANY");
    // A line of more than 2 MiB.
    let long = body(&connection, 0, &many(2000, 1200));
    assert!(long.to_string().len() > 2 << 20);
    assert_eq!(link.push(&long).await, 204);
    let too_many = body(&connection, 1000, &many(17_000, 1)).to_string();
    let answer = link.post("/sora/webhook/stats", &[JSON], too_many).await.unwrap();
    let detail = answer.problem(400, "bad-request");
    assert!(detail.contains("17000 entries") && detail.contains("may have 16384 entries in 4194304 bytes"), "{detail}");
    assert_eq!(answer.json()["field"], "stats");
    assert_eq!(link.push(&body(&connection, 2000, &many(2, 1))).await, 204);
    link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&connection))).await;
    let (_, lines) = collector.dump(&session_of(&collector, &connection).await).await;
    let reports = reports(&lines);
    assert_eq!(reports.iter().map(|(_, report)| report.len()).collect::<Vec<_>>(), [2000, 2]);
    assert!(reports[0].1.values().all(|entry| entry["sdpFmtpLine"].as_str().unwrap().len() == 1200));
}

#[tokio::test]
async fn bodies_without_an_id_are_told_from_each_other_by_what_they_say() {
    let mut collector = start(&[]);
    let connection = base32("NOXD");
    let without_id = |mut body: Value| {
        body.as_object_mut().unwrap().remove("id");
        body
    };
    let push = |millis: i64, number: i64| without_id(body(&connection, millis, &counting(number)));
    let mut counters = push(0, 0);
    counters["type"] = json!("connection.sora");
    counters["stats"] = json!([{"rtp": {"total": 1}}]);
    let mut others = counters.clone();
    others["stats"] = json!([{"rtp": {"total": 2}}]);
    let mut updated = without_id(notice("connection.updated", Some(&connection)));
    let told = [updated.clone(), {
        updated["data"] = json!(2);
        updated
    }];
    let link = Link::http1(&collector);
    for restarts in [false, true] {
        if restarts {
            collector.crash();
            collector.restart();
        }
        let link = if restarts { Link::http1(&collector) } else { link.clone() };
        for body in [push(0, 1), push(0, 2), counters.clone(), others.clone(), push(1000, 3)] {
            // As JSON it is the same.
            let text = body.to_string().replace("\"stats\":[{", "\"stats\": [ {");
            assert_eq!(link.post("/sora/webhook/stats", &[JSON], text).await.unwrap().status, 204);
        }
        for event in &told {
            link.tell("/sora/webhook/event", event).await;
        }
    }
    let link = Link::http1(&collector);
    link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&connection))).await;
    let (_, lines) = collector.dump(&session_of(&collector, &connection).await).await;
    assert_eq!(numbers(&lines), [1, 2, 3]);
    let count = |method: &str| lines.iter().filter(|line| line.starts_with(&format!("[\":sora.{method}\""))).count();
    assert_eq!((count("stats"), count("event")), (2, 3), "{lines:?}");
}

#[tokio::test]
async fn what_does_not_validate_is_answered_with_the_members_name_and_costs_nothing_else() {
    let collector = start(&[]);
    let links = [Link::http2(&collector).await, Link::http1(&collector)];
    let good = body(&base32("F1"), 0, &counting(1));
    let without = |name: &str| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name);
        body.to_string().into_bytes()
    };
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body.to_string().into_bytes()
    };
    let text = good.to_string();
    let entry = |from: &str, to: &str| text.replacen(from, to, 1).into_bytes();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let kind = ("sora-stats-webhook-type", "connection.rtc");
    /// What is wrong, headers, a body.
    type Case = (&'static str, Vec<(&'static str, &'static str)>, Vec<u8>);
    let cases: Vec<Case> = vec![
        ("connection_id", vec![JSON], without("connection_id")),
        ("timestamp", vec![JSON], without("timestamp")),
        ("stats", vec![JSON], without("stats")),
        ("type", vec![JSON], with("type", json!("connection.unknown"))),
        ("role", vec![JSON], with("role", json!("both"))),
        ("simulcast", vec![JSON], with("simulcast", json!("true"))),
        ("stats[1].id", vec![JSON], entry("\"CP1\",\"state\"", "\"T01\",\"state\"")),
        ("stats[0].bytesSent", vec![JSON], entry("\"bytesSent\":1", "\"bytesSent\":1,\"bytesSent\":2")),
        ("role", vec![JSON], entry("\"role\":", "\"role\":\"sendrecv\",\"role\":")),
        ("stats[0].rtp.sent", vec![JSON], {
            let counters = with("stats", json!({"rtp": {"sent": 1}}));
            let counters = String::from_utf8(counters).unwrap().replace("connection.rtc", "connection.sora");
            counters.replace("\"sent\":1", "\"sent\":1,\"sent\":2").into_bytes()
        }),
        ("stats[0].timestamp", vec![JSON], with("stats", json!([{"id": "a", "type": "b", "timestamp": "now"}]))),
        ("client_id", vec![JSON], with("client_id", json!("x".repeat(256)))),
        ("body", vec![JSON], entry("\"bytesSent\":1", "\"bytesSent\":NaN")),
        ("body", vec![JSON], text.as_bytes()[..text.len() / 2].to_vec()),
        ("body", vec![JSON], [b"{\"type\":\"", &b"\xff\xfe"[..], b"\"}"].concat()),
        ("body", vec![JSON], entry("\"bytesSent\":1", &format!("\"bytesSent\":{deep}"))),
        ("body", vec![JSON], with("label", json!("x".repeat(10 << 20)))),
        ("body", vec![JSON], Vec::new()),
        ("content-type", vec![("content-type", "text/plain")], text.clone().into_bytes()),
        ("content-type", vec![], text.clone().into_bytes()),
        (
            "sora-stats-webhook-type",
            vec![JSON, ("sora-stats-webhook-type", "connection.sora")],
            text.clone().into_bytes(),
        ),
    ];
    for link in &links {
        for (field, headers, body) in &cases {
            let Some(answer) = link.post("/sora/webhook/stats", headers, body.clone()).await else {
                // By HTTP/1.1, who is refused before the end of his body may not hear of it.
                assert!(matches!(link, Link::Http1(_)) && body.len() > 1 << 20, "{field}");
                continue;
            };
            let detail = answer.problem(400, "bad-request");
            assert_eq!(answer.json()["field"], *field, "{detail}");
            let again = link
                .post("/sora/webhook/stats", &[("content-type", "application/json; charset=utf-8"), kind], text.clone())
                .await;
            assert_eq!(again.unwrap().status, 204, "behind {field}");
        }
    }
    let answer = links[0].post("/sora/webhook/event", &[JSON], "{\"type\":\"connection.destroyed\"}").await.unwrap();
    answer.problem(400, "bad-request");
    assert_eq!(answer.json()["field"], "timestamp");
    // Its row comes when the database has it.
    let sessions = until("it is listed", async || Some(collector.sessions().await).filter(|all| !all.is_empty())).await;
    assert_eq!((sessions.len(), &sessions[0]["lines"]), (1, &json!(2)));
}

#[tokio::test]
async fn a_webhook_that_says_all_of_a_connection_begins_its_session() {
    let mut collector = start(&[]);
    let link = Link::http2(&collector).await;
    let connection = base32("W1");
    let mut created = notice("connection.created", Some(&connection));
    created["timestamp"] = json!(time(-500));
    // Without its client and its role it begins nothing.
    link.tell("/sora/webhook/event", &created).await;
    assert_eq!(collector.metric("rtctrace_bad_lines_total{reason=\"unknown_connection\"}").await, 1.0);
    let whole = json!({ "client_id": "ann", "role": "sendrecv", "simulcast": true, "spotlight": false, "data": { "audio": true } });
    created.as_object_mut().unwrap().extend(whole.as_object().unwrap().clone());
    link.tell("/sora/webhook/event", &created).await;
    // It is told before anything is pushed, and is there after a crash.
    collector.crash();
    collector.restart();
    let link = Link::http2(&collector).await;
    let mut push = body(&connection, 0, &counting(1));
    push["client_id"] = json!("ann");
    assert_eq!(link.push(&push).await, 204);
    let id = session_of(&collector, &connection).await;
    let session = collector.session(&id).await;
    assert_eq!(
        (&session["user"], &session["conference"], &session["sora"]["role"]),
        (&json!("ann"), &json!("standup"), &json!("sendrecv"))
    );
    link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&connection))).await;
    let (_, lines) = collector.dump(&id).await;
    let methods: Vec<String> =
        lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap()[0].as_str().unwrap().to_owned()).collect();
    assert_eq!(methods, [":sora.event", ":sora.connection", "g", ":sora.event", "close"]);
    assert!(lines[0].contains("\"connection.created\"") && lines[0].contains("\"audio\":true"), "{}", lines[0]);
    // What is told again when it is over begins no other.
    link.tell("/sora/webhook/event", &created).await;
    until("it is over as it was", async || {
        let session = collector.session(&id).await;
        (session["state"] == "ended" && session["lines"] == lines.len()).then_some(())
    })
    .await;
    assert_eq!(collector.dump(&id).await.1, lines);
    assert_eq!(collector.sessions().await.len(), 1);
}

#[tokio::test]
async fn when_a_session_began_is_told_to_each_connection_that_comes_later() {
    let mut collector = start(&[]);
    let mut created = notice("session.created", None);
    let more = json!({"timestamp": time(-3_600_000), "connections": [], "metadata": {"room": "blue"}});
    created.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let [first, second, before, stranger] = ["S1", "S2", "S3", "S4"].map(base32);
    // Of one session, a connection is here already.
    let of_session = |connection: &str, session: &str, number: i64| {
        let mut push = body(connection, number * 1000, &counting(number));
        push["session_id"] = json!(base32(session));
        push
    };
    let link = Link::http1(&collector);
    assert_eq!(link.push(&of_session(&before, "CHANNEL", 0)).await, 204);
    assert_eq!(link.push(&of_session(&stranger, "QTHER", 0)).await, 204);
    link.tell("/sora/webhook/session", &created).await;
    let announced = collector.dir.path().join("announced");
    assert_eq!(std::fs::read_dir(&announced).unwrap().count(), 1);
    collector.crash();
    collector.restart();
    let link = Link::http1(&collector);
    for number in [1, 2] {
        assert_eq!(link.push(&of_session(&first, "CHANNEL", number)).await, 204);
    }
    assert_eq!(link.push(&of_session(&before, "CHANNEL", 3)).await, 204);
    // It is told again, and Sora's collector was away meanwhile.
    link.tell("/sora/webhook/session", &created).await;
    collector.stop();
    collector.restart();
    let link = Link::http1(&collector);
    for connection in [&first, &second, &before] {
        assert_eq!(link.push(&of_session(connection, "CHANNEL", 4)).await, 204);
    }
    link.tell("/sora/webhook/session", &notice("session.destroyed", None)).await;
    link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&stranger))).await;
    for (connection, methods, millis) in [
        (&first, vec![":sora.event", ":sora.connection", "g", "g", "g", ":sora.event", "close"], 59_000),
        (&second, vec![":sora.event", ":sora.connection", "g", ":sora.event", "close"], 56_000),
        (&before, vec![":sora.connection", "g", ":sora.event", "g", "g", ":sora.event", "close"], 60_000),
        (&stranger, vec![":sora.connection", "g", ":sora.event", "close"], 60_000),
    ] {
        let id = session_of(&collector, connection).await;
        let (_, lines) = collector.dump(&id).await;
        let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.iter().map(|line| line[0].as_str().unwrap()).collect::<Vec<_>>(), methods, "{lines:?}");
        let told: Vec<&Value> = lines.iter().filter(|line| line[2]["type"] == "session.created").collect();
        assert_eq!(told.len(), usize::from(connection != &stranger), "{lines:?}");
        assert!(
            told.iter().all(|line| line[2]["metadata"]["room"] == "blue" && line[2]["timestamp"] == time(-3_600_000))
        );
        // The session is older than its connections.
        assert_eq!(collector.session(&id).await["duration"], millis, "{lines:?}");
    }
    assert_eq!(std::fs::read_dir(&announced).unwrap().count(), 0, "it is over");
}

#[tokio::test]
async fn the_exporter_speaks_http2_only() {
    let collector = start(&[]);
    let mut push = body(&base32("G1"), 0, &counting(1));
    push["type"] = json!("connection.user-agent");
    let answer = Link::http1(&collector).post("/collector", &[JSON], push.to_string()).await.unwrap();
    answer.problem(400, "http-version");
    assert_eq!(Link::http2(&collector).await.push(&push).await, 204);
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

#[tokio::test]
async fn a_session_at_a_limit_goes_on_in_one_beside_it() {
    let collector = start(&[("RTCTRACE_LIMITS_SESSION_BYTES", "4KiB"), ("RTCTRACE_SORA_IDLE_TIMEOUT", "1s")]);
    let link = Link::http2(&collector).await;
    let connection = base32("K1");
    for number in 0..40 {
        assert_eq!(link.push(&body(&connection, number * 1000, &counting(number))).await, 204);
    }
    let sessions = until("all are stored", async || {
        let sessions = collector.sessions().await;
        (sessions.len() > 1 && sessions.iter().all(|session| session["dumpBytes"].is_u64())).then_some(sessions)
    })
    .await;
    let mut all = Vec::new();
    for session in sessions.iter().rev() {
        all.extend(numbers(&collector.dump(session["id"].as_str().unwrap()).await.1));
    }
    all.sort_unstable();
    assert_eq!(all, (0..40).collect::<Vec<_>>());
}
