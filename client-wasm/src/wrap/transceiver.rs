//! RTCRtpTransceiver.

use super::{Hook, Kind, sender};
use crate::js::values;

const OWNER: &str = "RTCRtpTransceiver";

pub(super) const HOOKS: &[Hook] = &[
    Hook {
        owner: OWNER,
        member: "setCodecPreferences",
        kind: Kind::Call,
        method: "setCodecPreferences",
        record: |moment| sender::record(moment, &values::argument(moment.args, 0)),
    },
    Hook {
        owner: OWNER,
        member: "setHeaderExtensionsToNegotiate",
        kind: Kind::Call,
        method: "setHeaderExtensionsToNegotiate",
        record: |moment| sender::record(moment, &values::argument(moment.args, 0)),
    },
];
