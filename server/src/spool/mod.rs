//! The spool: one append-only file per session that is not yet in object storage. Its content is the session's dump as plain
//! text (header and lines), and that is the only truth about what was received.

mod file;
mod held;
mod recover;

pub(crate) use file::{SpoolFile, path_of, remove};
pub(crate) use held::HeldLines;
pub(crate) use recover::{Recovered, recover, replay};
