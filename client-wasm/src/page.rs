//! The one recording of this page: gives the observers access to it, carries out the effects of its transport, and takes
//! what the shell signals.
//!
//! The recorder is borrowed only while no JavaScript runs: a value of the page may call back into an observer.

use std::cell::{Cell, RefCell};

use js_sys::Function;
use wasm_bindgen::{JsCast, JsValue};

use crate::ids::{ConnectionId, UnixMillis, join};
use crate::js::{shell, values};
use crate::recorder::Recorder;
use crate::transport::{Effect, Input, State};
use crate::wrap;

/// How the recording was set up.
struct Setup {
    socket_url: String,
    beacon_url: String,
    interval: f64,
    /// Tells the face: `("over", close code or undefined)`.
    notify: Function,
}

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
    static SETUP: RefCell<Option<Setup>> = const { RefCell::new(None) };
    static WAKE_AT: Cell<Option<UnixMillis>> = const { Cell::new(None) };
    static IS_POLLING: Cell<bool> = const { Cell::new(false) };
}

pub(crate) fn now() -> UnixMillis {
    shell::now() as UnixMillis
}

/// Works on the recorder; `None` without one, and when it is busy further up the stack.
pub(crate) fn with<R>(work: impl FnOnce(&mut Recorder) -> R) -> Option<R> {
    RECORDER.try_with(|recorder| recorder.try_borrow_mut().ok()?.as_mut().map(work)).ok()?
}

pub(crate) fn with_now<R>(work: impl FnOnce(&mut Recorder, UnixMillis) -> R) -> Option<R> {
    let now = now();
    with(|recorder| work(recorder, now))
}

pub(crate) fn is_recording() -> bool {
    with(|recorder| recorder.transport.is_recording()) == Some(true)
}

pub(crate) fn track_call(method: &'static str) -> String {
    with(|recorder| recorder.track_call(method)).unwrap_or_default()
}

pub(crate) fn record(method: &str, connection: Option<ConnectionId>, value: &str, extra: &[&str]) {
    with_now(|recorder, now| recorder.record(method, connection, value, extra, now));
}

pub(crate) fn record_description(method: &str, id: ConnectionId, value: &str, tracking: &str) {
    with_now(|recorder, now| recorder.record_description(method, id, value, tracking, now));
}

/// Reads the set-up of the recording.
fn setup<R>(read: impl FnOnce(&Setup) -> R) -> Option<R> {
    SETUP.try_with(|setup| setup.try_borrow().ok()?.as_ref().map(read)).ok()?
}

/// Starts the timer of all polls, at the first connection that needs it. `false` if the application wants no reports.
pub(crate) fn start_polling() -> bool {
    let interval = setup(|setup| setup.interval).unwrap_or(0.0);
    if interval > 0.0 && !IS_POLLING.replace(true) {
        shell::poll_every(interval);
    }
    interval > 0.0
}

fn stop_polling() {
    if IS_POLLING.replace(false) {
        shell::poll_every(0.0);
    }
}

/// What a recording is made of, as the face gives it.
pub(crate) struct Plan {
    pub(crate) recorder: Recorder,
    /// `ws://` or `wss://`, without a path of its own at the end.
    pub(crate) endpoint: String,
    pub(crate) interval: f64,
    pub(crate) count_reloads: bool,
    pub(crate) notify: Function,
}

/// Begins a recording in place of an earlier one.
pub(crate) fn begin(plan: Plan) {
    let session = &plan.recorder.session;
    let setup = Setup {
        socket_url: join(&[&plan.endpoint, "/v1/ws?session=", session, "&from="]),
        // `ws:` becomes `http:`, `wss:` becomes `https:`.
        beacon_url: join(&[
            "http",
            plan.endpoint.get(2..).unwrap_or_default(),
            "/v1/beacon?session=",
            session,
            "&from=",
        ]),
        interval: plan.interval,
        notify: plan.notify,
    };
    let _ = SETUP.try_with(|slot| slot.replace(Some(setup)));
    let _ = RECORDER.try_with(|slot| slot.replace(Some(plan.recorder)));
    record("create", None, &values::client(plan.count_reloads), &[]);
    shell::observe_pressure(plan.interval);
    wrap::begin();
    input(Input::Start);
}

