//! Addresses of clients that come through Sora: they lose their hosts before anything is written, whatever becomes of the push.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::{JSON, Link, START, base32, body, notice, reports, session_of, start};
use crate::support::*;

/// What a client says of its candidates; `host` is the last part of each address that is not a relay's.
fn candidates(number: i64, host: u8) -> Value {
    let t = START + number * 1000;
    json!([
        {"id": "I4", "timestamp": t, "type": "local-candidate", "candidateType": "host", "address": format!("198.51.100.{host}"), "ip": format!("198.51.100.{host}"), "port": 5000, "protocol": "udp"},
        {"id": "I6", "timestamp": t, "type": "local-candidate", "candidateType": "host", "address": format!("2001:db8:7:8::77{host}"), "port": 5001, "protocol": "udp"},
        {"id": "IM", "timestamp": t, "type": "local-candidate", "candidateType": "srflx", "address": format!("::ffff:198.51.100.{host}"), "relatedAddress": format!("203.0.113.{host}"), "relatedPort": 9, "port": 5002, "protocol": "udp"},
        {"id": "IR", "timestamp": t, "type": "local-candidate", "candidateType": "relay", "address": "192.0.2.200", "relatedAddress": format!("203.0.113.{host}"), "url": "turn:192.0.2.200:3478", "port": 5003, "protocol": "udp"},
        {"id": "RTCIceCandidate_old", "timestamp": t, "type": "remote-candidate", "candidateType": "prflx", "ip": format!("203.0.113.{host}"), "port": 5004, "protocol": "tcp", "isRemote": true},
        {"id": "SX", "timestamp": t, "type": "ice-server", "url": format!("stun:198.51.100.{host}:3478"), "ip": format!("198.51.100.{host}"), "peers": [{"via": format!("203.0.113.{host}:9")}]},
        {"id": "T0", "timestamp": t, "type": "transport", "remoteAddress": format!("203.0.113.{host}:5004"), "route": {"from": format!("2001:db8:7:8::77{host}"), "hops": [format!("198.51.100.{host}")]}},
        {"id": "CP", "timestamp": t, "type": "candidate-pair", "localCandidateId": "I4", "remoteCandidateId": "RTCIceCandidate_old", "bytesSent": number, "state": "succeeded"},
    ])
}

/// The files below a folder in which any of the words stands, packed ones unpacked.
fn files_with(dir: &Path, words: &[String], found: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_with(&path, words, found);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let bytes =
            if path.extension().is_some_and(|end| end == "gz") { gunzip(bytes.as_slice()).into_bytes() } else { bytes };
        let holds = |word: &String| bytes.windows(word.len()).any(|window| window == word.as_bytes());
        found.extend(words.iter().filter(|word| holds(word)).map(|word| format!("{word} in {}", path.display())));
    }
}

