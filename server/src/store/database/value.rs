//! Values on their way into a statement, and rows on their way out. Each kind has the type that its database has for it: a
//! time is milliseconds in SQLite and `timestamptz` in PostgreSQL, an id is text or `uuid`, JSON is text or `jsonb`.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{ColumnIndex, Decode, Row as _, Type};

use super::postgres::{JsonText, Moment};
use crate::session::{NoSessionId, SessionId, UnixMillis};

/// A value of a statement. What is `None` is NULL of that type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'v> {
    /// The id of a session.
    Id(SessionId),
    /// A time.
    Time(Option<UnixMillis>),
    /// A time in milliseconds with a fraction.
    ExactTime(f64),
    /// A number without a fraction.
    Integer(Option<i64>),
    /// A number.
    Real(Option<f64>),
    /// True or false.
    Bool(Option<bool>),
    /// Text.
    Text(Option<&'v str>),
    /// JSON as text.
    Json(Option<&'v str>),
}

/// A row of a result; its columns are asked for by name.
pub(crate) enum Row {
    /// Of SQLite.
    Sqlite(SqliteRow),
    /// Of PostgreSQL.
    Postgres(PgRow),
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Row")
    }
}

impl Row {
    /// The id of a session.
    pub(crate) fn id(&self, column: &str) -> sqlx::Result<SessionId> {
        match self {
            Self::Sqlite(row) => {
                let text: String = row.try_get(column)?;
                text.parse().map_err(|error: NoSessionId| sqlx::Error::Decode(error.into()))
            }
            Self::Postgres(row) => Ok(SessionId::from(row.try_get::<uuid::Uuid, _>(column)?)),
        }
    }

    /// A time.
    pub(crate) fn time(&self, column: &str) -> sqlx::Result<Option<UnixMillis>> {
        match self {
            Self::Sqlite(row) => Ok(row.try_get::<Option<i64>, _>(column)?.map(UnixMillis)),
            Self::Postgres(row) => Ok(row.try_get::<Option<Moment>, _>(column)?.map(Moment::unix_millis)),
        }
    }

    /// A time in milliseconds with a fraction.
    pub(crate) fn exact_time(&self, column: &str) -> sqlx::Result<f64> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => Ok(row.try_get::<Moment, _>(column)?.fraction()),
        }
    }

    /// A number without a fraction.
    pub(crate) fn integer(&self, column: &str) -> sqlx::Result<Option<i64>> {
        self.plain(column)
    }

    /// A number without a fraction that counts something.
    pub(crate) fn count(&self, column: &str) -> sqlx::Result<Option<u64>> {
        Ok(self.integer(column)?.and_then(|value| u64::try_from(value).ok()))
    }

    /// A number.
    pub(crate) fn real(&self, column: &str) -> sqlx::Result<Option<f64>> {
        self.plain(column)
    }

    /// True or false.
    pub(crate) fn bool(&self, column: &str) -> sqlx::Result<Option<bool>> {
        self.plain(column)
    }

    /// Text.
    pub(crate) fn text(&self, column: &str) -> sqlx::Result<Option<String>> {
        self.plain(column)
    }

    /// JSON as text.
    pub(crate) fn json(&self, column: &str) -> sqlx::Result<Option<String>> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => Ok(row.try_get::<Option<JsonText<'_>>, _>(column)?.map(|json| json.0.into_owned())),
        }
    }

    fn plain<T>(&self, column: &str) -> sqlx::Result<Option<T>>
    where
        T: for<'r> Decode<'r, sqlx::Sqlite> + for<'r> Decode<'r, sqlx::Postgres>,
        T: Type<sqlx::Sqlite> + Type<sqlx::Postgres>,
        for<'c> &'c str: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
    {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }
}
