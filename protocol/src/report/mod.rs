//! Delta compression of `getStats` reports, both directions.
//!
//! A delta is what changed since the connection's previous report, under short names. What every reader of the format does
//! is this: expand the names; an entry that is not there is carried over; a member that is not there is carried over; an
//! object member is merged key by key; an array replaces; `null` removes; `t` is the time of every entry without one of its
//! own. Three cases that the format leaves open are settled here, the same way on both sides, so that every report is
//! restored exactly:
//!
//! - A member (or a key of an object member) that has vanished is sent as `null`.
//! - The time of an entry about the far end or about the processor ([`carries_time`]) is when that news arrived (W3C
//!   webrtc-stats, `timestamp`), so it stays what it was until new news comes. For these entries no `t` of their own means
//!   "unchanged", for all others it means the report's. Upstream's writer leaves out an unchanged time too, so its dumps
//!   are read more faithfully this way; its reader shows the report's time instead.
//! - A fraction may be written with an exponent where that is shorter: the decimal value is the same.

use alloc::string::String;

#[cfg(feature = "std")]
mod apply;
#[cfg(feature = "std")]
mod decoder;
mod delta;
mod encoder;
#[cfg(feature = "std")]
mod limits;
mod lockstep;
#[cfg(feature = "std")]
mod members;
#[cfg(feature = "std")]
mod merge;
#[cfg(feature = "std")]
mod named;
#[cfg(feature = "std")]
mod search;
mod snapshot;
#[cfg(feature = "std")]
mod take;
#[cfg(test)]
mod tests;
#[cfg(feature = "std")]
mod text;
#[cfg(feature = "std")]
mod types;
#[cfg(feature = "std")]
mod wanted;

use thiserror::Error;

use crate::json::JsonError;

pub use crate::tables::Property;
#[cfg(feature = "std")]
pub use decoder::ReportDecoder;
pub use encoder::ReportEncoder;
#[cfg(feature = "std")]
pub use limits::ReportLimits;
#[cfg(feature = "std")]
pub use named::Room;
#[cfg(feature = "std")]
pub(crate) use named::{MAX_REPORT, NamedDecoder, NamedDelta, NamedReports, is_readable};
#[cfg(feature = "std")]
pub use types::{Entry, MemberName, Report, Shape};
#[cfg(feature = "std")]
pub use wanted::{Places, Wanted};

/// Why a report or a delta was refused. Nothing of it has been applied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReportError {
    /// The text is not JSON.
    #[error("the report is {0}")]
    Json(#[from] JsonError),
    /// The whole is no object.
    #[error("the report is not a JSON object")]
    NotAnObject,
    /// One of the entries is no object.
    #[error("the entry {0} of the report is not a JSON object")]
    EntryNotAnObject(String),
    /// The delta's `t` is no number.
    #[error("the time of the report, {0}, is not a number")]
    BadTime(String),
    /// The connection's decoded state would outgrow its bound.
    #[error("the report would make the connection hold more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
}

/// Whether an entry of this type keeps its time until news about it arrive: reports from the far end, and the pressure
/// record that the client adds.
pub(crate) fn carries_time(kind: &str) -> bool {
    matches!(kind, "remote-inbound-rtp" | "remote-outbound-rtp" | "compute-pressure")
}

/// Entries that never travel: certificates change never and say nothing about a call.
pub(crate) fn is_dropped_type(kind: &str) -> bool {
    kind == "certificate"
}

/// Members that never travel: the entry's own id, references to certificates, and obsolete ones.
fn is_dropped_member(name: &str) -> bool {
    matches!(name, "id" | "localCertificateId" | "remoteCertificateId" | "isRemote" | "ip" | "mediaType" | "writable")
}
