//! Whether the page was there: hidden, frozen, asleep, offline.

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::RawValue;

use super::episodes::{Episodes, Piece, Terms};
use super::rule::{Rule, Severity, Threshold};
use super::sink::{Sink, number};
use crate::input;
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] = &[&PAGE_FROZEN, &MACHINE_SUSPENDED, &PAGE_OFFLINE, &PAGE_HIDDEN];

static PAGE_FROZEN: Rule = Rule {
    id: "page-frozen",
    severity: Severity::Warning,
    title: "The page was frozen",
    meaning: "Nothing of the page ran: the browser stopped it, as phones do with what is in the background, and the call with it.",
    advice: "Expect it on phones; come back with an ICE restart on resume.",
    sentence: "The browser froze the page {count:times}, for {total} in all",
    thresholds: &[],
    reads: described("document.onfreeze, onresume"),
};

static MACHINE_SUSPENDED: Rule = Rule {
    id: "machine-suspended",
    severity: Severity::Warning,
    title: "The machine slept",
    meaning: "The call was interrupted, as the machine was: its lid was closed, or it went to sleep.",
    advice: "Nothing is wrong with the call; a wake lock keeps a machine awake.",
    sentence: "The machine slept {count:times}, for {total} in all",
    thresholds: &[],
    reads: described(":rtctrace.suspended"),
};

static PAGE_OFFLINE: Rule = Rule {
    id: "page-offline",
    severity: Severity::Warning,
    title: "The browser was offline",
    meaning: "The machine had no network, so the call had none.",
    advice: "Look at the user's network: Wi-Fi, a VPN that was switched, a tunnel.",
    sentence: "The browser was offline {count:times}, for {total} in all",
    thresholds: &[],
    reads: described("window.onoffline, ononline"),
};

const HIDDEN: Threshold = Threshold {
    name: described("hidden time"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described("Chromium throttles pages that have been hidden for 10 s (kThrottlingDelayAfterBackgrounding)"),
};

static PAGE_HIDDEN: Rule = Rule {
    id: "page-hidden",
    severity: Severity::Notice,
    title: "The page was hidden",
    meaning: "The user looked at something else. Browsers slow hidden pages down, and phones stop their cameras.",
    advice: "It explains gaps between reports, and effects on a canvas that stand still.",
    sentence: "The page was hidden for {total}",
    thresholds: &[HIDDEN],
    reads: described("document.onvisibilitychange"),
};

const ANY: Terms = Terms { least: 0.0, count: 0.0, join: 60.0 };
const HIDDEN_TERMS: Terms = Terms { least: HIDDEN.value, count: 0.0, join: 0.0 };

/// Something that begins and ends.
#[derive(Debug, Clone, Default)]
struct Absence {
    since: Option<f64>,
    /// Until when the last one was (Unix ms).
    until: f64,
    episodes: Episodes,
}

impl Absence {
    fn begins(&mut self, time: f64) {
        self.since.get_or_insert(time);
    }

    fn ends(&mut self, time: f64, terms: Terms) {
        if let Some(begin) = self.since.take() {
            let seconds = (time - begin).max(0.0) / 1000.0;
            self.until = time;
            self.episodes.add(Piece { begin, end: time, seconds, count: 1.0, ..Piece::default() }, terms);
        }
    }
}

/// Follows the page.
#[derive(Debug, Clone, Default)]
pub(super) struct Presence {
    hidden: Absence,
    frozen: Absence,
    offline: Absence,
    suspended: Absence,
}

impl Presence {
    pub(super) fn is_hidden(&self) -> bool {
        self.hidden.since.is_some()
    }

    pub(super) fn away_until(&self) -> f64 {
        [&self.hidden, &self.frozen, &self.suspended]
            .map(|absence| absence.since.map_or(absence.until, |_| f64::INFINITY))
            .into_iter()
            .fold(0.0, f64::max)
    }

    pub(super) fn event(&mut self, event: &Event<'_>) {
        let time = event.time;
        match &*event.method {
            "document.onvisibilitychange" => match input::word(event).as_deref() {
                Some("hidden") => self.hidden.begins(time),
                Some("visible") => self.hidden.ends(time, HIDDEN_TERMS),
                _ => {}
            },
            "document.onfreeze" => self.frozen.begins(time),
            "document.onresume" => self.frozen.ends(time, ANY),
            "window.onoffline" => self.offline.begins(time),
            "window.ononline" => self.offline.ends(time, ANY),
            ":rtctrace.suspended" => {
                let millis = input::member(event, "duration").and_then(RawValue::as_f64).unwrap_or(0.0);
                self.suspended.begins(time - millis.max(0.0));
                self.suspended.ends(time, ANY);
            }
            _ => {}
        }
    }

    /// `end`: the newest time of an event (Unix ms).
    pub(super) fn write(&self, end: f64, sink: &mut Sink<'_>) {
        for (rule, absence, terms) in [
            (&PAGE_FROZEN, &self.frozen, ANY),
            (&MACHINE_SUSPENDED, &self.suspended, ANY),
            (&PAGE_OFFLINE, &self.offline, ANY),
            (&PAGE_HIDDEN, &self.hidden, HIDDEN_TERMS),
        ] {
            let mut all = absence.clone();
            all.ends(end, terms);
            sink.episodes(rule, None, (&all.episodes, terms), &|episode| {
                vec![
                    number("count", episode.whole.count, Unit::Count),
                    number("total", episode.whole.seconds, Unit::Seconds),
                ]
            });
        }
    }
}