#[tokio::test]
async fn addresses_of_clients_lose_their_hosts_before_anything_is_written() {
    let hosts = [71_u8, 72, 73, 74];
    let words: Vec<String> = hosts
        .iter()
        .flat_map(|host| [format!("198.51.100.{host}"), format!("203.0.113.{host}"), format!("::77{host}")])
        .collect();
    let mut collector = start(&[]);
    let connection = base32("PV");
    let link = Link::http2(&collector).await;
    let push = |number: i64, host: u8| body(&connection, number * 1000, &candidates(number, host));
    // The second only says what has changed of the first; the third comes late, so all is written anew at the end.
    assert_eq!(link.push(&push(1, hosts[0])).await, 204);
    assert_eq!(link.push(&push(3, hosts[1])).await, 204);
    assert_eq!(link.push(&push(2, hosts[2])).await, 204);
    let mut counters =
        body(&connection, 3500, &json!({"peer": {"address": format!("198.51.100.{}", hosts[0]), "port": 9}}));
    counters["type"] = json!("connection.sora");
    counters["remote_address"] = json!(format!("203.0.113.{}", hosts[0]));
    assert_eq!(link.push(&counters).await, 204);
    // What is told of a session is held until it is over.
    let mut created = notice("session.created", None);
    created["metadata"] = json!({"from": format!("198.51.100.{}", hosts[0])});
    link.tell("/sora/webhook/session", &created).await;
    let mut found = Vec::new();
    files_with(collector.dir.path(), &words, &mut found);
    assert!(found.is_empty(), "{found:?}");
    collector.crash();
    collector.restart();
    // Behind a start it builds on what it holds, and that is without hosts.
    let link = Link::http2(&collector).await;
    assert_eq!(link.push(&push(4, hosts[1])).await, 204);
    assert_eq!(link.push(&push(5, hosts[3])).await, 204);
    let mut event = notice("connection.destroyed", Some(&connection));
    event["reason"] = json!(format!("no answer from 198.51.100.{}:5000", hosts[3]));
    event["data"] = json!({"peers": [format!("203.0.113.{}", hosts[3])]});
    link.tell("/sora/webhook/event", &event).await;

    let id = session_of(&collector, &connection).await;
    let (_, lines) = collector.dump(&id).await;
    let reports = reports(&lines);
    assert_eq!(reports.len(), 5);
    for (_, report) in &reports {
        let of = |id: &str, member: &str| report[id][member].as_str().unwrap().to_owned();
        assert_eq!(of("I4", "address"), "198.51.100.x");
        assert_eq!(of("I6", "address"), "2001:db8:7x:x:x:x:x:x");
        assert_eq!(
            (of("IM", "address"), of("IM", "relatedAddress")),
            ("::ffff:198.51.100.x".to_owned(), "203.0.113.x".to_owned())
        );
        // By a relay's, calls are grouped.
        assert_eq!(
            (of("IR", "address"), of("IR", "relatedAddress")),
            ("192.0.2.200".to_owned(), "203.0.113.x".to_owned())
        );
        assert_eq!(of("RTCIceCandidate_old", "address"), "203.0.113.x");
        // Whatever a client says, and whatever it calls it.
        assert_eq!(
            (of("SX", "url"), of("T0", "remoteAddress")),
            ("stun:198.51.100.x:3478".to_owned(), "203.0.113.x:5004".to_owned())
        );
        assert_eq!(report["SX"]["peers"], json!([{"via": "203.0.113.x:9"}]));
        assert_eq!(report["T0"]["route"], json!({"from": "2001:db8:7x:x:x:x:x:x", "hops": ["198.51.100.x"]}));
        assert_eq!(of("IR", "url"), "turn:192.0.2.200:3478");
    }
    let told = lines.iter().filter(|line| line.contains(":sora.")).cloned().collect::<String>();
    for hidden in [
        "no answer from 198.51.100.x:5000",
        "[\"203.0.113.x\"]",
        "\"address\":\"198.51.100.x\"",
        "\"remote_address\":\"203.0.113.x\"",
    ] {
        assert!(told.contains(hidden), "{hidden}: {told}");
    }
    // A node is no client.
    assert!(told.contains("\"node_name\":\"sora@10.0.0.1\""), "{told}");

    let rows = collector.query("SELECT DISTINCT address FROM stats_ice_candidate WHERE address IS NOT NULL").await;
    let rows: BTreeSet<&str> = rows.iter().map(|row| row["address"].as_str().unwrap()).collect();
    let hidden = ["192.0.2.200", "198.51.100.x", "203.0.113.x", "2001:db8:7x:x:x:x:x:x", "::ffff:198.51.100.x"];
    assert_eq!(rows, BTreeSet::from(hidden));
    for path in ["", "/stats/local-candidate?format=csv", "/dump", "/stats/remote-candidate"] {
        let answer = collector.get(&format!("/api/v1/sessions/{id}{path}")).await;
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        let text = if path == "/dump" { gunzip(answer.body.as_slice()) } else { answer.text() };
        let told: Vec<&String> = words.iter().filter(|word| text.contains(*word)).collect();
        assert!(told.is_empty(), "{path}: {told:?}");
    }
    let mut found = Vec::new();
    files_with(collector.dir.path(), &words, &mut found);
    assert!(found.is_empty(), "{found:?}");
}

#[tokio::test]
async fn addresses_stay_where_the_operator_says_so() {
    let collector = start(&[("RTCTRACE_PRIVACY_ADDRESSES", "false")]);
    let connection = base32("PW");
    let link = Link::http2(&collector).await;
    let push = body(&connection, 0, &candidates(0, 71)).to_string();
    assert_eq!(link.post("/sora/webhook/stats", &[JSON], push).await.unwrap().status, 204);
    link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&connection))).await;
    let (_, lines) = collector.dump(&session_of(&collector, &connection).await).await;
    let (_, report) = &reports(&lines)[0];
    assert_eq!(report["I4"]["address"], "198.51.100.71");
    assert_eq!(report["IM"]["relatedAddress"], "203.0.113.71");
    let rows = collector.query("SELECT address FROM stats_ice_candidate WHERE address = '198.51.100.71'").await;
    assert_eq!(rows.len(), 1);
}
