//! What Sora counts itself, of connections and of nodes: each change is a row, value by value, however and in whatever order it came.

use serde_json::{Map, Value, json};

use super::{JSON, Link, START, base32, body, counting, notice, session_of, start, time};
use crate::support::*;

const CONNECTIONS: &str = "stats_sora_connection";
const NODES: &str = "stats_erlang_vm";
/// Beyond what a double tells apart, and beyond `bigint`.
const EXACT: u64 = 9_007_199_254_740_993;
const HUGE: u64 = 18_446_744_073_709_551_615;

/// Sora's own push of a connection.
fn counted(connection: &str, number: i64, stats: &Value) -> Value {
    let mut push = body(connection, number * 1000, stats);
    push["type"] = json!("connection.sora");
    push
}

/// A push of a node.
fn node(name: &str, number: i64, stats: &Value) -> Value {
    json!({"type": "node.erlang-vm", "id": base32(&format!("N{number}")), "timestamp": time(number * 1000), "label": "rooms",
        "version": "2024.1.0", "node_name": name, "stats": stats})
}

fn total(total: i64) -> Value {
    json!([{"rtp": {"total_received_rtp": total}}])
}

fn memory(total: i64) -> Value {
    json!([{"type": "erlang-vm-memory", "total": total}])
}

/// The rows of a table by their times, without their sessions: what is NULL is left out, and `extra` is JSON.
async fn rows(collector: &Collector, table: &str) -> Vec<Map<String, Value>> {
    let mut rows = collector.query(&format!("SELECT * FROM {table} ORDER BY time, stats_id")).await;
    for row in &mut rows {
        row.remove("session_id");
        row.retain(|_, value| !value.is_null());
        if let Some(Value::String(text)) = row.get("extra") {
            let extra = serde_json::from_str(text).unwrap();
            row.insert("extra".to_owned(), extra);
        }
        let time = &row["time"];
        let micros = match time.as_str() {
            Some(text) => chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros(),
            None => (time.as_f64().unwrap() * 1000.0).round() as i64,
        };
        row.insert("time".to_owned(), json!(micros - START * 1000));
    }
    rows
}

/// The times of a table's rows, in seconds since the start, and this column of them.
async fn told(collector: &Collector, table: &str, column: &str) -> Vec<(i64, i64)> {
    let rows = rows(collector, table).await;
    rows.iter().map(|row| (row["time"].as_i64().unwrap() / 1_000_000, row[column].as_i64().unwrap())).collect()
}

async fn session_of_node(collector: &Collector) -> String {
    until("the node is a session", async || {
        let list = collector.get("/api/v1/sessions?source=sora-node").await.json();
        Some(list["sessions"].as_array()?.first()?["id"].as_str()?.to_owned())
    })
    .await
}

