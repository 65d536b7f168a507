//! The table `sessions`: a row from a session's first line on, completed at its end.

use std::str::FromStr;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::database::Database;
use super::features;
use super::stats::TABLES;
use crate::geo::Location;
use crate::session::{Browser, SessionId, UnixMillis};
use rtctrace_features::SessionFeatures;

/// Where all sessions of this build come from.
const SOURCE: &str = "browser";

/// A session as the database has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SessionRow {
    /// Its id.
    pub(crate) id: SessionId,
    /// Where it came from: `browser`.
    pub(crate) source: String,
    /// What its client spoke.
    pub(crate) dialect: String,
    /// Whether it is over and stored.
    pub(crate) ended: bool,
    /// When it began, by the collector's clock.
    pub(crate) start_time: UnixMillis,
    /// When it ended, by the collector's clock.
    pub(crate) end_time: Option<UnixMillis>,
    /// Milliseconds from the first event to the last.
    pub(crate) duration: Option<i64>,
    /// The `User-Agent` header.
    pub(crate) user_agent: Option<String>,
    /// The browser, as far as it told.
    pub(crate) browser: Option<Browser>,
    /// The page's origin.
    pub(crate) origin: Option<String>,
    /// The path that the client asked for.
    pub(crate) url: String,
    /// How many connections it has.
    pub(crate) connections: u64,
    /// How many lines it has.
    pub(crate) lines: u64,
    /// Where its dump lies in object storage.
    pub(crate) dump_path: Option<String>,
    /// How large its dump is.
    pub(crate) dump_bytes: Option<u64>,
    /// The close code of its last socket.
    pub(crate) close_code: Option<u16>,
    /// Whose session it is.
    pub(crate) user: Option<String>,
    /// Which conference it belongs to.
    pub(crate) conference: Option<String>,
    /// Where its client is.
    pub(crate) location: Location,
}

impl SessionRow {
    /// A session that has just begun.
    pub(crate) fn live(id: SessionId, origin: &crate::session::Origin) -> Self {
        Self {
            id,
            source: SOURCE.to_owned(),
            dialect: origin.dialect.name().to_owned(),
            ended: false,
            start_time: origin.start_time,
            end_time: None,
            duration: None,
            user_agent: origin.user_agent.clone(),
            browser: None,
            origin: origin.origin.clone(),
            url: origin.url.clone(),
            connections: 0,
            lines: 0,
            dump_path: None,
            dump_bytes: None,
            close_code: None,
            user: origin.user.clone(),
            conference: origin.conference.clone(),
            location: origin.location.clone(),
        }
    }

    fn read(row: &SqliteRow) -> sqlx::Result<Self> {
        let count =
            |name| row.try_get::<Option<i64>, _>(name).map(|value| value.and_then(|value| u64::try_from(value).ok()));
        let browser_name: Option<String> = row.try_get("browser_name")?;
        let text = |name| row.try_get::<Option<String>, _>(name).map(Option::unwrap_or_default);
        let browser = match browser_name {
            Some(name) => Some(Browser { name, version: text("browser_version")?, os: text("browser_os")? }),
            None => None,
        };
        Ok(Self {
            id: id_of(row)?,
            source: row.try_get("source")?,
            dialect: row.try_get("dialect")?,
            ended: row.try_get::<String, _>("state")? == "ended",
            start_time: UnixMillis(row.try_get("start_time")?),
            end_time: row.try_get::<Option<i64>, _>("end_time")?.map(UnixMillis),
            duration: row.try_get("duration")?,
            user_agent: row.try_get("user_agent")?,
            browser,
            origin: row.try_get("origin")?,
            url: row.try_get("url")?,
            connections: count("connections")?.unwrap_or_default(),
            lines: count("lines")?.unwrap_or_default(),
            dump_path: row.try_get("dump_path")?,
            dump_bytes: count("dump_bytes")?,
            close_code: count("close_code")?.and_then(|code| u16::try_from(code).ok()),
            user: row.try_get("user")?,
            conference: row.try_get("conference")?,
            location: Location { country: row.try_get("country")?, city: row.try_get("city")? },
        })
    }
}

/// Where a page of the list ends: the next one holds what comes behind this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListCursor {
    /// Its start.
    pub(crate) start_time: UnixMillis,
    /// Its id, which orders sessions of one millisecond.
    pub(crate) id: SessionId,
}

impl std::fmt::Display for ListCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.start_time.0, self.id)
    }
}

impl FromStr for ListCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (start_time, id) = text.split_once('.').ok_or(())?;
        Ok(Self { start_time: UnixMillis(start_time.parse().map_err(|_| ())?), id: id.parse().map_err(|_| ())? })
    }
}

/// Inserts a session that has begun; one that is known already stays as it is.
pub(crate) async fn insert_live(connection: &mut SqliteConnection, row: &SessionRow) -> sqlx::Result<()> {
    write(connection, row, "ON CONFLICT (id) DO NOTHING").await
}

/// Writes a session that is over, and its features, in one transaction.
pub(crate) async fn store_ended(database: &Database, row: &SessionRow, features: &SessionFeatures) -> sqlx::Result<()> {
    let mut transaction = database.writer.begin().await?;
    write_ended(&mut transaction, row, features).await?;
    transaction.commit().await
}

