//! The candidate pair that is in use, and whether it may be another than before.

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, Report};

use crate::input::Landmarks;

/// Follows the pair from report to report.
#[derive(Debug, Default)]
pub(crate) struct InUse {
    pair: Option<usize>,
    local: Option<usize>,
    remote: Option<usize>,
    has_succeeded: bool,
}

/// The pair in one report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PairInUse<'r> {
    pub(crate) entry: Option<Entry<'r>>,
    /// Its candidates, as far as the report has them.
    pub(crate) local: Option<Entry<'r>>,
    pub(crate) remote: Option<Entry<'r>>,
    /// Whether another entry may be the pair than before.
    pub(crate) is_moved: bool,
    /// Whether one of the candidates may say something else than before.
    pub(crate) is_changed: bool,
}

impl InUse {
    /// Whether a check of the pair was answered (W3C webrtc-stats, `RTCStatsIceCandidatePairState`).
    pub(crate) fn has_succeeded(&self) -> bool {
        self.has_succeeded
    }

    /// `seen`: the number of the report before.
    pub(crate) fn report<'r>(&mut self, report: &'r Report, landmarks: &Landmarks, seen: u64) -> PairInUse<'r> {
        let pair = landmarks.in_use();
        let is_moved = report.reshaped() > seen || pair != self.pair;
        let entry = pair.and_then(|place| report.at(place));
        if is_moved {
            let candidate = |reference| report.place(&entry?.member(reference).and_then(RawValue::as_str)?);
            let (local, remote) = (candidate("localCandidateId"), candidate("remoteCandidateId"));
            *self = Self { pair, local, remote, has_succeeded: false };
        }
        if entry.is_some_and(|entry| is_moved || entry.is_changed_since(seen)) {
            let state = entry.and_then(|entry| entry.member("state"));
            self.has_succeeded = state.is_some_and(|state| state.text() == r#""succeeded""#);
        }
        let [local, remote] = [self.local, self.remote].map(|place| report.at(place?));
        let is_new = |entry: Option<Entry<'_>>| entry.is_some_and(|entry| entry.is_changed_since(seen));
        PairInUse { entry, local, remote, is_moved, is_changed: is_moved || is_new(local) || is_new(remote) }
    }
}
