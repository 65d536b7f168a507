//! The database by URL: SQLite, embedded, or PostgreSQL, with TimescaleDB or without. A statement is written once for both:
//! parameters are `$1`, `$2`, values and rows are of the kinds in `value`. What differs by nature is in the file of each.

mod insert;
mod postgres;
mod sqlite;
mod value;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;

pub(crate) use insert::{Insert, columns_of};
use insert::{MOST_ROWS, Parameter, in_powers};
pub(crate) use postgres::{JsonText, Moment, WRITE_LIMIT, text};
pub(crate) use value::{Row, Value};

use super::Backoff;
use crate::session::{SessionId, UnixMillis};
use crate::telemetry;

/// How long a query of the API may take, where no setting says.
pub(crate) const QUERY_TIME: Duration = Duration::from_secs(30);

/// How much of a query's rows is read at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    /// Rows.
    pub(crate) rows: u32,
    /// Bytes, as the reader of a row counts them; the row that goes beyond is the last, and the first is always read.
    pub(crate) bytes: usize,
}

/// An open database whose schema is current, or will be as soon as it can be reached.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    /// A file.
    Sqlite(Arc<sqlite::Pools>),
    /// A server.
    Postgres(Arc<postgres::Pools>),
}

/// Statements that come about together or not at all.
#[derive(Debug)]
pub(crate) enum Transaction {
    /// In a file.
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    /// On a server.
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Database {
    /// Opens the database behind a URL, creates a file that is missing, and runs the migrations that it lacks.
    pub(crate) async fn open(url: &str) -> anyhow::Result<Self> {
        let database = Self::of(url, QUERY_TIME)?;
        database.prepare().await?;
        Ok(database)
    }

    /// The same for who can do without it for a while: one that cannot be reached, or that another process holds, is prepared
    /// once it can be had. Its queries may take `query_time`.
    pub(crate) async fn open_or_wait(url: &str, query_time: Duration) -> anyhow::Result<Self> {
        let database = Self::of(url, query_time)?;
        match database.prepare().await {
            Err(error) if database.would_wait(&error) => {
                let later = database.clone();
                tokio::spawn(async move {
                    let (mut backoff, mut result) = (Backoff::new(telemetry::Store::Database), Err(error));
                    while let Err(error) = result {
                        backoff.failed("opening the database", &error).await;
                        result = later.prepare().await;
                    }
                    telemetry::store_works(telemetry::Store::Database);
                });
            }
            result => result?,
        }
        Ok(database)
    }

    fn of(url: &str, query_time: Duration) -> anyhow::Result<Self> {
        let scheme = url.split(':').next().unwrap_or_default();
        Ok(match scheme {
            "sqlite" => Self::Sqlite(Arc::new(sqlite::Pools::of(url, query_time)?)),
            "postgres" | "postgresql" => Self::Postgres(Arc::new(postgres::Pools::of(url, query_time)?)),
            _ => bail!(
                "database.url has the unknown scheme `{scheme}`; write sqlite://<path> or postgres://<user>@<host>/<database>"
            ),
        })
    }

    /// Brings the schema up to date.
    async fn prepare(&self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(pools) => pools.prepare().await,
            Self::Postgres(pools) => pools.prepare().await,
        }
    }

    /// The schema that this version works with.
    pub(crate) fn schema(&self) -> i64 {
        match self {
            Self::Sqlite(_) => sqlite::SCHEMA,
            Self::Postgres(_) => postgres::SCHEMA,
        }
    }

    /// The same of what was told about an attempt to open it.
    fn would_wait(&self, error: &anyhow::Error) -> bool {
        error.chain().find_map(|cause| cause.downcast_ref()).is_some_and(|error| self.is_away(error))
    }

    /// Whether it may be there later: it cannot be reached, or somebody else has it for himself.
    pub(super) fn is_away(&self, error: &sqlx::Error) -> bool {
        match self {
            Self::Sqlite(_) => sqlite::is_held(error),
            Self::Postgres(_) => postgres::is_away(error),
        }
    }

