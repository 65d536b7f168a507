//! The core of the client: what is bytes, state and protocol. Events come in as strings and numbers; lines, and what is to be
//! done with sockets and timers, come out. Nothing here sees an object of the page or calls into it: that is `npm/src`.
//!
//! There is one recording per module. The exports are for the npm package only; after each that may have effects, it
//! carries out [`effect`] after [`effect`] until there is none, and sets its one timer by [`deadline`].

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod codecs;
mod ids;
mod recorder;
#[cfg(target_arch = "wasm32")]
mod runtime;
mod transport;

use alloc::string::String;
use core::cell::{RefCell, RefMut};

use wasm_bindgen::prelude::*;

use crate::codecs::{Codecs, Input as InputBuffer};
use crate::ids::{ConnectionId, UnixMillis};
use crate::recorder::Recorder;
use crate::transport::{Effect, Input, State};

/// What the module holds between two calls.
struct Core {
    recorder: Option<Recorder>,
    /// Of the drop-in faces, which write lines of their own.
    codecs: Codecs,
    /// Where the page writes a report's text.
    input: InputBuffer,
    effect: Option<Effect>,
}

/// There are no threads in the module, and none of its functions calls out of it, so none is ever entered twice.
struct Single(RefCell<Core>);

#[expect(unsafe_code, reason = "a static must be Sync; this module has one thread")]
// SAFETY: wasm without the threads proposal has one thread; outside of wasm (in tests) nothing uses the static.
unsafe impl Sync for Single {}

static CORE: Single = Single(RefCell::new(Core::new()));

impl Core {
    const fn new() -> Self {
        Self { recorder: None, codecs: Codecs::new(), input: InputBuffer::new(), effect: None }
    }
}

/// Not generic and not inlined, so that every export has little more than its own call.
#[inline(never)]
fn core() -> Option<RefMut<'static, Core>> {
    CORE.0.try_borrow_mut().ok()
}

/// `None` while there is no recording.
#[inline(never)]
fn recorder() -> Option<RefMut<'static, Recorder>> {
    RefMut::filter_map(core()?, |core| core.recorder.as_mut()).ok()
}

/// Begins a recording in place of an earlier one. `limit` is in bytes, `seed` any random number; `renewable` says that the
/// page can ask for another token.
#[wasm_bindgen]
pub fn begin(limit: f64, seed: u32, renewable: bool, now: f64) {
    if let Some(mut core) = core() {
        core.recorder = Some(Recorder::new(limit as usize, seed, renewable, now as UnixMillis));
        core.effect = None;
    }
}

/// Records an event. `connection` is -1 for none, `value` JSON, `extra` JSON values with commas between them.
#[wasm_bindgen]
pub fn record(method: &str, connection: i32, value: &str, extra: &str, now: f64) {
    if let Some(mut recorder) = recorder() {
        recorder.record(method, ConnectionId::of(connection), value, extra, now as UnixMillis);
    }
}

/// Records an event of the negotiation: `value` is a description in full, `null`, or the error of a failure.
#[wasm_bindgen]
pub fn describe(method: &str, connection: i32, value: &str, tracking: &str, now: f64) {
    if let (Some(mut recorder), Some(id)) = (recorder(), ConnectionId::of(connection)) {
        recorder.describe(method, id, value, tracking, now as UnixMillis);
    }
}

/// Where `bytes` bytes of a report's text may be written, for the next [`report`] or [`encode_report`].
#[wasm_bindgen]
pub fn input_buffer(bytes: u32) -> u32 {
    core().map_or(0, |mut core| core.input.address(bytes as usize) as u32)
}

/// Records a report: the first `length` bytes of the input buffer are the text of
/// `JSON.stringify(Object.fromEntries(report))`. Whether it was kept.
#[wasm_bindgen]
pub fn report(connection: i32, length: u32, extra: &str, now: f64) -> bool {
    let Some(mut core) = core() else { return false };
    let Core { recorder, input, .. } = &mut *core;
    let mut text = input.take(length as usize);
    let is_kept = match (recorder, ConnectionId::of(connection)) {
        (Some(recorder), Some(id)) => recorder.report(id, &mut text, extra, now as UnixMillis),
        _ => false,
    };
    input.give_back(text);
    is_kept
}

/// Nothing will come of this connection any more.
#[wasm_bindgen]
pub fn gone(connection: i32) {
    if let (Some(mut recorder), Some(id)) = (recorder(), ConnectionId::of(connection)) {
        recorder.gone(id);
    }
}

/// Something happened outside: 0 start, 1 the socket is closed (close code), 2 the timer fired (bytes that wait in the
/// socket), 3 the network is back, 4 the page is hidden, 5 the page goes away, 6 the application ends the recording, 7 the
/// browser forbids the socket, 8 the application wants everything sent, 9 the page is back from the back-forward cache, 10
/// the browser did not take the last beacon.
#[wasm_bindgen]
pub fn input(kind: u32, number: f64, now: f64) {
    let input = match kind {
        0 => Input::Start,
        1 => Input::Closed { code: number as u16 },
        2 => Input::Tick { buffered: number as usize },
        3 => Input::Online,
        4 => Input::Hidden,
        5 => Input::PageHide,
        6 => Input::Close,
        7 => Input::Forbidden,
        8 => Input::Flush { buffered: number as usize },
        9 => Input::Shown,
        10 => Input::BeaconRefused,
        _ => return,
    };
    handle(input, now);
}

