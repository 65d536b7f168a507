//! The link that the pair in use is: its round trip time, and the bit rate that it has room for.

use std::sync::LazyLock;

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Places, Wanted};

use super::in_use::PairInUse;
use crate::budget::Budget;
use crate::metric::{Gauge, Sample};
use crate::table::ConnectionFeatures;

static OF_PAIR: LazyLock<Wanted<2>> =
    LazyLock::new(|| Wanted::new(["currentRoundTripTime", "availableOutgoingBitrate"]));

/// Accumulates the metrics of the pair in use, whichever it is.
#[derive(Debug, Default)]
pub(crate) struct Link {
    round_trip_time: Gauge,
    available: Gauge,
    of_pair: Places<2>,
}

impl Link {
    /// `sample`: if the report is one.
    pub(crate) fn report(&mut self, pair: &PairInUse<'_>, sample: Option<&Sample>, buckets: &mut Budget) {
        if pair.is_moved {
            self.of_pair = Places::default();
        }
        let Some(sample) = sample else { return };
        let (mut round_trip_time, mut available) = (None, None);
        if let Some(pair) = pair.entry {
            self.of_pair.find(&OF_PAIR, pair);
            let value = |at| self.of_pair.value(pair, at).and_then(RawValue::as_f64);
            (round_trip_time, available) = (value(0), value(1));
        }
        self.round_trip_time.report(round_trip_time, sample.number, buckets);
        self.available.report(available, sample.number, buckets);
    }

    /// What it is now, in seconds.
    pub(crate) fn round_trip_time(&self) -> Option<f64> {
        self.round_trip_time.now()
    }

    /// `number`: of the newest sample.
    pub(crate) fn write(&self, number: u64, features: &mut ConnectionFeatures) {
        let f = features;
        [
            f.round_trip_time_mean,
            f.round_trip_time_p5,
            f.round_trip_time_p50,
            f.round_trip_time_p95,
            f.round_trip_time_max,
        ] = self.round_trip_time.summary(number);
        [
            f.available_outgoing_bitrate_mean,
            f.available_outgoing_bitrate_p5,
            f.available_outgoing_bitrate_p50,
            f.available_outgoing_bitrate_p95,
            f.available_outgoing_bitrate_max,
        ] = self.available.summary(number);
    }
}
