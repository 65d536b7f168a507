//! Writes rows of stats to PostgreSQL by binary COPY. As long as all of them are new, which they nearly always are, they go
//! straight into their tables. Where some are there already (a batch whose commit was not heard of, a session that a start found in the
//! spool), they go into a table beside it and replace from there what they find.

use std::collections::HashMap;
use std::sync::LazyLock;

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};

use super::copy::encode;
use super::{StatsRow, TABLES, Table, TableRows};
use crate::store::database::{WRITE_LIMIT, is_final};
use crate::telemetry;

/// The statements of a table.
#[derive(Debug)]
struct Statements {
    copy: String,
    create_beside: String,
    copy_beside: String,
    replace: String,
    drop_beside: String,
}

static STATEMENTS: LazyLock<HashMap<&'static str, Statements>> =
    LazyLock::new(|| TABLES.iter().map(|table| (table.name, statements(table))).collect());

fn statements(table: &Table) -> Statements {
    let name = table.name;
    let values: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let before = (!table.summed.is_empty()).then(|| "before".to_owned());
    let values: Vec<String> = values.into_iter().chain(["extra".to_owned()]).chain(before).collect();
    let columns = format!("time, session_id, connection_id, stats_id, {}", values.join(", "));
    let of = |owner: &str| values.iter().map(|value| format!("{owner}.{value}")).collect::<Vec<_>>().join(", ");
    let set: Vec<String> = values.iter().map(|value| format!("{value} = excluded.{value}")).collect();
    let key = "session_id, connection_id, stats_id, time";
    Statements {
        copy: format!("COPY {name} ({columns}) FROM STDIN WITH (FORMAT binary)"),
        create_beside: format!("CREATE TEMPORARY TABLE beside_{name} (LIKE {name})"),
        copy_beside: format!("COPY beside_{name} ({columns}) FROM STDIN WITH (FORMAT binary)"),
        // Of rows with one key the last is kept; one that changes nothing is not written.
        replace: format!(
            "INSERT INTO {name} AS known ({columns}) \
             SELECT DISTINCT ON ({key}) {columns} FROM beside_{name} ORDER BY {key}, ctid DESC \
             ON CONFLICT ({key}) DO UPDATE SET {} WHERE ({}) IS DISTINCT FROM ({})",
            set.join(", "),
            of("known"),
            of("excluded")
        ),
        drop_beside: format!("DROP TABLE beside_{name}"),
    }
}

/// Writes rows of any tables. The caller decides on the transaction.
pub(super) async fn write_rows(connection: &mut PgConnection, tables: &[TableRows<'_>]) -> sqlx::Result<()> {
    if tables.is_empty() {
        return Ok(());
    }
    let mut savepoint = connection.begin().await?;
    match add(&mut savepoint, tables).await {
        Ok(()) => return savepoint.commit().await,
        Err(error) if is_final(&error) => savepoint.rollback().await?,
        Err(error) => return Err(error),
    }
    for (table, rows) in tables {
        let Some(statements) = STATEMENTS.get(table.name) else { continue };
        let mut parts = vec![rows.as_slice()];
        while let Some(part) = parts.pop() {
            let mut savepoint = connection.begin().await?;
            match replace(&mut savepoint, statements, part).await {
                Ok(()) => savepoint.commit().await?,
                Err(error) if is_final(&error) => {
                    savepoint.rollback().await?;
                    // The row that cannot be written is in one of the halves.
                    match part.split_at(part.len() / 2) {
                        ([], _) => {
                            tracing::error!(table = table.name, "the database refuses a stats row for good: {error}");
                            telemetry::stats_lost(1);
                        }
                        (first, second) => parts.extend([second, first]),
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Adds rows that are new.
pub(super) async fn add(connection: &mut PgConnection, tables: &[TableRows<'_>]) -> sqlx::Result<()> {
    for (table, rows) in tables {
        let Some(statements) = STATEMENTS.get(table.name) else { continue };
        copy(connection, &statements.copy, rows).await?;
    }
    Ok(())
}

/// Adds rows, and replaces those that are there.
async fn replace(connection: &mut PgConnection, statements: &Statements, rows: &[&StatsRow]) -> sqlx::Result<()> {
    connection.execute(statements.create_beside.as_str()).await?;
    copy(connection, &statements.copy_beside, rows).await?;
    let rest = format!("{}; {}", statements.replace, statements.drop_beside);
    connection.execute(rest.as_str()).await.map(|_| ())
}

async fn copy(connection: &mut PgConnection, statement: &str, rows: &[&StatsRow]) -> sqlx::Result<()> {
    let copying = async {
        let mut copy = connection.copy_in_raw(statement).await?;
        copy.send(encode(rows)).await?;
        copy.finish().await.map(|_| ())
    };
    // A network that lost the server says nothing.
    tokio::time::timeout(WRITE_LIMIT, copying).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}
