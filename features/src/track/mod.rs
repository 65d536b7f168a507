//! The tracks of one connection: how they are found among its events, and which of its RTP streams is theirs.

mod frame_sizes;
mod last;
mod stream;

use std::collections::{HashMap, HashSet, VecDeque};

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, Report};

use crate::budget::Budget;
use crate::input;
use crate::table::TrackFeatures;
use crate::value::UnixMillis;

use last::Remote;
use stream::Stream;

/// Which way a track's media goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Inbound,
    Outbound,
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Direction::Inbound => "inbound",
            Direction::Outbound => "outbound",
        }
    }
}

/// A track that the connection sends or receives.
#[derive(Debug)]
struct Track {
    direction: Direction,
    kind: Option<String>,
    id: Box<str>,
    start: f64,
    /// The place of its stream in [`Tracks::streams`].
    stream: Option<usize>,
}

/// What is known of the tracks of one id: the two ends of a loop have the same, and a page may add a track twice.
#[derive(Debug, Default)]
struct Namesakes {
    any: bool,
    inbound: bool,
    unmuted: Option<f64>,
    /// The places of those without a stream, in [`Tracks::tracks`].
    free: VecDeque<usize>,
}

/// Accumulates the features of a connection's tracks.
///
/// A track is known by an event, its stream by a report, and either may come first. So streams are followed from their first
/// report on, whoever they belong to, and a track only notes which one is its own.
#[derive(Debug, Default)]
pub(crate) struct Tracks {
    tracks: Vec<Track>,
    ids: HashMap<Box<str>, Namesakes>,
    streams: Vec<Stream>,
    /// Where the stream of an entry is in `streams`.
    places: HashMap<Box<str>, usize>,
    without_stream: usize,
    /// Whether a track was added after the newest report.
    is_track_new: bool,
    /// The streams that the newest report has, in its order.
    present: Vec<usize>,
    /// By the place of an entry in the report: its stream.
    of_entry: Vec<Option<usize>>,
    /// Whether some entry has told what a far end says about the marks of packets (ECN), as only some browsers do.
    far_ends: bool,
    /// When the newest report came.
    time: f64,
    /// Reports seen.
    reports: u64,
}

impl Tracks {
    pub(crate) fn event(&mut self, event: &Event<'_>, budget: &mut Budget) {
        let method: &str = &event.method;
        let Some(value) = input::json(event) else { return };
        match method {
            "addTrack" => self.add(Direction::Outbound, value, event.time, budget),
            "ontrack" if !self.namesakes(value).is_some_and(|known| known.inbound) => {
                self.add(Direction::Inbound, value, event.time, budget);
            }
            // With the kind of a track instead of one there is none yet.
            "addTransceiver" => {
                if let Some(track) = value.at(0) {
                    self.add(Direction::Outbound, track, event.time, budget);
                }
            }
            "replaceTrack" => {
                if let Some(next) = value.at(1)
                    && !self.namesakes(next).is_some_and(|known| known.any)
                {
                    self.add(Direction::Outbound, next, event.time, budget);
                }
            }
            "MediaStreamTrack.onunmute" => self.unmute(value, event.time, budget),
            _ => {}
        }
    }

    /// Those of the id in `value`.
    fn namesakes(&self, value: RawValue<'_>) -> Option<&Namesakes> {
        self.ids.get(&*value.at(1)?.as_str()?)
    }

    /// `value`: kind, id, label and the ids of streams.
    fn add(&mut self, direction: Direction, value: RawValue<'_>, start: f64, budget: &mut Budget) {
        let Some(id) = value.at(1).and_then(RawValue::as_str).and_then(|id| input::identifier(&id)) else { return };
        if !budget.take() {
            return;
        }
        let known = self.ids.entry(id.clone()).or_default();
        known.any = true;
        known.inbound |= direction == Direction::Inbound;
        known.free.push_back(self.tracks.len());
        self.without_stream += 1;
        self.is_track_new = true;
        self.tracks.push(Track { direction, kind: value.at(0).and_then(input::text), id, start, stream: None });
    }

    /// Only the first time counts, even if the track comes later.
    fn unmute(&mut self, value: RawValue<'_>, time: f64, budget: &mut Budget) {
        let Some(id) = value.as_str() else { return };
        if let Some(known) = self.ids.get_mut(&*id) {
            known.unmuted.get_or_insert(time);
        } else if let Some(id) = input::identifier(&id)
            && budget.take()
        {
            self.ids.insert(id, Namesakes { unmuted: Some(time), ..Namesakes::default() });
        }
    }

    /// `seen`: the number of the report before.
    pub(crate) fn report(&mut self, report: &Report, seen: u64, time: f64, budget: &mut Budget) {
        let time_before = std::mem::replace(&mut self.time, time);
        let is_reshaped = report.reshaped() > seen;
        if is_reshaped {
            self.reshape(report, time_before, budget);
        }
        self.reports += 1;
        for (place, entry) in report.changed_since(seen) {
            match self.of_entry.get(place).copied().flatten() {
                Some(at) => {
                    if let Some(stream) = self.streams.get_mut(at) {
                        stream.changed(entry, time, self.reports);
                    }
                }
                None => self.far_ends = self.far_ends || Remote::is_told_by(entry),
            }
        }
        if self.far_ends || is_reshaped {
            for at in &self.present {
                let Some(stream) = self.streams.get_mut(*at) else { continue };
                let Some(entry) = stream.place.and_then(|place| report.at(place)) else { continue };
                stream.referred(report, entry, self.far_ends);
            }
        }
        if std::mem::take(&mut self.is_track_new) || is_reshaped {
            self.claims(report);
        }
    }

