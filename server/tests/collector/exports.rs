//! Exports as files: that Parquet says what CSV says.

use bytes::Bytes;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;

use crate::seed::{self, id};
use crate::support::*;

/// The fields of a CSV file, row by row; `None` is an empty one without quotes.
fn csv(text: &str) -> Vec<Vec<Option<String>>> {
    let (mut rows, mut row, mut chars) = (Vec::new(), Vec::new(), text.chars().peekable());
    while chars.peek().is_some() {
        let mut field = String::new();
        let is_quoted = chars.next_if_eq(&'"').is_some();
        if is_quoted {
            loop {
                match chars.next().unwrap() {
                    '"' if chars.next_if_eq(&'"').is_none() => break,
                    c => field.push(c),
                }
            }
        }
        while let Some(c) = chars.next_if(|c| !matches!(c, ',' | '\r')) {
            field.push(c);
        }
        row.push((is_quoted || !field.is_empty()).then_some(field));
        if chars.next() == Some('\r') {
            assert_eq!(chars.next(), Some('\n'));
            rows.push(std::mem::take(&mut row));
        }
    }
    rows
}

/// A value as CSV has it.
fn text(field: &Field) -> Option<String> {
    let date = |micros, format| {
        let date = chrono::DateTime::from_timestamp_micros(micros).unwrap();
        Some(date.to_rfc3339_opts(format, true))
    };
    match field {
        Field::Null => None,
        Field::Bool(value) => Some(value.to_string()),
        Field::Long(value) => Some(value.to_string()),
        Field::Double(value) => Some(value.to_string()),
        Field::Str(value) => Some(value.clone()),
        Field::TimestampMillis(millis) => date(millis * 1000, chrono::SecondsFormat::Millis),
        Field::TimestampMicros(micros) => date(*micros, chrono::SecondsFormat::Micros),
        other => panic!("a column has the type of {other:?}"),
    }
}

/// Names and rows of a Parquet file, as those of CSV.
fn parquet(answer: &Answer) -> Vec<Vec<Option<String>>> {
    assert_eq!(answer.header("content-type"), "application/vnd.apache.parquet");
    let file = SerializedFileReader::new(Bytes::from(answer.body.clone())).unwrap();
    let columns = file.metadata().file_metadata().schema_descr().columns();
    let names = columns.iter().map(|column| Some(column.name().to_owned())).collect();
    let row = |row: parquet::errors::Result<parquet::record::Row>| {
        row.unwrap().get_column_iter().map(|(_, field)| text(field)).collect()
    };
    std::iter::once(names).chain(file.get_row_iter(None).unwrap().map(row)).collect()
}

/// Asks for both formats of a file.
async fn both(collector: &Collector, path: &str) -> usize {
    let separator = if path.contains('?') { '&' } else { '?' };
    let comma_separated = collector.get(&format!("{path}{separator}format=csv")).await;
    let typed = collector.get(&format!("{path}{separator}format=parquet")).await;
    assert_eq!((comma_separated.status, typed.status), (200, 200), "{path}");
    let name = typed.header("content-disposition");
    assert_eq!(name.replace(".parquet\"", ".csv\""), comma_separated.header("content-disposition"));
    let (expected, found) = (csv(&comma_separated.text()), parquet(&typed));
    assert_eq!(found.len(), expected.len(), "{path}");
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected, "{path}");
    }
    found.len() - 1
}

#[tokio::test]
async fn parquet_has_the_features_that_csv_has() {
    let collector = seed::collector().await;
    for (table, rows) in [("client", 5), ("connection", 5), ("track", 5)] {
        assert_eq!(both(&collector, &format!("/api/v1/export/features/{table}")).await, rows, "{table}");
    }
    assert_eq!(both(&collector, "/api/v1/export/features/track?user=nobody").await, 0);
    assert_eq!(both(&collector, "/api/v1/export/findings").await, 6);
    assert_eq!(both(&collector, "/api/v1/export/findings?severity=warning").await, 4);
}

#[tokio::test]
async fn parquet_has_the_rows_of_stats_that_csv_has() {
    let collector = seed::collector().await;
    let path = |kind: &str| format!("/api/v1/sessions/{}/stats/{kind}", id(3));
    for (kind, rows) in
        [("inbound-rtp", 3003), ("inbound-rtp?connection=PC_1", 3), ("remote-candidate", 1), ("codec", 0)]
    {
        assert_eq!(both(&collector, &path(kind)).await, rows, "{kind}");
    }
}

#[tokio::test]
async fn what_a_call_recorded_is_the_same_in_both_formats() {
    let collector = Collector::start(&[]);
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    let lines = whole_recording();
    for line in &lines {
        socket.send(line.clone()).await;
    }
    socket.acknowledged(lines.len()).await;
    collector.stored(&session).await;
    for table in ["client", "connection", "track"] {
        assert!(both(&collector, &format!("/api/v1/export/features/{table}")).await > 0, "{table}");
    }
    for kind in ["inbound-rtp", "outbound-rtp", "candidate-pair", "local-candidate", "codec", "transport", "other"] {
        let rows = both(&collector, &format!("/api/v1/sessions/{session}/stats/{kind}")).await;
        assert!(rows > 0 || kind == "other", "{kind}");
    }
}

#[tokio::test]
async fn a_session_of_thousands_of_tracks_is_exported_part_by_part() {
    let collector = seed::collector().await;
    let many = match crate::ON_POSTGRES {
        true => "SELECT n FROM generate_series(1, 1500) n",
        false => "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 1500) SELECT n FROM s",
    };
    let text = "x".repeat(3000);
    for session in [2, 4] {
        let insert = format!(
            "INSERT INTO features_track (session_id, connection_id, position, kind) \
             SELECT '{}', 'PC_' || n % 3, n, '{text}' FROM ({many}) s",
            id(session)
        );
        seed::execute(&collector, insert).await;
    }
    assert_eq!(both(&collector, "/api/v1/export/features/track").await, 5 + 2 * 1500);
    let rows = csv(&collector.get("/api/v1/export/features/track").await.text());
    let keys: Vec<(String, String, u32)> = rows[1..]
        .iter()
        .map(|row| [0, 15, 16].map(|at| row[at].clone().unwrap()))
        .map(|[session, connection, position]| (session, connection, position.parse().unwrap()))
        .collect();
    // Newest sessions first, each in the order of its key.
    let order = |key: &(String, String, u32)| (std::cmp::Reverse(key.0.clone()), key.1.clone(), key.2);
    assert!(keys.is_sorted_by_key(order));
}

#[tokio::test]
async fn an_export_needs_a_place_and_gives_it_back() {
    let mut collector = Collector::start(&[("RTCTRACE_LIMITS_EXPORTS", "1")]);
    for _ in 0..5 {
        assert_eq!(collector.get("/api/v1/export/features/client").await.status, 200);
        collector.get("/api/v1/export/features/client?format=xml").await.problem(400, "bad-parameter");
    }
    collector.crash();
    collector.set("RTCTRACE_LIMITS_EXPORTS", "0");
    collector.restart();
    let answer = collector.get("/api/v1/export/features/client").await;
    assert!(answer.problem(503, "too-many-exports").contains("limits.exports"));
    assert_eq!(answer.header("retry-after"), "10");
    assert_eq!(collector.get("/api/v1/sessions").await.status, 200);
}
