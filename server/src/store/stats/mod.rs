//! Stats: the entries of reports as rows, one table per kind of entry.

mod columns;
mod queue;
mod rows;
mod write;

pub(crate) use columns::{Column, Kind, TABLES, Table};
pub(crate) use queue::StatsQueue;
pub(crate) use rows::{Cell, RowBatch, RowFilter, StatsRow};
pub(crate) use write::write_rows;
