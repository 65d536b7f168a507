//! [`Sampling`]: the reports that the series of one connection were made of.
//!
//! All entries of a report have its time, but those about the far end, which have the time of the news in them. So the times of the
//! others are when reports were taken, and news are in the first report after them, and in those that follow.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::limits::{
    MAX_BUILT, MAX_BUILT_TIMES, MAX_ENTRY, MAX_MEMBER, MAX_MEMBERS, MAX_PART, MAX_PARTS, MAX_PARTS_OF_TWO, MAX_SAMPLES,
    MAX_SERIES,
};
use super::series::{Series, names_of};
use super::text::{quoted, write_member};
use crate::json::RawValue;
use crate::report::carries_time;
use crate::sort::sorted_by;

/// Samples that are no further apart, in ms, are of one report: one is taken every second.
const SAME_REPORT: f64 = 100.0;
/// `startTime` and `endTime` are cut to milliseconds.
const ROUNDING: f64 = 1.0;
/// Times that were made up between the first and the last may be wrong by so much.
const MADE_UP: f64 = 500.0;

/// Members of an entry that it has without a series.
const OWN_MEMBERS: [&str; 3] = ["id", "type", "timestamp"];

/// What stands in an entry beside its names and values: its braces, the names of its own members, and its time.
const FRAME: usize = 64;
/// The same of a member: quotes, a colon, a comma.
const MEMBER_FRAME: usize = 6;

#[derive(Debug, Default)]
struct Entry {
    id: String,
    kind: String,
    /// When it was sampled, in ms since the Unix epoch: what stands in it as its time, as far as that is told.
    times: Vec<f64>,
    is_time_told: bool,
    /// How many samples there may be: values of its longest series.
    samples: usize,
    /// In which report each sample is.
    reports: Vec<u32>,
    /// The next sample.
    next: usize,
    series: Vec<Series>,
}

/// The reports of one connection, to be asked for in their order.
#[derive(Debug, Default)]
pub(super) struct Sampling {
    /// In the order in which they stand in reports.
    entries: Vec<Entry>,
    /// When reports were taken.
    times: Vec<f64>,
    /// Entries by the report that their next sample is in.
    due: BinaryHeap<Reverse<(u32, u32)>>,
    /// Series that are none, or too many.
    pub(super) left_out: u64,
}

/// What an entry takes in memory, its texts apart: itself, room for its first series, its place among the others, and what an allocator
/// takes of each.
const ENTRY: usize = size_of::<Entry>() + 3 * size_of::<Series>() + 256;
/// The same of a series, of which there may be room for twice as many.
const SERIES: usize = 2 * size_of::<Series>() + 64;
/// The same of a sample: its time, here and among those of reports, and the place of its report.
const SAMPLE: usize = 64;

/// How much more of it a dump may have.
#[derive(Debug)]
pub(super) struct Room {
    series: usize,
    samples: usize,
    /// Bytes of reports.
    built: usize,
    /// Bytes of what is held.
    parts: usize,
}

impl Room {
    /// For a dump of that many bytes.
    pub(super) fn of(length: usize) -> Self {
        let parts = MAX_PARTS + length / 2 * MAX_PARTS_OF_TWO;
        Self { series: MAX_SERIES, samples: MAX_SAMPLES, built: MAX_BUILT + MAX_BUILT_TIMES * length, parts }
    }

    /// Takes room for a part of so many bytes. False if there is none.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        match self.parts.checked_sub(bytes) {
            Some(left) => {
                self.parts = left;
                true
            }
            None => false,
        }
    }
}

impl Sampling {
    /// Takes the member `stats` of a connection apart.
    pub(super) fn of(stats: RawValue<'_>, room: &mut Room) -> Self {
        let mut sampling = Self::default();
        let mut places: HashMap<String, usize> = HashMap::new();
        for (key, value) in stats.members() {
            let Some((id, name)) = names_of(&key) else { continue };
            let has_room = room.series > 0 && id.len() <= MAX_ENTRY && name.len() <= MAX_MEMBER;
            let series = if has_room { Series::parse(name, value) } else { None };
            let Some(series) = series else {
                sampling.left_out += 1;
                continue;
            };
            let place = places.get(id).copied();
            let known = place.and_then(|place| sampling.entries.get(place));
            let samples = series.count.saturating_sub(known.map_or(0, |entry| entry.samples));
            let entry = if known.is_none() { ENTRY + 2 * id.len() } else { 0 };
            let needed = entry + SERIES + name.len() + series.length() + SAMPLE * samples;
            if known.is_some_and(|entry| entry.series.len() >= MAX_MEMBERS) || !room.take(needed) {
                sampling.left_out += 1;
                continue;
            }
            let place = place.unwrap_or_else(|| {
                sampling.entries.push(Entry { id: id.to_owned(), ..Entry::default() });
                places.insert(id.to_owned(), sampling.entries.len() - 1);
                sampling.entries.len() - 1
            });
            let Some(entry) = sampling.entries.get_mut(place) else { continue };
            entry.samples += samples;
            room.series -= 1;
            if entry.kind.is_empty() {
                entry.kind = value.get("statsType").map(kind_of).unwrap_or_default();
            }
            entry.series.push(series);
        }
        for entry in &mut sampling.entries {
            sampling.left_out += entry.find_times(room);
        }
        sampling.entries.retain(|entry| !entry.times.is_empty());
        sampling.find_reports();
        sampling
    }

    /// When reports were taken, in ms since the Unix epoch.
    pub(super) fn times(&self) -> &[f64] {
        &self.times
    }

