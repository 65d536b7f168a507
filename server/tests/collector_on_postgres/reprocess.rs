//! Rows that are made anew from dumps.

use crate::postgres::TestDatabase;
use crate::stores::assert_stats;
use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_back_from_dumps_when_the_database_is_lost() {
    let mut collector = Collector::start(&[]);
    let lines = whole_recording();
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines.join("\n")).await;
    socket.acknowledged(lines.len()).await;
    let told = async |collector: &Collector| {
        let mut told = collector.stored(&session).await;
        // By the collector's clock, which no dump has.
        told.as_object_mut().unwrap().remove("endTime");
        told
    };
    let before = told(&collector).await;
    until("the spool is empty", async || (!collector.spool(&session).exists()).then_some(())).await;
    tokio::task::block_in_place(|| collector.stop());

    let other = TestDatabase::new().await;
    collector.move_to(other);
    collector.restart();
    assert!(collector.sessions().await.is_empty());
    // Once beside a collector that runs, and once more: what is there is replaced.
    for _ in 0..2 {
        let (dir, url) = (collector.dir.path().to_owned(), collector.database_url());
        let reprocess = move || run(&dir, &["reprocess"], &[("RTCTRACE_DATABASE_URL", &url)]);
        let (success, printed, errors) = tokio::task::spawn_blocking(reprocess).await.unwrap();
        assert!(success && printed == "1 sessions reprocessed\n", "{printed}{errors}");
        assert_eq!(told(&collector).await, before);
        assert_stats(&collector, &lines).await;
    }
}
