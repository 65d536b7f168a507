//! What the SFU Sora says to a collector: statistics of its clients (the statistics exporter of Sora up to 2025, the statistics webhook
//! since 2023), the session and event webhooks, and the logs in which the same stands by lines. All of it is JSON in one envelope.
//!
//! A [`Push`] is a body with statistics, a [`Notice`] one that tells of a session or a connection; a [`Logged`] is a line of one of
//! the logs. Whatever is wrong with one is named by its member. Nothing is converted on the way but the times of entries:
//! numbers keep their text.
//!
//! What a connection of Sora's becomes is a dump like any other: a [`Translator`] makes lines of what is said of it, in the order in
//! which it comes, and knows what it made lines of before. [`Unordered`] reads such lines for who writes them anew by their time, [`Counters`] those
//! of what Sora counts itself.

mod counters;
mod fields;
mod held;
#[cfg(test)]
mod line_tests;
mod log;
mod notice;
mod order;
mod push;
mod stamp;
#[cfg(test)]
mod tests;
mod time;
mod translate;

use std::borrow::Cow;

use thiserror::Error;

use crate::json::JsonError;
use crate::report::MAX_REPORT;

pub use counters::Counters;
pub use held::{HeldStamps, Missing};
pub use log::{About, Entry, Gathering, Logged, Taken};
pub use notice::{Ended, Lived, Member, Notice, Stay};
pub use order::{Moment, NoReport, Unordered, merged};
pub use push::{Connection, Push, Role, Sender, Subject};
pub use translate::{CONNECTION, EVENT, NODE, Refused, STATS, Translated, Translator};

/// The longest text of an envelope, in bytes: Sora's own limit for channels and clients.
pub const MAX_TEXT: usize = 255;

/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadBody {
    /// It is no text.
    #[error("the body is not UTF-8 from byte {0} on")]
    NotUtf8(usize),
    /// It is not JSON.
    #[error("the body is {0}")]
    Json(#[from] JsonError),
    /// It is another value.
    #[error("the body is no JSON object")]
    NotAnObject,
    /// A member has to be there.
    #[error("{0} is missing")]
    Missing(Cow<'static, str>),
    /// A member is something else.
    #[error("{field} is not {wanted}")]
    Wrong {
        /// Which.
        field: Cow<'static, str>,
        /// What it has to be.
        wanted: &'static str,
    },
    /// Two entries of the statistics have one id.
    #[error("stats[{0}].id is another entry's, too")]
    Twice(usize),
}

impl BadBody {
    /// The member that is wrong, if it is one.
    #[must_use]
    pub fn field(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Missing(field) | Self::Wrong { field, .. } => Some(Cow::Borrowed(field)),
            Self::Twice(index) => Some(Cow::Owned(format!("stats[{index}].id"))),
            Self::NotUtf8(_) | Self::Json(_) | Self::NotAnObject => None,
        }
    }
}
