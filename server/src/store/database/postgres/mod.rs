//! PostgreSQL, with TimescaleDB or without: its connections, and how its errors are read.

mod migrate;
mod text;
mod types;

use std::collections::HashSet;
use std::str::FromStr as _;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgDatabaseError, PgPool, PgPoolOptions};
use sqlx::query::Query;
use sqlx::{ConnectOptions as _, Connection as _, Postgres};
use url::Url;

pub(crate) use migrate::SCHEMA;
pub(crate) use text::text;
pub(crate) use types::{JsonText, Moment};

use super::{Row, Value};
use crate::config::masked;
use crate::session::{SessionId, UnixMillis};
use crate::store::stats::TABLES;

/// Connections that write: the ends of sessions, side by side, and the writer of stats.
const WRITERS: u32 = 6;
const READERS: u32 = 8;
/// How long a statement that writes waits for a connection; the server may be starting up.
const CONNECT: Duration = Duration::from_secs(5);
/// How long one that only reads does: somebody waits for its answer, a client with others behind it. Hundreds of clients that come at
/// once have their turns by then.
const READ_CONNECT: Duration = Duration::from_secs(2);
/// A server that has not answered a query by a key by then is as good as down, as is one that does not end a query in its time. So is a network
/// that lost it without a word.
const READ_LIMIT: Duration = Duration::from_secs(5);
/// The same for a statement that writes.
pub(crate) const WRITE_LIMIT: Duration = Duration::from_secs(120);

/// What `database.url` may say behind its `?`. The driver would print the value of anything else.
const PARAMETERS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "statement-cache-capacity",
];

/// The connections to a server.
pub(crate) struct Pools {
    options: PgConnectOptions,
    writers: PgPool,
    readers: PgPool,
    /// What begins a transaction of a reader.
    begin_reading: String,
    /// How long the server lets a query of a reader take.
    query_time: Duration,
}

/// The options hold the password.
impl std::fmt::Debug for Pools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pools")
    }
}

impl Pools {
    /// For the server behind a URL; nothing is connected yet.
    pub(super) fn of(url: &str, query_time: Duration) -> anyhow::Result<Self> {
        let options = options(url)?;
        let pool = |size, timeout| PgPoolOptions::new().max_connections(size).acquire_timeout(timeout);
        // A transaction's own: a pooler between us and the server may give the connection to somebody else after it.
        let limit = query_time.as_millis().min(i32::MAX as u128);
        Ok(Self {
            writers: pool(WRITERS, CONNECT).connect_lazy_with(options.clone()),
            readers: pool(READERS, READ_CONNECT).connect_lazy_with(options.clone()),
            options,
            begin_reading: format!("BEGIN READ ONLY; SET LOCAL statement_timeout = {limit}"),
            query_time,
        })
    }

    /// Brings the database's schema up to date.
    pub(super) async fn prepare(&self) -> anyhow::Result<()> {
        let context = || format!("cannot connect to the database on {}", self.options.get_host());
        let connect = || PgConnection::connect_with(&self.options);
        let connecting = async { Ok((connect().await?, connect().await?)) };
        let (mut connection, mut keeper) = within(CONNECT, connecting).await.with_context(context)?;
        migrate::run(&mut connection, &mut keeper).await.context("cannot bring the database's schema up to date")?;
        keeper.close().await.with_context(context)?;
        connection.close().await.with_context(context)
    }

    /// The rows of a query.
    pub(super) async fn read(&self, sql: &str, values: &[Value<'_>]) -> sqlx::Result<Vec<Row>> {
        within(READ_LIMIT, async { read(&mut *self.begin_reading().await?, sql, values).await }).await
    }

    /// Begins a transaction of a reader. It has nothing to commit.
    async fn begin_reading(&self) -> sqlx::Result<sqlx::Transaction<'static, Postgres>> {
        self.readers.begin_with(self.begin_reading.clone()).await
    }

    /// Hands over the rows of a query, as long as more of them are wanted.
    pub(super) async fn read_while(
        &self,
        sql: &str,
        values: &[Value<'_>],
        take: &mut (impl FnMut(Row) -> sqlx::Result<bool> + Send),
    ) -> sqlx::Result<()> {
        let reading = async {
            let mut transaction = self.begin_reading().await?;
            let mut rows = query(sql, values).fetch(&mut *transaction);
            while let Some(row) = rows.try_next().await? {
                if !take(Row::Postgres(row))? {
                    break;
                }
            }
            Ok(())
        };
        within(self.query_time.saturating_add(READ_LIMIT), reading).await
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self) -> sqlx::Result<sqlx::Transaction<'static, Postgres>> {
        within(WRITE_LIMIT, self.writers.begin()).await
    }

    /// Closes all connections.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }

    /// Drops the chunks of stats that hold nothing newer, where tables have chunks. Both editions of TimescaleDB can do that, and
    /// a setting that changes needs no policy to be changed.
    pub(super) async fn drop_stats_before(&self, time: UnixMillis) -> sqlx::Result<()> {
        let mut connection = self.writers.acquire().await?;
        if !migrate::has_timescale(&mut connection).await? {
            return Ok(());
        }
        for table in TABLES.iter() {
            let drop = sqlx::query("SELECT drop_chunks($1::regclass, older_than => $2)").bind(table.name);
            let drop = drop.bind(Moment::of(time));
            within(WRITE_LIMIT, drop.execute(&mut *connection)).await?;
        }
        // So that they are not left of what is gone.
        let drop = "SELECT drop_chunks(format('%I.%I', view_schema, view_name)::regclass, older_than => $1) \
             FROM timescaledb_information.continuous_aggregates WHERE view_name LIKE '%_minute'";
        within(WRITE_LIMIT, sqlx::query(drop).bind(Moment::of(time)).execute(&mut *connection)).await?;
        Ok(())
    }
}

