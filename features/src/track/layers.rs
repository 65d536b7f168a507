//! The layers of simulcast: what one sender sends as several streams, of which upstream's features of a track tell the first.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::last::{Last, Remote};
use super::stream::Stream;
use super::{Direction, count};
use crate::limits;
use crate::value::{FeatureValue, Json};

/// The streams of a connection by their senders.
#[derive(Debug)]
pub(super) struct Layers<'s> {
    streams: &'s [Stream],
    told: &'s [(Last, Remote)],
    of_sender: HashMap<&'s str, Vec<usize>>,
}

/// What tells the sender of a stream: its media section, or its source where a browser does not say that.
fn sender(last: &Last) -> Option<&str> {
    [last.mid.json(), last.media_source.json()].into_iter().find(|name| !name.is_empty())
}

impl<'s> Layers<'s> {
    /// `told`: what each stream's entry says now, or said last.
    pub(super) fn of(streams: &'s [Stream], told: &'s [(Last, Remote)]) -> Self {
        let mut of_sender: HashMap<_, Vec<_>> = HashMap::new();
        for (at, (stream, (last, _))) in streams.iter().zip(told).enumerate() {
            if stream.direction == Some(Direction::Outbound)
                && let Some(sender) = sender(last)
            {
                of_sender.entry(sender).or_default().push(at);
            }
        }
        Self { streams, told, of_sender }
    }

    /// The layers of the sender whose stream is at `stream`, if there are several. `samples`: how many there were.
    pub(super) fn json(&self, stream: usize, samples: u64) -> Option<Json> {
        let sender = sender(&self.told.get(stream)?.0)?;
        let layers = self.of_sender.get(sender).filter(|layers| layers.len() > 1)?;
        let layers = layers.iter().take(limits::LAYERS).filter_map(|at| self.layer(*at, samples));
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
