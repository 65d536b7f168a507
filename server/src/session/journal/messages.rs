//! What a session takes in that comes as messages of Jitsi's dialect: their translation into lines, and up to which sequence
//! number these are written.

use std::time::Instant;

use rtctrace_protocol::jitsi::{Message, Translated, Translator};
use rtctrace_protocol::line::Line;

use super::translation::Translation;
use super::{Journal, Received, Stop};
use crate::session::UnixMillis;
use crate::telemetry;

/// The state of a session that speaks the dialect.
#[derive(Debug)]
pub(super) struct Messages {
    translator: Translator,
    /// The highest sequence number in the spool.
    stored: u64,
    /// Lines that the spool refused. The translator is ahead of the spool by them, so they go first when it takes lines again.
    unwritten: String,
}

impl Messages {
    pub(super) fn new(line_limit: u64) -> Self {
        let translator = Translator::new(usize::try_from(line_limit).unwrap_or(usize::MAX));
        Self { translator, stored: 0, unwritten: String::new() }
    }

    pub(super) fn replay(&mut self, line: &Line<'_>) {
        self.translator.replay(line);
        self.stored = self.translator.number();
    }

    pub(super) fn take_unwritten(&mut self) -> String {
        std::mem::take(&mut self.unwritten)
    }
}

impl Journal {
    /// The highest sequence number among the lines in the spool; 0 if none has one.
    pub(crate) fn number(&self) -> u64 {
        match &self.translation {
            Some(Translation::Messages(messages)) => messages.stored,
            _ => 0,
        }
    }

    /// Takes in messages. What is new of them is written by one write; only then does anything count.
    pub(crate) fn receive_messages(&mut self, messages: &[Message<'_>], now: Instant) -> Received {
        if self.end.is_some() {
            return self.nothing(Some(Stop::Ended));
        }
        if let Err(stop) = self.closed() {
            return self.nothing(Some(stop));
        }
        let taken = self.translation.take_if(|translation| matches!(translation, Translation::Messages(_)));
        let Some(Translation::Messages(mut translation)) = taken else { return self.nothing(Some(Stop::Ended)) };
        let mut text = translation.take_unwritten();
        let mut stop = None;
        let arrived = UnixMillis::now().0 as f64;
        let held = self.spooled();
        let mut lines = String::new();
        let mut bytes = 0;
        for message in messages {
            let length = message.data.map_or(0, |data| data.text().len());
            bytes += length as u64;
            if held + (text.len() + length) as u64 >= self.session_limit {
                stop = Some(Stop::SessionTooLong(self.session_limit));
                break;
            }
            lines.clear();
            match translation.translator.message(message, arrived, &mut lines) {
                Translated::Duplicate => telemetry::duplicates(1),
                Translated::Stored { missing } => telemetry::missing_entries(missing),
            }
            for line in lines.lines() {
                self.append_hidden(line, &mut text);
            }
        }
        let (mut started, mut wrote) = (false, false);
        if !text.is_empty() {
            match self.write(&text, text.lines().count() as u64, now) {
                Ok(first) => {
                    (started, wrote) = (first, true);
                    translation.stored = translation.translator.number();
                    self.summary.lines(&text);
                }
                Err(reason) => {
                    stop = Some(reason);
                    translation.unwritten = text;
                }
            }
        }
        self.translation = Some(Translation::Messages(translation));
        let wait = self.brought(messages.len() as u64, bytes, now);
        Received { received: self.received, wrote, started, ended: false, stop, wait }
    }

    /// Appends a line as it is stored.
    pub(super) fn append_hidden(&mut self, line: &str, out: &mut String) {
        let is_changed = match (&mut self.obfuscator, Line::parse(line)) {
            (Some(obfuscator), Ok(parsed)) => obfuscator.rewrite(&parsed, out),
            _ => false,
        };
        if !is_changed {
            out.push_str(line);
        }
        out.push('\n');
    }
}
