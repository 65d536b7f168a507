//! Whether what is received may be played.

use rtctrace_protocol::event::Event;

use super::rule::{Rule, Severity};
use super::sink::{Sink, number, text};
use crate::input;
use crate::limits;
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] = &[&AUTOPLAY_BLOCKED];

static AUTOPLAY_BLOCKED: Rule = Rule {
    id: "autoplay-blocked",
    severity: Severity::Warning,
    title: "The browser refused to play",
    meaning: "This user did not hear the other side until they clicked: browsers play sound only after a gesture of the user, or while the page captures.",
    advice: "Call play() from a click and show a button when it is refused; or join by a click.",
    sentence: "The browser refused to play what was received, {count:times}: {error}",
    thresholds: &[],
    reads: described("HTMLMediaElement.playOnFailure with NotAllowedError"),
};

/// Follows refusals.
#[derive(Debug, Clone, Default)]
pub(super) struct Playback {
    refused: Option<Box<(f64, String)>>,
    end: f64,
    count: u64,
}

impl Playback {
    pub(super) fn event(&mut self, event: &Event<'_>) {
        if event.method != "HTMLMediaElement.playOnFailure" {
            return;
        }
        // A play() that another load() interrupts fails as well, and harms nobody.
        let Some(error) = input::failure(event).filter(|error| error.starts_with("NotAllowedError")) else { return };
        self.refused.get_or_insert_with(|| Box::new((event.time, input::bounded(&error, limits::FINDING_TEXT))));
        self.end = event.time;
        self.count = self.count.saturating_add(1);
    }

    pub(super) fn write(&self, sink: &mut Sink<'_>) {
        if let Some((begin, error)) = self.refused.as_deref() {
            let values = vec![number("count", self.count as f64, Unit::Count), text("error", error)];
            sink.found(&AUTOPLAY_BLOCKED, None, (*begin, self.end), values);
        }
    }
}
