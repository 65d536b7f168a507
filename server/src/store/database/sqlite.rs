//! SQLite: its connections and its migrations. It has one writer, so one connection writes and a few read.

use std::str::FromStr as _;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures_util::TryStreamExt as _;
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteError, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, Row as _, Sqlite, SqliteConnection};

use super::{Row, Value};
use crate::config::masked;
use crate::store::sessions::OUTCOME;

/// Migrations in their order. Each runs once, in a transaction of its own.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("../../../../migrations/sqlite/0001_sessions_features_stats.sql")),
    (2, include_str!("../../../../migrations/sqlite/0002_user_conference.sql")),
    (3, include_str!("../../../../migrations/sqlite/0003_location.sql")),
    (4, include_str!("../../../../migrations/sqlite/0004_features_track.sql")),
    (5, include_str!("../../../../migrations/sqlite/0005_stats_of_all_kinds.sql")),
    (6, include_str!("../../../../migrations/sqlite/0006_quality.sql")),
    (7, include_str!("../../../../migrations/sqlite/0007_session_lists.sql")),
    (8, include_str!("../../../../migrations/sqlite/0008_collectors.sql")),
    (9, include_str!("../../../../migrations/sqlite/0009_sora_connections.sql")),
    (10, include_str!("../../../../migrations/sqlite/0010_sora.sql")),
    (11, include_str!("../../../../migrations/sqlite/0011_conference.sql")),
    (12, include_str!("../../../../migrations/sqlite/0012_sora_counters.sql")),
    (13, include_str!("../../../../migrations/sqlite/0013_findings.sql")),
];

/// The newest one.
pub(super) const SCHEMA: i64 = match MIGRATIONS {
    [.., (version, _)] => *version,
    [] => 0,
};

/// How long a statement waits for another process that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Between attempts to be the first.
const AGAIN: Duration = Duration::from_millis(20);
/// How long one that only reads does: somebody waits for its answer, a client with others behind it.
const READ_BUSY_TIMEOUT: Duration = Duration::from_millis(100);
const READERS: u32 = 4;
/// Steps of its virtual machine after which a query looks at the clock: less than a millisecond.
const STEPS: i32 = 10_000;

/// The connections to a file.
#[derive(Debug)]
pub(crate) struct Pools {
    options: SqliteConnectOptions,
    /// The one connection that writes.
    writer: SqlitePool,
    /// Connections that read.
    readers: SqlitePool,
    /// How long one of them may take for a query.
    query_time: Duration,
    /// Since when the schema is current.
    prepared: Arc<OnceLock<Instant>>,
}

impl Pools {
    /// For the file behind a URL; none is open yet.
    pub(super) fn of(url: &str, query_time: Duration) -> anyhow::Result<Self> {
        let options = options(url)?;
        let for_reading = options.clone().read_only(true).busy_timeout(READ_BUSY_TIMEOUT);
        let prepared: Arc<OnceLock<Instant>> = Arc::default();
        let since = Arc::clone(&prepared);
        // One from before then knows an older schema. SQLite would notice and compile the query again, which the driver takes for a query of as
        // many columns as before: its thread would end, and the query with it, as if there were no rows.
        let readers = pool().max_connections(READERS).before_acquire(move |_, connection| {
            let is_current = since.get().is_none_or(|since| connection.age < since.elapsed());
            Box::pin(std::future::ready(Ok(is_current)))
        });
        Ok(Self {
            writer: pool().max_connections(1).connect_lazy_with(options.clone()),
            readers: readers.connect_lazy_with(for_reading),
            options,
            query_time,
            prepared,
        })
    }

    /// Brings the database's schema up to date.
    pub(super) async fn prepare(&self) -> anyhow::Result<()> {
        let context = || format!("cannot open the database {}", self.options.get_filename().display());
        let mut connection = self.first().await.with_context(context)?;
        migrate(&mut connection, MIGRATIONS).await.context("cannot bring the database's schema up to date")?;
        fill_outcomes(&mut connection).await.context("cannot say what became of sessions")?;
        connection.close().await.with_context(context)?;
        self.prepared.get_or_init(Instant::now);
        Ok(())
    }

