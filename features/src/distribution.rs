//! [`Distribution`]: mean, quantiles and extremes of numbers that pass by, in little memory.
//!
//! Numbers are counted in buckets on a logarithmic scale, as DDSketch does (Masson, Rim and Lee, VLDB 2019): first the upper bits of a
//! number's binary form, 64 buckets to a power of two, so that no logarithm is taken and a quantile is wrong by at most 1/128 (0.8 %).
//! Only buckets that are hit are kept, at most [`limits::BUCKETS`]; when there are more, neighbours are joined two by two, as UDDSketch
//! does (Epicoco et al., 2020), and the error doubles. Numbers within two powers of two (from 500 kbit/s to 2 Mbit/s,
//! say) never come to that; within four the error stays below 1.6 %, within sixteen below 6.3 %. Mean, least and largest are exact, and so is all of what never changed. A session's distributions have a budget of buckets together
//! ([`limits::ALL_BUCKETS`]): with none left, a number that needs another joins neighbours instead.
//!
//! The crates that were looked at count in arrays that are dense from the first number on, or collapse the low end when these are full.

use crate::budget::Budget;
use crate::limits;

/// Bits of the mantissa that tell buckets apart.
const PRECISION: u32 = 6;

/// What lies below these bits of a double.
const BELOW: u32 = f64::MANTISSA_DIGITS - 1 - PRECISION;

/// The bits of 2^-511, below which everything is 0: so those of a key are no more than 16.
const LEAST: u64 = 512 << PRECISION;

/// Above this, nothing is a measurement.
const MOST: f64 = 1e18;

/// Numbers of 0 and above that have passed by.
#[derive(Debug, Clone)]
pub(crate) struct Distribution {
    /// The upper bits of the numbers in each bucket, in their order.
    keys: Vec<u16>,
    /// How many each holds.
    counts: Vec<u32>,
    /// Where the newest number was counted: the next one is as a rule like it.
    newest: usize,
    /// How often neighbours were joined.
    joined: u32,
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Default for Distribution {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            counts: Vec::new(),
            newest: 0,
            joined: 0,
            count: 0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Distribution {
    /// `value` was there so many times. What is negative, or no measurement, is left out. `buckets`: how many the session may yet have.
    pub(crate) fn add(&mut self, value: f64, times: u32, buckets: &mut Budget) {
        if times == 0 || !(0.0..=MOST).contains(&value) {
            return;
        }
        // Of two zeros one is below the other in their bits.
        let value = value + 0.0;
        if value < self.min {
            self.min = value;
        }
        if value > self.max {
            self.max = value;
        }
        self.count = self.count.saturating_add(u64::from(times));
        self.sum += value * f64::from(times);
        let key = ((value.to_bits() >> BELOW).saturating_sub(LEAST) >> self.joined) as u16;
        if self.keys.get(self.newest) != Some(&key) {
            // Comparing with all of them takes no decision, and eight at a time.
            self.newest = usize::from(self.keys.iter().map(|known| u16::from(*known < key)).sum::<u16>());
            if self.keys.get(self.newest) != Some(&key) {
                return self.insert(key, times, buckets);
            }
        }
        if let Some(count) = self.counts.get_mut(self.newest) {
            *count = count.saturating_add(times);
        }
    }

    #[cold]
    fn insert(&mut self, key: u16, times: u32, buckets: &mut Budget) {
        // The first is everyone's: there are no more of them than metrics.
        let had = self.keys.len();
        let is_free = had == 0 || (had < limits::BUCKETS && buckets.take());
        self.keys.insert(self.newest, key);
        self.counts.insert(self.newest, times);
        while !is_free && self.keys.len() > had {
            self.join();
        }
        if self.keys.len() < had {
            buckets.give(had - self.keys.len());
        }
    }

    fn join(&mut self) {
        self.joined += 1;
        let (mut keys, mut counts): (Vec<u16>, Vec<u32>) = Default::default();
        for (key, count) in self.buckets() {
            match (keys.last(), counts.last_mut()) {
                (Some(last), Some(sum)) if *last == key >> 1 => *sum = u32::saturating_add(*sum, count),
                _ => {
                    keys.push(key >> 1);
                    counts.push(count);
                }
            }
        }
        (self.keys, self.counts) = (keys, counts);
    }

    fn buckets(&self) -> impl Iterator<Item = (u16, u32)> {
        self.keys.iter().copied().zip(self.counts.iter().copied())
    }

    pub(crate) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| (self.sum / self.count as f64).clamp(self.min, self.max))
    }

