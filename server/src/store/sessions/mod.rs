//! The table `sessions`: a row from a session's first line on, completed at its end.

mod row;

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use super::database::{Database, Insert, Transaction, Value};
use super::filter::Outcome;
use super::findings::Counts;
use super::{features, links, stats};
use crate::session::{Analysis, SessionId, UnixMillis};
use row::{COLUMNS, values};

pub(crate) use row::SessionRow;
pub(super) use row::{SELECTED, start_time};

/// A session that is over, as the database is to have it.
#[derive(Debug, Clone)]
pub(crate) struct EndedSession {
    /// Its row.
    pub(crate) row: SessionRow,
    /// Its features and its findings.
    pub(crate) analysis: Arc<Analysis>,
}

impl EndedSession {
    /// How many rows it makes.
    pub(crate) fn rows(&self) -> usize {
        let Analysis { features, findings } = &*self.analysis;
        let of_connections = features.connections.iter().map(|connection| 1 + connection.tracks.len());
        2 + findings.len() + of_connections.sum::<usize>()
    }

    /// How many findings it has, unless nothing is known of what it comes to.
    fn findings(&self) -> Option<Counts> {
        (*self.analysis != Analysis::default()).then(|| Counts::of(&self.analysis.findings))
    }

    fn outcome(&self) -> Outcome {
        let connections = &self.analysis.features.connections;
        match connections.iter().any(|connection| connection.connected) {
            true => Outcome::Connected,
            false if connections.is_empty() => Outcome::None,
            false => Outcome::Failed,
        }
    }
}

/// Inserts sessions that have begun, with the connections of Sora's that they are about. One that its collector holds already runs, whatever others said of it meanwhile; one that had its
/// end, is held elsewhere, or is another of its id stays as it is, and is not among those that are returned.
pub(crate) async fn insert_live(
    transaction: &mut Transaction,
    rows: &[&SessionRow],
) -> sqlx::Result<HashSet<SessionId>> {
    static INSERT: LazyLock<Insert> = LazyLock::new(|| {
        let update = "ON CONFLICT (id) DO UPDATE SET state = excluded.state, outcome = NULL, collector = excluded.collector \
             WHERE sessions.start_time = excluded.start_time AND (sessions.collector = excluded.collector \
             OR sessions.collector IS NULL AND sessions.state = 'live') RETURNING id";
        Insert::new("sessions", COLUMNS, update)
    });
    // One statement takes a row once.
    let mut ids = HashSet::new();
    let once = rows.iter().filter(|row| ids.insert(row.id));
    let values: Vec<Vec<Value<'_>>> = once.map(|row| values(row, None, None)).collect();
    let own = transaction.insert_or_leave(&INSERT, &values, &[]).await?;
    // What a session says later goes beyond what it said before.
    let is_about = |row: &&SessionRow| own.contains(&row.id) && !row.sora_connections.is_empty();
    let about: Vec<&SessionRow> = rows.iter().copied().filter(is_about).collect();
    if !about.is_empty() {
        links::write(transaction, &about).await?;
    }
    Ok(own)
}

/// What the end of a session leaves of what was there: nothing, not even what it said at its beginning. A power cut may leave the row of
/// another one of its id that has nothing else left.
static IN_PLACE: LazyLock<String> = LazyLock::new(|| {
    let set =
        COLUMNS.iter().filter(|column| **column != "id").map(|column| format!("\"{column}\" = excluded.\"{column}\""));
    format!("ON CONFLICT (id) DO UPDATE SET {}", set.collect::<Vec<_>>().join(", "))
});

/// What may be there: what its collector holds, what had its end, if that is this one or one before it, or what left nothing but a row. One
/// that had an end with more lines went on elsewhere.
const IF_OWN: &str = "WHERE (sessions.collector IS NULL OR sessions.collector = {}) \
     AND (sessions.start_time = excluded.start_time \
     AND (sessions.collector IS NOT NULL OR sessions.lines <= excluded.lines) \
     OR sessions.state = 'live' AND sessions.dump_path IS NULL) RETURNING id";

