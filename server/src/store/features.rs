//! The tables `features_client`, `features_connection` and `features_track`. Their columns are the features of the crate of that name, whose
//! tables are the one list; the migration is tested against them.

use std::collections::HashMap;
use std::iter::once;

use rtctrace_features::{
    CLIENT_FEATURES, CONNECTION_FEATURES, Feature, FeatureValue, Kind, SessionFeatures, TRACK_FEATURES,
};
use serde_json::{Map, Value};
use sqlx::AssertSqlSafe;

use super::database::{Database, Row, Transaction, Value as Cell};
use crate::session::{SessionId, UnixMillis};

/// The tables, in which a session's rows have its id as `session_id`.
const TABLES: &[&str] = &["features_track", "features_connection", "features_client"];

/// Writes the features of a session in place of what was there.
pub(crate) async fn write(
    transaction: &mut Transaction,
    session: SessionId,
    features: &SessionFeatures,
) -> sqlx::Result<()> {
    remove(transaction, session).await?;

    let other = serde_json::to_value(&features.client).ok().map(|client| others(client, CLIENT_FEATURES));
    let other = other.filter(|other| !other.is_empty()).map(|other| Value::Object(other).to_string());
    let sql = insert("features_client", &["session_id"], CLIENT_FEATURES, &["extra"]);
    let row = features.client.row().map(cell);
    let values: Vec<Cell<'_>> = once(Cell::Id(session)).chain(row).chain([Cell::Json(other.as_deref())]).collect();
    transaction.write(AssertSqlSafe(sql), &values).await?;

    let sql = insert("features_connection", &["session_id", "connection_id", "position"], CONNECTION_FEATURES, &[]);
    let track_sql = insert("features_track", &["session_id", "connection_id", "position"], TRACK_FEATURES, &[]);
    for (position, features) in (0_i64..).zip(&features.connections) {
        let key = |position| [Cell::Id(session), Cell::Text(Some(&features.id)), Cell::Integer(Some(position))];
        let values: Vec<Cell<'_>> = key(position).into_iter().chain(features.row().map(cell)).collect();
        transaction.write(AssertSqlSafe(sql.as_str()), &values).await?;
        for (position, track) in (0_i64..).zip(&features.tracks) {
            let values: Vec<Cell<'_>> = key(position).into_iter().chain(track.row().map(cell)).collect();
            transaction.write(AssertSqlSafe(track_sql.as_str()), &values).await?;
        }
    }
    Ok(())
}

/// Removes the features of a session.
pub(super) async fn remove(transaction: &mut Transaction, session: SessionId) -> sqlx::Result<()> {
    for table in TABLES {
        let sql = format!("DELETE FROM {table} WHERE session_id = $1");
        transaction.write(AssertSqlSafe(sql), &[Cell::Id(session)]).await?;
    }
    Ok(())
}

