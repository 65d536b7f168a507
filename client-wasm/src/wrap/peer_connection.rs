//! RTCPeerConnection: construction, negotiation, tracks, data channels, states, and the tracks that it receives.

use wasm_bindgen::JsValue;

use super::{Hook, Kind, Moment, OBSERVED, listen_to, record_outcome};
use crate::ids::ConnectionId;
use crate::js::weave::{AFTER, BEFORE};
use crate::js::{registry, shell, values};
use crate::page;
use crate::recorder::quoted;

const OWNER: &str = "RTCPeerConnection";

pub(super) const METHODS: &[Hook] = &[
    on("constructor", Kind::Constructor, "create", create),
    on("setConfiguration", Kind::Call, "setConfiguration", set_configuration),
    on("createOffer", Kind::Outcome, "createOffer", create_description),
    on("createAnswer", Kind::Outcome, "createAnswer", create_description),
    on("setLocalDescription", Kind::Outcome, "setLocalDescription", set_description),
    on("setRemoteDescription", Kind::Outcome, "setRemoteDescription", set_description),
    on("addIceCandidate", Kind::Outcome, "addIceCandidate", add_ice_candidate),
    on("addTrack", Kind::Result, "addTrack", add_track),
    on("addTransceiver", Kind::Result, "addTransceiver", add_transceiver),
    on("removeTrack", Kind::Call, "removeTrack", remove_track),
    on("createDataChannel", Kind::Call, "createDataChannel", create_data_channel),
    on("restartIce", Kind::Call, "restartIce", restart_ice),
    on("close", Kind::Call, "close", close),
];

pub(super) const EVENTS: &[Hook] = &[
    on("icecandidate", Kind::Event, "onicecandidate", |moment| event(moment, values::candidate)),
    on("icecandidateerror", Kind::Event, "onicecandidateerror", |moment| event(moment, values::candidate_error)),
    on("negotiationneeded", Kind::Event, "onnegotiationneeded", |moment| event(moment, |_| "null".into())),
    on("datachannel", Kind::Event, "ondatachannel", |moment| event(moment, values::data_channel)),
    on("track", Kind::Event, "ontrack", received_track),
    on("signalingstatechange", Kind::Event, "onsignalingstatechange", |moment| state(moment, "signalingState")),
    on("iceconnectionstatechange", Kind::Event, "oniceconnectionstatechange", |moment| {
        state(moment, "iceConnectionState")
    }),
    on("icegatheringstatechange", Kind::Event, "onicegatheringstatechange", |moment| {
        state(moment, "iceGatheringState")
    }),
    on("connectionstatechange", Kind::Event, "onconnectionstatechange", connection_state),
];

