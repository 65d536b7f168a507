//! What somebody wants removed is gone: dump, features, stats and the row.

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
    let find =
        std::process::Command::new("find").arg(collector.dir.path().join("dumps")).args(["-name", "*.gz"]).output();
    String::from_utf8(find.unwrap().stdout).unwrap().lines().count()
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
    let answer = collector.request("DELETE", "/api/v1/sessions?user=ann", "", "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json(), serde_json::json!({ "removed": 3, "running": [open.clone()] }));
    assert_eq!(dumps(&collector), 1);
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
    assert_eq!(answer.json(), serde_json::json!({ "removed": 0, "running": [] }));
}
