//! One session of a load: opens its socket, sends at its pace, hears what is acknowledged, ends.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::bail;
use bytes::{Buf as _, Bytes};
use tokio::io::AsyncWriteExt as _;

use super::super::wire::{Incoming, Wire, close_frame, pong_frame, received};
use super::{Load, Totals};
use crate::session::{Dialect, SessionId};

/// Lines on their way at one time. Flat out this window is what acknowledgements wait behind: a larger one only makes them late.
const WINDOW: u64 = 256;
/// Lines that are written at once when there is no pace.
const BURST: u64 = 16;
/// The collector holds acknowledgements back for half a second; one that takes so long is none.
const ACK_TIMEOUT: Duration = Duration::from_secs(60);
/// From the last word to the collector's own.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two questions whether a session is stored.
const ASK_INTERVAL: Duration = Duration::from_millis(20);
/// A session that is not stored after so long is given up.
const STORED_TIMEOUT: Duration = Duration::from_secs(300);

/// Runs session number `number` of a load; what goes wrong is told, and counted by who called.
pub(super) async fn run(load: &Load, number: usize) -> anyhow::Result<()> {
    let id = SessionId::new();
    let token = |name: &str| load.token.as_ref().map(|token| format!("{name}={token}")).unwrap_or_default();
    let path = match load.dialect {
        Dialect::RtctraceV1 => format!("/v1/ws?session={id}&from=0&{}", token("token")),
        _ => format!("{}?{}", load.target.path, token("rtcstats-token")),
    };
    let source = load.source_address(number);
    let mut wire = Wire::open(&load.target, load.address, source, &path, load.dialect.name()).await?;
    load.totals(|totals| totals.open += 1);
    let mut state = State::new(load);
    let result = state.converse(&mut wire).await;
    let (sent, acknowledged) = (state.sent, state.acknowledged);
    load.totals(|totals| {
        totals.open -= 1;
        if load.dialect.resumes() {
            totals.lost += sent - acknowledged;
        }
    });
    drop(wire);
    result?;
    if number < load.watch && load.dialect.resumes() {
        stored(load, id).await?;
    }
    Ok(())
}

/// Waits until the collector has stored a session that ended just now.
async fn stored(load: &Load, id: SessionId) -> anyhow::Result<()> {
    let ended = Instant::now();
    loop {
        let text = load.target.get(load.address, &format!("/api/v1/sessions/{id}"), load.token.as_deref()).await?;
        let session: serde_json::Value = serde_json::from_str(&text)?;
        if session.get("dumpBytes").is_some_and(serde_json::Value::is_u64) {
            load.totals(|totals| totals.stored.add(ended.elapsed(), 1));
            return Ok(());
        }
        if ended.elapsed() > STORED_TIMEOUT {
            bail!("the session {id} is not stored after {STORED_TIMEOUT:?}");
        }
        tokio::time::sleep(ASK_INTERVAL).await;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Reports follow.
    Sending,
    /// The line that ends the session is sent; its acknowledgement is missing.
    Ending,
    /// The close frame is sent.
    Closing,
}

struct State<'a> {
    load: &'a Load,
    stage: Stage,
    /// Whole frames, the first maybe sent in part.
    pending: Bytes,
    /// Answers to pings: they go between two frames.
    answers: VecDeque<Bytes>,
    sent: u64,
    reports: u64,
    acknowledged: u64,
    /// When which number of lines was sent, until it is acknowledged.
    on_the_way: VecDeque<(u64, Instant)>,
    next: Instant,
    until: Instant,
    heard: Instant,
}

impl<'a> State<'a> {
    fn new(load: &'a Load) -> Self {
        let now = Instant::now();
        let mut state = Self {
            load,
            stage: Stage::Sending,
            pending: Bytes::new(),
            answers: VecDeque::new(),
            sent: 0,
            reports: 0,
            acknowledged: 0,
            on_the_way: VecDeque::new(),
            next: now + load.interval,
            until: now + load.duration,
            heard: now,
        };
        state.send(load.source.first.clone(), load.source.first_lines);
        state
    }

    fn send(&mut self, frames: Bytes, lines: u64) {
        let now = Instant::now();
        self.sent += lines;
        if self.load.dialect.resumes() {
            self.on_the_way.push_back((self.sent, now));
        }
        let bytes = frames.len() as u64;
        self.load.totals(|totals| {
            totals.sent += lines;
            totals.bytes += bytes;
        });
        self.pending = frames;
    }

