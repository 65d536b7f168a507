//! `rtctrace load`: many sessions of recorded lines at a rate, bounded in number and time, against any collector. Says what
//! was acknowledged and how soon.

mod latency;
mod session;
mod source;

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use serde_json::json;
use tokio::task::JoinSet;

use self::latency::Latencies;
use self::session::SharedTotals;
use self::source::Source;
use super::progress::Progress;
use super::wire::{ClientToken, Target};
use crate::config::Span;
use crate::process;
use crate::session::Dialect;

/// Without a bound, a load runs so long.
const DURATION: Duration = Duration::from_secs(10);
/// A bound by number alone still ends.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Each has a port of its own, at one of as many addresses as loopback has.
const MOST_SESSIONS: i64 = 1_000_000;
/// Sessions from one loopback address: the system has 28,000 ports for connections to one port, those just closed included.
const PER_ADDRESS: usize = 5_000;
/// File descriptors beside the sockets.
const OTHER_FILES: u64 = 64;

/// What load, and where to.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Dump whose lines are sent; without it, a recorded minute of a call with reports of 2.3 KB.
    recording: Option<PathBuf>,
    /// The collector; sessions of rtcstats#5.0 ask for the URL's path.
    #[arg(long, value_name = "URL", default_value = "ws://127.0.0.1:8080")]
    url: Target,
    /// What the sessions speak: rtctrace.v1 or rtcstats#5.0.
    #[arg(long, value_name = "NAME", default_value = "rtctrace.v1")]
    dialect: Dialect,
    /// Sessions at one time.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=MOST_SESSIONS))]
    sessions: u32,
    /// Reports per second and session, or `max`: as fast as they are acknowledged.
    #[arg(long, value_name = "N", default_value = "1")]
    rate: Rate,
    /// How long each session sends [default: 10s, or until --lines are sent].
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    duration: Option<Span>,
    /// How many reports each session sends, beside its first lines.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    lines: Option<u64>,
    /// Time over which the sessions begin, one after the other.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = any_time)]
    ramp: Span,
    /// Client token, if the collector asks for one.
    #[arg(long, value_name = "JWT")]
    token: Option<ClientToken>,
    /// Ask for so many of the sessions how soon after their end they are stored.
    #[arg(long, value_name = "N", default_value_t = 0)]
    watch: u32,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// A time that a load may take.
fn any_time(text: &str) -> Result<Span, String> {
    let time: Span = text.parse()?;
    match time.0 <= LONGEST {
        true => Ok(time),
        false => Err("the longest is 24h".to_owned()),
    }
}

/// The same, and some time it must take.
fn some_time(text: &str) -> Result<Span, String> {
    match any_time(text)? {
        Span(Duration::ZERO) => Err("it is more than 0s".to_owned()),
        time => Ok(time),
    }
}

/// Reports per second and session.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rate(Option<f64>);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self(None));
        }
        let rate = text.parse().ok().filter(|rate| (1e-3..=1e5).contains(rate));
        rate.map(|rate| Self(Some(rate))).ok_or_else(|| "write a number from 0.001 to 100000, or max".to_owned())
    }
}

/// A load while it runs.
#[derive(Debug)]
struct Load {
    target: Target,
    address: SocketAddr,
    dialect: Dialect,
    token: Option<String>,
    source: Source,
    /// Between two reports; nothing if there is no pace.
    interval: Duration,
    duration: Duration,
    lines: u64,
    watch: usize,
    totals: SharedTotals,
}

/// What happened so far.
#[derive(Debug, Default)]
struct Totals {
    open: usize,
    sent: u64,
    bytes: u64,
    acknowledged: u64,
    lost: u64,
    acks: Latencies,
    stored: Latencies,
    done: usize,
    failed: usize,
    failure: Option<String>,
}

impl Totals {
    /// A session is over.
    fn end(&mut self, result: anyhow::Result<()>) {
        self.done += 1;
        if let Err(error) = result {
            self.failed += 1;
            self.failure.get_or_insert_with(|| format!("{error:#}"));
        }
    }
}

impl Load {
    /// The address that a session comes from: over loopback there are enough of them for any number of sockets.
    fn source_address(&self, number: usize) -> Option<IpAddr> {
        let IpAddr::V4(target) = self.address.ip() else { return None };
        let host = u8::try_from(1 + number / PER_ADDRESS).ok()?;
        target.is_loopback().then(|| Ipv4Addr::new(127, 0, 0, host).into())
    }
}

/// Runs the load and prints what came of it.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(!options.dialect.is_jitsi(), "this tool speaks rtctrace.v1 and rtcstats#5.0 only");
    ensure!(
        options.watch == 0 || options.dialect.resumes(),
        "--watch is for rtctrace.v1: a client of {} does not know its session's id",
        options.dialect.name()
    );
    super::block_on(run_all(options))
}

