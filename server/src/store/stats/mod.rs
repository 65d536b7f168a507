//! Stats: the entries of reports as rows, one table per kind of entry, and so what the SFU Sora counts itself.

mod before;
#[cfg(test)]
mod bench;
mod columns;
mod copy;
mod counters;
#[cfg(test)]
mod minutes;
mod postgres;
mod read;
mod rows;
mod sqlite;
mod times;
mod units;

pub(crate) use columns::{Column, Kind, TABLES, Table, kinds};
pub(crate) use read::{EntrySpan, Selection, StoredRow};
pub(crate) use rows::{Cell, RowBatch, RowFilter, StatsRow};

use super::database::{Transaction, Value};
use crate::session::SessionId;
use crate::telemetry;

/// Writes rows of any tables; one that is there already is written anew. A row that the database can never take is counted, and
/// keeps no other from being written.
pub(crate) async fn write_rows(transaction: &mut Transaction, rows: &[StatsRow]) -> sqlx::Result<()> {
    let tables = by_table(rows);
    match transaction {
        Transaction::Sqlite(transaction) => sqlite::write_rows(transaction, &tables).await?,
        Transaction::Postgres(transaction) => postgres::write_rows(transaction, &tables).await?,
    }
    for (table, rows) in tables {
        telemetry::stats_rows(table.name, rows.len() as u64);
    }
    Ok(())
}

/// Removes the rows of a session.
pub(crate) async fn remove(transaction: &mut Transaction, session: SessionId) -> sqlx::Result<()> {
    for table in TABLES.iter() {
        let sql = format!("DELETE FROM {} WHERE session_id = $1", table.name);
        transaction.write(sql, &[Value::Id(session)]).await?;
    }
    Ok(())
}

/// The rows of a table.
type TableRows<'r> = (&'static Table, Vec<&'r StatsRow>);