    fn find_reports(&mut self) {
        let is_own = |entry: &&Entry| !carries_time(&entry.kind);
        let of = |entry: &Entry| entry.times.clone();
        let mut all: Vec<f64> = self.entries.iter().filter(is_own).flat_map(of).collect();
        if all.is_empty() {
            all = self.entries.iter().flat_map(of).collect();
        }
        let all = sorted_by(all, f64::total_cmp);
        let mut first = f64::NEG_INFINITY;
        for time in all {
            match self.times.last_mut() {
                Some(last) if time - first <= SAME_REPORT => *last = time,
                _ => {
                    first = time;
                    self.times.push(time);
                }
            }
        }
        for (place, entry) in self.entries.iter_mut().enumerate() {
            entry.find_reports(&self.times);
            if let (Some(report), Ok(place)) = (entry.reports.first(), u32::try_from(place)) {
                self.due.push(Reverse((*report, place)));
            }
        }
    }

    /// Appends a report as `JSON.stringify` would write it. It must be the one behind the last that was asked for. Of one that is too long,
    /// nothing, and how long it would have been.
    pub(super) fn write(&mut self, report: usize, out: &mut String) -> Result<(), usize> {
        let start = out.len();
        let mut too_much = 0;
        out.push('{');
        while let Some(Reverse((due, place))) = self.due.peek().copied()
            && due as usize <= report
        {
            self.due.pop();
            let Some(entry) = self.entries.get_mut(place as usize) else { continue };
            if due as usize == report {
                write_member(out, &entry.id, "");
                entry.write(self.times.get(report).copied().unwrap_or_default(), out);
                if out.len() - start > MAX_PART {
                    too_much += out.len() - start;
                    out.truncate(start);
                }
            }
            entry.next += 1;
            if let Some(next) = entry.reports.get(entry.next) {
                self.due.push(Reverse((*next, place)));
            }
        }
        out.push('}');
        if too_much == 0 {
            return Ok(());
        }
        let length = too_much + out.len() - start;
        out.truncate(start);
        Err(length)
    }
}

impl Entry {
    /// Finds out when it was sampled, and which samples its members were in. How many series nobody can place.
    fn find_times(&mut self, room: &mut Room) -> u64 {
        if let Some(place) = self.series.iter().position(|series| &*series.name == "timestamp") {
            self.times = self.series.swap_remove(place).moments();
            self.is_time_told = true;
        } else if let Some(longest) = self.series.iter().max_by_key(|series| series.count) {
            // Older Chromiums do not say when each sample was taken.
            let (start, end) = (longest.start.or(longest.end), longest.end.or(longest.start));
            let count = longest.count;
            if let (Some(start), Some(end)) = (start, end) {
                let step = if count > 1 { (end - start) / (count - 1) as f64 } else { 0.0 };
                self.times = (0..count).map(|sample| start + step * sample as f64).collect();
            }
        }
        if self.times.len() > room.samples {
            self.times = Vec::new();
        }
        room.samples -= self.times.len();
        if self.times.is_empty() {
            return self.series.len() as u64;
        }
        if let Some(kind) = self.series.iter_mut().find(|series| &*series.name == "type")
            && self.kind.is_empty()
        {
            let mut text = String::new();
            kind.write_next(&mut text);
            self.kind = RawValue::parse(&text).ok().map(kind_of).unwrap_or_default();
        }
        self.series.retain(|series| !OWN_MEMBERS.contains(&&*series.name) && !series.name.is_empty());
        let built = self.length();
        if built > room.built {
            self.times.clear();
            return self.series.len() as u64 + 1;
        }
        room.built -= built;
        let tolerance = if self.is_time_told { ROUNDING } else { MADE_UP };
        for series in &mut self.series {
            series.align(&self.times, tolerance);
        }
        0
    }

    /// No fewer bytes than come of it in all reports.
    fn length(&self) -> usize {
        let head = 2 * quoted(&self.id).len() + quoted(&self.kind).len() + FRAME;
        let member = |series: &Series| series.length() + series.count * (quoted(&series.name).len() + MEMBER_FRAME);
        self.times.len() * head + self.series.iter().map(member).sum::<usize>()
    }

    /// `times`: when reports were taken. Two samples are never in one report.
    fn find_reports(&mut self, times: &[f64]) {
        let mut next = 0;
        for time in &self.times {
            let report = times.partition_point(|report| *report < *time - ROUNDING).max(next);
            if report >= times.len() {
                break;
            }
            next = report + 1;
            self.reports.push(u32::try_from(report).unwrap_or(u32::MAX));
        }
    }

    /// Appends the next sample. `report` is the report's time.
    fn write(&mut self, report: f64, out: &mut String) {
        let time = self.times.get(self.next).copied().filter(|_| self.is_time_told).unwrap_or(report);
        out.push_str("{\"id\":");
        out.push_str(&quoted(&self.id));
        write_member(out, "timestamp", &time.to_string());
        write_member(out, "type", &quoted(&self.kind));
        for series in &mut self.series {
            if (series.first..series.first + series.count).contains(&self.next) {
                let start = out.len();
                write_member(out, &series.name, "");
                if !series.write_next(out) {
                    out.truncate(start);
                }
            }
        }
        out.push('}');
    }
}

/// The type that a value says. One that is too long to be one is none: it would stand with each sample.
fn kind_of(value: RawValue<'_>) -> String {
    value.as_str().filter(|kind| kind.len() <= MAX_MEMBER).unwrap_or_default().into_owned()
}
