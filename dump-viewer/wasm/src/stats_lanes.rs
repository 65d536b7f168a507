//! What reports tell of states: lanes of the timeline that no event speaks of.

use serde::Serialize;

use crate::selected::Selected;
use crate::series::{ConnectionSeries, EntrySeries};
use crate::states::Change;

/// A lane of a stats entry.
#[derive(Debug, Serialize)]
pub(crate) struct StatsLane {
    /// The entry, by its place in the connection; none where several tell it together.
    entry: Option<usize>,
    /// The member that it is of: a text whose values are states, or `freezeCount`.
    member: &'static str,
    changes: Vec<Change>,
}

const SELECTED_PAIR: &str = "selectedCandidatePairId";

/// Texts that are states, by the types of their entries.
const STATES: [(&str, &str); 4] = [
    ("transport", "dtlsState"),
    ("transport", SELECTED_PAIR),
    ("outbound-rtp", "qualityLimitationReason"),
    ("data-channel", "state"),
];

/// All lanes of a connection. Where no transport tells of the pair in use, as in Firefox, what `selected` found has the lane.
pub(crate) fn lanes(series: &ConnectionSeries, selected: &Selected) -> Vec<StatsLane> {
    let entries = || series.entries.iter().enumerate();
    let texts = entries().flat_map(|(index, entry)| {
        let own = STATES.iter().filter(|(kind, _)| **kind == *entry.kind);
        own.filter_map(move |(_, member)| {
            Some(StatsLane { entry: Some(index), member, changes: entry.history(member)? })
        })
    });
    let mut lanes: Vec<_> = texts.collect();
    if !lanes.iter().any(|lane| lane.member == SELECTED_PAIR) {
        lanes.push(StatsLane { entry: None, member: SELECTED_PAIR, changes: selected.changes().to_vec() });
    }
    lanes.extend(entries().filter_map(|(index, entry)| {
        Some(StatsLane { entry: Some(index), member: "freezeCount", changes: freezes(entry)? })
    }));
    lanes.retain(|lane| !lane.changes.is_empty());
    lanes
}

/// When a video was frozen: a freeze is over in the report that counts it, and took as long as `totalFreezesDuration` grew, where that is
/// told (W3C webrtc-stats, `freezeCount`), but not longer than the report is after the one before.
fn freezes(entry: &EntrySeries) -> Option<Vec<Change>> {
    let counts = entry.values("freezeCount", &[])?;
    let durations = entry.values("totalFreezesDuration", &[]);
    let mut changes: Vec<Change> = Vec::new();
    for (at, times) in entry.times.windows(2).enumerate() {
        let [before, time] = times else { continue };
        let grew = |values: &[f64]| Some(values.get(at + 1)? - values.get(at)?).filter(|more| *more > 0.0);
        if grew(&counts).is_none() {
            continue;
        }
        let took = durations.as_deref().and_then(grew).map_or(time - before, |seconds| seconds * 1000.0);
        let begin = before.max(time - took);
        match changes.last() {
            // It froze again before anybody could see it move.
            Some((end, _)) if *end >= begin => {
                changes.pop();
            }
            _ => changes.push((begin, "frozen".to_owned())),
        }
        changes.push((*time, "moving".to_owned()));
    }
    Some(changes)
}

#[cfg(test)]
mod tests {
    use rtctrace_protocol::event::{SessionDecoder, Value};

    use super::*;
    use crate::series::Numbers;

    fn series(entries: &[&str]) -> ConnectionSeries {
        let (mut series, mut decoder) = (ConnectionSeries::default(), SessionDecoder::new());
        for (second, entry) in entries.iter().enumerate() {
            let line = format!(r#"["getStats","PC_0",{{"0":{entry}}},1000]"#);
            let event = decoder.decode(&line).unwrap();
            let Value::Report(report) = event.value else { panic!("{line}") };
            assert!(series.report(report, second as f64 * 1000.0, &mut Numbers(1000)));
        }
        series
    }

    fn lanes(series: &ConnectionSeries) -> Vec<StatsLane> {
        super::lanes(series, &Selected::default())
    }

    fn words(lane: &StatsLane) -> Vec<String> {
        lane.changes.iter().map(|(time, state)| format!("{time} {state}")).collect()
    }

    #[test]
    fn freezes_end_where_they_are_counted() {
        let series = series(&[
            r#"{"type":"inbound-rtp","freezeCount":0,"totalFreezesDuration":0}"#,
            r#"{"freezeCount":1,"totalFreezesDuration":0.25}"#,
            r#"{"freezeCount":2,"totalFreezesDuration":2.25}"#,
            r#"{"framesDecoded":1}"#,
        ]);
        let lanes = lanes(&series);
        assert_eq!(lanes.len(), 1);
        assert_eq!(words(&lanes[0]), ["750 frozen", "2000 moving"]);
    }

    #[test]
    fn texts_that_are_states_have_lanes() {
        let series = series(&[
            r#"{"type":"outbound-rtp","qualityLimitationReason":"none"}"#,
            r#"{"qualityLimitationReason":"cpu"}"#,
            r#"{"framesEncoded":5}"#,
            r#"{"qualityLimitationReason":"none"}"#,
        ]);
        let lanes = lanes(&series);
        assert_eq!(lanes[0].member, "qualityLimitationReason");
        assert_eq!(words(&lanes[0]), ["0 none", "1000 cpu", "3000 none"]);
    }
}
