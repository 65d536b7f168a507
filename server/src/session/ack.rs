//! When an acknowledgement is due: at most one in 500 ms while lines arrive. No clock here: time is handed in.

use std::time::{Duration, Instant};

/// Between two acknowledgements.
pub(crate) const INTERVAL: Duration = Duration::from_millis(500);

/// The pace of one socket's acknowledgements.
#[derive(Debug)]
pub(crate) struct AckPace {
    acknowledged: u64,
    last: Option<Instant>,
}

impl AckPace {
    /// A socket whose welcome said `received`.
    pub(crate) fn new(received: u64) -> Self {
        Self { acknowledged: received, last: None }
    }

    /// When the next acknowledgement is due, given that the session holds `received` lines; `None` if the client knows.
    pub(crate) fn due(&self, received: u64, now: Instant) -> Option<Instant> {
        (received > self.acknowledged).then(|| self.last.map_or(now, |last| (last + INTERVAL).max(now)))
    }

    /// An acknowledgement of `received` lines went out.
    pub(crate) fn sent(&mut self, received: u64, now: Instant) {
        self.acknowledged = received;
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_are_acknowledged_at_once_and_later_ones_twice_a_second() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut pace = AckPace::new(3);
        assert_eq!(pace.due(3, at(0)), None);
        assert_eq!(pace.due(4, at(10)), Some(at(10)));
        pace.sent(4, at(10));
        assert_eq!(pace.due(4, at(20)), None);
        assert_eq!(pace.due(5, at(20)), Some(at(510)));
        assert_eq!(pace.due(9, at(400)), Some(at(510)));
        pace.sent(9, at(510));
        assert_eq!(pace.due(10, at(5_000)), Some(at(5_000)));
    }
}
