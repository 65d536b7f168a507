//! What becomes of pushes and notices in lines: whatever comes in whatever order, and wherever the translator begins anew, each report
//! is there once, with its values.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::translate::MAX_CERTIFICATES;
use super::*;
use crate::event::SessionDecoder;
use crate::line::Line;
use crate::report::NamedDecoder;

const CONNECTION_ID: &str = "JXW8K4FG6H7TZ2F63T38ZHSJQG";

fn envelope(number: u32) -> Value {
    json!({
        "type": "connection.rtc", "id": format!("PUSH{number}"), "label": "rooms", "version": "2025.2.1", "node_name": "sora@10.0.0.1",
        "timestamp": format!("2026-11-29T20:15:{:02}.000{:03}Z", number % 60, number),
        "role": "sendonly", "simulcast": true, "spotlight": false, "channel_id": "standup", "client_id": "ann",
        "session_id": "7N8FP3M0ZH2ASBCDPHRGS2HYB8", "connection_id": CONNECTION_ID,
    })
}

fn body(number: u32, stats: &Value) -> String {
    let mut body = envelope(number);
    body["stats"] = stats.clone();
    body.to_string()
}

fn push(translator: &mut Translator, body: &str, lines: &mut Vec<String>) -> Translated {
    let mut out = String::new();
    let done = translator.push(&Push::read(body.as_bytes()).unwrap(), &mut out).unwrap();
    assert_eq!(done == Translated::Held, out.is_empty());
    lines.extend(out.lines().map(str::to_owned));
    done
}

fn replayed(lines: &[String]) -> Translator {
    let mut translator = Translator::new(1 << 20);
    lines.iter().for_each(|line| translator.replay(&Line::parse(line).unwrap()));
    translator
}

/// The reports of lines, by the ids of their pushes and in the order of the lines.
fn reports(lines: &[String]) -> Vec<(String, Value)> {
    let (mut decoder, mut session) = (NamedDecoder::default(), SessionDecoder::new());
    let mut found = Vec::new();
    for text in lines {
        session.decode(text).unwrap();
        let line = Line::parse(text).unwrap();
        if line.method() != "getStats" {
            continue;
        }
        decoder.take(line.value(), line.extra().first().copied()).unwrap();
        let mut report = String::new();
        decoder.write_report(&mut report).unwrap();
        let stamp: Value = serde_json::from_str(line.extra().last().unwrap().text()).unwrap();
        let mut report: Value = serde_json::from_str(&report).unwrap();
        for entry in report.as_object_mut().unwrap().values_mut() {
            entry["timestamp"] = json!(entry["timestamp"].as_f64());
        }
        found.push((stamp["id"].as_str().unwrap().to_owned(), report));
    }
    found
}

/// The report that the entries of a push are, without what no line carries.
fn expected(stats: &Value) -> Value {
    let mut report = Map::new();
    for entry in stats.as_array().unwrap() {
        let mut entry = entry.as_object().unwrap().clone();
        let id = entry.remove("id").unwrap();
        entry.retain(|_, value| !value.is_null());
        entry["timestamp"] = json!(entry["timestamp"].as_f64());
        if entry["type"] != "certificate" {
            report.insert(id.as_str().unwrap().to_owned(), Value::Object(entry));
        }
    }
    Value::Object(report)
}

/// The lines by their times, as whoever stores a session writes them anew.
fn in_order(lines: &[String]) -> Vec<String> {
    let (mut reading, mut text) = (Unordered::new(), String::new());
    let mut all = Vec::new();
    for line in lines {
        if let Some(moment) = reading.read(&Line::parse(line).unwrap(), &mut text).unwrap() {
            all.push((moment, text.clone()));
        }
    }
    all.sort_by_key(|(moment, _)| moment.time);
    let (mut translator, mut out) = (Translator::new(1 << 20), String::new());
    for (moment, text) in &all {
        let (envelope, line) = text.split_at(moment.line);
        translator.again(&Line::parse(line).unwrap(), envelope, moment.time, &mut out).unwrap();
    }
    assert!(translator.is_ordered());
    out.lines().map(str::to_owned).collect()
}

