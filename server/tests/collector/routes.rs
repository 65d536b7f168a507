//! Answers of the API to the letter, but for those of lists and stats.

use crate::seed::{self, assert_snapshot, assert_snapshot_of, id};
use crate::support::*;

#[tokio::test]
async fn the_document_of_the_api_changes_with_the_api_alone() {
    let collector = Collector::start(&[]);
    let answer = collector.get("/api/v1/openapi.json").await;
    assert_snapshot("openapi.json", &answer);
}

#[tokio::test]
async fn whoever_asks_for_health_reads_this() {
    let collector = Collector::start(&[]);
    assert_eq!(collector.get("/healthz").await.text(), "ok\n");
    assert_snapshot("readyz.json", &collector.get("/readyz").await);
}

#[tokio::test]
async fn a_dump_has_the_answers_of_its_session() {
    let collector = Collector::start(&[]);
    let dump = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/recordings/rich-session.jsonl");
    let dump = std::fs::read_to_string(dump).unwrap();
    let taken = collector.request("POST", "/api/v1/dumps", "", &dump).await;
    assert_snapshot_of("uploaded.json", 201, &taken);
    let session = taken.json()["dumps"][0]["session"].as_str().unwrap().to_owned();
    collector.dump(&session).await;
    let path = format!("/api/v1/sessions/{session}");
    assert_snapshot("session-of-a-dump.json", &collector.get(&path).await);
    assert_snapshot("sessions-of-a-dump.json", &collector.get("/api/v1/sessions").await);

    let removed = collector.request("DELETE", &path, "", "").await;
    assert_eq!((removed.status, removed.text()), (204, String::new()));
    assert_snapshot_of("unknown-session.json", 404, &collector.get(&path).await);
    assert_snapshot_of("no-dump.json", 422, &collector.request("POST", "/api/v1/dumps", "", "none").await);
}

#[tokio::test]
async fn what_became_of_a_users_sessions_is_counted() {
    let collector = seed::collector().await;
    assert_snapshot("removed.json", &collector.request("DELETE", "/api/v1/sessions?user=ann", "", "").await);
    collector.get(&format!("/api/v1/sessions/{}", id(1))).await.problem(404, "unknown-session");
    assert_eq!(collector.get(&format!("/api/v1/sessions/{}", id(3))).await.status, 200);
}
