//! Encoders and decoders that fell back from hardware to software.

use rtctrace_protocol::json::RawValue;

use super::finding::FindingTrack;
use super::rule::{Rule, Severity};
use super::sink::{Sink, number, text};
use crate::limits;
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] = &[&CODEC_FALLBACK];

static CODEC_FALLBACK: Rule = Rule {
    id: "codec-fallback",
    severity: Severity::Notice,
    title: "A codec fell back to software",
    meaning: "The machine works harder, gets warm and drains its battery; a slow one limits the video.",
    advice: "Hardware has limits of sizes and of how many streams it takes, and drivers fail: look at what changed at that moment.",
    sentence: "The {side} of {kind} fell back to software: {to} instead of {from}[, {count:time}]",
    thresholds: &[],
    reads: described(
        "getStats: outbound-rtp.powerEfficientEncoder, encoderImplementation; inbound-rtp.powerEfficientDecoder, decoderImplementation (libwebrtc names what it fell back from)",
    ),
};

/// What codes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Encoder,
    Decoder,
}

/// The fallbacks of one stream, of which the first is told.
#[derive(Debug, Clone, Default)]
pub(super) struct Fallbacks {
    name: Box<str>,
    is_efficient: Option<bool>,
    first: Option<(f64, Box<str>)>,
    to: Box<str>,
    count: u64,
}

impl Fallbacks {
    /// The implementation's name, and whether it is power efficient, as an entry that has changed has them. `time`: Unix ms.
    pub(super) fn look(&mut self, [name, efficient]: [Option<RawValue<'_>>; 2], time: f64) {
        let Some(text) = name.map(RawValue::text).filter(|text| text.len() <= limits::IDENTIFIER) else { return };
        let is_efficient = efficient.and_then(RawValue::as_bool);
        if *text == *self.name && is_efficient == self.is_efficient {
            return;
        }
        let is_slower = self.is_efficient == Some(true) && is_efficient == Some(false);
        let is_fallback = |name: &str| name.contains("fallback from");
        let says_so = !self.name.is_empty() && is_fallback(text) && !is_fallback(&self.name);
        if (is_slower || says_so) && time.is_finite() {
            self.first.get_or_insert_with(|| (time, self.name.clone()));
            if self.count == 0 {
                self.to = text.into();
            }
            self.count = self.count.saturating_add(1);
        }
        (self.name, self.is_efficient) = (text.into(), is_efficient);
    }

    pub(super) fn write(&self, side: Side, track: &FindingTrack, sink: &mut Sink<'_>) {
        let Some((time, from)) = &self.first else { return };
        let side = match side {
            Side::Encoder => "encoder",
            Side::Decoder => "decoder",
        };
        let mut values =
            vec![text("side", side), text("from", from.trim_matches('"')), text("to", self.to.trim_matches('"'))];
        if self.count > 1 {
            values.push(number("count", self.count as f64, Unit::Count));
        }
        sink.found(&CODEC_FALLBACK, Some(track), (*time, *time), values);
    }
}