    /// The first connection, which may make the file and its write-ahead log. Of two processes that do so at once SQLite lets none wait for
    /// the other: one is refused.
    async fn first(&self) -> sqlx::Result<SqliteConnection> {
        let began = Instant::now();
        loop {
            match SqliteConnection::connect_with(&self.options).await {
                Err(error) if is_held(&error) && began.elapsed() < BUSY_TIMEOUT => tokio::time::sleep(AGAIN).await,
                result => return result,
            }
        }
    }

    /// A connection for one query, which is interrupted when it takes too long.
    pub(super) async fn reader(&self) -> sqlx::Result<PoolConnection<Sqlite>> {
        let mut connection = self.readers.acquire().await?;
        let end = Instant::now().checked_add(self.query_time);
        let goes_on = move || end.is_none_or(|end| Instant::now() < end);
        connection.lock_handle().await?.set_progress_handler(STEPS, goes_on);
        Ok(connection)
    }

    /// Begins a transaction. It has the file to itself from its beginning: what it reads first stays so.
    pub(super) async fn begin(&self) -> sqlx::Result<sqlx::Transaction<'static, Sqlite>> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    /// Closes all connections; the write-ahead log is folded in.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// The rows of a query.
pub(super) async fn read(connection: &mut SqliteConnection, sql: &str, values: &[Value<'_>]) -> sqlx::Result<Vec<Row>> {
    let rows = query(sql, values).fetch_all(connection).await?;
    Ok(rows.into_iter().map(Row::Sqlite).collect())
}

/// Hands over the rows of a query, as long as more of them are wanted.
pub(super) async fn read_while(
    connection: &mut SqliteConnection,
    sql: &str,
    values: &[Value<'_>],
    take: &mut (impl FnMut(Row) -> sqlx::Result<bool> + Send),
) -> sqlx::Result<()> {
    let mut rows = query(sql, values).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        if !take(Row::Sqlite(row))? {
            break;
        }
    }
    Ok(())
}

/// Runs a statement that writes.
pub(super) async fn write(connection: &mut SqliteConnection, sql: &str, values: &[Value<'_>]) -> sqlx::Result<()> {
    query(sql, values).execute(connection).await.map(|_| ())
}

/// A file does not go away as a server does: no connection is asked whether it is there before each use.
fn pool() -> SqlitePoolOptions {
    SqlitePoolOptions::new().test_before_acquire(false)
}

fn query<'q>(sql: &'q str, values: &'q [Value<'_>]) -> Query<'q, Sqlite, SqliteArguments<'q>> {
    values.iter().fold(sqlx::query(sql), |query, value| match *value {
        Value::Id(id) => query.bind(id.to_string()),
        Value::Time(time) => query.bind(time.map(|time| time.0)),
        Value::ExactTime(time) => query.bind(time),
        Value::Integer(value) => query.bind(value),
        Value::Real(value) => query.bind(value),
        Value::Bool(value) => query.bind(value),
        Value::Text(value) | Value::Json(value) => query.bind(value),
    })
}

/// How the database behind a URL is opened. Its folder exists then.
fn options(url: &str) -> anyhow::Result<SqliteConnectOptions> {
    let options = SqliteConnectOptions::from_str(url)
        .with_context(|| format!("database.url `{}` cannot be read", masked(url)))?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // The spool file goes when the session's row is committed: a power cut must not take the commit back.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging();
    if let Some(folder) = options.get_filename().parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    Ok(options)
}

/// Whether another process has the database for itself: SQLITE_BUSY (5) or SQLITE_LOCKED (6).
pub(super) fn is_held(error: &sqlx::Error) -> bool {
    matches!(result_code(error), Some(5 | 6))
}

/// Whether it took too long: SQLITE_INTERRUPT (9).
pub(super) fn is_interrupted(error: &sqlx::Error) -> bool {
    result_code(error) == Some(9)
}

/// Whether trying again cannot help: SQLITE_CONSTRAINT (19), SQLITE_MISMATCH (20), SQLITE_TOOBIG (18).
pub(super) fn is_final(error: &sqlx::Error) -> bool {
    matches!(result_code(error), Some(18..=20))
}

/// SQLite's primary result code, if it was SQLite that refused.
fn result_code(error: &sqlx::Error) -> Option<u32> {
    let error = error.as_database_error()?.try_downcast_ref::<SqliteError>()?;
    let code = sqlx::error::DatabaseError::code(error)?.parse::<u32>().ok()?;
    Some(code & 0xff)
}

/// Runs what is missing. The transaction takes the write lock at its start, so two collectors that start at once on one
/// database run each migration once.
async fn migrate(connection: &mut SqliteConnection, migrations: &'static [(i64, &'static str)]) -> anyhow::Result<()> {
    for (version, sql) in migrations {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let current: i64 = sqlx::query("PRAGMA user_version").fetch_one(&mut *transaction).await?.try_get(0)?;
        if current > SCHEMA {
            bail!("the database has schema {current}, written by a newer version; this one knows up to {SCHEMA}");
        }
        if current < *version {
            transaction.execute(*sql).await.with_context(|| format!("migration {version}"))?;
            let set = format!("PRAGMA user_version = {version}");
            transaction.execute(set.as_str()).await?;
        }
        transaction.commit().await?;
    }
    Ok(())
}

