//! Metrics over time: which reports are samples, and what a value was through all of them, though only its changes are seen.

use rtctrace_protocol::report::Report;

use crate::budget::Budget;
use crate::distribution::Distribution;

/// Reports that come closer together (ms) are no samples: of so short a time a rate says little, and of none nothing.
const SHORTEST: f64 = 250.0;

/// A report's time that is further (ms) from the time at which it came is no time.
const FURTHEST: f64 = 86_400_000.0;

/// A report that is looked at for metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Its number among the samples of its connection, from 1 on.
    pub(crate) number: u64,
    /// Since the sample before; `None` if there is none, or if the clock went back.
    pub(crate) seconds: Option<f64>,
    /// The number of the report that was the sample before.
    pub(crate) since: u64,
}

/// Decides which reports of a connection are samples.
#[derive(Debug, Default)]
pub(crate) struct Sampling {
    time: Option<f64>,
    number: u64,
    generation: u64,
}

impl Sampling {
    /// `time`: of the event, which counts for a report without a time, or with one that is a day from it or further.
    pub(crate) fn sample(&mut self, report: &Report, time: f64) -> Option<Sample> {
        let own = report.timestamp();
        let now = if own > 0.0 && (own - time).abs() < FURTHEST { own } else { time };
        let since_last = self.time.map(|before| now - before);
        if since_last.is_some_and(|since| (0.0..SHORTEST).contains(&since)) {
            return None;
        }
        self.time = Some(now);
        self.number += 1;
        let seconds = since_last.filter(|since| *since > 0.0).map(|since| since / 1000.0);
        let since = std::mem::replace(&mut self.generation, report.generation());
        Some(Sample { number: self.number, seconds, since })
    }

    /// How many samples there were.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

pub(crate) fn times(samples: u64) -> u32 {
    u32::try_from(samples).unwrap_or(u32::MAX)
}

/// A value that is what it is until it is told anew: in each sample it counts once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gauge {
    now: Option<f64>,
    /// The sample up to which it was counted.
    counted: u64,
    values: Distribution,
}

impl Gauge {
    /// What it is from the sample of that number on.
    pub(crate) fn report(&mut self, value: Option<f64>, number: u64, buckets: &mut Budget) {
        if value != self.now {
            self.count_until(number.saturating_sub(1), buckets);
            self.now = value;
        }
    }

    /// It is no more, the sample of that number being its last.
    pub(crate) fn finish(&mut self, number: u64, buckets: &mut Budget) {
        self.count_until(number, buckets);
        self.now = None;
    }

    /// It is told by differences: that of so many samples.
    pub(crate) fn add(&mut self, value: f64, samples: u32, buckets: &mut Budget) {
        self.values.add(value, samples, buckets);
    }

    pub(crate) fn now(&self) -> Option<f64> {
        self.now
    }

    fn count_until(&mut self, number: u64, buckets: &mut Budget) {
        if let Some(now) = self.now {
            self.values.add(now, times(number.saturating_sub(self.counted)), buckets);
        }
        self.counted = number;
    }

    /// `number`: of the newest sample.
    pub(crate) fn summary(&self, number: u64) -> [Option<f64>; 5] {
        let mut all = self.clone();
        all.count_until(number, &mut Budget::endless());
        all.values.summary()
    }
}

/// How unevenly a counter grows from sample to sample. One that is not told anew stands still.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variance {
    before: Option<f64>,
    /// The sample up to which it was counted.
    counted: u64,
    samples: u64,
    sum: f64,
    squares: f64,
}

impl Variance {
    /// What the counter is in the sample of that number.
    pub(crate) fn report(&mut self, value: Option<f64>, number: u64) {
        let Some(value) = value.filter(|value| value.is_finite()) else { return };
        if let Some(before) = self.before.replace(value) {
            self.samples += number.saturating_sub(self.counted);
            let grown = value - before;
            self.sum += grown;
            self.squares += grown * grown;
        }
        self.counted = number;
    }

    /// The counter is no more, the sample of that number being its last.
    pub(crate) fn finish(&mut self, number: u64) {
        self.samples = self.samples_until(number);
        self.before = None;
    }

    fn samples_until(&self, number: u64) -> u64 {
        self.samples + self.before.map_or(0, |_| number.saturating_sub(self.counted))
    }

    /// Of the whole population; `number`: of the newest sample.
    pub(crate) fn value(&self, number: u64) -> Option<f64> {
        let samples = self.samples_until(number) as f64;
        let variance = self.squares / samples - (self.sum / samples).powi(2);
        (samples > 0.0 && variance.is_finite()).then_some(variance.max(0.0))
    }
}

