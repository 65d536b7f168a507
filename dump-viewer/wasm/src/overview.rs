//! What the viewer learns at once when a dump is opened. The shapes are those of `Overview` in src/import/messages.ts.

use std::collections::BTreeMap;

use rtctrace_features::Finding;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::derived::DERIVED;
use crate::recording::{Connection, Problem, Recording};
use crate::series::EntrySeries;
use crate::states::States;
use crate::stats_lanes::{self, StatsLane};
use crate::tracks::Tracks;
use crate::units::{Behaviour, behaviour, unit};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Overview<'a> {
    metadata: Box<RawValue>,
    start: f64,
    end: f64,
    methods: &'a [String],
    tracks: &'a Tracks,
    connections: Vec<ConnectionOverview<'a>>,
    skipped: Skipped<'a>,
    interrupted: Option<ProblemOverview<'a>>,
    graphs_end: Option<f64>,
    features: Option<Box<RawValue>>,
    findings: Vec<FindingOverview<'a>>,
}

/// A finding, with what its rule says of all of them.
#[derive(Serialize)]
struct FindingOverview<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    title: &'a str,
    meaning: &'a str,
    advice: &'a str,
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
    texts: BTreeMap<&'a str, TextOverview<'a>>,
    series: Vec<SeriesOverview<'a>>,
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
        let raw = |text: &String| RawValue::from_string(text.clone()).ok();
        let overview = Overview {
            metadata: raw(&self.metadata).unwrap_or_default(),
            start: if start.is_finite() { start } else { 0.0 },
            end: if end.is_finite() { end } else { 0.0 },
            methods: &self.methods,
            tracks: &self.tracks,
            connections: self.connections().collect(),
            skipped: Skipped { count: self.skipped_count, first: self.skipped.iter().map(problem).collect() },
            interrupted: self.interrupted.as_ref().map(problem),
            graphs_end: self.graphs_end,
            features: self.features.as_ref().and_then(raw),
            findings: self.findings.iter().map(finding).collect(),
        };
        serde_json::to_string(&overview).unwrap_or_default()
    }
}

fn finding(finding: &Finding) -> FindingOverview<'_> {
    let rule = finding.rule;
    FindingOverview { finding, title: rule.title, meaning: rule.meaning, advice: rule.advice }
}

fn problem(problem: &Problem) -> ProblemOverview<'_> {
    ProblemOverview { line: problem.line, reason: &problem.reason }
}

impl Recording {
    fn connections(&self) -> impl Iterator<Item = ConnectionOverview<'_>> {
        let mut descriptions = vec![Vec::new(); self.connections.len()];
        let mut events: Vec<u32> = self.descriptions.keys().copied().collect();
        events.sort_unstable();
        for event in events {
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
        lanes: stats_lanes::lanes(&connection.series),
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
        texts: entry
            .texts
            .iter()
            .map(|text| (&*text.name, TextOverview { value: &text.value, changes: text.changes }))
            .collect(),
        series: derived.chain(own).collect(),
    }
}