#[test]
fn a_push_is_a_line_behind_what_its_envelope_says() {
    let (mut translator, mut lines) = (Translator::new(1 << 20), Vec::new());
    let entry = |sent: u32| json!([{"id": "T", "timestamp": 1.5, "type": "transport", "bytesSent": sent}]);
    push(&mut translator, &body(1, &entry(7)), &mut lines);
    push(&mut translator, &body(2, &entry(8)), &mut lines);
    let mut other: Value = serde_json::from_str(&body(3, &entry(8))).unwrap();
    other["role"] = json!("sendrecv");
    other["log_written"] = json!(true);
    push(&mut translator, &other.to_string(), &mut lines);
    assert_eq!(
        lines,
        [
            r#"[":sora.connection","JXW8K4FG6H7TZ2F63T38ZHSJQG",{"type":"connection.rtc","label":"rooms","version":"2025.2.1","node_name":"sora@10.0.0.1","session_id":"7N8FP3M0ZH2ASBCDPHRGS2HYB8","channel_id":"standup","client_id":"ann","connection_id":"JXW8K4FG6H7TZ2F63T38ZHSJQG","role":"sendonly","simulcast":true,"spotlight":false},1795983301000.001]"#,
            r#"["g","JXW8K4FG6H7TZ2F63T38ZHSJQG",{"0":{"80":7,"type":5},"t":1.5},{"ids":{"0":"T"}},{"id":"PUSH1","timestamp":"2026-11-29T20:15:01.000001Z"},0]"#,
            r#"["g","JXW8K4FG6H7TZ2F63T38ZHSJQG",{"0":{"80":8},"t":1.5},{"id":"PUSH2","timestamp":"2026-11-29T20:15:02.000002Z"},1000.001]"#,
            r#"[":sora.connection","JXW8K4FG6H7TZ2F63T38ZHSJQG",{"type":"connection.rtc","label":"rooms","version":"2025.2.1","node_name":"sora@10.0.0.1","session_id":"7N8FP3M0ZH2ASBCDPHRGS2HYB8","channel_id":"standup","client_id":"ann","connection_id":"JXW8K4FG6H7TZ2F63T38ZHSJQG","role":"sendrecv","simulcast":true,"spotlight":false,"log_written":true},1000.001]"#,
            r#"["g","JXW8K4FG6H7TZ2F63T38ZHSJQG",{"t":1.5},{"id":"PUSH3","timestamp":"2026-11-29T20:15:03.000003Z"},0]"#,
        ]
    );
    let mut again = replayed(&lines);
    assert_eq!(push(&mut again, &body(2, &entry(8)), &mut Vec::new()), Translated::Held);
    push(&mut again, &other.to_string().replace("PUSH3", "PUSH4").replace(":03.000003", ":04"), &mut lines);
    assert_eq!(lines.len(), 6, "the envelope is the same: {lines:?}");
}

#[test]
fn certificates_stand_beside_what_the_envelope_says() {
    let (mut translator, mut lines) = (Translator::new(1 << 20), Vec::new());
    let stats = |time: u32, print: &str| {
        json!([
            {"id": "CF1", "timestamp": time, "type": "certificate", "fingerprint": print, "issuerCertificateId": "CF2"},
            {"id": "T", "timestamp": time, "type": "transport", "bytesSent": time, "localCertificateId": "CF1"},
            {"id": "CF2", "timestamp": time, "type": "certificate", "base64Certificate": "x".repeat(MAX_CERTIFICATES)},
        ])
    };
    for (number, print) in [(1, "A"), (2, "A"), (3, "B")] {
        push(&mut translator, &body(number, &stats(number, print)), &mut lines);
    }
    let told: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line[0] == CONNECTION)
        .map(|line| json!([line[2]["certificates"], line[2]["transports"]]))
        .collect();
    let with = |print: &str| json!([{"CF1": {"fingerprint": print, "issuerCertificateId": "CF2"}}, {"T": {"localCertificateId": "CF1"}}]);
    assert_eq!(told, [with("A"), with("B")], "{lines:?}");
}

