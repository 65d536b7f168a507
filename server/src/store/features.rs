//! The tables `features_client`, `features_connection` and `features_track`. Their columns are the features of the crate of that name, whose
//! tables are the one list; the migration is tested against them. Findings stand beside them (`findings.rs`).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::iter::{once, zip};
use std::sync::{Arc, LazyLock};

use rtctrace_features::{
    CLIENT_FEATURES, CONNECTION_FEATURES, ConnectionFeatures, Feature, FeatureValue, Kind, SessionFeatures,
    TRACK_FEATURES,
};
use serde_json::{Map, Value};

use super::database::{Database, Insert, Part, Row, Transaction, Value as Cell, columns_of};
use super::findings::{self, FINDING};
use super::sessions::EndedSession;
use crate::session::{SessionId, UnixMillis};

/// A table of features, or of findings. A session's rows have its id as `session_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FeatureTable {
    /// A row for each track.
    Track,
    /// A row for each connection.
    Connection,
    /// A row for each session.
    Client,
    /// A row for each finding.
    Finding,
}

impl FeatureTable {
    /// All, in the order in which rows are removed.
    pub(crate) const ALL: [Self; 4] = [Self::Track, Self::Connection, Self::Client, Self::Finding];

    /// Those of features.
    pub(crate) const OF_FEATURES: [Self; 3] = [Self::Track, Self::Connection, Self::Client];

    /// What it is of.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Connection => "connection",
            Self::Client => "client",
            Self::Finding => "finding",
        }
    }

    /// Its name in the database.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::Track => "features_track",
            Self::Connection => "features_connection",
            Self::Client => "features_client",
            Self::Finding => "findings",
        }
    }

    /// Its columns.
    pub(crate) fn features(self) -> &'static [Feature] {
        match self {
            Self::Track => TRACK_FEATURES,
            Self::Connection => CONNECTION_FEATURES,
            Self::Client => CLIENT_FEATURES,
            Self::Finding => &FINDING,
        }
    }

    /// All of its columns in the database.
    fn columns(self) -> Vec<&'static str> {
        let features = self.features().iter().map(|feature| feature.column);
        // What the client said about itself and no feature is called.
        let extra = (self == Self::Client).then_some("extra");
        once("session_id").chain(self.key_columns().iter().copied()).chain(features).chain(extra).collect()
    }

    pub(super) fn insert(self) -> Insert {
        // Two ids of connections that a database cannot tell apart: the first has the row.
        Insert::new(self.table(), &self.columns(), "ON CONFLICT DO NOTHING")
    }

    /// The rows of a session, in this order.
    pub(super) async fn rows(self, database: &Database, session: SessionId, order: &str) -> sqlx::Result<Vec<Row>> {
        let (columns, table) = (columns_of(self.table(), &self.columns()), self.table());
        let sql = format!("SELECT {columns} FROM {table} WHERE session_id = $1{order}");
        database.read(sql, &[Cell::Id(session)]).await
    }

    /// What tells the rows of a session apart, where it may have several.
    pub(crate) fn key_columns(self) -> &'static [&'static str] {
        match self {
            Self::Track | Self::Connection => &["connection_id", "position"],
            Self::Finding => &["position"],
            Self::Client => &[],
        }
    }
}

/// The value of a feature, as the database has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stored {
    /// True or false.
    Bool(bool),
    /// A number without a fraction.
    Integer(i64),
    /// A number.
    Real(f64),
    /// A time.
    Time(UnixMillis),
    /// Text.
    Text(String),
    /// JSON as text.
    Json(String),
}

impl Stored {
    fn read(row: &Row, feature: &Feature) -> sqlx::Result<Option<Self>> {
        let column = feature.column;
        Ok(match feature.kind {
            Kind::Bool => row.bool(column)?.map(Self::Bool),
            Kind::Integer => row.integer(column)?.map(Self::Integer),
            Kind::Double => row.real(column)?.map(Self::Real),
            Kind::Time => row.time(column)?.map(Self::Time),
            Kind::Text => row.text(column)?.map(Self::Text),
            Kind::Json => row.json(column)?.map(Self::Json),
        })
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Json(text) => text.len(),
            Self::Bool(_) | Self::Integer(_) | Self::Real(_) | Self::Time(_) => 0,
        }
    }
}

