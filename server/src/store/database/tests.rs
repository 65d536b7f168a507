//! What tests of the stores need: a fresh database of each kind.

#[path = "../../../tests/collector/postgres.rs"]
pub(crate) mod server;

use super::*;

use server::TestDatabase;

/// What goes with a database.
#[derive(Default)]
pub(crate) struct Guard {
    _folder: Option<tempfile::TempDir>,
    _server: Option<TestDatabase>,
}

/// A fresh database of each kind.
pub(crate) async fn both() -> [(Guard, Database); 2] {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Database::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
    [(Guard { _folder: Some(folder), ..Guard::default() }, sqlite), fresh_postgres().await]
}

/// A fresh one of PostgreSQL.
pub(crate) async fn fresh_postgres() -> (Guard, Database) {
    let server = TestDatabase::new().await;
    let database = Database::open(&server.url).await.unwrap();
    (Guard { _server: Some(server), ..Guard::default() }, database)
}

/// What kinds of columns are called.
pub(crate) struct Types {
    pub(crate) id: &'static str,
    pub(crate) time: &'static str,
    /// A time with a fraction of a millisecond.
    pub(crate) exact_time: &'static str,
    pub(crate) integer: &'static str,
    pub(crate) real: &'static str,
    pub(crate) bool: &'static str,
    pub(crate) text: &'static str,
    pub(crate) json: &'static str,
}

impl Types {
    pub(crate) fn of(database: &Database) -> Self {
        let (integer, real, text) = ("INTEGER", "REAL", "TEXT");
        match database {
            Database::Sqlite(_) => {
                Self { id: text, time: integer, exact_time: real, integer, real, bool: integer, text, json: text }
            }
            Database::Postgres(_) => Self {
                id: "uuid",
                time: "timestamp with time zone",
                exact_time: "timestamp with time zone",
                integer: "bigint",
                real: "double precision",
                bool: "boolean",
                text: "text",
                json: "jsonb",
            },
        }
    }
}

/// The columns of a table with their types, in order.
pub(crate) async fn columns(database: &Database, table: &'static str) -> Vec<(String, String)> {
    let sql = match database {
        Database::Sqlite(_) => "SELECT name, type FROM pragma_table_info($1)",
        Database::Postgres(_) => {
            "SELECT column_name::text AS name, data_type::text AS type FROM information_schema.columns \
             WHERE table_name = $1 ORDER BY ordinal_position"
        }
    };
    let rows = database.read(sql, &[Value::Text(Some(table))]).await.unwrap();
    let text = |row: &Row, column: &str| row.text(column).unwrap().unwrap();
    rows.iter().map(|row| (text(row, "name"), text(row, "type"))).collect()
}

#[tokio::test]
async fn another_database_is_named() {
    let error = Database::open("mysql://localhost/rtctrace").await.unwrap_err().to_string();
    assert!(error.contains("`mysql`") && error.contains("postgres://"), "{error}");
}

/// The rows of each kind of session that [`fill_before_outcomes`] makes.
const OF_EACH: usize = 1_100;

/// Sessions as they were before they had an outcome: some run, the others are over and had a connection that was connected, one that was not,
/// or none.
pub(crate) async fn fill_before_outcomes(mut write: impl AsyncFnMut(String)) {
    let id = |kind: usize, number: usize| format!("0193{kind:04}-0000-7000-8000-{number:012}");
    for kind in 0..4 {
        let state = if kind == 0 { "live" } else { "ended" };
        let session = |number: usize| {
            // A time in either database.
            let time = "{time}";
            format!("('{}', 'client', 'rtctrace.v1', '{state}', {time}, '/', 0, 0)", id(kind, number))
        };
        let sessions: Vec<String> = (0..OF_EACH).map(session).collect();
        write(format!(
            "INSERT INTO sessions (id, source, dialect, state, start_time, url, connections, lines) VALUES {}",
            sessions.join(", ")
        ))
        .await;
        if kind == 3 {
            continue;
        }
        let connection = |number: usize, position: usize, connected: bool| {
            format!("('{}', 'PC_{position}', {position}, {connected})", id(kind, number))
        };
        let connections: Vec<String> =
            (0..OF_EACH).flat_map(|number| [connection(number, 0, false), connection(number, 1, kind == 1)]).collect();
        write(format!(
            "INSERT INTO features_connection (session_id, connection_id, position, connected) VALUES {}",
            connections.join(", ")
        ))
        .await;
    }
}

/// What became of these sessions.
pub(crate) async fn assert_outcomes(database: &Database) {
    let sql = "SELECT id, state, outcome, critical_findings, warning_findings FROM sessions ORDER BY id";
    let rows = database.read(sql, &[]).await.unwrap();
    assert_eq!(rows.len(), 4 * OF_EACH);
    for (row, expected) in rows.iter().zip((0..4).flat_map(|kind| std::iter::repeat_n(kind, OF_EACH))) {
        let outcomes = [None, Some("connected"), Some("failed"), Some("none")];
        assert_eq!(row.text("outcome").unwrap().as_deref(), outcomes[expected]);
        // Nobody has looked for findings then.
        assert_eq!([row.count("critical_findings").unwrap(), row.count("warning_findings").unwrap()], [None; 2]);
    }
}

/// A query without an end.
const ENDLESS: &str = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT 1 FROM s) SELECT count(*) AS n FROM s";

#[tokio::test]
async fn a_query_that_takes_too_long_is_ended_and_its_connection_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestDatabase::new().await;
    for url in [format!("sqlite://{}/test.db", folder.path().display()), server.url.clone()] {
        let database = Database::open_or_wait(&url, Duration::from_millis(300)).await.unwrap();
        let part = Part { rows: 10, bytes: 10 };
        for _ in 0..10 {
            let endless = database.read_part(ENDLESS, &[], part, |row| Ok((row.integer("n")?, 0)));
            let error = endless.await.unwrap_err();
            assert!(is_out_of_time(&error), "{error:?}");
            let error = database.read(ENDLESS, &[]).await.unwrap_err();
            assert!(is_out_of_time(&error), "{error:?}");
            database.read("SELECT id FROM sessions", &[]).await.unwrap();
        }
        database.close().await;
    }
}

#[tokio::test]
async fn a_part_has_no_more_rows_and_bytes_than_it_may() {
    let rows = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 1000) \
                SELECT CAST(n AS bigint) AS n FROM s";
    for (_guard, database) in both().await {
        let read = async |part| {
            let (found, has_more) =
                database.read_part(rows, &[], part, |row| Ok((row.integer("n")?, 10))).await.unwrap();
            (found.len(), has_more)
        };
        for _ in 0..20 {
            assert_eq!(read(Part { rows: 7, bytes: 1000 }).await, (7, true));
            assert_eq!(read(Part { rows: 1000, bytes: 95 }).await, (10, true));
            assert_eq!(read(Part { rows: 1000, bytes: 0 }).await, (1, true));
            assert_eq!(read(Part { rows: 1000, bytes: 10_000 }).await, (1000, false));
        }
    }
}