#[test]
fn what_sora_counts_is_a_line_as_it_came() {
    let (mut translator, mut lines) = (Translator::new(1 << 20), Vec::new());
    let counters = body(1, &json!([])).replace("connection.rtc", "connection.sora");
    let counters = counters.replace("\"stats\":[]", "\"stats\": {\"rtp\": {\"total\": 1.0e+2}}");
    push(&mut translator, &counters, &mut lines);
    let node = r#"{"type":"node.erlang-vm","timestamp":"2026-11-29T20:16:00Z","label":"l","version":"v","node_name":"n","stats":[{"type":"a"}]}"#;
    push(&mut translator, node, &mut lines);
    assert!(
        lines[1].starts_with(&format!(r#"[":sora.stats","{CONNECTION_ID}",[{{"rtp":{{"total":1.0e+2}}}}],{{"id":"#))
    );
    assert_eq!(
        lines[2..],
        [
            r#"[":sora.node",null,{"type":"node.erlang-vm","label":"l","version":"v","node_name":"n"},58999.999]"#,
            r#"[":sora.stats",null,[{"type":"a"}],{"timestamp":"2026-11-29T20:16:00Z","crc32":1298839006},0]"#,
        ]
    );
    assert_eq!(push(&mut replayed(&lines), node, &mut lines), Translated::Held);
}

#[test]
fn a_notice_is_a_line_and_tells_of_the_end() {
    let notice = |kind: &str, more: &str| {
        format!(
            r#"{{"id":"{kind}","type":"{kind}","timestamp":"2026-11-29T20:15:04Z","label":"l","version":"v","node_name":"n","channel_id":"c",
            "session_id":"7N8FP3M0ZH2ASBCDPHRGS2HYB8","connection_id":"{CONNECTION_ID}"{more}}}"#
        )
    };
    let member = |destroyed: &str| {
        format!(
            r#","connections":[{{"connection_id":"{CONNECTION_ID}","video_bit_rate":500,"connection_destroyed_timestamp":{destroyed}}}]"#
        )
    };
    for (text, is_over) in [
        (notice("connection.updated", ""), false),
        (notice("connection.destroyed", ""), true),
        (notice("session.destroyed", ""), true),
        (notice("session.updated", &member("null")), false),
        (notice("session.updated", &member("\"2026-11-29T20:15:03Z\"")), true),
    ] {
        let (mut translator, mut out) = (Translator::new(1 << 20), String::new());
        let notice = Notice::read(text.as_bytes()).unwrap();
        let member = notice.connections.first();
        assert_eq!(translator.notice(&notice, member, CONNECTION_ID, &mut out), Ok(Translated::Stored));
        assert_eq!(translator.notice(&notice, member, CONNECTION_ID, &mut out), Ok(Translated::Held));
        assert_eq!((translator.is_over(), out.contains("500")), (is_over, member.is_some()), "{text}");
        let lines: Vec<String> = out.lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 1);
        assert!(!lines[0].contains("connections"), "{lines:?}");
        assert!(lines[0].contains(&format!("\"{CONNECTION_ID}\",{{\"type\":\"")), "{lines:?}");
        assert_eq!(replayed(&lines).is_over(), is_over);
    }
}

#[test]
fn a_body_without_an_id_is_told_from_others_by_what_it_says_but_for_addresses() {
    let sum = |address: &str, state: &str| {
        let stats = json!([{"id": "I", "timestamp": 1.5, "type": "local-candidate", "address": address, "x": state}]);
        let mut body: Value = serde_json::from_str(&body(1, &stats)).unwrap();
        body.as_object_mut().unwrap().remove("id");
        let mut out = String::new();
        Translator::new(1 << 20).push(&Push::read(body.to_string().as_bytes()).unwrap(), &mut out).unwrap();
        let (_, sum) = out.split_once("\"crc32\":").unwrap();
        sum.split('}').next().unwrap().to_owned()
    };
    assert_eq!(sum("192.0.2.7", "a"), sum("192.0.2.8", "a"), "who reads the dump finds no address by it");
    assert_ne!(sum("192.0.2.7", "a"), sum("192.0.2.7", "b"));
}

