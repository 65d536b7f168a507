//! A store fails: recordings go on, and everything follows when it is back.

use std::time::{Duration, Instant};

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::support::*;

#[tokio::test]
async fn an_outage_of_object_storage_costs_nothing() {
    let collector = Collector::start(&[]);
    let dumps = collector.dir.path().join("dumps");
    std::fs::remove_dir(&dumps).unwrap();
    std::fs::write(&dumps, "no folder").unwrap();

    let (session, lines) = (new_session(), lines(3));
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines.join("\n")).await;
    socket.send("[36,null,null,1]").await;
    socket.acknowledged(4).await;
    until("the failure is counted", async || {
        (collector.metric("rtctrace_store_failures_total{store=\"objects\"}").await >= 2.0).then_some(())
    })
    .await;
    // It is over, not stored, and readable all the same.
    let described = collector.session(&session).await;
    assert_eq!((&described["state"], &described["dumpBytes"]), (&"ended".into(), &serde_json::Value::Null));
    let spooled = collector.get(&format!("/api/v1/sessions/{session}/dump")).await;
    assert_eq!(spooled.header("content-type"), "application/x-ndjson");
    assert_eq!(split_dump(&spooled.text()).1[..3], lines);

    let other = new_session();
    let (mut socket, _) = collector.v1(&other, 0).await;
    socket.send(lines.join("\n")).await;
    socket.acknowledged(3).await;

    std::fs::remove_file(&dumps).unwrap();
    assert_eq!(collector.dump(&session).await.1[..3], lines);
    assert!(!collector.spool(&session).exists() && collector.spool(&other).exists());
}

#[tokio::test]
async fn an_outage_of_the_database_stops_no_recording_and_loses_no_row() {
    let collector = Collector::start(&[("RTCTRACE_STATS_QUEUE_BYTES", "16KiB")]);
    let lines = whole_recording();
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(&lines[0]).await;
    socket.acknowledged(1).await;

    // Another process holds the database; the collector's statements wait for it, and then fail.
    let mut database = collector.database().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut database).await.unwrap();
    for line in &lines[1..] {
        socket.send(line).await;
    }
    socket.acknowledged(lines.len()).await;
    until("the session is behind", async || {
        (collector.metric("rtctrace_stats_behind_total").await == 1.0).then_some(())
    })
    .await;
    until("the failure is counted", async || {
        (collector.metric("rtctrace_store_failures_total{store=\"database\"}").await >= 1.0).then_some(())
    })
    .await;
    assert_eq!(collector.get("/healthz").await.status, 200);
    sqlx::raw_sql("COMMIT").execute(&mut database).await.unwrap();

    assert_eq!(collector.dump(&session).await.1, lines);
    crate::stores::assert_stats(&collector, &lines).await;
}

