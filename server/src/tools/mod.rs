//! What the program does beside `serve`: tools that work on dumps, on the stores, or on a collector from outside.

pub(crate) mod anonymize;
mod dump;
pub(crate) mod features;
pub(crate) mod import;
pub(crate) mod load;
pub(crate) mod migrate;
mod progress;
pub(crate) mod replay;
pub(crate) mod reprocess;
mod wire;

use std::future::Future;

use anyhow::Context;

/// Runs a tool to its end on this thread: what a tool measures or sends should not need more than one.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    runtime.block_on(work)
}
