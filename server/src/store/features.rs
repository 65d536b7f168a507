//! The tables `features_client`, `features_connection` and `features_track`. Their columns are the features of the crate of that name, whose
//! tables are the one list; the migration is tested against them.

use std::collections::HashMap;
use std::iter::{once, zip};
use std::sync::{Arc, LazyLock};

use rtctrace_features::{
    CLIENT_FEATURES, CONNECTION_FEATURES, ConnectionFeatures, Feature, FeatureValue, Kind, SessionFeatures,
    TRACK_FEATURES,
};
use serde_json::{Map, Value};

use super::database::{Database, Insert, Row, Transaction, Value as Cell};
use super::sessions::EndedSession;
use crate::session::{SessionId, UnixMillis};

/// The tables, in which a session's rows have its id as `session_id`.
const TABLES: &[&str] = &["features_track", "features_connection", "features_client"];

/// Writes the features of sessions in place of what was there.
pub(super) async fn write(transaction: &mut Transaction, sessions: &[Arc<EndedSession>]) -> sqlx::Result<()> {
    let ids: Vec<SessionId> = sessions.iter().map(|session| session.row.id).collect();
    remove(transaction, &ids).await?;

    let others: Vec<Option<String>> = sessions.iter().map(|session| others(&session.features)).collect();
    let rows: Vec<Vec<Cell<'_>>> = zip(sessions, &others).map(|(session, other)| client(session, other)).collect();
    transaction.insert(&INSERT_CLIENT, &rows).await?;
    let rows: Vec<Vec<Cell<'_>>> = sessions.iter().flat_map(|session| connections(session)).collect();
    transaction.insert(&INSERT_CONNECTION, &rows).await?;
    let rows: Vec<Vec<Cell<'_>>> = sessions.iter().flat_map(|session| tracks(session)).collect();
    transaction.insert(&INSERT_TRACK, &rows).await
}

fn client<'s>(session: &'s EndedSession, other: &'s Option<String>) -> Vec<Cell<'s>> {
    let row = session.features.client.row().map(cell);
    once(Cell::Id(session.row.id)).chain(row).chain([Cell::Json(other.as_deref())]).collect()
}

fn connections(session: &EndedSession) -> impl Iterator<Item = Vec<Cell<'_>>> {
    (0_i64..).zip(&session.features.connections).map(|(position, connection)| {
        key(session, connection, position).into_iter().chain(connection.row().map(cell)).collect()
    })
}

fn tracks(session: &EndedSession) -> impl Iterator<Item = Vec<Cell<'_>>> {
    session.features.connections.iter().flat_map(move |connection| {
        (0_i64..).zip(&connection.tracks).map(move |(position, track)| {
            key(session, connection, position).into_iter().chain(track.row().map(cell)).collect()
        })
    })
}

fn key<'s>(session: &EndedSession, connection: &'s ConnectionFeatures, position: i64) -> [Cell<'s>; 3] {
    [Cell::Id(session.row.id), Cell::Text(Some(&connection.id)), Cell::Integer(Some(position))]
}

/// Removes the features of sessions.
pub(super) async fn remove(transaction: &mut Transaction, sessions: &[SessionId]) -> sqlx::Result<()> {
    for table in TABLES {
        transaction.delete(table, "session_id", sessions).await?;
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

static INSERT_CLIENT: LazyLock<Insert> =
    LazyLock::new(|| insert("features_client", &["session_id"], CLIENT_FEATURES, &["extra"]));
static INSERT_CONNECTION: LazyLock<Insert> =
    LazyLock::new(|| insert("features_connection", &KEY, CONNECTION_FEATURES, &[]));
static INSERT_TRACK: LazyLock<Insert> = LazyLock::new(|| insert("features_track", &KEY, TRACK_FEATURES, &[]));

const KEY: [&str; 3] = ["session_id", "connection_id", "position"];

fn insert(table: &str, before: &[&str], features: &[Feature], after: &[&str]) -> Insert {
    let features = features.iter().map(|feature| feature.column);
    let columns: Vec<&str> = before.iter().copied().chain(features).chain(after.iter().copied()).collect();
    // Two ids of connections that a database cannot tell apart: the first has the row.
    Insert::new(table, &columns, "ON CONFLICT DO NOTHING")
}

/// What the client said about itself and no feature is called.
fn others(features: &SessionFeatures) -> Option<String> {
    let Ok(Value::Object(members)) = serde_json::to_value(&features.client) else { return None };
    let is_feature = |name: &String| CLIENT_FEATURES.iter().any(|feature| feature.name == name);
    let others: Map<String, Value> = members.into_iter().filter(|(name, _)| !is_feature(name)).collect();
    (!others.is_empty()).then(|| Value::Object(others).to_string())
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
            // What the client says itself stands behind upstream's features, which were there before ours.
            let upstream = CLIENT_FEATURES.iter().position(|feature| !feature.upstream).unwrap();
            let (upstream, ours) = CLIENT_FEATURES.split_at(upstream);
            let mut client = expected(&types, &[("session_id", types.id)], upstream, &[("extra", types.json)]);
            client.extend(expected(&types, &[], ours, &[]));
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
            let row = crate::store::sessions::tests::row;
            let sessions: Vec<Arc<EndedSession>> =
                (1..8).map(|start| Arc::new(EndedSession { row: row(start), features: features.clone() })).collect();
            for _ in 0..2 {
                crate::store::sessions::tests::end(&database, &sessions).await;
            }
            for session in &sessions {
                let read = read(&database, session.row.id).await.unwrap();
                assert_eq!(read, serde_json::to_value(&features).unwrap());
            }
        }
    }
}
