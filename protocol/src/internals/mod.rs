//! The dumps of Chromium's page `chrome://webrtc-internals`, read as the lines that a collector of ours would have stored.
//!
//! There are two. The *rtcstats dump* is our own format with Chromium's words in it: [`RtcstatsLines`] translates line by line.
//! The *webrtc-internals dump* is one JSON object with the API's calls and events of each connection, and behind them each member
//! of each statistics entry as a series of its own: [`Document`] takes it apart, and [`DocumentLines`] puts calls, events and
//! reports in the order of their times. What both say in the same words is understood in one place, [`updates::Updates`].
//!
//! What our methods have no name for stays an event by Chromium's name, with what it said.

mod calls;
mod document;
mod limits;
mod lines;
mod media;
mod reports;
mod rtcstats;
mod sampling;
mod series;
mod text;
mod time;
mod tracks;
mod updates;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use document::{Document, closed, is_document};
pub(crate) use limits::MAX_DOCUMENT;
pub(crate) use lines::DocumentLines;
pub(crate) use rtcstats::{RtcstatsLines, may_be_chromiums};
