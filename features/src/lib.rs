//! The features of a session: what its events say about it, in a few values per client, per connection and per track.
//!
//! [`FeatureExtractor`] is fed one event at a time, in the order of the dump, and can be asked for its
//! [`SessionFeatures`] at any moment. Of a report it looks only at what has changed since the one before; what the last report alone
//! tells is read from the decoder when features are asked for. What it remembers is proportional to the connections and tracks of the session, never to
//! its length, and every list it keeps has a limit (see [`limits`]). No I/O, no clock, no randomness that shows.
//!
//! [`Finding`]s are what was wrong, by the rules of one table ([`RULES`]), made in the same pass.
//!
//! Names and formulas of upstream's features are upstream's, value for value ([`SessionFeatures::upstream`] is those alone), except
//! where upstream fails: a client without `create`, a candidate that cannot be parsed, a selected pair whose candidates are missing or
//! an early event never cost a session its features; a quotient that would be NaN is absent; counters have 64 bits.

mod budget;
mod client;
mod conference;
mod connection;
mod distribution;
mod findings;
mod input;
mod json;
pub mod limits;
mod metric;
mod selection;
mod session;
mod table;
mod track;
#[cfg(feature = "serde")]
mod upstream;
mod value;

pub use findings::{Finding, FindingTrack, Measure, Measured, RULES, Rule, Severity, Threshold};
pub use selection::Selection;
pub use session::{FeatureExtractor, SessionFeatures};
pub use table::{
    CLIENT_FEATURES, CONNECTION_FEATURES, ClientFeatures, ConnectionFeatures, TRACK_FEATURES, TrackFeatures,
};
#[cfg(feature = "serde")]
pub use upstream::Upstream;
pub use value::{Feature, FeatureValue, Json, Kind, Unit, UnixMillis};
