//! The collector is killed at random moments under many sessions of all dialects that acknowledge, again and again; in the end
//! every dump is held against what its client sent. `make soak-crash` runs it long.

use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::support::*;

/// How the collector goes down.
#[derive(Clone, Copy, PartialEq)]
enum Fall {
    /// SIGKILL.
    Kill,
    /// SIGKILL, and the last write of every second session is torn.
    Torn,
    /// SIGTERM.
    Stop,
}

/// What its clients speak, in turns.
const DIALECTS: [&str; 3] = [V1, "3.1_STANDARD", "3.1_LEGACY"];

/// What a client saw.
struct Told {
    dialect: &'static str,
    session: String,
    /// Lines, or the values of entries.
    sent: Vec<String>,
    reconnects: usize,
    repeated: usize,
}

/// From the environment, for long runs.
fn setting(name: &str, short: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(short)
}

/// xorshift64*: what comes when is different in every run and may be.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }
}

fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_nanos() as u64 | 1
}

/// One socket of a client: how it is opened, what it says, what it hears.
enum Link {
    /// Of rtctrace.v1.
    Lines(Socket),
    /// Of Jitsi's.
    Entries(Socket),
}

impl Link {
    /// Opens it, and says how much the collector holds; `None` if it cannot be had now.
    async fn open(address: &str, told: &Told, acknowledged: usize) -> Option<(Self, usize)> {
        let path = match told.dialect {
            V1 => format!("/v1/ws?session={}&from={acknowledged}", told.session),
            _ => format!("/c?statsSessionId={}&isReconnect={}", told.session, told.reconnects > 0),
        };
        let opening = Socket::open(address, &path, told.dialect);
        let socket = tokio::time::timeout(Duration::from_secs(5), opening).await.ok()?.ok()?;
        let mut link = if told.dialect == V1 { Self::Lines(socket) } else { Self::Entries(socket) };
        let held = link.ack().await?;
        Some((link, held))
    }

    /// How much the collector holds, when it says so next; `None` if the socket is gone.
    async fn ack(&mut self) -> Option<usize> {
        let number = match self {
            Self::Lines(socket) => socket.try_ack().await?,
            Self::Entries(socket) => socket.try_json().await?["body"]["value"].as_u64()?,
        };
        usize::try_from(number).ok()
    }

    /// Says what stands at this place of all that its client says.
    async fn say(&mut self, told: &Told, at: usize) {
        match self {
            Self::Lines(socket) => socket.try_send(Message::text(&told.sent[at])).await,
            Self::Entries(socket) => {
                let number = at + 1;
                let entry = json!(["logs", null, told.sent[at], 1_795_159_383_861_u64 + number as u64, number]);
                let data = entry.to_string();
                let message = json!({"statsSessionId": told.session, "type": "stats-entry", "data": data});
                socket.try_send(Message::text(message.to_string())).await;
            }
        }
    }

    /// Ends the session, after its last word.
    async fn leave(self) {
        if let Self::Entries(mut socket) = self {
            let frame = CloseFrame { code: 3001.into(), reason: "".into() };
            socket.try_send(Message::Close(Some(frame))).await;
            socket.closed().await;
        }
    }
}

/// A client that keeps what is not acknowledged and comes back, until it is told to finish.
async fn client(
    dialect: &'static str,
    mut address: watch::Receiver<String>,
    mut finish: watch::Receiver<bool>,
    mut dice: Dice,
) -> Told {
    let mut told = Told { dialect, session: new_session(), sent: lines(1), reconnects: 0, repeated: 0 };
    let (mut acknowledged, mut is_over) = (0_usize, false);
    loop {
        let target = address.borrow_and_update().clone();
        let Some((mut link, received)) = Link::open(&target, &told, acknowledged).await else {
            tokio::time::sleep(Duration::from_millis(20 + dice.throw(60))).await;
            continue;
        };
        assert!(received >= acknowledged, "{}: {acknowledged} acknowledged, {received} there", told.session);
        assert!(received <= told.sent.len(), "{}: {received} there, {} sent", told.session, told.sent.len());
        told.reconnects += 1;
        told.repeated += told.sent.len() - received;
        let mut next = received;
        acknowledged = received;
        loop {
            if is_over && acknowledged == told.sent.len() {
                link.leave().await;
                return told;
            }
            while next < told.sent.len() {
                link.say(&told, next).await;
                next += 1;
            }
            let pause = Duration::from_millis(dice.throw(40));
            tokio::select! {
                ack = link.ack() => match ack {
                    Some(ack) => acknowledged = ack,
                    None => break,
                },
                () = tokio::time::sleep(pause), if !is_over => {
                    is_over = *finish.borrow_and_update();
                    let line = match is_over {
                        true => "[36,null,null,1]".to_owned(),
                        false => format!("[\":line\",null,\"{} {}\",10]", told.sent.len(), "x".repeat(dice.throw(3000) as usize)),
                    };
                    told.sent.push(line);
                }
            }
        }
    }
}

