//! The client of rtctrace: observes WebRTC in a page, polls `getStats`, and streams both to a collector.
//!
//! The npm package is the face of this module; what is exported here is for that face only. Where JavaScript is needed, it
//! is in four small files: `weave.js` (observers around the browser's functions), `values.js` (the values of lines),
//! `registry.js` (which object is which), `shell.js` (sockets, timers, polls). Everything else is decided in Rust.

mod ids;
mod js;
mod page;
mod recorder;
mod transport;
mod wrap;

use std::cell::Cell;

use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;

use crate::ids::{ConnectionId, join, uuid_v7};
use crate::js::{registry, shell, weave};
use crate::recorder::Recorder;
use crate::transport::{Input, State};

thread_local! {
    static IS_WOVEN: Cell<bool> = const { Cell::new(false) };
}

/// Puts the observers in place (once) and begins a recording. Returns the session's id.
///
/// `endpoint` is `ws://host:port/path` without a slash at the end; `interval` is that of reports in milliseconds, 0 for
/// none. `notify` is called with `"over"` and the close code when the recording ends, and with `"fault"` and a message at
/// the first fault. The face has checked all of it; plain arguments, because reading an object by serde would bring the
/// formatting of floats along, a fifth of the module.
///
/// # Errors
/// If the browser has no randomness.
#[wasm_bindgen]
pub fn start(
    endpoint: String,
    session: Option<String>,
    interval: f64,
    count_reloads: bool,
    notify: Function,
) -> Result<String, JsValue> {
    let mut random = [0; 14];
    web_sys::window()
        .ok_or_else(|| JsValue::from_str("there is no window"))?
        .crypto()?
        .get_random_values_with_u8_array(&mut random)?;
    let [seed @ .., a, b, c, d, e, f, g, h, i, j] = random;
    let session = session.unwrap_or_else(|| uuid_v7(page::now(), [a, b, c, d, e, f, g, h, i, j]));

    registry::reset_registry();
    if !IS_WOVEN.replace(true) {
        install(&notify);
    }
    page::begin(page::Plan {
        recorder: Recorder::new(session.clone(), u32::from_le_bytes(seed)),
        endpoint,
        interval,
        count_reloads,
        notify,
    });
    Ok(session)
}

/// The observers stay for the life of the page, so their closures do too.
fn install(notify: &Function) {
    let observer = Closure::<dyn Fn(u32, u32, JsValue, Array, JsValue, JsValue) -> JsValue>::new(
        |hook, phase, this: JsValue, args: Array, token: JsValue, result: JsValue| {
            wrap::observe(hook, phase, &this, &args, &token, &result)
        },
    );
    weave::install(&observer, notify);
    observer.forget();
    let receiver = Closure::<dyn Fn(u32, f64, Option<String>)>::new(|kind, number, text: Option<String>| {
        page::receive(kind, number, text.as_deref());
    });
    shell::install_shell(&receiver);
    receiver.forget();
    wrap::weave_all();
}

/// `connecting`, `open`, `reconnecting` or `closed`.
#[wasm_bindgen]
pub fn state() -> String {
    let name = match page::state() {
        State::Connecting => "connecting",
        State::Open => "open",
        State::Reconnecting => "reconnecting",
        State::Closed => "closed",
    };
    name.to_owned()
}

/// Counts since the recording began, in the order in which the face names them: lines, reports, acknowledged, buffered
/// bytes, dropped reports, dropped events, reconnects, faults. Without names, because their serialization is larger than
/// the counts are worth.
///
/// # Errors
/// None in practice: they are numbers.
#[wasm_bindgen]
pub fn counters() -> Result<JsValue, JsValue> {
    let counts = page::with(|recorder| {
        let dropped = recorder.transport.dropped();
        [
            recorder.counts.lines as f64,
            recorder.counts.reports as f64,
            recorder.transport.acknowledged() as f64,
            recorder.transport.buffered_bytes() as f64,
            dropped.reports as f64,
            dropped.events as f64,
            f64::from(recorder.transport.reconnects()),
            f64::from(weave::fault_count()),
        ]
    });
    Ok(serde_wasm_bindgen::to_value(&counts)?)
}

/// Records an event of the application: its name without the colon, its value as JSON, and the connection it is about.
#[wasm_bindgen]
pub fn event(name: &str, value: &str, connection: &JsValue) {
    let id = u32::try_from(registry::number_of(connection)).ok().map(ConnectionId);
    page::record(&join(&[":", name]), id, value, &[]);
    page::pump();
}

/// Sends what waits.
#[wasm_bindgen]
pub fn flush() {
    page::with_now(|recorder, now| recorder.transport.flush(now));
    page::pump();
}

/// Ends the recording: sends what is left and the close line, waits for the acknowledgement, closes with 1000. The face
/// hears of it as `"over"`.
#[wasm_bindgen]
pub fn close() {
    page::input(Input::Close);
}
