//! HTMLMediaElement: the size at which remote video arrives and is shown. `srcObject` is observed to know the elements.

use super::{Hook, Kind, Moment, listen_to};
use crate::ids::ConnectionId;
use crate::js::{registry, values};
use crate::page;
use crate::recorder::quoted;

const OWNER: &str = "HTMLMediaElement";

pub(super) const HOOKS: &[Hook] = &[
    Hook { owner: OWNER, member: "srcObject", kind: Kind::Setter, method: "", record: play },
    Hook { owner: OWNER, member: "resize", kind: Kind::Event, method: "HTMLMediaElement.resize", record: resize },
];

pub(super) fn begin() {
    for element in registry::playing_elements() {
        listen_to(&element, OWNER);
    }
}

fn play(moment: &Moment<'_>) -> Option<String> {
    if registry::is_stream(&moment.args.get(0)) {
        listen_to(moment.this, OWNER);
    }
    None
}

fn resize(moment: &Moment<'_>) -> Option<String> {
    let track = registry::played_track(moment.this);
    let owner = u32::try_from(registry::remote_owner_of(&track)).ok()?;
    let id = registry::track_id(&track)?;
    let size = values::displayed_size(moment.this);
    page::record(moment.method, Some(ConnectionId(owner)), &size, &[&quoted(&id)]);
    None
}
