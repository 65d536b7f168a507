//! MediaDevices: what the page captures, and from which devices.

use super::{Hook, Kind, Moment, OBSERVED, listen_to, record_outcome};
use crate::js::weave::{AFTER, BEFORE};
use crate::js::{registry, values};
use crate::page;

const OWNER: &str = "MediaDevices";

pub(super) const HOOKS: &[Hook] = &[
    Hook {
        owner: OWNER,
        member: "getUserMedia",
        kind: Kind::Outcome,
        method: "navigator.mediaDevices.getUserMedia",
        record: capture,
    },
    Hook {
        owner: OWNER,
        member: "getDisplayMedia",
        kind: Kind::Outcome,
        method: "navigator.mediaDevices.getDisplayMedia",
        record: capture,
    },
    Hook {
        owner: OWNER,
        member: "enumerateDevices",
        kind: Kind::Outcome,
        method: "navigator.mediaDevices.enumerateDevices",
        record: enumerate,
    },
    Hook {
        owner: OWNER,
        member: "devicechange",
        kind: Kind::Event,
        method: "navigator.mediaDevices.ondevicechange",
        record: device_change,
    },
];

pub(super) fn begin() {
    let devices = registry::media_devices();
    // There are none in an insecure context.
    if !devices.is_undefined() {
        listen_to(&devices, OWNER);
    }
}

fn capture(moment: &Moment<'_>) -> Option<String> {
    if moment.phase == AFTER {
        for track in registry::tracks_of(moment.result) {
            registry::set_origin(&track, moment.token);
            listen_to(&track, "local MediaStreamTrack");
        }
    }
    record_outcome(
        moment,
        None,
        |moment| values::argument(moment.args, 0),
        |moment| values::stream_tracks(moment.result),
    )
}

/// Only what was found is recorded, not the call.
fn enumerate(moment: &Moment<'_>) -> Option<String> {
    match moment.phase {
        BEFORE => OBSERVED,
        AFTER => {
            page::record(moment.method, None, &values::plain(moment.result), &[]);
            None
        }
        _ => None,
    }
}

fn device_change(moment: &Moment<'_>) -> Option<String> {
    page::record(moment.method, None, "null", &[]);
    None
}
