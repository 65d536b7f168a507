//! Input that is made to cost much more than its bytes: in time, in memory, or a neighbour his place.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

async fn upload(collector: &Collector, kind: &str, body: &[u8]) -> Answer {
    collector.request_bytes("POST", "/api/v1/dumps", &format!("Content-Type: {kind}\r\n"), body).await
}

const FORM: &str = "multipart/form-data; boundary=x";
const DUMP: &str = "RTCStatsDump\n{\"fileFormat\":3}\n[\"create\",null,{},1795159383861]\n";

/// What the process may have in memory at most, in MiB.
fn peak(collector: &Collector) -> u64 {
    highest_memory(collector.process()).unwrap() / 1024
}

#[tokio::test]
async fn a_form_holds_what_its_parser_needs_and_no_more() {
    let collector = Collector::start(&[]);
    let file = format!("--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n{DUMP}\r\n");
    // A head without an end, and something before the first part that has none either.
    for start in ["--x\r\nX-Long: ", "nothing "] {
        let body = [start.as_bytes(), &vec![b'a'; 24 << 20], file.as_bytes(), b"--x--\r\n"].concat();
        let started = Instant::now();
        let answer = upload(&collector, FORM, &body).await;
        assert!(answer.problem(413, "too-large").contains("head of a part"), "{answer:?}");
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    }
    assert!(peak(&collector) < 100, "{} MiB", peak(&collector));
    // Thousands of parts that are no files, and one that is as long as nobody needs it: they are passed over.
    let note = "--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n";
    let mut body = format!("{note}n\r\n").repeat(5_000);
    body.push_str(&format!("{note}{}\r\n{file}--x--\r\n", "n".repeat(16 << 20)));
    assert_eq!(upload(&collector, FORM, body.as_bytes()).await.status, 201);
    assert!(peak(&collector) < 100, "{} MiB", peak(&collector));
}

#[tokio::test]
async fn what_unpacks_to_no_line_at_all_is_not_read_to_its_end() {
    let collector = Collector::start(&[("RTCTRACE_LIMITS_SESSION_BYTES", "1MiB")]);
    for filling in ["\n", "x", "[1]\n"] {
        let bomb = [DUMP.as_bytes(), &filling.repeat((64 << 20) / filling.len()).into_bytes()].concat();
        upload(&collector, "application/gzip", &gzip(&bomb)).await.problem(413, "session-too-long");
    }
    // The lines that name a dump count as the others do.
    let line = format!("[\":x\",null,\"{}\",1795159383861]\n", "x".repeat(300_000));
    upload(&collector, "text/plain", format!("{DUMP}{}", line.repeat(5)).as_bytes())
        .await
        .problem(413, "session-too-long");
    assert!(collector.sessions().await.is_empty());
    assert!(peak(&collector) < 100, "{} MiB", peak(&collector));
}

