//! Rows of stats in the binary format of PostgreSQL's COPY
//! (<https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS>): a head, then per row the number of its fields
//! and each field with its length, then a tail.

use super::{Cell, Column, Kind, StatsRow};
use crate::store::database::{JsonText, Moment, text};

/// The signature, no flags, no extension of the head.
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// In place of a number of fields.
const TAIL: [u8; 2] = (-1_i16).to_be_bytes();
/// In place of a length.
const NULL: [u8; 4] = (-1_i32).to_be_bytes();
/// Time, session, connection, entry before the columns of the table, and `extra` behind them; some tables have `before` behind that.
const FIXED: usize = 5;
/// What a row of a browser takes, for the first guess of a batch's size.
const USUAL_ROW: usize = 700;

/// The rows of one table.
pub(super) fn encode(rows: &[&StatsRow]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD.len() + rows.len() * USUAL_ROW);
    out.extend_from_slice(HEAD);
    for row in rows {
        encode_row(row, &mut out);
    }
    out.extend_from_slice(&TAIL);
    out
}

fn encode_row(row: &StatsRow, out: &mut Vec<u8>) {
    let has_before = !row.table.summed.is_empty();
    let fields = row.table.columns.len() + FIXED + usize::from(has_before);
    out.extend_from_slice(&i16::try_from(fields).unwrap_or(i16::MAX).to_be_bytes());
    field(out, &Moment::of_fraction(row.time).to_be_bytes());
    field(out, row.session.uuid().as_bytes());
    field(out, text(&row.connection).as_bytes());
    field(out, text(&row.stats_id).as_bytes());
    for (column, cell) in row.table.columns.iter().zip(&row.cells) {
        encode_cell(column, cell, out);
    }
    json_or_null(out, row.extra.as_deref());
    if has_before {
        json_or_null(out, row.before.as_deref());
    }
}

fn json_or_null(out: &mut Vec<u8>, value: Option<&str>) {
    match value {
        Some(value) => json(out, value),
        None => out.extend_from_slice(&NULL),
    }
}

fn encode_cell(column: &Column, cell: &Cell, out: &mut Vec<u8>) {
    match (cell, column.kind) {
        (Cell::Null, _) => out.extend_from_slice(&NULL),
        (Cell::Integer(value), Kind::Bool) => field(out, &[u8::from(*value != 0)]),
        (Cell::Integer(value), _) => field(out, &value.to_be_bytes()),
        (Cell::Real(value), _) => field(out, &value.to_be_bytes()),
        (Cell::Text(value), Kind::Json) => json(out, value),
        (Cell::Text(value), _) => field(out, text(value).as_bytes()),
    }
}

fn json(out: &mut Vec<u8>, value: &str) {
    let value = JsonText::of(value);
    length(out, value.0.len() + 1);
    out.push(JsonText::VERSION);
    out.extend_from_slice(value.0.as_bytes());
}

fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    length(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn length(out: &mut Vec<u8>, bytes: usize) {
    // No row is as long as that (`LONGEST_ROW`).
    out.extend_from_slice(&i32::try_from(bytes).unwrap_or(i32::MAX).to_be_bytes());
}
