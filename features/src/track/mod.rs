//! The tracks of one connection: how they are found among its events, and which of its RTP streams is theirs.

mod experience;
mod first_media;
mod frame_sizes;
mod last;
mod layers;
pub(crate) mod legacy;
mod mos;
mod of_reports;
mod quality;
mod reports;
mod sources;
mod stream;

use std::collections::{HashMap, VecDeque};

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::Report;

use crate::budget::Budget;
use crate::input;
use crate::table::{ConnectionFeatures, TrackFeatures};
use crate::value::UnixMillis;

use experience::Experience;
pub(crate) use first_media::FirstMedia;
use first_media::Media;
use last::{Last, Remote, lost_ratio};
use layers::Layers;
use reports::{FarEndTimes, Slot};
use sources::OnlySources;
use stream::Stream;

/// Which way a track's media goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
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
    /// The id of its `MediaStreamTrack`; only one that no event tells of may have none.
    id: Option<Box<str>>,
    start: f64,
    /// The places of its streams in [`Tracks::streams`], by the [`Choice`].
    streams: [Option<usize>; CHOICES],
}

/// How a track has come to a stream.
#[derive(Debug, Clone, Copy)]
enum Choice {
    /// As upstream has it: by the id alone, so that one that is sent and received may have the stream of the other direction.
    Upstream,
    /// By the id and the direction, and where a stream names no source by what else tells it: what upstream has not is read of this one.
    Own,
}

const CHOICES: usize = 2;

/// What is known of the tracks of one id: the two ends of a loop have the same, and a page may add a track twice.
#[derive(Debug, Default)]
struct Namesakes {
    any: bool,
    inbound: bool,
    /// What the first inbound one carries.
    media: Option<Media>,
    unmuted: Option<f64>,
    /// The places of those without a stream of upstream's choice, in [`Tracks::tracks`].
    free: VecDeque<usize>,
    /// The same without one of their own, of those that are received.
    free_inbound: VecDeque<usize>,
    /// The same of those that are sent.
    free_outbound: VecDeque<usize>,
}

impl Namesakes {
    /// Those that may take a stream of that direction.
    fn free(&mut self, choice: Choice, direction: Direction) -> &mut VecDeque<usize> {
        match (choice, direction) {
            (Choice::Upstream, _) => &mut self.free,
            (Choice::Own, Direction::Inbound) => &mut self.free_inbound,
            (Choice::Own, Direction::Outbound) => &mut self.free_outbound,
        }
    }
}

/// Accumulates the features of a connection's tracks.
///
/// A track is known by an event, its stream by a report, and either may come first. So streams are followed from their first
/// report on, whoever they belong to, and a track only notes which one is its own. Where no event tells of any, the streams do
/// ([`of_reports`]).
#[derive(Debug, Default)]
pub(crate) struct Tracks {
    tracks: Vec<Track>,
    ids: HashMap<Box<str>, Namesakes>,
    streams: Vec<Stream>,
    /// Where the stream of an entry is in `streams`.
    places: HashMap<Box<str>, usize>,
    /// How many tracks have none, by the [`Choice`].
    without_stream: [usize; CHOICES],
    /// Whether a track was added after the newest report.
    is_track_new: bool,
    /// The streams that the newest report has, in its order.
    present: Vec<usize>,
    /// By the place of an entry in the report: what it is here.
    slots: Vec<Slot>,
    /// Whether a report has been reshaped since the newest sample.
    are_far_ends_moved: bool,
    /// Whether some entry has told what a far end says about the marks of packets (ECN), as only some browsers do.
    far_ends: bool,
    far_end_times: FarEndTimes,
    /// When the newest report came.
    time: f64,
    /// Reports seen.
    reports: u64,
    /// Samples among them.
    samples: u64,
    first_media: FirstMedia,
    experience: Experience,
}

