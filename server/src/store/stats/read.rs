//! Reads rows of stats of one session: a part at a time, by the tables' key, so that nobody holds all of them, nor a connection to the
//! database while who asked takes his time.

use std::fmt::Write as _;

use super::columns::TYPE;
use super::{Cell, Column, Kind, Table};
use crate::session::{SessionId, UnixMillis};
use crate::store::database::{Database, Part, Row, Value};

/// Which rows.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    /// Of this session.
    pub(crate) session: SessionId,
    /// In this table.
    pub(crate) table: &'static Table,
    /// Of this kind of entry, where the table has several.
    pub(crate) kind: &'static str,
    /// Of this connection.
    pub(crate) connection: Option<String>,
    /// Of this entry.
    pub(crate) entry: Option<String>,
    /// From this time on.
    pub(crate) from: Option<UnixMillis>,
    /// Before this time.
    pub(crate) to: Option<UnixMillis>,
}

/// From when to when there are rows of an entry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EntrySpan {
    /// The connection's id.
    pub(crate) connection: String,
    /// The entry's id.
    pub(crate) entry: String,
    /// The time of its first row, Unix time in ms.
    pub(crate) first: f64,
    /// The time of its last row.
    pub(crate) last: f64,
    /// How many there are.
    pub(crate) rows: u64,
}

/// A row as the database has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredRow {
    /// The connection's id.
    pub(crate) connection: String,
    /// The entry's id.
    pub(crate) entry: String,
    /// Its time, Unix time in ms.
    pub(crate) time: f64,
    /// The values of the columns that were asked for.
    pub(crate) cells: Vec<Cell>,
    /// Members without a column, a JSON object, where they were asked for.
    pub(crate) extra: Option<String>,
}

impl StoredRow {
    /// What it holds in memory, roughly.
    fn bytes(&self) -> usize {
        let cell = |cell: &Cell| size_of::<Cell>() + if let Cell::Text(text) = cell { text.len() } else { 0 };
        let extra = self.extra.as_ref().map_or(0, String::len);
        self.connection.len() + self.entry.len() + extra + self.cells.iter().map(cell).sum::<usize>()
    }
}

impl Selection {
    /// What there is, by connection and entry: the first `limit` of them.
    pub(crate) async fn spans(&self, database: &Database, limit: u32) -> sqlx::Result<Vec<EntrySpan>> {
        let what = "connection_id, stats_id, min(time) AS first, max(time) AS last, count(*) AS rows";
        let (mut sql, mut values) = self.query(what);
        values.push(Value::Integer(Some(limit.into())));
        let _ =
            write!(sql, " GROUP BY connection_id, stats_id ORDER BY connection_id, stats_id LIMIT ${}", values.len());
        let span = |row: &Row| {
            let span = EntrySpan {
                connection: row.text("connection_id")?.unwrap_or_default(),
                entry: row.text("stats_id")?.unwrap_or_default(),
                first: row.exact_time("first")?,
                last: row.exact_time("last")?,
                rows: row.count("rows")?.unwrap_or_default(),
            };
            Ok((span, 0))
        };
        // Ids have few bytes each.
        let part = Part { rows: limit, bytes: usize::MAX };
        Ok(database.read_part(sql, &values, part, span).await?.0)
    }

    /// The first rows behind `after`, by connection, entry and time, and whether there are more: these columns of them, and the members without
    /// one.
    pub(crate) async fn rows(
        &self,
        database: &Database,
        columns: &[&'static Column],
        with_extra: bool,
        after: Option<&StoredRow>,
        part: Part,
    ) -> sqlx::Result<(Vec<StoredRow>, bool)> {
        let mut what = "connection_id, stats_id, time".to_owned();
        for column in columns {
            let _ = write!(what, ", {}.\"{}\"", self.table.name, column.name);
        }
        what.push_str(if with_extra { ", extra" } else { "" });
        let (mut sql, mut values) = self.query(&what);
        if let Some(after) = after {
            // Without what is the same in all rows: a planner would begin at the first of them each time.
            let places = [
                ("connection_id", Value::Text(Some(&after.connection)), self.connection.is_none()),
                ("stats_id", Value::Text(Some(&after.entry)), self.connection.is_none() || self.entry.is_none()),
                ("time", Value::ExactTime(after.time), true),
            ];
            let (mut names, mut numbers) = (Vec::new(), Vec::new());
            for (name, value, _) in places.into_iter().filter(|(_, _, is_in)| *is_in) {
                values.push(value);
                names.push(name);
                numbers.push(format!("${}", values.len()));
            }
            let _ = write!(sql, " AND ({}) > ({})", names.join(", "), numbers.join(", "));
        }
        // One more than is wanted says that there are more.
        values.push(Value::Integer(Some(i64::from(part.rows) + 1)));
        let _ = write!(sql, " ORDER BY connection_id, stats_id, time LIMIT ${}", values.len());
        let read = |row: &Row| {
            let row = StoredRow {
                connection: row.text("connection_id")?.unwrap_or_default(),
                entry: row.text("stats_id")?.unwrap_or_default(),
                time: row.exact_time("time")?,
                cells: columns.iter().map(|column| cell(row, column)).collect::<sqlx::Result<_>>()?,
                extra: if with_extra { row.json("extra")? } else { None },
            };
            let bytes = row.bytes();
            Ok((row, bytes))
        };
        database.read_part(sql, &values, part, read).await
    }

    fn query(&self, what: &str) -> (String, Vec<Value<'_>>) {
        let mut sql = format!("SELECT {what} FROM {} WHERE session_id = $1", self.table.name);
        let mut values = vec![Value::Id(self.session)];
        let kind = self.table.is_mixed().then_some(self.kind);
        let conditions = [
            (TYPE, "=", kind.map(|kind| Value::Text(Some(kind)))),
            ("connection_id", "=", self.connection.as_deref().map(|id| Value::Text(Some(id)))),
            ("stats_id", "=", self.entry.as_deref().map(|id| Value::Text(Some(id)))),
            ("time", ">=", self.from.map(|time| Value::Time(Some(time)))),
            ("time", "<", self.to.map(|time| Value::Time(Some(time)))),
        ];
        for (column, operator, value) in conditions {
            if let Some(value) = value {
                values.push(value);
                let _ = write!(sql, " AND \"{column}\" {operator} ${}", values.len());
            }
        }
        (sql, values)
    }
}

fn cell(row: &Row, column: &Column) -> sqlx::Result<Cell> {
    let name = &column.name;
    Ok(match column.kind {
        Kind::Integer => row.integer(name)?.map(Cell::Integer),
        Kind::Bool => row.bool(name)?.map(|value| Cell::Integer(value.into())),
        Kind::Real => row.real(name)?.map(Cell::Real),
        Kind::Text => row.text(name)?.map(Cell::Text),
        Kind::Json => row.json(name)?.map(Cell::Text),
    }
    .unwrap_or(Cell::Null))
}
