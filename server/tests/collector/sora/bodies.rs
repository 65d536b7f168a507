//! What a push says: the largest one, the ones without an id, and those that are refused by the name of a member.

use serde_json::{Value, json};

use super::{JSON, Link, START, base32, body, counting, notice, numbers, reports, session_of, start};
use crate::support::*;

#[tokio::test]
async fn a_push_of_thousands_of_entries_is_a_report_or_is_told_how_many_it_may_have() {
    let collector = start(&[]);
    let link = Link::http2(&collector).await;
    let many = |count: usize, bytes: usize| {
        let entry = |id: usize| json!({"id": format!("CXT{id}"), "timestamp": START, "type": "codec", "payloadType": id % 128, "sdpFmtpLine": "x".repeat(bytes)});
        Value::Array((0..count).map(entry).collect())
    };
    let connection = base32("MANY");
    // A line of more than 2 MiB.
    let long = body(&connection, 0, &many(2000, 1200));
    assert!(long.to_string().len() > 2 << 20);
    assert_eq!(link.push(&long).await, 204);
    let too_many = body(&connection, 1000, &many(17_000, 1)).to_string();
    let answer = link.post("/sora/webhook/stats", &[JSON], too_many).await.unwrap();
    let detail = answer.problem(400, "bad-request");
    assert!(detail.contains("17000 entries") && detail.contains("may have 16384 entries in 4194304 bytes"), "{detail}");
    assert_eq!(answer.json()["field"], "stats");
    assert_eq!(link.push(&body(&connection, 2000, &many(2, 1))).await, 204);
    link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&connection))).await;
    let (_, lines) = collector.dump(&session_of(&collector, &connection).await).await;
    let reports = reports(&lines);
    assert_eq!(reports.iter().map(|(_, report)| report.len()).collect::<Vec<_>>(), [2000, 2]);
    assert!(reports[0].1.values().all(|entry| entry["sdpFmtpLine"].as_str().unwrap().len() == 1200));
}

#[tokio::test]
async fn bodies_without_an_id_are_told_from_each_other_by_what_they_say() {
    let mut collector = start(&[]);
    let connection = base32("NOXD");
    let without_id = |mut body: Value| {
        body.as_object_mut().unwrap().remove("id");
        body
    };
    let push = |millis: i64, number: i64| without_id(body(&connection, millis, &counting(number)));
    let mut counters = push(0, 0);
    counters["type"] = json!("connection.sora");
    counters["stats"] = json!([{"rtp": {"total": 1}}]);
    let mut others = counters.clone();
    others["stats"] = json!([{"rtp": {"total": 2}}]);
    let mut updated = without_id(notice("connection.updated", Some(&connection)));
    let told = [updated.clone(), {
        updated["data"] = json!(2);
        updated
    }];
    let link = Link::http1(&collector);
    for restarts in [false, true] {
        if restarts {
            collector.crash();
            collector.restart();
        }
        let link = if restarts { Link::http1(&collector) } else { link.clone() };
        for body in [push(0, 1), push(0, 2), counters.clone(), others.clone(), push(1000, 3)] {
            // As JSON it is the same.
            let text = body.to_string().replace("\"stats\":[{", "\"stats\": [ {");
            assert_eq!(link.post("/sora/webhook/stats", &[JSON], text).await.unwrap().status, 204);
        }
        for event in &told {
            link.tell("/sora/webhook/event", event).await;
        }
    }
    let link = Link::http1(&collector);
    link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&connection))).await;
    let (_, lines) = collector.dump(&session_of(&collector, &connection).await).await;
    assert_eq!(numbers(&lines), [1, 2, 3]);
    let count = |method: &str| lines.iter().filter(|line| line.starts_with(&format!("[\":sora.{method}\""))).count();
    assert_eq!((count("stats"), count("event")), (2, 3), "{lines:?}");
}

