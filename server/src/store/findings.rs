//! The table `findings`: what rules found in a session, a row for each, written and removed with its features. How many there are stands in the
//! session's own row.

use std::sync::{Arc, LazyLock};

use rtctrace_features::{Feature, Finding, Kind, Severity, Unit};
use serde_json::{Map, Value, json};

use super::database::{Database, Insert, Row, Transaction, Value as Cell};
use super::features::FeatureTable;
use super::sessions::EndedSession;
use crate::session::{SessionId, UnixMillis};

const fn part(name: &'static str, column: &'static str, kind: Kind, unit: Unit, texts: [&'static str; 3]) -> Feature {
    let [about, formula, source] = texts;
    Feature { name, column, kind, unit, about, formula, source, upstream: false }
}

const fn text(name: &'static str, column: &'static str, texts: [&'static str; 3]) -> Feature {
    part(name, column, Kind::Text, Unit::None, texts)
}

const fn of_track(name: &'static str, column: &'static str, about: &'static str) -> Feature {
    text(name, column, [about, "as its reports tell", "the rule"])
}

/// The parts of a finding, in the order of the columns behind `session_id` and `position`.
pub(crate) static FINDING: [Feature; 13] = [
    text("rule", "rule", ["The rule that found it; [findings](findings.md) has all of them.", "its id", "the rule"]),
    text("severity", "severity", ["How bad it is: `critical`, `warning` or `notice`.", "the rule's", "the rule"]),
    text("connection", "connection_id", ["The connection, if it is about one.", "its id", "the event"]),
    of_track("track.kind", "kind", "`audio` or `video`, if it is about a track or a stream."),
    of_track("track.direction", "direction", "`inbound` or `outbound`."),
    of_track("track.mid", "mid", "Its media section."),
    of_track("track.rid", "rid", "Its layer of simulcast."),
    of_track("track.trackIdentifier", "track_identifier", "The id of its `MediaStreamTrack`."),
    of_track("track.statsId", "stats_id", "The id of its entry, `stats_id` of the stats tables."),
    part("begin", "begin_time", Kind::Time, Unit::UnixMilliseconds, ["From when.", "as the rule says", "the event"]),
    part(
        "end",
        "end_time",
        Kind::Time,
        Unit::UnixMilliseconds,
        ["Until when; of what is a moment the same.", "as the rule says", "the event"],
    ),
    text("sentence", "sentence", ["What was found, in plain English.", "the rule's, with its values", "the values"]),
    part(
        "values",
        "measured",
        Kind::Json,
        Unit::None,
        [
            "What triggered the rule: by name, each with `value` and, if it is a quantity, `unit`.",
            "as JSON",
            "the rule",
        ],
    ),
];

/// How many findings of these severities a session has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Critical ones.
    pub(crate) critical: u64,
    /// Warnings.
    pub(crate) warning: u64,
}

impl Counts {
    /// Of these.
    pub(crate) fn of(findings: &[Finding]) -> Self {
        let of = |severity| findings.iter().filter(|finding| finding.rule.severity == severity).count() as u64;
        Self { critical: of(Severity::Critical), warning: of(Severity::Warning) }
    }

    /// As the row of a session has them; none of one from before there were findings.
    pub(crate) fn read(row: &Row) -> sqlx::Result<Option<Self>> {
        let (critical, warning) = (row.count("critical_findings")?, row.count("warning_findings")?);
        Ok(critical.zip(warning).map(|(critical, warning)| Self { critical, warning }))
    }
}

/// Writes the findings of sessions. What was there is removed with their features.
pub(super) async fn write(transaction: &mut Transaction, sessions: &[Arc<EndedSession>]) -> sqlx::Result<()> {
    static INSERT: LazyLock<Insert> = LazyLock::new(|| FeatureTable::Finding.insert());
    let texts: Vec<(String, String)> = sessions
        .iter()
        .flat_map(|session| &session.analysis.findings)
        .map(|finding| (finding.sentence(), finding.values_json()))
        .collect();
    let findings = sessions.iter().flat_map(|session| {
        (0_i64..).zip(&session.analysis.findings).map(move |(position, finding)| (session.row.id, position, finding))
    });
    let rows: Vec<Vec<Cell<'_>>> = findings
        .zip(&texts)
        .map(|((session, position, finding), (sentence, values))| {
            let track = finding.track.as_ref();
            vec![
                Cell::Id(session),
                Cell::Integer(Some(position)),
                Cell::Text(Some(finding.rule.id)),
                Cell::Text(Some(finding.rule.severity.name())),
                Cell::Text(finding.connection.as_deref()),
                Cell::Text(track.and_then(|track| track.kind.as_deref())),
                Cell::Text(track.and_then(|track| track.direction)),
                Cell::Text(track.and_then(|track| track.mid.as_deref())),
                Cell::Text(track.and_then(|track| track.rid.as_deref())),
                Cell::Text(track.and_then(|track| track.track_identifier.as_deref())),
                Cell::Text(track.and_then(|track| track.stats_id.as_deref())),
                Cell::Time(Some(UnixMillis(finding.begin.0))),
                Cell::Time(Some(UnixMillis(finding.end.0))),
                Cell::Text(Some(sentence)),
                Cell::Json(Some(values)),
            ]
        })
        .collect();
    transaction.insert(&INSERT, &rows).await
}

/// The findings of a session as the API gives them, the worst first.
pub(crate) async fn read(database: &Database, session: SessionId) -> sqlx::Result<Vec<Value>> {
    let rows = FeatureTable::Finding.rows(database, session, " ORDER BY position").await?;
    rows.iter().map(finding).collect()
}

fn finding(row: &Row) -> sqlx::Result<Value> {
    let text = |column| Ok::<_, sqlx::Error>(row.text(column)?.map(Value::from));
    let time = |column| Ok::<_, sqlx::Error>(row.time(column)?.map(|UnixMillis(millis)| Value::from(millis)));
    let mut track = Map::new();
    for part in &FINDING {
        let Some(name) = part.name.strip_prefix("track.") else { continue };
        track.extend(text(part.column)?.map(|value| (name.to_owned(), value)));
    }
    let values = row.json("measured")?.and_then(|text| serde_json::from_str(&text).ok());
    let members = [
        ("rule", text("rule")?),
        ("severity", text("severity")?),
        ("connection", text("connection_id")?),
        ("track", (!track.is_empty()).then_some(Value::Object(track))),
        ("begin", time("begin_time")?),
        ("end", time("end_time")?),
        ("values", Some(values.unwrap_or_else(|| json!({})))),
        ("sentence", text("sentence")?),
    ];
    Ok(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

#[cfg(test)]
mod tests {
    use rtctrace_features::{FindingTrack, Measure, Measured, Rule, UnixMillis as At};

    use super::super::database::tests::both;
    use super::super::sessions::tests::{begin, end, end_one, row};
    use super::super::sessions::{self as stored, SessionRow, get, reopen};
    use super::*;
    use crate::session::Analysis;

    /// A finding of that rule, of which every part is told.
    fn finding(rule: &str, at: i64) -> Finding {
        Finding {
            rule: Rule::of(rule).unwrap(),
            connection: Some("PC_0 \u{1f600}'\"".to_owned()),
            track: Some(FindingTrack {
                kind: Some("video".to_owned()),
                direction: Some("inbound"),
                mid: Some("1".to_owned()),
                rid: Some("hi".to_owned()),
                track_identifier: Some("7f1c".to_owned()),
                stats_id: Some("IT01V1".to_owned()),
            }),
            begin: At(1_795_159_383_861 + at),
            end: At(1_795_159_393_862 + at),
            values: vec![
                Measured { name: "total", measure: Measure::Number(4.2), unit: Unit::Seconds },
                Measured { name: "count", measure: Measure::Number(7.0), unit: Unit::Count },
                Measured { name: "error", measure: Measure::Text("a\nb, \"c\"".to_owned()), unit: Unit::None },
            ],
        }
    }

    /// One of the page, of which nothing is told that need not be.
    fn bare(rule: &str) -> Finding {
        Finding { connection: None, track: None, values: Vec::new(), ..finding(rule, 5) }
    }

    fn ended(start: i64, findings: Vec<Finding>) -> Arc<EndedSession> {
        let mut analysis = Analysis { findings, ..Analysis::default() };
        analysis.features.client.start_time = Some(At(start));
        Arc::new(EndedSession { row: SessionRow { ended: true, ..row(start) }, analysis: Arc::new(analysis) })
    }

    /// A rule of each severity.
    fn rules() -> [&'static str; 3] {
        [Severity::Critical, Severity::Warning, Severity::Notice]
            .map(|severity| rtctrace_features::RULES.iter().find(|rule| rule.severity == severity).unwrap().id)
    }

    #[tokio::test]
    async fn findings_come_back_value_by_value_and_are_those_of_the_last_end() {
        let [critical, warning, notice] = rules();
        for (_guard, database) in both().await {
            let many: Vec<Finding> = (0..512).map(|at| finding(warning, at)).collect();
            let first = [vec![finding(critical, 0), bare(critical), bare(warning), bare(notice)], many].concat();
            let sessions = [ended(1, first.clone()), ended(2, Vec::new()), ended(3, vec![finding(notice, 0)])];
            for _ in 0..2 {
                end(&database, &sessions).await;
            }
            for session in &sessions {
                let found = Value::from(read(&database, session.row.id).await.unwrap());
                assert_eq!(found, serde_json::to_value(&session.analysis.findings).unwrap());
            }
            let [full, none, quiet] = &sessions;
            let counts = async |session: &EndedSession| {
                let row = get(&database, session.row.id).await.unwrap().unwrap();
                row.findings.map(|counts| (counts.critical, counts.warning))
            };
            assert_eq!(counts(full).await, Some((2, 513)));
            assert_eq!((counts(none).await, counts(quiet).await), (Some((0, 0)), Some((0, 0))));

            let id = full.row.id;
            let again = EndedSession { row: full.row.clone(), ..EndedSession::clone(&ended(1, vec![bare(warning)])) };
            end(&database, &[Arc::new(again)]).await;
            assert_eq!(read(&database, id).await.unwrap(), [serde_json::to_value(bare(warning)).unwrap()]);
            assert_eq!(counts(full).await, Some((0, 1)));

            // It goes on: what its last end said stays until the next.
            let known = get(&database, id).await.unwrap().unwrap();
            assert!(reopen(&database, &known, "here", known.start_time).await.unwrap());
            assert_eq!((read(&database, id).await.unwrap().len(), counts(full).await), (1, Some((0, 1))));
            stored::remove(&database, id).await.unwrap();
            assert_eq!(read(&database, id).await.unwrap(), [] as [Value; 0]);
            assert_eq!(read(&database, quiet.row.id).await.unwrap().len(), 1);
        }
    }

    #[tokio::test]
    async fn of_what_is_unknown_nothing_is_counted() {
        for (_guard, database) in both().await {
            let (live, lost) = (row(1), row(2));
            begin(&database, &live).await;
            end_one(&database, &lost).await;
            for session in [live, lost] {
                assert_eq!(get(&database, session.id).await.unwrap().unwrap().findings, None);
            }
        }
    }
}
