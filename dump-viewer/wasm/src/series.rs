//! The numbers of every stats entry of a connection over time, collected report by report.

use std::collections::HashMap;

use rtctrace_protocol::json::{Kind, RawValue};
use rtctrace_protocol::report::{Entry, Report, Shape};

use crate::derived::DERIVED;
use crate::states::Change;

/// More string members than this are not shown with an entry; browsers send a dozen.
const TEXTS: usize = 64;
/// Changes of a text that are kept: a state hardly changes more often, and what does is none.
const HISTORY: usize = 1024;

/// Reports that are further apart than this, in ms, and than so many usual intervals, are not joined.
const LONG_INTERVAL: f64 = 3000.0;
const USUAL_INTERVALS: f64 = 3.0;

/// What a numeric member was in each report that holds its entry.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) name: Box<str>,
    /// Number of leading points without the member.
    start: usize,
    values: Values,
    moves: bool,
    last: f64,
}

/// Most members never change, so a run of one value costs no memory.
#[derive(Debug)]
enum Values {
    Constant { length: usize },
    Varying(Vec<f64>),
}

/// The last value of a member that is a string, and how often it changed.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) name: Box<str>,
    pub(crate) value: String,
    pub(crate) changes: u32,
    /// The points at which it changed, with what it was from there on, as far as there is room.
    history: Vec<(u32, Box<str>)>,
}

/// One stats entry of a connection.
#[derive(Debug)]
pub(crate) struct EntrySeries {
    pub(crate) id: Box<str>,
    pub(crate) kind: Box<str>,
    /// Time of the `getStats` event of each point, Unix ms: the shared axis of all graphs.
    pub(crate) times: Vec<f64>,
    /// The entry's own timestamp of each point, ms: what rates are computed with.
    stamps: Vec<f64>,
    pub(crate) series: Vec<Series>,
    pub(crate) texts: Vec<Text>,
    by_name: HashMap<Box<str>, usize>,
    /// What each of its members is, as long as they are these.
    shape: Shape,
    slots: Vec<Slot>,
}

/// What a member is among the series of its entry.
#[derive(Debug, Clone, Copy)]
enum Slot {
    Series(usize),
    /// An object: so many series from there on.
    Object(usize, usize),
    Text,
    /// Something that is no series, or series that stand apart.
    Other,
}

/// All entries of a connection.
#[derive(Debug, Default)]
pub(crate) struct ConnectionSeries {
    pub(crate) entries: Vec<EntrySeries>,
    by_id: HashMap<Box<str>, usize>,
    /// The number of the newest report, and where its entries are among ours, in their order.
    seen: u64,
    places: Vec<usize>,
}

/// Numbers that may still be kept; a dump of many small changes of a huge report would otherwise outgrow the memory.
#[derive(Debug, Clone, Copy)]
pub struct Numbers(pub usize);

impl Numbers {
    fn take(&mut self, count: usize) -> bool {
        match self.0.checked_sub(count) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }
}

impl ConnectionSeries {
    /// Adds a report; false if the memory for numbers is used up.
    pub(crate) fn report(&mut self, report: &Report, time: f64, numbers: &mut Numbers) -> bool {
        let seen = std::mem::replace(&mut self.seen, report.generation());
        // Then its entries are those of the one before, in their places.
        let is_next = self.seen == seen + 1 && report.reshaped() <= seen;
        if !is_next {
            self.places.clear();
            for entry in report.entries() {
                let place = self.place(entry);
                self.places.push(place);
            }
        }
        for (entry, place) in report.entries().zip(&self.places) {
            let Some(series) = self.entries.get_mut(*place) else { return false };
            let is_same = is_next && !entry.is_changed_since(seen);
            if !numbers.take(2) {
                return false;
            }
            let point = series.times.len();
            series.times.push(time);
            series.stamps.push(entry.timestamp());
            let is_added = match is_same || (is_next && series.newest(entry, point, numbers)) {
                true => series.again(point, numbers),
                false => series.entry(entry, point, numbers),
            };
            if !is_added {
                return false;
            }
        }
        true
    }

