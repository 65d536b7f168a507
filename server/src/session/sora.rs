//! What the SFU Sora says of a connection, or of one of its nodes, when a session of it begins.

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::sora::{Connection, MAX_TEXT, Sender};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The envelope of the first body of a session. That of a node has no connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SoraOrigin {
    /// Sora's id of the connection.
    pub(crate) connection_id: Option<String>,
    /// The session of its channel, from the channel's first connection to its last.
    pub(crate) session_id: Option<String>,
    /// What connections have in common that belong together.
    pub(crate) bundle_id: Option<String>,
    /// `sendrecv`, `sendonly` or `recvonly`.
    pub(crate) role: Option<String>,
    /// Whether it is of multistream, in versions that tell.
    pub(crate) multistream: Option<bool>,
    /// Whether it sends simulcast.
    pub(crate) simulcast: Option<bool>,
    /// Whether its channel is a spotlight.
    pub(crate) spotlight: Option<bool>,
    /// The node of the cluster.
    pub(crate) node: Option<String>,
    /// Sora's version.
    pub(crate) version: Option<String>,
    /// What its operator calls it.
    pub(crate) label: Option<String>,
}

impl SoraOrigin {
    /// What a body says, of a connection or of a node.
    pub(crate) fn of(sender: &Sender<'_>, connection: Option<&Connection<'_>>) -> Self {
        let text = |text: &str| Some(text.to_owned());
        Self {
            connection_id: connection.and_then(|connection| text(&connection.connection_id)),
            session_id: connection.and_then(|connection| text(&connection.session_id)),
            bundle_id: connection.and_then(|connection| connection.bundle_id.as_deref().and_then(text)),
            role: connection.and_then(|connection| text(connection.role.name())),
            multistream: connection.and_then(|connection| connection.multistream),
            simulcast: connection.map(|connection| connection.simulcast),
            spotlight: connection.map(|connection| connection.spotlight),
            node: text(&sender.node_name),
            version: text(&sender.version),
            label: text(&sender.label),
        }
    }

    /// From the header of a dump, which may be from elsewhere.
    pub(super) fn from_json(header: RawValue<'_>) -> Option<Self> {
        let told: Self = serde_json::from_str(header.text()).ok()?;
        let is_long = told.texts().into_iter().flatten().any(|text| text.len() > MAX_TEXT);
        (!is_long).then_some(told)
    }

    /// For the header of a dump.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }

    /// All texts of it.
    pub(crate) fn texts(&self) -> [Option<&str>; 7] {
        let Self { connection_id, session_id, bundle_id, role, node, version, label, .. } = self;
        [connection_id, session_id, bundle_id, role, node, version, label].map(|text| text.as_deref())
    }
}

/// What the session of a connection of Sora's is called. No client of ours or Jitsi's can give such a name: theirs have no such character.
pub(crate) fn name_of_connection(id: &str) -> String {
    format!("sora@{id}")
}

/// The same for that of a node.
pub(crate) fn name_of_node(node: &str) -> String {
    format!("sora.node@{node}")
}
