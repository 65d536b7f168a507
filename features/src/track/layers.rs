//! The layers of simulcast: what one sender sends as several streams, of which upstream's features of a track tell the first.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::last::{Last, Remote};
use super::stream::Stream;
use super::{Direction, Media, count};
use crate::limits;
use crate::value::{FeatureValue, Json};

/// The streams of a connection by their senders.
#[derive(Debug)]
pub(super) struct Layers<'s> {
    streams: &'s [Stream],
    told: &'s [(Last, Remote)],
    /// The newest stream of each layer, in the order of the layers' first ones.
    of_sender: HashMap<&'s str, Vec<usize>>,
}

/// What tells the layers of a sender apart: the id that the page gave it, or its number, or the stream's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Layer<'s> {
    Rid(&'s str),
    Index(u64),
    Stream(usize),
}

impl<'s> Layer<'s> {
    fn of(last: &'s Last, at: usize) -> Self {
        match (last.rid.json(), last.encoding_index) {
            ("", None) => Self::Stream(at),
            ("", Some(index)) => Self::Index(index.to_bits()),
            (rid, _) => Self::Rid(rid),
        }
    }
}

/// What tells the sender of a stream: its media section, or its source where a browser does not say that.
fn sender(last: &Last) -> Option<&str> {
    [last.mid.json(), last.media_source.json()].into_iter().find(|name| !name.is_empty())
}

/// Whether it is video that is sent.
fn is_sent_video(stream: &Stream, last: &Last) -> bool {
    stream.direction == Some(Direction::Outbound) && last.kind.value().and_then(Media::of) == Some(Media::Video)
}

impl<'s> Layers<'s> {
    /// `told`: what each stream's entry says now, or said last.
    pub(super) fn of(streams: &'s [Stream], told: &'s [(Last, Remote)]) -> Self {
        let mut of_sender: HashMap<_, Vec<_>> = HashMap::new();
        let mut places = HashMap::new();
        for (at, (stream, (last, _))) in streams.iter().zip(told).enumerate() {
            let Some(sender) = sender(last).filter(|_| is_sent_video(stream, last)) else { continue };
            let layers: &mut Vec<usize> = of_sender.entry(sender).or_default();
            let place = *places.entry((sender, Layer::of(last, at))).or_insert(layers.len());
            match layers.get_mut(place) {
                Some(newest) => *newest = at,
                None => layers.push(at),
            }
        }
        Self { streams, told, of_sender }
    }

    /// The layers of the sender whose stream is at `stream`, if there are several. `samples`: how many there were.
    pub(super) fn json(&self, stream: usize, samples: u64) -> Option<Json> {
        let (stream, (last, _)) = (self.streams.get(stream)?, self.told.get(stream)?);
        let sender = sender(last).filter(|_| is_sent_video(stream, last))?;
        let layers = self.of_sender.get(sender).filter(|layers| layers.len() > 1)?;
        let newest = layers.iter().skip(layers.len().saturating_sub(limits::LAYERS));
        let layers = newest.filter_map(|at| self.layer(*at, samples));
        Json::new(&Value::Array(layers.collect()).to_string())
    }

    fn layer(&self, at: usize, samples: u64) -> Option<Value> {
        let (stream, (last, _)) = (self.streams.get(at)?, self.told.get(at)?);
        let (width, height) = stream.largest();
        let number = |value: Option<f64>| {
            let value = value.filter(|value| value.is_finite())?;
            serde_json::to_value(FeatureValue::Double(value)).ok()
        };
        let integer = |value: Option<f64>| value.and_then(count).map(Value::from);
        let quality = &stream.quality;
        let mean = |[mean, ..]: [Option<f64>; 5]| number(mean);
        let members = [
            ("rid", last.rid.text().map(Value::from)),
            ("maxWidth", integer(width)),
            ("maxHeight", integer(height)),
            ("frameRateMean", mean(quality.frame_rate.summary(samples))),
            ("bitrateMean", mean(quality.bitrate.summary(samples))),
            ("activeSeconds", number(Some(quality.bitrate.active_seconds()))),
        ];
        let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Some(Value::Object(members.collect::<Map<_, _>>()))
    }
}
