//! Tracks that no event tells of, as those of the SFU Sora's clients, and of dumps that have lost their events: what the streams in the
//! reports carry.

use std::collections::HashSet;

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, Report};

use super::sources::OnlySources;
use super::stream::Stream;
use super::{CHOICES, Direction, Track, legacy};
use crate::input;

/// What the entry of a stream says of its track.
#[derive(Debug, Clone)]
pub(super) struct Carried {
    kind: Option<String>,
    id: Option<Box<str>>,
    /// When the first report came that has the stream (Unix ms).
    since: f64,
}

impl Carried {
    /// `None` of an entry that is the far end's own, as Firefox had them beside its own until version 67.
    pub(super) fn of<'r>(
        report: &'r Report,
        entry: Entry<'r>,
        since: f64,
        sources: &mut Option<OnlySources<'r>>,
    ) -> Option<Self> {
        if entry.member("isRemote").and_then(RawValue::as_bool) == Some(true) {
            return None;
        }
        // Before there were sources, libwebrtc had entries of tracks, and streams named these.
        let told = entry.member("trackId").and_then(RawValue::as_str).and_then(|id| report.get(&id));
        let kind = entry.member("kind").or_else(|| entry.member("mediaType"));
        let kind = kind.or_else(|| told?.member("kind")).and_then(input::text);
        let mut carried = Self { kind, id: None, since };
        carried.look_again(report, entry, sources);
        Some(carried)
    }

    /// Its source may have come after it.
    pub(super) fn look_again<'r>(
        &mut self,
        report: &'r Report,
        entry: Entry<'r>,
        sources: &mut Option<OnlySources<'r>>,
    ) {
        if self.id.is_some() {
            return;
        }
        let referred = |name| entry.member(name).and_then(RawValue::as_str).and_then(|id| report.get(&id));
        let id = match entry.kind() {
            "inbound-rtp" => entry.member("trackIdentifier"),
            legacy::KIND => legacy::track(entry),
            _ => {
                let source = referred("mediaSourceId");
                let source = source.or_else(|| sources.get_or_insert_with(|| OnlySources::of(report)).of_kind(entry));
                source.and_then(|source| source.member("trackIdentifier"))
            }
        };
        let id = id.or_else(|| referred("trackId")?.member("trackIdentifier"));
        self.id = id.and_then(RawValue::as_str).filter(|id| !id.is_empty()).and_then(|id| input::identifier(&id));
    }
}

/// The tracks of these streams, in their order. Of several streams that carry one, as the layers of simulcast do, the first is its own.
pub(super) fn tracks(streams: &[Stream]) -> Vec<Track> {
    let mut known = HashSet::new();
    let of_stream = |(at, stream): (usize, &Stream)| {
        let (direction, carried) = (stream.direction?, stream.carried.as_deref()?);
        let is_new = carried.id.as_ref().is_none_or(|id| known.insert((direction == Direction::Inbound, id.clone())));
        is_new.then(|| Track {
            direction,
            kind: carried.kind.clone(),
            id: carried.id.clone(),
            start: carried.since,
            streams: [Some(at); CHOICES],
        })
    };
    streams.iter().enumerate().filter_map(of_stream).collect()
}