const fn on(member: &'static str, kind: Kind, method: &'static str, record: fn(&Moment<'_>) -> Option<String>) -> Hook {
    Hook { owner: OWNER, member, kind, method, record }
}

fn create(moment: &Moment<'_>) -> Option<String> {
    let configuration = values::configuration(&moment.args.get(0));
    let id = enroll(moment.this, &configuration)?;
    let constraints = values::argument(moment.args, 1);
    if constraints != "null" {
        page::record("constraints", Some(id), &constraints, &[]);
    }
    None
}

/// Gives a connection its id and listens to it.
fn enroll(connection: &JsValue, configuration: &str) -> Option<ConnectionId> {
    let id = page::with(|recorder| recorder.add_connection())?;
    registry::enroll(connection, id.0);
    page::record("create", Some(id), configuration, &[]);
    listen_to(connection, OWNER);
    Some(id)
}

/// The id of a connection. One that was made before the recording joins it when the page next uses it.
fn id_of(connection: &JsValue) -> Option<ConnectionId> {
    match registry::number_of(connection) {
        -1 => {
            let id = enroll(connection, &values::own_configuration(connection))?;
            begin_polling(connection, id);
            Some(id)
        }
        number => u32::try_from(number).ok().map(ConnectionId),
    }
}

fn set_configuration(moment: &Moment<'_>) -> Option<String> {
    let id = id_of(moment.this)?;
    page::record(moment.method, Some(id), &values::configuration(&moment.args.get(0)), &[]);
    None
}

fn create_description(moment: &Moment<'_>) -> Option<String> {
    let id = id_of(moment.this)?;
    match moment.phase {
        BEFORE => record_outcome(moment, Some(id), |moment| values::options(moment.args), |_| String::new()),
        AFTER => {
            page::record_description(&moment.on_success(), id, &values::description(moment.result), moment.token);
            None
        }
        _ => failed(moment, id),
    }
}

fn set_description(moment: &Moment<'_>) -> Option<String> {
    let id = id_of(moment.this)?;
    match moment.phase {
        BEFORE => {
            let value = values::description(&moment.args.get(0));
            let token = page::track_call(moment.method);
            page::record_description(moment.method, id, &value, &token);
            Some(token)
        }
        AFTER => {
            let implicit = moment.method == "setLocalDescription" && values::description(&moment.args.get(0)) == "null";
            let value = if implicit { values::local_description(moment.this) } else { "null".into() };
            page::record_description(&moment.on_success(), id, &value, moment.token);
            None
        }
        _ => failed(moment, id),
    }
}

fn failed(moment: &Moment<'_>, id: ConnectionId) -> Option<String> {
    let (method, error) = (moment.on_failure(), values::text(moment.result));
    page::with_now(|recorder, now| recorder.record_description_failure(&method, id, &error, moment.token, now));
    None
}

fn add_ice_candidate(moment: &Moment<'_>) -> Option<String> {
    let id = id_of(moment.this)?;
    record_outcome(moment, Some(id), |moment| values::argument(moment.args, 0), |_| "null".into())
}

fn add_track(moment: &Moment<'_>) -> Option<String> {
    added(moment, moment.result, values::track_and_streams)
}

fn add_transceiver(moment: &Moment<'_>) -> Option<String> {
    added(moment, moment.result, values::transceiver)
}

/// Senders and transceivers are named when they are made, so that the name is there when they are used.
fn added(moment: &Moment<'_>, part: &JsValue, value: fn(&js_sys::Array) -> String) -> Option<String> {
    let id = id_of(moment.this)?;
    if moment.phase == BEFORE {
        page::record(moment.method, Some(id), &value(moment.args), &[]);
        return OBSERVED;
    }
    let name = registry::name_of(part)?;
    page::record(&moment.on_success(), Some(id), "null", &[&quoted(&name)]);
    None
}

fn remove_track(moment: &Moment<'_>) -> Option<String> {
    let id = id_of(moment.this)?;
    let name = registry::name_of(&moment.args.get(0)).map_or("null".into(), |name| quoted(&name));
    page::record(moment.method, Some(id), &name, &[]);
    None
}

fn create_data_channel(moment: &Moment<'_>) -> Option<String> {
    let id = id_of(moment.this)?;
    page::record(moment.method, Some(id), &values::list(moment.args), &[]);
    None
}

fn restart_ice(moment: &Moment<'_>) -> Option<String> {
    let id = id_of(moment.this)?;
    page::record(moment.method, Some(id), "null", &[]);
    None
}

fn close(moment: &Moment<'_>) -> Option<String> {
    let id = id_of(moment.this)?;
    page::record(moment.method, Some(id), "null", &[]);
    page::with(|recorder| recorder.connection_closed(id));
    None
}

fn event(moment: &Moment<'_>, value: fn(&JsValue) -> String) -> Option<String> {
    let id = id_of(moment.this)?;
    page::record(moment.method, Some(id), &value(moment.result), &[]);
    None
}

fn state(moment: &Moment<'_>, name: &str) -> Option<String> {
    let id = id_of(moment.this)?;
    page::record(moment.method, Some(id), &values::state(moment.this, name), &[]);
    None
}

fn connection_state(moment: &Moment<'_>) -> Option<String> {
    state(moment, "connectionState");
    begin_polling(moment.this, id_of(moment.this)?);
    None
}

/// Polling begins when the connection is first connected or has failed.
fn begin_polling(connection: &JsValue, id: ConnectionId) {
    let state = values::state(connection, "connectionState");
    if page::with(|recorder| recorder.connection_state(id, &state)) == Some(true) && page::start_polling() {
        poll_now(id);
    }
}

/// Asks a connection for its report.
pub(crate) fn poll_now(id: ConnectionId) {
    page::with(|recorder| recorder.poll_started(id));
    if !shell::poll(id.0) {
        page::with(|recorder| recorder.connection_closed(id));
    }
}

fn received_track(moment: &Moment<'_>) -> Option<String> {
    let id = id_of(moment.this)?;
    page::record(moment.method, Some(id), &values::received_track(moment.result), &[]);
    let track = registry::track_of(moment.result);
    registry::set_remote(&track, id.0);
    listen_to(&track, "remote MediaStreamTrack");
    None
}
