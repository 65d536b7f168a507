//! The end of a session that another collector has begun, too.

use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;

use crate::support::*;

/// Somebody keeps all others from writing sessions. They may read.
enum Held {
    File(SqliteConnection),
    Table(PgConnection),
}

impl Held {
    async fn of(collector: &Collector) -> Self {
        let Some(server) = &collector.server else {
            let mut file = collector.database().await;
            sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut file).await.unwrap();
            return Self::File(file);
        };
        let mut table = PgConnection::connect(&server.url).await.unwrap();
        sqlx::raw_sql("BEGIN; LOCK TABLE sessions IN EXCLUSIVE MODE").execute(&mut table).await.unwrap();
        Self::Table(table)
    }

    async fn execute(&mut self, sql: String) {
        match self {
            Self::File(file) => sqlx::raw_sql(&sql).execute(file).await.map(|_| ()).unwrap(),
            Self::Table(table) => sqlx::raw_sql(&sql).execute(table).await.map(|_| ()).unwrap(),
        }
    }

    async fn release(mut self) {
        self.execute("COMMIT".to_owned()).await;
    }
}

/// Two collectors over one database and one object storage.
pub(crate) fn two(settings: &[(&str, &str)]) -> (Collector, Collector, tempfile::TempDir) {
    let dumps = tempfile::tempdir().unwrap();
    let storage = format!("file://{}", dumps.path().display());
    let storage = [("RTCTRACE_STORAGE_URL", storage.as_str())];
    let first = Collector::start(&[settings, &storage].concat());
    let database = match &first.server {
        Some(server) => server.url.clone(),
        None => format!("sqlite://{}/rtctrace.db", first.dir.path().display()),
    };
    let second = Collector::start(&[settings, &storage, &[(DATABASE_URL, database.as_str())]].concat());
    (first, second, dumps)
}

/// Sends a session from its beginning to its end.
pub(crate) async fn send_whole(collector: &Collector, session: &str, lines: &[String]) -> Socket {
    let (mut socket, received) = collector.v1(session, 0).await;
    assert_eq!(received, 0);
    socket.send(lines.join("\n")).await;
    socket.acknowledged(lines.len()).await;
    socket
}

/// Waits until neither has anything of a session left to store, and looks for both texts: under its id and beside it.
pub(crate) async fn assert_both(collectors: [&Collector; 2], session: &str, mut texts: [Vec<String>; 2]) {
    until("both are stored", async || {
        collectors.iter().all(|collector| !collector.spool(session).exists()).then_some(())
    })
    .await;
    let first = collectors[0];
    let sessions = first.sessions().await;
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    let mut found = Vec::new();
    for stored in &sessions {
        let id = stored["id"].as_str().unwrap();
        let lines = first.dump(id).await.1;
        assert_eq!(stored["lines"], lines.len());
        let rows = first.query(&format!("SELECT 1 FROM stats_codec WHERE session_id = '{id}'")).await;
        assert_eq!(rows.is_empty(), lines.len() < 10, "{id}");
        found.push(lines);
    }
    assert!(sessions.iter().any(|stored| stored["id"] == session));
    found.sort();
    texts.sort();
    assert!(found == texts, "both are whole");
}

#[tokio::test]
async fn two_collectors_that_have_begun_one_session_store_both() {
    for is_short_first in [false, true] {
        let (first, second, _dumps) = two(&[]);
        let held = Held::of(&first).await;
        let session = new_session();
        let (long, mut short) = (whole_recording(), lines(3));
        short.push("[36,null,null,1]".to_owned());
        let order = if is_short_first { [&short, &long] } else { [&long, &short] };
        let _one = send_whole(&first, &session, order[0]).await;
        // A session is told from another of its id by when it began.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let _two = send_whole(&second, &session, order[1]).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        held.release().await;
        assert_both([&first, &second], &session, [long, short]).await;
    }
}

/// Where the dump of a session lies in the collector's folder.
fn dump_path(collector: &Collector, session: &str) -> Option<String> {
    let (dumps, mut path) = (collector.dir.path().join("dumps"), collector.dir.path().join("dumps"));
    while path.is_dir() {
        let entries = std::fs::read_dir(&path).ok()?;
        path = entries
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.is_dir() || path.ends_with(format!("{session}.jsonl.gz")))?;
    }
    Some(path.strip_prefix(dumps).unwrap().to_str().unwrap().to_owned())
}

/// A session whose dump is stored and whose row becomes what `change` makes of it before its end is written.
async fn overtaken(collector: &Collector, change: impl FnOnce(&str) -> String) -> (String, Vec<String>) {
    let (session, mut lines) = (new_session(), lines(3));
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines.join("\n")).await;
    until("it is listed", async || collector.query("SELECT 1 FROM sessions").await.pop()).await;
    let mut held = Held::of(collector).await;
    lines.push("[36,null,null,1]".to_owned());
    socket.send(lines[3].clone()).await;
    socket.acknowledged(4).await;
    let path = until("its dump is stored", async || dump_path(collector, &session)).await;
    held.execute(format!("UPDATE sessions SET {} WHERE id = '{session}'", change(&path))).await;
    held.release().await;
    until("nothing is left to do", async || (!collector.spool(&session).exists()).then_some(())).await;
    (session, lines)
}

#[tokio::test]
async fn an_end_that_was_overtaken_by_a_reopening_elsewhere_leaves_its_row_alone() {
    let collector = Collector::start(&[]);
    let reopened = |path: &str| format!("collector = 'elsewhere', lines = 9, dump_path = '{path}'");
    let (session, _) = overtaken(&collector, reopened).await;
    let rows = collector.query("SELECT collector, state, lines FROM sessions").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0]["collector"], &rows[0]["state"], &rows[0]["lines"]),
        (&"elsewhere".into(), &"live".into(), &9.into())
    );
    assert!(dump_path(&collector, &session).is_some());
}

#[tokio::test]
async fn a_session_whose_row_became_anothers_before_its_end_was_written_is_stored_beside() {
    let collector = Collector::start(&[]);
    let earlier = if crate::ON_POSTGRES { "start_time - interval '1 day'" } else { "start_time - 86400000" };
    let (session, lines) = overtaken(&collector, |_| format!("collector = 'elsewhere', start_time = {earlier}")).await;
    let sessions = collector.sessions().await;
    assert_eq!(sessions.len(), 2);
    let beside = sessions.iter().find(|found| found["id"] != session.as_str()).unwrap();
    assert_eq!(collector.dump(beside["id"].as_str().unwrap()).await.1, lines);
    assert_eq!(
        collector.query("SELECT 1 FROM sessions WHERE collector = 'elsewhere' AND state = 'live'").await.len(),
        1
    );
}
