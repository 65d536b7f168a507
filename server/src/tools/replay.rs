//! `rtctrace replay`: the lines of a dump, sent to a collector as their client sent them, in real time or faster. A lost
//! connection is opened anew where the dialect can resume.

use std::collections::VecDeque;
use std::io::{BufRead, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use bytes::{Buf as _, Bytes};
use clap::Args;
use rtctrace_protocol::dump::DumpReader;
use rtctrace_protocol::line::{Line, write_line};
use tokio::io::AsyncWriteExt as _;

use super::dump;
use super::progress::Progress;
use super::wire::{ClientToken, Incoming, Target, Wire, close_frame, pong_frame, received, text_frame};
use crate::session::{Dialect, SessionId};

/// Lines that are sent and not acknowledged, at most: they are kept for a new connection.
const WINDOW: usize = 1024;
/// Between two attempts to connect.
const RETRY: Duration = Duration::from_secs(1);
/// Without a connection, or an acknowledgement, for so long, the replay is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What to replay, and where to.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Dump of a session, gzip-compressed or not.
    file: PathBuf,
    /// The collector; a session of rtcstats#5.0 asks for the URL's path.
    #[arg(long, value_name = "URL", default_value = "ws://127.0.0.1:8080")]
    url: Target,
    /// What to speak: rtctrace.v1 or rtcstats#5.0.
    #[arg(long, value_name = "NAME", default_value = "rtctrace.v1")]
    dialect: Dialect,
    /// How many times faster than it was recorded, or `max`.
    #[arg(long, value_name = "N", default_value = "1")]
    speed: Speed,
    /// The session's id for rtctrace.v1; without it, a new one.
    #[arg(long, value_name = "UUID")]
    session: Option<SessionId>,
    /// Client token, if the collector asks for one.
    #[arg(long, value_name = "JWT")]
    token: Option<ClientToken>,
}

/// How many times faster.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Speed(Option<f64>);

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self(None));
        }
        let speed = text.parse().ok().filter(|speed| (1e-3..=1e6).contains(speed));
        speed.map(|speed| Self(Some(speed))).ok_or_else(|| "write a number such as 1 or 10, or max".to_owned())
    }
}

/// Replays a dump and prints what the collector acknowledged.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(!options.dialect.is_jitsi(), "this tool speaks rtctrace.v1 and rtcstats#5.0 only");
    ensure!(
        options.session.is_none() || options.dialect.resumes(),
        "--session is for rtctrace.v1: a client of {} does not choose its session's id",
        options.dialect.name()
    );
    super::block_on(replay(options))
}

async fn replay(options: &Options) -> anyhow::Result<()> {
    let session = options.session.unwrap_or_else(SessionId::new);
    let mut replay = Replay {
        options,
        session,
        address: options.url.resolve().await?,
        lines: Lines { dump: dump::open(&options.file)?, next: None, is_first: true, left_out: 0, has_ended: false },
        kept: VecDeque::new(),
        acknowledged: 0,
        sent: 0,
        due: Instant::now(),
        heard: Instant::now(),
        progress: Progress::new(),
    };
    loop {
        let Err(end) = replay.connect().await else { break };
        match end {
            End::ForGood(error) => return Err(error),
            End::ForNow(error) if !options.dialect.resumes() || replay.heard.elapsed() > PATIENCE => return Err(error),
            End::ForNow(error) => {
                replay.progress.note(&format!("{error:#}; trying again"));
                tokio::time::sleep(RETRY).await;
            }
        }
    }
    replay.progress.clear();
    if replay.lines.left_out > 0 {
        replay.progress.note(&format!("{} lines cannot be read and were not sent", replay.lines.left_out));
    }
    let text = match options.dialect.resumes() {
        true => format!("session {session}: {} lines sent, {} acknowledged\n", replay.sent, replay.acknowledged),
        false => format!("{} lines sent; {} acknowledges none\n", replay.sent, options.dialect.name()),
    };
    std::io::stdout().write_all(text.as_bytes()).context("cannot print the result")
}

/// Why a connection ended before the dump did.
enum End {
    /// Another one will go on.
    ForNow(anyhow::Error),
    /// It would be refused, too.
    ForGood(anyhow::Error),
}

impl From<anyhow::Error> for End {
    fn from(error: anyhow::Error) -> Self {
        Self::ForNow(error)
    }
}

struct Replay<'a, R: BufRead> {
    options: &'a Options,
    session: SessionId,
    address: SocketAddr,
    lines: Lines<R>,
    /// Lines that were sent and are not acknowledged.
    kept: VecDeque<String>,
    acknowledged: u64,
    sent: u64,
    /// When the next line is to be sent.
    due: Instant,
    heard: Instant,
    progress: Progress,
}