#[test]
fn what_is_told_of_a_session_comes_before_the_next_line_of_its_connection_once() {
    let created = r#"{"id":"S","type":"session.created","timestamp":"2026-11-29T20:10:00Z","label":"l","version":"v","node_name":"n","channel_id":"c",
        "session_id":"7N8FP3M0ZH2ASBCDPHRGS2HYB8","connections":[]}"#;
    let created = Notice::read(created.as_bytes()).unwrap();
    assert!(created.is_announcement());
    let entry = |text: &str| json!([{"id": "T", "timestamp": 1.5, "type": "transport", "x": text}]);
    let (mut translator, mut lines) = (Translator::new(2000), Vec::new());
    translator.announce(&created);
    let mut out = String::new();
    let long = body(1, &entry(&"x".repeat(2000)));
    assert!(translator.push(&Push::read(long.as_bytes()).unwrap(), &mut out).is_err() && out.is_empty());
    assert!(translator.is_announcing());
    push(&mut translator, &body(2, &entry("a")), &mut lines);
    let told = format!(
        r#"[":sora.event","{CONNECTION_ID}",{{"type":"session.created","id":"S","timestamp":"2026-11-29T20:10:00Z","label":"l","version":"v","node_name":"n","channel_id":"c","session_id":"7N8FP3M0ZH2ASBCDPHRGS2HYB8"}},1795983302000.002]"#
    );
    assert_eq!((&lines[0], lines.len()), (&told, 3));
    for mut translator in [translator, replayed(&lines)] {
        translator.announce(&created);
        assert!(!translator.is_announcing() && translator.is_ordered());
        push(&mut translator, &body(3, &entry("a")), &mut lines);
    }
    assert_eq!(in_order(&lines)[0], told);
    let mut held = HeldStamps::default();
    assert!(!held.is_announced());
    lines.iter().for_each(|line| held.take_in(&Line::parse(line).unwrap()));
    assert!(held.is_announced());
}

#[test]
fn what_no_line_carries_leaves_nothing_behind() {
    let (mut translator, mut lines) = (Translator::new(1000), Vec::new());
    let entry = |text: &str| json!([{"id": "T", "timestamp": 1.5, "type": "transport", "x": text, "y": 1}]);
    push(&mut translator, &body(2, &entry("small")), &mut lines);
    let before = lines.clone();
    let long = body(3, &entry(&"x".repeat(1000)));
    let mut out = String::new();
    let refused = translator.push(&Push::read(long.as_bytes()).unwrap(), &mut out);
    assert!(matches!(refused, Err(Refused::LineTooLong { limit: 1000, .. })) && out.is_empty(), "{refused:?}");
    push(&mut translator, &body(4, &entry("small")), &mut lines);
    assert_eq!(reports(&lines)[1].1, expected(&entry("small")));
    assert!(lines[2].contains("\"ids\"") && lines[2].ends_with(",2000.002]"), "{} behind {before:?}", lines[2]);
    let many: Vec<Value> =
        (0..17_000).map(|id| json!({"id": id.to_string(), "timestamp": 1, "type": "codec"})).collect();
    let many = body(5, &json!(many));
    let mut translator = Translator::new(4 << 20);
    let refused = translator.push(&Push::read(many.as_bytes()).unwrap(), &mut out).unwrap_err();
    assert!(
        matches!(refused, Refused::ReportTooLarge(room) if room.entries == 17_000),
        "no reader would hold it: {refused}"
    );
    assert!(refused.to_string().contains("may have 16384 entries in 4194304 bytes"), "{refused}");
}