/// What the newest report is the end of.
#[derive(Debug, Clone, Copy)]
struct Now {
    /// When it came.
    time: f64,
    /// How many reports there were.
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
        if direction == Direction::Inbound {
            known.inbound = true;
            known.media = known.media.or(value.at(0).and_then(Media::of));
        }
        for choice in [Choice::Upstream, Choice::Own] {
            known.free(choice, direction).push_back(self.tracks.len());
        }
        self.without_stream = self.without_stream.map(|count| count + 1);
        self.is_track_new = true;
        self.tracks.push(Track {
            direction,
            kind: value.at(0).and_then(input::text),
            id: Some(id),
            start,
            streams: [None; CHOICES],
        });
    }

    /// Only the first time counts, even if the track comes later.
    fn unmute(&mut self, value: RawValue<'_>, time: f64, budget: &mut Budget) {
        let Some(id) = value.as_str() else { return };
        if let Some(known) = self.ids.get_mut(&*id) {
            known.unmuted.get_or_insert(time);
            // A remote track is unmuted by its first packet.
            if let Some(media) = known.media {
                self.first_media.packet(media, time);
            }
        } else if let Some(id) = input::identifier(&id)
            && budget.take()
        {
            self.ids.insert(id, Namesakes { unmuted: Some(time), ..Namesakes::default() });
        }
    }

    /// Gives the tracks their streams, as far as there are any.
    fn claims(&mut self, report: &Report) {
        let mut sources = None;
        for choice in [Choice::Upstream, Choice::Own] {
            for at in 0..self.present.len() {
                if self.without_stream.get(choice as usize) == Some(&0) {
                    break;
                }
                if let Some(at) = self.present.get(at).copied() {
                    self.claim(report, at, choice, &mut sources);
                }
            }
        }
    }

    /// The first track that has no stream and is what this one carries takes it, unless a track before it has it already. Upstream does
    /// not ask for the direction; and so a simulcast layer beside the first belongs to no track.
    fn claim<'r>(
        &mut self,
        report: &'r Report,
        at: usize,
        choice: Choice,
        sources: &mut Option<OnlySources<'r>>,
    ) -> Option<()> {
        let stream = self.streams.get_mut(at)?;
        let entry = report.at(stream.place?)?;
        let track = match entry.kind() {
            "inbound-rtp" => entry.member("trackIdentifier"),
            legacy::KIND => legacy::track(entry),
            _ => {
                let source = match (entry.member("mediaSourceId"), choice) {
                    (Some(source), _) => report.get(&source.as_str()?)?,
                    (None, Choice::Own) => sources.get_or_insert_with(|| OnlySources::of(report)).of_kind(entry)?,
                    (None, Choice::Upstream) => return None,
                };
                source.member("trackIdentifier")
            }
        };
        let owner = stream.owners.get_mut(choice as usize)?;
        let free = self.ids.get_mut(&*track?.as_str()?)?.free(choice, stream.direction?);
        let first = *free.front().filter(|first| owner.is_none_or(|owner| **first < owner))?;
        free.pop_front();
        *owner = Some(first);
        *self.tracks.get_mut(first)?.streams.get_mut(choice as usize)? = Some(at);
        *self.without_stream.get_mut(choice as usize)? -= 1;
        Some(())
    }

    /// When media came first.
    pub(crate) fn first_media(&self) -> &FirstMedia {
        &self.first_media
    }

    /// Fills in the tracks, and what all of them come to. `report`: the newest of the connection.
    pub(crate) fn write(&self, report: Option<&Report>, features: &mut ConnectionFeatures) {
        let mut entries = vec![None; self.streams.len()];
        for (id, at) in &self.places {
            if let (Some(report), Some(entry)) = (report, entries.get_mut(*at)) {
                *entry = report.get(id);
            }
        }
        let told: Vec<_> = self.streams.iter().zip(entries).map(|(stream, entry)| stream.told(report, entry)).collect();
        let layers = Layers::of(&self.streams, &told);
        let of_track = |track: &Track| self.features_of(track, &told, &layers);
        features.tracks = match self.tracks.as_slice() {
            [] => of_reports::tracks(&self.streams).iter().map(|track| without_events(of_track(track))).collect(),
            tracks => tracks.iter().map(of_track).collect(),
        };
        self.write_losses(&told, features);
        self.experience.write(features);
    }

    /// Sums over all streams, whether a track has them or not.
    fn write_losses(&self, told: &[(Last, Remote)], features: &mut ConnectionFeatures) {
        for direction in [Direction::Inbound, Direction::Outbound] {
            let is_inbound = direction == Direction::Inbound;
            let (mut packets, mut lost, mut packets_of_lost) = (None, None, None);
            let streams = self.streams.iter().zip(told).filter(|(stream, _)| stream.direction == Some(direction));
            for (stream, (last, _)) in streams {
                let (more, more_lost) = last.losses(stream.quality.far_end_lost, is_inbound);
                let add = |sum: &mut Option<f64>, more: Option<f64>| {
                    if let Some(more) = more {
                        *sum = Some(sum.unwrap_or(0.0) + more.max(0.0));
                    }
                };
                add(&mut packets, more);
                add(&mut packets_of_lost, more.filter(|_| more_lost.is_some()));
                add(&mut lost, more_lost);
            }
            let ratio = lost_ratio(packets_of_lost, lost, is_inbound);
            let (packets, lost) = (packets.and_then(count), lost.and_then(count));
            if is_inbound {
                (features.packets_received, features.received_packets_lost) = (packets, lost);
                features.received_packets_lost_ratio = ratio;
            } else {
                (features.packets_sent, features.sent_packets_lost) = (packets, lost);
                features.sent_packets_lost_ratio = ratio;
            }
        }
    }

    fn stream(&self, at: Option<usize>) -> Option<&Stream> {
        self.streams.get(at?)
    }

    fn features_of(&self, track: &Track, told: &[(Last, Remote)], layers: &Layers<'_>) -> TrackFeatures {
        let is_inbound = track.direction == Direction::Inbound;
        let [stream, own] = track.streams;
        let mut features = TrackFeatures {
            kind: track.kind.clone(),
            direction: Some(track.direction.name().to_owned()),
            track_identifier: track.id.as_deref().map(str::to_owned),
            start_time: input::millis(track.start).map(UnixMillis),
            duration: Some(0),
            ..TrackFeatures::default()
        };
        if is_inbound {
            let unmuted = track
                .id
                .as_ref()
                .and_then(|id| self.ids.get(id))
                .and_then(|known| known.unmuted)
                .map(|time| time - track.start);
            let is_null = || self.stream(stream).is_some_and(|stream| stream.null_decoder);
            features.has_null_video_decoder = (track.kind.as_deref() == Some("video")).then(is_null);
            features.time_to_first_frame = unmuted.filter(|delay| *delay >= 0.0).and_then(input::floor_millis);
        }
        if let (Some(stream), Some(told)) = (self.stream(stream), stream.and_then(|at| told.get(at))) {
            let now = Now { time: self.time, reports: self.reports };
            stream.write(told, now, track.start, &mut features, is_inbound);
        }
        if let (Some(at), Some(stream), Some((last, _))) = (own, self.stream(own), own.and_then(|at| told.get(at))) {
            stream.write_ours(last, self.samples, &mut features, is_inbound);
            features.simulcast_layers = layers.json(at, self.samples);
        }
        features
    }
}

/// Those of a track that reports alone tell of. How far apart flushes were, reports that are further apart cannot say; nor when the track
/// began.
fn without_events(features: TrackFeatures) -> TrackFeatures {
    let has_periodic_jitter_buffer_flushes = features.has_periodic_jitter_buffer_flushes.filter(|periodic| *periodic);
    TrackFeatures { is_of_reports: true, time_to_first_frame: None, has_periodic_jitter_buffer_flushes, ..features }
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
