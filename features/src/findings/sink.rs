//! Where rules put what they have found.

use rtctrace_protocol::sorted_by;

use super::episodes::{Episode, Episodes, Terms};
use super::finding::{Finding, FindingTrack, Measure, Measured};
use super::rule::Rule;
use crate::input;
use crate::limits;
use crate::value::{Unit, UnixMillis};

/// Collects the findings of a session, of one connection after the other.
#[derive(Debug)]
pub(crate) struct Sink<'s> {
    findings: &'s mut Vec<Finding>,
    connection: Option<&'s str>,
}

/// A number that triggered a rule.
pub(super) fn number(name: &'static str, value: f64, unit: Unit) -> Measured {
    Measured { name, measure: Measure::Number(value), unit }
}

/// A text that triggered a rule.
pub(super) fn text(name: &'static str, value: &str) -> Measured {
    let value = input::bounded(value, limits::FINDING_TEXT);
    Measured { name, measure: Measure::Text(value), unit: Unit::None }
}

impl<'s> Sink<'s> {
    pub(crate) fn new(findings: &'s mut Vec<Finding>, connection: Option<&'s str>) -> Self {
        Self { findings, connection }
    }

    /// `begin` and `end`: Unix ms.
    pub(super) fn found(
        &mut self,
        rule: &'static Rule,
        track: Option<&FindingTrack>,
        (begin, end): (f64, f64),
        mut values: Vec<Measured>,
    ) {
        values.retain(|value| !matches!(value.measure, Measure::Number(number) if !number.is_finite()));
        let (Some(begin), Some(end)) = (input::millis(begin), input::millis(end)) else { return };
        self.findings.push(Finding {
            rule,
            connection: self.connection.map(str::to_owned),
            track: track.cloned(),
            begin: UnixMillis(begin),
            end: UnixMillis(end.max(begin)),
            values,
        });
    }

    /// All episodes of a rule. `values`: what is told of one.
    pub(super) fn episodes(
        &mut self,
        rule: &'static Rule,
        track: Option<&FindingTrack>,
        (episodes, terms): (&Episodes, Terms),
        values: &dyn Fn(&Episode) -> Vec<Measured>,
    ) {
        let (all, count) = episodes.all(terms);
        let all = sorted_by(all, |a, b| b.whole.seconds.total_cmp(&a.whole.seconds));
        for (at, episode) in all.iter().enumerate() {
            let mut values = values(episode);
            values.extend(episode.whole.path.map(|path| text("path", path)));
            if at == 0 && count > all.len() as u64 {
                values.push(number("others", count as f64, Unit::Count));
            }
            self.found(rule, track, (episode.whole.begin, episode.whole.end), values);
        }
    }
}
