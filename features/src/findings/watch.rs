//! What the rules see of one connection: its events, and its reports, of which most rules look at one every few seconds.

use std::collections::HashMap;
use std::sync::LazyLock;

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, MemberName, Report};
use rtctrace_protocol::sorted_by;

use super::both::{Both, Flow};
use super::directions::Directions;
use super::episodes::Piece;
use super::ice::Ice;
use super::looks::{Looks, Window};
use super::negotiation::Negotiation;
use super::page::Page;
use super::playback::Playback;
use super::playout::Playout;
use super::received::Inbound;
use super::sent::{Layers, Outbound};
use super::setup::{self, Dtls};
use super::sink::Sink;
use super::sources::Source;
use super::timing::Timing;
use super::way::Way;
use crate::budget::Budget;
use crate::input;
use crate::limits;
use crate::table::ConnectionFeatures;
use crate::track::{Direction, legacy};

static PAIR_CHANGES: LazyLock<MemberName> = LazyLock::new(|| MemberName::new("selectedCandidatePairChanges"));
static DTLS_STATE: LazyLock<MemberName> = LazyLock::new(|| MemberName::new("dtlsState"));

/// Between reports that are further apart (ms), nobody knows what stood still.
const IRREGULAR: f64 = 5000.0;

/// A state, as JSON.
const CONNECTED: &str = r#""connected""#;

/// What rules need to know that others keep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    /// The page.
    pub(crate) page: &'a Page,
    /// The way that packets take, as the end of a sentence.
    pub(crate) path: Option<&'static str>,
    /// Whether the pair in use has succeeded.
    pub(crate) has_pair: bool,
    /// The round trip time (s).
    pub(crate) round_trip_time: Option<f64>,
    /// Whether events tell what page and browser did.
    pub(crate) is_traced: bool,
}

/// What an entry is, in the order in which they are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Source(usize),
    Outbound(usize),
    Inbound(usize),
    Playout(usize),
}

impl Role {
    fn outbound(self) -> Option<usize> {
        if let Self::Outbound(at) = self { Some(at) } else { None }
    }
}

/// The rules of one connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    looks: Looks,
    /// When the newest report came.
    time: Option<f64>,
    roles: HashMap<Box<str>, Role>,
    /// The entries that are there, each with its place in the report.
    slots: Vec<(Role, usize)>,
    sources: Vec<Source>,
    outbound: Vec<Outbound>,
    inbound: Vec<Inbound>,
    playouts: Vec<Playout>,
    /// What is received, each with its place in the report.
    received: Vec<(usize, usize)>,
    /// Since when reports have come regularly and nothing was negotiated (Unix ms).
    steady: f64,
    /// Where transports are in the report.
    transports: Vec<usize>,
    ice: Ice,
    dtls: Dtls,
    negotiation: Negotiation,
    directions: Directions,
    way: Way,
    timing: Timing,
    playback: Playback,
    both: Both,
    /// How many senders have several layers.
    senders: usize,
    /// Whether the page sets a frame rate for what it sends.
    sets_frame_rate: bool,
    /// Whether reports have proved a path for packets: by DTLS, or by the pair in use.
    has_path: bool,
}

