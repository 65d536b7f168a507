//! WebSocket as RFC 6455 has it, at the socket of `rtctrace.v1`: the cases of the Autobahn fuzzing client, which does not install
//! any more, one connection each, all of them to one session. A good message is a line that is kept; a bad one costs its
//! socket, and nothing else.

mod cases;
mod utf8;
mod wire;

use serde_json::Value;

use self::cases::{Case, Ends};
use self::wire::{CLOSE, FIN, Heard, PING, Wire, frame, status};
use crate::support::*;

/// What a case's client hears.
#[derive(Debug, Default)]
struct Outcome {
    pongs: Vec<Vec<u8>>,
    acknowledged: u64,
}

impl Outcome {
    /// Listens until something comes that is neither pong, ping nor acknowledgement, or until `enough`.
    async fn listen(&mut self, wire: &mut Wire, enough: impl Fn(&Self) -> bool) -> Option<Heard> {
        while !enough(self) {
            match wire.hear().await {
                Heard::Pong(payload) => self.pongs.push(payload),
                Heard::Text(text) => {
                    self.acknowledged = serde_json::from_str::<Value>(&text).unwrap()["received"].as_u64().unwrap();
                }
                Heard::Ping => {}
                other => return Some(other),
            }
        }
        None
    }
}

/// Runs a case on the session, which holds `held` lines.
async fn run(collector: &Collector, session: &str, held: u64, case: &Case) {
    let number = &case.number;
    let mut wire = Wire::open(&collector.address, &format!("/v1/ws?session={session}&from={held}"), V1).await;
    assert_eq!(wire.hear().await, Heard::Text(format!(r#"{{"type":"welcome","received":{held}}}"#)), "{number}");
    wire.say(&case.says, case.piece).await;
    let after = held + case.lines.len() as u64;
    let mut outcome = Outcome { acknowledged: held, ..Outcome::default() };
    let expected = match case.ends {
        Ends::Open => {
            // Whoever is there answers.
            let asked = b"still there?";
            wire.say(&frame(FIN | PING, asked), usize::MAX).await;
            let is_enough = |outcome: &Outcome| {
                outcome.acknowledged >= after && outcome.pongs.last().is_some_and(|payload| payload == asked)
            };
            let end = outcome.listen(&mut wire, is_enough).await;
            assert_eq!(end, None, "{number}: the socket stays open");
            outcome.pongs.pop();
            wire.say(&frame(FIN | CLOSE, &status(1000, b"")), usize::MAX).await;
            &[1000][..]
        }
        Ends::Closed(code) => &[code],
        Ends::Failed(codes) => codes,
    };
    match outcome.listen(&mut wire, |_| false).await {
        Some(Heard::Close(code)) => assert!(expected.contains(&code), "{number}: {code} instead of {expected:?}"),
        other => panic!("{number}: the collector says why it closes, not {other:?}"),
    }
    // The server is the one that goes first (section 7.1.1), once it has heard the other's close.
    wire.say(&frame(FIN | CLOSE, &status(1000, b"")), usize::MAX).await;
    assert_eq!(wire.hear().await, Heard::End, "{number}");
    assert_eq!(outcome.pongs, case.pongs, "{number}: every ping is answered, in order, with what it says");
    assert!(outcome.acknowledged <= after, "{number}");
}

#[tokio::test]
async fn a_websocket_is_what_the_rfc_says() {
    let collector = Collector::start(&[("RTCTRACE_LIMITS_RATE", "off")]);
    let (session, neighbour) = (new_session(), new_session());
    let (mut other, _) = collector.v1(&neighbour, 0).await;
    let others = lines(2);
    other.send(&others[0]).await;
    other.acknowledged(1).await;

    let mut stored = Vec::new();
    let cases = cases::all();
    for case in &cases {
        run(&collector, &session, stored.len() as u64, case).await;
        stored.extend(case.lines.iter().cloned());
    }
    assert!(cases.len() > 200, "{} cases", cases.len());

    other.send(&others[1]).await;
    other.acknowledged(2).await;
    let (mut socket, received) = collector.v1(&session, stored.len()).await;
    assert_eq!(received, stored.len() as u64);
    socket.send("[\"close\",null,null,1]").await;
    socket.close().await;
    stored.push("[\"close\",null,null,1]".to_owned());
    let (_, dump) = collector.dump(&session).await;
    assert_eq!(dump.len(), stored.len());
    for (dumped, sent) in dump.iter().zip(&stored) {
        assert_eq!(dumped, sent);
    }
    other.close().await;
}
