//! What the collector says of itself: log lines for programs, and spans to whoever takes OTLP.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::Value;

use crate::support::*;

#[tokio::test]
async fn log_lines_are_objects_if_a_program_reads_them_and_name_their_session() {
    let mut collector = Collector::start(&[("RTCTRACE_LOG_FORMAT", "json")]);
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(format!("{}\n[36,null,null,1]", lines(1)[0])).await;
    socket.acknowledged(2).await;
    collector.stored(&session).await;
    collector.stop();
    let log = std::fs::read_to_string(collector.dir.path().join("log")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let stored = lines.iter().find(|line| line["message"] == "session stored").expect(&log);
    assert_eq!((&stored["session"], &stored["level"], &stored["lines"]), (&session.into(), &"INFO".into(), &2.into()));
    assert!(stored["timestamp"].is_string());
}

/// Takes what is posted to it, answers as a receiver of OTLP does, and hands on the spans.
fn receiver() -> (String, mpsc::Receiver<(String, Vec<Span>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let mut input = BufReader::new(stream);
            let (mut path, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if input.read_line(&mut line).unwrap_or(0) == 0 {
                    break;
                }
                let line = line.trim().to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                } else if line.starts_with("post ") {
                    path = line.split(' ').nth(1).unwrap().to_owned();
                } else if line.is_empty() {
                    let mut body = vec![0; length];
                    input.read_exact(&mut body).unwrap();
                    let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
                    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
                    let _ = sender.send((path.clone(), scopes.flat_map(|scope| scope.spans).collect()));
                    let answer = ExportTraceServiceResponse::default().encode_to_vec();
                    let head = format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\n\r\n",
                        answer.len()
                    );
                    let output = input.get_mut();
                    output.write_all(head.as_bytes()).unwrap();
                    output.write_all(&answer).unwrap();
                }
            }
        }
    });
    (address, receiver)
}

fn attribute(span: &Span, name: &str) -> String {
    let value = span.attributes.iter().find(|attribute| attribute.key == name).and_then(|found| found.value.clone());
    match value.and_then(|value| value.value) {
        Some(Any::StringValue(text)) => text,
        Some(Any::IntValue(number)) => number.to_string(),
        _ => String::new(),
    }
}

#[tokio::test]
async fn requests_sockets_and_the_storing_of_a_session_are_spans() {
    let (address, receiver) = receiver();
    let endpoint = format!("http://{address}");
    let mut collector = Collector::start(&[("RTCTRACE_TRACES_ENDPOINT", &endpoint)]);
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(format!("{}\n[36,null,null,1]", lines(1)[0])).await;
    socket.acknowledged(2).await;
    socket.close().await;
    collector.stored(&session).await;
    collector.get("/api/v1/sessions/nonsense").await.problem(400, "bad-session-id");
    assert!(collector.stop() < Duration::from_secs(10));

    let mut spans = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(10);
    while let Ok((path, more)) = receiver.recv_timeout(Duration::from_secs(1)) {
        assert_eq!(path, "/v1/traces");
        spans.extend(more);
        assert!(Instant::now() < deadline);
    }
    let named = |name: &'static str| spans.iter().filter(move |span| span.name == name);
    let store =
        named("store session").find(|span| attribute(span, "session") == session).expect("the storing is a span");
    for step in ["store dump", "write features"] {
        let step = named(step).find(|span| span.parent_span_id == store.span_id).expect(step);
        assert!(step.start_time_unix_nano >= store.start_time_unix_nano);
    }
    assert!(named("socket").any(|span| attribute(span, "session") == session), "so is a socket");
    let statuses: Vec<String> =
        named("GET /api/v1/sessions/{id}").map(|span| attribute(span, "http.response.status_code")).collect();
    assert!(statuses.contains(&"400".to_owned()) && statuses.contains(&"200".to_owned()), "{statuses:?}");
}

#[tokio::test]
async fn a_receiver_of_spans_that_is_away_holds_up_nothing() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let mut collector = Collector::start(&[("RTCTRACE_TRACES_ENDPOINT", &endpoint)]);
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(format!("{}\n[36,null,null,1]", lines(1)[0])).await;
    socket.acknowledged(2).await;
    collector.stored(&session).await;
    assert!(collector.stop() < Duration::from_secs(10));
    let (success, _, errors) = run(collector.dir.path(), &["serve"], &[("RTCTRACE_TRACES_ENDPOINT", "nowhere")]);
    assert!(!success && errors.contains("traces.endpoint is `nowhere`; write for example"), "{errors}");
}