/// The connection's id, if that is a part of it, and the row's place, in tables that have them.
pub(crate) type Key = (Option<String>, i64);

/// A row of a table of features.
#[derive(Debug)]
pub(crate) struct FeatureRow {
    /// The session.
    pub(crate) session: SessionId,
    /// What tells it from others of its session, in tables that have several.
    pub(crate) key: Option<Key>,
    /// The features, in the order of the table.
    pub(crate) values: Vec<Option<Stored>>,
}

/// The first rows of sessions in one of the tables, and whether there are more: by session and key. Of one session, those behind `after`.
pub(crate) async fn rows_of(
    database: &Database,
    table: FeatureTable,
    sessions: &[SessionId],
    after: Option<&Key>,
    part: Part,
) -> sqlx::Result<(Vec<FeatureRow>, bool)> {
    if sessions.is_empty() {
        return Ok((Vec::new(), false));
    }
    let mut values: Vec<Cell<'_>> = sessions.iter().map(|id| Cell::Id(*id)).collect();
    let numbers: Vec<String> = (1..=values.len()).map(|number| format!("${number}")).collect();
    let columns = columns_of(table.table(), &table.columns());
    let mut sql = format!("SELECT {columns} FROM {} WHERE session_id IN ({})", table.table(), numbers.join(", "));
    if let Some((connection, position)) = after {
        let first = values.len() + 1;
        values.extend(connection.as_deref().map(|connection| Cell::Text(Some(connection))));
        values.push(Cell::Integer(Some(*position)));
        let numbers: Vec<String> = (first..=values.len()).map(|number| format!("${number}")).collect();
        let _ = write!(sql, " AND ({}) > ({})", table.key_columns().join(", "), numbers.join(", "));
    }
    // One more than is wanted says that there are more.
    values.push(Cell::Integer(Some(i64::from(part.rows) + 1)));
    let order: String = table.key_columns().iter().map(|column| format!(", {column}")).collect();
    let _ = write!(sql, " ORDER BY session_id{order} LIMIT ${}", values.len());
    let read = |row: &Row| {
        let session = row.id("session_id")?;
        let position = |row: &Row| row.integer("position").map(Option::unwrap_or_default);
        let key = match table.key_columns() {
            [] => None,
            [_] => Some((None, position(row)?)),
            _ => Some((Some(row.text("connection_id")?.unwrap_or_default()), position(row)?)),
        };
        let values: Vec<Option<Stored>> =
            table.features().iter().map(|feature| Stored::read(row, feature)).collect::<sqlx::Result<_>>()?;
        let texts = values.iter().flatten().map(Stored::bytes).sum::<usize>();
        let bytes = texts + values.len() * size_of::<Option<Stored>>();
        Ok((FeatureRow { session, key, values }, bytes))
    };
    database.read_part(sql, &values, part, read).await
}

/// Writes the features and the findings of sessions in place of what was there.
pub(super) async fn write(transaction: &mut Transaction, sessions: &[Arc<EndedSession>]) -> sqlx::Result<()> {
    let ids: Vec<SessionId> = sessions.iter().map(|session| session.row.id).collect();
    remove(transaction, &ids).await?;

    let others: Vec<Option<String>> = sessions.iter().map(|session| others(&session.analysis.features)).collect();
    let rows: Vec<Vec<Cell<'_>>> = zip(sessions, &others).map(|(session, other)| client(session, other)).collect();
    transaction.insert(&INSERT_CLIENT, &rows).await?;
    let rows: Vec<Vec<Cell<'_>>> = sessions.iter().flat_map(|session| connections(session)).collect();
    transaction.insert(&INSERT_CONNECTION, &rows).await?;
    let rows: Vec<Vec<Cell<'_>>> = sessions.iter().flat_map(|session| tracks(session)).collect();
    transaction.insert(&INSERT_TRACK, &rows).await?;
    findings::write(transaction, sessions).await
}

fn client<'s>(session: &'s EndedSession, other: &'s Option<String>) -> Vec<Cell<'s>> {
    let row = session.analysis.features.client.row().map(cell);
    once(Cell::Id(session.row.id)).chain(row).chain([Cell::Json(other.as_deref())]).collect()
}

