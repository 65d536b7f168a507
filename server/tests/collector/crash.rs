//! The collector dies, and comes back.

use std::io::Write as _;
use std::time::Duration;

use crate::support::*;

#[tokio::test]
async fn every_acknowledged_line_survives_a_crash_once_and_in_order() {
    let mut collector = Collector::start(&[]);
    let lines = whole_recording();
    let session = new_session();
    let mut known = 0;
    for (crash, until) in [70, 140, lines.len()].into_iter().enumerate() {
        let (mut socket, received) = collector.v1(&session, known).await;
        let received = received as usize;
        assert!(received >= known, "{received} of {known} acknowledged lines are there");
        for line in &lines[received..until] {
            socket.send(line).await;
        }
        if crash < 2 {
            // Somewhere in the stream, with lines on their way.
            let middle = received + (until - received) / 2;
            loop {
                let ack: serde_json::Value = serde_json::from_str(&socket.text().await).unwrap();
                known = ack["received"].as_u64().unwrap() as usize;
                if known >= middle {
                    break;
                }
            }
            collector.crash();
            collector.restart();
            assert_eq!(collector.metric("rtctrace_sessions_recovered_total").await, 1.0);
        } else {
            socket.acknowledged(lines.len()).await;
        }
    }
    assert_eq!(collector.dump(&session).await.1, lines);
    crate::stores::assert_stats(&collector, &lines).await;
    assert_eq!(collector.sessions().await.len(), 1);
}

#[tokio::test]
async fn a_torn_tail_is_cut_and_the_client_sends_it_again() {
    let mut collector = Collector::start(&[]);
    let (session, lines) = (new_session(), lines(6));
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines[..4].join("\n")).await;
    socket.acknowledged(4).await;
    collector.crash();
    let mut spool = std::fs::File::options().append(true).open(collector.spool(&session)).unwrap();
    spool.write_all(&lines[4].as_bytes()[..7]).unwrap();
    collector.restart();
    assert_eq!(collector.metric("rtctrace_spool_torn_tails_total").await, 1.0);

    let (mut socket, received) = collector.v1(&session, 4).await;
    assert_eq!(received, 4);
    socket.send(lines[4..].join("\n")).await;
    socket.send("[36,null,null,1]").await;
    socket.acknowledged(7).await;
    assert_eq!(collector.dump(&session).await.1[..6], lines);
}

#[tokio::test]
async fn a_session_that_cannot_resume_is_stored_after_a_crash() {
    let mut collector = Collector::start(&[]);
    let lines = lines(5);
    let mut socket = collector.socket("/app", RTCSTATS).await;
    for line in &lines {
        socket.send(line).await;
    }
    let live =
        until("all lines are there", async || collector.sessions().await.pop().filter(|session| session["lines"] == 5))
            .await;
    collector.crash();
    collector.restart();
    let (_, stored) = collector.dump(live["id"].as_str().unwrap()).await;
    assert_eq!(stored[..5], lines);
    assert!(stored[5].starts_with("[\"close\",null,1006,"), "{}", stored[5]);
}

#[tokio::test]
async fn a_session_whose_client_stays_away_ends_after_a_restart() {
    let mut collector = Collector::start(&[("RTCTRACE_SESSION_RESUME_GRACE", "500ms")]);
    let (session, lines) = (new_session(), lines(3));
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines.join("\n")).await;
    socket.acknowledged(3).await;
    collector.crash();
    collector.restart();
    assert_eq!(collector.session(&session).await["state"], "live");
    assert_eq!(collector.dump(&session).await.1[..3], lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_closes_sockets_keeps_the_spool_and_is_quick() {
    let mut collector = Collector::start(&[]);
    let (session, lines) = (new_session(), lines(5));
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines[..3].join("\n")).await;
    let mut upstream = collector.socket("/app", RTCSTATS).await;
    upstream.send(&lines[0]).await;
    until("both run", async || (collector.sessions().await.len() == 2).then_some(())).await;

    let closing = tokio::spawn(async move { (socket.closed().await, upstream.closed().await) });
    let took = tokio::task::block_in_place(|| collector.stop());
    let (ours, upstream) = closing.await.unwrap();
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!((ours.0, upstream.0), (1012, 1012));
    assert!(collector.spool(&session).exists());

    collector.restart();
    let (mut socket, received) = collector.v1(&session, 3).await;
    assert_eq!(received, 3);
    socket.send(lines[3..].join("\n")).await;
    socket.acknowledged(5).await;
    let ended = until("upstream's session is stored", async || {
        collector.sessions().await.into_iter().find(|session| session["state"] == "ended")
    })
    .await;
    assert_eq!(ended["closeCode"], 1012);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_reads_what_a_client_without_acknowledgements_has_sent() {
    let mut collector = Collector::start(&[]);
    let lines = lines(800);
    let mut socket = collector.socket("/app", RTCSTATS).await;
    for line in &lines {
        socket.send(line).await;
    }
    let closing = tokio::spawn(async move { socket.closed().await });
    tokio::task::block_in_place(|| collector.stop());
    assert_eq!(closing.await.unwrap().0, 1012);
    collector.restart();
    let id = collector.sessions().await[0]["id"].as_str().unwrap().to_owned();
    let (_, stored) = collector.dump(&id).await;
    assert_eq!(stored[..stored.len() - 1], lines);
}

#[tokio::test]
async fn two_collectors_do_not_share_a_data_directory() {
    let collector = Collector::start(&[]);
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_rtctrace"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(collector.dir.path())
        .output()
        .unwrap();
    assert!(!second.status.success());
    let error = String::from_utf8_lossy(&second.stderr);
    assert!(error.contains("another collector uses the data directory"), "{error}");
}

#[tokio::test]
async fn it_does_not_listen_where_others_can_reach_it() {
    let dir = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_rtctrace"))
        .args(["serve", "--listen", "0.0.0.0:0", "--data-dir"])
        .arg(dir.path())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("refusing to listen on 0.0.0.0:0") && error.contains("--insecure-open"), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
