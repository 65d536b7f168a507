//! What the viewer learns at once when a dump is opened. The shapes are those of `Overview` in src/import/messages.ts.

use rtctrace_features::Finding;
use rtctrace_protocol::json::write_string;
use rtctrace_protocol::sorted_by;
use serde::{Serialize, Serializer};

use crate::derived::DERIVED;
use crate::problems::Problem;
use crate::recording::{Connection, Recording};
use crate::series::{EntrySeries, Text};
use crate::states::States;
use crate::stats_lanes::{self, StatsLane};
use crate::tracks::Tracks;
use crate::units::{Behaviour, behaviour, unit};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Overview<'a> {
    start: f64,
    end: f64,
    methods: &'a [String],
    tracks: &'a Tracks,
    connections: Vec<ConnectionOverview<'a>>,
    skipped: Skipped<'a>,
    interrupted: Option<ProblemOverview<'a>>,
    second_dump: Option<u32>,
    graphs_end: Option<f64>,
}

#[derive(Serialize)]
struct Skipped<'a> {
    count: u32,
    first: Vec<ProblemOverview<'a>>,
}

#[derive(Serialize)]
struct ProblemOverview<'a> {
    line: u32,
    reason: &'a str,
}

#[derive(Serialize)]
struct ConnectionOverview<'a> {
    id: &'a str,
    start: f64,
    end: f64,
    events: u32,
    failures: u32,
    reports: usize,
    descriptions: Vec<u32>,
    states: &'a States,
    tracks: &'a Tracks,
    lanes: Vec<StatsLane>,
    entries: Vec<EntryOverview<'a>>,
}

#[derive(Serialize)]
struct EntryOverview<'a> {
    id: &'a str,
    r#type: &'a str,
    start: f64,
    end: f64,
    points: usize,
    #[serde(serialize_with = "by_name")]
    texts: &'a [Text],
    series: Vec<SeriesOverview<'a>>,
}

fn by_name<S: Serializer>(texts: &[Text], serializer: S) -> Result<S::Ok, S::Error> {
    let texts = sorted_by(texts.iter().collect(), |a, b| a.name.cmp(&b.name));
    serializer
        .collect_map(texts.iter().map(|text| (&*text.name, TextOverview { value: &text.value, changes: text.changes })))
}

#[derive(Serialize)]
struct TextOverview<'a> {
    value: &'a str,
    changes: u32,
}

#[derive(Serialize)]
struct SeriesOverview<'a> {
    name: &'a str,
    kind: &'static str,
    unit: &'a str,
    constant: bool,
    last: Option<f64>,
}

impl Recording {
    /// The dump at a glance, as JSON of the viewer's `Overview`.
    #[must_use]
    pub fn overview(&self) -> String {
        let start = self.times.iter().copied().fold(f64::INFINITY, f64::min);
        let end = self.times.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let overview = Overview {
            start: if start.is_finite() { start } else { 0.0 },
            end: if end.is_finite() { end } else { 0.0 },
            methods: &self.methods,
            tracks: &self.tracks,
            connections: self.connections().collect(),
            skipped: Skipped { count: self.problems.count, first: self.problems.skipped.iter().map(problem).collect() },
            interrupted: self.problems.interrupted.as_ref().map(problem),
            second_dump: self.problems.second_dump,
            graphs_end: self.graphs_end,
        };
        let mut text = serde_json::to_string(&overview).unwrap_or_default();
        // What is JSON already is not read again.
        text.pop();
        for (name, json) in [("metadata", &self.metadata), ("features", &self.features)] {
            text.push(',');
            write_string(&mut text, name);
            text.push(':');
            text.push_str(if json.is_empty() { "null" } else { json });
        }
        text.push_str(",\"findings\":[");
        for (at, finding) in self.findings.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            write_finding(&mut text, finding);
        }
        text.push_str("]}");
        text
    }
}

/// A finding, with what its rule says of all of them.
fn write_finding(text: &mut String, finding: &Finding) {
    let rule = finding.rule;
    text.push_str(&finding.to_json());
    text.pop();
    for (name, value) in [("title", rule.title), ("meaning", rule.meaning), ("advice", rule.advice)] {
        text.push(',');
        write_string(text, name);
        text.push(':');
        write_string(text, value);
    }
    text.push('}');
}

fn problem(problem: &Problem) -> ProblemOverview<'_> {
    ProblemOverview { line: problem.line, reason: &problem.reason }
}

impl Recording {
    fn connections(&self) -> impl Iterator<Item = ConnectionOverview<'_>> {
        let mut descriptions = vec![Vec::new(); self.connections.len()];
        for (event, _) in &self.descriptions {
            let event = *event;
            let owner = self.connection_of.get(event as usize).and_then(|owner| usize::try_from(*owner).ok());
            if let Some(owner) = owner.and_then(|owner| descriptions.get_mut(owner)) {
                owner.push(event);
            }
        }
        self.connections.iter().zip(descriptions).map(|(own, descriptions)| connection(own, descriptions))
    }
}

fn connection(connection: &Connection, descriptions: Vec<u32>) -> ConnectionOverview<'_> {
    ConnectionOverview {
        id: &connection.id,
        start: connection.start,
        end: connection.end,
        events: connection.events,
        failures: connection.failures,
        reports: connection.reports.len(),
        descriptions,
        states: &connection.states,
        tracks: &connection.tracks,
        lanes: stats_lanes::lanes(&connection.series, &connection.selected),
        entries: connection.series.entries.iter().map(entry).collect(),
    }
}

fn entry(entry: &EntrySeries) -> EntryOverview<'_> {
    let derived = DERIVED.iter().filter_map(|derived| {
        let members: Option<Vec<_>> = derived.formula.members().into_iter().map(|member| entry.find(member)).collect();
        let moves = members?.first().is_some_and(|first| first.moves());
        Some(SeriesOverview { name: derived.name, kind: "derived", unit: derived.unit, constant: !moves, last: None })
    });
    let own = entry.series.iter().map(|series| SeriesOverview {
        name: &series.name,
        kind: match behaviour(&series.name) {
            Behaviour::Gauge => "gauge",
            Behaviour::Counter => "counter",
        },
        unit: unit(&series.name),
        constant: !series.moves(),
        last: Some(series.last()),
    });
    EntryOverview {
        id: &entry.id,
        r#type: &entry.kind,
        start: entry.times.first().copied().unwrap_or_default(),
        end: entry.times.last().copied().unwrap_or_default(),
        points: entry.times.len(),
        texts: &entry.texts,
        series: derived.chain(own).collect(),
    }
}
