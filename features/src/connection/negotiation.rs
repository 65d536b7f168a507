//! Offers and answers: how many, how long they took, and what went wrong.

use rtctrace_protocol::event::Event;

use crate::input::{self, Interval, TrackingId};
use crate::limits;
use crate::table::ConnectionFeatures;

/// Accumulates the features of negotiation.
#[derive(Debug, Default)]
pub(crate) struct Negotiation {
    stable: u64,
    pending: Option<bool>,
    signaling: Interval,
    local: DescriptionCall,
    remote: DescriptionCall,
    candidate_failure: Failure,
    local_failure: Failure,
    remote_failure: Failure,
}

impl Negotiation {
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        match &*event.method {
            "onsignalingstatechange" => self.signaling_state(event),
            "setLocalDescription" => {
                // An implicit call has no type: whether it makes an offer shows only in its result.
                if input::description_type(event).as_deref() == Some("offer") {
                    self.signaling.begin(event.time);
                }
                self.local.called(event);
            }
            "setRemoteDescription" => {
                if input::description_type(event).as_deref() == Some("answer") {
                    self.signaling.finish(event.time);
                }
                self.remote.called(event);
            }
            "setLocalDescriptionOnSuccess" => self.local.succeeded(event, None),
            "setRemoteDescriptionOnSuccess" => {
                // The call's own value is null if only the page could have read it: then it stands here.
                let kind = input::description_type(event);
                if kind.as_deref() == Some("answer") {
                    self.signaling.finish(event.time);
                }
                self.remote.succeeded(event, kind.map(|kind| input::bounded(&kind, limits::TEXT)));
            }
            "setLocalDescriptionOnFailure" => self.local_failure.record(event),
            "setRemoteDescriptionOnFailure" => self.remote_failure.record(event),
            "addIceCandidateOnFailure" => self.candidate_failure.record(event),
            _ => {}
        }
    }

    fn signaling_state(&mut self, event: &Event<'_>) {
        let state = input::word(event);
        let state = state.as_deref();
        if state == Some("stable") {
            // A rollback counts as well.
            self.stable = self.stable.saturating_add(1);
        }
        if state != Some("closed") {
            self.pending = Some(state != Some("stable"));
        }
    }

    pub(crate) fn write(&self, features: &mut ConnectionFeatures) {
        features.number_of_negotiations = Some(self.stable);
        features.pending_negotiation_at_end = self.pending;
        features.signaling_delay = self.signaling.millis();
        (features.set_local_description_delay, features.set_local_description_role) = self.local.outcome();
        (features.set_remote_description_delay, features.set_remote_description_role) = self.remote.outcome();
        features.add_ice_candidate_failure = self.candidate_failure.text();
        features.set_local_description_failure = self.local_failure.text();
        features.set_remote_description_failure = self.remote_failure.text();
    }
}

/// The first call of a method that sets a description. A later call is not looked at, even if the first failed.
#[derive(Debug, Default)]
enum DescriptionCall {
    #[default]
    None,
    Pending {
        time: f64,
        role: Option<String>,
        tracking: TrackingId,
    },
    Done {
        delay: Option<i64>,
        role: Option<String>,
    },
}

impl DescriptionCall {
    fn called(&mut self, event: &Event<'_>) {
        if matches!(self, Self::None) {
            let role = input::description_type(event).map(|kind| input::bounded(&kind, limits::TEXT));
            *self = Self::Pending { time: event.time, role, tracking: TrackingId::of(event) };
        }
    }

    /// `result`: the type of what has been set, where that counts for a call that did not say.
    fn succeeded(&mut self, event: &Event<'_>, result: Option<String>) {
        if let Self::Pending { time, role, tracking } = self
            && tracking.ties(&TrackingId::of(event))
        {
            *self = Self::Done { delay: input::millis(event.time - *time), role: role.take().or(result) };
        }
    }

    fn outcome(&self) -> (Option<i64>, Option<String>) {
        match self {
            Self::Done { delay, role } => (*delay, role.clone()),
            _ => (None, None),
        }
    }
}

/// The first failure of a method.
#[derive(Debug, Default)]
struct Failure(Option<Option<String>>);

impl Failure {
    fn record(&mut self, event: &Event<'_>) {
        self.0.get_or_insert_with(|| input::failure(event));
    }

    fn text(&self) -> Option<String> {
        self.0.clone().flatten()
    }
}
