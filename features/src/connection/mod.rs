//! What the events of one connection say. Each file holds one subject; this one hands every event to all of them.

mod candidates;
mod configuration;
mod failures;
mod ice;
mod in_use;
mod link;
mod located;
mod negotiation;
mod outages;
mod pair;
mod path;
mod setup;
mod stats_ids;
mod transport;

use rtctrace_protocol::event::{Event, SessionDecoder};
use rtctrace_protocol::report::Report;
use rtctrace_protocol::sora::{EVENT as SORA_EVENT, Lived, Stay};

use crate::budget::Budgets;
use crate::findings::{Around, Page, Sink, Watch};
use crate::input::{self, Landmarks, SelectedPair};
use crate::metric::Sampling;
use crate::table::ConnectionFeatures;
use crate::track::Tracks;
use crate::value::UnixMillis;

use candidates::Candidates;
use configuration::Configuration;
use failures::Failures;
use ice::Ice;
use in_use::InUse;
use link::Link;
use located::LocatedCandidates;
use negotiation::Negotiation;
use outages::Outages;
use pair::FirstPair;
use path::Paths;
use setup::Setup;
use stats_ids::StatsIds;
use transport::Transport;

/// Events of transports and data channels, which end because the connection was closed. Upstream's client sends none of them.
fn follows_close(method: &str) -> bool {
    method.starts_with("RTC") || method == "ondtlsstatechange"
}

/// Whether an event says what a page or its browser did. Methods with a colon are what others say beside: of a connection of the SFU
/// Sora's, there is nothing else but reports.
pub(crate) fn is_traced(method: &str) -> bool {
    !method.starts_with(':')
}

/// Accumulates the features of one connection.
#[derive(Debug)]
pub(crate) struct ConnectionExtractor {
    id: String,
    first: f64,
    /// Until when it was there.
    stay: Stay,
    /// Whether any event says what its page or browser did.
    is_traced: bool,
    /// Whether the first event does: then it is the connection's begin.
    has_begin: bool,
    closed: bool,
    events: u64,
    reports: u64,
    negotiation: Negotiation,
    ice: Ice,
    transport: Transport,
    configuration: Configuration,
    candidates: Candidates,
    located: LocatedCandidates,
    first_pair: FirstPair,
    stats_ids: StatsIds,
    tracks: Tracks,
    sampling: Sampling,
    in_use: InUse,
    link: Link,
    paths: Paths,
    setup: Setup,
    outages: Outages,
    failures: Failures,
    watch: Watch,
    /// The number of the newest report.
    seen: u64,
    landmarks: Landmarks,
}

impl ConnectionExtractor {
    /// A connection whose first event is at `time`.
    pub(crate) fn new(id: String, time: f64) -> Self {
        Self {
            id,
            first: time,
            stay: Stay::at(time),
            is_traced: false,
            has_begin: false,
            closed: false,
            events: 0,
            reports: 0,
            negotiation: Negotiation::default(),
            ice: Ice::default(),
            transport: Transport::default(),
            configuration: Configuration::default(),
            candidates: Candidates::default(),
            located: LocatedCandidates::default(),
            first_pair: FirstPair::default(),
            stats_ids: StatsIds::default(),
            tracks: Tracks::default(),
            sampling: Sampling::default(),
            in_use: InUse::default(),
            link: Link::default(),
            paths: Paths::default(),
            setup: Setup::default(),
            outages: Outages::default(),
            failures: Failures::default(),
            watch: Watch::default(),
            seen: 0,
            landmarks: Landmarks::default(),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn event(&mut self, event: &Event<'_>, page: &Page, budgets: &mut Budgets) {
        let told = event.value.raw().filter(|_| event.method == SORA_EVENT);
        self.stay.take_in(told.map_or(Lived::Then, Lived::of), event.time);
        self.events = self.events.saturating_add(1);
        self.closed = event.method == "close" || (self.closed && follows_close(&event.method));
        if event.method == "getStats" {
            self.reports = self.reports.saturating_add(1);
            return self.report(event, page, budgets);
        }
        if is_traced(&event.method) {
            self.is_traced = true;
            self.has_begin |= self.events == 1;
        }
        self.negotiation.event(event);
        self.ice.event(event);
        self.transport.event(event);
        self.configuration.event(event);
        self.candidates.event(event);
        self.located.event(event);
        self.first_pair.event(event);
        self.tracks.event(event, &mut budgets.tracks);
        self.setup.event(event);
        self.outages.event(event);
        self.failures.event(event);
        self.watch.event(event);
    }

    fn report(&mut self, event: &Event<'_>, page: &Page, budgets: &mut Budgets) {
        let Some(report) = event.value.report() else { return self.located.report(None, None) };
        let seen = std::mem::replace(&mut self.seen, report.generation());
        let elapsed = event.time - self.first;
        let is_reshaped = report.reshaped() > seen;
        self.landmarks.report(report, is_reshaped);
        if is_reshaped {
            self.stats_ids.reshape(report, elapsed, &mut budgets.stats_ids);
            self.transport.reshaped();
        }
        let selected = SelectedPair::of(report, &self.landmarks);
        self.located.report(Some(report), selected.as_ref());
        self.transport.report(report, &self.landmarks, selected.as_ref(), event.time);
        self.first_pair.report(report, selected.as_ref(), !self.is_traced);
        self.stats_ids.report();
        let pair = self.in_use.report(report, &self.landmarks, seen);
        self.paths.report(&pair, elapsed);
        let sample = self.sampling.sample(report, event.time);
        self.link.report(&pair, sample.as_ref(), &mut budgets.buckets);
        let sample = (sample.as_ref(), self.link.round_trip_time());
        self.tracks.report(report, seen, event.time, sample, (&mut budgets.streams, &mut budgets.buckets));
        let around = self.around(page);
        self.watch.report(report, seen, event.time, &around, &mut budgets.watched);
    }

    fn around<'p>(&self, page: &'p Page) -> Around<'p> {
        let (path, round_trip_time) = (self.paths.phrase(), self.link.round_trip_time());
        Around { page, path, has_pair: self.in_use.has_succeeded(), round_trip_time, is_traced: self.is_traced }
    }