/// How the server behind a URL is connected to.
fn options(url: &str) -> anyhow::Result<PgConnectOptions> {
    let context = || format!("database.url `{}` cannot be read", masked(url));
    let parsed = Url::parse(url).with_context(context)?;
    for (name, _) in parsed.query_pairs() {
        if !PARAMETERS.contains(&name.split('[').next().unwrap_or_default()) {
            bail!("database.url has the unknown parameter `{name}`; it takes {}", PARAMETERS.join(", "));
        }
    }
    let options = PgConnectOptions::from_str(url).with_context(context)?;
    let is_named = parsed.query_pairs().any(|(name, _)| name == "application_name");
    let options = if is_named { options } else { options.application_name("rtctrace") };
    Ok(options.disable_statement_logging())
}

/// The rows of a query.
pub(super) async fn read(connection: &mut PgConnection, sql: &str, values: &[Value<'_>]) -> sqlx::Result<Vec<Row>> {
    let rows = within(WRITE_LIMIT, query(sql, values).fetch_all(connection)).await?;
    Ok(rows.into_iter().map(Row::Postgres).collect())
}

/// Runs a statement that writes.
pub(super) async fn write(connection: &mut PgConnection, sql: &str, values: &[Value<'_>]) -> sqlx::Result<()> {
    within(WRITE_LIMIT, query(sql, values).execute(connection)).await.map(|_| ())
}

/// Waits until nobody else has this lock on a session; it goes with the transaction.
pub(super) async fn lock(connection: &mut PgConnection, session: SessionId) -> sqlx::Result<()> {
    let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(key(session));
    within(WRITE_LIMIT, lock.execute(connection)).await.map(|_| ())
}

/// Takes this lock on sessions, as far as nobody has it.
pub(super) async fn try_lock(
    connection: &mut PgConnection,
    sessions: &[SessionId],
) -> sqlx::Result<HashSet<SessionId>> {
    if sessions.is_empty() {
        return Ok(HashSet::new());
    }
    let keys: Vec<i64> = sessions.iter().map(|session| key(*session)).collect();
    // By one statement: each costs a round trip, and a transaction writes hundreds.
    let lock = "SELECT pg_try_advisory_xact_lock(key) FROM unnest($1::bigint[]) WITH ORDINALITY AS t (key, place) ORDER BY place";
    let free: Vec<bool> = within(WRITE_LIMIT, sqlx::query_scalar(lock).bind(keys).fetch_all(connection)).await?;
    Ok(sessions.iter().zip(free).filter_map(|(session, is_free)| is_free.then_some(*session)).collect())
}

/// What PostgreSQL locks in place of a session.
fn key(session: SessionId) -> i64 {
    let (high, low) = session.uuid().as_u64_pair();
    (high ^ low).cast_signed()
}

/// Takes a transaction back.
pub(super) async fn rollback(transaction: sqlx::Transaction<'static, Postgres>) -> sqlx::Result<()> {
    within(WRITE_LIMIT, transaction.rollback()).await
}

/// Makes a transaction last.
pub(super) async fn commit(transaction: sqlx::Transaction<'static, Postgres>) -> sqlx::Result<()> {
    within(WRITE_LIMIT, transaction.commit()).await
}

async fn within<T>(limit: Duration, work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

fn query<'q>(sql: &'q str, values: &'q [Value<'_>]) -> Query<'q, Postgres, PgArguments> {
    values.iter().fold(sqlx::query(sql), |query, value| match *value {
        Value::Id(id) => query.bind(id.uuid()),
        Value::Time(time) => query.bind(time.map(Moment::of)),
        Value::ExactTime(time) => query.bind(Moment::of_fraction(time)),
        Value::Integer(value) => query.bind(value),
        Value::Real(value) => query.bind(value),
        Value::Bool(value) => query.bind(value),
        Value::Text(value) => query.bind(value.map(text)),
        Value::Json(value) => query.bind(value.map(JsonText::of)),
    })
}

/// Whether the server may be there later: nothing listens, the network is gone, or it says that it starts, stops or is full.
pub(super) fn is_away(error: &sqlx::Error) -> bool {
    let waits = ["08", "53", "57P"];
    match error {
        // A certificate that is not the server's, for one: no time makes that better.
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => false,
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
        error => code(error).is_some_and(|code| waits.iter().any(|class| code.starts_with(class))),
    }
}

/// Whether the server ended a statement because it took too long (`query_canceled`).
pub(super) fn is_cancelled(error: &sqlx::Error) -> bool {
    code(error) == Some("57014")
}

/// Whether trying again cannot help: the classes 22 (a value that no column takes), 23 (a constraint) and 54 (too large).
pub(super) fn is_final(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.starts_with(class)))
}

/// The server's `SQLSTATE`, if it was the server that refused.
fn code(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error()?.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_url_is_refused_without_what_it_hides() {
        for url in [
            "postgres://me:h1dden@db/rtctrace?sslpassword=h1dden",
            "postgres://me:h1dden@db:h1dden/rtctrace",
            "postgres://me:h1dden@db/rtctrace?password=h1dden&port=many",
        ] {
            let error = format!("{:#}", options(url).unwrap_err());
            assert!(!error.contains("h1dden") && error.contains("database.url"), "{error}");
        }
        let pools = format!("{:?}", Pools::of("postgres://me:h1dden@db/rtctrace", READ_LIMIT).unwrap());
        assert!(!pools.contains("h1dden"), "{pools}");
    }
}
