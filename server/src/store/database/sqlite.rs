//! The database by URL: its connections and its migrations. SQLite has one writer, so one connection writes and a few read.

use std::str::FromStr as _;
use std::time::Duration;

use anyhow::{Context, bail};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};

use super::Backoff;
use crate::config::masked;
use crate::telemetry;

/// Migrations in their order. Each runs once, in a transaction of its own.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("../../../migrations/sqlite/0001_sessions_features_stats.sql")),
    (2, include_str!("../../../migrations/sqlite/0002_user_conference.sql")),
    (3, include_str!("../../../migrations/sqlite/0003_location.sql")),
    (4, include_str!("../../../migrations/sqlite/0004_features_track.sql")),
];

/// How long a statement waits for another process that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one that only reads does: somebody waits for its answer, a client with others behind it.
const READ_BUSY_TIMEOUT: Duration = Duration::from_millis(100);
const READERS: u32 = 4;

/// An open database whose schema is current.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    /// The one connection that writes.
    pub(crate) writer: SqlitePool,
    /// Connections that read.
    pub(crate) readers: SqlitePool,
}

impl Database {
    /// Opens the database behind a URL, creates it if it is missing, and runs the migrations that it lacks.
    pub(crate) async fn open(url: &str) -> anyhow::Result<Self> {
        let options = options(url)?;
        prepare(&options).await?;
        Ok(Self::over(options))
    }

    /// The same for who can do without it for a while: one that another process holds is as good as down, and is prepared once it
    /// is let go.
    pub(crate) async fn open_or_wait(url: &str) -> anyhow::Result<Self> {
        let options = options(url)?;
        match prepare(&options).await {
            Err(error) if is_held(&error) => {
                let options = options.clone();
                tokio::spawn(async move {
                    let (mut backoff, mut result) = (Backoff::new(telemetry::Store::Database), Err(error));
                    while let Err(error) = result {
                        backoff.failed("opening the database", &error).await;
                        result = prepare(&options).await;
                    }
                    telemetry::store_works(telemetry::Store::Database);
                });
            }
            result => result?,
        }
        Ok(Self::over(options))
    }

    fn over(options: SqliteConnectOptions) -> Self {
        let for_reading = options.clone().read_only(true).busy_timeout(READ_BUSY_TIMEOUT);
        Self {
            writer: SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options),
            readers: SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(for_reading),
        }
    }

    /// Closes all connections; the write-ahead log is folded in.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// How the database behind a URL is opened. Its folder exists then.
fn options(url: &str) -> anyhow::Result<SqliteConnectOptions> {
    let scheme = url.split(':').next().unwrap_or_default();
    match scheme {
        "sqlite" => {}
        "postgres" | "postgresql" => {
            bail!("database.url names a PostgreSQL database; this build supports sqlite://<path> only")
        }
        _ => bail!("database.url has the unknown scheme `{scheme}`; write sqlite://<path>"),
    }
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

/// Brings the database's schema up to date.
async fn prepare(options: &SqliteConnectOptions) -> anyhow::Result<()> {
    let context = || format!("cannot open the database {}", options.get_filename().display());
    let mut connection = SqliteConnection::connect_with(options).await.with_context(context)?;
    migrate(&mut connection, MIGRATIONS).await.context("cannot bring the database's schema up to date")?;
    connection.close().await.with_context(context)
}

/// Whether another process has the database for itself: SQLITE_BUSY (5) or SQLITE_LOCKED (6).
fn is_held(error: &anyhow::Error) -> bool {
    let error = error.chain().find_map(|cause| cause.downcast_ref::<sqlx::Error>());
    matches!(error.and_then(result_code), Some(5 | 6))
}

/// SQLite's primary result code, if it was SQLite that refused.
pub(super) fn result_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?.parse::<u32>().ok()?;
    Some(code & 0xff)
}

/// Runs what is missing. The transaction takes the write lock at its start, so two collectors that start at once on one
/// database run each migration once.
async fn migrate(connection: &mut SqliteConnection, migrations: &'static [(i64, &'static str)]) -> anyhow::Result<()> {
    for (version, sql) in migrations {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let current: i64 = sqlx::query("PRAGMA user_version").fetch_one(&mut *transaction).await?.try_get(0)?;
        let newest = migrations.last().map_or(0, |(version, _)| *version);
        if current > newest {
            bail!("the database has schema {current}, written by a newer version; this one knows up to {newest}");
        }
        if current < *version {
            sqlx::raw_sql(*sql).execute(&mut *transaction).await.with_context(|| format!("migration {version}"))?;
            let set = sqlx::AssertSqlSafe(format!("PRAGMA user_version = {version}"));
            sqlx::raw_sql(set).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A fresh database in a folder that goes with the guard.
    pub(crate) async fn fresh() -> (tempfile::TempDir, Database) {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(&format!("sqlite://{}/test.db", dir.path().display())).await.unwrap();
        (dir, database)
    }

    /// The columns of a table with their types, in order.
    pub(crate) async fn columns(database: &Database, table: &'static str) -> Vec<(String, String)> {
        let rows = sqlx::query("SELECT name, type FROM pragma_table_info(?)").bind(table);
        let rows = rows.fetch_all(&database.readers).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    #[tokio::test]
    async fn migrations_run_once_and_two_starts_at_once_do_not_collide() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/deep/er/test.db", dir.path().display());
        let (one, two) = tokio::join!(Database::open(&url), Database::open(&url));
        one.unwrap();
        let database = two.unwrap();
        let version: i64 = sqlx::query("PRAGMA user_version").fetch_one(&database.readers).await.unwrap().get(0);
        assert_eq!(version, MIGRATIONS.len() as i64);
        let mode: String = sqlx::query("PRAGMA journal_mode").fetch_one(&database.writer).await.unwrap().get(0);
        assert_eq!(mode, "wal");
    }

    #[tokio::test]
    async fn who_reads_does_not_wait_long_for_another_process() {
        let (dir, database) = fresh().await;
        let options = SqliteConnectOptions::new().filename(dir.path().join("test.db"));
        let mut other = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
        let started = std::time::Instant::now();
        sqlx::query("SELECT 1 FROM sessions").fetch_all(&database.readers).await.unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        other.close().await.unwrap();
        sqlx::query("SELECT 1 FROM sessions").fetch_all(&database.readers).await.unwrap();
    }

    #[tokio::test]
    async fn a_newer_schema_is_refused() {
        let (dir, database) = fresh().await;
        sqlx::raw_sql("PRAGMA user_version = 99").execute(&database.writer).await.unwrap();
        let error = Database::open(&format!("sqlite://{}/test.db", dir.path().display())).await.unwrap_err();
        assert!(format!("{error:#}").contains("newer version"), "{error:#}");
    }

    #[tokio::test]
    async fn another_database_is_named() {
        let error = Database::open("postgres://localhost/rtctrace").await.unwrap_err().to_string();
        assert!(error.contains("this build supports sqlite"), "{error}");
        let error = Database::open("mysql://localhost/rtctrace").await.unwrap_err().to_string();
        assert!(error.contains("`mysql`"), "{error}");
    }
}
