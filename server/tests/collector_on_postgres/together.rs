//! Several collectors share a database and object storage.

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use crate::support::*;

const SIGNED: &str = "SELECT 1 FROM collectors";

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

async fn execute(collector: &Collector, sql: &str) {
    let mut database = PgConnection::connect(&collector.database_url()).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut database).await.unwrap();
}

fn name_of(collector: &Collector) -> String {
    std::fs::read_to_string(collector.dir.path().join("collector-id")).unwrap()
}

/// Two collectors, both of which gave a sign.
async fn two(settings: &[(&str, &str)]) -> (Collector, Collector, tempfile::TempDir) {
    let (first, second, dumps) = crate::ends::two(settings);
    until("both gave a sign", async || (first.query(SIGNED).await.len() == 2).then_some(())).await;
    (first, second, dumps)
}

#[tokio::test]
async fn a_start_ends_what_is_lost_of_its_own_and_nothing_of_others() {
    let (mut first, mut second, _dumps) = two(&[]).await;
    let (session, _socket) = half_sent(&first).await;
    let (own, _own_socket) = half_sent(&second).await;
    is_listed(&first, &session, "live").await;
    is_listed(&first, &own, "live").await;

    second.crash();
    second.restart();
    is_listed(&first, &own, "live").await;
    is_listed(&first, &session, "live").await;
    second.crash();
    std::fs::remove_dir_all(second.dir.path().join("spool")).unwrap();
    second.restart();
    is_listed(&first, &own, "ended").await;
    is_listed(&first, &session, "live").await;

    // With a new data directory it is another one, which says nothing about what the old one had.
    first.crash();
    first.dir = tempfile::tempdir().unwrap();
    first.restart();
    until("it has a new name", async || (signs(&first).await == 3).then_some(())).await;
    is_listed(&first, &session, "live").await;
}

async fn signs(collector: &Collector) -> usize {
    collector.query(SIGNED).await.len()
}

#[tokio::test]
async fn a_client_that_comes_to_another_collector_goes_on_there_when_the_first_gives_it_up() {
    let (first, second, _dumps) = two(&[("RTCTRACE_SESSION_RESUME_GRACE", "1s")]).await;
    let (session, socket) = half_sent(&first).await;
    is_listed(&first, &session, "live").await;
    let lines = whole_recording();

    let path = format!("/v1/ws?session={session}&from=20");
    let mut refused = Socket::open(&second.address, &path, V1).await.unwrap();
    assert_eq!(refused.closed().await.0, 1013, "the first holds it");
    drop(socket);
    is_listed(&first, &session, "ended").await;
    let (mut socket, received) = second.v1(&session, 20).await;
    assert_eq!(received, 20);
    is_listed(&first, &session, "live").await;
    socket.send(lines[20..].join("\n")).await;
    socket.acknowledged(lines.len()).await;
    assert_eq!(second.dump(&session).await.1, lines);
}

#[tokio::test]
async fn a_client_whose_collector_is_missing_begins_anew_and_both_parts_are_kept() {
    let (mut first, second, _dumps) = two(&[]).await;
    let (session, _socket) = half_sent(&first).await;
    is_listed(&first, &session, "live").await;
    first.crash();
    let hour = format!("UPDATE collectors SET seen = seen - interval '1 hour' WHERE id = '{}'", name_of(&first));
    execute(&first, &hour).await;

    let lines = whole_recording();
    let (mut socket, received) = second.v1(&session, 20).await;
    assert_eq!(received, 0, "what is missing is the other's");
    socket.send(lines[20..].join("\n")).await;
    socket.acknowledged(lines.len() - 20).await;
    let stored_beside = async || {
        let rows = first.query("SELECT id::text FROM sessions WHERE dump_path IS NOT NULL").await;
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).find(|id| *id != session)
    };
    let beside = until("it is stored beside the other's", stored_beside).await;
    assert_eq!(second.dump(&beside).await.1, lines[20..]);
    is_listed(&first, &session, "live").await;

    first.set("RTCTRACE_SESSION_RESUME_GRACE", "1s");
    first.restart();
    is_listed(&first, &session, "ended").await;
    assert_eq!(first.dump(&session).await.1[..20], lines[..20]);
    assert_eq!(second.dump(&beside).await.1, lines[20..]);
}