#[tokio::test]
async fn what_sora_counts_is_read_back_value_by_value() {
    let collector = start(&[("RTCTRACE_SORA_IDLE_TIMEOUT", "1s")]);
    let (by_http2, by_http1) = (Link::http2(&collector).await, Link::http1(&collector));
    let connection = base32("K1");
    let counters = json!({
        "channel_id": "standup", "timestamp": time(500),
        "rtp": {"total_received_rtp": 7, "total_received_rtp_byte_size": EXACT, "total_sent_rtp": HUGE, "total_received_rtp_rtx": 3,
            "total_sent_rtp_byte_size": "many"},
        "network_status": {"unstable_level": 2, "total_unstable_level0": 0},
        "simulcast": {"r0": {"rtp": {"total_received_rtp": 5}, "rtp_hdrext": {}}},
        "lanes": [1, {"a": HUGE}], "nothing": null, "is_relayed": true, "factor": 1.5,
    });
    assert_eq!(by_http1.push(&counted(&connection, 1, &counters)).await, 204);
    let of_type = json!([{"id": "S1", "type": "srtp", "timestamp": START + 2000, "total_sent_srtp": 12, "other": 1}, {"type": "srtp"}]);
    assert_eq!(by_http2.push(&counted(&connection, 2, &of_type)).await, 204);
    let vm = json!([
        {"type": "erlang-vm-memory", "total": EXACT, "processes": 2, "processes_used": 3, "system": 4, "atom": 5, "atom_used": 6, "binary": 7,
            "code": 8, "ets": 9, "maximum": 10},
        {"type": "erlang-vm-statistics", "context_switches": 1, "exact_reductions": {"exact_reductions_since_last_call": 2, "total_exact_reductions": 3},
            "garbage_collection": {"number_of_gcs": 4, "words_reclaimed": 5}, "io": {"input": 6, "output": 7}, "run_queue": 8,
            "run_queue_lengths": [8, 0], "runtime": {"total_run_time": 9}, "total_run_queue_lengths_all": 11},
    ]);
    assert_eq!(by_http2.push(&node("sora@10.0.0.1", 3, &vm)).await, 204);

    let session = session_of(&collector, &connection).await;
    collector.stored(&session).await;
    let expected = [
        json!({"time": 500_000, "connection_id": connection, "stats_id": "#0", "rtp_total_received_rtp": 7,
            "rtp_total_received_rtp_byte_size": EXACT, "network_status_unstable_level": 2, "network_status_total_unstable_level0": 0,
            "extra": {"channel_id": "standup", "rtp.total_sent_rtp": HUGE, "rtp.total_received_rtp_rtx": 3, "rtp.total_sent_rtp_byte_size": "many",
                "simulcast.r0.rtp.total_received_rtp": 5, "simulcast.r0.rtp_hdrext": {}, "lanes": [1, {"a": HUGE}], "nothing": null,
                "is_relayed": true, "factor": 1.5}}),
        json!({"time": 2_000_000, "connection_id": connection, "stats_id": "S1", "type": "srtp", "srtp_total_sent_srtp": 12, "extra": {"other": 1}}),
        json!({"time": 2_000_000, "connection_id": connection, "stats_id": "srtp", "type": "srtp"}),
    ];
    assert_eq!(json!(rows(&collector, CONNECTIONS).await), json!(expected));
    let expected = [
        json!({"time": 3_000_000, "connection_id": "sora@10.0.0.1", "stats_id": "erlang-vm-memory", "type": "erlang-vm-memory", "memory_total": EXACT,
            "memory_processes": 2, "memory_processes_used": 3, "memory_system": 4, "memory_atom": 5, "memory_atom_used": 6, "memory_binary": 7,
            "memory_code": 8, "memory_ets": 9, "extra": {"maximum": 10}}),
        json!({"time": 3_000_000, "connection_id": "sora@10.0.0.1", "stats_id": "erlang-vm-statistics", "type": "erlang-vm-statistics",
            "statistics_context_switches": 1, "statistics_exact_reductions_total_exact_reductions": 3,
            "statistics_garbage_collection_number_of_gcs": 4, "statistics_garbage_collection_words_reclaimed": 5, "statistics_io_input": 6,
            "statistics_io_output": 7, "statistics_run_queue": 8, "statistics_runtime_total_run_time": 9,
            "statistics_total_run_queue_lengths_all": 11,
            "extra": {"exact_reductions.exact_reductions_since_last_call": 2, "run_queue_lengths": [8, 0]}}),
    ];
    let of_node = session_of_node(&collector).await;
    collector.stored(&of_node).await;
    assert_eq!(json!(rows(&collector, NODES).await), json!(expected));

    let get = async |session: &str, rest: &str| {
        let answer = collector.get(&format!("/api/v1/sessions/{session}/stats/{rest}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    };
    let series =
        get(&session, "sora-connection?member=rtp.total_received_rtp,simulcast.r0.rtp.total_received_rtp").await;
    let one = |member: &str, unit: Option<&str>, value: i64| {
        let mut series = json!({"connection": connection, "entry": "#0", "member": member, "times": [START + 500], "values": [value]});
        if let Some(unit) = unit {
            series["unit"] = json!(unit);
        }
        series
    };
    assert_eq!(
        series.json()["series"],
        json!([one("rtp.total_received_rtp", Some("1"), 7), one("simulcast.r0.rtp.total_received_rtp", None, 5)])
    );
    let file = get(&session, "sora-connection?format=csv").await.text();
    assert!(file.contains(&EXACT.to_string()) && file.contains(&HUGE.to_string()), "{file}");
    let series = get(&of_node, "erlang-vm?entry=erlang-vm-memory&member=memory.binary").await.json();
    assert_eq!((&series["series"][0]["unit"], &series["series"][0]["values"]), (&json!("byte"), &json!([7])));
    assert_eq!(get(&session, "other").await.json()["series"], json!([]));
    assert_eq!(collector.metric(&format!("rtctrace_stats_rows_total{{table=\"{NODES}\"}}")).await, 2.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_one_row_in_whatever_order_it_came_and_after_a_crash() {
    let mut collector = start(&[("RTCTRACE_SORA_IDLE_TIMEOUT", "6s")]);
    let connection = base32("K2");
    // Every state is told twice.
    let state = |number: i64| 100 + number / 2;
    let push = async |collector: &Collector, numbers: &[i64]| {
        let link = Link::http2(collector).await;
        for number in numbers {
            for push in [
                counted(&connection, *number, &total(state(*number))),
                node("sora@10.0.0.1", *number, &memory(state(*number))),
            ] {
                assert_eq!(link.push(&push).await, 204);
            }
        }
    };
    push(&collector, &[0, 1, 2, 3, 3, 0]).await;
    until("rows come while it runs", async || {
        let found = (
            told(&collector, CONNECTIONS, "rtp_total_received_rtp").await.len(),
            told(&collector, NODES, "memory_total").await.len(),
        );
        (found == (2, 2)).then_some(())
    })
    .await;
    let id = session_of(&collector, &connection).await;
    assert_eq!(collector.session(&id).await["state"], "live");
    collector.crash();
    collector.restart();
    push(&collector, &[5, 7, 4, 6, 9, 2, 8, 5]).await;
    let link = Link::http1(&collector);
    link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&connection))).await;
    let of_node = session_of_node(&collector).await;
    for id in [&id, &of_node] {
        collector.stored(id).await;
    }
    let expected: Vec<(i64, i64)> = (0..10).step_by(2).map(|number| (number, state(number))).collect();
    let assert_rows = async |collector: &Collector| {
        assert_eq!(told(collector, CONNECTIONS, "rtp_total_received_rtp").await, expected);
        assert_eq!(told(collector, NODES, "memory_total").await, expected);
    };
    assert_rows(&collector).await;

    let before = (rows(&collector, CONNECTIONS).await, rows(&collector, NODES).await);
    let dir = collector.dir.path().to_owned();
    let url = collector.server.as_ref().map(|server| server.url.clone());
    let variables: Vec<(&str, &str)> = url.iter().map(|url| (DATABASE_URL, url.as_str())).collect();
    let (success, printed, errors) = tokio::task::block_in_place(|| run(&dir, &["reprocess"], &variables));
    assert!(success && printed == "2 sessions reprocessed\n", "{printed}{errors}");
    assert_eq!((rows(&collector, CONNECTIONS).await, rows(&collector, NODES).await), before);

    // A dump that another collector takes in gives the same, and goes with its age.
    let mut other = start(&[]);
    for id in [&id, &of_node] {
        let (header, lines) = collector.dump(id).await;
        let mut header = header.as_object().unwrap().clone();
        header.insert("startTime".to_owned(), json!(1_500_000_000_000_i64));
        let dump = format!("RTCStatsDump\n{}\n{}\n", Value::Object(header), lines.join("\n"));
        let answer = other.request("POST", "/api/v1/dumps", "", &dump).await;
        let taken =
            answer.json()["dumps"][0]["session"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned();
        other.stored(&taken).await;
    }
    assert_rows(&other).await;
    tokio::task::block_in_place(|| other.stop());
    other.set("RTCTRACE_RETENTION_SESSIONS", "1d");
    other.restart();
    until("they are gone", async || other.sessions().await.is_empty().then_some(())).await;
    for table in [CONNECTIONS, NODES] {
        assert!(rows(&other, table).await.is_empty());
    }

    let request = collector.request("DELETE", &format!("/api/v1/sessions/{id}"), "", "").await;
    assert_eq!(request.status, 204);
    assert!(rows(&collector, CONNECTIONS).await.is_empty());
    assert_eq!(told(&collector, NODES, "memory_total").await, expected, "another's stay");
}

#[tokio::test]
async fn lines_that_another_client_calls_so_are_no_counters_of_soras() {
    let collector = start(&[]);
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    let stats = r#"[":sora.stats",null,[{"type":"erlang-vm-memory","total":1}],{"timestamp":"2026-11-29T20:15:00Z"},1795983300000]"#;
    socket.send(format!("{stats}\n[36,null,null,1]")).await;
    socket.acknowledged(2).await;
    collector.stored(&session).await;
    assert!(rows(&collector, NODES).await.is_empty());
}

#[tokio::test]
async fn what_sora_counts_itself_is_kept() {
    let collector = start(&[("RTCTRACE_SORA_IDLE_TIMEOUT", "1s")]);
    let link = Link::http2(&collector).await;
    let connection = base32("E1");
    let mut counters = body(&connection, 0, &json!({"rtp": {"total_received": 7}}));
    counters["type"] = json!("connection.sora");
    assert_eq!(link.push(&counters).await, 204);
    assert_eq!(link.push(&body(&connection, 1000, &counting(1))).await, 204);
    let node = json!({"type": "node.erlang-vm", "id": base32("N"), "timestamp": time(0), "label": "rooms", "version": "2025.1.0",
        "node_name": "sora@10.0.0.1", "stats": [{"type": "erlang-vm-memory", "total": 5}]});
    assert_eq!(link.push(&node).await, 204);
    assert_eq!(link.push(&node).await, 204);
    let (_, lines) = collector.dump(&session_of(&collector, &connection).await).await;
    assert!(
        lines
            .iter()
            .any(|line| line
                .starts_with(&format!(r#"[":sora.stats","{connection}",[{{"rtp":{{"total_received":7}}}}],"#))),
        "{lines:?}"
    );
    let nodes = collector.get("/api/v1/sessions?source=sora-node").await.json();
    let (_, lines) = collector.dump(nodes["sessions"][0]["id"].as_str().unwrap()).await;
    assert_eq!(lines.iter().filter(|line| line.contains("erlang-vm-memory")).count(), 1);
}

#[tokio::test]
async fn the_exporter_speaks_http2_only() {
    let collector = start(&[]);
    let mut push = body(&base32("G1"), 0, &counting(1));
    push["type"] = json!("connection.user-agent");
    let answer = Link::http1(&collector).post("/collector", &[JSON], push.to_string()).await.unwrap();
    answer.problem(400, "http-version");
    assert_eq!(Link::http2(&collector).await.push(&push).await, 204);
}