    /// Gives the tracks their streams, as far as there are any.
    fn claims(&mut self, report: &Report) {
        for at in 0..self.present.len() {
            if self.without_stream == 0 {
                break;
            }
            let Some(at) = self.present.get(at).copied() else { break };
            let Some(Stream { place: Some(place), owner, .. }) = self.streams.get(at) else { continue };
            let (owner, Some(entry)) = (*owner, report.at(*place)) else { continue };
            if let Some(track) = self.claim(report, entry, at, owner)
                && let Some(stream) = self.streams.get_mut(at)
            {
                stream.owner = Some(track);
            }
        }
    }

    /// The report was reshaped: finds the streams again, and takes leave of those that are gone. `time`: of the report before.
    fn reshape(&mut self, report: &Report, time: f64, budget: &mut Budget) {
        let before = std::mem::take(&mut self.present);
        for at in &before {
            if let Some(stream) = self.streams.get_mut(*at) {
                stream.place = None;
            }
        }
        self.of_entry.clear();
        for (place, entry) in report.entries().enumerate() {
            let is_stream = matches!(entry.kind(), "inbound-rtp" | "outbound-rtp");
            let at = if is_stream { self.place(entry, budget) } else { None };
            self.of_entry.push(at);
            if let Some(at) = at
                && let Some(stream) = self.streams.get_mut(at)
            {
                stream.place = Some(place);
                self.present.push(at);
            }
        }
        let mut gone: HashSet<usize> = before.into_iter().filter(|at| self.is_gone(*at)).collect();
        if gone.is_empty() {
            return;
        }
        let entries = report.gone().filter_map(|entry| Some((*self.places.get(entry.id())?, entry)));
        for (at, entry) in entries {
            if gone.remove(&at)
                && let Some(stream) = self.streams.get_mut(at)
            {
                stream.gone(Some(entry), time, self.reports);
            }
        }
        for at in gone {
            if let Some(stream) = self.streams.get_mut(at) {
                stream.gone(None, time, self.reports);
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

    /// The first track that has no stream and is what this one carries takes it, unless a track before it has it already. That does
    /// not ask for the direction; and so a simulcast layer beside the first belongs to no track.
    fn claim(&mut self, report: &Report, entry: Entry<'_>, at: usize, owner: Option<usize>) -> Option<usize> {
        let carrier = match entry.kind() {
            "inbound-rtp" => entry,
            _ => report.get(&entry.member("mediaSourceId")?.as_str()?)?,
        };
        let free = &mut self.ids.get_mut(&*carrier.member("trackIdentifier")?.as_str()?)?.free;
        let first = *free.front().filter(|first| owner.is_none_or(|owner| **first < owner))?;
        free.pop_front();
        self.tracks.get_mut(first)?.stream = Some(at);
        self.without_stream -= 1;
        Some(first)
    }

    /// `report`: the newest of the connection.
    pub(crate) fn features(&self, report: Option<&Report>) -> Vec<TrackFeatures> {
        let mut now = vec![None; self.streams.len()];
        for (id, at) in &self.places {
            if let (Some(report), Some(place)) = (report, now.get_mut(*at)) {
                *place = report.get(id).map(|entry| (report, entry));
            }
        }
        let of_stream = |track: &Track| now.get(track.stream?).copied().flatten();
        self.tracks.iter().map(|track| self.features_of(track, of_stream(track))).collect()
    }

    fn features_of(&self, track: &Track, now: Option<(&Report, Entry<'_>)>) -> TrackFeatures {
        let is_inbound = track.direction == Direction::Inbound;
        let stream = track.stream.and_then(|at| self.streams.get(at));
        let mut features = TrackFeatures {
            kind: track.kind.clone(),
            direction: Some(track.direction.name().to_owned()),
            track_identifier: Some(track.id.to_string()),
            start_time: input::millis(track.start).map(UnixMillis),
            duration: Some(0),
            ..TrackFeatures::default()
        };
        if is_inbound {
            let unmuted = self.ids.get(&track.id).and_then(|known| known.unmuted).map(|time| time - track.start);
            let is_null = || stream.is_some_and(|stream| stream.null_decoder);
            features.has_null_video_decoder = (track.kind.as_deref() == Some("video")).then(is_null);
            features.time_to_first_frame = unmuted.filter(|delay| *delay >= 0.0).and_then(input::floor_millis);
        }
        if let Some(stream) = stream {
            stream.write(now, (self.time, self.reports), track.start, &mut features, is_inbound);
        }
        features
    }
}

/// Both, and the divisor is not 0.
fn quotient(dividend: Option<f64>, divisor: Option<f64>) -> Option<f64> {
    let quotient = dividend? / divisor.filter(|divisor| *divisor != 0.0)?;
    quotient.is_finite().then_some(quotient)
}

/// A number that counts something.
fn count(number: f64) -> Option<i64> {
    number.is_finite().then_some(number as i64)
}
