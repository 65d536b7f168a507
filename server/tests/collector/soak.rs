//! The collector is killed at random moments under many sessions, again and again; in the end every dump is held against what
//! its client sent. `make soak-crash` runs it long.

use std::io::Write as _;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;

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

/// What a client saw.
struct Told {
    session: String,
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

/// A client of rtctrace.v1 that keeps what is not acknowledged and comes back, until it is told to finish.
async fn client(mut address: watch::Receiver<String>, mut finish: watch::Receiver<bool>, mut dice: Dice) -> Told {
    let mut told = Told { session: new_session(), sent: lines(1), reconnects: 0, repeated: 0 };
    let (mut acknowledged, mut is_over) = (0_usize, false);
    loop {
        let target = address.borrow_and_update().clone();
        let path = format!("/v1/ws?session={}&from={acknowledged}", told.session);
        let Ok(Ok(mut socket)) = tokio::time::timeout(Duration::from_secs(5), Socket::open(&target, &path, V1)).await
        else {
            tokio::time::sleep(Duration::from_millis(20 + dice.throw(60))).await;
            continue;
        };
        let Some(received) = socket.try_ack().await.map(|received| received as usize) else { continue };
        assert!(received >= acknowledged, "{}: {acknowledged} acknowledged, {received} there", told.session);
        assert!(received <= told.sent.len(), "{}: {received} there, {} sent", told.session, told.sent.len());
        told.reconnects += 1;
        told.repeated += told.sent.len() - received;
        let mut next = received;
        acknowledged = received;
        loop {
            if is_over && acknowledged == told.sent.len() {
                return told;
            }
            while next < told.sent.len() {
                socket.try_send(Message::text(&told.sent[next])).await;
                next += 1;
            }
            let pause = Duration::from_millis(dice.throw(40));
            tokio::select! {
                ack = socket.try_ack() => match ack {
                    Some(ack) => acknowledged = ack as usize,
                    None => break,
                },
                () = tokio::time::sleep(pause), if !is_over => {
                    let line = match *finish.borrow_and_update() {
                        true => "[36,null,null,1]".to_owned(),
                        false => format!("[\":line\",null,\"{} {}\",10]", told.sent.len(), "x".repeat(dice.throw(3000) as usize)),
                    };
                    is_over = *finish.borrow();
                    told.sent.push(line);
                }
            }
        }
    }
}

async fn soak(sessions: usize, falls: usize, fall: Fall, settings: &[(&str, &str)]) {
    let mut collector = Collector::start(settings);
    let (address, addresses) = watch::channel(collector.address.clone());
    let (finish, finished) = watch::channel(false);
    let clients: Vec<_> = (0..sessions)
        .map(|n| tokio::spawn(client(addresses.clone(), finished.clone(), Dice(seed() ^ ((n as u64) << 32)))))
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
        let (_, stored) = collector.dump(&told.session).await;
        assert!(stored == told.sent, "{}: {} lines stored, {} sent", told.session, stored.len(), told.sent.len());
        lines += stored.len();
        reconnects += told.reconnects;
        repeated += told.repeated;
    }
    assert!(std::fs::read_dir(collector.dir.path().join("spool")).unwrap().next().is_none(), "the spool is empty");
    eprintln!(
        "{falls} falls, {sessions} sessions, {lines} lines in {:?}: 0 lost, 0 doubled, 0 out of order; {reconnects} sockets, \
         {repeated} lines sent again, down for {longest:?} at most",
        started.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_killed_again_and_again_loses_nothing() {
    let (sessions, falls) = (setting("RTCTRACE_TEST_SESSIONS", 20), setting("RTCTRACE_TEST_FALLS", 4));
    soak(sessions, falls, Fall::Kill, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_stopped_again_and_again_loses_nothing() {
    let (sessions, falls) = (setting("RTCTRACE_TEST_SESSIONS", 20), setting("RTCTRACE_TEST_FALLS", 4) / 2);
    soak(sessions, falls, Fall::Stop, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_durability_power_a_torn_tail_loses_nothing() {
    let (sessions, falls) = (setting("RTCTRACE_TEST_SESSIONS", 20), setting("RTCTRACE_TEST_FALLS", 4) / 2);
    soak(sessions, falls, Fall::Torn, &[("RTCTRACE_SPOOL_DURABILITY", "power")]).await;
}