#[test]
fn late_pushes_come_to_their_places_with_their_envelopes() {
    let (mut translator, mut lines) = (Translator::new(1 << 20), Vec::new());
    let entry = |sent: u32| json!([{"id": "T", "timestamp": sent, "type": "transport", "bytesSent": sent}]);
    let with = |number: u32, role: &str| body(number, &entry(number)).replace("sendonly", role);
    for (number, role) in
        [(2, "sendonly"), (5, "recvonly"), (4, "recvonly"), (3, "sendonly"), (6, "recvonly"), (1, "sendonly")]
    {
        push(&mut translator, &with(number, role), &mut lines);
        assert_eq!(translator.is_ordered(), number == 2 || number == 5);
        assert_eq!(replayed(&lines).is_ordered(), translator.is_ordered());
    }
    // One that is repeated although nobody remembers it.
    lines.push(lines[1].replace(",0]", ",1000.001]"));
    lines.push("[\"close\",null,1000,10]".to_owned());
    let ordered = in_order(&lines);
    let ids: Vec<String> = reports(&ordered).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["PUSH1", "PUSH2", "PUSH3", "PUSH4", "PUSH5", "PUSH6"]);
    for (number, (_, report)) in (1..).zip(reports(&ordered)) {
        assert_eq!(report, expected(&entry(number)));
    }
    let roles: Vec<&str> = ordered
        .iter()
        .map(|line| {
            if line.contains("recvonly") {
                "r"
            } else if line.contains("sendonly") {
                "s"
            } else {
                ""
            }
        })
        .collect();
    assert_eq!(roles.concat(), "sr");
    assert!(ordered.last().unwrap().starts_with("[\"close\",null,1000,"));
    assert_eq!(in_order(&ordered), ordered, "what is in order stays as it is");
    // A crash may leave some of the text that was in no order behind the one that is.
    for left in [1, 3, lines.len() - 1] {
        let behind = [&ordered[..], &lines[left..]].concat();
        assert_eq!(in_order(&behind), ordered, "{left} lines are gone");
    }
}

/// The entries of a push: as browsers and native clients write them.
fn stats() -> impl Strategy<Value = Value> {
    let id = prop::sample::select(vec!["A", "RTCOutboundRTPVideoStream_148236668", "CF1", "{é\"}", "0"]);
    let member = (
        prop::sample::select(vec!["trackId", "bytesSent", "priority", "ratio", "nested", "list", "state", "codecId"]),
        prop::sample::select(vec![
            json!(0),
            json!(9_115_005_270_282_338_814_u64),
            json!(0.128),
            json!("A"),
            json!("RTCOutboundRTPVideoStream_148236668"),
            json!(""),
            json!(null),
            json!(true),
            json!({"none": 0.5, "cpu": 1}),
            json!([1, "2"]),
        ]),
    );
    let kind =
        prop::sample::select(vec!["outbound-rtp", "track", "stream", "csrc", "certificate", "remote-inbound-rtp"]);
    let time = prop::sample::select(vec![1_796_008_504_000.125, 1_796_008_504_001.0, 1_796_008_503_000.5]);
    let entry = (kind, time, prop::collection::btree_map(member.0, member.1, 0..5));
    prop::collection::btree_map(id, entry, 0..4).prop_map(|entries| {
        let entries = entries.into_iter().map(|(id, (kind, time, members))| {
            let mut entry = json!({"id": id, "timestamp": time, "type": kind});
            members.into_iter().for_each(|(name, value)| entry[name] = value);
            entry
        });
        Value::Array(entries.collect())
    })
}

proptest! {
    #[test]
    fn every_push_is_there_once_with_its_values(
        pushes in prop::collection::vec(stats(), 1..8),
        order in prop::collection::vec((any::<prop::sample::Index>(), prop::bool::weighted(0.2)), 1..24),
    ) {
        let (mut translator, mut lines) = (Translator::new(1 << 20), Vec::new());
        let mut came: Vec<usize> = Vec::new();
        for (which, restarts) in order {
            if restarts {
                translator = replayed(&lines);
            }
            let which = which.index(pushes.len());
            let done = push(&mut translator, &body(which as u32, &pushes[which]), &mut lines);
            prop_assert_eq!(done == Translated::Held, came.contains(&which));
            if done == Translated::Stored {
                came.push(which);
            }
        }
        let given = |which: &usize| (format!("PUSH{which}"), expected(&pushes[*which]));
        prop_assert_eq!(reports(&lines), came.iter().map(given).collect::<Vec<_>>());
        prop_assert_eq!(translator.is_ordered(), came.is_sorted());
        let ordered = in_order(&lines);
        came.sort_unstable();
        prop_assert_eq!(reports(&ordered), came.iter().map(given).collect::<Vec<_>>());
        let before: Vec<f64> = ordered.iter().map(|line| Line::parse(line).unwrap().delta()).collect();
        prop_assert!(before.iter().all(|delta| *delta >= 0.0));
    }
}
