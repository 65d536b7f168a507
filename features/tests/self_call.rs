//! A page that calls itself sends and receives tracks of the same id. Upstream gives such a track the first stream that carries it, of
//! either direction, and its features stay as they are; what upstream has not is of the stream of the track's own direction.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

mod common;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;

use rtctrace_features::{FeatureExtractor, SessionFeatures, TrackFeatures};
use rtctrace_protocol::dump::DumpReader;
use rtctrace_protocol::event::SessionDecoder;
use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{self, Report};

/// What the reports say of the streams of one direction that carry a track.
#[derive(Debug, Default)]
struct Seen {
    /// The entries that were seen.
    streams: BTreeSet<String>,
    packets: Option<f64>,
    lost: Option<f64>,
    jitter_max: Option<f64>,
    unlimited: Option<f64>,
    /// `jitterBufferDelay` and `jitterBufferEmittedCount`, first and last.
    buffer: Option<[(f64, f64); 2]>,
}

#[derive(Debug, Default)]
struct Reports {
    /// By connection, direction and track.
    seen: BTreeMap<(String, &'static str, String), Seen>,
    /// The first track of each stream: its source is gone before it, when a track is stopped or replaced.
    tracks: BTreeMap<(String, String), String>,
}

fn number(entry: report::Entry<'_>, name: &str) -> Option<f64> {
    entry.member(name)?.as_f64()
}

fn text(entry: report::Entry<'_>, name: &str) -> Option<String> {
    Some(entry.member(name)?.as_str()?.into_owned())
}

fn note(id: &str, report: &Report, reports: &mut Reports) {
    for entry in report.entries() {
        let (direction, packets, track) = match entry.kind() {
            "inbound-rtp" => ("inbound", "packetsReceived", text(entry, "trackIdentifier")),
            "outbound-rtp" => {
                let source = text(entry, "mediaSourceId").and_then(|source| report.get(&source));
                ("outbound", "packetsSent", source.and_then(|source| text(source, "trackIdentifier")))
            }
            _ => continue,
        };
        let first = reports.tracks.entry((id.to_owned(), entry.id().to_owned()));
        let Some(track) = (match (first, track) {
            (Entry::Occupied(first), _) => Some(first.get().clone()),
            (Entry::Vacant(first), Some(track)) => Some(first.insert(track).clone()),
            (Entry::Vacant(_), None) => None,
        }) else {
            continue;
        };
        let seen = reports.seen.entry((id.to_owned(), direction, track)).or_default();
        seen.streams.insert(entry.id().to_owned());
        seen.packets = number(entry, packets);
        // A far end tells nothing of a stream before its first report; that of a call that is over is gone.
        let far_end = report.entries().find(|far_end| {
            far_end.kind() == "remote-inbound-rtp" && text(*far_end, "localId").as_deref() == Some(entry.id())
        });
        let told = if direction == "inbound" { Some(entry) } else { far_end };
        seen.lost = told.and_then(|told| number(told, "packetsLost")).or(seen.lost);
        let jitter = told.and_then(|told| number(told, "jitter"));
        seen.jitter_max = jitter.into_iter().chain(seen.jitter_max).reduce(f64::max);
        let durations = entry.member("qualityLimitationDurations");
        seen.unlimited = durations.and_then(|durations| durations.get("none")).and_then(RawValue::as_f64);
        let buffer = number(entry, "jitterBufferDelay").zip(number(entry, "jitterBufferEmittedCount"));
        if let Some(buffer) = buffer {
            seen.buffer.get_or_insert([buffer, buffer])[1] = buffer;
        }
    }
}

fn read(lines: impl IntoIterator<Item = String>) -> (SessionFeatures, Reports) {
    let (mut decoder, mut extractor, mut seen) = (SessionDecoder::new(), FeatureExtractor::new(), Reports::default());
    for line in lines {
        let event = decoder.decode(&line).unwrap();
        let id = event.connection.as_deref().filter(|_| event.method == "getStats").map(str::to_owned);
        extractor.event(&event);
        if let Some(id) = id {
            note(&id, decoder.report(&id).unwrap(), &mut seen);
        }
    }
    (extractor.features(&decoder), seen)
}

fn near(what: &str, ours: Option<f64>, theirs: Option<f64>) {
    let is_near = match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0),
        (ours, theirs) => ours == theirs,
    };
    assert!(is_near, "{what}: {ours:?}, the reports have {theirs:?}");
}

/// How many tracks have a stream of their direction.
fn compare(features: &SessionFeatures, reports: &Reports) -> usize {
    let mut compared = 0;
    for connection in &features.connections {
        for track in &connection.tracks {
            let (direction, id) = (track.direction.as_deref().unwrap(), track.track_identifier.clone().unwrap());
            let is_inbound = direction == "inbound";
            let direction = if is_inbound { "inbound" } else { "outbound" };
            let none = Seen::default();
            let told = reports.seen.get(&(connection.id.clone(), direction, id.clone())).unwrap_or(&none);
            let what = format!("{} {direction} {id}", connection.id);
            assert!(told.streams.len() < 2, "{what}: {:?}", told.streams);
            compare_one(&what, track, told, is_inbound);
            compared += told.streams.len();
        }
    }
    compared
}