impl Watch {
    /// Takes in an event that is no report.
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        self.ice.event(event);
        self.dtls.event(event, self.ice.is_connected());
        self.negotiation.event(event);
        self.directions.event(event);
        self.playback.event(event);
        if event.method.starts_with("MediaStreamTrack.on")
            && let Some(track) = input::word(event)
        {
            self.inbound.iter_mut().for_each(|inbound| inbound.interrupted(&track, event.time));
        }
        if matches!(&*event.method, "setLocalDescription" | "setRemoteDescription") {
            self.steady = event.time;
        }
        if matches!(&*event.method, "setParameters" | "addTransceiver") {
            self.sets_frame_rate |= input::json(event).is_some_and(|value| value.text().contains("\"maxFramerate\""));
        }
    }

    /// `seen`: the number of the report before.
    pub(crate) fn report(&mut self, report: &Report, seen: u64, time: f64, around: &Around<'_>, budget: &mut Budget) {
        let before = self.time.replace(time).unwrap_or(time);
        self.timing.report(Looks::own(report, time).filter(|_| around.is_traced), time);
        if report.reshaped() > seen {
            self.take_leave(report, time, around);
            self.reshape(report, seen, budget);
        }
        if time - before > IRREGULAR {
            self.steady = time;
        }
        for (at, place) in &self.received {
            if let Some(inbound) = self.inbound.get_mut(*at)
                && let Some(entry) = report.at(*place).filter(|entry| entry.is_changed_since(seen))
            {
                inbound.glance(entry, before, time, self.steady, around);
            }
        }
        if self.looks.is_due(report, time) {
            self.look(report, time, around);
        }
    }

    /// Every few seconds.
    #[inline(never)]
    fn look(&mut self, report: &Report, time: f64, around: &Around<'_>) {
        let window = self.looks.window(report, time, self.timing.usual());
        for at in 0..self.slots.len() {
            if let Some((role, place)) = self.slots.get(at).copied()
                && let Some(entry) = report.at(place)
            {
                self.look_at(role, report, entry, window, around);
            }
        }
        let changes = self.transports(report, time);
        self.has_path |= around.has_pair;
        self.way.look(changes, window, around);
        if let Some(window) = window {
            self.compare(report, window, around);
        }
        self.looks.done(report, time);
    }

    /// How often another pair was selected.
    fn transports(&mut self, report: &Report, time: f64) -> Option<f64> {
        let mut changes = None;
        for transport in self.transports.iter().filter_map(|place| report.at(*place)) {
            if transport.is_changed_since(self.looks.generation) {
                let state = transport.named(&DTLS_STATE);
                self.has_path |= state.is_some_and(|state| state.text() == CONNECTED);
                self.dtls.look(state, time);
            }
            changes = transport
                .named(&PAIR_CHANGES)
                .and_then(RawValue::as_f64)
                .map(|more| more + changes.unwrap_or(0.0))
                .or(changes);
        }
        changes
    }

    /// Whether packets can go, by the events of ICE, or else by what reports say.
    fn is_connected(&self, report: &Report, flow: Flow) -> bool {
        let by_report = || {
            let mut states =
                self.transports.iter().filter_map(|place| report.at(*place)?.named(&DTLS_STATE)).peekable();
            match states.peek() {
                Some(_) => states.any(|state| state.text() == CONNECTED),
                None => flow.has_come || self.outbound.iter().any(|outbound| outbound.has_sent),
            }
        };
        self.ice.is_connected().unwrap_or_else(by_report)
    }

    /// `is_traced`: whether events tell what page and browser did.
    fn flow(&self, is_traced: bool) -> Flow {
        let mut flow = Flow::default();
        let either = |now: Option<(bool, bool)>, more: (bool, bool)| {
            let now = now.unwrap_or_default();
            Some((now.0 || more.0, now.1 || more.1))
        };
        for (role, _) in &self.slots {
            if let Role::Inbound(at) = role
                && let Some(inbound) = self.inbound.get(*at)
                && let Some(packets) = inbound.packets()
            {
                flow.inbound += 1;
                flow.has_come |= inbound.has_come;
                if inbound.is_audio() {
                    flow.audio_in = either(flow.audio_in, (packets > 0.0, inbound.has_come));
                }
            }
            if let Role::Outbound(at) = role
                && let Some(outbound) = self.outbound.get(*at)
                && let Some(packets) = outbound.packets
            {
                flow.outbound = Some(flow.outbound == Some(true) || packets > 0.0);
                let source = outbound.source().and_then(|at| self.sources.get(at));
                if outbound.is_audio() && outbound.should_send(source, &self.directions, is_traced) {
                    flow.audio_out = either(flow.audio_out, (packets > 0.0, outbound.has_sent));
                }
            }
        }
        flow
    }

    /// What only all of them together tell.
    fn compare(&mut self, report: &Report, window: Window, around: &Around<'_>) {
        let flow = self.flow(around.is_traced);
        let is_connected = self.is_connected(report, flow);
        self.both.look(flow, Piece::of(window), is_connected);
        let mut layers = vec![Layers::default(); self.senders];
        let sent: Vec<_> = self.slots.iter().filter_map(|(role, _)| role.outbound()).collect();
        for at in &sent {
            if let Some(outbound) = self.outbound.get(*at)
                && let Some(layers) = outbound.sender.and_then(|sender| layers.get_mut(sender))
            {
                outbound.add_to(layers);
            }
        }
        for at in sent {
            let Some(outbound) = self.outbound.get_mut(at) else { continue };
            let source = outbound.source().and_then(|at| self.sources.get(at));
            let layers = outbound.sender.and_then(|sender| layers.get(sender)).copied();
            let is_free = around.is_traced && !self.sets_frame_rate;
            let terms = (is_connected, is_free, around.is_traced);
            outbound.compare(source, layers, window, &self.directions, terms);
        }
    }

    fn look_at(&mut self, role: Role, report: &Report, entry: Entry<'_>, window: Option<Window>, around: &Around<'_>) {
        let since = self.looks.generation;
        match role {
            Role::Source(at) => {
                if let Some(source) = self.sources.get_mut(at) {
                    source.look(entry, since, window, around);
                }
            }
            Role::Outbound(at) => {
                if let Some(outbound) = self.outbound.get_mut(at) {
                    outbound.look(report, entry, since, window, around);
                }
            }
            Role::Inbound(at) => {
                if let Some(inbound) = self.inbound.get_mut(at) {
                    inbound.look(report, entry, since, window, around);
                }
            }
            Role::Playout(at) => {
                if let Some(playout) = self.playouts.get_mut(at) {
                    playout.look(entry, since, window);
                }
            }
        }
    }

    /// Looks once more at what is gone.
    #[cold]
    fn take_leave(&mut self, report: &Report, time: f64, around: &Around<'_>) {
        let window = self.looks.window(report, time, self.timing.usual());
        for entry in report.gone() {
            let Some(role) = self.roles.get(entry.id()).copied() else { continue };
            // Where its far end was, there may be another entry.
            match role {
                Role::Outbound(at) => self.outbound.get_mut(at).map(|outbound| outbound.found_far_end(None)),
                Role::Inbound(at) => self.inbound.get_mut(at).map(|inbound| inbound.found_far_end(None)),
                _ => None,
            };
            self.look_at(role, report, entry, window, around);
            match role {
                Role::Source(at) => self.sources.get_mut(at).map(Source::gone),
                Role::Outbound(at) => self.outbound.get_mut(at).map(Outbound::gone),
                Role::Inbound(at) => self.inbound.get_mut(at).map(Inbound::gone),
                Role::Playout(at) => self.playouts.get_mut(at).map(Playout::gone),
            };
        }
    }

    /// Finds the entries again. `seen`: the number of the report before.
    #[cold]
    fn reshape(&mut self, report: &Report, seen: u64, budget: &mut Budget) {
        self.slots.clear();
        self.transports.clear();
        self.received.clear();
        // Who asked a browser for both was told each stream twice.
        let is_standard = report.entries().any(|entry| matches!(entry.kind(), "inbound-rtp" | "outbound-rtp"));
        for (place, entry) in report.entries().enumerate() {
            if is_standard && entry.kind() == legacy::KIND {
                continue;
            }
            if entry.kind() == "transport" && self.transports.len() < limits::SELECTED_PAIRS {
                self.transports.push(place);
            }
            if let Some(role) = self.role(entry, budget) {
                self.slots.push((role, place));
            }
        }
        self.slots = sorted_by(std::mem::take(&mut self.slots), Ord::cmp);
        for (role, place) in &self.slots {
            let Some(entry) = report.at(*place) else { continue };
            let is_changed = entry.is_changed_since(seen);
            match *role {
                Role::Source(_) | Role::Playout(_) if !is_changed => None,
                Role::Source(at) => self.sources.get_mut(at).map(|source| source.found(entry)),
                Role::Outbound(at) => {
                    let source = entry.member("mediaSourceId").and_then(RawValue::as_str);
                    let source = match source.and_then(|id| self.roles.get(&*id)) {
                        Some(Role::Source(at)) => self.sources.get(*at).map(|source| (*at, source)),
                        _ => None,
                    };
                    self.outbound.get_mut(at).map(|outbound| {
                        outbound.found(entry, is_changed, source);
                        // Such an entry has what its far end tells in itself.
                        if entry.kind() == legacy::KIND {
                            outbound.found_far_end(Some(*place));
                        }
                    })
                }
                Role::Inbound(at) => self.inbound.get_mut(at).map(|inbound| {
                    inbound.found(entry, is_changed);
                    self.received.push((at, *place));
                }),
                Role::Playout(_) => None,
            };
        }
        self.find_layers(report);
        for (place, entry) in report.entries().enumerate() {
            if !matches!(entry.kind(), "remote-inbound-rtp" | "remote-outbound-rtp") {
                continue;
            }
            let local = entry.member("localId").and_then(RawValue::as_str);
            match (entry.kind(), local.and_then(|id| self.roles.get(&*id))) {
                ("remote-inbound-rtp", Some(Role::Outbound(at))) => {
                    if let Some(outbound) = self.outbound.get_mut(*at) {
                        outbound.found_far_end(Some(place));
                    }
                }
                ("remote-outbound-rtp", Some(Role::Inbound(at))) => {
                    if let Some(inbound) = self.inbound.get_mut(*at) {
                        inbound.found_far_end(Some(place));
                    }
                }
                _ => {}
            }
        }
    }

    /// Finds the streams of video that are layers of one sender: of one media section, or else of one source.
    fn find_layers(&mut self, report: &Report) {
        let mut senders: HashMap<&str, (Option<usize>, usize)> = HashMap::new();
        self.senders = 0;
        for (role, place) in &self.slots {
            let Some(at) = role.outbound() else { continue };
            if !self.outbound.get(at).is_some_and(Outbound::is_video) {
                continue;
            }
            let Some(entry) = report.at(*place) else { continue };
            let name = entry.member("mid").or_else(|| entry.member("mediaSourceId")).map(RawValue::text);
            let Some(name) = name else { continue };
            let Some((sender, first)) = senders.get_mut(name) else {
                senders.insert(name, (None, at));
                continue;
            };
            if sender.is_none() {
                *sender = Some(self.senders);
                self.senders += 1;
            }
            for at in [*first, at] {
                if let Some(outbound) = self.outbound.get_mut(at) {
                    outbound.sender = *sender;
                    outbound.is_other_layer = at != *first;
                }
            }
        }
    }

    /// What an entry is, if rules look at it.
    fn role(&mut self, entry: Entry<'_>, budget: &mut Budget) -> Option<Role> {
        let new = match entry.kind() {
            "media-source" => Role::Source(self.sources.len()),
            "outbound-rtp" => Role::Outbound(self.outbound.len()),
            "inbound-rtp" => Role::Inbound(self.inbound.len()),
            "media-playout" => Role::Playout(self.playouts.len()),
            legacy::KIND => match legacy::direction(entry)? {
                Direction::Inbound => Role::Inbound(self.inbound.len()),
                Direction::Outbound => Role::Outbound(self.outbound.len()),
            },
            _ => return None,
        };
        if let Some(role) = self.roles.get(entry.id()) {
            // An id that has become another entry's is of no use.
            return (std::mem::discriminant(role) == std::mem::discriminant(&new)).then_some(*role);
        }
        if !budget.take() {
            return None;
        }
        let Some(id) = input::identifier(entry.id()) else {
            budget.give(1);
            return None;
        };
        match new {
            Role::Source(_) => self.sources.push(Source::default()),
            Role::Outbound(_) => self.outbound.push(Outbound::default()),
            Role::Inbound(_) => self.inbound.push(Inbound::default()),
            Role::Playout(_) => self.playouts.push(Playout::default()),
        }
        self.roles.insert(id, new);
        Some(new)
    }

    /// Whether any packet of a stream has come.
    pub(crate) fn has_received(&self) -> bool {
        self.inbound.iter().any(|inbound| inbound.has_come)
    }

    /// Hands over what was found. `report`: the newest; `features`: the times of the set-up; `begin` and `last`: the times of the
    /// connection's first and last event (Unix ms).
    pub(crate) fn write(
        &self,
        report: Option<&Report>,
        features: &ConnectionFeatures,
        (begin, last): (f64, f64),
        around: &Around<'_>,
        sink: &mut Sink<'_>,
    ) {
        let mut all = self.clone();
        if let (Some(report), Some(time)) = (report, self.time)
            && self.looks.window(report, time, self.timing.usual()).is_some()
        {
            all.look(report, time, around);
        }
        all.sources.iter().for_each(|source| source.write(sink));
        all.outbound.iter().for_each(|outbound| outbound.write(sink));
        all.inbound.iter().for_each(|inbound| inbound.write(sink));
        all.playouts.iter().for_each(|playout| playout.write(sink));
        all.both.write(sink);
        all.way.write(sink);
        all.timing.write(sink);
        all.playback.write(sink);
        let has_flowed = all.has_received() || all.outbound.iter().any(|outbound| outbound.has_sent);
        all.ice.write(last, has_flowed || all.has_path, sink);
        all.dtls.write(sink);
        all.negotiation.write(last, sink);
        setup::write(features, all.negotiation.is_answerer(), begin, sink);
    }
}
