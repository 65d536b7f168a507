//! The tables `features_client`, `features_connection` and `features_track`. Their columns are the features of the crate of that name, whose
//! tables are the one list; the migration is tested against them.

use std::collections::HashMap;

use rtctrace_features::{
    CLIENT_FEATURES, CONNECTION_FEATURES, Feature, FeatureValue, Kind, SessionFeatures, TRACK_FEATURES,
};
use serde_json::{Map, Value};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row as _, Sqlite, SqliteConnection};

use super::database::Database;
use crate::session::SessionId;

/// The tables, in which a session's rows have its id as `session_id`.
pub(super) const TABLES: &[&str] = &["features_track", "features_connection", "features_client"];

/// Writes the features of a session in place of what was there.
pub(crate) async fn write(
    connection: &mut SqliteConnection,
    session: SessionId,
    features: &SessionFeatures,
) -> sqlx::Result<()> {
    let id = session.to_string();
    for table in TABLES {
        let sql = format!("DELETE FROM {table} WHERE session_id = ?");
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&id).execute(&mut *connection).await?;
    }

    let other = serde_json::to_value(&features.client).ok().map(|client| others(client, CLIENT_FEATURES));
    let sql = insert("features_client", &["session_id"], CLIENT_FEATURES, &["extra"]);
    let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&id);
    bind_row(query, features.client.row())
        .bind(other.filter(|other| !other.is_empty()).map(|other| Value::Object(other).to_string()))
        .execute(&mut *connection)
        .await?;

    let sql = insert("features_connection", &["session_id", "connection_id", "position"], CONNECTION_FEATURES, &[]);
    let track_sql = insert("features_track", &["session_id", "connection_id", "position"], TRACK_FEATURES, &[]);
    for (position, features) in (0_i64..).zip(&features.connections) {
        write_row(connection, &sql, (&id, &features.id, position), features.row()).await?;
        for (position, track) in (0_i64..).zip(&features.tracks) {
            write_row(connection, &track_sql, (&id, &features.id, position), track.row()).await?;
        }
    }
    Ok(())
}

async fn write_row<'v>(
    connection: &mut SqliteConnection,
    sql: &str,
    (session, id, position): (&str, &str, i64),
    row: impl Iterator<Item = (&'static Feature, Option<FeatureValue<'v>>)>,
) -> sqlx::Result<()> {
    let query = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).bind(session).bind(id).bind(position);
    bind_row(query, row).execute(connection).await.map(|_| ())
}

/// The features of a session as the API gives them: upstream's names, absent ones left out.
pub(crate) async fn read(database: &Database, session: SessionId) -> sqlx::Result<Value> {
    let id = session.to_string();
    let client = sqlx::query("SELECT * FROM features_client WHERE session_id = ?").bind(&id);
    let mut client_features = Map::new();
    if let Some(row) = client.fetch_optional(&database.readers).await? {
        object(&row, CLIENT_FEATURES, &mut client_features)?;
        if let Some(Value::Object(other)) = json(row.try_get("extra")?) {
            client_features.extend(other);
        }
    }
    let tracks =
        sqlx::query("SELECT * FROM features_track WHERE session_id = ? ORDER BY connection_id, position").bind(&id);
    let mut track_features: HashMap<String, Vec<Value>> = HashMap::new();
    for row in tracks.fetch_all(&database.readers).await? {
        let mut features = Map::new();
        object(&row, TRACK_FEATURES, &mut features)?;
        track_features.entry(row.try_get("connection_id")?).or_default().push(Value::Object(features));
    }
    let connections = sqlx::query("SELECT * FROM features_connection WHERE session_id = ? ORDER BY position").bind(&id);
    let mut connection_features = Vec::new();
    for row in connections.fetch_all(&database.readers).await? {
        let mut features = Map::new();
        let id: String = row.try_get("connection_id")?;
        object(&row, CONNECTION_FEATURES, &mut features)?;
        features.insert("tracks".to_owned(), track_features.remove(&id).unwrap_or_default().into());
        features.insert("id".to_owned(), id.into());
        connection_features.push(Value::Object(features));
    }
    Ok(serde_json::json!({ "client": client_features, "connections": connection_features }))
}

fn insert(table: &str, before: &[&str], features: &[Feature], after: &[&str]) -> String {
    let columns =
        before.iter().copied().chain(features.iter().map(|feature| feature.column)).chain(after.iter().copied());
    let columns: Vec<String> = columns.map(|column| format!("\"{column}\"")).collect();
    format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), vec!["?"; columns.len()].join(", "))
}

