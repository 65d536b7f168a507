//! The schema of PostgreSQL: migrations run once, and what depends on the edition of TimescaleDB is looked at anew with each start,
//! because that may be installed, or exchanged for the other one, at any time. All of it under a lock: several collectors may
//! start at once.

use std::time::Duration;

use anyhow::{Context, bail};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use uuid::Uuid;

use super::code;
use crate::store::sessions::OUTCOME;
use crate::store::stats::TABLES;

/// Migrations in their order. Each runs once, in a transaction of its own.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("../../../../../migrations/timescale/0001_sessions_features_stats.sql")),
    (2, include_str!("../../../../../migrations/timescale/0002_quality.sql")),
    (3, include_str!("../../../../../migrations/timescale/0003_session_lists.sql")),
    (4, include_str!("../../../../../migrations/timescale/0004_collectors.sql")),
    (5, include_str!("../../../../../migrations/timescale/0005_sora_connections.sql")),
    (6, include_str!("../../../../../migrations/timescale/0006_sora.sql")),
    (7, include_str!("../../../../../migrations/timescale/0007_views_by_minutes.sql")),
    (8, include_str!("../../../../../migrations/timescale/0008_conference.sql")),
    (9, include_str!("../../../../../migrations/timescale/0009_sora_counters.sql")),
    (10, include_str!("../../../../../migrations/timescale/0010_findings.sql")),
    (11, include_str!("../../../../../migrations/timescale/0011_before.sql")),
];

/// What follows a migration outside of a transaction, so that nobody waits for it; the migration counts when it is done. All of these may run
/// again.
const CONCURRENTLY: &[(i64, &str)] = &[
    (3, include_str!("../../../../../migrations/timescale/0003_session_lists.concurrently.sql")),
    (6, include_str!("../../../../../migrations/timescale/0006_sora.concurrently.sql")),
    (10, include_str!("../../../../../migrations/timescale/0010_findings.concurrently.sql")),
];

/// So many sessions get their outcome at a time: who has just ended one waits for no more.
const OUTCOMES: i64 = 1_000;

/// The newest one.
pub(crate) const SCHEMA: i64 = match MIGRATIONS {
    [.., (version, _)] => *version,
    [] => 0,
};

/// What is summed up by minutes: views over the stats tables, by name, each after those that it is made of.
const AGGREGATES: &[(&str, &str)] = &[
    ("inbound_rtp_minute", include_str!("../../../../../migrations/timescale/aggregates/inbound_rtp_minute.sql")),
    ("outbound_rtp_minute", include_str!("../../../../../migrations/timescale/aggregates/outbound_rtp_minute.sql")),
    ("candidate_pair_minute", include_str!("../../../../../migrations/timescale/aggregates/candidate_pair_minute.sql")),
    ("fleet_inbound_minute", include_str!("../../../../../migrations/timescale/aggregates/fleet_inbound_minute.sql")),
    ("fleet_outbound_minute", include_str!("../../../../../migrations/timescale/aggregates/fleet_outbound_minute.sql")),
    ("fleet_network_minute", include_str!("../../../../../migrations/timescale/aggregates/fleet_network_minute.sql")),
];

/// What the aggregates' files say by functions of TimescaleDB, and the same without it: its buckets begin where these do; and of arrays the smallest and
/// the largest are those of the first and the last time.
const PLAIN: [(&str, &str); 4] = [
    ("time_bucket('1 minute', time)", "date_bin('1 minute', time, TIMESTAMPTZ '2000-01-03 00:00:00Z')"),
    ("time_bucket('1 minute', bucket)", "date_bin('1 minute', bucket, TIMESTAMPTZ '2000-01-03 00:00:00Z')"),
    (
        "first(coalesce((before->>'packets_lost')::bigint, packets_lost), time)",
        "((min(ARRAY[extract(epoch FROM time)::double precision, \
         coalesce((before->>'packets_lost')::bigint, packets_lost)]))[2])::bigint",
    ),
    ("last(packets_lost, time)", "((max(ARRAY[extract(epoch FROM time)::double precision, packets_lost]))[2])::bigint"),
];

