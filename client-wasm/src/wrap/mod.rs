//! What of the browser is observed. Each file is one interface (or one object) with its list on top: member, how it is
//! observed, and the function that records it. Values follow the formats of rtcstats 5.0.

mod media_devices;
mod media_element;
mod peer_connection;
mod sender;
mod track;
mod transceiver;

use js_sys::Array;
use wasm_bindgen::JsValue;

use crate::ids::{ConnectionId, join};
use crate::js::weave::{AFTER, BEFORE, FAILED, listen, weave_constructor, weave_method, weave_setter};
use crate::js::{registry, values};
use crate::page;
use crate::recorder::quoted;

pub(crate) use peer_connection::poll_now;

/// How a member is observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A method: its call.
    Call,
    /// A method: its call and what it returned.
    Result,
    /// A method that returns a promise (or takes callbacks): its call and its outcome.
    Outcome,
    /// A constructor: what it made.
    Constructor,
    /// An accessor: assignments.
    Setter,
    /// An event of objects that are listened to.
    Event,
}

/// One observed member.
struct Hook {
    /// The interface, as it is named in the global scope.
    owner: &'static str,
    member: &'static str,
    kind: Kind,
    /// The method in lines.
    method: &'static str,
    record: fn(&Moment<'_>) -> Option<String>,
}

/// What happened to a member, and to what.
struct Moment<'a> {
    /// The method in lines.
    method: &'static str,
    /// Of [`crate::js::weave`].
    phase: u32,
    this: &'a JsValue,
    args: &'a Array,
    /// What the hook had returned before the call.
    token: &'a str,
    /// The result, the error or the event.
    result: &'a JsValue,
}

impl Moment<'_> {
    fn on_success(&self) -> String {
        join(&[self.method, "OnSuccess"])
    }

    fn on_failure(&self) -> String {
        join(&[self.method, "OnFailure"])
    }
}

/// A hook of an outcome must return something before the call, or the outcome is not asked for.
const OBSERVED: Option<String> = Some(String::new());

const HOOKS: [&[Hook]; 7] = [
    peer_connection::METHODS,
    peer_connection::EVENTS,
    sender::HOOKS,
    transceiver::HOOKS,
    media_devices::HOOKS,
    track::HOOKS,
    media_element::HOOKS,
];

fn hooks() -> impl Iterator<Item = (u32, &'static Hook)> {
    (0..).zip(HOOKS.into_iter().flatten())
}

/// Puts every observer in place; once in the life of a page.
pub(crate) fn weave_all() {
    for (number, hook) in hooks() {
        match hook.kind {
            Kind::Call => weave_method(hook.owner, hook.member, number, 0),
            Kind::Result => weave_method(hook.owner, hook.member, number, 1),
            Kind::Outcome => weave_method(hook.owner, hook.member, number, 2),
            Kind::Constructor => weave_constructor(hook.owner, number),
            Kind::Setter => weave_setter(hook.owner, hook.member, number),
            Kind::Event => {}
        }
    }
}

/// Attends to what was there before the recording.
pub(crate) fn begin() {
    media_devices::begin();
    media_element::begin();
}

/// The one entry of all observers.
pub(crate) fn observe(
    hook: u32,
    phase: u32,
    this: &JsValue,
    args: &Array,
    token: &JsValue,
    result: &JsValue,
) -> JsValue {
    if !page::is_recording() {
        return JsValue::UNDEFINED;
    }
    let Some((_, hook)) = hooks().nth(hook as usize) else { return JsValue::UNDEFINED };
    let token = token.as_string().unwrap_or_default();
    let returned = (hook.record)(&Moment { method: hook.method, phase, this, args, token: &token, result });
    page::pump();
    returned.map_or(JsValue::UNDEFINED, |token| JsValue::from_str(&token))
}

/// Listens to the events of `owner` on one object; once in its life.
fn listen_to(target: &JsValue, owner: &str) {
    if registry::first_time(target) {
        for (number, hook) in hooks().filter(|(_, hook)| hook.kind == Kind::Event && hook.owner == owner) {
            listen(target, hook.member, number);
        }
    }
}

/// A call that tells its outcome: records the call with `value`, then success with `result` or failure with the error.
fn record_outcome(
    moment: &Moment<'_>,
    connection: Option<ConnectionId>,
    value: fn(&Moment<'_>) -> String,
    result: fn(&Moment<'_>) -> String,
) -> Option<String> {
    match moment.phase {
        BEFORE => {
            let value = value(moment);
            let token = page::track_call(moment.method);
            page::record(moment.method, connection, &value, &[&quoted(&token)]);
            Some(token)
        }
        AFTER => {
            let value = result(moment);
            page::record(&moment.on_success(), connection, &value, &[&quoted(moment.token)]);
            None
        }
        FAILED => {
            let error = values::text(moment.result);
            page::record(&moment.on_failure(), connection, &error, &[&quoted(moment.token)]);
            None
        }
        _ => None,
    }
}
