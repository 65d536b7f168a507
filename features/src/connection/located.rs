//! Where candidates are, if the collector annotated them: a candidate event whose first extra is
//! `{"rtcstatsLocation": {continent, country, city}}`.

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::Report;

use super::candidates::Candidate;
use crate::input::{self, SelectedPair};
use crate::limits;
use crate::table::ConnectionFeatures;

#[derive(Debug, Clone, Default)]
struct Place {
    continent: Option<String>,
    country: Option<String>,
    city: Option<String>,
}

impl Place {
    fn of(event: &Event<'_>) -> Option<Self> {
        let place = event.extra.first()?.get("rtcstatsLocation").filter(|place| place.truthy())?;
        let name = |key| {
            let name = place.get(key).and_then(RawValue::as_str)?;
            Some(input::bounded(&name, limits::PLACE_NAME))
        };
        Some(Self { continent: name("continent"), country: name("country"), city: name("city") })
    }
}

#[derive(Debug)]
struct Located {
    address: Box<str>,
    place: Place,
}

/// Keeps the annotated candidates until the first report tells which pair is selected.
#[derive(Debug, Default)]
pub(crate) struct LocatedCandidates {
    reported: bool,
    local: Vec<Located>,
    remote: Vec<Located>,
    relay_place: Option<Place>,
    local_place: Option<Place>,
    remote_place: Option<Place>,
}

impl LocatedCandidates {
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        let local = match &*event.method {
            "onicecandidate" => true,
            "addIceCandidate" => false,
            _ => return,
        };
        if self.reported {
            return;
        }
        let Some(place) = Place::of(event) else { return };
        if local {
            // Of a candidate of any type, despite the feature's name.
            self.relay_place = Some(place.clone());
        }
        let line = input::member(event, "candidate").and_then(RawValue::as_str).unwrap_or_default();
        let address = Candidate::parse(&line).address.and_then(input::identifier);
        let candidates = if local { &mut self.local } else { &mut self.remote };
        if let Some(address) = address.filter(|_| candidates.len() < limits::LOCATED_CANDIDATES) {
            candidates.push(Located { address, place });
        }
    }

    /// Only the first report is looked at, whatever it holds.
    pub(crate) fn report(&mut self, report: Option<&Report>, selected: Option<&SelectedPair<'_>>) {
        if std::mem::replace(&mut self.reported, true) {
            return;
        }
        let local = std::mem::take(&mut self.local);
        let remote = std::mem::take(&mut self.remote);
        let (Some(report), Some(selected)) = (report, selected) else { return };
        let place = |reference, candidates: Vec<Located>| {
            let address = selected.candidate(report, reference)?.member("address")?.as_str()?;
            candidates.into_iter().find(|candidate| *candidate.address == *address).map(|candidate| candidate.place)
        };
        self.local_place = place("localCandidateId", local);
        self.remote_place = place("remoteCandidateId", remote);
    }

    pub(crate) fn write(&self, features: &mut ConnectionFeatures) {
        if let Some(Place { continent, country, city }) = self.local_place.clone() {
            features.rtcstats_location_continent = continent;
            features.rtcstats_location_country = country;
            features.rtcstats_location_city = city;
        }
        if let Some(Place { continent, country, city }) = self.remote_place.clone() {
            features.rtcstats_peer_location_continent = continent;
            features.rtcstats_peer_location_country = country;
            features.rtcstats_peer_location_city = city;
        }
        if let Some(Place { continent, country, city }) = self.relay_place.clone() {
            features.rtcstats_relay_location_continent = continent;
            features.rtcstats_relay_location_country = country;
            features.rtcstats_relay_location_city = city;
        }
    }
}