    fn place(&mut self, entry: Entry<'_>) -> usize {
        if let Some(place) = self.by_id.get(entry.id()) {
            return *place;
        }
        self.by_id.insert(entry.id().into(), self.entries.len());
        self.entries.push(EntrySeries::new(entry));
        self.entries.len() - 1
    }
}

impl EntrySeries {
    fn new(entry: Entry<'_>) -> Self {
        Self {
            id: entry.id().into(),
            kind: entry.kind().into(),
            times: Vec::new(),
            stamps: Vec::new(),
            series: Vec::new(),
            texts: Vec::new(),
            by_name: HashMap::new(),
            shape: Shape::default(),
            slots: Vec::new(),
        }
    }

    /// What has no value for the point yet has the one before.
    fn again(&mut self, point: usize, numbers: &mut Numbers) -> bool {
        let mut present = self.series.iter_mut().filter(|series| series.end() == point);
        present.all(|series| series.push(series.last, point, numbers))
    }

    /// Adds what the newest delta told, if all of it is of the kind that it was in the report before.
    fn newest(&mut self, entry: Entry<'_>, point: usize, numbers: &mut Numbers) -> bool {
        if self.shape != entry.shape() {
            return false;
        }
        entry.newest_members().all(|(place, name, value)| match self.slots.get(place) {
            Some(Slot::Series(index)) => self.number(*index, value, point, numbers),
            Some(Slot::Object(first, count)) => {
                let (first, count) = (*first, *count);
                let mut index = first;
                value.kind() == Kind::Object
                    && value.members().all(|(key, value)| {
                        index += 1;
                        self.series.get(index - 1).is_some_and(|series| is_path(&series.name, name, &key))
                            && self.number(index - 1, value, point, numbers)
                    })
                    && index == first + count
            }
            Some(Slot::Text) if value.kind() == Kind::String => {
                self.text(name, value, point);
                true
            }
            _ => false,
        })
    }

    /// Adds a number to a series that has one for every point so far.
    fn number(&mut self, index: usize, value: RawValue<'_>, point: usize, numbers: &mut Numbers) -> bool {
        match (number_of(value), self.series.get_mut(index)) {
            (Some(number), Some(series)) => series.end() == point && series.push(number, point, numbers),
            _ => false,
        }
    }

    fn entry(&mut self, entry: Entry<'_>, point: usize, numbers: &mut Numbers) -> bool {
        self.shape = entry.shape();
        let mut slots = std::mem::take(&mut self.slots);
        slots.clear();
        // Members keep their order from report to report, so the next series is nearly always the right one.
        let mut next = 0;
        let mut name = String::new();
        for (member, value) in entry.members() {
            let slot = match value.kind() {
                Kind::Object => {
                    let (mut first, mut count) = (None, 0);
                    for (key, value) in value.members() {
                        name.clear();
                        name.push_str(member);
                        name.push('.');
                        name.push_str(&key);
                        if !self.member(&name, value, point, &mut next, numbers) {
                            return false;
                        }
                        count += 1;
                        first = first.or(next.checked_sub(1));
                    }
                    first.map_or(Slot::Other, |first| Slot::Object(first, count))
                }
                Kind::String => {
                    self.text(member, value, point);
                    Slot::Text
                }
                _ => {
                    if !self.member(member, value, point, &mut next, numbers) {
                        return false;
                    }
                    match next.checked_sub(1) {
                        Some(index) if self.series.get(index).is_some_and(|series| *series.name == *member) => {
                            Slot::Series(index)
                        }
                        _ => Slot::Other,
                    }
                }
            };
            slots.push(slot);
        }
        self.slots = slots;
        true
    }

    /// Adds a number, or a boolean as 0 or 1; anything else is no series.
    fn member(
        &mut self,
        name: &str,
        value: RawValue<'_>,
        point: usize,
        next: &mut usize,
        numbers: &mut Numbers,
    ) -> bool {
        let Some(number) = number_of(value) else { return true };
        let expected = self.series.get(*next).is_some_and(|series| &*series.name == name);
        let index = if expected {
            *next
        } else if let Some(index) = self.by_name.get(name) {
            *index
        } else {
            self.by_name.insert(name.into(), self.series.len());
            self.series.push(Series {
                name: name.into(),
                start: point,
                values: Values::Constant { length: 0 },
                moves: false,
                last: number,
            });
            self.series.len() - 1
        };
        *next = index + 1;
        self.series.get_mut(index).is_none_or(|series| series.push(number, point, numbers))
    }

