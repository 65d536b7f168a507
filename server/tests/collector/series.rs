//! What a session's reports said, as series and as rows.

use crate::seed::{self, START, assert_snapshot, id};
use crate::support::*;

async fn stats(collector: &Collector, rest: &str) -> Answer {
    collector.get(&format!("/api/v1/sessions/{}/stats/{rest}", id(3))).await
}

#[tokio::test]
async fn series_keep_their_peaks_and_no_more_points_than_were_asked_for() {
    let collector = seed::collector().await;
    let answer = stats(&collector, "inbound-rtp?member=jitter,packetsReceived&points=20").await;
    assert_snapshot("stats.json", &answer);
    // In the order of the table.
    let jitter = answer.json()["series"][1].clone();
    assert_eq!((&jitter["entry"], &jitter["member"]), (&"IT01V1".into(), &"jitter".into()));
    let values: Vec<f64> = jitter["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    let at = values.iter().position(|value| *value == 0.75).unwrap();
    assert_eq!(jitter["times"][at].as_f64(), Some((START + 200_000 + 1_234_000) as f64 + 0.125));
    assert!(values.len() <= 20);

    // All that have numbers, those without a column among them.
    let all = stats(&collector, "inbound-rtp").await.json();
    let named = |entry: &str| {
        let of = |series: &&serde_json::Value| series["entry"] == entry;
        let series: Vec<_> = all["series"].as_array().unwrap().iter().filter(of).cloned().collect();
        series.iter().map(|series| series["member"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(named("IT01V1"), ["ssrc", "packetsReceived", "jitter"]);
    let units: Vec<_> = all["series"].as_array().unwrap().iter().map(|series| series["unit"].as_str()).collect();
    assert_eq!(units, [None, Some("1"), Some("s"), Some("1"), Some("s"), None]);
    assert_eq!(named("IT02A1"), ["packetsReceived", "jitter", "newMember"]);
    let longest =
        all["series"].as_array().unwrap().iter().map(|series| series["times"].as_array().unwrap().len()).max();
    assert!((400..=500).contains(&longest.unwrap()), "{longest:?}");

    let some =
        stats(&collector, "inbound-rtp?member=newMember&member=b,powerEfficientDecoder&connection=PC_1").await.json();
    assert_eq!(some["series"][0]["values"], serde_json::json!([1, 1, 1]));
    assert_eq!(some["series"][1]["values"], serde_json::json!([0, 1, 2]));
    let range = format!("inbound-rtp?member=jitter&entry=IT02A1&from={}&to={}", START + 201_000, START + 202_000);
    let some = stats(&collector, &range).await.json();
    assert_eq!(
        (&some["series"][0]["times"], some["series"].as_array().unwrap().len()),
        (&serde_json::json!([START + 201_000]), 1)
    );
    let exact = stats(&collector, "inbound-rtp?member=jitter&entry=IT01V1&points=5000").await.json();
    assert_eq!(exact["series"][0]["times"].as_array().unwrap().len(), 3000);
    assert_eq!(stats(&collector, "codec").await.json(), serde_json::json!({ "kind": "codec", "series": [] }));
    let ports = stats(&collector, "local-candidate").await.json();
    assert_eq!(ports["series"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn rows_are_exported_with_all_their_columns() {
    let collector = seed::collector().await;
    let answer = stats(&collector, "inbound-rtp?format=csv&connection=PC_1").await;
    assert_snapshot("stats.csv", &answer);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"{}-inbound-rtp.csv\"", id(3)));
    let all = stats(&collector, "inbound-rtp?format=csv").await.text();
    assert_eq!(all.lines().count(), 1 + 3003);
    let spikes = all.lines().filter(|line| line.contains(",0.75,")).count();
    assert_eq!(spikes, 1);
    assert_snapshot("candidates.csv", &stats(&collector, "remote-candidate?format=csv").await);
}

#[tokio::test]
async fn what_cannot_be_asked_is_a_problem() {
    let collector = seed::collector().await;
    for kind in ["inbound_rtp", "stats_codec", "%ff", "'", "x;DROP"] {
        let detail = stats(&collector, kind).await.problem(404, "unknown-kind");
        assert!(detail.contains("inbound-rtp, outbound-rtp") && detail.contains("other"), "{detail}");
    }
    assert!(
        stats(&collector, "inbound-rpt").await.problem(404, "unknown-kind").contains("did you mean `inbound-rtp`?")
    );
    let unknown = collector.get(&format!("/api/v1/sessions/{}/stats/codec", new_session())).await;
    unknown.problem(404, "unknown-session");
    collector.get("/api/v1/sessions/x/stats/codec").await.problem(400, "bad-session-id");
    let many = format!("member={}", "a,".repeat(300));
    for (query, expected) in [
        ("points=1", "from 2 to 5000"),
        ("points=5001", "from 2 to 5000"),
        ("points=99999999999999999999", "from 2 to 5000"),
        ("member=kind", "kind is no number"),
        ("format=xml", "there are json, csv, parquet"),
        ("membr=jitter", "did you mean `member`?"),
        ("from=x", "a time"),
        (&many, "more than 200"),
    ] {
        let detail = stats(&collector, &format!("inbound-rtp?{query}")).await.problem(400, "bad-parameter");
        assert!(detail.contains(expected), "{query}: {detail}");
    }
    for query in ["connection=%00", "entry=%27%20OR%201=1", "member=%00,'", "member=nothing"] {
        assert_eq!(
            stats(&collector, &format!("inbound-rtp?{query}")).await.json()["series"],
            serde_json::json!([]),
            "{query}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_would_be_too_large_says_how_to_narrow_it() {
    let collector = seed::collector().await;
    let row = |at: u32| {
        let members: Vec<String> = (0..3000).map(|member| format!("\"m{member}\":{at}")).collect();
        let time = if crate::ON_POSTGRES { format!("to_timestamp({at})") } else { format!("{at}000.0") };
        format!(
            "INSERT INTO stats_other (time, session_id, connection_id, stats_id, type, extra) VALUES ({time}, '{}', 'PC_0', 'x', 'new', \
             '{{{}}}'); ",
            id(3),
            members.join(",")
        )
    };
    seed::execute(&collector, row(1) + &row(2)).await;
    let detail = stats(&collector, "other").await.problem(413, "too-large");
    assert!(detail.contains("2000 series") && detail.contains("narrow it by"), "{detail}");
    assert_eq!(stats(&collector, "other?member=m7").await.json()["series"][0]["values"], serde_json::json!([1, 2]));
}
