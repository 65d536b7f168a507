//! How long things took, by classes that are a few percent wide: any number of measurements in 10 KB.

use std::time::Duration;

/// Classes per doubling: neighbours are 3% apart.
const FINE: u32 = 32;

/// A distribution of times.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    classes: Vec<u64>,
    count: u64,
    longest: Duration,
}

impl Latencies {
    /// Takes in `count` things that took so long.
    pub(super) fn add(&mut self, time: Duration, count: u64) {
        let class = class_of(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        if self.classes.len() <= class {
            self.classes.resize(class + 1, 0);
        }
        if let Some(found) = self.classes.get_mut(class) {
            *found += count;
        }
        self.count += count;
        self.longest = self.longest.max(time);
    }

    /// In milliseconds, what a share of all (0.99) did not exceed.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let rank = (self.count as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (class, count) in self.classes.iter().enumerate() {
            seen += count;
            if seen >= rank.max(1) {
                return upper(class) as f64 / 1_000.0;
            }
        }
        0.0
    }

    /// The longest, in milliseconds.
    pub(super) fn longest(&self) -> f64 {
        self.longest.as_secs_f64() * 1_000.0
    }
}

fn class_of(micros: u64) -> usize {
    let bits = micros.max(1).ilog2();
    let Some(shift) = bits.checked_sub(FINE.ilog2()) else { return micros as usize };
    (shift * FINE) as usize + (micros >> shift) as usize
}

/// The largest time of a class, in microseconds.
fn upper(class: usize) -> u64 {
    let class = class as u64;
    let fine = u64::from(FINE);
    if class < 2 * fine {
        return class;
    }
    let shift = class / fine - 1;
    ((class % fine + fine + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_what_is_at_most_three_percent_below_its_largest() {
        for micros in (0..5_000).chain((1..60).map(|bit| (1_u64 << bit) + 12_345)) {
            let upper = upper(class_of(micros));
            assert!(upper >= micros && upper - micros <= micros / 32, "{micros}: {upper}");
        }
    }

    #[test]
    fn quantiles_are_by_rank() {
        let mut times = Latencies::default();
        assert_eq!(times.quantile(0.5), 0.0);
        for ms in 1..=100 {
            times.add(Duration::from_millis(ms), 1);
        }
        assert!((50.0..52.0).contains(&times.quantile(0.5)), "{}", times.quantile(0.5));
        assert!((99.0..103.0).contains(&times.quantile(0.99)), "{}", times.quantile(0.99));
        assert_eq!(times.longest(), 100.0);
    }
}