/// The rows of each table that has any, in their order; the tables in the order that all writers have.
fn by_table(rows: &[StatsRow]) -> Vec<TableRows<'_>> {
    let mut tables: Vec<TableRows<'_>> = Vec::new();
    for row in rows {
        match tables.iter_mut().find(|(table, _)| std::ptr::eq(*table, row.table)) {
            Some((_, rows)) => rows.push(row),
            None => tables.push((row.table, vec![row])),
        }
    }
    tables.sort_unstable_by_key(|(table, _)| table.name);
    tables
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use rtctrace_protocol::event::SessionDecoder;
    use rtctrace_protocol::json::RawValue;
    use rtctrace_protocol::report::ReportDecoder;

    use super::super::database::Database;
    use super::super::database::tests::{both, fresh_postgres};
    use super::*;
    use crate::store::database::Row;

    const START: u64 = 1_795_159_384_000;

    /// The rows of one report each.
    fn rows_of(session: SessionId, reports: impl IntoIterator<Item = String>) -> Vec<StatsRow> {
        let (mut decoder, mut filter, mut rows) =
            (ReportDecoder::new(), RowFilter::new(Duration::ZERO), RowBatch::default());
        for report in reports {
            let report = decoder.decode(RawValue::parse(&report).unwrap()).unwrap();
            filter.rows(session, "PC_0", report, START as f64, &mut rows);
        }
        rows.take()
    }

    async fn write(database: &Database, rows: &[StatsRow]) {
        let mut transaction = database.begin().await.unwrap();
        write_rows(&mut transaction, rows).await.unwrap();
        transaction.commit().await.unwrap();
    }

    async fn inbound(database: &Database) -> Vec<Row> {
        database.read("SELECT * FROM stats_inbound_rtp ORDER BY time", &[]).await.unwrap()
    }

    #[tokio::test]
    async fn rows_arrive_once_however_often_they_are_written() {
        for (_guard, database) in both().await {
            let session = SessionId::new();
            let rows = rows_of(
                session,
                (0..75).map(|n| {
                    format!(
                        r#"{{"t":{}.5,"0":{{"type":1,"packetsReceived":{n},"jitter":0.25,"powerEfficientDecoder":true,"other":[1]}},"1":{{"type":"candidate-pair","bytesSent":{n}}}}}"#,
                        START + n
                    )
                }),
            );
            assert_eq!(rows.len(), 150);
            for _ in 0..2 {
                write(&database, &rows).await;
            }
            let found = inbound(&database).await;
            assert_eq!(found.len(), 75);
            let last = &found[74];
            assert_eq!(last.id("session_id").unwrap(), session);
            assert_eq!(last.text("connection_id").unwrap().unwrap(), "PC_0");
            assert_eq!(last.text("stats_id").unwrap().unwrap(), "0");
            assert_eq!(last.integer("packets_received").unwrap(), Some(74));
            assert_eq!(last.real("jitter").unwrap(), Some(0.25));
            assert_eq!(last.bool("power_efficient_decoder").unwrap(), Some(true));
            assert_eq!(last.text("kind").unwrap(), None);
            assert_eq!(last.json("extra").unwrap().unwrap().replace(' ', ""), r#"{"other":[1]}"#);

            let mut transaction = database.begin().await.unwrap();
            remove(&mut transaction, session).await.unwrap();
            transaction.commit().await.unwrap();
            assert_eq!(inbound(&database).await.len(), 0);
        }
    }

    #[tokio::test]
    async fn of_rows_with_one_key_the_last_is_kept() {
        for (_guard, database) in both().await {
            let session = SessionId::new();
            // Each of a decoding of its own, as of a session that a start found in the spool.
            let row = |packets: u64| {
                rows_of(session, [format!(r#"{{"t":{START},"0":{{"type":1,"packetsReceived":{packets}}}}}"#)])
            };
            write(&database, &[row(1), row(3), row(2)].concat()).await;
            write(&database, &[row(5), row(4)].concat()).await;
            let found = inbound(&database).await;
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].integer("packets_received").unwrap(), Some(4));
        }
    }

    /// The rows of a recording, and the states of its entries by connection and id: each that differs from the one before in more than its time.
    fn recorded(session: SessionId, recording: &str) -> (Vec<StatsRow>, Vec<(String, String, String)>) {
        let (mut decoder, mut filter, mut rows) =
            (SessionDecoder::new(), RowFilter::new(Duration::ZERO), RowBatch::default());
        let (mut known, mut states) = (HashMap::new(), Vec::new());
        for line in recording.lines().skip(2) {
            let event = decoder.decode(line).unwrap();
            let (Some(report), Some(connection)) = (event.value.report(), event.connection.as_deref()) else {
                continue;
            };
            filter.rows(session, connection, report, event.time, &mut rows);
            let mut there = HashMap::new();
            for entry in report.entries() {
                let members: Vec<_> = entry.members().map(|(name, value)| format!("{name}:{}", value.text())).collect();
                let state = format!("{} {}", entry.kind(), members.join(","));
                let key = (connection.to_owned(), entry.id().to_owned());
                if known.get(&key) != Some(&state) {
                    states.push((key.0.clone(), key.1.clone(), state.clone()));
                }
                there.insert(key, state);
            }
            known.retain(|(of, _), _| of != connection);
            known.extend(there);
        }
        (rows.take(), states)
    }

    #[tokio::test]
    async fn every_change_of_a_recording_has_its_row_and_all_of_them_are_new() {
        let recordings = [
            include_str!("../../../../tests/fixtures/recordings/rich-session.jsonl"),
            include_str!("../../../../tests/fixtures/recordings/rich-session-bogus-candidate.jsonl"),
            include_str!("../../../../tests/fixtures/recordings/loopback-av-60s.jsonl"),
        ];
        for (_guard, database) in both().await {
            for recording in recordings {
                let session = SessionId::new();
                let (rows, states) = recorded(session, recording);
                let mut transaction = database.begin().await.unwrap();
                match &mut transaction {
                    Transaction::Sqlite(_) => write_rows(&mut transaction, &rows).await.unwrap(),
                    // The way without a table beside.
                    Transaction::Postgres(transaction) => postgres::add(transaction, &by_table(&rows)).await.unwrap(),
                }
                transaction.commit().await.unwrap();
                for _ in 0..2 {
                    let found = entries(&database, session).await;
                    let mut expected: Vec<_> = states.iter().map(|(connection, id, _)| (connection, id)).collect();
                    expected.sort();
                    assert_eq!(found.iter().map(|(connection, id)| (connection, id)).collect::<Vec<_>>(), expected);
                    write(&database, &rows).await;
                }
            }
        }
    }

    /// The connection and the entry of each row of a session.
    async fn entries(database: &Database, session: SessionId) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for table in TABLES.iter() {
            let sql = format!("SELECT connection_id, stats_id FROM {} WHERE session_id = $1", table.name);
            let rows = database.read(&sql, &[Value::Id(session)]).await.unwrap();
            let text = |row: &Row, column| row.text(column).unwrap().unwrap();
            found.extend(rows.iter().map(|row| (text(row, "connection_id"), text(row, "stats_id"))));
        }
        found.sort();
        found
    }

    #[tokio::test]
    async fn text_that_no_column_takes_costs_a_character_and_not_the_row() {
        let (_guard, database) = fresh_postgres().await;
        let report = format!(
            r#"{{"t":{START},"\u0000id":{{"type":1,"kind":"a\u0000b","big":1e999999,"half":"\ud83d","whole":"\ud83d\ude00"}}}}"#
        );
        write(&database, &rows_of(SessionId::new(), [report])).await;
        let found = inbound(&database).await;
        assert_eq!(found[0].text("kind").unwrap().unwrap(), "a\u{fffd}b");
        let extra: serde_json::Value = serde_json::from_str(&found[0].json("extra").unwrap().unwrap()).unwrap();
        assert_eq!(extra, serde_json::json!({ "big": null, "half": "\u{fffd}", "whole": "😀" }));
    }

    #[tokio::test]
    async fn a_row_that_cannot_be_written_keeps_no_other() {
        let (_guard, database) = fresh_postgres().await;
        // What the server refuses is known; so it is given a reason of its own.
        database.write("ALTER TABLE stats_inbound_rtp ADD CHECK (packets_received <> 13)", &[]).await.unwrap();
        let report = |n: u64| format!(r#"{{"t":{},"0":{{"type":1,"packetsReceived":{n}}}}}"#, START + n);
        write(&database, &rows_of(SessionId::new(), (0..40).map(report))).await;
        let found = inbound(&database).await;
        assert_eq!(found.len(), 39);
        assert!(found.iter().all(|row| row.integer("packets_received").unwrap() != Some(13)));
    }
}
