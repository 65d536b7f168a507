//! What the reports say about a connection's streams: where each is in a report, and what has changed of it.

use std::collections::HashSet;

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, Report, Shape};

use super::last::Remote;
use super::of_reports::Carried;
use super::stream::Stream;
use super::{Direction, Tracks, legacy};
use crate::budget::Budget;
use crate::input;
use crate::metric::Sample;

/// What an entry is.
#[derive(Debug, Clone, Copy, Default)]
enum Role {
    /// That of a stream, by its place in [`Tracks::streams`].
    Stream(usize, Direction),
    /// That of the far end of a stream: what it says of one that is sent, or of itself as the source of one that is received.
    FarEnd(usize, Direction),
    Codec,
    #[default]
    Other,
}

/// The newest round trip times that far ends have told (s), by the direction of their streams.
#[derive(Debug, Default)]
pub(super) struct FarEndTimes {
    of_sent: Option<f64>,
    of_received: Option<f64>,
}

impl FarEndTimes {
    fn told(&mut self, direction: Direction, time: Option<f64>) {
        let newest = match direction {
            Direction::Outbound => &mut self.of_sent,
            Direction::Inbound => &mut self.of_received,
        };
        *newest = time.or(*newest);
    }

    fn newest(&self) -> Option<f64> {
        self.of_sent.or(self.of_received)
    }
}

/// An entry at its place in the report.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slot {
    role: Role,
    /// The shape in which it told nothing about the marks of packets.
    untold: Shape,
}

impl Tracks {
    /// `seen`: the number of the report before; `sample`: if the report is one; `round_trip_time` (s): of the connection.
    pub(crate) fn report(
        &mut self,
        report: &Report,
        seen: u64,
        time: f64,
        (sample, round_trip_time): (Option<&Sample>, Option<f64>),
        (streams, buckets): (&mut Budget, &mut Budget),
    ) {
        let time_before = std::mem::replace(&mut self.time, time);
        let is_reshaped = report.reshaped() > seen;
        if is_reshaped {
            self.reshape(report, time_before, (streams, buckets));
        }
        self.reports += 1;
        let mut codecs = is_reshaped;
        for (place, entry) in report.changed_since(seen) {
            let Some(slot) = self.slots.get_mut(place) else { continue };
            if let Role::Stream(at, direction) = slot.role {
                let first = (direction == Direction::Inbound).then_some(&mut self.first_media);
                if let Some(stream) = self.streams.get_mut(at) {
                    stream.changed(entry, time, self.reports, first);
                }
                continue;
            }
            if !self.far_ends && slot.untold != entry.shape() {
                slot.untold = entry.shape();
                self.far_ends = Remote::is_told_by(entry);
            }
            match slot.role {
                Role::FarEnd(at, direction) if !is_reshaped => {
                    if let Some(stream) = self.streams.get_mut(at) {
                        self.far_end_times.told(direction, stream.quality.far_end_changed(entry));
                    }
                }
                Role::Codec => codecs = true,
                _ => {}
            }
        }
        if is_reshaped {
            // One may be the far end only now, and have been there before.
            for (place, slot) in self.slots.iter().enumerate() {
                let Role::FarEnd(at, direction) = slot.role else { continue };
                let (Some(stream), Some(entry)) = (self.streams.get_mut(at), report.at(place)) else { continue };
                self.far_end_times.told(direction, stream.quality.far_end_changed(entry));
            }
        }
        if self.far_ends || codecs {
            for at in &self.present {
                let Some(stream) = self.streams.get_mut(*at) else { continue };
                let Some(entry) = stream.place.and_then(|place| report.at(place)) else { continue };
                stream.referred(report, entry, codecs, self.far_ends);
            }
        }
        if std::mem::take(&mut self.is_track_new) || is_reshaped {
            self.claims(report);
        }
        if let Some(sample) = sample {
            self.sample(report, sample, round_trip_time.or(self.far_end_times.newest()), buckets);
        }
    }

    fn sample(&mut self, report: &Report, sample: &Sample, round_trip_time: Option<f64>, buckets: &mut Budget) {
        self.samples = sample.number;
        for (place, entry) in report.changed_since(sample.since) {
            let Some(slot) = self.slots.get(place) else { continue };
            match slot.role {
                Role::Stream(at, _) => {
                    if let Some(stream) = self.streams.get_mut(at) {
                        stream.sample(entry, sample, round_trip_time, buckets);
                    }
                }
                Role::FarEnd(at, Direction::Outbound) => {
                    if let Some(stream) = self.streams.get_mut(at) {
                        stream.quality.far_end(entry, sample, buckets);
                    }
                }
                _ => {}
            }
        }
        if std::mem::take(&mut self.are_far_ends_moved) {
            // One may be the far end only now, and have been there before.
            for at in &self.present {
                let Some(stream) = self.streams.get_mut(*at) else { continue };
                let Some(entry) = stream.far_end.and_then(|place| report.at(place)) else { continue };
                if is_sent(stream) {
                    stream.quality.far_end(entry, sample, buckets);
                }
            }
        }
        let received = self.present.iter().filter_map(|at| {
            let stream = self.streams.get(*at)?;
            (stream.direction == Some(Direction::Inbound)).then(|| stream.seen(sample.number)).flatten()
        });
        self.experience.sample(received);
    }