/// The same as a part of a transaction.
pub(crate) async fn write_ended(
    connection: &mut SqliteConnection,
    row: &SessionRow,
    features: &SessionFeatures,
) -> sqlx::Result<()> {
    // What a session says at its beginning, too: a power cut may leave the row of another one of this id that has nothing else left.
    let update = "ON CONFLICT (id) DO UPDATE SET source = excluded.source, dialect = excluded.dialect, \
         state = excluded.state, start_time = excluded.start_time, end_time = excluded.end_time, \
         user_agent = excluded.user_agent, origin = excluded.origin, url = excluded.url, \"user\" = excluded.\"user\", \
         conference = excluded.conference, country = excluded.country, city = excluded.city, \
         duration = excluded.duration, browser_name = excluded.browser_name, browser_version = excluded.browser_version, \
         browser_os = excluded.browser_os, connections = excluded.connections, lines = excluded.lines, \
         dump_path = excluded.dump_path, dump_bytes = excluded.dump_bytes, close_code = excluded.close_code";
    write(connection, row, update).await?;
    features::write(connection, row.id, features).await
}

async fn write(connection: &mut SqliteConnection, row: &SessionRow, on_conflict: &'static str) -> sqlx::Result<()> {
    let sql = format!(
        "INSERT INTO sessions (id, source, dialect, state, start_time, end_time, duration, user_agent, browser_name, \
         browser_version, browser_os, origin, url, connections, lines, dump_path, dump_bytes, close_code, \"user\", \
         conference, country, city) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) {on_conflict}"
    );
    let browser = row.browser.as_ref();
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(row.id.to_string())
        .bind(&row.source)
        .bind(&row.dialect)
        .bind(if row.ended { "ended" } else { "live" })
        .bind(row.start_time.0)
        .bind(row.end_time.map(|time| time.0))
        .bind(row.duration)
        .bind(&row.user_agent)
        .bind(browser.map(|browser| &browser.name))
        .bind(browser.map(|browser| &browser.version))
        .bind(browser.map(|browser| &browser.os))
        .bind(&row.origin)
        .bind(&row.url)
        .bind(signed(row.connections))
        .bind(signed(row.lines))
        .bind(&row.dump_path)
        .bind(row.dump_bytes.map(signed))
        .bind(row.close_code.map(i64::from))
        .bind(&row.user)
        .bind(&row.conference)
        .bind(&row.location.country)
        .bind(&row.location.city)
        .execute(connection)
        .await?;
    Ok(())
}

/// A page of sessions, newest first, behind `cursor`.
pub(crate) async fn list(database: &Database, limit: u32, cursor: Option<ListCursor>) -> sqlx::Result<Vec<SessionRow>> {
    let start_time = cursor.map_or(i64::MAX, |cursor| cursor.start_time.0);
    let id = cursor.map(|cursor| cursor.id.to_string()).unwrap_or_default();
    let rows =
        sqlx::query("SELECT * FROM sessions WHERE (start_time, id) < (?, ?) ORDER BY start_time DESC, id DESC LIMIT ?")
            .bind(start_time)
            .bind(id)
            .bind(limit)
            .fetch_all(&database.readers)
            .await?;
    rows.iter().map(SessionRow::read).collect()
}

/// Sessions of a user, by id, behind `after`.
pub(crate) async fn of_user(
    database: &Database,
    user: &str,
    after: Option<SessionId>,
    limit: u32,
) -> sqlx::Result<Vec<SessionRow>> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let sql = "SELECT * FROM sessions WHERE \"user\" = ? AND id > ? ORDER BY id LIMIT ?";
    let rows = sqlx::query(sql).bind(user).bind(after).bind(limit).fetch_all(&database.readers).await?;
    rows.iter().map(SessionRow::read).collect()
}

/// Sessions that are over and began before a time, oldest first, behind `after`; of all, or of those that have a dump.
pub(crate) async fn ended_before(
    database: &Database,
    time: UnixMillis,
    has_dump: bool,
    after: Option<ListCursor>,
    limit: u32,
) -> sqlx::Result<Vec<ListCursor>> {
    let sql = "SELECT id, start_time FROM sessions WHERE state = 'ended' AND start_time < ? \
         AND (start_time, id) > (?, ?) AND (dump_path IS NOT NULL OR NOT ?) ORDER BY start_time, id LIMIT ?";
    let rows = sqlx::query(sql)
        .bind(time.0)
        .bind(after.map_or(i64::MIN, |after| after.start_time.0))
        .bind(after.map(|after| after.id.to_string()).unwrap_or_default())
        .bind(has_dump)
        .bind(limit)
        .fetch_all(&database.readers)
        .await?;
    let place =
        |row: &SqliteRow| Ok(ListCursor { start_time: UnixMillis(row.try_get("start_time")?), id: id_of(row)? });
    rows.iter().map(place).collect()
}

