//! The collector from outside: a real process, real sockets, real files. Faults are the real ones, too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod access;
mod api;
mod crash;
mod dialects;
mod faults;
mod hostile;
mod jitsi;
mod refusals;
mod s3;
mod secrets;
mod soak;
mod spool;
mod stores;
mod support;
mod tls;
mod tools;
mod traversal;
mod uploads;
mod websocket;