    /// Which entry is the far end of which stream. `before`: the streams of the report before.
    fn find_far_ends(&mut self, report: &Report, before: &[usize], buckets: &mut Budget) {
        let mut had = HashSet::new();
        for at in before {
            if let Some(stream) = self.streams.get_mut(*at)
                && stream.far_end.take().is_some()
                && stream.direction == Some(Direction::Outbound)
            {
                had.insert(*at);
            }
        }
        for (place, entry) in report.entries().enumerate() {
            let direction = match entry.kind() {
                "remote-inbound-rtp" => Direction::Outbound,
                "remote-outbound-rtp" => Direction::Inbound,
                _ => continue,
            };
            let stream = entry.member("localId").and_then(RawValue::as_str).and_then(|id| self.places.get(&*id));
            let Some(at) = stream.copied() else { continue };
            if let (Some(stream), Some(slot)) = (self.streams.get_mut(at), self.slots.get_mut(place))
                && stream.place.is_some()
                && stream.direction == Some(direction)
                && stream.far_end.is_none()
            {
                stream.far_end = Some(place);
                stream.quality.far_end_moved();
                slot.role = Role::FarEnd(at, direction);
                had.remove(&at);
            }
        }
        for at in had {
            if let Some(stream) = self.streams.get_mut(at) {
                stream.quality.far_end_gone(self.samples, buckets);
            }
        }
    }

    /// The report was reshaped: finds the streams again, and takes leave of those that are gone. `time`: of the report before.
    fn reshape(&mut self, report: &Report, time: f64, (streams, buckets): (&mut Budget, &mut Budget)) {
        let before = std::mem::take(&mut self.present);
        for at in &before {
            if let Some(stream) = self.streams.get_mut(*at) {
                stream.place = None;
            }
        }
        self.slots.clear();
        for (place, entry) in report.entries().enumerate() {
            let direction = match entry.kind() {
                "inbound-rtp" => Some(Direction::Inbound),
                "outbound-rtp" => Some(Direction::Outbound),
                legacy::KIND => legacy::direction(entry),
                _ => None,
            };
            let stream = direction.and_then(|direction| Some((self.place(entry, streams)?, direction)));
            let other = if entry.kind() == "codec" { Role::Codec } else { Role::Other };
            let role = stream.map_or(other, |(at, direction)| Role::Stream(at, direction));
            self.slots.push(Slot { role, ..Slot::default() });
            if let Some((at, direction)) = stream
                && let Some(stream) = self.streams.get_mut(at)
            {
                if stream.direction.replace(direction).is_some_and(|before| before != direction) {
                    stream.quality.finish(self.samples, buckets);
                }
                stream.is_legacy = entry.kind() == legacy::KIND;
                stream.place = Some(place);
                self.present.push(at);
            }
        }
        if self.tracks.is_empty() {
            self.name(report);
        }
        self.find_far_ends(report, &before, buckets);
        self.are_far_ends_moved = true;
        let mut gone: HashSet<usize> = before.into_iter().filter(|at| self.is_gone(*at)).collect();
        if gone.is_empty() {
            return;
        }
        let entries = report.gone().filter_map(|entry| Some((*self.places.get(entry.id())?, entry)));
        for (at, entry) in entries {
            if gone.remove(&at)
                && let Some(stream) = self.streams.get_mut(at)
            {
                stream.gone(Some(entry), time, (self.reports, self.samples), buckets);
            }
        }
        for at in gone {
            if let Some(stream) = self.streams.get_mut(at) {
                stream.gone(None, time, (self.reports, self.samples), buckets);
            }
        }
    }

    /// Notes what tracks the streams of a report carry, as no event has told of any.
    fn name(&mut self, report: &Report) {
        let mut sources = None;
        for at in &self.present {
            let Some(stream) = self.streams.get_mut(*at) else { continue };
            let Some(entry) = stream.place.and_then(|place| report.at(place)) else { continue };
            match &mut stream.carried {
                Some(carried) => carried.look_again(report, entry, &mut sources),
                None => {
                    stream.carried = Carried::of(report, entry, self.time, &mut sources).map(Box::new);
                }
            }
        }
    }

    fn is_gone(&self, at: usize) -> bool {
        self.streams.get(at).is_some_and(|stream| stream.place.is_none())
    }

    /// The place of an entry's stream, which is new if it was not seen before.
    fn place(&mut self, entry: Entry<'_>, budget: &mut Budget) -> Option<usize> {
        if let Some(&at) = self.places.get(entry.id()) {
            return Some(at);
        }
        let id = input::identifier(entry.id())?;
        budget.take().then(|| {
            self.streams.push(Stream::default());
            self.places.insert(id, self.streams.len() - 1);
            self.streams.len() - 1
        })
    }
}

/// Whether it is in the report, as one that is sent.
fn is_sent(stream: &Stream) -> bool {
    stream.place.is_some() && stream.direction == Some(Direction::Outbound)
}