async fn run_all(options: &Options) -> anyhow::Result<()> {
    let needed = u64::from(options.sessions) + OTHER_FILES;
    let files = process::raise_file_limit();
    if files < needed {
        bail!("{} sessions need {needed} open files; this process may have {files} (ulimit -n)", options.sessions);
    }
    let interval = options.rate.0.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(1.0 / rate));
    let between = if interval.is_zero() { Duration::from_secs(1) } else { interval };
    let unbounded = if options.lines.is_some() { LONGEST } else { DURATION };
    let load = Arc::new(Load {
        address: options.url.resolve().await?,
        target: options.url.clone(),
        dialect: options.dialect,
        token: options.token.clone().map(|token| token.0),
        source: Source::open(options.recording.as_deref(), u64::try_from(between.as_millis()).unwrap_or(1000))?,
        interval,
        duration: options.duration.map_or(unbounded, |span| span.0),
        lines: options.lines.unwrap_or(u64::MAX),
        watch: options.watch as usize,
        totals: SharedTotals::default(),
    });

    let began = Instant::now();
    let sessions = options.sessions as usize;
    let mut running = JoinSet::new();
    for number in 0..sessions {
        let load = Arc::clone(&load);
        let start = began + options.ramp.0.mul_f64(number as f64 / sessions as f64);
        running.spawn(async move {
            tokio::time::sleep_until(start.into()).await;
            session::run(&load, number).await
        });
    }
    let mut progress = Progress::new();
    loop {
        match tokio::time::timeout(Duration::from_millis(50), running.join_next()).await {
            Ok(None) => break,
            // A session whose task broke is a failed one like any other.
            Ok(Some(ended)) => {
                let result = ended.map_err(anyhow::Error::from).and_then(|result| result);
                load.totals(|totals| totals.end(result));
            }
            Err(_) => (),
        }
        progress.show(|| {
            load.totals(|totals| {
                format!(
                    "{} of {} sessions open, {} over, {} lines sent, {} acknowledged",
                    totals.open, options.sessions, totals.done, totals.sent, totals.acknowledged
                )
            })
        });
    }
    progress.clear();
    load.totals(|totals| print(options, totals, began.elapsed()))
}

/// Prints the result; lost lines and failed sessions are an error.
fn print(options: &Options, totals: &Totals, took: Duration) -> anyhow::Result<()> {
    let seconds = took.as_secs_f64();
    let (rate, megabytes) = (totals.sent as f64 / seconds, totals.bytes as f64 / 1e6 / seconds);
    let cpu = process::cpu_time().map(|time| time.as_secs_f64());
    let times = |times: &Latencies| {
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|share| times.quantile(share));
        (p50, p95, p99, times.longest())
    };
    let (acks, stored) = (times(&totals.acks), times(&totals.stored));
    let text = if options.json {
        let times =
            |(p50, p95, p99, max): (f64, f64, f64, f64)| json!({ "p50": p50, "p95": p95, "p99": p99, "max": max });
        format!(
            "{}\n",
            json!({
                "sessions": options.sessions, "failedSessions": totals.failed,
                "sent": totals.sent, "acknowledged": totals.acknowledged, "lost": totals.lost, "bytes": totals.bytes,
                "seconds": seconds, "linesPerSecond": rate, "ackMs": times(acks), "storedMs": times(stored),
                "cpuSeconds": cpu,
            })
        )
    } else {
        let mut text = format!(
            "sessions      {}, {} failed\nlines         {} sent, {} acknowledged, {} lost\n\
             throughput    {rate:.0} lines/s, {megabytes:.1} MB/s for {seconds:.1} s\n",
            options.sessions, totals.failed, totals.sent, totals.acknowledged, totals.lost
        );
        let line = |name: &str, (p50, p95, p99, max): (f64, f64, f64, f64)| {
            format!("{name}p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms, longest {max:.1} ms\n")
        };
        text += &line("acknowledged  ", acks);
        if options.watch > 0 {
            text += &line("stored after  ", stored);
        }
        if let Some(cpu) = cpu {
            text += &format!("own CPU       {cpu:.2} s\n");
        }
        text
    };
    std::io::stdout().write_all(text.as_bytes()).context("cannot print the result")?;
    if let Some(failure) = &totals.failure {
        bail!("{} of {} sessions failed, the first because: {failure}", totals.failed, options.sessions);
    }
    if totals.lost > 0 {
        bail!("{} lines were not acknowledged", totals.lost);
    }
    Ok(())
}