    /// The expression for a time so long ago, by the clock that all who share the database have.
    pub(crate) fn ago(&self, time: Duration) -> String {
        let seconds = time.as_secs();
        match self {
            Self::Sqlite(_) => format!("CAST((unixepoch('subsec') - {seconds}) * 1000 AS INTEGER)"),
            Self::Postgres(_) => format!("now() - interval '{seconds} seconds'"),
        }
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pools) => pools.close().await,
            Self::Postgres(pools) => pools.close().await,
        }
    }

    /// The rows of a query that finds them by a key. Somebody waits for them: a database that does not answer fails soon.
    pub(crate) async fn read(&self, sql: impl AsRef<str>, values: &[Value<'_>]) -> sqlx::Result<Vec<Row>> {
        match self {
            Self::Sqlite(pools) => sqlite::read(&mut *pools.reader().await?, sql.as_ref(), values).await,
            Self::Postgres(pools) => pools.read(sql.as_ref(), values).await,
        }
    }

    /// The first rows of a query that may have many, or look at many, and whether there are more. `read` makes something of a row, and says how
    /// many bytes that has. What takes longer than queries may is ended by the database; the error then `is_out_of_time`.
    pub(crate) async fn read_part<T: Send>(
        &self,
        sql: impl AsRef<str>,
        values: &[Value<'_>],
        part: Part,
        mut read: impl FnMut(&Row) -> sqlx::Result<(T, usize)> + Send,
    ) -> sqlx::Result<(Vec<T>, bool)> {
        let (mut found, mut bytes, mut has_more) = (Vec::new(), 0_usize, false);
        let mut take = |row: Row| {
            has_more = found.len() >= part.rows as usize || (bytes >= part.bytes && !found.is_empty());
            if !has_more {
                let (value, size) = read(&row)?;
                found.push(value);
                bytes = bytes.saturating_add(size);
            }
            Ok(!has_more)
        };
        match self {
            Self::Sqlite(pools) => {
                sqlite::read_while(&mut *pools.reader().await?, sql.as_ref(), values, &mut take).await?;
            }
            Self::Postgres(pools) => pools.read_while(sql.as_ref(), values, &mut take).await?,
        }
        Ok((found, has_more))
    }

    /// Runs a statement that writes, by itself.
    pub(crate) async fn write(&self, sql: impl AsRef<str>, values: &[Value<'_>]) -> sqlx::Result<()> {
        let mut transaction = self.begin().await?;
        transaction.write(sql, values).await?;
        transaction.commit().await
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> sqlx::Result<Transaction> {
        Ok(match self {
            Self::Sqlite(pools) => Transaction::Sqlite(pools.begin().await?),
            Self::Postgres(pools) => Transaction::Postgres(pools.begin().await?),
        })
    }

    /// Removes stats from before a time where that costs next to nothing: where they lie in chunks by time.
    pub(crate) async fn drop_stats_before(&self, time: UnixMillis) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(pools) => pools.drop_stats_before(time).await,
        }
    }
}

impl Transaction {
    /// The rows of a query.
    pub(crate) async fn read(&mut self, sql: impl AsRef<str>, values: &[Value<'_>]) -> sqlx::Result<Vec<Row>> {
        match self {
            Self::Sqlite(transaction) => sqlite::read(transaction, sql.as_ref(), values).await,
            Self::Postgres(transaction) => postgres::read(transaction, sql.as_ref(), values).await,
        }
    }

    /// Runs a statement that writes.
    pub(crate) async fn write(&mut self, sql: impl AsRef<str>, values: &[Value<'_>]) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(transaction) => sqlite::write(transaction, sql.as_ref(), values).await,
            Self::Postgres(transaction) => postgres::write(transaction, sql.as_ref(), values).await,
        }
    }

    /// Inserts rows, many by one statement.
    pub(crate) async fn insert(&mut self, into: &Insert, rows: &[Vec<Value<'_>>]) -> sqlx::Result<()> {
        for rows in in_powers(rows, into.most_rows()) {
            let sql = into.sql(rows.len(), self.parameter());
            self.write(sql, &rows.concat()).await?;
        }
        Ok(())
    }

    /// The same where rows that are there may stay as they are: the ids of those that were written, which the statement returns. `own` is the
    /// value that its clause for rows that are there has of its own.
    pub(crate) async fn insert_or_leave(
        &mut self,
        into: &Insert,
        rows: &[Vec<Value<'_>>],
        own: &[Value<'_>],
    ) -> sqlx::Result<HashSet<SessionId>> {
        let mut written = HashSet::with_capacity(rows.len());
        for rows in in_powers(rows, into.most_rows()) {
            let sql = into.sql(rows.len(), self.parameter());
            let values = [rows.concat().as_slice(), own].concat();
            for row in self.read(sql, &values).await? {
                written.insert(row.id("id")?);
            }
        }
        Ok(written)
    }

    /// Deletes the rows of a table that have one of these ids in a column.
    pub(crate) async fn delete(&mut self, table: &str, column: &str, ids: &[SessionId]) -> sqlx::Result<()> {
        for ids in in_powers(ids, MOST_ROWS) {
            let ids: Vec<Value<'_>> = ids.iter().map(|id| Value::Id(*id)).collect();
            let sql = format!("DELETE FROM {table} WHERE {column} IN ({})", self.parameter().list(1, ids.len()));
            self.write(sql, &ids).await?;
        }
        Ok(())
    }

    fn parameter(&self) -> Parameter {
        match self {
            Self::Sqlite(_) => Parameter::Placed,
            Self::Postgres(_) => Parameter::Numbered,
        }
    }

    /// Waits for whoever else works on the rows of a session as a whole, and keeps others waiting until the end.
    pub(crate) async fn lock(&mut self, session: SessionId) -> sqlx::Result<()> {
        match self {
            // It has the whole file to itself.
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(transaction) => postgres::lock(transaction, session).await,
        }
    }

    /// The same for several, as far as it would not have to wait: says whose lock it has.
    pub(crate) async fn try_lock(&mut self, sessions: &[SessionId]) -> sqlx::Result<HashSet<SessionId>> {
        match self {
            Self::Sqlite(_) => Ok(sessions.iter().copied().collect()),
            Self::Postgres(transaction) => postgres::try_lock(transaction, sessions).await,
        }
    }

    /// Where it would keep others from writing while it waits for more, it ends here; elsewhere it goes on.
    pub(crate) async fn pause(self) -> sqlx::Result<Option<Self>> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await.map(|()| None),
            Self::Postgres(_) => Ok(Some(self)),
        }
    }

    /// Takes it back, at once.
    pub(crate) async fn rollback(self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await,
            Self::Postgres(transaction) => postgres::rollback(transaction).await,
        }
    }

    /// Makes it last.
    pub(crate) async fn commit(self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(transaction) => postgres::commit(transaction).await,
        }
    }
}

/// Whether the database ended a query because it took too long.
pub(crate) fn is_out_of_time(error: &sqlx::Error) -> bool {
    sqlite::is_interrupted(error) || postgres::is_cancelled(error)
}

/// Whether trying again cannot help: the database understood, and will never take this.
pub(crate) fn is_final(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Encode(_)) || sqlite::is_final(error) || postgres::is_final(error)
}

#[cfg(test)]
pub(crate) mod tests;
