//! MediaStreamTrack: what the page does with its tracks, and what happens to them. Assignments count for local tracks only.

use super::{Hook, Kind, Moment};
use crate::ids::ConnectionId;
use crate::js::{registry, values};
use crate::page;
use crate::recorder::quoted;

const OWNER: &str = "MediaStreamTrack";
/// Which events are listened to depends on where a track comes from.
const LOCAL: &str = "local MediaStreamTrack";
const REMOTE: &str = "remote MediaStreamTrack";

pub(super) const HOOKS: &[Hook] = &[
    on(OWNER, "stop", Kind::Call, "MediaStreamTrack.stop", call),
    on(OWNER, "applyConstraints", Kind::Call, "MediaStreamTrack.applyConstraints", call),
    on(OWNER, "enabled", Kind::Setter, "MediaStreamTrack.enabled", assign),
    on(OWNER, "contentHint", Kind::Setter, "MediaStreamTrack.contentHint", assign),
    on(LOCAL, "ended", Kind::Event, "MediaStreamTrack.onended", ended),
    on(REMOTE, "mute", Kind::Event, "MediaStreamTrack.onmute", muted),
    on(REMOTE, "unmute", Kind::Event, "MediaStreamTrack.onunmute", muted),
];

const fn on(
    owner: &'static str,
    member: &'static str,
    kind: Kind,
    method: &'static str,
    record: fn(&Moment<'_>) -> Option<String>,
) -> Hook {
    Hook { owner, member, kind, method, record }
}

fn origin(moment: &Moment<'_>) -> String {
    registry::origin_of(moment.this).map_or("null".into(), |origin| quoted(&origin))
}

fn call(moment: &Moment<'_>) -> Option<String> {
    let id = registry::track_id(moment.this)?;
    if !registry::has_ended(moment.this) {
        let value = values::list(moment.args);
        page::record(moment.method, None, &value, &[&quoted(&id), &origin(moment)]);
    }
    None
}

fn assign(moment: &Moment<'_>) -> Option<String> {
    let id = registry::track_id(moment.this)?;
    if registry::remote_owner_of(moment.this) < 0 {
        page::record(moment.method, None, &values::argument(moment.args, 0), &[&quoted(&id)]);
    }
    None
}

fn ended(moment: &Moment<'_>) -> Option<String> {
    let id = registry::track_id(moment.this)?;
    page::record(moment.method, None, &quoted(&id), &[&origin(moment)]);
    None
}

fn muted(moment: &Moment<'_>) -> Option<String> {
    let owner = u32::try_from(registry::remote_owner_of(moment.this)).ok()?;
    let id = registry::track_id(moment.this)?;
    page::record(moment.method, Some(ConnectionId(owner)), &quoted(&id), &[]);
    None
}
