//! A session of a connection: what is pushed over however many links, around a restart, after its end and past its limits is there once.

use serde_json::{Value, json};

use super::{Link, base32, body, counting, notice, numbers, rows, session_of, start, times};
use crate::support::*;

#[tokio::test]
async fn pushes_over_several_connections_are_there_once_and_by_their_times() {
    let collector = start(&[]);
    let mut links = Vec::new();
    for _ in 0..3 {
        links.push(Link::http2(&collector).await);
    }
    let connection = base32("AABB");
    // Two late ones of three, and every fifth once more.
    let mut order: Vec<i64> = (0..60).map(|number| number / 3 * 3 + 2 - number % 3).collect();
    order.extend((0..60).step_by(5));
    order.swap(7, 40);
    for (at, number) in order.iter().enumerate() {
        let push = body(&connection, number * 1000, &counting(*number));
        assert_eq!(links[at % links.len()].push(&push).await, 204);
    }
    let id = session_of(&collector, &connection).await;
    assert_eq!(collector.session(&id).await["lines"], 61, "one line for each push, and one for the connection");
    assert_eq!(collector.metric("rtctrace_duplicate_lines_total").await, 12.0);
    links[0].tell("/sora/webhook/event", &notice("connection.destroyed", Some(&connection))).await;
    let (_, lines) = collector.dump(&id).await;
    assert_eq!(numbers(&lines), (0..60).collect::<Vec<_>>());
    assert!(times(&lines).is_sorted(), "{lines:?}");
    let session = collector.session(&id).await;
    assert_eq!((&session["lines"], &session["duration"]), (&json!(63), &json!(60_000)));
    assert_eq!(rows(&collector).await, (0..60).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_session_goes_on_after_a_restart_and_after_its_end() {
    let mut collector = start(&[("RTCTRACE_SORA_IDLE_TIMEOUT", "1s")]);
    let connection = base32("ZZ");
    let push = |number: i64| body(&connection, number * 1000, &counting(number));
    assert_eq!(Link::http2(&collector).await.push(&push(1)).await, 204);
    collector.stop();
    collector.restart();
    let link = Link::http2(&collector).await;
    for number in [1, 2, 3] {
        assert_eq!(link.push(&push(number)).await, 204);
    }
    let id = session_of(&collector, &connection).await;
    let (_, lines) = collector.dump(&id).await;
    assert_eq!(numbers(&lines), [1, 2, 3]);
    let delta: Value = serde_json::from_str(&lines[2]).unwrap();
    let entry = &delta[2]["0"];
    assert_eq!((&entry["80"], &entry["123"]), (&json!(2), &Value::Null), "it builds on what was before: {lines:?}");
    assert_eq!(collector.session(&id).await["closeCode"], 1006, "nothing came");

    // What comes late belongs to it all the same, and what is repeated is known.
    for number in [5, 3, 4] {
        assert_eq!(link.push(&push(number)).await, 204);
    }
    link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&connection))).await;
    let (_, lines) = until("it is stored again", async || {
        let (header, lines) = collector.dump(&id).await;
        (numbers(&lines).len() == 5).then_some((header, lines))
    })
    .await;
    assert_eq!(numbers(&lines), [1, 2, 3, 4, 5]);
    let session = collector.session(&id).await;
    assert_eq!((&session["state"], &session["closeCode"]), (&json!("ended"), &json!(1000)));
    assert_eq!(collector.sessions().await.len(), 1);
    assert_eq!(rows(&collector).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_session_at_a_limit_goes_on_in_one_beside_it() {
    let collector = start(&[("RTCTRACE_LIMITS_SESSION_BYTES", "4KiB"), ("RTCTRACE_SORA_IDLE_TIMEOUT", "1s")]);
    let link = Link::http2(&collector).await;
    let connection = base32("K1");
    for number in 0..40 {
        assert_eq!(link.push(&body(&connection, number * 1000, &counting(number))).await, 204);
    }
    let sessions = until("all are stored", async || {
        let sessions = collector.sessions().await;
        (sessions.len() > 1 && sessions.iter().all(|session| session["dumpBytes"].is_u64())).then_some(sessions)
    })
    .await;
    let mut all = Vec::new();
    for session in sessions.iter().rev() {
        all.extend(numbers(&collector.dump(session["id"].as_str().unwrap()).await.1));
    }
    all.sort_unstable();
    assert_eq!(all, (0..40).collect::<Vec<_>>());
}