/// A text frame came from the collector.
#[wasm_bindgen]
pub fn frame(text: &str, now: f64) {
    handle(Input::Frame(text), now);
}

fn handle(input: Input<'_>, now: f64) {
    if let Some(mut recorder) = recorder() {
        recorder.handle(input, now as UnixMillis);
    }
}

/// Takes the next thing to do: 0 nothing, 1 connect ([`effect_number`]: number of the first line), 2 send ([`effect_text`]),
/// 3 close the socket (close code), 4 send a beacon (number of the first line, text), 5 tell that the first lines went
/// (ms since the beginning), 6 the recording is over (close code; 0: forbidden by the browser; -1: ended, and the collector
/// holds all of it; -2: ended, and it may not).
#[wasm_bindgen]
pub fn effect() -> u32 {
    let Some(mut core) = core() else { return 0 };
    core.effect = core.recorder.as_mut().and_then(|recorder| recorder.transport.poll_effect());
    match core.effect {
        None => 0,
        Some(Effect::Connect { .. }) => 1,
        Some(Effect::Send(_)) => 2,
        Some(Effect::Disconnect { .. }) => 3,
        Some(Effect::Beacon { .. }) => 4,
        Some(Effect::FirstFlush { .. }) => 5,
        Some(Effect::Over { .. }) => 6,
    }
}

/// The number of the effect that was taken last.
#[wasm_bindgen]
pub fn effect_number() -> f64 {
    match core().as_ref().and_then(|core| core.effect.as_ref()) {
        Some(Effect::Connect { from } | Effect::Beacon { from, .. }) => *from as f64,
        Some(Effect::Disconnect { code }) => f64::from(*code),
        Some(Effect::FirstFlush { milliseconds }) => *milliseconds as f64,
        Some(Effect::Over { refused: Some(code), .. }) => f64::from(*code),
        Some(Effect::Over { is_complete, .. }) => {
            if *is_complete {
                -1.0
            } else {
                -2.0
            }
        }
        Some(Effect::Send(_)) | None => 0.0,
    }
}

/// Takes the text of the effect that was taken last.
#[wasm_bindgen]
pub fn effect_text() -> String {
    match core().as_mut().and_then(|core| core.effect.as_mut()) {
        Some(Effect::Send(text) | Effect::Beacon { body: text, .. }) => core::mem::take(text),
        _ => String::new(),
    }
}

/// When `input(2, ..)` is due, in Unix ms; -1 for never.
#[wasm_bindgen]
pub fn deadline() -> f64 {
    recorder().and_then(|recorder| recorder.deadline()).map_or(-1.0, |deadline| deadline as f64)
}

/// 0 connecting, 1 open, 2 reconnecting, 3 closed.
#[wasm_bindgen]
pub fn state() -> u32 {
    match recorder().map(|recorder| recorder.transport.state()) {
        Some(State::Connecting) => 0,
        Some(State::Open) => 1,
        Some(State::Reconnecting) => 2,
        Some(State::Closed) | None => 3,
    }
}

/// Counts since the recording began: 0 lines, 1 reports, 2 acknowledged lines, 3 bytes in the buffer, 4 dropped reports, 5
/// dropped events, 6 reconnects.
#[wasm_bindgen]
pub fn counter(index: u32) -> f64 {
    recorder().map_or(0, |recorder| recorder.counter(index)) as f64
}

/// The delta of the report in the input buffer, by the codecs of the drop-in faces; `null` if it is no report.
#[wasm_bindgen]
pub fn encode_report(connection: i32, length: u32) -> String {
    let Some(mut core) = core() else { return String::new() };
    let Core { codecs, input, .. } = &mut *core;
    let mut text = input.take(length as usize);
    let delta = codecs.report(ConnectionId(connection.unsigned_abs()), &mut text);
    input.give_back(text);
    delta
}

/// A description as it is sent, by the codecs of the drop-in faces.
#[wasm_bindgen]
pub fn compress_description(method: &str, connection: i32, value: &str, tracking: &str) -> String {
    let id = ConnectionId(connection.unsigned_abs());
    core().map_or_else(String::new, |mut core| core.codecs.description(id, method, value, tracking))
}

/// What stands for a method in a line: a number, a letter in quotes, or its name in quotes.
#[wasm_bindgen]
pub fn method_token(method: &str) -> String {
    let mut out = String::new();
    rtctrace_protocol::line::write_method(&mut out, method);
    out
}

/// Frees what the drop-in faces' codecs hold for a connection.
#[wasm_bindgen]
pub fn codec_gone(connection: i32) {
    if let Some(mut core) = core() {
        core.codecs.gone(ConnectionId(connection.unsigned_abs()));
    }
}

/// What the drop-in faces' codecs make next builds on nothing that they made before: its reader may be a new one. An old
/// reader is not misled by it.
#[wasm_bindgen]
pub fn codec_restart() {
    if let Some(mut core) = core() {
        core.codecs.restart();
    }
}
