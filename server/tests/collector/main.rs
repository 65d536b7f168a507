//! The collector from outside: a real process, real sockets, real files. Faults are the real ones, too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod api;
mod crash;
mod dialects;
mod faults;
mod refusals;
mod stores;
mod support;