    /// Whether any packet of a stream has come.
    pub(crate) fn has_received(&self) -> bool {
        self.watch.has_received()
    }

    /// Hands over what rules found.
    pub(crate) fn findings(&self, decoder: &SessionDecoder, page: &Page, sink: &mut Sink<'_>) {
        let around = self.around(page);
        let mut features = ConnectionFeatures::default();
        self.setup.write(self.begin(), self.tracks.first_media(), &mut features);
        self.watch.write(decoder.report(&self.id), &features, (self.first, self.stay.end()), &around, sink);
    }

    pub(crate) fn features(&self, decoder: &SessionDecoder) -> ConnectionFeatures {
        let report: Option<&Report> = decoder.report(&self.id);
        let mut features = ConnectionFeatures {
            id: self.id.clone(),
            start_time: input::millis(self.first).map(UnixMillis),
            duration: input::millis(self.stay.end() - self.first),
            closed: Some(self.closed),
            number_of_events: self.events,
            number_of_events_not_get_stats: self.events.saturating_sub(self.reports),
            stats_truncated: self.is_traced && self.stats_ids.truncated(),
            ..ConnectionFeatures::default()
        };
        self.negotiation.write(&mut features);
        self.ice.write(&mut features);
        self.transport.write(&mut features);
        self.configuration.write(&mut features);
        self.candidates.write(&mut features);
        self.located.write(&mut features);
        self.first_pair.write(&mut features);
        self.tracks.write(report, &mut features);
        self.link.write(self.sampling.number(), &mut features);
        self.paths.write(&mut features);
        self.setup.write(self.begin(), self.tracks.first_media(), &mut features);
        self.outages.write(self.stay.end(), &mut features);
        self.failures.write(&mut features);
        if !self.is_traced {
            features.connected |= self.transport.is_up() || self.tracks.first_media().any_packet().is_some();
            self.leave_out_untold(&mut features);
        }
        features
    }

    /// When it began, if an event tells that.
    fn begin(&self) -> Option<f64> {
        self.has_begin.then_some(self.first)
    }

    /// Of what only events tell, that there was none says nothing where there are none.
    fn leave_out_untold(&self, features: &mut ConnectionFeatures) {
        let f = features;
        f.closed = f.closed.filter(|closed| *closed);
        let whether = [
            &mut f.ice_connected,
            &mut f.ice_restart,
            &mut f.ice_restart_followed_by_set_remote_description,
            &mut f.using_ice_lite,
            &mut f.added_connectable_ice_tcp_candidate,
            &mut f.added_host_candidate,
            &mut f.added_mdns_candidate,
            &mut f.added_null_candidate,
            &mut f.added_srflx_candidate,
            &mut f.added_turn_candidate,
            &mut f.gathered_host_candidate,
            &mut f.gathered_mdns_candidate,
            &mut f.gathered_srflx_candidate,
            &mut f.gathered_turn_candidate,
            &mut f.connection_failed,
        ];
        whether.into_iter().for_each(|untold| *untold = None);
        let counts = [
            &mut f.number_of_negotiations,
            &mut f.dtls_errors,
            &mut f.dtls_failures,
            &mut f.sdp_create_failures,
            &mut f.sdp_set_failures,
        ];
        counts.into_iter().for_each(|untold| *untold = None);
    }
}