impl<R: BufRead> Replay<'_, R> {
    /// Opens a socket and sends what is left; returns when everything is acknowledged.
    async fn connect(&mut self) -> Result<(), End> {
        let Options { url, dialect, token, .. } = self.options;
        let token = |name: &str| token.as_ref().map(|token| format!("&{name}={}", token.0)).unwrap_or_default();
        let path = match dialect {
            Dialect::RtctraceV1 => {
                format!("/v1/ws?session={}&from={}{}", self.session, self.acknowledged, token("token"))
            }
            _ => format!("{}?{}", url.path, token("rtcstats-token").trim_start_matches('&')),
        };
        let mut wire = Wire::open(url, self.address, None, &path, dialect.name()).await?;
        let (mut reader, mut writer) = wire.split();
        if dialect.resumes() {
            match reader.next().await? {
                Some(Incoming::Text(welcome)) => self.acknowledge(received(&welcome).unwrap_or_default()),
                Some(Incoming::Close(code, reason)) => return Err(closed(code, &reason)),
                _ => return Err(End::ForNow(anyhow!("the collector closed the connection"))),
            }
        }
        let mut pending = Bytes::new();
        let mut answers = VecDeque::new();
        let mut again = 0;
        let mut is_closing = false;
        loop {
            let mut wait = None;
            if pending.is_empty() {
                if let Some(answer) = answers.pop_front() {
                    pending = answer;
                } else if let Some(line) = self.kept.get(again) {
                    again += 1;
                    pending = frame(line)?;
                } else if self.kept.len() < WINDOW && !is_closing {
                    match self.lines.peek(*dialect) {
                        Some(delta) => {
                            let due = match self.options.speed.0 {
                                Some(speed) if self.sent > 0 => self.due + delta.div_f64(speed),
                                _ => Instant::now(),
                            };
                            match due > Instant::now() {
                                true => wait = Some(due),
                                false => {
                                    self.due = due;
                                    let line = self.lines.take();
                                    pending = frame(&line)?;
                                    self.sent += 1;
                                    if dialect.resumes() {
                                        self.kept.push_back(line);
                                        again += 1;
                                    }
                                }
                            }
                        }
                        None if self.kept.is_empty() => {
                            is_closing = true;
                            pending = close_frame()?;
                        }
                        None => {}
                    }
                }
            }
            self.progress.show(|| format!("{} lines sent, {} acknowledged", self.sent, self.acknowledged));
            let wait = wait.unwrap_or_else(|| Instant::now() + PATIENCE);
            tokio::select! {
                incoming = reader.next() => match incoming {
                    Ok(Some(Incoming::Text(text))) => {
                        let before = self.kept.len();
                        self.acknowledge(received(&text).unwrap_or_default());
                        again = again.saturating_sub(before - self.kept.len());
                    }
                    Ok(Some(Incoming::Ping(payload))) => {
                        self.heard = Instant::now();
                        answers.push_back(pong_frame(payload)?);
                    }
                    Ok(Some(Incoming::Other)) => {}
                    Ok(Some(Incoming::Close(..)) | None) | Err(_) if is_closing => return Ok(()),
                    Ok(Some(Incoming::Close(code, reason))) => return Err(closed(code, &reason)),
                    Ok(None) => return Err(End::ForNow(anyhow!("the collector closed the connection"))),
                    Err(error) => return Err(End::ForNow(error)),
                },
                written = writer.write_buf(&mut pending), if pending.has_remaining() => {
                    written.context("cannot send")?;
                }
                () = tokio::time::sleep_until(wait.into()), if !pending.has_remaining() => {
                    if self.heard.elapsed() > PATIENCE && !self.kept.is_empty() {
                        return Err(End::ForNow(anyhow!("nothing was acknowledged for {PATIENCE:?}")));
                    }
                }
            }
        }
    }

    fn acknowledge(&mut self, received: u64) {
        self.heard = Instant::now();
        while self.acknowledged < received && self.kept.pop_front().is_some() {
            self.acknowledged += 1;
        }
    }
}

fn frame(line: &str) -> anyhow::Result<Bytes> {
    let mut out = Vec::with_capacity(line.len() + 16);
    text_frame(&mut out, line)?;
    Ok(out.into())
}

/// Codes that say that nothing will be different next time: refused, malformed, ended, replaced.
fn closed(code: u16, reason: &str) -> End {
    let error = anyhow!("the collector closed the session with {code}: {reason}");
    match code {
        1002 | 1003 | 1007..=1009 | 4000..=4999 => End::ForGood(error),
        _ => End::ForNow(error),
    }
}

/// The lines of the dump that a client would send.
struct Lines<R: BufRead> {
    dump: DumpReader<R>,
    next: Option<(String, Duration)>,
    is_first: bool,
    left_out: u64,
    has_ended: bool,
}

impl<R: BufRead> Lines<R> {
    /// How long after the line before the next one comes; `None` at the end.
    fn peek(&mut self, dialect: Dialect) -> Option<Duration> {
        while self.next.is_none() && !self.has_ended {
            match self.dump.next_line() {
                Some(Ok(text)) => match Line::parse(text) {
                    Ok(line) => {
                        let is_close = line.connection().is_none() && line.method() == "close";
                        self.has_ended = is_close;
                        if is_close && !dialect.resumes() {
                            // Upstream's collectors write this line; their clients just go.
                            break;
                        }
                        // The first line's time is not since another.
                        let delta = if self.is_first { 0.0 } else { line.delta().clamp(0.0, 1e9) };
                        self.is_first = false;
                        self.next = Some((line.text().to_owned(), Duration::from_secs_f64(delta / 1_000.0)));
                    }
                    Err(_) => self.left_out += 1,
                },
                Some(Err(_)) => self.left_out += 1,
                None => {
                    self.has_ended = true;
                    if dialect.resumes() && !self.is_first {
                        let mut close = String::new();
                        write_line(&mut close, "close", None, "null", &[], 0.0);
                        self.next = Some((close, Duration::ZERO));
                    }
                }
            }
        }
        self.next.as_ref().map(|(_, delta)| *delta)
    }

    /// The line that was looked at.
    fn take(&mut self) -> String {
        self.next.take().map(|(line, _)| line).unwrap_or_default()
    }
}