/// Writes sessions that are over, each once, their features and their findings, in place of what is there. For who knows by the same transaction what that is.
pub(crate) async fn write_ended(transaction: &mut Transaction, sessions: &[Arc<EndedSession>]) -> sqlx::Result<()> {
    static INSERT: LazyLock<Insert> = LazyLock::new(|| Insert::new("sessions", COLUMNS, IN_PLACE.as_str()));
    transaction.insert(&INSERT, &rows_of(sessions)).await?;
    write_about(transaction, sessions).await
}

/// The same for the collector that has had these sessions. What is another collector's, or another session's, stays as it is, features and
/// all: says which were written.
pub(crate) async fn end_held(
    transaction: &mut Transaction,
    sessions: &[Arc<EndedSession>],
    collector: &str,
) -> sqlx::Result<HashSet<SessionId>> {
    static INSERT: LazyLock<Insert> =
        LazyLock::new(|| Insert::new("sessions", COLUMNS, format!("{} {IF_OWN}", *IN_PLACE)));
    let written = transaction.insert_or_leave(&INSERT, &rows_of(sessions), &[Value::Text(Some(collector))]).await?;
    let ours: Vec<_> = sessions.iter().filter(|session| written.contains(&session.row.id)).map(Arc::clone).collect();
    write_about(transaction, &ours).await?;
    Ok(written)
}

/// What further tables have of sessions that are over.
async fn write_about(transaction: &mut Transaction, sessions: &[Arc<EndedSession>]) -> sqlx::Result<()> {
    let rows: Vec<&SessionRow> = sessions.iter().map(|session| &session.row).collect();
    links::write(transaction, &rows).await?;
    features::write(transaction, sessions).await
}

fn rows_of(sessions: &[Arc<EndedSession>]) -> Vec<Vec<Value<'_>>> {
    sessions.iter().map(|session| values(&session.row, Some(session.outcome()), session.findings())).collect()
}

/// Sessions of a user, by id, behind `after`.
pub(crate) async fn of_user(
    database: &Database,
    user: &str,
    after: Option<SessionId>,
    limit: u32,
) -> sqlx::Result<Vec<SessionRow>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!("SELECT {} FROM sessions WHERE \"user\" = $1 AND id > $2 ORDER BY id LIMIT $3", *SELECTED)
    });
    let after = Value::Id(after.unwrap_or(SessionId::NIL));
    let values = [Value::Text(Some(user)), after, Value::Integer(Some(limit.into()))];
    database.read(SQL.as_str(), &values).await?.iter().map(SessionRow::read).collect()
}

/// The session's dump is gone.
pub(crate) async fn forget_dump(database: &Database, id: SessionId) -> sqlx::Result<()> {
    let sql = "UPDATE sessions SET dump_path = NULL, dump_bytes = NULL WHERE id = $1";
    database.write(sql, &[Value::Id(id)]).await
}

/// Removes all rows of a session.
pub(crate) async fn remove(database: &Database, id: SessionId) -> sqlx::Result<()> {
    let mut transaction = database.begin().await?;
    transaction.lock(id).await?;
    stats::remove(&mut transaction, id).await?;
    features::remove(&mut transaction, &[id]).await?;
    links::remove(&mut transaction, &[id]).await?;
    transaction.write("DELETE FROM sessions WHERE id = $1", &[Value::Id(id)]).await?;
    transaction.commit().await
}

/// One session.
pub(crate) async fn get(database: &Database, id: SessionId) -> sqlx::Result<Option<SessionRow>> {
    database.read(GET.as_str(), &[Value::Id(id)]).await?.first().map(SessionRow::read).transpose()
}

