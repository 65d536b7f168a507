//! How one RTP stream fared from sample to sample: rates, delays and losses, and the speech that came of them.

use std::sync::LazyLock;

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, Places, Wanted};

use super::mos::Speech;
use crate::budget::Budget;
use crate::distribution::Distribution;
use crate::metric::{Gauge, Rate, Sample, Variance, times};
use crate::table::TrackFeatures;

/// A counter of losses may become less, as what was given up arrives, and some browsers let it go below 0 and wrap around.
const WRAPPED: f64 = 2_147_483_648.0;

/// What is read of the entry of the far end: `remote-inbound-rtp` of what is sent, `remote-outbound-rtp` of what is received.
static FAR_END: LazyLock<Wanted<4>> =
    LazyLock::new(|| Wanted::new(["roundTripTime", "jitter", "fractionLost", "packetsLost"]));

/// What the entry of a stream says in a sample.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    pub(super) bytes: Option<f64>,
    pub(super) frames: Option<f64>,
    pub(super) jitter: Option<f64>,
    pub(super) received: Option<f64>,
    pub(super) lost: Option<f64>,
    pub(super) buffered: Option<f64>,
    pub(super) emitted: Option<f64>,
}

/// Accumulates the metrics of one stream.
#[derive(Debug, Default)]
pub(super) struct Quality {
    pub(super) bitrate: Rate,
    pub(super) frame_rate: Rate,
    round_trip_time: Gauge,
    jitter: Gauge,
    loss: Gauge,
    lost_variance: Variance,
    buffer_delay: Distribution,
    mos: Distribution,
    before: Told,
    /// The sample until which packets came, or were missed.
    heard: u64,
    far_end: Places<4>,
    /// The round trip time that the far end told last.
    far_end_round_trip_time: Option<f64>,
    /// How many packets the far end missed.
    pub(super) far_end_lost: Option<f64>,
}

impl Quality {
    /// What a stream that is received says. `round_trip_time` (s): of the connection; `speech`: how it is coded. What was lost counts
    /// for all samples since packets came last: while nothing comes, nobody knows what is missing.
    pub(super) fn received(
        &mut self,
        told: Told,
        sample: &Sample,
        round_trip_time: Option<f64>,
        speech: Option<Speech>,
        buckets: &mut Budget,
    ) {
        self.bitrate.report(told.bytes, 8.0, sample, buckets);
        self.frame_rate.report(told.frames, 1.0, sample, buckets);
        self.jitter.report(told.jitter, sample.number, buckets);
        self.lost(told.lost, sample);
        let before = std::mem::replace(&mut self.before, told);
        let grown = |before: Option<f64>, now: Option<f64>| Some(now? - before?);
        let loss = match (grown(before.received, told.received), grown(before.lost, told.lost)) {
            (Some(received), Some(lost)) if received >= 0.0 && received + lost > 0.0 && lost.abs() < WRAPPED => {
                Some(lost.max(0.0) / (received + lost.max(0.0)))
            }
            _ => None,
        };
        let delay = match (grown(before.buffered, told.buffered), grown(before.emitted, told.emitted)) {
            (Some(delay), Some(emitted)) if delay >= 0.0 && emitted > 0.0 => Some(delay / emitted),
            _ => None,
        };
        let delay = delay.filter(|delay| delay.is_finite());
        if (before.received, before.lost) != (told.received, told.lost) {
            let heard = std::mem::replace(&mut self.heard, sample.number);
            if let Some(loss) = loss {
                let samples = if loss > 0.0 { times(sample.number.saturating_sub(heard)).max(1) } else { 1 };
                self.loss.add(loss, samples, buckets);
                if let (Some(speech), Some(delay), Some(round_trip_time)) = (speech, delay, round_trip_time) {
                    let one_way = round_trip_time.max(0.0) / 2.0 + delay;
                    self.mos.add(speech.score(one_way, loss), samples, buckets);
                }
            }
        }
        if let Some(delay) = delay {
            self.buffer_delay.add(delay, 1, buckets);
        }
    }

    /// What a stream that is sent says.
    pub(super) fn sent(&mut self, bytes: Option<f64>, frames: Option<f64>, sample: &Sample, buckets: &mut Budget) {
        self.bitrate.report(bytes, 8.0, sample, buckets);
        self.frame_rate.report(frames, 1.0, sample, buckets);
    }

