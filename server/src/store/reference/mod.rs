//! `doc/features.md`, written from the tables of features and columns. This test says when the file is not what they say;
//! `RTCTRACE_TEST_WRITE=1 cargo test -p rtctrace --lib reference` writes it.

mod tables;

use std::fmt::Write as _;
use std::path::Path;

use rtctrace_features::{CLIENT_FEATURES, CONNECTION_FEATURES, Feature, Kind, TRACK_FEATURES};
use rtctrace_protocol::sora::Subject;

use super::database::Database;
use super::database::tests::{Types, both, columns};
use super::findings::FINDING;
use super::stats::{self, TABLES};
use tables::{Relation, VIEWS};

const HEAD: &str = "\
# Features and columns

What rtctrace computes of a session, and where it stands. **Features** are in the API (`GET /api/v1/sessions/{id}`, camelCase names), in
`rtctrace features FILE`, and in the tables `features_client`, `features_connection` and `features_track` (snake_case columns). **Findings**, what was
wrong, are beside them: `findings` of a session in the API, `rtctrace features FILE --findings`, and the table `findings`. A
session that was over and goes on has the rows of its last end until the next: count those whose `sessions.state` is `ended`.
**Stats** are the entries of `getStats`, a row whenever more of an entry changed than its time, in one table per type, and so
what the SFU Sora counts itself; over PostgreSQL, **views by minutes** sum them up. **Sessions** have a table of their own.

Features as JSON and SQLite have a time in ms since 1970, PostgreSQL as `timestamptz`. SQLite's columns are `INTEGER`, `REAL` and `TEXT` for what PostgreSQL
calls `bigint` and `boolean`, `double precision`, and all else.

A feature without a value is absent, NULL in the database. Of sessions and connections that have reports and no events, as those that the SFU Sora tells
of, what only events tell is absent, never false or 0. Those marked *upstream* have the name, the meaning and the value that rtcstats gives
them. Of the distributions, `...Mean` weighs every sample alike, and `...P5`, `...P50` and `...P95` are quantiles of the samples. A sample is a
report for what reports tell as it is (round trip, jitter, available bit rate, loss at the far end), and a pair of successive reports for what is computed from
counters; reports closer together than 250 ms count as one.
";

const STATS: &str = "
# Stats tables

Each has the columns of this table, the last of them behind its own. The first four are its key: no two rows of an entry have one time. Counters are as
the browser gives them: from the beginning of the stream on.

What Sora counts itself (`connection.sora`, `node.erlang-vm`) is pushed by entries, too. What stands in an object of one has a name by its path, such as `rtp.total_sent_rtp`, as a
column and in `extra`. An entry of a type has its own members under that name: those of `rtp` are columns of `rtp.`, those of `erlang-vm-memory` of `memory.`.

| column | type | unit | what it says | formula | from |
|---|---|---|---|---|---|
| `time` | timestamptz | ms since 1970 | The entry's time. | its own timestamp; where that is not later than the time of its row before, the report's; where that is not later either, the next microsecond | getStats: timestamp; the time of the event, or of the push |
| `session_id` | uuid |  | The session. | as it is | `sessions` |
| `connection_id` | text |  | The connection; the node, of its Erlang machine. | as it is | the event; `node_name` of a push |
| `stats_id` | text |  | The entry. | its `id` inside the dump; of what Sora counts without one, its `type`, else its place. In sessions of Sora's clients, `rtc_id` in `extra` is the `id` that the client gave it, as in Sora's log | getStats: id; Sora: id, type |
| `extra` | jsonb |  | Every member that has no column, or whose value is of another type. | as JSON | getStats; Sora |
| `before` | jsonb |  | Over PostgreSQL, in the tables that views by minutes sum up, of the first row of a minute: the entry's row before. | `seconds`: how long before; the counters that are summed up, by their columns | the row before, if it is not more than 150 s older |
";

const MINUTES: &str = "
# Views by minutes

Over PostgreSQL. The edition of TimescaleDB under its own licence keeps them ready as continuous aggregates. What a counter gained since the entry's row before the
minute is the minute's, too, if that row, or the last report that said the same, is not more than 150 s older than the first one of the minute: of reports that
come a minute apart, as those of the SFU Sora's clients do, each minute has what came since the one before.
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

fn relations(text: &mut String, title: &str, relations: &[Relation]) {
    for Relation { name, about, columns } in relations {
        let _ = write!(text, "\n## {title}: `{name}`\n\n{about}\n\n");
        text.push_str("| column | type | unit | what it says | formula | from |\n|---|---|---|---|---|---|\n");
        for tables::Column { name, kind, unit, about, formula, source } in *columns {
            let _ = writeln!(text, "| `{name}` | {kind} | {unit} | {about} | {formula} | {source} |");
        }
    }
}