fn connections(session: &EndedSession) -> impl Iterator<Item = Vec<Cell<'_>>> {
    (0_i64..).zip(&session.analysis.features.connections).map(|(position, connection)| {
        key(session, connection, position).into_iter().chain(connection.row().map(cell)).collect()
    })
}

fn tracks(session: &EndedSession) -> impl Iterator<Item = Vec<Cell<'_>>> {
    session.analysis.features.connections.iter().flat_map(move |connection| {
        (0_i64..).zip(&connection.tracks).map(move |(position, track)| {
            key(session, connection, position).into_iter().chain(track.row().map(cell)).collect()
        })
    })
}

fn key<'s>(session: &EndedSession, connection: &'s ConnectionFeatures, position: i64) -> [Cell<'s>; 3] {
    [Cell::Id(session.row.id), Cell::Text(Some(&connection.id)), Cell::Integer(Some(position))]
}

/// Removes the features and the findings of sessions.
pub(super) async fn remove(transaction: &mut Transaction, sessions: &[SessionId]) -> sqlx::Result<()> {
    for table in FeatureTable::ALL {
        transaction.delete(table.table(), "session_id", sessions).await?;
    }
    Ok(())
}

/// The features of a session as the API gives them: upstream's names, absent ones left out.
pub(crate) async fn read(database: &Database, session: SessionId) -> sqlx::Result<Value> {
    let mut client_features = Map::new();
    for row in FeatureTable::Client.rows(database, session, "").await? {
        object(&row, CLIENT_FEATURES, &mut client_features)?;
        if let Some(Value::Object(other)) = json(row.json("extra")?) {
            client_features.extend(other);
        }
    }
    let connection_id = |row: &Row| row.text("connection_id").map(Option::unwrap_or_default);
    let mut track_features: HashMap<String, Vec<Value>> = HashMap::new();
    for row in FeatureTable::Track.rows(database, session, " ORDER BY connection_id, position").await? {
        let mut features = Map::new();
        object(&row, TRACK_FEATURES, &mut features)?;
        track_features.entry(connection_id(&row)?).or_default().push(Value::Object(features));
    }
    let mut connection_features = Vec::new();
    for row in FeatureTable::Connection.rows(database, session, " ORDER BY position").await? {
        let mut features = Map::new();
        let id = connection_id(&row)?;
        object(&row, CONNECTION_FEATURES, &mut features)?;
        features.insert("tracks".to_owned(), track_features.remove(&id).unwrap_or_default().into());
        features.insert("id".to_owned(), id.into());
        connection_features.push(Value::Object(features));
    }
    Ok(serde_json::json!({ "client": client_features, "connections": connection_features }))
}

static INSERT_CLIENT: LazyLock<Insert> = LazyLock::new(|| FeatureTable::Client.insert());
static INSERT_CONNECTION: LazyLock<Insert> = LazyLock::new(|| FeatureTable::Connection.insert());
static INSERT_TRACK: LazyLock<Insert> = LazyLock::new(|| FeatureTable::Track.insert());

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
        let value = Stored::read(row, feature)?.and_then(|value| match value {
            Stored::Bool(value) => Some(Value::from(value)),
            Stored::Integer(value) | Stored::Time(UnixMillis(value)) => Some(Value::from(value)),
            // Through the crate's own type, so that numbers look the same as those of a running session.
            Stored::Real(value) => serde_json::to_value(FeatureValue::Double(value)).ok(),
            Stored::Text(value) => Some(Value::from(value)),
            Stored::Json(value) => json(Some(value)),
        });
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
    use crate::session::Analysis;

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
    async fn the_migrations_have_the_columns_of_features_and_findings() {
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
            let key = [("session_id", types.id), ("position", types.integer)];
            assert_eq!(columns(&database, "findings").await, expected(&types, &key, &FINDING, &[]));
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
            let (features, findings) = (extractor.features(&decoder), extractor.findings(&decoder));
            let analysis = Arc::new(Analysis { features: features.clone(), findings });
            let row = crate::store::sessions::tests::row;
            let sessions: Vec<Arc<EndedSession>> = (1..8)
                .map(|start| Arc::new(EndedSession { row: row(start), analysis: Arc::clone(&analysis) }))
                .collect();
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