    fn text(&mut self, name: &str, value: RawValue<'_>, point: usize) {
        let Some(value) = value.as_str() else { return };
        let point = u32::try_from(point).unwrap_or(u32::MAX);
        let full = self.texts.len() >= TEXTS;
        match self.texts.iter_mut().find(|text| &*text.name == name) {
            Some(text) if text.value == value => {}
            Some(text) => {
                if text.history.len() < HISTORY {
                    text.history.push((point, (&*value).into()));
                }
                text.value = value.into_owned();
                text.changes += 1;
            }
            None if full => {}
            None => {
                let history = vec![(point, (&*value).into())];
                self.texts.push(Text { name: name.into(), value: value.into_owned(), changes: 0, history });
            }
        }
    }

    /// What a text was, and from when on.
    pub(crate) fn history(&self, name: &str) -> Option<Vec<Change>> {
        let text = self.texts.iter().find(|text| &*text.name == name)?;
        let changes = text
            .history
            .iter()
            .filter_map(|(point, value)| Some((*self.times.get(*point as usize)?, value.clone().into_string())));
        Some(changes.collect())
    }

    /// The points to which no line leads from the one before, and no rate: a report without the entry lies between, or the page slept, so
    /// that its reports (at these times) stopped for much longer than usual, or its client said so at one of `woken`.
    pub(crate) fn breaks(&self, reports: impl Iterator<Item = f64>, woken: &[f64]) -> Vec<u32> {
        let mut intervals: Vec<f64> = self.times.iter().zip(self.times.iter().skip(1)).map(|(a, b)| b - a).collect();
        let middle = intervals.len() / 2;
        if intervals.is_empty() {
            return Vec::new();
        }
        let usual = *intervals.select_nth_unstable_by(middle, f64::total_cmp).1;
        let longest = LONG_INTERVAL.max(USUAL_INTERVALS * usual);
        let mut breaks = Vec::new();
        let mut before = None;
        let mut reports = reports.peekable();
        let mut woken = woken.iter().copied().peekable();
        for (point, time) in (0_u32..).zip(self.times.iter().copied()) {
            let mut without = 0;
            while reports.next_if(|report| *report < time).is_some() {
                without += 1;
            }
            reports.next_if(|report| *report == time);
            let mut slept = false;
            while woken.next_if(|woken| *woken <= time).is_some() {
                slept = true;
            }
            if before.is_some_and(|before| without > 0 || slept || time - before > longest) {
                breaks.push(point);
            }
            before = Some(time);
        }
        breaks
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Series> {
        self.by_name.get(name).and_then(|index| self.series.get(*index))
    }

    /// The values of a member or of a derived series, as many as [`Self::times`]; `timestamp` are the entry's own times.
    /// `breaks`: the points to which no rate leads.
    pub(crate) fn values(&self, name: &str, breaks: &[u32]) -> Option<Vec<f64>> {
        if name == "timestamp" {
            return Some(self.stamps.clone());
        }
        if let Some(series) = self.find(name) {
            return Some(series.values(self.times.len()));
        }
        let formula = DERIVED.iter().find(|derived| derived.name == name)?.formula;
        let inputs: Option<Vec<_>> =
            formula.members().into_iter().map(|member| Some(self.find(member)?.values(self.times.len()))).collect();
        Some(formula.evaluate(&self.stamps, breaks, &inputs?))
    }
}

/// The number that a value stands for in a graph.
fn number_of(value: RawValue<'_>) -> Option<f64> {
    let number = match value.kind() {
        Kind::Number => value.as_f64(),
        Kind::Bool => value.as_bool().map(f64::from),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

/// Whether a series is of that member of an object.
fn is_path(series: &str, object: &str, key: &str) -> bool {
    series.strip_prefix(object).and_then(|rest| rest.strip_prefix('.')) == Some(key)
}

impl Series {
    /// The member was different things in different reports.
    pub(crate) fn moves(&self) -> bool {
        self.moves
    }

    pub(crate) fn last(&self) -> f64 {
        self.last
    }

    /// The point behind the last one that has the member.
    fn end(&self) -> usize {
        self.start
            + match &self.values {
                Values::Constant { length } => *length,
                Values::Varying(values) => values.len(),
            }
    }

    fn push(&mut self, number: f64, point: usize, numbers: &mut Numbers) -> bool {
        // Exact on purpose: the question is whether the browser reported something else.
        let same = number.to_bits() == self.last.to_bits();
        let first = self.last;
        self.moves |= !same;
        self.last = number;
        let index = point - self.start;
        match &mut self.values {
            Values::Constant { length } if same && *length == index => *length += 1,
            Values::Constant { length } => {
                if !numbers.take(index + 1) {
                    return false;
                }
                let mut values = vec![first; *length];
                values.resize(index, f64::NAN);
                values.push(number);
                self.values = Values::Varying(values);
            }
            Values::Varying(values) => {
                if !numbers.take(index + 1 - values.len().min(index)) {
                    return false;
                }
                // As a rule it has a value for every point before.
                if values.len() != index {
                    values.resize(index, f64::NAN);
                }
                values.push(number);
            }
        }
        true
    }

    fn values(&self, points: usize) -> Vec<f64> {
        let mut all = vec![f64::NAN; self.start];
        match &self.values {
            Values::Constant { length } => all.resize(self.start + length, self.last),
            Values::Varying(values) => all.extend_from_slice(values),
        }
        all.resize(points, f64::NAN);
        all
    }
}

#[cfg(test)]
mod tests {
    use rtctrace_protocol::event::{SessionDecoder, Value};

    use super::*;

    fn series(points: &[(usize, f64)]) -> Series {
        let (start, first) = points[0];
        let mut series =
            Series { name: "x".into(), start, values: Values::Constant { length: 0 }, moves: false, last: first };
        for (point, value) in points {
            assert!(series.push(*value, *point, &mut Numbers(1000)));
        }
        series
    }

    fn text(values: &[f64]) -> String {
        values.iter().map(|value| format!("{value} ")).collect()
    }

    #[test]
    fn a_member_that_comes_late_and_pauses_has_gaps() {
        let series = series(&[(1, 5.0), (2, 5.0), (4, 6.0), (6, 6.0)]);
        assert!(series.moves());
        assert_eq!(text(&series.values(8)), "NaN 5 5 NaN 6 NaN 6 NaN ");
    }

    #[test]
    fn a_constant_that_pauses_still_does_not_move() {
        let series = series(&[(0, 1.0), (2, 1.0)]);
        assert!(!series.moves());
        assert_eq!(text(&series.values(3)), "1 NaN 1 ");
    }

    /// The series of a connection whose reports, a second after the other, are these deltas.
    fn told(deltas: &[&str]) -> ConnectionSeries {
        let (mut all, mut decoder) = (ConnectionSeries::default(), SessionDecoder::new());
        for (second, delta) in deltas.iter().enumerate() {
            let line = format!(r#"["getStats","PC_0",{delta},1000]"#);
            let event = decoder.decode(&line).unwrap();
            let Value::Report(report) = event.value else { panic!("{line}") };
            assert!(all.report(report, second as f64, &mut Numbers(1000)));
        }
        all
    }

    /// Entries that a delta does not name are as they were, also where one has gone or comes back meanwhile.
    #[test]
    fn what_is_not_named_goes_on() {
        let all = told(&[
            r#"{"0":{"type":"transport","bytesSent":1,"dtlsState":"new"},"1":{"type":"codec","clockRate":8}}"#,
            r#"{"0":{"bytesSent":2}}"#,
            r#"{"1":{"clockRate":9,"channels":2}}"#,
            r#"{"0":{"bytesSent":3},"1":{"channels":null}}"#,
            r#"{"0":{"bytesSent":3}}"#,
            r#"{"2":{"type":"codec","clockRate":5}}"#,
            r#"{"0":{"bytesSent":4}}"#,
        ]);
        let values = |entry: usize, name: &str| text(&all.entries[entry].values(name, &[]).unwrap());
        assert_eq!(values(0, "bytesSent"), "1 2 2 3 3 3 4 ");
        assert_eq!(values(1, "clockRate"), "8 8 9 9 9 9 9 ");
        assert_eq!(values(1, "channels"), "NaN NaN 2 NaN NaN NaN NaN ");
        assert_eq!(values(2, "clockRate"), "5 5 ");
    }

    #[test]
    fn a_member_may_become_something_else_and_so_may_what_is_in_it() {
        let all = told(&[
            r#"{"0":{"type":"outbound-rtp","bytesSent":1,"active":true,"durations":{"cpu":0,"none":1}}}"#,
            r#"{"0":{"bytesSent":2,"durations":{"none":2}}}"#,
            r#"{"0":{"bytesSent":"many","durations":{"none":3}}}"#,
            r#"{"0":{"active":false}}"#,
            r#"{"0":{"bytesSent":4,"durations":{"none":4,"other":1}}}"#,
            r#"{"0":{"durations":{"cpu":null}}}"#,
            r#"{"0":{"durations":5,"bytesSent":5}}"#,
            r#"{"0":{"bytesSent":6}}"#,
        ]);
        let values = |name: &str| text(&all.entries[0].values(name, &[]).unwrap());
        assert_eq!(values("bytesSent"), "1 2 NaN NaN 4 4 5 6 ");
        assert_eq!(values("active"), "1 1 1 0 0 0 0 0 ");
        assert_eq!(values("durations.cpu"), "0 0 0 0 0 NaN NaN NaN ");
        assert_eq!(values("durations.none"), "1 2 3 3 4 4 NaN NaN ");
        assert_eq!(values("durations.other"), "NaN NaN NaN NaN 1 1 NaN NaN ");
        assert_eq!(values("durations"), "NaN NaN NaN NaN NaN NaN 5 5 ");
    }

    #[test]
    fn no_line_leads_over_a_report_without_the_entry_nor_over_a_sleep() {
        let breaks_of = |times: &[f64], reports: &[f64], woken: &[f64]| {
            let entry = EntrySeries {
                id: "x".into(),
                kind: "codec".into(),
                times: times.to_vec(),
                stamps: Vec::new(),
                series: Vec::new(),
                texts: Vec::new(),
                by_name: HashMap::new(),
                shape: Shape::default(),
                slots: Vec::new(),
            };
            entry.breaks(reports.iter().copied(), woken)
        };
        let breaks = |times: &[f64], reports: &[f64]| breaks_of(times, reports, &[]);
        let times = [1000.0, 2000.0, 2000.0, 3000.0, 4000.0, 64_000.0, 65_000.0];
        assert_eq!(breaks(&times, &times), [5]);
        assert_eq!(
            breaks(&times, &[500.0, 1000.0, 2000.0, 2000.0, 2500.0, 3000.0, 4000.0, 64_000.0, 65_000.0]),
            [3, 5]
        );
        assert_eq!(breaks(&[1.0, 30_001.0, 60_001.0], &[1.0, 30_001.0, 60_001.0]), [0_u32; 0]);
        assert_eq!(breaks_of(&times, &times, &[500.0, 2500.0, 2600.0]), [3, 5]);
        assert_eq!(breaks(&[1.0], &[]), [0_u32; 0]);
        assert_eq!(breaks(&[], &[1.0]), [0_u32; 0]);
    }

    #[test]
    fn the_budget_ends_the_collection() {
        let mut numbers = Numbers(3);
        let mut series =
            Series { name: "x".into(), start: 0, values: Values::Constant { length: 0 }, moves: false, last: 0.0 };
        assert!(series.push(0.0, 0, &mut numbers));
        assert!(series.push(1.0, 1, &mut numbers));
        assert!(series.push(2.0, 2, &mut numbers));
        assert!(!series.push(3.0, 3, &mut numbers));
    }
}
