//! The way that the connection's packets go: directly, or through which relay, and how often that changed.

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::Entry;

use super::in_use::PairInUse;
use crate::input;
use crate::json;
use crate::limits;
use crate::table::ConnectionFeatures;
use crate::value::{FeatureValue, Json};

/// A way, by the local candidate of the selected pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    Host,
    Srflx,
    Prflx,
    RelayUdp,
    RelayTcp,
    RelayTls,
    /// By a protocol that the browser does not tell.
    Relay,
}

impl Path {
    fn of(local: Entry<'_>) -> Option<Self> {
        let word = |name| local.member(name).map(RawValue::text);
        match word("candidateType")? {
            r#""host""# => Some(Self::Host),
            r#""srflx""# => Some(Self::Srflx),
            r#""prflx""# => Some(Self::Prflx),
            r#""relay""# => Some(match word("relayProtocol") {
                Some(r#""udp""#) => Self::RelayUdp,
                Some(r#""tcp""#) => Self::RelayTcp,
                Some(r#""tls""#) => Self::RelayTls,
                _ => Self::Relay,
            }),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Srflx => "srflx",
            Self::Prflx => "prflx",
            Self::RelayUdp => "relay/udp",
            Self::RelayTcp => "relay/tcp",
            Self::RelayTls => "relay/tls",
            Self::Relay => "relay",
        }
    }

    fn phrase(self) -> &'static str {
        match self {
            Self::Host | Self::Srflx | Self::Prflx => "on a direct path",
            Self::RelayUdp => "on relay over UDP",
            Self::RelayTcp => "on relay over TCP",
            Self::RelayTls => "on relay over TLS",
            Self::Relay => "on relay",
        }
    }
}

/// Accumulates the features of the selected pair's ways.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    now: Option<Path>,
    changes: u64,
    list: Vec<(f64, Path, Path)>,
    pair: Pair,
}

/// The pair that was selected last.
#[derive(Debug, Default)]
struct Pair {
    uses_relay: Option<bool>,
    local: Side,
    remote: Side,
}

/// One of its candidates.
#[derive(Debug, Default, Clone)]
struct Side {
    kind: Option<String>,
    address: Option<String>,
    protocol: Option<String>,
}

impl Side {
    /// The protocol to a relay, not from it.
    fn of(entry: Option<Entry<'_>>) -> Self {
        let Some(entry) = entry else { return Self::default() };
        let text = |name| input::entry_text(entry, name);
        Self {
            kind: text("candidateType"),
            address: text("address"),
            protocol: text("relayProtocol").or_else(|| text("protocol")),
        }
    }

    fn is_relay(&self) -> bool {
        self.kind.as_deref() == Some("relay")
    }
}

impl Paths {
    /// `elapsed`: ms since the connection's start.
    pub(crate) fn report(&mut self, pair: &PairInUse<'_>, elapsed: f64) {
        let PairInUse { local, remote, .. } = *pair;
        if !pair.is_changed || pair.entry.is_none() {
            return;
        }
        let (local_side, remote_side) = (Side::of(local), Side::of(remote));
        let is_relayed = local_side.is_relay() || remote_side.is_relay();
        let is_known = is_relayed || (local_side.kind.is_some() && remote_side.kind.is_some());
        self.pair = Pair { uses_relay: is_known.then_some(is_relayed), local: local_side, remote: remote_side };
        let Some(path) = local.and_then(Path::of) else { return };
        if let Some(before) = self.now.replace(path)
            && before != path
        {
            self.changes = self.changes.saturating_add(1);
            if self.list.len() < limits::PATH_CHANGES {
                self.list.push((elapsed, before, path));
            }
        }
    }

    /// The way that packets take now, as the end of a sentence.
    pub(crate) fn phrase(&self) -> Option<&'static str> {
        self.now.map(Path::phrase)
    }

    pub(crate) fn write(&self, features: &mut ConnectionFeatures) {
        let Some(now) = self.now else { return self.pair.write(features) };
        features.ice_path = Some(now.name().to_owned());
        features.ice_path_changes = i64::try_from(self.changes).ok();
        if !self.list.is_empty() {
            let mut changes = String::new();
            json::array(&mut changes, &self.list, |out, (elapsed, from, to)| {
                let mut change = json::Object::begin(out);
                change.text("from", from.name());
                match input::millis(*elapsed) {
                    Some(time) => change.value("time", FeatureValue::Integer(time)),
                    None => change.member("time").push_str("null"),
                }
                change.text("to", to.name());
                change.end();
            });
            features.ice_path_history = Json::new(&changes);
        }
        self.pair.write(features);
    }
}

impl Pair {
    fn write(&self, features: &mut ConnectionFeatures) {
        let Self { uses_relay, local, remote } = self;
        features.uses_relay = *uses_relay;
        features.last_candidate_pair_local_type = local.kind.clone();
        features.last_candidate_pair_local_address = local.address.clone();
        features.last_candidate_pair_local_protocol = local.protocol.clone();
        features.last_candidate_pair_remote_type = remote.kind.clone();
        features.last_candidate_pair_remote_address = remote.address.clone();
        features.last_candidate_pair_remote_protocol = remote.protocol.clone();
    }
}
