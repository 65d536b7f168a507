//! RTCRtpSender. It is named by its transceiver's receiver track, whose id never changes.

use super::{Hook, Kind, Moment};
use crate::ids::ConnectionId;
use crate::js::{registry, values};
use crate::page;
use crate::recorder::quoted;

const OWNER: &str = "RTCRtpSender";

pub(super) const HOOKS: &[Hook] = &[
    Hook {
        owner: OWNER,
        member: "setParameters",
        kind: Kind::Call,
        method: "setParameters",
        record: |moment| record(moment, &values::parameters(moment.args)),
    },
    Hook {
        owner: OWNER,
        member: "replaceTrack",
        kind: Kind::Call,
        method: "replaceTrack",
        record: |moment| record(moment, &values::replaced_tracks(moment.this, moment.args)),
    },
];

/// Of a sender or transceiver; one of a connection that is not recorded is not recorded either.
pub(super) fn record(moment: &Moment<'_>, value: &str) -> Option<String> {
    let owner = u32::try_from(registry::owner_of(moment.this)).ok()?;
    let name = registry::name_of(moment.this)?;
    page::record(moment.method, Some(ConnectionId(owner)), value, &[&quoted(&name)]);
    None
}