    /// How many packets are missing, by who receives them.
    pub(super) fn lost(&mut self, lost: Option<f64>, sample: &Sample) {
        self.lost_variance.report(lost.map(losses), sample.number);
    }

    /// Its far end may be another entry.
    pub(super) fn far_end_moved(&mut self) {
        self.far_end = Places::default();
    }

    /// Its far end is gone, the sample of that number being its last.
    pub(super) fn far_end_gone(&mut self, number: u64, buckets: &mut Budget) {
        self.round_trip_time.finish(number, buckets);
        self.jitter.finish(number, buckets);
        self.loss.finish(number, buckets);
        self.lost_variance.finish(number);
    }

    fn told_by_far_end(&mut self, entry: Entry<'_>) -> [Option<f64>; 4] {
        self.far_end.find(&FAR_END, entry);
        [0, 1, 2, 3].map(|at| self.far_end.value(entry, at).and_then(RawValue::as_f64))
    }

    /// A delta has named the entry of the far end. The round trip time, if it is told anew.
    pub(super) fn far_end_changed(&mut self, entry: Entry<'_>) -> Option<f64> {
        let [round_trip_time, _, _, lost] = self.told_by_far_end(entry);
        self.far_end_lost = lost.or(self.far_end_lost);
        let round_trip_time = round_trip_time.filter(|time| Some(*time) != self.far_end_round_trip_time)?;
        self.far_end_round_trip_time = Some(round_trip_time);
        Some(round_trip_time).filter(|time| time.is_finite())
    }

    /// What the far end says in a sample about a stream that is sent to it.
    pub(super) fn far_end(&mut self, entry: Entry<'_>, sample: &Sample, buckets: &mut Budget) {
        let [round_trip_time, jitter, loss, lost] = self.told_by_far_end(entry);
        self.round_trip_time.report(round_trip_time, sample.number, buckets);
        self.jitter.report(jitter, sample.number, buckets);
        self.loss.report(loss.filter(|loss| *loss <= 1.0), sample.number, buckets);
        self.lost(lost, sample);
    }

    /// The stream is gone, the sample of that number being its last.
    pub(super) fn finish(&mut self, number: u64, buckets: &mut Budget) {
        self.bitrate.finish(number, buckets);
        self.frame_rate.finish(number, buckets);
        self.far_end_gone(number, buckets);
        self.before = Told::default();
    }

    /// `number`: of the newest sample.
    pub(super) fn write(&self, number: u64, features: &mut TrackFeatures) {
        let f = features;
        [f.bitrate_mean, f.bitrate_p5, f.bitrate_p50, f.bitrate_p95, f.bitrate_max] = self.bitrate.summary(number);
        [f.frame_rate_mean, f.frame_rate_p5, f.frame_rate_p50, f.frame_rate_p95, f.frame_rate_max] =
            self.frame_rate.summary(number);
        [
            f.round_trip_time_mean,
            f.round_trip_time_p5,
            f.round_trip_time_p50,
            f.round_trip_time_p95,
            f.round_trip_time_max,
        ] = self.round_trip_time.summary(number);
        [f.jitter_mean, f.jitter_p5, f.jitter_p50, f.jitter_p95, f.jitter_max] = self.jitter.summary(number);
        [f.loss_mean, f.loss_p5, f.loss_p50, f.loss_p95, f.loss_max] = self.loss.summary(number);
        [
            f.jitter_buffer_delay_mean,
            f.jitter_buffer_delay_p5,
            f.jitter_buffer_delay_p50,
            f.jitter_buffer_delay_p95,
            f.jitter_buffer_delay_max,
        ] = self.buffer_delay.summary();
        f.packets_lost_variance = self.lost_variance.value(number);
        f.mos_mean = self.mos.mean();
        f.mos_p5 = self.mos.quantile(0.05);
        f.mos_min = self.mos.min();
    }
}

/// A counter of losses as a number with a sign.
pub(super) fn losses(counter: f64) -> f64 {
    if (WRAPPED..2.0 * WRAPPED).contains(&counter) { counter - 2.0 * WRAPPED } else { counter }
}
