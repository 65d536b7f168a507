//! What views by minutes make of reports: each second, each minute, and with gaps.

use std::time::Duration;

use rtctrace_protocol::event::SessionDecoder;

use super::{RowBatch, RowFilter, write_rows};
use crate::session::SessionId;
use crate::store::database::tests::server::{Server, TestDatabase};
use crate::store::database::{Database, Row};

/// The beginning of a minute (Unix ms).
const START: u64 = 1_795_159_380_000;

/// A report: how many seconds after the start, and how many packets were received and lost until then.
#[derive(Debug, Clone, Copy)]
struct Said {
    at: u64,
    packets: u64,
    lost: u64,
}

const fn said(at: u64, packets: u64, lost: u64) -> Said {
    Said { at, packets, lost }
}

/// Writes the rows of reports with a stream each way and a pair.
async fn write(database: &Database, interval: Duration, reports: &[Said]) {
    let (session, mut time) = (SessionId::new(), 0);
    let (mut decoder, mut filter, mut rows) = (SessionDecoder::new(), RowFilter::new(interval), RowBatch::default());
    for Said { at, packets, lost } in reports {
        let now = START + at * 1000;
        let entries = if *packets == GONE {
            r#""I":null,"O":null,"P":null,"X":{"type":"peer-connection"}"#.to_owned()
        } else {
            format!(
                r#""I":{{"type":"inbound-rtp","kind":"video","packetsReceived":{packets},"packetsLost":{lost},"bytesReceived":{0},"totalFreezesDuration":{1}}},
                "O":{{"type":"outbound-rtp","kind":"video","packetsSent":{packets},"bytesSent":{0},"nackCount":{lost}}},
                "P":{{"type":"candidate-pair","bytesSent":{0},"bytesReceived":{0}}}"#,
                packets * 100,
                *packets as f64 / 1000.0
            )
            .replace('\n', " ")
        };
        let line = format!(r#"["getStats","PC_0",{{{entries},"t":{now}}},{}]"#, now - time);
        time = now;
        let event = decoder.decode(&line).unwrap();
        filter.rows(session, "PC_0", event.value.report().unwrap(), event.time, &mut rows);
    }
    filter.end(session, &decoder, &mut rows);
    let mut transaction = database.begin().await.unwrap();
    write_rows(&mut transaction, &rows.take()).await.unwrap();
    transaction.commit().await.unwrap();
}

/// Of each minute its number, what was received and lost in it, and for how long counters ran.
async fn received(database: &Database) -> Vec<(i64, i64, i64, f64)> {
    let minutes = "SELECT (extract(epoch FROM bucket)::bigint - 1795159380) / 60 AS minute, packets_received_gain AS packets, \
         packets_lost_gain AS lost, seconds::double precision AS seconds FROM inbound_rtp_minute ORDER BY 1";
    let read = |row: &Row| {
        let integer = |name| row.integer(name).unwrap().unwrap();
        (integer("minute"), integer("packets"), integer("lost"), row.real("seconds").unwrap().unwrap())
    };
    database.read(minutes, &[]).await.unwrap().iter().map(read).collect()
}

/// With TimescaleDB and without: each database, and what it lives by.
async fn databases() -> [(TestDatabase, Option<Server>, Database); 2] {
    let plain = Server::plain();
    let (with, without) = (TestDatabase::new().await, plain.database().await);
    let [one, two] = [Database::open(&with.url).await.unwrap(), Database::open(&without.url).await.unwrap()];
    [(with, None, one), (without, Some(plain), two)]
}

const ALL: Duration = Duration::ZERO;
/// A report without the streams.
const GONE: u64 = u64::MAX;

#[tokio::test]
async fn of_reports_a_minute_apart_each_minute_has_what_came_since_the_one_before() {
    for (_test, _server, database) in databases().await {
        // One is missing, and then more than one.
        let reports = [
            said(10, 100, 0),
            said(70, 3100, 30),
            said(130, 6100, 20),
            said(250, 12_100, 50),
            said(610, 30_100, 90),
            said(670, 33_100, 90),
        ];
        write(&database, ALL, &reports).await;
        let expected = [
            (0, 0, 0, 0.0),
            (1, 3000, 30, 60.0),
            // Ten came late after all.
            (2, 3000, 0, 60.0),
            (4, 6000, 30, 120.0),
            (10, 0, 0, 0.0),
            (11, 3000, 0, 60.0),
        ];
        assert_eq!(received(&database).await, expected);
        let others = "SELECT (SELECT sum(packets_sent) FROM fleet_outbound_minute)::bigint AS sent, \
             (SELECT sum(bytes_received) FROM fleet_network_minute)::bigint AS bytes, \
             (SELECT sum(nack_count_gain) FROM outbound_rtp_minute)::bigint AS nacks, \
             (SELECT sum(total_freezes_duration) FROM fleet_inbound_minute) AS frozen, \
             (SELECT sum(seconds) FROM fleet_inbound_minute)::bigint AS seconds";
        let rows = database.read(others, &[]).await.unwrap();
        let sum = |name| rows[0].integer(name).unwrap();
        let sums = ["sent", "bytes", "nacks", "seconds"].map(sum);
        assert_eq!(sums, [Some(15_000), Some(1_500_000), Some(60), Some(300)]);
        assert!((rows[0].real("frozen").unwrap().unwrap() - 15.0).abs() < 1e-9);
    }
}

#[tokio::test]
async fn of_reports_each_second_nothing_is_left_out_or_counted_twice() {
    for (_test, _server, database) in databases().await {
        let reports: Vec<Said> = (30..200).map(|at| said(at, 50 * at, at / 10)).collect();
        write(&database, ALL, &reports).await;
        let expected = [(0, 1450, 2, 29.0), (1, 3000, 6, 60.0), (2, 3000, 6, 60.0), (3, 1000, 2, 20.0)];
        assert_eq!(received(&database).await, expected);
    }
}

#[tokio::test]
async fn a_counter_that_begins_anew_and_a_stream_that_comes_again_gain_nothing_by_it() {
    for (_test, _server, database) in databases().await {
        let reports = [
            said(10, 100_000, 0),
            said(70, 103_000, 0),
            // Anew.
            said(130, 500, 0),
            said(150, 1500, 0),
            said(190, 3500, 0),
            said(200, GONE, 0),
            said(250, 9000, 0),
            said(310, 12_000, 0),
        ];
        write(&database, ALL, &reports).await;
        let minutes = received(&database).await;
        let gained: Vec<_> = minutes.iter().map(|(minute, packets, ..)| (*minute, *packets)).collect();
        assert_eq!(gained, [(0, 0), (1, 3000), (2, 1000), (3, 2000), (4, 0), (5, 3000)]);
    }
}

#[tokio::test]
async fn what_stood_still_did_so_until_the_report_before() {
    for (_test, _server, database) in databases().await {
        // Muted for five minutes, of which there are no rows.
        let reports = [10, 70, 130, 190, 250, 310, 370].map(|at| said(at, if at < 370 { 100 } else { 3100 }, 0));
        write(&database, ALL, &reports).await;
        assert_eq!(received(&database).await, [(0, 0, 0, 0.0), (6, 3000, 0, 60.0)]);
    }
}

#[tokio::test]
async fn with_an_interval_nothing_is_left_out_either() {
    for (_test, _server, database) in databases().await {
        let reports: Vec<Said> = (10..250).map(|at| said(at, 50 * at, 0)).collect();
        write(&database, Duration::from_secs(120), &reports).await;
        // Rows at 10, 130, and of the last state.
        assert_eq!(received(&database).await, [(0, 0, 0, 0.0), (2, 6000, 0, 120.0), (4, 5950, 0, 119.0)]);
    }
}