/// What a dump has of what its client said. Of Jitsi's clients: the values of entries, which must bear the numbers 1, 2, ...
fn said(told: &Told, mut stored: Vec<String>) -> Vec<String> {
    if told.dialect == V1 {
        return stored;
    }
    let last = stored.pop().unwrap_or_default();
    assert!(last.starts_with("[\"close\",null,3001,"), "{last}");
    let entry = |(at, line): (usize, &String)| {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line[0], &line[4]), (&json!("logs"), &json!(at + 1)), "{}", told.session);
        line[2].as_str().unwrap().to_owned()
    };
    stored.iter().enumerate().map(entry).collect()
}

/// Says how often a session that was stored went on.
async fn soak(sessions: usize, falls: usize, fall: Fall, settings: &[(&str, &str)]) -> usize {
    let mut collector = Collector::start(settings);
    let (address, addresses) = watch::channel(collector.address.clone());
    let (finish, finished) = watch::channel(false);
    let clients: Vec<_> = (0..sessions)
        .map(|n| {
            let dice = Dice(seed() ^ ((n as u64) << 32));
            tokio::spawn(client(DIALECTS[n % DIALECTS.len()], addresses.clone(), finished.clone(), dice))
        })
        .collect();
    let mut dice = Dice(seed());
    let (started, mut longest) = (Instant::now(), Duration::ZERO);
    for _ in 0..falls {
        tokio::time::sleep(Duration::from_millis(100 + dice.throw(900))).await;
        let down = Instant::now();
        tokio::task::block_in_place(|| {
            if fall == Fall::Stop {
                collector.stop();
            } else {
                collector.crash();
            }
            if fall == Fall::Torn {
                for entry in std::fs::read_dir(collector.dir.path().join("spool")).unwrap().step_by(2) {
                    let mut file = std::fs::File::options().append(true).open(entry.unwrap().path()).unwrap();
                    file.write_all(b"[\":line\",null,\"to").unwrap();
                }
            }
            collector.restart();
        });
        longest = longest.max(down.elapsed());
        address.send_replace(collector.address.clone());
    }
    finish.send_replace(true);
    let (mut lines, mut reconnects, mut repeated) = (0, 0, 0);
    for client in clients {
        let told = tokio::time::timeout(Duration::from_secs(60), client).await.expect("a client ends").unwrap();
        let stored = said(&told, collector.dump(&told.session).await.1);
        assert!(
            stored == told.sent,
            "{} {}: {} lines stored, {} sent",
            told.dialect,
            told.session,
            stored.len(),
            told.sent.len()
        );
        lines += stored.len();
        reconnects += told.reconnects;
        repeated += told.repeated;
    }
    assert!(std::fs::read_dir(collector.dir.path().join("spool")).unwrap().next().is_none(), "the spool is empty");
    let log = std::fs::read_to_string(collector.dir.path().join("log")).unwrap();
    let restored = log.matches("a stored session goes on").count();
    eprintln!(
        "{falls} falls, {sessions} sessions, {lines} lines in {:?}: 0 lost, 0 doubled, 0 out of order; {reconnects} sockets, \
         {repeated} lines sent again, {restored} sessions brought back from the stores, down for {longest:?} at most",
        started.elapsed()
    );
    restored
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_killed_again_and_again_loses_nothing() {
    let (sessions, falls) = (setting("RTCTRACE_TEST_SESSIONS", 20), setting("RTCTRACE_TEST_FALLS", 4));
    // So that their texts lie in several files.
    soak(sessions, falls, Fall::Kill, &[("RTCTRACE_SPOOL_PART_BYTES", "16KiB")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_stopped_again_and_again_loses_nothing() {
    let (sessions, falls) = (setting("RTCTRACE_TEST_SESSIONS", 20), setting("RTCTRACE_TEST_FALLS", 2));
    soak(sessions, falls, Fall::Stop, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_durability_power_a_torn_tail_loses_nothing() {
    let (sessions, falls) = (setting("RTCTRACE_TEST_SESSIONS", 20), setting("RTCTRACE_TEST_FALLS", 2));
    soak(sessions, falls, Fall::Torn, &[("RTCTRACE_SPOOL_DURABILITY", "power")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_are_stored_before_their_clients_are_back_lose_nothing() {
    let (sessions, falls) = (setting("RTCTRACE_TEST_SESSIONS", 20), setting("RTCTRACE_TEST_FALLS", 3));
    let settings = [("RTCTRACE_SESSION_RESUME_GRACE", "10ms"), ("RTCTRACE_SPOOL_PART_BYTES", "16KiB")];
    let restored = soak(sessions, falls, Fall::Kill, &settings).await;
    assert!(restored > 0, "some were stored meanwhile");
}