fn stats_tables(text: &mut String) {
    for table in TABLES.iter() {
        let _ = write!(text, "\n## Stats: `{}`\n\n", table.name);
        let (about, from) = match (table.subject, table.entry_kinds()) {
            (Subject::Client, []) => {
                let about = "Entries of every type that no other table has; their members are in `extra`.";
                (about.to_owned(), "getStats: any".to_owned())
            }
            (Subject::Client, kinds) => (
                format!(
                    "Entries of type `{}` ([webrtc-stats](https://www.w3.org/TR/webrtc-stats/#rtcstatstype-*)).",
                    kinds.join("`, `")
                ),
                format!("getStats: {}", kinds.join(", ")),
            ),
            (Subject::Connection, _) => (
                "What the SFU Sora counts of a connection (`connection.sora`, by its \
                 [statistics API](https://sora-doc.shiguredo.jp/API_STATS)): from the connection's beginning on."
                    .to_owned(),
                "Sora: connection.sora".to_owned(),
            ),
            (Subject::Node, _) => (
                "The Erlang machine of a node of Sora's (`node.erlang-vm`): \
                 [`erlang:memory/0` and `erlang:statistics/1`](https://www.erlang.org/doc/apps/erts/erlang.html). The \
                 node stands for the connection."
                    .to_owned(),
                "Sora: node.erlang-vm".to_owned(),
            ),
        };
        let _ = write!(text, "{about}\n\n");
        text.push_str("| column | member | type | unit | formula | from |\n|---|---|---|---|---|---|\n");
        for (column, member) in table.columns.iter().zip(table.members()) {
            let kind = match column.kind {
                stats::Kind::Integer => "bigint",
                stats::Kind::Real => "double precision",
                stats::Kind::Text => "text",
                stats::Kind::Bool => "boolean",
                stats::Kind::Json => "jsonb",
            };
            let (name, unit) = (&column.name, column.unit());
            let _ = writeln!(text, "| `{name}` | `{member}` | {kind} | {unit} | the member | {from}.{member} |");
        }
    }
}

fn reference() -> String {
    let mut text = HEAD.to_owned();
    features(&mut text, "Of a client", "features_client", "One row per session.", CLIENT_FEATURES);
    let about = "One row per `RTCPeerConnection` of a session, with its `connection_id` and its `position` among them.";
    features(&mut text, "Of a connection", "features_connection", about, CONNECTION_FEATURES);
    let about = "One row per track of a connection, with the `connection_id` and the track's `position` in it. Tracks are those that events bring \
         (`addTrack`, `addTransceiver`, `replaceTrack`, `ontrack`). A connection whose events bring none, as those that the SFU Sora tells of, has \
         those that its RTP streams carry: one per direction and `trackIdentifier`, and one for each stream that tells none.";
    features(&mut text, "Of a track", "features_track", about, TRACK_FEATURES);
    let about = "One row per finding of a session, with its `position` among them: the worst first, and of one severity what came first. In the API, \
         `findings` of a session.";
    features(&mut text, "Of a finding", "findings", about, &FINDING);
    relations(&mut text, "Sessions", tables::TABLES);
    text.push_str(STATS);
    stats_tables(&mut text);
    text.push_str(MINUTES);
    relations(&mut text, "By minutes", VIEWS);
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
        "doc/features.md is not what the tables say; the head of server/src/store/reference/mod.rs says how it is written"
    );
}

#[tokio::test]
async fn the_columns_of_tables_and_views_are_those_that_are_documented() {
    for (_guard, database) in both().await {
        let types = Types::of(&database);
        for table in tables::TABLES {
            let kind = |column: &tables::Column| match column.kind {
                "uuid" => types.id,
                "timestamptz" => types.time,
                "bigint" => types.integer,
                "boolean" => types.bool,
                _ => types.text,
            };
            assert_columns(&database, table, kind).await;
        }
        if let Database::Postgres(_) = database {
            let views =
                "SELECT table_name::text AS name FROM information_schema.tables WHERE table_name LIKE '%_minute'";
            assert_eq!(database.read(views, &[]).await.unwrap().len(), VIEWS.len());
            for view in VIEWS {
                let kind = |column: &tables::Column| match column.kind {
                    "timestamptz" => types.time,
                    kind => kind,
                };
                assert_columns(&database, view, kind).await;
            }
        }
    }
}

/// In any order: columns came by migrations.
async fn assert_columns<'t>(database: &Database, relation: &Relation, kind: impl Fn(&tables::Column) -> &'t str) {
    let mut expected: Vec<_> =
        relation.columns.iter().map(|column| (column.name.to_owned(), kind(column).to_owned())).collect();
    let mut found = columns(database, relation.name).await;
    expected.sort();
    found.sort();
    assert_eq!(found, expected, "{}", relation.name);
}
