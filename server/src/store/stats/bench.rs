//! What rows cost the collector on their way to PostgreSQL, on the clock of its own processor time: `make bench-writer`.

use std::time::{Duration, Instant};

use rtctrace_protocol::event::SessionDecoder;
use rustix::time::{ClockId, clock_gettime};

use super::copy::encode;
use super::{RowBatch, RowFilter, StatsRow, by_table, write_rows};
use crate::session::SessionId;
use crate::store::database::tests::fresh_postgres;

/// So many times the recording is recorded.
const SESSIONS: usize = 60;
/// Rows of one transaction, about as the writer takes them when there are many.
const BATCH: usize = 20_000;
/// So many rows per CPU second are the least for all that is done to one on its way to the server.
const BAR: &str = "bar 400,000";

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
}

/// The rows of a recorded call, those that did not change among them: their ids make each of the sessions another one.
fn rows() -> Vec<StatsRow> {
    let recording = include_str!("../../../../tests/fixtures/recordings/loopback-av-60s.jsonl");
    let mut rows = RowBatch::default();
    for _ in 0..SESSIONS {
        let (mut decoder, mut filter, session) =
            (SessionDecoder::new(), RowFilter::new(Duration::ZERO), SessionId::new());
        for line in recording.lines().skip(2) {
            let event = decoder.decode(line).unwrap();
            if let (Some(report), Some(connection)) = (event.value.report(), event.connection.as_deref()) {
                filter.rows(session, connection, report, event.time, &mut rows);
            }
        }
    }
    rows.take()
}

fn say(what: &str, rows: usize, started: Duration, bar: Option<&str>) {
    let took = processor_time() - started;
    let bar = bar.map(|bar| format!(", {bar}")).unwrap_or_default();
    println!("{what}: {:.0} rows per CPU second{bar}", rows as f64 / took.as_secs_f64());
}

#[tokio::test]
#[ignore = "a measurement"]
async fn rows_per_processor_second() {
    let started = processor_time();
    let rows = rows();
    say("decode reports and make rows", rows.len(), started, None);

    let (started, mut bytes) = (processor_time(), 0);
    for _ in 0..5 {
        for batch in rows.chunks(BATCH) {
            bytes += by_table(batch).iter().map(|(_, rows)| encode(rows).len()).sum::<usize>();
        }
    }
    say("encode", rows.len() * 5, started, None);
    println!("a row has {} bytes", bytes / rows.len() / 5);

    let (_guard, database) = fresh_postgres().await;
    let (started, clock) = (processor_time(), Instant::now());
    for batch in rows.chunks(BATCH) {
        let mut transaction = database.begin().await.unwrap();
        write_rows(&mut transaction, batch).await.unwrap();
        transaction.commit().await.unwrap();
    }
    say("encode and send", rows.len(), started, Some(BAR));
    println!("{} rows in {:?} with the server beside", rows.len(), clock.elapsed());
}
