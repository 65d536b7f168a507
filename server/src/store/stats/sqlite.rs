//! Writes rows of stats to SQLite, many by one statement.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteConnection};

use super::{Cell, StatsRow, TABLES, Table, TableRows};

/// Rows per statement. Few sizes, so that few statements have to be prepared and kept.
const SIZES: [usize; 3] = [64, 8, 1];

static STATEMENTS: LazyLock<HashMap<(&'static str, usize), Arc<str>>> = LazyLock::new(|| {
    let keys = TABLES.iter().flat_map(|table| SIZES.iter().map(move |size| (table, *size)));
    keys.map(|(table, size)| ((table.name, size), statement(table, size).into())).collect()
});

/// A row that is there already is written anew: a replay of a session gives the same rows.
fn statement(table: &Table, rows: usize) -> String {
    let names: Vec<String> = table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let row = format!("({})", vec!["?"; names.len() + 5].join(","));
    format!(
        "INSERT OR REPLACE INTO {} (time, session_id, connection_id, stats_id, {}, extra) VALUES {}",
        table.name,
        names.join(", "),
        vec![row; rows].join(",")
    )
}

/// Writes rows of any tables. The caller decides on the transaction.
pub(super) async fn write_rows(connection: &mut SqliteConnection, tables: &[TableRows<'_>]) -> sqlx::Result<()> {
    for (table, rows) in tables {
        let mut left = rows.as_slice();
        for size in SIZES {
            while let Some((chunk, rest)) = left.split_at_checked(size) {
                let Some(sql) = STATEMENTS.get(&(table.name, size)) else { break };
                let mut query = sqlx::query(sql);
                for row in chunk {
                    query = bind(query, row);
                }
                query.execute(&mut *connection).await?;
                left = rest;
            }
        }
    }
    Ok(())
}

fn bind<'q>(
    query: Query<'q, Sqlite, SqliteArguments<'q>>,
    row: &'q StatsRow,
) -> Query<'q, Sqlite, SqliteArguments<'q>> {
    let mut query = query.bind(row.time).bind(row.session.to_string()).bind(&*row.connection).bind(&row.stats_id);
    for cell in &row.cells {
        query = match cell {
            Cell::Null => query.bind(None::<i64>),
            Cell::Integer(value) => query.bind(*value),
            Cell::Real(value) => query.bind(*value),
            Cell::Text(value) => query.bind(value),
        };
    }
    query.bind(&row.extra)
}
