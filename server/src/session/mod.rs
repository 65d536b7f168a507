//! Sessions: what a recording is while it runs, from its first line to its place in the stores. Sockets and requests hand
//! lines in; nothing here knows a wire format.

mod ack;
mod analysis;
mod attach;
mod browser;
mod changes;
mod collectors;
mod cursor;
mod decoding;
mod finish;
mod follow;
mod handle;
mod hearing;
mod import;
mod journal;
mod logs;
mod origin;
mod pipeline;
mod rate;
mod recover;
mod registry;
mod reorder;
mod reprocess;
mod snapshot;
mod sora;
mod standing;
mod summary;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use uuid::Uuid;

pub(crate) use ack::AckPace;
pub(crate) use analysis::Analysis;
pub(crate) use browser::Browser;
pub(crate) use changes::{Changes, Told, tell_changes};
pub(crate) use collectors::keep_collectors;
pub(crate) use follow::follow;
pub(crate) use handle::{Handle, SocketSlot};
pub(crate) use import::{ImportError, clean_up, import};
pub(crate) use journal::{Said, SocketCursor, Stop};
pub(crate) use logs::{Logs, Outcome, Watch, recognise, store_logs};
pub(crate) use origin::Origin;
pub(crate) use recover::{keep_looking_for_lost, recover};
pub(crate) use registry::{Attach, Later, Registry, Reply, SaidReply, SaidStop, Stores};
pub(crate) use reprocess::reprocess;
pub(crate) use sora::{SoraOrigin, name_of_connection, name_of_node};

/// How long one session may be read or decoded before others get their turn.
const TURN: Duration = Duration::from_millis(2);

/// The close code of a socket that went without one (RFC 6455, section 7.1.5).
pub(crate) const LOST: u16 = 1006;

/// Names a session. Clients choose it (`rtctrace.v1`) or the collector does; it is a UUID and nothing else, so that it can
/// stand in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SessionId(Uuid);

impl SessionId {
    /// A new one, ordered by time.
    pub(crate) fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// The one that is before all others; it is nobody's.
    pub(crate) const NIL: Self = Self(Uuid::nil());

    /// As the UUID that it is.
    pub(crate) fn uuid(self) -> Uuid {
        self.0
    }

    /// A name whose session is over goes on in a session beside it. So many of them may follow each other.
    pub(crate) const SUCCESSORS: u32 = 16;

    /// The one that always stands for a name, or for the session that follows those of this name as `successor`. No name of a client has the
    /// character that tells them apart.
    pub(crate) fn following(name: &str, successor: u32) -> Self {
        match successor {
            0 => Self::of_name(name),
            _ => Self::of_name(&format!("{name}.{successor}")),
        }
    }

    /// The one that always stands for a name, whatever characters that has.
    pub(crate) fn of_name(name: &str) -> Self {
        /// The namespace of such names (RFC 9562, section 5.5).
        const NAMESPACE: Uuid = Uuid::from_u128(0x8f1d_5e0c_4b7a_5c39_9d46_2a70_c1e3_b586);
        Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }
}

impl From<Uuid> for SessionId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for SessionId {
    type Err = NoSessionId;

    fn from_str(text: &str) -> Result<Self, NoSessionId> {
        // The crate reads other spellings too (braces, URNs, no hyphens); one spelling keeps one name per session.
        if text.len() != 36 {
            return Err(NoSessionId);
        }
        Uuid::try_parse(text).map(Self).map_err(|_| NoSessionId)
    }
}

/// A text is no session id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session id is a UUID, 8-4-4-4-12 hexadecimal digits")]
pub(crate) struct NoSessionId;

/// A wire format that a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Our client's: numbered lines, acknowledged, resumable.
    RtctraceV1,
    /// Upstream's: a line per frame, nothing acknowledged, a session per socket.
    Rtcstats5,
    /// That of Jitsi's browser client.
    JitsiStandard,
    /// The same from a browser with the legacy API.
    JitsiLegacy,
    /// Its older version.
    JitsiStandard30,
    /// That of Jitsi's video bridge: several sessions on a socket, as with all backends.
    JitsiJvb,
    /// That of its conference focus.
    JitsiJicofo,
    /// That of its gateway to telephones.
    JitsiJigasi,
    /// That of its recorder.
    JitsiJibri,
    /// What the SFU Sora pushes: requests, and no sockets.
    Sora,
}

