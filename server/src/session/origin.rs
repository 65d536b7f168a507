//! Where a session comes from: what its first socket or beacon said, and how the header of its dump says so.

use std::net::IpAddr;

use rtctrace_protocol::dump::Metadata;
use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::sora::{Connection, Sender};

use super::{Dialect, SessionId, SoraOrigin, UnixMillis};
use crate::access::{Claims, LONGEST_NAME};
use crate::geo::Location;

/// What a session's first socket or beacon said about where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Origin {
    /// What it speaks.
    pub(crate) dialect: Dialect,
    /// When it came, by the collector's clock.
    pub(crate) start_time: UnixMillis,
    /// The path that it asked for.
    pub(crate) url: String,
    /// The page's origin.
    pub(crate) origin: Option<String>,
    /// The `User-Agent` header.
    pub(crate) user_agent: Option<String>,
    /// Its address, obfuscated unless the settings say otherwise.
    pub(crate) remote_address: Option<String>,
    /// Where that is, if a file knows.
    pub(crate) location: Location,
    /// What the client calls the session, where its dialect has names that are no UUID.
    pub(crate) client_session: Option<String>,
    /// Whose session it is, as the client's token says.
    pub(crate) user: Option<String>,
    /// Which conference it belongs to, as the client's token says.
    pub(crate) conference: Option<String>,
    /// What Sora says of the connection, or of a node.
    pub(crate) sora: Option<Box<SoraOrigin>>,
    /// The address that sessions are counted by; it is not stored.
    pub(crate) counted_by: Option<IpAddr>,
}

impl Origin {
    /// That of a session of Sora's, by its first body, which came to this path; of a node's, without a connection.
    pub(crate) fn of_sora(
        sender: &Sender<'_>,
        connection: Option<&Connection<'_>>,
        path: &str,
        start_time: UnixMillis,
    ) -> Self {
        let name = connection.map_or(&sender.node_name, |connection| &connection.connection_id);
        Self {
            dialect: Dialect::Sora,
            start_time,
            url: path.to_owned(),
            origin: None,
            // These are Sora's own, and not its client's.
            user_agent: None,
            remote_address: None,
            location: Location::default(),
            client_session: Some(name.to_string()),
            user: connection.map(|connection| connection.client_id.to_string()),
            conference: connection.map(|connection| connection.channel_id.to_string()),
            sora: Some(Box::new(SoraOrigin::of(sender, connection))),
            counted_by: None,
        }
    }

    /// Whether a session from here is another user's. One whose clients were not asked for a token is anybody's.
    pub(crate) fn is_anothers(&self, user: Option<&str>) -> bool {
        self.user.is_some() && self.user.as_deref() != user
    }

    /// Takes in what the client's token says of it.
    pub(crate) fn identify(&mut self, claims: Claims) {
        self.user = claims.user;
        self.conference = claims.conference;
    }

    /// From the header of a spool file.
    pub(crate) fn from_metadata(metadata: RawValue<'_>) -> Option<Self> {
        let text = |name| metadata.get(name).and_then(RawValue::as_str).map(|text| text.into_owned());
        // An index has them, and a dump from elsewhere may say anything.
        let name = |name| text(name).filter(|text| text.len() <= LONGEST_NAME);
        Some(Self {
            dialect: Dialect::of_name(&text("clientProtocol")?)?,
            start_time: UnixMillis(metadata.get("startTime")?.as_i64()?),
            client_session: text("clientSession"),
            url: text("url")?,
            origin: text("origin"),
            user_agent: text("userAgent"),
            remote_address: metadata
                .get("remoteAddresses")?
                .at(0)
                .and_then(RawValue::as_str)
                .map(|text| text.into_owned()),
            location: location(metadata),
            user: name("user"),
            conference: name("conference"),
            sora: metadata.get("sora").and_then(SoraOrigin::from_json).map(Box::new),
            counted_by: None,
        })
    }

    /// The dump's header.
    pub(super) fn metadata(&self, session: SessionId) -> Metadata {
        Metadata {
            url: self.url.clone(),
            origin: self.origin.clone(),
            user_agent: self.user_agent.clone(),
            start_time: self.start_time.0,
            remote_addresses: self.remote_address.iter().cloned().collect(),
            client_protocol: self.dialect.name().to_owned(),
            session: Some(session.to_string()),
            client_session: self.client_session.clone(),
            user: self.user.clone(),
            conference: self.conference.clone(),
            country: self.location.country.clone(),
            city: self.location.city.clone(),
            sora: self.sora.as_deref().map(SoraOrigin::to_json),
        }
    }
}

/// Where the first of a dump's addresses is: `locations` has a record of MaxMind's for each, as upstream's server writes them.
fn location(metadata: RawValue<'_>) -> Location {
    let place = metadata.get("locations").and_then(|locations| locations.at(0));
    let text = |path: &[&str]| {
        let found = path.iter().try_fold(place?, |value, name| value.get(name))?;
        found.as_str().filter(|text| text.len() <= LONGEST_NAME).map(std::borrow::Cow::into_owned)
    };
    Location { country: text(&["country", "iso_code"]), city: text(&["city", "names", "en"]) }
}
