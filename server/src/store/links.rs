//! The table `sora_connections`: which sessions are about a connection of the SFU Sora. Sora's own session is, and so is that of a page
//! whose application said so; by it, each is found from the other.

use std::sync::LazyLock;

use super::database::{Database, Insert, Transaction, Value};
use super::sessions::SessionRow;
use crate::session::SessionId;

const TABLE: &str = "sora_connections";

/// So many sessions are told of a connection.
const MOST: usize = 100;

/// Writes what sessions say, in place of what is there.
pub(super) async fn write(transaction: &mut Transaction, rows: &[&SessionRow]) -> sqlx::Result<()> {
    static INSERT: LazyLock<Insert> =
        LazyLock::new(|| Insert::new(TABLE, &["connection_id", "session_id"], "ON CONFLICT DO NOTHING"));
    let ids: Vec<SessionId> = rows.iter().map(|row| row.id).collect();
    remove(transaction, &ids).await?;
    let links = rows.iter().flat_map(|row| row.sora_connections.iter().map(|connection| (connection, row.id)));
    let values: Vec<Vec<Value<'_>>> =
        links.map(|(connection, id)| vec![Value::Text(Some(connection)), Value::Id(id)]).collect();
    transaction.insert(&INSERT, &values).await
}

/// Removes what sessions said.
pub(super) async fn remove(transaction: &mut Transaction, sessions: &[SessionId]) -> sqlx::Result<()> {
    transaction.delete(TABLE, "session_id", sessions).await
}

/// The connections of a session, as far as the database knows.
pub(crate) async fn connections(database: &Database, session: SessionId) -> sqlx::Result<Vec<String>> {
    let sql = "SELECT connection_id FROM sora_connections WHERE session_id = $1 ORDER BY connection_id";
    let rows = database.read(sql, &[Value::Id(session)]).await?;
    rows.iter().map(|row| Ok(row.text("connection_id")?.unwrap_or_default())).collect()
}

/// The sessions of a connection, whichever collector has them.
pub(crate) async fn sessions(database: &Database, connection: &str) -> sqlx::Result<Vec<SessionId>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!("SELECT session_id FROM {TABLE} WHERE connection_id = $1 ORDER BY session_id LIMIT {MOST}")
    });
    let rows = database.read(SQL.as_str(), &[Value::Text(Some(connection))]).await?;
    rows.iter().map(|row| row.id("session_id")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::database::tests::both;
    use super::super::sessions::tests::{begin, end_one, row};
    use super::super::sessions::{self as stored};
    use super::*;

    #[tokio::test]
    async fn sessions_of_a_connection_are_found_until_they_are_removed() {
        for (_guard, database) in both().await {
            let of = |start: i64, connections: &[&str]| SessionRow {
                ended: true,
                sora_connections: connections.iter().copied().map(Box::from).collect(),
                ..row(start)
            };
            let (page, sora, other) = (of(1, &["A", "B"]), of(2, &["A"]), of(3, &[]));
            begin(&database, &page).await;
            for session in [&page, &sora, &other, &page] {
                end_one(&database, session).await;
            }
            let found = async |connection: &str| {
                let mut found = sessions(&database, connection).await.unwrap();
                found.sort_by_key(|id| *id != page.id);
                found
            };
            assert_eq!(connections(&database, page.id).await.unwrap(), ["A", "B"]);
            assert_eq!(connections(&database, other.id).await.unwrap(), [""; 0]);
            assert_eq!(found("A").await, [page.id, sora.id]);
            assert_eq!(found("B").await, [page.id]);
            assert_eq!(found("C").await, []);
            end_one(&database, &SessionRow { sora_connections: [Box::from("C")].into(), ..page.clone() }).await;
            assert_eq!((found("A").await, found("B").await), (vec![sora.id], vec![]));
            assert_eq!(found("C").await, [page.id]);
            stored::remove(&database, page.id).await.unwrap();
            assert_eq!(found("C").await, []);
        }
    }
}