#[tokio::test]
async fn a_frame_that_names_a_session_in_every_message_takes_time_in_proportion() {
    let collector = Collector::start(&[("RTCTRACE_LIMITS_SESSIONS", "8")]);
    let mut socket = collector.socket("/bridge", "3.0_JVB").await;
    let message = |name: u32| format!(r#"{{"statsSessionId":"a{name}","type":"logs"}}"#);
    let frame: String = (0..80_000).map(message).collect();
    let started = Instant::now();
    socket.try_send(Message::text(frame)).await;
    assert_eq!(socket.closed().await.0, 1013);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_message_whose_line_would_be_gigabytes_costs_itself() {
    let collector = Collector::start(&[]);
    let mut socket = collector.socket("/conference", "3.1_STANDARD").await;
    let long = "x".repeat(900_000);
    let tracks = vec!["0"; 200_000].join(",");
    let entry = |kind: &str, payload: &str, number: u32| {
        let entry = format!("[\"{kind}\",\"PC_0\",{payload},1795159383861,{number}]");
        serde_json::json!({ "statsSessionId": "loud", "type": "stats-entry", "data": entry }).to_string()
    };
    let digits = "1".repeat(900_000);
    let entries: String = (0..30_000).map(|id| format!("\"{id}\":{{\"timestamp\":0}},")).collect();
    socket.text().await;
    socket.send(entry("getUserMediaOnSuccess", &format!("{{\"id\":\"{long}\",\"tracks\":[{tracks}]}}"), 1)).await;
    socket.send(entry("getstats", &format!("{{{entries}\"timestamp\":{digits}}}"), 2)).await;
    socket.send(entry("create", "{}", 3)).await;
    until("all three are stored", async || socket.text().await.contains("\"value\":3,").then_some(())).await;
    assert!(peak(&collector) < 300, "{} MiB", peak(&collector));
}

/// How a socket begins what it does not end.
#[derive(Clone, Copy)]
enum Beginning {
    /// A message, in one fragment (RFC 6455, section 5.4).
    Message,
    /// A value of Jitsi's dialect, in a message that is whole.
    Value,
}

/// A socket that has sent `bytes` of something and goes on without ending it.
async fn unfinished(collector: &Collector, beginning: Beginning, bytes: usize) -> TcpStream {
    let (protocol, head_of_frame) = match beginning {
        Beginning::Message => (RTCSTATS, 0x01),
        Beginning::Value => ("3.1_STANDARD", 0x81),
    };
    let mut stream = TcpStream::connect(&collector.address).await.unwrap();
    let head = format!(
        "GET /room HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 1024];
    assert!(stream.read(&mut answer).await.unwrap() > 0);
    // A text frame with a mask of zeros.
    let mut frame = vec![head_of_frame, 0xff];
    frame.extend_from_slice(&(bytes as u64).to_be_bytes());
    frame.extend_from_slice(&[0; 4]);
    frame.resize(frame.len() + bytes, b'[');
    let _ = stream.write_all(&frame).await;
    stream
}

/// Whether the collector has closed it, pings and all read to the end.
async fn is_cut(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_millis(50), stream.read_to_end(&mut rest)).await.is_ok()
}

async fn how_many_are_cut(sockets: &mut [TcpStream]) -> usize {
    let mut count = 0;
    for socket in sockets {
        count += usize::from(is_cut(socket).await);
    }
    count
}

async fn refused(collector: &Collector, reason: &str) -> f64 {
    collector.metric(&format!("rtctrace_refused_total{{reason=\"{reason}\"}}")).await
}

#[tokio::test]
async fn messages_that_never_end_hold_no_more_memory_than_they_may() {
    what_never_ends_holds_no_more_memory_than_it_may(Beginning::Message, 3 << 20).await;
}

#[tokio::test]
async fn values_that_never_end_hold_no_more_memory_than_they_may() {
    what_never_ends_holds_no_more_memory_than_it_may(Beginning::Value, 2_000_000).await;
}

#[tokio::test]
async fn messages_that_never_end_hold_no_memory_for_long() {
    what_never_ends_holds_no_memory_for_long(Beginning::Message, 3 << 20).await;
}

#[tokio::test]
async fn values_that_never_end_hold_no_memory_for_long() {
    what_never_ends_holds_no_memory_for_long(Beginning::Value, 2_000_000).await;
}

/// Nobody is cut for his slowness here.
async fn what_never_ends_holds_no_more_memory_than_it_may(beginning: Beginning, bytes: usize) {
    const SOCKETS: usize = 120;
    let settings = [("RTCTRACE_LIMITS_UNFINISHED_BYTES", "32MiB"), ("RTCTRACE_LIMITS_IDLE_TIME", "60s")];
    let collector = Collector::start(&settings);
    let session = new_session();
    let (mut neighbour, _) = collector.v1(&session, 0).await;
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        sockets.push(unfinished(&collector, beginning, bytes).await);
    }
    let most = (32 << 20) / bytes;
    // What is read at the same moment may be a little more.
    until("the others are cut", async || (how_many_are_cut(&mut sockets).await + most + 1 >= SOCKETS).then_some(()))
        .await;
    assert!(peak(&collector) < 160, "{} MiB", peak(&collector));
    assert!(how_many_are_cut(&mut sockets).await < SOCKETS, "not all need to go");
    assert!(refused(&collector, "too_much_unfinished").await >= 1.0);
    assert_eq!(refused(&collector, "slow_message").await, 0.0);
    neighbour.send(format!("{}\n[36,null,null,1]", lines(1)[0])).await;
    neighbour.acknowledged(2).await;
    assert_eq!(collector.dump(&session).await.1.len(), 2);
}

/// Together they hold what they may, but none may take as long as it likes, pongs or not.
async fn what_never_ends_holds_no_memory_for_long(beginning: Beginning, bytes: usize) {
    let collector = Collector::start(&[("RTCTRACE_LIMITS_IDLE_TIME", "3s")]);
    let session = new_session();
    let (mut neighbour, _) = collector.v1(&session, 0).await;
    let mut sockets = Vec::new();
    for _ in 0..5 {
        sockets.push(unfinished(&collector, beginning, bytes).await);
    }
    until("all are cut", async || {
        for socket in &mut sockets {
            let _ = socket.write_all(&[0x8a, 0x80, 0, 0, 0, 0]).await;
        }
        (how_many_are_cut(&mut sockets).await == sockets.len()).then_some(())
    })
    .await;
    assert_eq!(refused(&collector, "slow_message").await, sockets.len() as f64);
    assert_eq!(refused(&collector, "too_much_unfinished").await, 0.0);
    neighbour.send(format!("{}\n[36,null,null,1]", lines(1)[0])).await;
    neighbour.acknowledged(2).await;
    assert_eq!(collector.dump(&session).await.1.len(), 2);
}