/// One collector at a time brings the schema up to date.
const LOCK: i64 = 0x7274_6374_7261_6365;
/// How often another one looks whether it is done.
const LOOK: Duration = Duration::from_millis(100);

/// What there is beside PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edition {
    /// Nothing.
    Plain,
    /// TimescaleDB under the Apache licence: hypertables, and nothing that runs by itself.
    Apache,
    /// All of TimescaleDB.
    Timescale,
}

/// Brings the schema up to date, from whatever it is. The lock is a transaction's, on a connection of its own: indexes are built outside of
/// one, and what is a connection's, a pooler may leave to somebody else.
pub(super) async fn run(connection: &mut PgConnection, keeper: &mut PgConnection) -> anyhow::Result<()> {
    // Between statements it looks at nothing, or who builds an index would wait for it.
    let begin = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = 0";
    // Whoever waited inside a statement would be waited for by who builds an index.
    let lock = "SELECT pg_try_advisory_xact_lock($1)";
    let keeping = loop {
        let mut transaction = keeper.begin_with(begin).await?;
        if sqlx::query_scalar(lock).bind(LOCK).fetch_one(&mut *transaction).await? {
            break transaction;
        }
        transaction.rollback().await?;
        tokio::time::sleep(LOOK).await;
    };
    let result = run_locked(connection).await;
    // Where it cannot be given back, the connection is gone, and the lock with it.
    let _ = keeping.rollback().await;
    result
}