/// The features of a session as the API gives them: upstream's names, absent ones left out.
pub(crate) async fn read(database: &Database, session: SessionId) -> sqlx::Result<Value> {
    let id = [Cell::Id(session)];
    let mut client_features = Map::new();
    for row in database.read("SELECT * FROM features_client WHERE session_id = $1", &id).await? {
        object(&row, CLIENT_FEATURES, &mut client_features)?;
        if let Some(Value::Object(other)) = json(row.json("extra")?) {
            client_features.extend(other);
        }
    }
    let connection_id = |row: &Row| row.text("connection_id").map(Option::unwrap_or_default);
    let tracks = "SELECT * FROM features_track WHERE session_id = $1 ORDER BY connection_id, position";
    let mut track_features: HashMap<String, Vec<Value>> = HashMap::new();
    for row in database.read(tracks, &id).await? {
        let mut features = Map::new();
        object(&row, TRACK_FEATURES, &mut features)?;
        track_features.entry(connection_id(&row)?).or_default().push(Value::Object(features));
    }
    let connections = "SELECT * FROM features_connection WHERE session_id = $1 ORDER BY position";
    let mut connection_features = Vec::new();
    for row in database.read(connections, &id).await? {
        let mut features = Map::new();
        let id = connection_id(&row)?;
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
    let values: Vec<String> = (1..=columns.len()).map(|position| format!("${position}")).collect();
    // Two ids of connections that a database cannot tell apart: the first has the row.
    format!("INSERT INTO {table} ({}) VALUES ({}) ON CONFLICT DO NOTHING", columns.join(", "), values.join(", "))
}

/// What the client said about itself and no feature is called.
fn others(client: Value, features: &[Feature]) -> Map<String, Value> {
    let Value::Object(members) = client else { return Map::new() };
    members.into_iter().filter(|(name, _)| !features.iter().any(|feature| feature.name == name)).collect()
}

/// A feature's value, of the feature's kind when there is none.
fn cell<'v>((feature, value): (&'static Feature, Option<FeatureValue<'v>>)) -> Cell<'v> {
    match (value, feature.kind) {
        (Some(FeatureValue::Bool(value)), _) => Cell::Bool(Some(value)),
        (Some(FeatureValue::Integer(value)), _) => Cell::Integer(Some(value)),
        (Some(FeatureValue::Time(value)), _) => Cell::Time(Some(UnixMillis(value.0))),
        (Some(FeatureValue::Double(value)), _) => Cell::Real(Some(value)),
        (Some(FeatureValue::Text(value)), _) => Cell::Text(Some(value)),
        (Some(FeatureValue::Json(value)), _) => Cell::Json(Some(value)),
        (None, Kind::Bool) => Cell::Bool(None),
        (None, Kind::Integer) => Cell::Integer(None),
        (None, Kind::Time) => Cell::Time(None),
        (None, Kind::Double) => Cell::Real(None),
        (None, Kind::Text) => Cell::Text(None),
        (None, Kind::Json) => Cell::Json(None),
    }
}

fn object(row: &Row, features: &[Feature], into: &mut Map<String, Value>) -> sqlx::Result<()> {
    for feature in features {
        let value = match feature.kind {
            Kind::Bool => row.bool(feature.column)?.map(Value::from),
            Kind::Integer => row.integer(feature.column)?.map(Value::from),
            Kind::Time => row.time(feature.column)?.map(|time| Value::from(time.0)),
            // Through the crate's own type, so that numbers look the same as those of a running session.
            Kind::Double => {
                row.real(feature.column)?.and_then(|value| serde_json::to_value(FeatureValue::Double(value)).ok())
            }
            Kind::Text => row.text(feature.column)?.map(Value::from),
            Kind::Json => json(row.json(feature.column)?),
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

    use super::super::database::tests::{Types, both, columns};
    use super::*;

    fn expected(
        types: &Types,
        before: &[(&str, &str)],
        features: &[Feature],
        after: &[(&str, &str)],
    ) -> Vec<(String, String)> {
        let of_feature = |feature: &Feature| {
            let kind = match feature.kind {
                Kind::Bool => types.bool,
                Kind::Integer => types.integer,
                Kind::Time => types.time,
                Kind::Double => types.real,
                Kind::Text => types.text,
                Kind::Json => types.json,
            };
            (feature.column.to_owned(), kind.to_owned())
        };
        let owned = |(name, kind): &(&str, &str)| ((*name).to_owned(), (*kind).to_owned());
        before.iter().map(owned).chain(features.iter().map(of_feature)).chain(after.iter().map(owned)).collect()
    }

    #[tokio::test]
    async fn the_migrations_have_the_columns_of_the_features() {
        for (_guard, database) in both().await {
            let types = Types::of(&database);
            let client = expected(&types, &[("session_id", types.id)], CLIENT_FEATURES, &[("extra", types.json)]);
            assert_eq!(columns(&database, "features_client").await, client);
            let key = [("session_id", types.id), ("connection_id", types.text), ("position", types.integer)];
            let connection = expected(&types, &key, CONNECTION_FEATURES, &[]);
            assert_eq!(columns(&database, "features_connection").await, connection);
            assert_eq!(columns(&database, "features_track").await, expected(&types, &key, TRACK_FEATURES, &[]));
        }
    }

    #[tokio::test]
    async fn features_come_back_from_the_database_as_they_were_extracted() {
        for (_guard, database) in both().await {
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
}
