//! Writes rows of stats to the database, many by one statement.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};

use super::{Cell, StatsRow, TABLES, Table};
use crate::telemetry;

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
pub(crate) async fn write_rows(connection: &mut SqliteConnection, rows: &[StatsRow]) -> sqlx::Result<()> {
    for table in TABLES.iter() {
        let of_table: Vec<&StatsRow> = rows.iter().filter(|row| std::ptr::eq(row.table, table)).collect();
        let mut left = of_table.as_slice();
        for size in SIZES {
            while let Some((chunk, rest)) = left.split_at_checked(size) {
                let Some(sql) = STATEMENTS.get(&(table.name, size)) else { break };
                let mut query = sqlx::query(AssertSqlSafe(Arc::clone(sql)));
                for row in chunk {
                    query = bind(query, row);
                }
                query.execute(&mut *connection).await?;
                left = rest;
            }
        }
        telemetry::stats_rows(table.name, of_table.len() as u64);
    }
    Ok(())
}

fn bind<'q>(query: Query<'q, Sqlite, SqliteArguments>, row: &'q StatsRow) -> Query<'q, Sqlite, SqliteArguments> {
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

#[cfg(test)]
mod tests {
    use rtctrace_protocol::json::RawValue;
    use rtctrace_protocol::report::ReportDecoder;
    use sqlx::Row as _;

    use super::super::super::database::tests::fresh;
    use super::super::{RowBatch, RowFilter};
    use super::*;
    use crate::session::SessionId;

    #[tokio::test]
    async fn rows_arrive_once_however_often_they_are_written() {
        let (_dir, database) = fresh().await;
        let (mut decoder, mut filter, mut rows) = (ReportDecoder::new(), RowFilter::new(), RowBatch::default());
        let session = SessionId::new();
        for n in 0..75 {
            let delta = format!(
                r#"{{"t":{n}.5,"0":{{"type":1,"packetsReceived":{n},"other":[1]}},"1":{{"type":"candidate-pair","bytesSent":{n}}}}}"#
            );
            let report = decoder.decode(RawValue::parse(&delta).unwrap()).unwrap();
            filter.rows(session, "PC_0", report, 0.0, &mut rows);
        }
        let rows = rows.take();
        assert_eq!(rows.len(), 150);
        let mut connection = database.writer.acquire().await.unwrap();
        for _ in 0..2 {
            write_rows(&mut connection, &rows).await.unwrap();
        }
        let found = sqlx::query("SELECT time, session_id, connection_id, stats_id, packets_received, extra FROM stats_inbound_rtp ORDER BY time")
            .fetch_all(&database.readers)
            .await
            .unwrap();
        assert_eq!(found.len(), 75);
        let last = &found[74];
        assert_eq!(last.get::<f64, _>(0), 74.5);
        assert_eq!(last.get::<String, _>(1), session.to_string());
        assert_eq!(last.get::<String, _>(2), "PC_0");
        assert_eq!(last.get::<String, _>(3), "0");
        assert_eq!(last.get::<i64, _>(4), 74);
        assert_eq!(last.get::<String, _>(5), r#"{"other":[1]}"#);
    }
}