/// Sessions that ended before there was a column for it, or by an older collector, get their outcome.
async fn fill_outcomes(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    let sql = format!("UPDATE sessions SET outcome = {OUTCOME} WHERE state = 'ended' AND outcome IS NULL");
    connection.execute(sql.as_str()).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::super::Database;
    use super::super::tests::{assert_outcomes, fill_before_outcomes};
    use super::*;

    #[tokio::test]
    async fn sessions_that_are_there_get_their_outcome_from_the_migration_or_from_a_later_start() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/test.db", dir.path().display());
        let mut connection = SqliteConnection::connect_with(&options(&url).unwrap()).await.unwrap();
        let before = MIGRATIONS.split_at(6).0;
        migrate(&mut connection, before).await.unwrap();
        fill_before_outcomes(async |sql| {
            connection.execute(sql.replace("{time}", "1795159384861").as_str()).await.unwrap();
        })
        .await;
        connection.close().await.unwrap();
        for _ in 0..2 {
            let database = Database::open(&url).await.unwrap();
            assert_outcomes(&database).await;
            // As a collector that knows no outcome would end them.
            database.write("UPDATE sessions SET outcome = NULL WHERE state = 'ended'", &[]).await.unwrap();
        }
        let names =
            "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'sessions' AND name LIKE 'sessions%'";
        let database = Database::open(&url).await.unwrap();
        assert_eq!(database.read(names, &[]).await.unwrap().len(), 14);
    }

    fn pools(database: &Database) -> &Pools {
        let Database::Sqlite(pools) = database else { panic!("{database:?} is not SQLite") };
        pools
    }

    /// A fresh database in a folder that goes with the guard.
    async fn fresh() -> (tempfile::TempDir, Database) {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(&format!("sqlite://{}/test.db", dir.path().display())).await.unwrap();
        (dir, database)
    }

    #[tokio::test]
    async fn migrations_run_once_and_two_starts_at_once_do_not_collide() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/deep/er/test.db", dir.path().display());
        let (one, two) = tokio::join!(Database::open(&url), Database::open(&url));
        one.unwrap();
        let database = two.unwrap();
        let Pools { readers, writer, .. } = pools(&database);
        let version: i64 = sqlx::query("PRAGMA user_version").fetch_one(readers).await.unwrap().get(0);
        assert_eq!(Some(version), MIGRATIONS.last().map(|(version, _)| *version));
        let mode: String = sqlx::query("PRAGMA journal_mode").fetch_one(writer).await.unwrap().get(0);
        assert_eq!(mode, "wal");
    }

    #[tokio::test]
    async fn who_reads_does_not_wait_long_for_another_process() {
        let (dir, database) = fresh().await;
        let options = SqliteConnectOptions::new().filename(dir.path().join("test.db"));
        let mut other = SqliteConnection::connect_with(&options).await.unwrap();
        other.execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").await.unwrap();
        let started = std::time::Instant::now();
        database.read("SELECT 1 FROM sessions", &[]).await.unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        other.close().await.unwrap();
        database.read("SELECT 1 FROM sessions", &[]).await.unwrap();
    }

    #[tokio::test]
    async fn a_newer_schema_is_refused() {
        let (dir, database) = fresh().await;
        sqlx::raw_sql("PRAGMA user_version = 99").execute(&pools(&database).writer).await.unwrap();
        let error = Database::open(&format!("sqlite://{}/test.db", dir.path().display())).await.unwrap_err();
        assert!(format!("{error:#}").contains("newer version"), "{error:#}");
    }
}
