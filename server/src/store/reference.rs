//! `doc/features.md`, written from the tables of features and columns. This test says when the file is not what they say;
//! `RTCTRACE_TEST_WRITE=1 cargo test -p rtctrace --lib reference` writes it.

use std::fmt::Write as _;
use std::path::Path;

use rtctrace_features::{CLIENT_FEATURES, CONNECTION_FEATURES, Feature, Kind, TRACK_FEATURES};

use super::stats::{self, TABLES};

const HEAD: &str = "\
# Features and columns

What rtctrace computes of a session, and where it stands. **Features** are in the API (`GET /api/v1/sessions/{id}`, camelCase names), in
`rtctrace features FILE`, and in the tables `features_client`, `features_connection` and `features_track` (snake_case columns). A
session that was over and goes on has the rows of its last end until the next: count those whose `sessions.state` is `ended`.
**Stats** are the entries of `getStats`, a row whenever more of an entry changed than its time, in one table per type.

A feature without a value is absent, NULL in the database. Those marked *upstream* have the name, the meaning and the value that rtcstats gives
them. Of the distributions, `...Mean` weighs every sample alike, and `...P5`, `...P50` and `...P95` are quantiles of the samples. A sample is a
report for what reports tell as it is (round trip, jitter, available bit rate, loss at the far end), and a pair of successive reports for what is computed from
counters; reports closer together than 250 ms count as one.
";

fn features(text: &mut String, title: &str, table: &str, about: &str, features: &[Feature]) {
    let _ = write!(text, "\n## {title}: `{table}`\n\n{about}\n\n");
    text.push_str(
        "| feature | column | type | unit | what it says | formula | from |\n|---|---|---|---|---|---|---|\n",
    );
    for feature in features {
        let kind = match feature.kind {
            Kind::Bool => "boolean",
            Kind::Integer => "integer",
            Kind::Double => "number",
            Kind::Time => "time",
            Kind::Text => "text",
            Kind::Json => "JSON",
        };
        let upstream = if feature.upstream { " *(upstream)*" } else { "" };
        let cells = [feature.about, feature.formula, feature.source].map(|cell| cell.replace('|', "\\|"));
        let [about, formula, source] = cells;
        let _ = writeln!(
            text,
            "| `{}`{upstream} | `{}` | {kind} | {} | {about} | {formula} | {source} |",
            feature.name,
            feature.column,
            feature.unit.symbol()
        );
    }
}

fn columns(text: &mut String) {
    for table in TABLES.iter() {
        let _ = write!(text, "\n## Stats: `{}`\n\n", table.name);
        match table.entry_kinds() {
            [] => text.push_str("Entries of every type that no other table has; their members are in `extra`.\n\n"),
            kinds => {
                let _ = write!(
                    text,
                    "Entries of type `{}` ([webrtc-stats](https://www.w3.org/TR/webrtc-stats/#rtcstatstype-*)).\n\n",
                    kinds.join("`, `")
                );
            }
        }
        text.push_str("| column | member | type | unit |\n|---|---|---|---|\n");
        for (column, member) in table.columns.iter().zip(table.members()) {
            let kind = match column.kind {
                stats::Kind::Integer => "bigint",
                stats::Kind::Real => "double precision",
                stats::Kind::Text => "text",
                stats::Kind::Bool => "boolean",
                stats::Kind::Json => "jsonb",
            };
            let _ = writeln!(text, "| `{}` | `{member}` | {kind} | {} |", column.name, column.unit());
        }
    }
}

fn reference() -> String {
    let mut text = HEAD.to_owned();
    features(&mut text, "Of a client", "features_client", "One row per session.", CLIENT_FEATURES);
    let about = "One row per `RTCPeerConnection` of a session, with its `connection_id` and its `position` among them.";
    features(&mut text, "Of a connection", "features_connection", about, CONNECTION_FEATURES);
    let about = "One row per track of a connection, with the `connection_id` and the track's `position` in it.";
    features(&mut text, "Of a track", "features_track", about, TRACK_FEATURES);
    text.push_str(
        "\n# Stats tables\n\nEach has the key `time` (the entry's own timestamp; where that is not later than the time of its row before, the \
         report's, else the next microsecond), `session_id`, `connection_id`, `stats_id` (the entry's `id`), then the columns \
         below, then `extra`: every member that has no column, or whose value is of another type, as JSON. Counters are as the browser gives them: from the beginning of the stream on.\n",
    );
    columns(&mut text);
    text
}

#[test]
fn the_reference_is_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../doc/features.md");
    let reference = reference();
    if std::env::var_os("RTCTRACE_TEST_WRITE").is_some() {
        std::fs::write(&path, &reference).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == reference,
        "doc/features.md is not what the tables say; the head of server/src/store/reference.rs says how it is written"
    );
}
