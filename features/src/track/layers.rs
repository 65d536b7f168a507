//! The layers of simulcast: what one sender sends as several streams, of which upstream's features of a track tell the first.

use std::collections::HashMap;

use super::last::{Last, Remote};
use super::stream::Stream;
use super::{Direction, Media, count};
use crate::json::{Object, array};
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
        let mut text = String::new();
        array(&mut text, newest, |out, at| self.write(out, *at, samples));
        Json::new(&text)
    }

    fn write(&self, out: &mut String, at: usize, samples: u64) {
        let mut layer = Object::begin(out);
        if let (Some(stream), Some((last, _))) = (self.streams.get(at), self.told.get(at)) {
            let (width, height) = stream.largest();
            let number = |value: Option<f64>| value.filter(|value| value.is_finite()).map(FeatureValue::Double);
            let integer = |value: Option<f64>| value.and_then(count).map(FeatureValue::Integer);
            let mean = |[mean, ..]: [Option<f64>; 5]| number(mean);
            let (quality, rid) = (&stream.quality, last.rid.text());
            for (name, value) in [
                ("activeSeconds", number(Some(quality.bitrate.active_seconds()))),
                ("bitrateMean", mean(quality.bitrate.summary(samples))),
                ("frameRateMean", mean(quality.frame_rate.summary(samples))),
                ("maxHeight", integer(height)),
                ("maxWidth", integer(width)),
                ("rid", rid.as_deref().map(FeatureValue::Text)),
            ] {
                if let Some(value) = value {
                    layer.value(name, value);
                }
            }
        }
        layer.end();
    }
}
