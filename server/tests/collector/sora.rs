//! The SFU Sora pushes: what is answered 204 is in a session's dump once, by its time and with its values, whatever comes how often,
//! over which connection, and in which order.

#[path = "sora/bodies.rs"]
mod bodies;
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
#[path = "sora/sessions.rs"]
mod sessions;
#[path = "sora/storms.rs"]
mod storms;
#[path = "sora/webhooks.rs"]
mod webhooks;

use std::collections::{BTreeMap, HashMap};

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