/// The same as a part of a transaction.
pub(crate) async fn get_by(transaction: &mut Transaction, id: SessionId) -> sqlx::Result<Option<SessionRow>> {
    transaction.read(GET.as_str(), &[Value::Id(id)]).await?.first().map(SessionRow::read).transpose()
}

static GET: LazyLock<String> = LazyLock::new(|| format!("SELECT {} FROM sessions WHERE id = $1", *SELECTED));

/// A session that was over, or was left where it goes on, is a collector's from here on. False if it is another's meanwhile. Where its dump
/// lies stays known until the next end.
pub(crate) async fn reopen(
    database: &Database,
    known: &SessionRow,
    collector: &str,
    start: UnixMillis,
) -> sqlx::Result<bool> {
    let mut transaction = database.begin().await?;
    transaction.lock(known.id).await?;
    let now = get_by(&mut transaction, known.id).await?;
    let is_as_known = now.is_some_and(|now| {
        (now.ended, &now.collector, &now.dump_path, now.lines)
            == (known.ended, &known.collector, &known.dump_path, known.lines)
    });
    if is_as_known {
        let sql = "UPDATE sessions SET state = 'live', outcome = NULL, collector = $2, start_time = $3 WHERE id = $1";
        let values = [Value::Id(known.id), Value::Text(Some(collector)), Value::Time(Some(start))];
        transaction.write(sql, &values).await?;
    }
    transaction.commit().await?;
    Ok(is_as_known)
}

/// What became of a session's connections, as its features tell.
pub(crate) const OUTCOME: &str = "CASE \
     WHEN EXISTS (SELECT 1 FROM features_connection f WHERE f.session_id = sessions.id AND f.connected) THEN 'connected' \
     WHEN EXISTS (SELECT 1 FROM features_connection f WHERE f.session_id = sessions.id) THEN 'failed' \
     ELSE 'none' END";

/// Ends a session of which nothing is left here but its row, and what was stored before. Says whether it ran.
pub(crate) async fn end_lost(database: &Database, id: SessionId, collector: &str) -> sqlx::Result<bool> {
    let sql = format!(
        "{}, collector = NULL WHERE id = $1 AND state = 'live' AND (collector = $2 OR collector IS NULL) RETURNING id",
        end_of_lost()
    );
    let mut transaction = database.begin().await?;
    let ended = transaction.read(sql, &[Value::Id(id), Value::Text(Some(collector))]).await?;
    transaction.commit().await?;
    Ok(!ended.is_empty())
}

