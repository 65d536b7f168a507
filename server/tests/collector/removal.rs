//! What somebody wants removed is gone: dump, features, stats and the row.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::*;

const CLIENT: (&str, &str) = ("RTCTRACE_ACCESS_CLIENT_SECRET", "a secret that only this test and its collector know");

fn token_of(collector: &Collector, user: &str) -> String {
    let (success, token, errors) = run(collector.dir.path(), &["token", "client", "--user", user], &[CLIENT]);
    assert!(success, "{errors}");
    token.trim().to_owned()
}

/// A session of a user; it is over unless it is to stay open.
async fn session_of(collector: &Collector, token: &str, stays_open: bool) -> (String, Option<Socket>) {
    let session = new_session();
    let path = format!("/v1/ws?session={session}&from=0&token={token}");
    let mut socket = collector.socket(&path, V1).await;
    socket.text().await;
    socket.send(&lines(1)[0]).await;
    socket.acknowledged(1).await;
    if stays_open {
        return (session, Some(socket));
    }
    socket.send("[36,null,null,1]").await;
    socket.acknowledged(2).await;
    collector.stored(&session).await;
    (session, None)
}

fn dumps(collector: &Collector) -> usize {
    let find = Command::new("find").arg(collector.dir.path().join("dumps")).args(["-name", "*.gz"]).output();
    String::from_utf8(find.unwrap().stdout).unwrap().lines().count()
}

/// Where the dump of a session lies.
fn dump_file(collector: &Collector, session: &str) -> PathBuf {
    let name = format!("{session}.jsonl.gz");
    let find = Command::new("find").arg(collector.dir.path().join("dumps")).args(["-name", &name]).output().unwrap();
    PathBuf::from(String::from_utf8(find.stdout).unwrap().trim())
}

/// No store can remove it now.
fn make_irremovable(dump: &Path) {
    std::fs::remove_file(dump).unwrap();
    std::fs::create_dir(dump).unwrap();
    std::fs::write(dump.join("x"), "x").unwrap();
}

#[tokio::test]
async fn what_cannot_be_removed_keeps_nothing_else() {
    let mut collector = Collector::start(&[CLIENT]);
    let ann = token_of(&collector, "ann");
    let (first, _) = session_of(&collector, &ann, false).await;
    session_of(&collector, &ann, false).await;
    make_irremovable(&dump_file(&collector, &first));
    let answer = collector.request("DELETE", "/api/v1/sessions?user=ann", "", "").await;
    assert_eq!(answer.json(), serde_json::json!({ "removed": 1, "running": [], "failed": [first.clone()] }));

    // Retention begins with the oldest.
    let mut old = Vec::new();
    for year in 1..4_i64 {
        let start = 1_500_000_000_000 + year * 31_536_000_000;
        let dump =
            format!("RTCStatsDump\n{{\"fileFormat\":3,\"startTime\":{start}}}\n[\"create\",null,null,{start}]\n");
        let answer = collector.request("POST", "/api/v1/dumps", "", &dump).await;
        let id = answer.json()["dumps"][0]["session"].as_str().unwrap().to_owned();
        collector.stored(&id).await;
        old.push(id);
    }
    make_irremovable(&dump_file(&collector, &old[0]));
    collector.stop();
    collector.set("RTCTRACE_RETENTION_SESSIONS", "1d");
    collector.restart();
    until("the others are gone", async || {
        let left = collector.sessions().await;
        (left.len() == 2).then_some(())
    })
    .await;
    assert_eq!(collector.get(&format!("/api/v1/sessions/{}", old[0])).await.status, 200);
}

#[tokio::test]
async fn all_sessions_of_a_user_are_removed_and_nobody_elses() {
    let collector = Collector::start(&[CLIENT]);
    let (ann, bob) = (token_of(&collector, "ann"), token_of(&collector, "bob"));
    for _ in 0..3 {
        session_of(&collector, &ann, false).await;
    }
    let (others, _) = session_of(&collector, &bob, false).await;
    let (open, mut socket) = session_of(&collector, &ann, true).await;
    assert_eq!(dumps(&collector), 4);

    collector.request("DELETE", "/api/v1/sessions", "", "").await.problem(400, "bad-parameter");
    collector.request("DELETE", "/api/v1/sessions?user=", "", "").await.problem(400, "bad-parameter");
    // Who means some of them must not lose all.
    for more in ["to=2020-01-01T00:00:00Z", "state=ended", "user=bob"] {
        let path = format!("/api/v1/sessions?user=ann&{more}");
        collector.request("DELETE", &path, "", "").await.problem(400, "bad-parameter");
        assert_eq!(dumps(&collector), 4);
    }
    let answer = collector.request("DELETE", "/api/v1/sessions?user=ann", "", "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json(), serde_json::json!({ "removed": 3, "running": [open.clone()], "failed": [] }));
    assert_eq!(dumps(&collector), 1);
    // It has just begun, and is listed within a second.
    until("the one that runs is listed", async || (collector.sessions().await.len() == 2).then_some(())).await;
    let left: Vec<String> =
        collector.sessions().await.iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(left.len(), 2);
    assert!(left.contains(&others) && left.contains(&open));

    // The one that ran is removed once it is over.
    let socket = socket.as_mut().unwrap();
    socket.send("[36,null,null,1]").await;
    collector.stored(&open).await;
    until("it is removed", async || {
        let answer = collector.request("DELETE", "/api/v1/sessions?user=ann", "", "").await.json();
        (answer["removed"] == 1).then_some(())
    })
    .await;
    assert_eq!((dumps(&collector), collector.sessions().await.len()), (1, 1));
    for table in ["SELECT 1 FROM features_client", "SELECT 1 FROM sessions"] {
        assert_eq!(collector.query(table).await.len(), 1, "{table}");
    }
    let answer = collector.request("DELETE", "/api/v1/sessions?user=nobody", "", "").await;
    assert_eq!(answer.json(), serde_json::json!({ "removed": 0, "running": [], "failed": [] }));
}

#[tokio::test]
async fn a_removed_session_does_not_come_back_from_the_spool() {
    let mut collector = Collector::start(&[]);
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(&lines(1)[0]).await;
    socket.acknowledged(1).await;
    let spooled = std::fs::read(collector.spool(&session)).unwrap();
    socket.send("[36,null,null,1]").await;
    collector.dump(&session).await;
    until("its spool file is gone", async || (!collector.spool(&session).exists()).then_some(())).await;
    // A crash just before that leaves it, and the next start may have much else to read first.
    std::fs::write(collector.spool(&session), spooled).unwrap();
    let answer = collector.request("DELETE", &format!("/api/v1/sessions/{session}"), "", "").await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert!(!collector.spool(&session).exists());
    collector.stop();
    collector.restart();
    assert_eq!((collector.sessions().await.len(), dumps(&collector)), (0, 0));
}