    pub(crate) fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    pub(crate) fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }

    /// The least number that is not exceeded by a share `share` of all.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let all: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        let rank = ((all as f64 * share).ceil() as u64).max(1);
        let mut below = 0;
        let (key, _) = self.buckets().find(|(_, count)| {
            below += u64::from(*count);
            below >= rank
        })?;
        let edge = |key: u64| f64::from_bits(((key << self.joined) + LEAST) << BELOW);
        let middle = match u64::from(key) {
            0 => 0.0,
            key => (edge(key) + edge(key + 1)) / 2.0,
        };
        Some(middle.clamp(self.min, self.max))
    }

    /// Mean, 5th, 50th and 95th percentile, and maximum.
    pub(crate) fn summary(&self) -> [Option<f64>; 5] {
        [self.mean(), self.quantile(0.05), self.quantile(0.5), self.quantile(0.95), self.max()]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)] // A test fails by panicking.
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[f64]) -> Distribution {
        let mut distribution = Distribution::default();
        values.iter().for_each(|value| distribution.add(*value, 1, &mut Budget::endless()));
        distribution
    }

    #[test]
    fn nothing_has_no_summary_and_takes_no_memory() {
        let none = Distribution::default();
        assert_eq!(none.summary(), [None; 5]);
        assert_eq!(none.keys.capacity(), 0);
        assert_eq!(of(&[-1.0, f64::NAN, f64::INFINITY, 1e300]).summary(), [None; 5]);
    }

    #[test]
    fn what_never_changed_is_exact() {
        assert_eq!(of(&[0.0317; 9]).summary(), [Some(0.0317); 5]);
        assert_eq!(of(&[0.0, -0.0]).summary(), [Some(0.0); 5]);
    }

    #[test]
    fn a_number_counts_as_often_as_it_was_there() {
        let mut often = Distribution::default();
        often.add(1.0, 19, &mut Budget::endless());
        often.add(1000.0, 1, &mut Budget::endless());
        // The bucket of 1 reaches to 1 + 1/64.
        let one = Some(1.0 + 1.0 / 128.0);
        assert_eq!(often.summary(), [Some(50.95), one, one, one, Some(1000.0)]);
    }

    #[test]
    fn buckets_are_bounded_whatever_comes() {
        let values: Vec<f64> = (0..5000).map(|at| 1.07_f64.powi(at % 1000 - 500)).collect();
        let all = of(&values);
        assert!(all.keys.len() <= limits::BUCKETS && all.keys.capacity() <= 2 * limits::BUCKETS);
        let [mean, p5, p50, p95, max] = all.summary().map(Option::unwrap);
        assert!(p5 <= p50 && p50 <= p95 && p95 <= max && mean <= max);
    }

    #[test]
    fn what_is_within_two_powers_of_two_is_never_joined() {
        for least in [1.0, 1.007, 500_000.0, 0.0313] {
            let steps = (0..=3072).map(|step| least * (1.0 + f64::from(step) / 1024.0));
            assert_eq!(of(&steps.collect::<Vec<_>>()).joined, 0, "{least}");
        }
    }

    #[test]
    fn without_buckets_neighbours_are_joined_and_each_has_its_first() {
        let mut buckets = Budget::of(3);
        let (mut one, mut other) = (Distribution::default(), Distribution::default());
        for at in 0..1000 {
            one.add(1.03_f64.powi(at % 200), 1, &mut buckets);
            assert!(one.keys.len() <= 4, "{}", one.keys.len());
        }
        while buckets.take() {}
        other.add(5.0, 1, &mut buckets);
        other.add(7.0, 1, &mut buckets);
        assert_eq!((other.keys.len(), other.mean(), other.max()), (1, Some(6.0), Some(7.0)));
        assert_eq!((one.min(), one.counts.iter().sum::<u32>()), (Some(1.0), 1000));
        let [mean, p5, p50, p95, max] = one.summary().map(Option::unwrap);
        assert!(p5 <= p50 && p50 <= p95 && p95 <= max && mean <= max);
    }

    #[test]
    fn what_joining_frees_is_given_back() {
        let mut buckets = Budget::of(10 * limits::BUCKETS);
        let mut all = Distribution::default();
        (0..2000).for_each(|at| all.add(1.02_f64.powi(at % 700), 1, &mut buckets));
        let mut left = 0;
        while buckets.take() {
            left += 1;
        }
        assert_eq!(left + all.keys.len() - 1, 10 * limits::BUCKETS);
    }

    proptest! {
        #[test]
        fn a_quantile_is_within_the_stated_error(
            values in prop::collection::vec(0..1_500_001_u32, 1..400),
            share in prop::sample::select(&[0.05, 0.5, 0.95][..]),
        ) {
            let mut values: Vec<f64> = values.iter().map(|value| f64::from(value + 500_000)).collect();
            let found = of(&values).quantile(share).unwrap();
            values.sort_by(f64::total_cmp);
            let exact = values[((values.len() as f64 * share).ceil() as usize).max(1) - 1];
            prop_assert!((found - exact).abs() <= exact / 128.0, "{} is not {}", found, exact);
        }

        #[test]
        fn whatever_is_added_a_summary_is_in_order_and_within_bounds(
            values in prop::collection::vec((prop::num::f64::ANY, 0..9_u32), 0..600),
        ) {
            let mut all = Distribution::default();
            values.iter().for_each(|(value, times)| all.add(*value, *times, &mut Budget::endless()));
            prop_assert!(all.keys.len() <= limits::BUCKETS);
            let counted = values.iter().any(|(value, times)| *times > 0 && (0.0..=MOST).contains(value));
            let summary = all.summary();
            prop_assert!(summary.iter().all(|value| value.is_some() == counted));
            if let [Some(mean), Some(p5), Some(p50), Some(p95), Some(max)] = summary {
                prop_assert!(p5 <= p50 && p50 <= p95 && p95 <= max && mean <= max && mean.is_finite());
            }
        }
    }
}
