//! How counters of one entry have grown from look to look.

use std::ops::Range;

use rtctrace_protocol::report::{Entry, Places, Wanted};

use crate::track::legacy;

/// The counters of an entry, by their places among the wanted names. NaN stands for none.
#[derive(Debug, Clone)]
pub(super) struct Growth<const N: usize> {
    places: Places<N>,
    now: [f64; N],
    grown: [f64; N],
}

impl<const N: usize> Default for Growth<N> {
    fn default() -> Self {
        Self { places: Places::default(), now: [f64::NAN; N], grown: [f64::NAN; N] }
    }
}

impl<const N: usize> Growth<N> {
    /// Reads the counters. `is_changed`: whether a delta has named the entry since the look before.
    pub(super) fn look(&mut self, wanted: &Wanted<N>, entry: Entry<'_>, is_changed: bool) {
        self.look_at(0..N, wanted, entry, is_changed);
    }

    /// The same of those at some places.
    pub(super) fn look_at(&mut self, some: Range<usize>, wanted: &Wanted<N>, entry: Entry<'_>, is_changed: bool) {
        self.places.find(wanted, entry);
        let counters = self.now.iter_mut().zip(&mut self.grown).enumerate();
        for (at, (now, grown)) in counters.take(some.end).skip(some.start) {
            if !is_changed {
                *grown = if now.is_nan() { f64::NAN } else { 0.0 };
                continue;
            }
            let value = self.places.value(entry, at).and_then(legacy::number).filter(|value| value.is_finite());
            let value = value.unwrap_or(f64::NAN);
            *grown = value - *now;
            *now = value;
        }
    }

    /// There is nothing to compare with any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// How much the counter at that place has grown; `None` if it has become less, or was not there.
    pub(super) fn grown(&self, at: usize) -> Option<f64> {
        self.signed(at).filter(|grown| *grown >= 0.0)
    }

    /// The same of what may become less.
    pub(super) fn signed(&self, at: usize) -> Option<f64> {
        self.grown.get(at).copied().filter(|grown| !grown.is_nan())
    }

    /// What the member at that place is.
    pub(super) fn now(&self, at: usize) -> Option<f64> {
        self.now.get(at).copied().filter(|now| !now.is_nan())
    }
}
