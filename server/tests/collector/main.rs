//! The collector from outside: a real process, real sockets, real files. Faults are the real ones, too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

/// Whether the collectors of these tests have their rows in PostgreSQL; else they are in SQLite.
pub(crate) const ON_POSTGRES: bool = false;

mod access;
mod api;
mod crash;
mod dialects;
mod ends;
mod exports;
mod faults;
mod findings;
mod followers;
mod geo;
mod hostile;
mod jitsi;
mod links;
mod lists;
mod postgres;
mod privacy;
mod refusals;
mod removal;
mod routes;
mod s3;
mod secrets;
mod seed;
mod series;
mod soak;
mod sora;
mod sora_listener;
mod spool;
mod stores;
mod support;
mod telemetry;
mod tls;
mod tools;
mod traversal;
mod uploads;
mod websocket;