/// Hands an input to the transport and carries out what follows from it.
pub(crate) fn input(input: Input<'_>) {
    with_now(|recorder, now| recorder.transport.handle(input, now));
    pump();
}

/// Carries out the transport's effects and sets its timer.
pub(crate) fn pump() {
    while let Some(effect) = with(|recorder| recorder.transport.poll_effect()).flatten() {
        carry_out(effect);
    }
    let deadline = with(|recorder| recorder.transport.deadline()).flatten();
    if WAKE_AT.replace(deadline) != deadline {
        shell::wake_in(deadline.map_or(-1.0, |deadline| (deadline - now()).max(0) as f64));
    }
}

fn carry_out(effect: Effect) {
    let url = |pick: fn(&Setup) -> &str, from: u64| setup(|setup| join(&[pick(setup), &from.to_string()]));
    match effect {
        Effect::Connect { from } => {
            if let Some(url) = url(|setup| &setup.socket_url, from) {
                shell::connect(&url);
            }
        }
        Effect::Send(frame) => shell::send(&frame),
        Effect::Disconnect { code } => shell::disconnect(code),
        Effect::Beacon { from, body } => {
            if let Some(url) = url(|setup| &setup.beacon_url, from) {
                shell::beacon(&url, &body);
            }
        }
        Effect::FirstFlush { milliseconds } => {
            let value = join(&["{\"connectionTime\":", &milliseconds.to_string(), "}"]);
            record("websocket", None, &value, &[]);
        }
        Effect::Over { refused } => over(refused),
    }
}

fn over(refused: Option<u16>) {
    stop_polling();
    shell::observe_pressure(0.0);
    // A collector that went away or refused is no clean end of the page's own.
    if refused.is_none() {
        values::forget_reloads();
    }
    let notify = setup(|setup| setup.notify.clone());
    if let Some(notify) = notify {
        let code = refused.map_or(JsValue::UNDEFINED, JsValue::from);
        // The face's own function; what it throws is guarded where this call began.
        let _ = notify.unchecked_ref::<Function>().call2(&JsValue::UNDEFINED, &"over".into(), &code);
    }
}

/// Takes what the shell signals.
pub(crate) fn receive(kind: u32, number: f64, text: Option<&str>) {
    match kind {
        shell::TICK => {
            // The timer has fired: the next deadline sets it again even if it is the same.
            WAKE_AT.set(None);
            input(Input::Tick { buffered: number as usize });
        }
        shell::FRAME => input(Input::Frame(text.unwrap_or_default())),
        shell::CLOSED => input(Input::Closed { code: number as u16 }),
        shell::ONLINE => input(Input::Online),
        shell::HIDDEN => input(Input::Hidden),
        shell::PAGE_HIDE => input(Input::PageHide),
        shell::FORBIDDEN => input(Input::Forbidden),
        shell::POLL => poll_all(),
        shell::REPORT => {
            let id = ConnectionId(number as u32);
            with_now(|recorder, now| recorder.poll_ended(id, text, now));
            pump();
        }
        shell::PRESSURE => {
            with_now(|recorder, now| recorder.set_pressure(text.unwrap_or_default(), now));
        }
        shell::GONE => {
            with(|recorder| recorder.forget_connection(ConnectionId(number as u32)));
        }
        _ => {}
    }
}

fn poll_all() {
    if !is_recording() || with(|recorder| recorder.has_polled()) != Some(true) {
        stop_polling();
        return;
    }
    for id in with(|recorder| recorder.due_polls()).unwrap_or_default() {
        wrap::poll_now(id);
    }
}

pub(crate) fn state() -> State {
    with(|recorder| recorder.transport.state()).unwrap_or(State::Closed)
}