    /// Says what is sent next, if it is time for it; else the time of the next step.
    fn step(&mut self) -> anyhow::Result<Instant> {
        let now = Instant::now();
        if !self.pending.is_empty() {
            return Ok(now + ACK_TIMEOUT);
        }
        if let Some(answer) = self.answers.pop_front() {
            self.pending = answer;
            return Ok(now);
        }
        match self.stage {
            Stage::Sending if self.reports >= self.load.lines || now >= self.until => {
                if self.load.dialect.resumes() {
                    self.stage = Stage::Ending;
                    self.send(self.load.source.last.clone(), 1);
                } else {
                    self.say_goodbye(now)?;
                }
                Ok(now)
            }
            Stage::Sending => {
                let left = self.load.lines - self.reports;
                let free = match self.load.dialect.resumes() {
                    true => WINDOW.saturating_sub(self.sent - self.acknowledged),
                    false => WINDOW,
                };
                if free == 0 {
                    return Ok((self.heard + ACK_TIMEOUT).min(self.until));
                }
                let due = match self.load.is_paced() {
                    false => BURST,
                    true if now < self.next => return Ok(self.next.min(self.until)),
                    true => {
                        self.next += self.load.interval;
                        1
                    }
                };
                let (frames, count) = self.load.source.reports(self.reports, due.min(free).min(left));
                self.reports += count;
                self.send(frames, count);
                Ok(now)
            }
            Stage::Ending if self.acknowledged >= self.sent => {
                self.say_goodbye(now)?;
                Ok(now)
            }
            Stage::Ending => Ok(self.heard + ACK_TIMEOUT),
            Stage::Closing => Ok(self.heard + CLOSE_TIMEOUT),
        }
    }

    fn say_goodbye(&mut self, now: Instant) -> anyhow::Result<()> {
        self.stage = Stage::Closing;
        self.heard = now;
        self.pending = close_frame()?;
        Ok(())
    }

    async fn converse(&mut self, wire: &mut Wire) -> anyhow::Result<()> {
        let (mut reader, mut writer) = wire.split();
        loop {
            let wait = self.step()?;
            let has_more = !self.pending.is_empty();
            tokio::select! {
                incoming = reader.next() => {
                    match incoming {
                        Ok(Some(Incoming::Text(text))) => self.acknowledge(received(&text).unwrap_or_default()),
                        Ok(Some(Incoming::Ping(payload))) => self.answers.push_back(pong_frame(payload)?),
                        Ok(Some(Incoming::Other)) => {}
                        Ok(Some(Incoming::Close(..)) | None) | Err(_) if self.stage == Stage::Closing => return Ok(()),
                        Ok(Some(Incoming::Close(code, reason))) => bail!("closed with {code}: {reason}"),
                        Ok(None) => bail!("the collector closed the connection"),
                        Err(error) => return Err(error),
                    }
                }
                written = writer.write_buf(&mut self.pending), if has_more => {
                    written?;
                    if !self.pending.has_remaining() && self.stage == Stage::Sending && !self.load.is_paced() {
                        // Others are on this thread, too.
                        tokio::task::yield_now().await;
                    }
                }
                () = tokio::time::sleep_until(wait.into()), if !has_more => {
                    if self.heard.elapsed() >= ACK_TIMEOUT && self.sent > self.acknowledged && self.load.dialect.resumes() {
                        bail!("nothing was acknowledged for {ACK_TIMEOUT:?}");
                    }
                    if self.stage == Stage::Closing && self.heard.elapsed() >= CLOSE_TIMEOUT {
                        bail!("the close was not answered");
                    }
                }
            }
        }
    }

    fn acknowledge(&mut self, received: u64) {
        let now = Instant::now();
        let news = received.saturating_sub(self.acknowledged).min(self.sent - self.acknowledged);
        if news == 0 {
            return;
        }
        self.heard = now;
        let mut before = self.acknowledged;
        self.acknowledged += news;
        self.load.totals(|totals| {
            totals.acknowledged += news;
            while let Some((number, sent)) =
                self.on_the_way.front().copied().filter(|(number, _)| *number <= self.acknowledged)
            {
                totals.acks.add(now - sent, number - before);
                before = number;
                self.on_the_way.pop_front();
            }
        });
    }
}

impl Load {
    /// The counters.
    pub(super) fn totals<T>(&self, use_them: impl FnOnce(&mut Totals) -> T) -> T {
        use_them(&mut self.totals.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_paced(&self) -> bool {
        !self.interval.is_zero()
    }
}

/// Counters that sessions share.
pub(super) type SharedTotals = Arc<Mutex<Totals>>;
