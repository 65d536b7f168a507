//! What a session takes in that Sora pushes, or tells of by webhooks: its translation into lines, each body written before it counts.

use std::time::Instant;

use rtctrace_protocol::dump::MAX_LINE;
use rtctrace_protocol::line::Line;
use rtctrace_protocol::sora::{Member, Notice, Push, Translated, Translator};

use super::translation::Translation;
use super::{Journal, Received, Stop};
use crate::telemetry;

/// A body about the session.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Said<'a> {
    /// Statistics.
    Push(&'a Push<'a>),
    /// What a webhook tells of the connection that is named, or of all of a session, and of this one as its member.
    Notice(&'a Notice<'a>, Option<&'a Member<'a>>, &'a str),
}

/// The state of a session of Sora's.
#[derive(Debug)]
pub(super) struct Pushes {
    translator: Translator,
    /// Lines that the spool refused. The translator is ahead of the spool by them, so they go first, and nothing else is taken before.
    unwritten: String,
}

impl Default for Pushes {
    fn default() -> Self {
        // A body has a bound of its own.
        Self { translator: Translator::new(MAX_LINE), unwritten: String::new() }
    }
}

impl Pushes {
    pub(super) fn replay(&mut self, line: &Line<'_>) {
        self.translator.replay(line);
    }

    pub(super) fn take_unwritten(&mut self) -> String {
        std::mem::take(&mut self.unwritten)
    }
}

impl Journal {
    /// Whether a webhook told that what the session is of is over.
    pub(crate) fn is_told_over(&self) -> bool {
        self.pushes().is_some_and(|pushes| pushes.translator.is_over())
    }

    /// Whether lines of the session are not in the order of their times, although they could be.
    pub(crate) fn is_unordered(&self) -> bool {
        self.pushes().is_some_and(|pushes| !pushes.translator.is_ordered())
    }

    /// Before its next line, what is told of the session that its connection is part of is told, unless it is there.
    pub(crate) fn announce(&mut self, notice: &Notice<'_>) {
        if let Some(Translation::Pushes(pushes)) = &mut self.translation {
            pushes.translator.announce(notice);
        }
    }

    fn pushes(&self) -> Option<&Pushes> {
        match &self.translation {
            Some(Translation::Pushes(pushes)) => Some(pushes),
            _ => None,
        }
    }

    /// Takes in what is said of the session. What is new of it is written by one write; only then does it count.
    pub(crate) fn receive_said(&mut self, said: Said<'_>, now: Instant) -> Received {
        if self.end.is_some() {
            return self.nothing(Some(Stop::Ended));
        }
        let taken = self.translation.take_if(|translation| matches!(translation, Translation::Pushes(_)));
        let Some(Translation::Pushes(mut pushes)) = taken else { return self.nothing(Some(Stop::Ended)) };
        let mut received = self.nothing(None);
        received.stop = self.take_said(&mut pushes, said, now).err();
        self.translation = Some(Translation::Pushes(pushes));
        received.wrote = self.received > received.received;
        received.started = received.wrote && received.received == 0;
        received.received = self.received;
        received
    }

    fn take_said(&mut self, pushes: &mut Pushes, said: Said<'_>, now: Instant) -> Result<(), Stop> {
        self.closed()?;
        if !pushes.unwritten.is_empty() {
            self.write_said(pushes, now)?;
        }
        let length = match said {
            Said::Push(push) => push.stats.iter().map(|entry| entry.text().len()).sum(),
            Said::Notice(notice, ..) => notice.text.text().len(),
        };
        self.brought(1, length as u64, now);
        if self.spooled() + length as u64 >= self.session_limit {
            return Err(Stop::SessionTooLong(self.session_limit));
        }
        let mut lines = String::new();
        let translated = match said {
            Said::Push(push) => pushes.translator.push(push, &mut lines),
            Said::Notice(notice, member, connection) => {
                pushes.translator.notice(notice, member, connection, &mut lines)
            }
        };
        if translated.map_err(Stop::Unfit)? == Translated::Held {
            telemetry::duplicates(1);
            return Ok(());
        }
        for line in lines.lines() {
            self.append_hidden(line, &mut pushes.unwritten);
        }
        self.write_said(pushes, now)
    }

    /// Writes what is not written.
    fn write_said(&mut self, pushes: &mut Pushes, now: Instant) -> Result<(), Stop> {
        self.write(&pushes.unwritten, pushes.unwritten.lines().count() as u64, now)?;
        self.summary.lines(&pushes.unwritten);
        pushes.unwritten = String::new();
        Ok(())
    }
}
