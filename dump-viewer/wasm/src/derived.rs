//! Series computed from counters: rates per second and averages per interval, under the names that WebRTC engineers
//! know from the browsers' own pages.

/// A series that two reports in a row give a value for.
#[derive(Debug)]
pub(crate) struct Derived {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) formula: Formula,
}

/// Over an interval between two reports, Δ is a counter's growth.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Formula {
    /// `factor · Δof / seconds`.
    Rate { of: &'static str, factor: f64 },
    /// `factor · Δof / Δper`: the average over what was counted in the interval.
    Average { of: &'static str, per: &'static str, factor: f64 },
    /// A share of one, in per cent.
    Percent { of: &'static str },
    /// Lost packets in per cent of those expected.
    Loss { lost: &'static str, received: &'static str },
    /// `√(Δof / Δper)`.
    RootMeanSquare { of: &'static str, per: &'static str },
    /// Standard deviation of `n` samples from their sum and the sum of their squares.
    Deviation { sum: &'static str, squares: &'static str, n: &'static str, factor: f64 },
}

const fn bits(name: &'static str, of: &'static str) -> Derived {
    Derived { name, unit: "bits/s", formula: Formula::Rate { of, factor: 8.0 } }
}

const fn rate(name: &'static str, unit: &'static str, of: &'static str) -> Derived {
    Derived { name, unit, formula: Formula::Rate { of, factor: 1.0 } }
}

const fn milliseconds(name: &'static str, of: &'static str, per: &'static str) -> Derived {
    Derived { name, unit: "ms", formula: Formula::Average { of, per, factor: 1000.0 } }
}

const fn average(name: &'static str, of: &'static str, per: &'static str) -> Derived {
    Derived { name, unit: "", formula: Formula::Average { of, per, factor: 1.0 } }
}

/// In the order of the graphs. A rule applies to every entry that has all members it names.
pub(crate) const DERIVED: [Derived; 59] = [
    bits("[bytesReceived_in_bits/s]", "bytesReceived"),
    bits("[bytesSent_in_bits/s]", "bytesSent"),
    bits("[headerBytesReceived_in_bits/s]", "headerBytesReceived"),
    bits("[headerBytesSent_in_bits/s]", "headerBytesSent"),
    bits("[totalEncodedBytesTarget_in_bits/s]", "totalEncodedBytesTarget"),
    bits("[retransmittedBytesReceived_in_bits/s]", "retransmittedBytesReceived"),
    bits("[retransmittedBytesSent_in_bits/s]", "retransmittedBytesSent"),
    bits("[fecBytesReceived_in_bits/s]", "fecBytesReceived"),
    bits("[bytesDiscardedOnSend_in_bits/s]", "bytesDiscardedOnSend"),
    rate("[packetsReceived/s]", "packets/s", "packetsReceived"),
    rate("[packetsSent/s]", "packets/s", "packetsSent"),
    Derived {
        name: "[packetsLost_in_%]",
        unit: "%",
        formula: Formula::Loss { lost: "packetsLost", received: "packetsReceived" },
    },
    Derived { name: "[fractionLost_in_%]", unit: "%", formula: Formula::Percent { of: "fractionLost" } },
    rate("[packetsLost/s]", "packets/s", "packetsLost"),
    rate("[packetsDiscarded/s]", "packets/s", "packetsDiscarded"),
    rate("[packetsDiscardedOnSend/s]", "packets/s", "packetsDiscardedOnSend"),
    rate("[retransmittedPacketsReceived/s]", "packets/s", "retransmittedPacketsReceived"),
    rate("[retransmittedPacketsSent/s]", "packets/s", "retransmittedPacketsSent"),
    rate("[fecPacketsReceived/s]", "packets/s", "fecPacketsReceived"),
    rate("[framesReceived/s]", "frames/s", "framesReceived"),
    rate("[framesDecoded/s]", "frames/s", "framesDecoded"),
    rate("[framesDropped/s]", "frames/s", "framesDropped"),
    rate("[framesEncoded/s]", "frames/s", "framesEncoded"),
    rate("[framesSent/s]", "frames/s", "framesSent"),
    rate("[hugeFramesSent/s]", "frames/s", "hugeFramesSent"),
    rate("[keyFramesDecoded/s]", "frames/s", "keyFramesDecoded"),
    rate("[keyFramesEncoded/s]", "frames/s", "keyFramesEncoded"),
    rate("[frames/s]", "frames/s", "frames"),
    milliseconds("[totalDecodeTime/framesDecoded_in_ms]", "totalDecodeTime", "framesDecoded"),
    milliseconds("[totalProcessingDelay/framesDecoded_in_ms]", "totalProcessingDelay", "framesDecoded"),
    milliseconds(
        "[totalAssemblyTime/framesAssembledFromMultiplePackets_in_ms]",
        "totalAssemblyTime",
        "framesAssembledFromMultiplePackets",
    ),
    milliseconds("[totalInterFrameDelay/framesDecoded_in_ms]", "totalInterFrameDelay", "framesDecoded"),
    Derived {
        name: "[interFrameDelayStDev_in_ms]",
        unit: "ms",
        formula: Formula::Deviation {
            sum: "totalInterFrameDelay",
            squares: "totalSquaredInterFrameDelay",
            n: "framesDecoded",
            factor: 1000.0,
        },
    },
    milliseconds("[jitterBufferDelay/jitterBufferEmittedCount_in_ms]", "jitterBufferDelay", "jitterBufferEmittedCount"),
    milliseconds(
        "[jitterBufferTargetDelay/jitterBufferEmittedCount_in_ms]",
        "jitterBufferTargetDelay",
        "jitterBufferEmittedCount",
    ),
    milliseconds(
        "[jitterBufferMinimumDelay/jitterBufferEmittedCount_in_ms]",
        "jitterBufferMinimumDelay",
        "jitterBufferEmittedCount",
    ),
    milliseconds("[totalEncodeTime/framesEncoded_in_ms]", "totalEncodeTime", "framesEncoded"),
    milliseconds("[totalPacketSendDelay/packetsSent_in_ms]", "totalPacketSendDelay", "packetsSent"),
    milliseconds("[totalPlayoutDelay/totalSamplesCount_in_ms]", "totalPlayoutDelay", "totalSamplesCount"),
    milliseconds(
        "[totalRoundTripTime/roundTripTimeMeasurements_in_ms]",
        "totalRoundTripTime",
        "roundTripTimeMeasurements",
    ),
    milliseconds("[totalRoundTripTime/responsesReceived_in_ms]", "totalRoundTripTime", "responsesReceived"),
    average("[qpSum/framesDecoded]", "qpSum", "framesDecoded"),
    average("[qpSum/framesEncoded]", "qpSum", "framesEncoded"),
    average("[psnrSum.y/psnrMeasurements]", "psnrSum.y", "psnrMeasurements"),
    average(
        "[totalCorruptionProbability/corruptionMeasurements]",
        "totalCorruptionProbability",
        "corruptionMeasurements",
    ),
    Derived {
        name: "[Audio_Level_in_RMS]",
        unit: "",
        formula: Formula::RootMeanSquare { of: "totalAudioEnergy", per: "totalSamplesDuration" },
    },
    Derived {
        name: "[concealedSamples/totalSamplesReceived_in_%]",
        unit: "%",
        formula: Formula::Average { of: "concealedSamples", per: "totalSamplesReceived", factor: 100.0 },
    },
    rate("[concealmentEvents/s]", "1/s", "concealmentEvents"),
    rate("[insertedSamplesForDeceleration/s]", "samples/s", "insertedSamplesForDeceleration"),
    rate("[removedSamplesForAcceleration/s]", "samples/s", "removedSamplesForAcceleration"),
    rate("[totalSamplesReceived/s]", "samples/s", "totalSamplesReceived"),
    rate("[freezeCount/s]", "1/s", "freezeCount"),
    rate("[nackCount/s]", "1/s", "nackCount"),
    rate("[pliCount/s]", "1/s", "pliCount"),
    rate("[firCount/s]", "1/s", "firCount"),
    rate("[messagesSent/s]", "1/s", "messagesSent"),
    rate("[messagesReceived/s]", "1/s", "messagesReceived"),
    rate("[requestsSent/s]", "1/s", "requestsSent"),
    rate("[responsesReceived/s]", "1/s", "responsesReceived"),
];

impl Formula {
    /// The members it needs; the first ones are those whose standing still makes the series stand still.
    pub(crate) fn members(self) -> Vec<&'static str> {
        match self {
            Self::Rate { of, .. } | Self::Percent { of } => vec![of],
            Self::Average { of, per, .. } | Self::RootMeanSquare { of, per } => vec![of, per],
            Self::Loss { lost, received } => vec![lost, received],
            Self::Deviation { sum, squares, n, .. } => vec![sum, squares, n],
        }
    }

    /// Evaluates over whole series. `stamps` are the entry's own times in ms, `inputs` the series of [`Self::members`].
    /// A value stands at the end of its interval, and at all reports within it that told nothing new; it is NaN where there is no interval,
    /// where nothing was counted in it, and where a counter went backwards, which means that it began anew. No interval leads to a point of
    /// `breaks`, which are in order: what a mean over a sleep of the page is never was.
    pub(crate) fn evaluate(self, stamps: &[f64], breaks: &[u32], inputs: &[Vec<f64>]) -> Vec<f64> {
        if let Self::Percent { .. } = self {
            return inputs.iter().flatten().map(|value| 100.0 * value).collect();
        }
        let mut values = vec![f64::NAN; stamps.len()];
        let mut previous: Option<usize> = None;
        let mut within = 0;
        let mut breaks = breaks.iter().map(|point| *point as usize).peekable();
        for index in 0..stamps.len() {
            if breaks.next_if_eq(&index).is_some() {
                (previous, within) = (None, 0);
            }
            let present = inputs.iter().all(|input| input.get(index).is_some_and(|value| !value.is_nan()));
            if !present {
                within = 0;
                continue;
            }
            let delta = |input: usize| -> f64 {
                let at =
                    |index: usize| inputs.get(input).and_then(|input| input.get(index)).copied().unwrap_or(f64::NAN);
                previous.map_or(f64::NAN, |previous| at(index) - at(previous))
            };
            let stamp = |index: usize| stamps.get(index).copied().unwrap_or(f64::NAN);
            let milliseconds = previous.map_or(f64::NAN, |previous| stamp(index) - stamp(previous));
            if milliseconds == 0.0 {
                // The entry was not renewed between two reports: the interval goes on.
                within += 1;
                continue;
            }
            let value = self.interval(delta, milliseconds / 1000.0);
            values.iter_mut().take(index + 1).skip(index - within).for_each(|out| *out = value);
            (previous, within) = (Some(index), 0);
        }
        values
    }

    fn interval(self, delta: impl Fn(usize) -> f64, seconds: f64) -> f64 {
        let growth = |input: usize| {
            let delta = delta(input);
            if delta >= 0.0 { delta } else { f64::NAN }
        };
        let ratio =
            |numerator: f64, denominator: f64| if denominator > 0.0 { numerator / denominator } else { f64::NAN };
        match self {
            Self::Rate { factor, .. } => factor * ratio(growth(0), seconds),
            Self::Percent { .. } => f64::NAN,
            Self::Average { factor, .. } => factor * ratio(growth(0), growth(1)),
            // packetsLost may shrink when a packet that was given up arrives after all.
            Self::Loss { .. } => (100.0 * ratio(delta(0), delta(0) + growth(1))).max(0.0) + 0.0 * growth(1),
            Self::RootMeanSquare { .. } => ratio(growth(0), growth(1)).sqrt(),
            Self::Deviation { factor, .. } => {
                let (sum, squares, n) = (growth(0), growth(1), growth(2));
                factor * ratio(squares - ratio(sum * sum, n), n).max(0.0).sqrt() + 0.0 * sum
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str) -> Formula {
        DERIVED.iter().find(|derived| derived.name == name).unwrap().formula
    }

    #[track_caller]
    fn same(got: &[f64], wanted: &[f64]) {
        let text = |values: &[f64]| values.iter().map(|value| format!("{value:.3}")).collect::<Vec<_>>();
        assert_eq!(text(got), text(wanted));
    }

    #[test]
    fn a_bit_rate_is_eight_times_the_bytes_of_a_second() {
        let values =
            rule("[bytesReceived_in_bits/s]").evaluate(&[0.0, 1000.0, 3000.0], &[], &[vec![0.0, 100.0, 500.0]]);
        same(&values, &[f64::NAN, 800.0, 1600.0]);
    }

    #[test]
    fn a_counter_that_began_anew_gives_no_negative_rate() {
        let values = rule("[packetsSent/s]").evaluate(&[0.0, 1000.0, 2000.0, 3000.0], &[], &[vec![5.0, 9.0, 1.0, 3.0]]);
        same(&values, &[f64::NAN, 4.0, f64::NAN, 2.0]);
    }

    #[test]
    fn an_entry_that_was_not_renewed_prolongs_the_interval() {
        let values = rule("[packetsSent/s]").evaluate(&[0.0, 0.0, 2000.0], &[], &[vec![0.0, 0.0, 10.0]]);
        same(&values, &[f64::NAN, 5.0, 5.0]);
    }

    #[test]
    fn a_report_without_the_member_is_a_gap() {
        let values = rule("[packetsSent/s]").evaluate(&[0.0, 1000.0, 2000.0], &[], &[vec![0.0, f64::NAN, 10.0]]);
        same(&values, &[f64::NAN, f64::NAN, 5.0]);
    }

    #[test]
    fn no_rate_leads_over_a_break() {
        let of = |breaks: &[u32]| {
            let (stamps, packets) =
                (vec![0.0, 1000.0, 21_000.0, 21_000.0, 22_000.0], vec![0.0, 10.0, 20.0, 20.0, 30.0]);
            rule("[packetsSent/s]").evaluate(&stamps, breaks, &[packets])
        };
        same(&of(&[]), &[f64::NAN, 10.0, 0.5, 10.0, 10.0]);
        same(&of(&[2]), &[f64::NAN, 10.0, f64::NAN, 10.0, 10.0]);
        same(&of(&[0, 2, 3]), &[f64::NAN, 10.0, f64::NAN, f64::NAN, 10.0]);
    }

    #[test]
    fn an_average_needs_something_counted() {
        let values = rule("[totalDecodeTime/framesDecoded_in_ms]").evaluate(
            &[0.0, 1000.0, 2000.0],
            &[],
            &[vec![1.0, 1.5, 1.5], vec![10.0, 20.0, 20.0]],
        );
        same(&values, &[f64::NAN, 50.0, f64::NAN]);
    }

    #[test]
    fn loss_is_a_share_of_the_expected_packets_and_never_negative() {
        let values = rule("[packetsLost_in_%]").evaluate(
            &[0.0, 1000.0, 2000.0],
            &[],
            &[vec![0.0, 10.0, 5.0], vec![0.0, 90.0, 190.0]],
        );
        same(&values, &[f64::NAN, 10.0, 0.0]);
    }

    #[test]
    fn a_share_is_shown_in_per_cent() {
        same(&rule("[fractionLost_in_%]").evaluate(&[0.0, 0.0], &[], &[vec![0.25, f64::NAN]]), &[25.0, f64::NAN]);
    }

    #[test]
    fn the_deviation_of_equal_intervals_is_zero() {
        let values = rule("[interFrameDelayStDev_in_ms]").evaluate(
            &[0.0, 1000.0],
            &[],
            &[vec![0.0, 1.0], vec![0.0, 0.1], vec![0.0, 10.0]],
        );
        same(&values, &[f64::NAN, 0.0]);
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = DERIVED.iter().map(|derived| derived.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), DERIVED.len());
    }
}
