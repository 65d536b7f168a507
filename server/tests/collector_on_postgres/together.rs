//! Several collectors share a database.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::support::*;

async fn half_sent(collector: &Collector) -> (String, Socket) {
    let lines = whole_recording();
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines[..20].join("\n")).await;
    socket.acknowledged(20).await;
    (session, socket)
}

async fn is_listed(collector: &Collector, session: &str, state: &str) {
    let sql = format!("SELECT 1 FROM sessions WHERE id = '{session}' AND state = '{state}'");
    until(&format!("the session is {state}"), async || (!collector.query(&sql).await.is_empty()).then_some(())).await;
}

#[tokio::test]
async fn a_start_leaves_the_sessions_of_others_alone_until_those_are_gone() {
    let mut first = Collector::start(&[]);
    let (session, _socket) = half_sent(&first).await;
    is_listed(&first, &session, "live").await;

    let signed = "SELECT 1 FROM collectors";
    let mut second = Collector::start(&[(DATABASE_URL, &first.database_url())]);
    until("both gave a sign", async || (first.query(signed).await.len() == 2).then_some(())).await;
    is_listed(&first, &session, "live").await;
    let (own, _own_socket) = half_sent(&second).await;
    is_listed(&first, &own, "live").await;

    // Of the second, nothing is left but its rows; that it was there a moment ago counts.
    second.crash();
    second.dir = tempfile::tempdir().unwrap();
    second.restart();
    until("it has a new name", async || (first.query(signed).await.len() == 3).then_some(())).await;
    is_listed(&first, &own, "live").await;

    // An hour later, by the clock of all but the first.
    let name = std::fs::read_to_string(first.dir.path().join("collector-id")).unwrap();
    let mut database = PgConnection::connect(&first.database_url()).await.unwrap();
    let hour = format!("UPDATE collectors SET seen = seen - interval '1 hour' WHERE id <> '{name}'");
    sqlx::raw_sql(AssertSqlSafe(hour)).execute(&mut database).await.unwrap();
    second.stop();
    second.restart();
    is_listed(&first, &own, "ended").await;
    is_listed(&first, &session, "live").await;
    until("who is gone is forgotten", async || (first.query(signed).await.len() == 2).then_some(())).await;

    // The same collector over an empty spool knows that its sessions are lost.
    first.crash();
    std::fs::remove_dir_all(first.dir.path().join("spool")).unwrap();
    first.restart();
    is_listed(&first, &session, "ended").await;
}
