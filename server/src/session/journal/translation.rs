//! What makes lines of what is said of a session, in dialects where what is said is no line.

use rtctrace_protocol::line::Line;

use super::messages::Messages;
use super::pushes::Pushes;
use crate::session::Dialect;

/// By dialect.
#[derive(Debug)]
pub(super) enum Translation {
    /// Jitsi's messages.
    Messages(Box<Messages>),
    /// What Sora says.
    Pushes(Box<Pushes>),
}

impl Translation {
    /// For a session that holds no line; `None` where clients send lines. No line that clients write will have more than `line_limit` bytes.
    pub(super) fn of(dialect: Dialect, line_limit: u64) -> Option<Self> {
        match dialect {
            Dialect::Sora => Some(Self::Pushes(Box::default())),
            dialect if dialect.is_jitsi() => Some(Self::Messages(Box::new(Messages::new(line_limit)))),
            _ => None,
        }
    }

    /// Takes in a line that the spool holds.
    pub(super) fn replay(&mut self, line: &Line<'_>) {
        match self {
            Self::Messages(messages) => messages.replay(line),
            Self::Pushes(pushes) => pushes.replay(line),
        }
    }

    /// Lines that the spool refused.
    pub(super) fn take_unwritten(&mut self) -> String {
        match self {
            Self::Messages(messages) => messages.take_unwritten(),
            Self::Pushes(pushes) => pushes.take_unwritten(),
        }
    }
}
