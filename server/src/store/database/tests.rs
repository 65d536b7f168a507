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