/// The session's dump is gone.
pub(crate) async fn forget_dump(database: &Database, id: SessionId) -> sqlx::Result<()> {
    let sql = "UPDATE sessions SET dump_path = NULL, dump_bytes = NULL WHERE id = ?";
    sqlx::query(sql).bind(id.to_string()).execute(&database.writer).await.map(|_| ())
}

/// Removes all rows of a session.
pub(crate) async fn remove(database: &Database, id: SessionId) -> sqlx::Result<()> {
    let mut transaction = database.writer.begin().await?;
    let tables = TABLES.iter().map(|table| (table.name, "session_id"));
    let features = features::TABLES.iter().map(|table| (*table, "session_id"));
    for (table, key) in tables.chain(features).chain([("sessions", "id")]) {
        let sql = sqlx::AssertSqlSafe(format!("DELETE FROM {table} WHERE {key} = ?"));
        sqlx::query(sql).bind(id.to_string()).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

fn id_of(row: &SqliteRow) -> sqlx::Result<SessionId> {
    let id: String = row.try_get("id")?;
    SessionId::from_str(&id).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// One session.
pub(crate) async fn get(database: &Database, id: SessionId) -> sqlx::Result<Option<SessionRow>> {
    get_by(&mut *database.readers.acquire().await?, id).await
}

/// The same as a part of a transaction.
pub(crate) async fn get_by(connection: &mut SqliteConnection, id: SessionId) -> sqlx::Result<Option<SessionRow>> {
    let row = sqlx::query("SELECT * FROM sessions WHERE id = ?").bind(id.to_string());
    row.fetch_optional(connection).await?.as_ref().map(SessionRow::read).transpose()
}

/// Sessions that the database believes to run.
pub(crate) async fn live(database: &Database) -> sqlx::Result<Vec<SessionId>> {
    let rows = sqlx::query("SELECT id FROM sessions WHERE state = 'live'").fetch_all(&database.readers).await?;
    let id = |row: &SqliteRow| {
        let text: String = row.try_get(0)?;
        text.parse().map_err(|error: crate::session::NoSessionId| sqlx::Error::Decode(error.into()))
    };
    rows.iter().map(id).collect()
}

/// A session that was over goes on. Where its dump lies stays known until the next end.
pub(crate) async fn reopen(database: &Database, id: SessionId) -> sqlx::Result<()> {
    sqlx::query("UPDATE sessions SET state = 'live' WHERE id = ?")
        .bind(id.to_string())
        .execute(&database.writer)
        .await?;
    Ok(())
}

/// Ends a session of which nothing is left but its row.
pub(crate) async fn end_lost(database: &Database, id: SessionId) -> sqlx::Result<()> {
    sqlx::query("UPDATE sessions SET state = 'ended' WHERE id = ? AND state = 'live'")
        .bind(id.to_string())
        .execute(&database.writer)
        .await?;
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::database::tests::fresh;
    use super::*;
    use crate::session::{Dialect, Origin};

    pub(crate) fn row(start_time: i64) -> SessionRow {
        let origin = Origin {
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
            counted_by: None,
        };
        SessionRow::live(SessionId::new(), &origin)
    }

    #[tokio::test]
    async fn the_end_of_a_session_replaces_what_another_of_its_id_left() {
        let (_dir, database) = fresh().await;
        let left = row(5);
        insert_live(&mut database.writer.acquire().await.unwrap(), &left).await.unwrap();
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
            ..left
        };
        store_ended(&database, &ended, &SessionFeatures::default()).await.unwrap();
        assert_eq!(get(&database, ended.id).await.unwrap(), Some(ended));
    }

    #[tokio::test]
    async fn a_session_is_listed_while_it_runs_and_complete_when_it_ended() {
        let (_dir, database) = fresh().await;
        let live = row(5);
        insert_live(&mut database.writer.acquire().await.unwrap(), &live).await.unwrap();
        assert_eq!(list(&database, 10, None).await.unwrap(), std::slice::from_ref(&live));
        assert_eq!(super::live(&database).await.unwrap(), [live.id]);

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
            ..live.clone()
        };
        for _ in 0..2 {
            store_ended(&database, &ended, &SessionFeatures::default()).await.unwrap();
        }
        insert_live(&mut database.writer.acquire().await.unwrap(), &live).await.unwrap();
        assert_eq!(get(&database, live.id).await.unwrap(), Some(ended));
        assert_eq!(super::live(&database).await.unwrap(), []);
    }

    #[tokio::test]
    async fn pages_hold_every_session_once_newest_first() {
        let (_dir, database) = fresh().await;
        for start_time in [3, 1, 2, 2, 2, 5] {
            insert_live(&mut database.writer.acquire().await.unwrap(), &row(start_time)).await.unwrap();
        }
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = list(&database, 2, cursor).await.unwrap();
            let Some(last) = page.last() else { break };
            cursor = Some(ListCursor { start_time: last.start_time, id: last.id });
            assert_eq!(cursor.unwrap().to_string().parse(), Ok(cursor.unwrap()));
            seen.extend(page);
        }
        assert_eq!(seen.iter().map(|row| row.start_time.0).collect::<Vec<_>>(), [5, 3, 2, 2, 2, 1]);
        let ids: std::collections::HashSet<_> = seen.iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), 6);
    }
}