/// Another process has a database for itself: nobody else may even read it.
async fn hold(dir: &std::path::Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(dir.join("rtctrace.db")).create_if_missing(true);
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").execute(&mut database).await.unwrap();
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_the_database_is_an_outage_like_others() {
    let dir = tempfile::tempdir().unwrap();
    let database = hold(dir.path()).await;
    let collector = Collector::start_in(dir, &[]);
    let ready = collector.get("/readyz").await;
    assert_eq!((ready.status, &ready.json()["stores"]["database"]), (200, &"down".into()));
    let (session, lines) = (new_session(), lines(3));
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(format!("{}\n[36,null,null,1]", lines.join("\n"))).await;
    socket.acknowledged(4).await;
    assert!(collector.metric("rtctrace_store_failures_total{store=\"database\"}").await >= 1.0);

    database.close().await.unwrap();
    until("the database is there", async || (collector.get("/api/v1/sessions").await.status == 200).then_some(()))
        .await;
    assert_eq!(collector.dump(&session).await.1[..3], lines);
    until("all is well", async || (collector.get("/readyz").await.json()["stores"]["database"] == "ok").then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_sessions_begin_without_the_database_as_fast_as_one() {
    let dir = tempfile::tempdir().unwrap();
    let database = hold(dir.path()).await;
    let collector = Collector::start_in(dir, &[]);
    let (started, mut sockets) = (Instant::now(), Vec::new());
    for _ in 0..50 {
        let session = new_session();
        let (mut socket, _) = collector.v1(&session, 0).await;
        socket.send(format!("{}\n[36,null,null,1]", lines(1)[0])).await;
        socket.acknowledged(2).await;
        sockets.push((session, socket));
    }
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    database.close().await.unwrap();
    for (session, _) in &sockets {
        until("it is stored", async || (!collector.spool(session).exists()).then_some(())).await;
    }
    assert_eq!(collector.sessions().await.len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_after_a_start_without_the_database() {
    let mut collector = Collector::start(&[]);
    let (session, lines) = (new_session(), lines(5));
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines[..3].join("\n")).await;
    socket.acknowledged(3).await;
    tokio::task::block_in_place(|| collector.stop());
    let database = hold(collector.dir.path()).await;
    tokio::task::block_in_place(|| collector.restart());
    let (mut socket, received) = collector.v1(&session, 3).await;
    assert_eq!(received, 3);
    socket.send(format!("{}\n[36,null,null,1]", lines[3..].join("\n"))).await;
    socket.acknowledged(6).await;
    database.close().await.unwrap();
    until("it is stored", async || collector.spool(&session).exists().then_some(()).xor(Some(()))).await;
    assert_eq!(collector.dump(&session).await.1[..5], lines);
    assert_eq!(collector.sessions().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_took_the_id_of_a_stored_one_is_stored_beside_it() {
    for is_killed in [false, true] {
        let mut collector = Collector::start(&[]);
        let first = whole_recording();
        let (session, second) = (new_session(), lines(2));
        let (mut socket, _) = collector.v1(&session, 0).await;
        for line in &first {
            socket.send(line).await;
        }
        socket.acknowledged(first.len()).await;
        let before = collector.stored(&session).await;
        tokio::task::block_in_place(|| collector.stop());

        let database = hold(collector.dir.path()).await;
        tokio::task::block_in_place(|| collector.restart());
        let (mut socket, received) = collector.v1(&session, 0).await;
        assert_eq!(received, 0, "nobody can say that there was one");
        socket.send(format!("{}\n[36,null,null,1]", second.join("\n"))).await;
        socket.acknowledged(3).await;
        if is_killed {
            collector.crash();
        }
        database.close().await.unwrap();
        if is_killed {
            tokio::task::block_in_place(|| collector.restart());
        }
        until("it is stored", async || collector.spool(&session).exists().then_some(()).xor(Some(()))).await;

        assert_eq!(collector.stored(&session).await, before);
        assert_eq!(collector.dump(&session).await.1, first);
        crate::stores::assert_stats(&collector, &first).await;
        let sessions = collector.sessions().await;
        assert_eq!(sessions.len(), 2);
        let other = sessions.iter().find(|found| found["id"] != session.as_str()).unwrap();
        assert_eq!(collector.dump(other["id"].as_str().unwrap()).await.1[..2], second);
        let log = std::fs::read_to_string(collector.dir.path().join("log")).unwrap();
        assert!(log.contains(&format!("this one is stored as {}", other["id"].as_str().unwrap())), "{log}");
    }
}

#[tokio::test]
async fn a_session_whose_spool_file_is_gone_holds_up_nobody() {
    let collector = Collector::start(&[]);
    let lines = lines(3);
    for _ in 0..6 {
        let session = new_session();
        let (mut socket, _) = collector.v1(&session, 0).await;
        socket.send(lines.join("\n")).await;
        socket.acknowledged(3).await;
        std::fs::remove_file(collector.spool(&session)).unwrap();
        socket.send("[36,null,null,1]").await;
        socket.acknowledged(4).await;
        let gone = until("it is over", async || {
            Some(collector.session(&session).await).filter(|session| session["state"] == "ended")
        })
        .await;
        assert_eq!(gone["dumpBytes"], serde_json::Value::Null);
    }
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines.join("\n")).await;
    socket.send("[36,null,null,1]").await;
    assert_eq!(collector.dump(&session).await.1[..3], lines);
}

#[tokio::test]
async fn a_full_disk_closes_the_socket_and_keeps_what_was_acknowledged() {
    // No file of this process may grow beyond 1 MiB; without the trap the signal would end it.
    let collector = Collector::start_after("trap '' XFSZ; ulimit -f 2048", &[]);
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    let mut sent = vec![lines(1).remove(0)];
    sent.extend((0..40).map(|n| format!("[\":filler\",null,\"{n} {}\",10]", "x".repeat(50_000))));
    for line in &sent {
        socket.try_send(tokio_tungstenite::tungstenite::Message::text(line)).await;
    }
    let (code, _, acknowledged) = socket.closed().await;
    assert_eq!(code, 1013);
    assert!(collector.metric("rtctrace_store_failures_total{store=\"spool\"}").await >= 1.0);
    let spooled = std::fs::read_to_string(collector.spool(&session)).unwrap();
    let (_, kept) = split_dump(&spooled);
    assert_eq!(kept.len() as u64, acknowledged.unwrap());
    assert_eq!(kept, sent[..kept.len()]);

    let other = new_session();
    let (mut socket, _) = collector.v1(&other, 0).await;
    socket.send(&lines(1)[0]).await;
    socket.acknowledged(1).await;
    // Together the rest still does not fit; what is there stays whole.
    let (mut socket, received) = collector.v1(&session, kept.len()).await;
    assert_eq!(received, kept.len() as u64);
    for line in &sent[kept.len()..] {
        socket.try_send(tokio_tungstenite::tungstenite::Message::text(line)).await;
    }
    assert_eq!(socket.closed().await.0, 1013);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let spooled = std::fs::read_to_string(collector.spool(&session)).unwrap();
    let (_, still) = split_dump(&spooled);
    assert!(still.len() >= kept.len() && still == sent[..still.len()]);
}
