//! Reads a dump for the dump viewer: one pass at opening, which collects the event table, the states and the numbers
//! of every stats entry; whatever is larger (complete reports, session descriptions, texts) is decoded again when
//! somebody looks at it. [`Recording`] is plain Rust; `face` is what the worker sees of it.

mod anonymous;
mod calls;
mod derived;
mod face;
mod lines;
mod opening;
mod overview;
mod preview;
mod problems;
mod reading;
mod recording;
mod report_search;
mod search;
mod selected;
mod series;
mod sora;
mod states;
mod stats_lanes;
mod tracks;
mod units;
mod value;

pub use face::Dump;
pub use opening::Growing;
pub use reading::{Opened, Reading};
pub use recording::{EventFlags, OpenError, Recording};
pub use report_search::ReportSearch;
pub use series::Numbers;
pub use sora::SoraSession;
