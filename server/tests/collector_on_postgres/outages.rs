//! The server goes away and comes back: recordings go on, and everything follows.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::ends::{assert_both, send_whole};
use crate::postgres::{Server, TestDatabase};
use crate::stores::assert_stats;
use crate::support::*;

const FAILURES: &str = "rtctrace_store_failures_total{store=\"database\"}";

async fn fails(collector: &Collector) {
    until("the failure is counted", async || (collector.metric(FAILURES).await >= 1.0).then_some(())).await;
}

async fn database_is(collector: &Collector, state: &str) {
    let what = format!("the database is {state}");
    until(&what, async || (collector.get("/readyz").await.json()["stores"]["database"] == state).then_some(())).await;
}

/// A session of which the collector has the first half: its name, its socket, and both halves.
async fn half_recorded<'l>(collector: &Collector, lines: &'l [String]) -> (String, Socket, &'l [String], &'l [String]) {
    let (before, after) = lines.split_at(lines.len() / 2);
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(before.join("\n")).await;
    socket.acknowledged(before.len()).await;
    (session, socket, before, after)
}

/// Stops the server in mid-session; with room for the rows that wait, or without.
async fn stop_in_mid_session(queue: &str, behind: f64) {
    let mut server = Server::start();
    let database = server.database().await;
    let collector = Collector::start_on(database, &[("RTCTRACE_STATS_QUEUE_BYTES", queue)]);
    let lines = whole_recording();
    let (session, mut socket, _, after) = half_recorded(&collector, &lines).await;
    until("it is listed", async || collector.sessions().await.pop()).await;

    server.stop();
    for line in after {
        socket.send(line).await;
    }
    socket.acknowledged(lines.len()).await;
    fails(&collector).await;
    until("its rows have found room, or none", async || {
        (collector.metric("rtctrace_stats_behind_total").await == behind).then_some(())
    })
    .await;
    assert_eq!(collector.get("/readyz").await.status, 200);
    database_is(&collector, "down").await;
    assert!(collector.spool(&session).exists());

    server.start_again();
    assert_eq!(collector.dump(&session).await.1, lines);
    assert_stats(&collector, &lines).await;
    database_is(&collector, "ok").await;
    assert_eq!(collector.session(&session).await["features"]["connections"].as_array().unwrap().len(), 2);
    until("nothing is left to do", async || (!collector.spool(&session).exists()).then_some(())).await;
}

#[tokio::test]
async fn a_server_that_stops_in_mid_session_costs_nothing() {
    stop_in_mid_session("64MiB", 0.0).await;
}

#[tokio::test]
async fn nor_where_its_rows_have_no_room() {
    stop_in_mid_session("16KiB", 1.0).await;
}

#[tokio::test]
async fn a_start_without_the_server_is_an_outage_like_others() {
    let mut server = Server::start();
    let database = server.database().await;
    server.stop();
    let collector = Collector::start_on(database, &[]);
    let ready = collector.get("/readyz").await;
    assert_eq!((ready.status, &ready.json()["stores"]["database"]), (200, &"down".into()));
    let lines = whole_recording();
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines.join("\n")).await;
    socket.acknowledged(lines.len()).await;
    server.start_again();
    assert_eq!(collector.dump(&session).await.1, lines);
    assert_stats(&collector, &lines).await;
    database_is(&collector, "ok").await;
}

#[tokio::test]
async fn two_collectors_that_begin_one_session_without_the_server_store_both() {
    let mut server = Server::start();
    let database = server.database().await;
    let dumps = tempfile::tempdir().unwrap();
    let (storage, url) = (format!("file://{}", dumps.path().display()), database.url.clone());
    let storage = ("RTCTRACE_STORAGE_URL", storage.as_str());
    let first = Collector::start_on(database, &[storage]);
    let second = Collector::start(&[storage, (DATABASE_URL, url.as_str())]);
    server.stop();
    let session = new_session();
    let (long, mut short) = (whole_recording(), lines(3));
    short.push("[36,null,null,1]".to_owned());
    let _one = send_whole(&first, &session, &long).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let _two = send_whole(&second, &session, &short).await;
    server.start_again();
    assert_both([&first, &second], &session, [long, short]).await;
}

#[tokio::test]
async fn a_collector_that_is_killed_while_the_server_is_away_writes_all_when_both_are_back() {
    let mut server = Server::start();
    let database = server.database().await;
    let mut collector = Collector::start_on(database, &[]);
    let lines = whole_recording();
    let (session, _socket, before, after) = half_recorded(&collector, &lines).await;
    until("rows are there", async || (!collector.query("SELECT 1 FROM stats_codec").await.is_empty()).then_some(()))
        .await;
    server.stop();
    collector.crash();
    collector.restart();
    server.start_again();
    let (mut socket, received) = collector.v1(&session, before.len()).await;
    assert_eq!(received as usize, before.len());
    socket.send(after.join("\n")).await;
    socket.acknowledged(lines.len()).await;
    assert_eq!(collector.dump(&session).await.1, lines);
    assert_stats(&collector, &lines).await;
}

#[tokio::test]
async fn a_database_that_is_not_there_is_no_outage() {
    let server = Server::start();
    let database = server.database().await;
    let dir = tempfile::tempdir().unwrap();
    let url = format!("{}_", database.url).replace("postgres://postgres@", "postgres://postgres:h1dden@");
    let settings = [("RTCTRACE_DATABASE_URL", url.as_str())];
    let (success, output, errors) = run(dir.path(), &["serve", "--listen", "127.0.0.1:0", "--verbose"], &settings);
    assert!(!success && errors.contains("does not exist"), "{errors}");
    assert!(!output.contains("h1dden") && !errors.contains("h1dden"), "{errors}");
}

