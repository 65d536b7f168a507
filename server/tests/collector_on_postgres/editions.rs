//! PostgreSQL without TimescaleDB.

use crate::postgres::Server;
use crate::stores::assert_stats;
use crate::support::*;

#[tokio::test]
async fn a_server_without_timescale_does_with_a_warning() {
    let server = Server::plain();
    let collector = Collector::start_on(server.database().await, &[]);
    let log = std::fs::read_to_string(collector.dir.path().join("log")).unwrap();
    assert_eq!(log.matches("has no TimescaleDB").count(), 1, "{log}");
    let lines = whole_recording();
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines.join("\n")).await;
    socket.acknowledged(lines.len()).await;
    collector.stored(&session).await;
    assert_stats(&collector, &lines).await;
    let minutes = collector.query("SELECT * FROM inbound_rtp_minute").await;
    assert!(minutes.len() >= 2, "{minutes:?}");
    assert!(!collector.query("SELECT * FROM fleet_network_minute").await.is_empty());
    assert_eq!(collector.request("DELETE", &format!("/api/v1/sessions/{session}"), "", "").await.status, 204);
    assert!(collector.query("SELECT * FROM stats_inbound_rtp").await.is_empty());
}