/// How fast a counter grows from sample to sample. One that is not told anew stands still.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rate {
    before: Option<f64>,
    /// The sample up to which it was counted.
    counted: u64,
    /// How fast it grew until that one, if that is known.
    newest: Option<f64>,
    /// Seconds of all samples in which it grew.
    active: f64,
    values: Distribution,
}

impl Rate {
    /// What the counter is in a sample. `scale`: what one of it counts.
    pub(crate) fn report(&mut self, value: Option<f64>, scale: f64, sample: &Sample, buckets: &mut Budget) {
        if value == self.before {
            return;
        }
        let before = std::mem::replace(&mut self.before, value);
        if before.is_some() {
            self.idle_until(sample.number.saturating_sub(1), buckets);
        }
        self.counted = sample.number;
        // A counter that has become less has begun anew.
        self.newest = match (before, value, sample.seconds) {
            (Some(before), Some(value), Some(seconds)) if value > before => {
                self.active += seconds;
                Some((value - before) * scale / seconds)
            }
            _ => None,
        };
        if let Some(rate) = self.newest {
            self.values.add(rate, 1, buckets);
        }
    }

    /// The counter is no more, the sample of that number being its last.
    pub(crate) fn finish(&mut self, number: u64, buckets: &mut Budget) {
        if self.before.take().is_some() {
            self.idle_until(number, buckets);
        }
    }

    fn idle_until(&mut self, number: u64, buckets: &mut Budget) {
        self.values.add(0.0, times(number.saturating_sub(self.counted)), buckets);
        self.counted = number;
    }

    /// How fast it grew until the sample of that number, which is the newest.
    pub(crate) fn now(&self, number: u64) -> Option<f64> {
        self.before?;
        if self.counted < number { Some(0.0) } else { self.newest }
    }

    /// Seconds of the samples in which it grew.
    pub(crate) fn active_seconds(&self) -> f64 {
        self.active
    }

    /// `number`: of the newest sample.
    pub(crate) fn summary(&self, number: u64) -> [Option<f64>; 5] {
        let mut all = self.clone();
        all.finish(number, &mut Budget::endless());
        all.values.summary()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(number: u64, seconds: f64) -> Sample {
        Sample { number, seconds: Some(seconds), since: 0 }
    }

    #[test]
    fn a_gauge_counts_once_in_every_sample() {
        let mut gauge = Gauge::default();
        gauge.report(Some(2.0), 1, &mut Budget::endless());
        gauge.report(Some(2.0), 3, &mut Budget::endless());
        gauge.report(Some(8.0), 4, &mut Budget::endless());
        gauge.report(None, 6, &mut Budget::endless());
        // 2 in samples 1 to 3, 8 in 4 and 5, nothing from 6 on.
        assert_eq!(gauge.summary(9)[0], Some((3.0 * 2.0 + 2.0 * 8.0) / 5.0));
        gauge.report(Some(8.0), 8, &mut Budget::endless());
        assert_eq!(gauge.summary(8)[0], Some((3.0 * 2.0 + 3.0 * 8.0) / 6.0));
    }

    #[test]
    fn a_counter_that_is_not_told_anew_stands_still() {
        let mut rate = Rate::default();
        rate.report(Some(1000.0), 8.0, &sample(1, 1.0), &mut Budget::endless());
        assert_eq!((rate.now(1), rate.summary(1)), (None, [None; 5]));
        rate.report(Some(1500.0), 8.0, &sample(4, 2.0), &mut Budget::endless());
        // 0 in samples 2 and 3, and 4000 bits in 2 s in 4.
        assert_eq!((rate.now(4), rate.now(5)), (Some(2000.0), Some(0.0)));
        assert_eq!(rate.summary(4), [Some(2000.0 / 3.0), Some(0.0), Some(0.0), Some(2000.0), Some(2000.0)]);
        assert_eq!(rate.active_seconds(), 2.0);
    }

    #[test]
    fn a_counter_that_begins_anew_has_no_rate_then() {
        let mut rate = Rate::default();
        for (number, value) in [(1, 10.0), (2, 20.0), (3, 5.0), (4, 15.0)] {
            rate.report(Some(value), 1.0, &sample(number, 1.0), &mut Budget::endless());
        }
        assert_eq!(rate.summary(4), [Some(10.0); 5]);
        rate.finish(4, &mut Budget::endless());
        rate.report(Some(100.0), 1.0, &sample(9, 1.0), &mut Budget::endless());
        assert_eq!(rate.summary(9), [Some(10.0); 5]);
    }
}