impl Dialect {
    /// All, in the order in which an answer names them.
    pub(crate) const ALL: [Self; 10] = [
        Self::RtctraceV1,
        Self::Rtcstats5,
        Self::JitsiStandard,
        Self::JitsiLegacy,
        Self::JitsiStandard30,
        Self::JitsiJvb,
        Self::JitsiJicofo,
        Self::JitsiJigasi,
        Self::JitsiJibri,
        Self::Sora,
    ];

    /// Its name in `Sec-WebSocket-Protocol`, in the header of dumps and in the database.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RtctraceV1 => "rtctrace.v1",
            Self::Rtcstats5 => "rtcstats#5.0",
            Self::JitsiStandard => "3.1_STANDARD",
            Self::JitsiLegacy => "3.1_LEGACY",
            Self::JitsiStandard30 => "3.0_STANDARD",
            Self::JitsiJvb => "3.0_JVB",
            Self::JitsiJicofo => "1.0_JICOFO",
            Self::JitsiJigasi => "1.0_JIGASI",
            Self::JitsiJibri => "1.0_JIBRI",
            Self::Sora => "sora",
        }
    }

    /// The dialect of that name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    /// The one of a socket whose subprotocol has that name.
    pub(crate) fn of_protocol(name: &str) -> Option<Self> {
        Self::of_name(name).filter(|dialect| *dialect != Self::Sora)
    }

    /// The names of subprotocols.
    pub(crate) fn protocols() -> String {
        let names: Vec<&str> =
            Self::ALL.map(Self::name).into_iter().filter(|name| Self::of_protocol(name).is_some()).collect();
        names.join(", ")
    }

    /// Whether a client can come back to its session.
    pub(crate) fn resumes(self) -> bool {
        !matches!(self, Self::Rtcstats5)
    }

    /// Whether it is one of those that Jitsi's clients and backends speak.
    pub(crate) fn is_jitsi(self) -> bool {
        !matches!(self, Self::RtctraceV1 | Self::Rtcstats5 | Self::Sora)
    }
}

impl FromStr for Dialect {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::of_protocol(name).ok_or_else(|| format!("this program speaks {}", Self::protocols()))
    }
}

/// A Unix time in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnixMillis(pub(crate) i64);

impl UnixMillis {
    /// The collector's clock.
    pub(crate) fn now() -> Self {
        Self(chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp_millis())
    }

    /// A time from 1970 to the year 9999, which every database has.
    pub(crate) fn in_calendar(millis: i64) -> Option<Self> {
        (0..=253_402_300_799_999).contains(&millis).then_some(Self(millis))
    }

    /// RFC 3339 in UTC, with milliseconds.
    pub(crate) fn rfc3339(self) -> String {
        self.date().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    }

    /// As a date; a time outside the calendar counts as 1970.
    pub(crate) fn date(self) -> chrono::DateTime<chrono::Utc> {
        chrono::DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_uuid_names_a_session() {
        let id = SessionId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
        let upper = id.to_string().to_uppercase().parse::<SessionId>().unwrap();
        assert_eq!(upper.to_string(), id.to_string());
        for wrong in [
            "",
            "..",
            "../../etc/passwd",
            "%2e%2e",
            "0190163d-8694-739b-aea5-966c26f8ad9",
            "{0190163d-8694-739b-aea5-966c26f8ad90}",
        ] {
            assert_eq!(wrong.parse::<SessionId>(), Err(NoSessionId), "{wrong}");
        }
    }

    #[test]
    fn times_are_written_in_utc_with_milliseconds() {
        assert_eq!(UnixMillis(1_795_159_383_861).rfc3339(), "2026-11-20T07:23:03.861Z");
    }
}