async fn run_locked(connection: &mut PgConnection) -> anyhow::Result<()> {
    // Else the driver tells of every table that is there already.
    connection.execute("SET client_min_messages = warning").await?;
    let edition = edition(connection).await?;
    for migration in MIGRATIONS {
        migrate(connection, migration).await?;
    }
    fill_outcomes(connection).await.context("cannot say what became of sessions")?;
    let mut transaction = connection.begin().await?;
    if edition != Edition::Plain {
        for table in TABLES.iter() {
            make_hypertable(&mut transaction, table.name)
                .await
                .with_context(|| format!("hypertable {}", table.name))?;
            if edition == Edition::Timescale {
                compress(&mut transaction, table.name)
                    .await
                    .with_context(|| format!("compression of {}", table.name))?;
            }
        }
    }
    for (name, select) in AGGREGATES {
        aggregate(&mut transaction, edition, name, select).await.with_context(|| format!("aggregate {name}"))?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Whether tables have chunks here.
pub(super) async fn has_timescale(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let installed = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')";
    sqlx::query_scalar(installed).fetch_one(connection).await
}

/// What there is; TimescaleDB is taken into use where the server has loaded it.
async fn edition(connection: &mut PgConnection) -> anyhow::Result<Edition> {
    // Asked first: to a server that has not, CREATE EXTENSION is an error that ends the connection.
    // In this view, a setting of its that a file has and nobody reads is not.
    let is_loaded = "SELECT EXISTS (SELECT FROM pg_settings WHERE name = 'timescaledb.max_background_workers')";
    let is_loaded: bool = sqlx::query_scalar(is_loaded).fetch_one(&mut *connection).await?;
    if !is_loaded {
        tracing::warn!(
            "the database has no TimescaleDB: stats go to ordinary tables, which are neither compressed nor removed by the day"
        );
        return Ok(Edition::Plain);
    }
    if !has_timescale(connection).await? {
        let mut transaction = connection.begin().await?;
        let created = transaction.execute("CREATE EXTENSION IF NOT EXISTS timescaledb").await;
        match created {
            Ok(_) => transaction.commit().await?,
            Err(error) => {
                transaction.rollback().await?;
                tracing::warn!(
                    "TimescaleDB cannot be taken into use, so stats go to ordinary tables; have it created by who may, \
                     with CREATE EXTENSION timescaledb: {error}"
                );
                return Ok(Edition::Plain);
            }
        }
    }
    let licence: Option<String> =
        sqlx::query_scalar("SELECT current_setting('timescaledb.license', true)").fetch_one(&mut *connection).await?;
    Ok(if licence.as_deref() == Some("timescale") { Edition::Timescale } else { Edition::Apache })
}

async fn migrate(connection: &mut PgConnection, (version, sql): &(i64, &'static str)) -> anyhow::Result<()> {
    let context = || format!("migration {version}");
    let mut transaction = connection.begin().await?;
    transaction.execute("CREATE TABLE IF NOT EXISTS rtctrace_schema (version bigint NOT NULL)").await?;
    let current = "SELECT coalesce(max(version), 0) FROM rtctrace_schema";
    let current: i64 = sqlx::query_scalar(current).fetch_one(&mut *transaction).await?;
    if current > SCHEMA {
        bail!("the database has schema {current}, written by a newer version; this one knows up to {SCHEMA}");
    }
    if current >= *version {
        return Ok(transaction.commit().await?);
    }
    transaction.execute(*sql).await.with_context(context)?;
    if let Some((_, then)) = CONCURRENTLY.iter().find(|(follows, _)| follows == version) {
        transaction.commit().await?;
        fill_outcomes(connection).await.with_context(context)?;
        concurrently(connection, then).await.with_context(context)?;
        transaction = connection.begin().await?;
    }
    let set = sqlx::query("INSERT INTO rtctrace_schema (version) VALUES ($1)").bind(version);
    set.execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// Runs statements one by one. An index whose building failed before is there and of no use: it is built anew.
async fn concurrently(connection: &mut PgConnection, statements: &'static str) -> anyhow::Result<()> {
    let broken = "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE i.indrelid = 'sessions'::regclass AND NOT i.indisvalid";
    let broken: Vec<String> = sqlx::query_scalar(broken).fetch_all(&mut *connection).await?;
    for index in broken {
        let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {index}");
        connection.execute(drop.as_str()).await?;
    }
    let is_comment = |line: &&str| line.starts_with("--");
    let plain: String = statements.lines().filter(|line| !is_comment(line)).collect::<Vec<_>>().join("\n");
    for statement in plain.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        connection.execute(statement).await?;
    }
    Ok(())
}

/// Sessions that ended before there was a column for it, or by an older collector, get their outcome.
async fn fill_outcomes(connection: &mut PgConnection) -> sqlx::Result<()> {
    let part = "SELECT id FROM sessions WHERE state = 'ended' AND outcome IS NULL AND id > $1 ORDER BY id LIMIT $2";
    let fill =
        format!("UPDATE sessions SET outcome = {OUTCOME} WHERE id = ANY($1) AND state = 'ended' AND outcome IS NULL");
    let mut after = Uuid::nil();
    loop {
        let ids: Vec<Uuid> = sqlx::query_scalar(part).bind(after).bind(OUTCOMES).fetch_all(&mut *connection).await?;
        let Some(last) = ids.last() else { return Ok(()) };
        after = *last;
        sqlx::query(&fill).bind(&ids).execute(&mut *connection).await?;
    }
}

/// A day is a chunk: dashboards ask for hours to weeks, and a day's rows of a busy fleet still have their indexes in memory.
async fn make_hypertable(connection: &mut PgConnection, table: &'static str) -> anyhow::Result<()> {
    // The old form of the call, which all versions have. The table has its own index by time.
    let sql = "SELECT create_hypertable($1::regclass, 'time', chunk_time_interval => INTERVAL '1 day', \
         create_default_indexes => false, migrate_data => true, if_not_exists => true)";
    sqlx::query(sql).bind(table).execute(connection).await?;
    Ok(())
}

/// A session's rows are read together, and written together again by `reprocess`.
async fn compress(connection: &mut PgConnection, table: &'static str) -> anyhow::Result<()> {
    let known = "SELECT compression_enabled FROM timescaledb_information.hypertables WHERE hypertable_name = $1";
    let is_on: Option<bool> = sqlx::query_scalar(known).bind(table).fetch_optional(&mut *connection).await?;
    if is_on == Some(true) {
        return Ok(());
    }
    let sql = format!(
        "ALTER TABLE {table} SET (timescaledb.compress, timescaledb.compress_segmentby = 'session_id', \
         timescaledb.compress_orderby = 'connection_id, stats_id, time'); \
         SELECT add_compression_policy('{table}', INTERVAL '7 days', if_not_exists => true)"
    );
    attempt(connection, "compression", sql).await.map(|_| ())
}

/// A view, or what keeps its rows ready where the edition has that.
async fn aggregate(
    connection: &mut PgConnection,
    edition: Edition,
    name: &'static str,
    select: &'static str,
) -> anyhow::Result<()> {
    let exists = "SELECT to_regclass($1) IS NOT NULL";
    let exists: bool = sqlx::query_scalar(exists).bind(name).fetch_one(&mut *connection).await?;
    if edition == Edition::Timescale {
        let known = "SELECT EXISTS (SELECT FROM timescaledb_information.continuous_aggregates WHERE view_name = $1)";
        if sqlx::query_scalar(known).bind(name).fetch_one(&mut *connection).await? {
            return Ok(());
        }
        let drop = if exists { format!("DROP VIEW {name} CASCADE; ") } else { String::new() };
        // The newest minutes come from the table itself. All that changed is made anew, however long ago it was: sessions are
        // removed, and written after an outage.
        let sql = format!(
            "{drop}CREATE MATERIALIZED VIEW {name} WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS \
             {select} WITH NO DATA; \
             SELECT add_continuous_aggregate_policy('{name}', start_offset => NULL, \
             end_offset => INTERVAL '2 minutes', schedule_interval => INTERVAL '1 minute', if_not_exists => true)"
        );
        if attempt(connection, name, sql).await? {
            return Ok(());
        }
    }
    if !exists {
        let plain = if edition == Edition::Plain { PLAIN.as_slice() } else { &[] };
        let select = plain.iter().fold(select.to_owned(), |select, (from, to)| select.replace(from, to));
        connection.execute(format!("CREATE VIEW {name} AS {select}").as_str()).await?;
    }
    Ok(())
}

/// Does what an edition may refuse (SQLSTATE 0A000) and the collector can do without; says whether it came about.
async fn attempt(connection: &mut PgConnection, what: &str, sql: String) -> anyhow::Result<bool> {
    let mut savepoint = connection.begin().await?;
    match savepoint.execute(sql.as_str()).await {
        Ok(_) => {
            savepoint.commit().await?;
            Ok(true)
        }
        Err(error) if code(&error).is_some() => {
            savepoint.rollback().await?;
            tracing::warn!("the database goes without {what}, which it refuses: {error}");
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Database;
    use super::super::super::tests::server::{Server, TestDatabase};
    use super::super::super::tests::{assert_outcomes, fill_before_outcomes, fresh_postgres};
    use super::*;

    async fn connect(url: &str) -> PgConnection {
        PgConnection::connect(url).await.unwrap()
    }

    async fn hypertables(connection: &mut PgConnection) -> i64 {
        let sql = "SELECT count(*) FROM timescaledb_information.hypertables WHERE hypertable_schema = 'public'";
        sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
    }

    #[tokio::test]
    async fn migrations_run_once_and_two_starts_at_once_do_not_collide() {
        let server = TestDatabase::new().await;
        let (one, two) = tokio::join!(Database::open(&server.url), Database::open(&server.url));
        one.unwrap();
        two.unwrap();
        Database::open(&server.url).await.unwrap();
        let mut connection = connect(&server.url).await;
        let versions: Vec<i64> =
            sqlx::query_scalar("SELECT version FROM rtctrace_schema").fetch_all(&mut connection).await.unwrap();
        assert_eq!(versions, MIGRATIONS.iter().map(|(version, _)| *version).collect::<Vec<_>>());
        assert_eq!(hypertables(&mut connection).await, TABLES.len() as i64);
        for (name, _) in AGGREGATES {
            let sql = format!("SELECT count(*) FROM {name}");
            let rows: i64 = sqlx::query_scalar(&sql).fetch_one(&mut connection).await.unwrap();
            assert_eq!(rows, 0, "{name}");
        }
    }

    #[tokio::test]
    async fn a_filled_database_gets_outcomes_and_indexes_while_others_read_and_write() {
        let server = TestDatabase::new().await;
        let mut connection = connect(&server.url).await;
        let (before, _) = MIGRATIONS.split_at(2);
        for migration in before {
            migrate(&mut connection, migration).await.unwrap();
        }
        fill_before_outcomes(async |sql| {
            connection.execute(sql.replace("{time}", "now()").as_str()).await.unwrap();
        })
        .await;
        // What is left of an attempt that failed.
        let broken = "ALTER TABLE sessions ADD COLUMN outcome text; CREATE INDEX sessions_by_source ON sessions (source); \
             UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'sessions_by_source'::regclass";
        connection.execute(broken).await.unwrap();
        // Somebody who has read and written, and does not hurry.
        let mut other = connect(&server.url).await;
        other.execute("SET lock_timeout = '2s'").await.unwrap();
        let others = tokio::spawn(async move {
            for _ in 0..40 {
                let touch = "UPDATE sessions SET lines = lines + 1 WHERE state = 'live'; SELECT count(*) FROM sessions";
                other.execute(touch).await.unwrap();
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        let (one, two) = tokio::join!(Database::open(&server.url), Database::open(&server.url));
        let (database, _) = (one.unwrap(), two.unwrap());
        others.await.unwrap();
        assert_outcomes(&database).await;
        let indexes = "SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
             WHERE i.indrelid = 'sessions'::regclass AND i.indisvalid AND c.relname LIKE 'sessions_%' ORDER BY 1";
        let indexes: Vec<String> = sqlx::query_scalar(indexes).fetch_all(&mut connection).await.unwrap();
        let expected = [
            "by_browser",
            "by_conference_start",
            "by_country",
            "by_outcome",
            "by_sora_connection",
            "by_sora_session",
            "by_source",
            "by_start",
            "by_user",
            "by_user_start",
            "live_by_start",
            "pkey",
            "with_critical_findings",
            "with_warning_findings",
            "without_outcome",
        ];
        assert_eq!(indexes, expected.map(|name| format!("sessions_{name}")));
        let of_source = "SELECT pg_get_indexdef('sessions_by_source'::regclass)";
        let of_source: String = sqlx::query_scalar(of_source).fetch_one(&mut connection).await.unwrap();
        assert!(of_source.contains("start_time DESC"), "{of_source}");
        let refused = connection.execute("UPDATE sessions SET outcome = 'other'").await;
        assert_eq!(code(&refused.unwrap_err()), Some("23514"));

        // As a collector that knows no outcome would end them.
        database.write("UPDATE sessions SET outcome = NULL WHERE state = 'ended'", &[]).await.unwrap();
        assert_outcomes(&Database::open(&server.url).await.unwrap()).await;
    }

    #[tokio::test]
    async fn a_newer_schema_is_refused() {
        let server = TestDatabase::new().await;
        Database::open(&server.url).await.unwrap();
        let mut connection = connect(&server.url).await;
        connection.execute("INSERT INTO rtctrace_schema VALUES (99)").await.unwrap();
        let error = Database::open(&server.url).await.unwrap_err();
        assert!(format!("{error:#}").contains("newer version"), "{error:#}");
    }

    #[tokio::test]
    async fn a_server_without_timescale_has_ordinary_tables_until_it_gets_it() {
        let plain = Server::plain();
        let server = plain.database().await;
        for _ in 0..2 {
            Database::open(&server.url).await.unwrap();
        }
        let mut connection = connect(&server.url).await;
        assert!(!has_timescale(&mut connection).await.unwrap());
        let views: i64 =
            sqlx::query_scalar("SELECT count(*) FROM fleet_inbound_minute").fetch_one(&mut connection).await.unwrap();
        assert_eq!(views, 0);
    }

    #[tokio::test]
    async fn a_packet_that_comes_late_after_all_is_no_loss_of_its_minute() {
        let plain = Server::plain();
        for server in [TestDatabase::new().await, plain.database().await] {
            let mut connection = connect(&server.url).await;
            let (before, _) = MIGRATIONS.split_at(6);
            for migration in before {
                migrate(&mut connection, migration).await.unwrap();
            }
            // As they were.
            let views = "CREATE VIEW inbound_rtp_minute AS SELECT 7 AS packets_lost_gain; \
                 CREATE VIEW fleet_inbound_minute AS SELECT * FROM inbound_rtp_minute";
            connection.execute(views).await.unwrap();
            for _ in 0..2 {
                Database::open(&server.url).await.unwrap();
            }
            let rows = "INSERT INTO stats_inbound_rtp (time, session_id, connection_id, stats_id, kind, packets_lost) \
                 SELECT TIMESTAMPTZ '2026-11-20 10:00:00Z' + seconds * INTERVAL '1 s', \
                 UUID '01930000-0000-7000-8000-000000000000', 'PC_0', id, 'audio', lost \
                 FROM (VALUES ('falls', 1.5, 9), ('falls', 2.25, 2), ('grows', 2, 9), ('grows', 1, 2), ('grows', 1.5, 4), \
                 ('comes late', 1, 5), ('comes late', 2, 9), ('comes late', 3, 7), ('never', 1, NULL)) \
                 row (id, seconds, lost)";
            connection.execute(rows).await.unwrap();
            let minutes = "SELECT DISTINCT bucket = '2026-11-20 10:00:00Z' FROM fleet_inbound_minute";
            let minutes: Vec<bool> = sqlx::query_scalar(minutes).fetch_all(&mut connection).await.unwrap();
            assert_eq!(minutes, [true]);
            let minutes = "SELECT stats_id, packets_lost, packets_lost_gain FROM inbound_rtp_minute ORDER BY 1";
            let minutes: Vec<(String, Option<i64>, Option<i64>)> =
                sqlx::query_as(minutes).fetch_all(&mut connection).await.unwrap();
            let expected = [
                ("comes late", Some(7), Some(2)),
                ("falls", Some(2), Some(0)),
                ("grows", Some(9), Some(7)),
                ("never", None, None),
            ];
            assert_eq!(minutes, expected.map(|(id, lost, gain)| (id.to_owned(), lost, gain)));
            let fleet: String = sqlx::query_scalar("SELECT packets_lost::text FROM fleet_inbound_minute")
                .fetch_one(&mut connection)
                .await
                .unwrap();
            assert_eq!(fleet, "9");
        }
    }

    #[tokio::test]
    async fn what_an_edition_refuses_is_done_without() {
        let (_guard, database) = fresh_postgres().await;
        let Database::Postgres(pools) = &database else { panic!() };
        let mut connection = pools.writers.acquire().await.unwrap();
        let licence: String = sqlx::query_scalar("SELECT current_setting('timescaledb.license')")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        if licence == "timescale" {
            return;
        }
        let mut transaction = connection.begin().await.unwrap();
        // As if the licence had promised it.
        compress(&mut transaction, "stats_codec").await.unwrap();
        aggregate(&mut transaction, Edition::Timescale, AGGREGATES[0].0, AGGREGATES[0].1).await.unwrap();
        sqlx::query("SELECT 1 FROM inbound_rtp_minute").fetch_all(&mut *transaction).await.unwrap();
    }

    #[tokio::test]
    async fn chunks_of_old_stats_are_dropped_and_others_are_not_looked_at() {
        use crate::session::UnixMillis;
        let (_guard, database) = fresh_postgres().await;
        let tables = ["stats_codec", "stats_sora_connection", "stats_erlang_vm"];
        for table in tables {
            let insert = format!(
                "INSERT INTO {table} (time, session_id, connection_id, stats_id) \
                 SELECT now() - day * INTERVAL '1 day', gen_random_uuid(), 'PC_0', 'x' FROM generate_series(0, 9) day"
            );
            database.write(insert, &[]).await.unwrap();
        }
        let week = "SELECT count(*) AS n FROM stats_codec WHERE time > now() - INTERVAL '2 days'";
        let plan = database.read(format!("EXPLAIN {week}"), &[]).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.text("QUERY PLAN").unwrap().unwrap()).collect();
        let scanned = plan.iter().filter(|line| line.contains("_hyper_") && line.contains("Scan on")).count();
        assert!(scanned <= 3 || plan.join("\n").contains("Chunks excluded during startup: 7"), "{plan:#?}");

        let before = UnixMillis(UnixMillis::now().0 - 5 * 86_400_000);
        for _ in 0..2 {
            database.drop_stats_before(before).await.unwrap();
        }
        for table in tables {
            let left = database.read(format!("SELECT count(*) AS n FROM {table}"), &[]).await.unwrap();
            let left = left[0].integer("n").unwrap();
            // The chunk in which the limit lies stays.
            assert!((5..=6).contains(&left.unwrap()), "{table}: {left:?}");
        }
    }
}