fn compare_one(what: &str, track: &TrackFeatures, told: &Seen, is_inbound: bool) {
    let (packets, others) = match is_inbound {
        true => (track.packets_received, track.packets_sent),
        false => (track.packets_sent, track.packets_received),
    };
    assert_eq!(others, None, "{what}: packets of the other direction");
    near(what, packets.map(|packets| packets as f64), told.packets);
    near(what, track.packets_lost.map(|packets| packets as f64), told.lost);
    near(what, track.jitter_max, told.jitter_max);
    near(what, track.none_quality_limitation_duration, told.unlimited);
    if !is_inbound {
        assert_eq!((track.mos_mean, track.jitter_buffer_delay_mean, track.freeze_ratio), (None, None, None), "{what}");
    } else {
        assert_eq!(track.round_trip_time_mean, None, "{what}");
    }
    // Each sample counts alike, whatever it emitted, so the mean is near what the whole comes to.
    let grown = told.buffer.filter(|[first, last]| last.1 > first.1);
    let delay = grown.map(|[first, last]| (last.0 - first.0) / (last.1 - first.1));
    assert_eq!(track.jitter_buffer_delay_mean.is_some(), delay.is_some(), "{what}");
    if let (Some(ours), Some(theirs)) = (track.jitter_buffer_delay_mean, delay) {
        assert!((ours / theirs - 1.0).abs() < 0.3, "{what}: {ours}, the reports have {theirs}");
    }
}

#[test]
fn a_recorded_call_of_a_page_to_itself_has_each_direction_s_own_values() {
    let text = common::recording("loopback-av-60s.jsonl");
    let (features, seen) = read(text.lines().map(str::to_owned));
    assert_eq!(compare(&features, &seen), 6);
    // Upstream's of an inbound row may be those of the outbound stream.
    let video = |track: &&TrackFeatures| {
        track.direction.as_deref() == Some("inbound") && track.kind.as_deref() == Some("video")
    };
    let video = features.connections[1].tracks.iter().find(video).unwrap();
    assert!(video.packets_received.is_some() && video.jitter_buffer_delay_mean.is_some());
    assert_eq!(video.jitter_buffer_delay, None);
}

#[test]
fn a_call_that_our_client_recorded_beside_the_browser_has_each_direction_s_own_values() {
    let path = format!("{}/../tests/fixtures/internals/rtctrace.jsonl.gz", env!("CARGO_MANIFEST_DIR"));
    let mut reader = DumpReader::open(BufReader::new(File::open(path).unwrap())).unwrap();
    let mut lines = Vec::new();
    while let Some(line) = reader.next_line() {
        lines.push(line.unwrap().to_owned());
    }
    let (features, seen) = read(lines);
    assert_eq!(compare(&features, &seen), 8);
    let audio = |connection: &str, direction: &str| {
        let connection = features.connections.iter().find(|other| other.id == connection).unwrap();
        let is_one = |track: &&TrackFeatures| {
            track.direction.as_deref() == Some(direction)
                && track.track_identifier.as_deref().unwrap().starts_with("df7ab82e")
        };
        connection.tracks.iter().find(is_one).unwrap().clone()
    };
    let (received, sent) = (audio("PC_1", "inbound"), audio("PC_1", "outbound"));
    assert_eq!((received.packets_received, received.packets_sent), (Some(328), None));
    assert_eq!((sent.packets_received, sent.packets_sent), (None, Some(350)));
    assert!(received.mos_mean.is_some() && received.jitter_buffer_delay_mean.is_some());
}

/// Two tracks of the same id, each way, and layers: each row has the first stream of its direction that is left.
#[test]
fn tracks_added_twice_share_out_the_streams_of_their_direction() {
    let lines = [
        r#"["ontrack","PC_0",["video","a"],0]"#,
        r#"["addTrack","PC_0",["video","a"],0]"#,
        r#"["addTrack","PC_0",["video","a"],0]"#,
        r#"["getStats","PC_0",{"S":{"type":"media-source","trackIdentifier":"a"},"O":{"type":"outbound-rtp","mediaSourceId":"S","packetsSent":1},"P":{"type":"outbound-rtp","mediaSourceId":"S","packetsSent":2},"I":{"type":"inbound-rtp","trackIdentifier":"a","packetsReceived":3},"t":1},0]"#,
    ];
    let tracks = common::connection(&lines).tracks;
    let packets: Vec<_> = tracks.iter().map(|track| (track.packets_received, track.packets_sent)).collect();
    assert_eq!(packets, [(Some(3), None), (None, Some(1)), (None, Some(2))]);
}