#[tokio::test]
async fn what_does_not_validate_is_answered_with_the_members_name_and_costs_nothing_else() {
    let collector = start(&[]);
    let links = [Link::http2(&collector).await, Link::http1(&collector)];
    let good = body(&base32("F1"), 0, &counting(1));
    let without = |name: &str| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name);
        body.to_string().into_bytes()
    };
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body.to_string().into_bytes()
    };
    let text = good.to_string();
    let entry = |from: &str, to: &str| text.replacen(from, to, 1).into_bytes();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let kind = ("sora-stats-webhook-type", "connection.rtc");
    /// What is wrong, headers, a body.
    type Case = (&'static str, Vec<(&'static str, &'static str)>, Vec<u8>);
    let cases: Vec<Case> = vec![
        ("connection_id", vec![JSON], without("connection_id")),
        ("timestamp", vec![JSON], without("timestamp")),
        ("stats", vec![JSON], without("stats")),
        ("type", vec![JSON], with("type", json!("connection.unknown"))),
        ("role", vec![JSON], with("role", json!("both"))),
        ("simulcast", vec![JSON], with("simulcast", json!("true"))),
        ("stats[1].id", vec![JSON], entry("\"CP1\",\"state\"", "\"T01\",\"state\"")),
        ("stats[0].bytesSent", vec![JSON], entry("\"bytesSent\":1", "\"bytesSent\":1,\"bytesSent\":2")),
        ("role", vec![JSON], entry("\"role\":", "\"role\":\"sendrecv\",\"role\":")),
        ("stats[0].rtp.sent", vec![JSON], {
            let counters = with("stats", json!({"rtp": {"sent": 1}}));
            let counters = String::from_utf8(counters).unwrap().replace("connection.rtc", "connection.sora");
            counters.replace("\"sent\":1", "\"sent\":1,\"sent\":2").into_bytes()
        }),
        ("stats[0].timestamp", vec![JSON], with("stats", json!([{"id": "a", "type": "b", "timestamp": "now"}]))),
        ("client_id", vec![JSON], with("client_id", json!("x".repeat(256)))),
        ("body", vec![JSON], entry("\"bytesSent\":1", "\"bytesSent\":NaN")),
        ("body", vec![JSON], text.as_bytes()[..text.len() / 2].to_vec()),
        ("body", vec![JSON], [b"{\"type\":\"", &b"\xff\xfe"[..], b"\"}"].concat()),
        ("body", vec![JSON], entry("\"bytesSent\":1", &format!("\"bytesSent\":{deep}"))),
        ("body", vec![JSON], with("label", json!("x".repeat(10 << 20)))),
        ("body", vec![JSON], Vec::new()),
        ("content-type", vec![("content-type", "text/plain")], text.clone().into_bytes()),
        ("content-type", vec![], text.clone().into_bytes()),
        (
            "sora-stats-webhook-type",
            vec![JSON, ("sora-stats-webhook-type", "connection.sora")],
            text.clone().into_bytes(),
        ),
    ];
    for link in &links {
        for (field, headers, body) in &cases {
            let Some(answer) = link.post("/sora/webhook/stats", headers, body.clone()).await else {
                // By HTTP/1.1, who is refused before the end of his body may not hear of it.
                assert!(matches!(link, Link::Http1(_)) && body.len() > 1 << 20, "{field}");
                continue;
            };
            let detail = answer.problem(400, "bad-request");
            assert_eq!(answer.json()["field"], *field, "{detail}");
            let again = link
                .post("/sora/webhook/stats", &[("content-type", "application/json; charset=utf-8"), kind], text.clone())
                .await;
            assert_eq!(again.unwrap().status, 204, "behind {field}");
        }
    }
    let answer = links[0].post("/sora/webhook/event", &[JSON], "{\"type\":\"connection.destroyed\"}").await.unwrap();
    answer.problem(400, "bad-request");
    assert_eq!(answer.json()["field"], "timestamp");
    // Its row comes when the database has it.
    let sessions = until("it is listed", async || Some(collector.sessions().await).filter(|all| !all.is_empty())).await;
    assert_eq!((sessions.len(), &sessions[0]["lines"]), (1, &json!(2)));
}
