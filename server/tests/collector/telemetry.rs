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

#[test]
fn why_a_start_fails_is_a_line_of_the_log_where_that_is_json() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("settings.toml");
    std::fs::write(&file, "listen = \"nowhere\"\n[log]\nformat = \"json\"\n").unwrap();
    let wrong = dir.path().join("wrong.toml");
    std::fs::write(&wrong, "lissen = \"nowhere\"\n[log]\nformat = \"json\"\n").unwrap();
    let json = ("RTCTRACE_LOG_FORMAT", "json");
    let told = |arguments: &[&str], variables: &[(&str, &str)]| {
        let (success, printed, errors) = run(dir.path(), arguments, variables);
        assert!(!success && printed.is_empty());
        let told: Value = serde_json::from_str(&errors).unwrap_or_else(|_| panic!("one line of JSON: {errors}"));
        assert_eq!(told["level"], "ERROR");
        told["message"].as_str().unwrap().to_owned()
    };
    assert!(told(&["serve", "--listen", "nowhere"], &[json]).contains("listen is `nowhere`"));
    assert!(told(&["serve", "--config", file.to_str().unwrap()], &[]).contains("listen is `nowhere`"));
    assert!(told(&["serve", "--config", wrong.to_str().unwrap()], &[]).contains("did you mean `listen`"));
    assert!(told(&["serve"], &[json, ("RTCTRACE_LISTN", "x")]).contains("did you mean `RTCTRACE_LISTEN`"));
    assert!(told(&["import", "nothing.jsonl"], &[json, ("RTCTRACE_LISTN", "x")]).contains("RTCTRACE_LISTN"));
    let (_, _, errors) = run(dir.path(), &["serve", "--listen", "nowhere"], &[]);
    assert!(errors.starts_with("rtctrace: listen is `nowhere`"), "{errors}");
}

#[test]
fn a_variable_that_is_not_utf_8_is_told() {
    use std::os::unix::ffi::OsStrExt as _;
    let start = |name: &[u8], value: &[u8]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rtctrace"));
        command.arg("config").env(std::ffi::OsStr::from_bytes(name), std::ffi::OsStr::from_bytes(value));
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let (success, errors) = start(b"RTCTRACE_ACCESS_CLIENT_SECRET", b"h1dden\xff");
    assert!(!success && errors.contains("RTCTRACE_ACCESS_CLIENT_SECRET is not UTF-8"), "{errors}");
    assert!(!errors.contains("h1dden"), "{errors}");
    let (success, errors) = start(b"RTCTRACE_LIST\xff", b"x");
    assert!(!success && errors.contains("RTCTRACE_LIST") && errors.contains("is not UTF-8"), "{errors}");
    assert!(start(b"ANOTHERS_\xff", b"\xff").0);
}
