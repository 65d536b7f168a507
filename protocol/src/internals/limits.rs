//! Every bound on what a dump may make its reader hold. Input is hostile: each of these is far beyond what a browser writes.

/// The longest webrtc-internals dump, in bytes. It must be held whole: the statistics stand behind what they go between.
/// With it are held its parts, the newest report of each connection, and while a line is made, its event and its text. The most that was
/// measured is 88 MB, of as many entries as there may be.
pub(crate) const MAX_DOCUMENT: usize = 32 << 20;
/// What its parts take beside its text, in bytes: so much, and as much for each two bytes of the dump as three. Of a browser's dump they are
/// the values, which are a copy, and half as much again.
pub(super) const MAX_PARTS: usize = 16 << 20;
pub(super) const MAX_PARTS_OF_TWO: usize = 3;
/// The longest part that becomes a line by itself, in bytes: an update, a report, what has no place among our events. While a line is made
/// of it there are several of it.
pub(super) const MAX_PART: usize = 4 << 20;
/// The longest name, in bytes: of a connection, of an entry, and of a member of one. It stands with each of its values.
pub(super) const MAX_CONNECTION: usize = crate::line::MAX_CONNECTION_ID;
pub(super) const MAX_ENTRY: usize = 256;
pub(super) const MAX_MEMBER: usize = 96;
/// The text of all reports that are made of one dump, in bytes: so much, and this many times the dump's length. Names stand with
/// each value there; the reports of a browser's dump come to some six times its length.
pub(super) const MAX_BUILT: usize = 16 << 20;
pub(super) const MAX_BUILT_TIMES: usize = 8;
/// The longest label of a track that is remembered.
pub(super) const MAX_LABEL: usize = 256;
/// Connections of one dump.
pub(super) const MAX_CONNECTIONS: usize = 1024;
/// Calls and events of one dump.
pub(super) const MAX_UPDATES: usize = 1 << 19;
/// Series of one dump. A connection has some forty for each stream.
pub(super) const MAX_SERIES: usize = 1 << 18;
/// Series of one entry.
pub(super) const MAX_MEMBERS: usize = 256;
/// Values of one series. Chromium keeps a thousand.
pub(super) const MAX_VALUES: usize = 1 << 16;
/// Times at which entries were sampled, of one dump.
pub(super) const MAX_SAMPLES: usize = 1 << 20;
/// Lines of the rtcstats dump that wait for earlier ones, and their bytes.
pub(super) const MAX_HELD: usize = 1024;
pub(super) const MAX_HELD_BYTES: usize = 32 << 20;
/// Entries of one report: each is looked for among those of the report before.
pub(super) const MAX_ENTRIES: usize = 4096;
/// The text of all reports that the next ones are compared with, in bytes. There are two of each.
pub(super) const MAX_REPORTS: usize = 16 << 20;
/// Tracks whose label is remembered.
pub(super) const MAX_TRACKS: usize = 4096;
/// Transceivers of one dump whose tracks are remembered.
pub(super) const MAX_TRANSCEIVERS: usize = 1 << 14;
/// Calls of one method of one connection whose outcome is waited for.
pub(super) const MAX_PENDING: usize = 64;
/// Calls of `getUserMedia` and its like whose outcome is waited for.
pub(super) const MAX_REQUESTS: usize = 1024;
