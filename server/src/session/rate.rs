//! How fast one session may bring lines: a bucket that leaks, for lines, for bytes, and for the time that it takes to decode them,
//! because a few bytes can stand for a change to a report of megabytes. Nothing is refused for being too fast: the
//! socket is not read for a while, so that the client waits, and keeps what it has. No clock here: time is handed in.

use std::time::{Duration, Instant};

use crate::config::Limits;

/// So many seconds' worth may come at once: a client that was away brings what it kept.
const BURST: f64 = 10.0;
/// Nobody waits longer at a time: a frame may be larger than its bucket.
const LONGEST: Duration = Duration::from_secs(30);

/// The pace of one session, over all its sockets and beacons.
#[derive(Debug)]
pub(crate) struct Rate {
    lines: Bucket,
    bytes: Bucket,
    /// In seconds.
    work: Bucket,
}

#[derive(Debug)]
struct Bucket {
    per_second: f64,
    level: f64,
    at: Instant,
}

impl Rate {
    /// The settings' pace; `None` if they are switched off.
    pub(crate) fn new(limits: &Limits, now: Instant) -> Option<Box<Self>> {
        let bucket = |per_second: f64| Bucket { per_second, level: 0.0, at: now };
        limits.rate.then(|| {
            Box::new(Self {
                lines: bucket((limits.lines_per_second as f64).max(1.0)),
                bytes: bucket((limits.bytes_per_second.0 as f64).max(1.0)),
                work: bucket(limits.work_per_second.0.as_secs_f64().max(0.001)),
            })
        })
    }

    /// Counts what came, and says how long nothing more should be read; what it took to decode what came before counts, too.
    pub(crate) fn take(&mut self, lines: u64, bytes: u64, now: Instant) -> Duration {
        let came = self.lines.take(lines as f64, now).max(self.bytes.take(bytes as f64, now));
        came.max(self.worked(Duration::ZERO, now)).min(LONGEST)
    }

    /// Counts how long it took to decode what came, and says how long nothing more should be read.
    pub(crate) fn worked(&mut self, time: Duration, now: Instant) -> Duration {
        self.work.take(time.as_secs_f64(), now).min(LONGEST)
    }

    /// How long nothing should be read now.
    pub(crate) fn wait(&mut self, now: Instant) -> Duration {
        self.take(0, 0, now)
    }
}

impl Bucket {
    fn take(&mut self, amount: f64, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.level = (self.level - passed * self.per_second).max(0.0) + amount;
        let over = self.level / self.per_second - BURST;
        if over > 0.0 { Duration::try_from_secs_f64(over).unwrap_or(LONGEST) } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Size, Span};

    #[test]
    fn a_burst_is_free_and_what_comes_after_waits_for_its_turn() {
        let limits = Limits { lines_per_second: 10, bytes_per_second: Size(1000), ..Config::default().limits };
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut rate = Rate::new(&limits, start).unwrap();
        assert_eq!(rate.take(100, 5_000, at(0)), Duration::ZERO);
        assert_eq!(rate.take(20, 0, at(0)), Duration::from_secs(2));
        assert_eq!(rate.wait(at(1)), Duration::from_secs(1));
        assert_eq!(rate.wait(at(2)), Duration::ZERO);
        assert_eq!(rate.take(0, 10_000, at(2)), Duration::from_secs(3), "the bytes have a bucket of their own");
        assert_eq!(rate.take(0, u64::MAX, at(9)), LONGEST);
        assert!(Rate::new(&Limits { rate: false, ..limits.clone() }, start).is_none());
    }

    #[test]
    fn who_makes_the_collector_work_waits_as_for_lines() {
        let limits = Limits { work_per_second: Span(Duration::from_millis(100)), ..Config::default().limits };
        let start = Instant::now();
        let mut rate = Rate::new(&limits, start).unwrap();
        assert_eq!(rate.worked(Duration::from_millis(500), start), Duration::ZERO);
        assert_eq!(rate.worked(Duration::from_millis(700), start), Duration::from_secs(2));
        assert_eq!(rate.wait(start + Duration::from_secs(1)), Duration::from_secs(1));
        assert_eq!(rate.wait(start + Duration::from_secs(3)), Duration::ZERO);
    }
}