/// The statement that ends such sessions, without its condition. Of one that went on, the features of its last end are still there.
pub(super) fn end_of_lost() -> String {
    format!("UPDATE sessions SET state = 'ended', outcome = {OUTCOME}")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::database::Part;
    use super::super::database::tests::both;
    use super::super::filter::Filter;
    use super::super::list::{list, live_in};
    use rtctrace_features::{ConnectionFeatures, SessionFeatures};

    use super::*;
    use crate::geo::Location;
    use crate::session::{Browser, Dialect, Origin};

    pub(crate) fn row(start_time: i64) -> SessionRow {
        SessionRow::live(SessionId::new(), &origin(start_time))
    }

    pub(crate) fn origin(start_time: i64) -> Origin {
        Origin {
            dialect: Dialect::RtctraceV1,
            start_time: UnixMillis(start_time),
            url: "/v1/ws".to_owned(),
            origin: Some("http://localhost".to_owned()),
            user_agent: None,
            remote_address: None,
            location: Location { country: Some("AT".to_owned()), city: None },
            client_session: None,
            user: Some("ann".to_owned()),
            conference: None,
            sora: None,
            counted_by: None,
        }
    }

    /// Writes a session that has begun; says whether the row is its own.
    pub(crate) async fn begin(database: &Database, row: &SessionRow) -> bool {
        let mut transaction = database.begin().await.unwrap();
        let own = insert_live(&mut transaction, &[row]).await.unwrap();
        transaction.commit().await.unwrap();
        own.contains(&row.id)
    }

    /// Writes sessions that are over.
    pub(crate) async fn end(database: &Database, sessions: &[Arc<EndedSession>]) {
        let mut transaction = database.begin().await.unwrap();
        write_ended(&mut transaction, sessions).await.unwrap();
        transaction.commit().await.unwrap();
    }

    #[test]
    fn what_became_of_connections_is_told() {
        let of = |connected: &[bool]| {
            let connections =
                connected.iter().map(|&connected| ConnectionFeatures { connected, ..ConnectionFeatures::default() });
            let features = SessionFeatures { connections: connections.collect(), ..SessionFeatures::default() };
            let analysis = Analysis { features, ..Analysis::default() };
            EndedSession { row: row(1), analysis: Arc::new(analysis) }.outcome()
        };
        assert_eq!(
            [of(&[]), of(&[false, false]), of(&[false, true])],
            [Outcome::None, Outcome::Failed, Outcome::Connected]
        );
    }

    /// Writes one that is over.
    pub(crate) async fn end_one(database: &Database, row: &SessionRow) {
        end(database, &[Arc::new(EndedSession { row: row.clone(), analysis: Arc::default() })]).await;
    }

    /// Writes the end of a session that a collector has had; says whether it may.
    async fn end_in(database: &Database, collector: &str, row: &SessionRow) -> bool {
        let session = Arc::new(EndedSession { row: row.clone(), analysis: Arc::default() });
        let mut transaction = database.begin().await.unwrap();
        let written = end_held(&mut transaction, &[session], collector).await.unwrap();
        transaction.commit().await.unwrap();
        written.contains(&row.id)
    }

    #[tokio::test]
    async fn an_end_is_written_where_the_row_is_its_own_and_nowhere_else() {
        for (_guard, database) in both().await {
            let of =
                |collector: &str, row: &SessionRow| SessionRow { collector: Some(collector.to_owned()), ..row.clone() };
            let live = row(5);
            let stored = |start: i64, lines: u64| SessionRow {
                ended: true,
                start_time: UnixMillis(start),
                lines,
                dump_path: Some("2026/11/20/x.jsonl.gz".to_owned()),
                outcome: Some(Outcome::None),
                ..live.clone()
            };
            let there = async || get(&database, live.id).await.unwrap().unwrap();

            // Two began with one id, and the first to say so has it.
            assert!(begin(&database, &of("a", &live)).await);
            assert!(!begin(&database, &of("b", &SessionRow { start_time: UnixMillis(6), ..live.clone() })).await);
            assert!(!end_in(&database, "b", &stored(6, 9)).await);
            assert_eq!(there().await, of("a", &live));
            // Twice, as where its answer was lost.
            for _ in 0..2 {
                assert!(end_in(&database, "a", &stored(5, 7)).await);
            }
            assert_eq!(there().await, stored(5, 7));
            assert!(!end_in(&database, "b", &stored(6, 9)).await, "another one of its id has been stored");

            // It goes on elsewhere, and the first writes its end once more.
            assert!(reopen(&database, &there().await, "b", UnixMillis(5)).await.unwrap());
            assert!(!end_in(&database, "a", &stored(5, 7)).await);
            assert_eq!(there().await.collector.as_deref(), Some("b"));
            assert!(end_in(&database, "b", &stored(5, 9)).await);
            assert!(!end_in(&database, "a", &stored(5, 7)).await);
            assert_eq!(there().await, stored(5, 9));

            // It may have begun earlier than was known.
            assert!(reopen(&database, &there().await, "b", UnixMillis(3)).await.unwrap());
            assert!(!end_in(&database, "b", &stored(5, 10)).await);
            assert!(end_in(&database, "b", &stored(3, 10)).await);
            assert!(reopen(&database, &there().await, "b", UnixMillis(5)).await.unwrap());
            assert!(end_in(&database, "b", &stored(5, 10)).await);

            // What was lost and what a power cut left, are there to be taken; so is what is not there.
            assert!(reopen(&database, &there().await, "b", UnixMillis(5)).await.unwrap());
            end_lost(&database, live.id, "b").await.unwrap();
            assert!(end_in(&database, "c", &stored(5, 10)).await);
            remove(&database, live.id).await.unwrap();
            begin(&database, &of("a", &live)).await;
            assert!(!end_in(&database, "b", &stored(6, 1)).await);
            assert!(end_in(&database, "a", &stored(6, 1)).await);
            remove(&database, live.id).await.unwrap();
            assert!(end_in(&database, "a", &stored(5, 1)).await);
        }
    }

    #[tokio::test]
    async fn the_end_of_a_session_replaces_what_another_of_its_id_left() {
        for (_guard, database) in both().await {
            let left = row(5);
            begin(&database, &left).await;
            let ended = SessionRow {
                ended: true,
                start_time: UnixMillis(8),
                dialect: "rtcstats".to_owned(),
                user_agent: Some("other".to_owned()),
                origin: None,
                url: "/other".to_owned(),
                user: Some("bob".to_owned()),
                conference: Some("standup".to_owned()),
                location: Location::default(),
                outcome: Some(Outcome::None),
                ..left
            };
            end_one(&database, &ended).await;
            assert_eq!(get(&database, ended.id).await.unwrap(), Some(ended));
        }
    }

    #[tokio::test]
    async fn what_is_read_again_and_again_is_read_behind_a_migration_that_adds_columns() {
        for (_guard, database) in both().await {
            let ended = row(5);
            end_one(&database, &ended).await;
            let look = async || {
                for _ in 0..20 {
                    assert!(get(&database, ended.id).await.unwrap().is_some());
                    assert_eq!(of_user(&database, "ann", None, 10).await.unwrap().len(), 1);
                    assert_eq!(list(&database, &Filter::default(), 10, None).await.unwrap().rows.len(), 1);
                    features::read(&database, ended.id).await.unwrap();
                    for table in features::FeatureTable::ALL {
                        let part = Part { rows: 10, bytes: 1000 };
                        features::rows_of(&database, table, &[ended.id], None, part).await.unwrap();
                    }
                    let mut transaction = database.begin().await.unwrap();
                    assert!(get_by(&mut transaction, ended.id).await.unwrap().is_some());
                    transaction.commit().await.unwrap();
                }
            };
            look().await;
            for table in ["sessions", "features_client", "features_connection", "features_track", "findings"] {
                let add = format!("ALTER TABLE {table} ADD COLUMN later text");
                database.write(add, &[]).await.unwrap();
            }
            look().await;
        }
    }

    #[tokio::test]
    async fn a_session_is_listed_while_it_runs_and_complete_when_it_ended() {
        for (_guard, database) in both().await {
            let live = row(5);
            begin(&database, &live).await;
            assert_eq!(list(&database, &Filter::default(), 10, None).await.unwrap().rows, std::slice::from_ref(&live));
            assert_eq!(live_in(&database, "", None, 10).await.unwrap().len(), 1);

            let browser = Browser { name: "Chrome".to_owned(), version: "156".to_owned(), os: "Linux".to_owned() };
            let ended = SessionRow {
                ended: true,
                end_time: Some(UnixMillis(9)),
                duration: Some(4),
                browser: Some(browser),
                connections: 2,
                lines: 7,
                dump_path: Some("2026/11/20/x.jsonl.gz".to_owned()),
                dump_bytes: Some(100),
                close_code: Some(1000),
                outcome: Some(Outcome::None),
                ..live.clone()
            };
            for _ in 0..2 {
                end_one(&database, &ended).await;
            }
            begin(&database, &live).await;
            assert_eq!(get(&database, live.id).await.unwrap(), Some(ended));
            assert_eq!(live_in(&database, "", None, 10).await.unwrap(), []);
        }
    }
}
