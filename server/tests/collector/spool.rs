//! The spool's disk is full, its limit is reached, a session is very long: clients keep what is not acknowledged, and all of it is
//! stored once in the end.

use std::time::Duration;

use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

#[tokio::test]
async fn on_a_full_file_system_nothing_acknowledged_is_lost_and_all_is_stored_once_there_is_space() {
    let dir = tempfile::tempdir().unwrap();
    let spool = dir.path().join("spool");
    let Some(_mount) = Mount::tmpfs(&spool, "4m") else { return };
    let ballast = spool.join("ballast");
    std::fs::write(&ballast, vec![0; 3 << 20]).unwrap();
    let collector = Collector::start_in(dir, &[]);
    assert_eq!(collector.get("/readyz").await.status, 200);

    let mut sent = vec![lines(1).remove(0)];
    sent.extend((0..60).map(|n| format!("[\":filler\",null,\"{n} {}\",10]", "x".repeat(30_000))));
    sent.push("[36,null,null,1]".to_owned());
    let session = new_session();
    let (mut known, mut refused) = (0, 0);
    loop {
        let (mut socket, received) = collector.v1(&session, known).await;
        assert!(received as usize >= known, "{known} lines were acknowledged, {received} are there");
        known = received as usize;
        for line in &sent[known..] {
            socket.try_send(Message::text(line)).await;
        }
        let mut is_closed = false;
        while known < sent.len() && !is_closed {
            match socket.try_ack().await {
                Some(ack) => known = ack as usize,
                None => is_closed = true,
            }
        }
        if known == sent.len() {
            break;
        }
        refused += 1;
        // The file holds whole lines, and those that count, whatever the disk did with the rest of the write.
        let (_, held) = split_dump(&std::fs::read_to_string(collector.spool(&session)).unwrap());
        assert!(held.len() >= known && held == sent[..held.len()]);
        if refused == 2 {
            let ready = collector.get("/readyz").await;
            assert_eq!((ready.status, &ready.json()["stores"]["spool"]), (503, &"down".into()));
            assert_eq!(collector.get("/healthz").await.status, 200);
            std::fs::remove_file(&ballast).unwrap();
        }
        assert!(refused < 10, "there is space again");
    }
    assert!(refused >= 2);
    assert_eq!(collector.dump(&session).await.1, sent);
    assert_eq!(collector.get("/readyz").await.status, 200);
    assert!(collector.metric("rtctrace_store_failures_total{store=\"spool\"}").await >= 2.0);
}

#[tokio::test]
async fn at_its_limit_the_spool_takes_nothing_more_until_dumps_are_stored() {
    let collector = Collector::start(&[("RTCTRACE_SPOOL_MAX_BYTES", "64KiB")]);
    let dumps = collector.dir.path().join("dumps");
    std::fs::remove_dir(&dumps).unwrap();
    std::fs::write(&dumps, "no folder").unwrap();
    let first = lines(1).remove(0);
    let filler = format!("[\":filler\",null,\"{}\",10]", "x".repeat(50_000));

    let running = new_session();
    let (mut open, _) = collector.v1(&running, 0).await;
    open.send(format!("{first}\n[\":filler\",null,\"{}\",10]", "y".repeat(20_000))).await;
    open.acknowledged(2).await;
    let over = new_session();
    let (mut socket, _) = collector.v1(&over, 0).await;
    socket.send(format!("{first}\n{filler}\n[36,null,null,1]")).await;
    socket.acknowledged(3).await;

    let refused = new_session();
    let mut socket = collector.socket(&format!("/v1/ws?session={refused}&from=0"), V1).await;
    assert_eq!(socket.closed().await.0, 1013);
    collector
        .request("POST", &format!("/v1/beacon?session={running}&from=2"), "", "[\":late\",null,1,1]")
        .await
        .problem(503, "spool-full");
    let ready = collector.get("/readyz").await;
    assert_eq!((ready.status, &ready.json()["stores"]["spool"]), (503, &"full".into()));
    open.send("[\":more\",null,1,10]").await;
    let silence = tokio::time::timeout(Duration::from_secs(1), open.try_ack()).await;
    assert!(silence.is_err(), "what is not in the spool is not acknowledged: {silence:?}");
    assert!(collector.metric("rtctrace_spool_pauses_total").await >= 1.0);
    let ready = collector.get("/readyz").await.json();
    assert_eq!((&ready["stores"]["objects"], &ready["backlog"]["sessions"]), (&"down".into(), &1.into()));

    std::fs::remove_file(&dumps).unwrap();
    open.acknowledged(3).await;
    assert_eq!(collector.dump(&over).await.1, [first.clone(), filler, "[36,null,null,1]".to_owned()]);
    let ready = collector.get("/readyz").await;
    assert_eq!((ready.status, &ready.json()["stores"]["objects"]), (200, &"ok".into()));
}

#[tokio::test]
async fn that_a_long_session_lies_in_parts_is_seen_by_nobody() {
    let mut collector = Collector::start(&[("RTCTRACE_SPOOL_PART_BYTES", "4KiB")]);
    let mut sent = vec![lines(1).remove(0)];
    sent.extend((1..300).map(|n| format!("[\":filler\",null,\"{n} {}\",10]", "x".repeat(100))));
    sent.push("[36,null,null,1]".to_owned());
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    for (at, line) in sent[..200].iter().enumerate() {
        socket.send(line).await;
        if at % 20 == 0 {
            socket.acknowledged(at + 1).await;
        }
    }
    socket.acknowledged(200).await;
    let parts = || std::fs::read_dir(collector.dir.path().join("spool")).unwrap().count();
    assert!(parts() > 3, "{} parts", parts());
    let running = collector.get(&format!("/api/v1/sessions/{session}/dump")).await.text();
    assert_eq!(split_dump(&running).1, sent[..200]);

    collector.crash();
    collector.restart();
    // It repeats what is held, from a line in a part in the middle.
    let (mut socket, received) = collector.v1(&session, 90).await;
    assert_eq!(received, 200);
    for line in &sent[90..] {
        socket.send(line).await;
    }
    socket.acknowledged(sent.len()).await;
    assert_eq!(collector.dump(&session).await.1, sent);
    until("the spool is empty", async || {
        (std::fs::read_dir(collector.dir.path().join("spool")).unwrap().count() == 0).then_some(())
    })
    .await;
    assert_eq!(collector.metric("rtctrace_spool_bytes").await, 0.0);
}
