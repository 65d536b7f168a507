//! The collector over PostgreSQL with TimescaleDB: what is tested over SQLite, and what can only happen to a server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
// Of what the tests share, these need a part.
#![allow(dead_code)]

/// Whether the collectors of these tests have their rows in PostgreSQL; else they are in SQLite.
pub(crate) const ON_POSTGRES: bool = true;

#[path = "../collector/api.rs"]
mod api;
mod bench;
#[path = "../collector/crash.rs"]
mod crash;
mod editions;
#[path = "../collector/ends.rs"]
mod ends;
#[path = "../collector/exports.rs"]
mod exports;
#[path = "../collector/findings.rs"]
mod findings;
#[path = "../collector/followers.rs"]
mod followers;
mod hostile;
#[path = "../collector/jitsi.rs"]
mod jitsi;
#[path = "../collector/links.rs"]
mod links;
#[path = "../collector/lists.rs"]
mod lists;
mod moves;
mod outages;
#[path = "../collector/postgres.rs"]
mod postgres;
#[path = "../collector/removal.rs"]
mod removal;
mod reprocess;
#[path = "../collector/routes.rs"]
mod routes;
#[path = "../collector/seed.rs"]
mod seed;
#[path = "../collector/series.rs"]
mod series;
#[path = "../collector/sora.rs"]
mod sora;
#[path = "../collector/stores.rs"]
mod stores;
#[path = "../collector/support.rs"]
mod support;
mod together;
mod writer;