#[tokio::test]
async fn a_table_that_is_away_keeps_only_sessions_that_have_rows_of_it() {
    let collector = Collector::start(&[]);
    let mut database = PgConnection::connect(&collector.database_url()).await.unwrap();
    let mut order = async |sql: &'static str| sqlx::raw_sql(sql).execute(&mut database).await.map(|_| ()).unwrap();
    let other = new_session();
    let (mut other_socket, _) = collector.v1(&other, 0).await;
    other_socket.send(crate::support::lines(3).join("\n")).await;
    other_socket.acknowledged(3).await;
    order("ALTER TABLE stats_codec RENAME TO elsewhere").await;
    let lines = whole_recording();
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines.join("\n")).await;
    socket.acknowledged(lines.len()).await;
    fails(&collector).await;
    // Of one that has no reports, everything is written.
    other_socket.send("[36,null,null,110]").await;
    collector.stored(&other).await;
    let later = new_session();
    let (mut later_socket, _) = collector.v1(&later, 0).await;
    later_socket.send(crate::support::lines(3).join("\n")).await;
    later_socket.acknowledged(3).await;
    later_socket.send("[36,null,null,110]").await;
    collector.stored(&later).await;
    assert!(collector.spool(&session).exists() && !collector.session(&session).await["dumpBytes"].is_u64());
    order("ALTER TABLE elsewhere RENAME TO stats_codec").await;
    collector.stored(&session).await;
    assert_stats(&collector, &lines).await;
    assert_eq!(collector.metric("rtctrace_stats_rows_lost_total").await, 0.0);
    database_is(&collector, "ok").await;
}

#[tokio::test]
async fn a_session_that_somebody_else_works_on_is_no_failure_of_the_database() {
    let collector = Collector::start(&[]);
    let (lines, session) = (lines(3), new_session());
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines.join("\n")).await;
    socket.acknowledged(lines.len()).await;
    let (high, low) = uuid::Uuid::parse_str(&session).unwrap().as_u64_pair();
    let mut other = PgConnection::connect(&collector.database_url()).await.unwrap();
    sqlx::query("SELECT pg_advisory_lock($1)").bind((high ^ low).cast_signed()).execute(&mut other).await.unwrap();
    socket.send("[36,null,null,110]").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(collector.spool(&session).exists());
    database_is(&collector, "ok").await;
    other.close().await.unwrap();
    collector.stored(&session).await;
    assert_eq!(collector.metric(FAILURES).await, 0.0);
}

/// A network between a collector and its server. It can stop to carry anything, without a word to either.
struct Network {
    frozen: watch::Sender<bool>,
    address: SocketAddr,
}

impl Network {
    async fn to(server: SocketAddr) -> Self {
        let (frozen, is_frozen) = watch::channel(false);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let (near_read, near_write) = near.into_split();
                let (far_read, far_write) = TcpStream::connect(server).await.unwrap().into_split();
                tokio::spawn(carry(near_read, far_write, is_frozen.clone()));
                tokio::spawn(carry(far_read, near_write, is_frozen.clone()));
            }
        });
        Self { frozen, address }
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut is_frozen: watch::Receiver<bool>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if is_frozen.wait_for(|frozen| !frozen).await.is_err() || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_says_nothing_keeps_nobody_for_long() {
    let mut database = TestDatabase::new().await;
    let mut url = url::Url::parse(&database.url).unwrap();
    let server = url.socket_addrs(|| Some(5432)).unwrap()[0];
    let network = Network::to(server).await;
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(network.address.port())).unwrap();
    let direct = std::mem::replace(&mut database.url, url.into());
    let mut collector = Collector::start_on(database, &[]);
    collector.server.as_mut().unwrap().url = direct;
    let lines = whole_recording();
    let (session, mut socket, _, after) = half_recorded(&collector, &lines).await;
    until("it is listed", async || collector.sessions().await.pop()).await;

    network.frozen.send_replace(true);
    let started = Instant::now();
    socket.send(after.join("\n")).await;
    socket.acknowledged(lines.len()).await;
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
    collector.get("/api/v1/sessions").await.problem(500, "internal");
    let (mut other, _) = collector.v1(&new_session(), 0).await;
    other.send(&lines[0]).await;
    other.acknowledged(1).await;
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());

    network.frozen.send_replace(false);
    assert_eq!(collector.dump(&session).await.1, lines);
    assert_stats(&collector, &lines).await;
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_a_problem_and_ends_at_the_server() {
    let collector = Collector::start(&[("RTCTRACE_LIMITS_QUERY_TIME", "1s")]);
    let paths = ["/api/v1/sessions", "/api/v1/export/features/client", "/api/v1/export/features/track?format=parquet"];
    let mut other = PgConnection::connect(&collector.server.as_ref().unwrap().url).await.unwrap();
    other.execute("BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE").await.unwrap();
    for path in paths {
        let asked = Instant::now();
        let detail = collector.get(path).await.problem(504, "slow-query");
        assert!(detail.contains("limits.query_time"), "{detail}");
        assert!((900..4000).contains(&asked.elapsed().as_millis()), "{:?}", asked.elapsed());
    }
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    assert_eq!(sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut other).await.unwrap(), 0);
    other.execute("ROLLBACK").await.unwrap();
    for path in paths {
        assert_eq!(collector.get(path).await.status, 200, "{path}");
    }
}
