//! An input as what one client does, socket after socket, while another one is there that does nothing wrong.

use rtctrace_protocol::line::Line;
use rtctrace_protocol::privacy::Obfuscator;
use serde_json::Value;

use super::client::{Client, frame, texts};
use super::rules;
use super::script::{self, Step};
use super::world::{self, Running, World};
use crate::session::{Dialect, SessionId};

/// Which dialect an input speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    V1,
    Rtcstats,
    Jitsi,
}

/// The session that Jitsi's clients name in their URL, and most of the seeds' messages.
pub(super) const JITSI_SESSION: &str = "0190163d-8694-439b-aea5-966c26f8ad90";

/// Takes an input.
pub(super) fn run(kind: Kind, input: &[u8]) {
    let (dialect, input) = match (kind, input) {
        (Kind::V1, all) => (Dialect::RtctraceV1, all),
        (Kind::Rtcstats, all) => (Dialect::Rtcstats5, all),
        (Kind::Jitsi, [which, rest @ ..]) => (Dialect::ALL[2 + usize::from(*which) % 7], rest),
        (Kind::Jitsi, []) => return,
    };
    world::with(|world| async move { drive(&world, dialect, input).await });
}

/// Where a socket of the dialect opens; `from` is how the input says where it goes on.
fn target(dialect: Dialect, session: SessionId, from: Option<&[u8]>) -> String {
    let number = from.and_then(|from| std::str::from_utf8(from).ok()?.trim().parse::<u64>().ok()).unwrap_or(0);
    match dialect {
        Dialect::RtctraceV1 => format!("/v1/ws?session={session}&from={number}"),
        Dialect::Rtcstats5 => "/room".to_owned(),
        _ => format!("/conference?statsSessionId={JITSI_SESSION}&isReconnect={}", from.is_some()),
    }
}

async fn drive(world: &World, dialect: Dialect, input: &[u8]) {
    let session = SessionId::new();
    let mut running = world.start();
    let mut neighbour = Some(Neighbour::join(world, &running).await);
    let mut client = Client::connect(world, &running.app);
    client.upgrade(&target(dialect, session, None), dialect.name()).await;
    let (mut said, mut heard) = (Vec::new(), Vec::new());
    for step in script::steps(input) {
        if script::write(step, &mut said) {
            continue;
        }
        match step {
            Step::Beacon(lines) => {
                client.say(&std::mem::take(&mut said)).await;
                let beacon = format!(
                    "POST /v1/beacon?session={session}&from=0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                    lines.len()
                );
                let answer = Client::connect(world, &running.app).ask(&beacon, lines).await;
                assert!(matches!(answer.status, 200 | 400 | 409 | 413), "a beacon is answered {}", answer.status);
            }
            Step::Again(from) | Step::Crash(from) => {
                heard.extend(texts(&client.finish(&std::mem::take(&mut said)).await));
                if matches!(step, Step::Crash(_)) {
                    if let Some(neighbour) = neighbour.take() {
                        neighbour.part(&running).await;
                    }
                    // What is on its way to the stores would be on its way still: nobody dies here.
                    rules::settle(&running).await;
                    running.stop();
                    running = world.start();
                }
                client = Client::connect(world, &running.app);
                client.upgrade(&target(dialect, session, Some(from)), dialect.name()).await;
            }
            _ => {}
        }
    }
    heard.extend(texts(&client.finish(&said).await));
    if let Some(neighbour) = neighbour.take() {
        neighbour.part(&running).await;
    }
    let number = heard.iter().map(|text| number(dialect, text)).max().unwrap_or(0);
    let counts = dialect == Dialect::RtctraceV1;
    let lines = if counts { expected(input, world) } else { None };
    rules::hold(world, running, rules::Told { session, number, counts, lines }, input).await;
}

/// The number in one of the collector's texts.
fn number(dialect: Dialect, text: &str) -> u64 {
    let said: Value = serde_json::from_str(text).unwrap();
    match (dialect, said["type"].as_str()) {
        (Dialect::RtctraceV1, Some("welcome" | "ack")) => said["received"].as_u64().unwrap(),
        (Dialect::RtctraceV1 | Dialect::Rtcstats5, _) => panic!("the collector says {text}"),
        (_, Some("sn")) => said["body"]["value"].as_u64().unwrap(),
        _ => panic!("the collector says {text}"),
    }
}

/// What the session of an input will hold, if it is one socket's text and nothing else: every line before the first that is
/// none, as it is stored.
fn expected(input: &[u8], world: &World) -> Option<Vec<String>> {
    let limits = &world.config.limits;
    if input.len() as u64 > limits.session_bytes.0 / 2 {
        return None;
    }
    let (mut lines, mut obfuscator) = (Vec::new(), Obfuscator::new());
    let mut is_over = false;
    for step in script::steps(input) {
        let frame = match step {
            Step::Text(frame) | Step::Pieces(frame) => frame,
            Step::Frame(0x89 | 0x8a, payload) if payload.len() <= 125 => continue,
            _ => return None,
        };
        let text = std::str::from_utf8(frame).ok().filter(|text| text.len() as u64 <= limits.frame_bytes.0);
        let Some(text) = text.filter(|_| !is_over) else {
            is_over = true;
            continue;
        };
        for text in text.split('\n').filter(|text| !text.trim().is_empty()) {
            let parsed = Line::parse(text).ok().filter(|_| text.len() as u64 <= limits.line_bytes.0);
            let Some(line) = parsed.filter(|_| !is_over) else {
                is_over = true;
                break;
            };
            let mut stored = String::new();
            if !obfuscator.rewrite(&line, &mut stored) {
                line.text().clone_into(&mut stored);
            }
            lines.push(stored);
            is_over = line.connection().is_none() && line.method() == "close";
        }
    }
    Some(lines)
}

/// Somebody else, with a session of his own.
struct Neighbour {
    session: SessionId,
    client: Client,
}

impl Neighbour {
    async fn join(world: &World, running: &Running) -> Self {
        let session = SessionId::new();
        let mut client = Client::connect(world, &running.app);
        client.upgrade(&target(Dialect::RtctraceV1, session, None), Dialect::RtctraceV1.name()).await;
        let mut first = Vec::new();
        frame(0x81, b"[\":one\",null,1,1795159383861]", &mut first);
        client.say(&first).await;
        Self { session, client }
    }

    /// Goes on where he was, and goes.
    async fn part(self, running: &Running) {
        let mut second = Vec::new();
        frame(0x81, b"[\":two\",null,2,1]", &mut second);
        self.client.finish(&second).await;
        let lines = running.app.registry.get(self.session).map(|handle| handle.snapshot().lines);
        assert_eq!(lines, Some(2), "a neighbour's lines are all there");
    }
}
