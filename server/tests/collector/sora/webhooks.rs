//! What webhooks tell of sessions and connections: when they began, and that they are over.

use serde_json::{Value, json};

use super::{Link, base32, body, counting, notice, session_of, start, time};
use crate::support::*;

#[tokio::test]
async fn webhooks_end_what_they_are_about() {
    let collector = start(&[]);
    let link = Link::http1(&collector);
    let connections = ["D1", "D2", "D3"].map(base32);
    for connection in &connections {
        assert_eq!(link.push(&body(connection, 0, &counting(0))).await, 204);
    }
    let member = |connection: &str, destroyed: Value| json!({"connection_id": connection, "video_codec_type": "VP9", "connection_destroyed_timestamp": destroyed});
    let mut updated = notice("session.updated", None);
    updated["connections"] = json!([
        member(&connections[0], json!(time(30_000))),
        member(&connections[1], Value::Null),
        member(&base32("D9"), Value::Null)
    ]);
    link.tell("/sora/webhook/session", &updated).await;
    let first = session_of(&collector, &connections[0]).await;
    let (_, lines) = collector.dump(&first).await;
    let event = lines.iter().find(|line| line.contains(":sora.event")).unwrap();
    assert!(event.contains("VP9") && !event.contains(&connections[1]), "{event}");
    let second = session_of(&collector, &connections[1]).await;
    assert_eq!(collector.session(&second).await["state"], "live");
    link.tell("/sora/webhook/session", &notice("session.destroyed", None)).await;
    for connection in &connections {
        let id = session_of(&collector, connection).await;
        assert_eq!(collector.stored(&id).await["closeCode"], 1000);
    }
    // Of nobody that is known: there is nothing to end.
    link.tell("/sora/webhook/event", &notice("connection.created", Some(&base32("D8")))).await;
    assert_eq!(collector.sessions().await.len(), 3);
    assert_eq!(collector.metric("rtctrace_bad_lines_total{reason=\"unknown_connection\"}").await, 2.0);
}

#[tokio::test]
async fn a_webhook_that_says_all_of_a_connection_begins_its_session() {
    let mut collector = start(&[]);
    let link = Link::http2(&collector).await;
    let connection = base32("W1");
    let mut created = notice("connection.created", Some(&connection));
    created["timestamp"] = json!(time(-500));
    // Without its client and its role it begins nothing.
    link.tell("/sora/webhook/event", &created).await;
    assert_eq!(collector.metric("rtctrace_bad_lines_total{reason=\"unknown_connection\"}").await, 1.0);
    let whole = json!({ "client_id": "ann", "role": "sendrecv", "simulcast": true, "spotlight": false, "data": { "audio": true } });
    created.as_object_mut().unwrap().extend(whole.as_object().unwrap().clone());
    link.tell("/sora/webhook/event", &created).await;
    // It is told before anything is pushed, and is there after a crash.
    collector.crash();
    collector.restart();
    let link = Link::http2(&collector).await;
    let mut push = body(&connection, 0, &counting(1));
    push["client_id"] = json!("ann");
    assert_eq!(link.push(&push).await, 204);
    let id = session_of(&collector, &connection).await;
    let session = collector.session(&id).await;
    assert_eq!(
        (&session["user"], &session["conference"], &session["sora"]["role"]),
        (&json!("ann"), &json!("standup"), &json!("sendrecv"))
    );
    link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&connection))).await;
    let (_, lines) = collector.dump(&id).await;
    let methods: Vec<String> =
        lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap()[0].as_str().unwrap().to_owned()).collect();
    assert_eq!(methods, [":sora.event", ":sora.connection", "g", ":sora.event", "close"]);
    assert!(lines[0].contains("\"connection.created\"") && lines[0].contains("\"audio\":true"), "{}", lines[0]);
    // What is told again when it is over begins no other.
    link.tell("/sora/webhook/event", &created).await;
    until("it is over as it was", async || {
        let session = collector.session(&id).await;
        (session["state"] == "ended" && session["lines"] == lines.len()).then_some(())
    })
    .await;
    assert_eq!(collector.dump(&id).await.1, lines);
    assert_eq!(collector.sessions().await.len(), 1);
}

#[tokio::test]
async fn when_a_session_began_is_told_to_each_connection_that_comes_later() {
    let mut collector = start(&[]);
    let mut created = notice("session.created", None);
    let more = json!({"timestamp": time(-3_600_000), "connections": [], "metadata": {"room": "blue"}});
    created.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let [first, second, before, stranger] = ["S1", "S2", "S3", "S4"].map(base32);
    // Of one session, a connection is here already.
    let of_session = |connection: &str, session: &str, number: i64| {
        let mut push = body(connection, number * 1000, &counting(number));
        push["session_id"] = json!(base32(session));
        push
    };
    let link = Link::http1(&collector);
    assert_eq!(link.push(&of_session(&before, "CHANNEL", 0)).await, 204);
    assert_eq!(link.push(&of_session(&stranger, "QTHER", 0)).await, 204);
    link.tell("/sora/webhook/session", &created).await;
    let announced = collector.dir.path().join("announced");
    assert_eq!(std::fs::read_dir(&announced).unwrap().count(), 1);
    collector.crash();
    collector.restart();
    let link = Link::http1(&collector);
    for number in [1, 2] {
        assert_eq!(link.push(&of_session(&first, "CHANNEL", number)).await, 204);
    }
    assert_eq!(link.push(&of_session(&before, "CHANNEL", 3)).await, 204);
    // It is told again, and Sora's collector was away meanwhile.
    link.tell("/sora/webhook/session", &created).await;
    collector.stop();
    collector.restart();
    let link = Link::http1(&collector);
    for connection in [&first, &second, &before] {
        assert_eq!(link.push(&of_session(connection, "CHANNEL", 4)).await, 204);
    }
    link.tell("/sora/webhook/session", &notice("session.destroyed", None)).await;
    link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&stranger))).await;
    for (connection, methods, millis) in [
        (&first, vec![":sora.event", ":sora.connection", "g", "g", "g", ":sora.event", "close"], 59_000),
        (&second, vec![":sora.event", ":sora.connection", "g", ":sora.event", "close"], 56_000),
        (&before, vec![":sora.connection", "g", ":sora.event", "g", "g", ":sora.event", "close"], 60_000),
        (&stranger, vec![":sora.connection", "g", ":sora.event", "close"], 60_000),
    ] {
        let id = session_of(&collector, connection).await;
        let (_, lines) = collector.dump(&id).await;
        let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.iter().map(|line| line[0].as_str().unwrap()).collect::<Vec<_>>(), methods, "{lines:?}");
        let told: Vec<&Value> = lines.iter().filter(|line| line[2]["type"] == "session.created").collect();
        assert_eq!(told.len(), usize::from(connection != &stranger), "{lines:?}");
        assert!(
            told.iter().all(|line| line[2]["metadata"]["room"] == "blue" && line[2]["timestamp"] == time(-3_600_000))
        );
        // The session is older than its connections.
        assert_eq!(collector.session(&id).await["duration"], millis, "{lines:?}");
    }
    assert_eq!(std::fs::read_dir(&announced).unwrap().count(), 0, "it is over");
}
