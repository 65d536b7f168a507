//! Features in the shape of upstream's extractor: its own only, and connections as `peerConnections` of the client.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::session::SessionFeatures;
use crate::table::{ConnectionFeatures, TrackFeatures};
use crate::value::FeatureValue;

/// The features of a session as upstream has them: without tracks that no event tells of.
#[derive(Debug, Clone, Copy)]
pub struct Upstream<'f>(pub(crate) &'f SessionFeatures);

struct Connection<'f>(&'f ConnectionFeatures);

struct Track<'f>(&'f TrackFeatures);

impl Serialize for Upstream<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(SessionFeatures { client, connections }) = self;
        let mut map = serializer.serialize_map(None)?;
        client.serialize_values(&mut map, true)?;
        for (name, json) in client.other.iter().filter(|(name, _)| *name != PEER_CONNECTIONS) {
            map.serialize_entry(name, &FeatureValue::Json(json.text()))?;
        }
        map.serialize_entry(PEER_CONNECTIONS, &Each(connections.iter().map(Connection)))?;
        map.end()
    }
}

const PEER_CONNECTIONS: &str = "peerConnections";

impl Serialize for Connection<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // It is known by its place, not by an id.
        let mut map = serializer.serialize_map(None)?;
        self.0.serialize_values(&mut map, true)?;
        map.serialize_entry("tracks", &Each(self.0.tracks.iter().filter(|track| !track.is_of_reports).map(Track)))?;
        map.end()
    }
}

impl Serialize for Track<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.0.serialize_values(&mut map, true)?;
        map.end()
    }
}

/// A list of what an iterator gives.
struct Each<I>(I);

impl<I: Iterator<Item: Serialize> + Clone> Serialize for Each<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}