/// What the client said about itself and no feature is called.
fn others(client: Value, features: &[Feature]) -> Map<String, Value> {
    let Value::Object(members) = client else { return Map::new() };
    members.into_iter().filter(|(name, _)| !features.iter().any(|feature| feature.name == name)).collect()
}

fn bind_row<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    row: impl Iterator<Item = (&'static Feature, Option<FeatureValue<'q>>)>,
) -> Query<'q, Sqlite, SqliteArguments> {
    row.fold(query, |query, (_, value)| bind(query, value))
}

fn bind<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    value: Option<FeatureValue<'q>>,
) -> Query<'q, Sqlite, SqliteArguments> {
    match value {
        None => query.bind(None::<i64>),
        Some(FeatureValue::Bool(value)) => query.bind(value),
        Some(FeatureValue::Integer(value)) => query.bind(value),
        Some(FeatureValue::Time(value)) => query.bind(value.0),
        Some(FeatureValue::Double(value)) => query.bind(value),
        Some(FeatureValue::Text(value) | FeatureValue::Json(value)) => query.bind(value),
    }
}

fn object(row: &SqliteRow, features: &[Feature], into: &mut Map<String, Value>) -> sqlx::Result<()> {
    for feature in features {
        let value = match feature.kind {
            Kind::Bool => row.try_get::<Option<bool>, _>(feature.column)?.map(Value::from),
            Kind::Integer | Kind::Time => row.try_get::<Option<i64>, _>(feature.column)?.map(Value::from),
            // Through the crate's own type, so that numbers look the same as those of a running session.
            Kind::Double => row
                .try_get::<Option<f64>, _>(feature.column)?
                .and_then(|value| serde_json::to_value(FeatureValue::Double(value)).ok()),
            Kind::Text => row.try_get::<Option<String>, _>(feature.column)?.map(Value::from),
            Kind::Json => json(row.try_get(feature.column)?),
        };
        if let Some(value) = value {
            into.insert(feature.name.to_owned(), value);
        }
    }
    Ok(())
}

fn json(text: Option<String>) -> Option<Value> {
    serde_json::from_str(&text?).ok()
}

#[cfg(test)]
mod tests {
    use rtctrace_features::FeatureExtractor;
    use rtctrace_protocol::event::SessionDecoder;

    use super::super::database::tests::{columns, fresh};
    use super::*;

    fn expected(before: &[(&str, &str)], features: &[Feature], after: &[(&str, &str)]) -> Vec<(String, String)> {
        let of_feature = |feature: &Feature| {
            let kind = match feature.kind {
                Kind::Bool | Kind::Integer | Kind::Time => "INTEGER",
                Kind::Double => "REAL",
                Kind::Text | Kind::Json => "TEXT",
            };
            (feature.column.to_owned(), kind.to_owned())
        };
        let owned = |(name, kind): &(&str, &str)| ((*name).to_owned(), (*kind).to_owned());
        before.iter().map(owned).chain(features.iter().map(of_feature)).chain(after.iter().map(owned)).collect()
    }

    #[tokio::test]
    async fn the_migration_has_the_columns_of_the_features() {
        let (_dir, database) = fresh().await;
        let client = expected(&[("session_id", "TEXT")], CLIENT_FEATURES, &[("extra", "TEXT")]);
        assert_eq!(columns(&database, "features_client").await, client);
        let key = [("session_id", "TEXT"), ("connection_id", "TEXT"), ("position", "INTEGER")];
        let connection = expected(&key, CONNECTION_FEATURES, &[]);
        assert_eq!(columns(&database, "features_connection").await, connection);
        assert_eq!(columns(&database, "features_track").await, expected(&key, TRACK_FEATURES, &[]));
    }

    #[tokio::test]
    async fn features_come_back_from_the_database_as_they_were_extracted() {
        let (_dir, database) = fresh().await;
        let recording = include_str!("../../../tests/fixtures/recordings/rich-session.jsonl");
        let (mut decoder, mut extractor) = (SessionDecoder::new(), FeatureExtractor::new());
        for line in recording.lines().skip(2) {
            extractor.event(&decoder.decode(line).unwrap());
        }
        let features = extractor.features(&decoder);
        let row = crate::store::sessions::tests::row(1);
        for _ in 0..2 {
            crate::store::sessions::store_ended(&database, &row, &features).await.unwrap();
        }
        let read = read(&database, row.id).await.unwrap();
        assert_eq!(read, serde_json::to_value(&features).unwrap());
    }
}
