//! What Rust asks of the page: the four JavaScript files beside this one, declared. None of these functions throws.

/// Observers around the browser's functions.
pub(crate) mod weave {
    use js_sys::{Array, Function};
    use wasm_bindgen::prelude::*;

    pub(crate) const BEFORE: u32 = 0;
    pub(crate) const AFTER: u32 = 1;
    pub(crate) const FAILED: u32 = 2;

    type Observer = dyn Fn(u32, u32, JsValue, Array, JsValue, JsValue) -> JsValue;

    #[wasm_bindgen(module = "/src/weave.js")]
    extern "C" {
        pub(crate) fn install(observe: &Closure<Observer>, notify: &Function);
        #[wasm_bindgen(js_name = faultCount)]
        pub(crate) fn fault_count() -> u32;
        #[wasm_bindgen(js_name = weaveMethod)]
        pub(crate) fn weave_method(owner: &str, name: &str, hook: u32, mode: u32);
        #[wasm_bindgen(js_name = weaveSetter)]
        pub(crate) fn weave_setter(owner: &str, name: &str, hook: u32);
        #[wasm_bindgen(js_name = weaveConstructor)]
        pub(crate) fn weave_constructor(name: &str, hook: u32);
        pub(crate) fn listen(target: &JsValue, event: &str, hook: u32);
    }
}

/// Values of lines, as JSON.
pub(crate) mod values {
    use js_sys::Array;
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen(module = "/src/values.js")]
    extern "C" {
        pub(crate) fn plain(value: &JsValue) -> String;
        pub(crate) fn argument(args: &Array, index: u32) -> String;
        pub(crate) fn list(args: &Array) -> String;
        pub(crate) fn options(args: &Array) -> String;
        pub(crate) fn configuration(value: &JsValue) -> String;
        #[wasm_bindgen(js_name = ownConfiguration)]
        pub(crate) fn own_configuration(connection: &JsValue) -> String;
        pub(crate) fn candidate(event: &JsValue) -> String;
        #[wasm_bindgen(js_name = candidateError)]
        pub(crate) fn candidate_error(event: &JsValue) -> String;
        pub(crate) fn description(value: &JsValue) -> String;
        #[wasm_bindgen(js_name = localDescription)]
        pub(crate) fn local_description(connection: &JsValue) -> String;
        #[wasm_bindgen(js_name = trackAndStreams)]
        pub(crate) fn track_and_streams(args: &Array) -> String;
        #[wasm_bindgen(js_name = receivedTrack)]
        pub(crate) fn received_track(event: &JsValue) -> String;
        #[wasm_bindgen(js_name = streamTracks)]
        pub(crate) fn stream_tracks(stream: &JsValue) -> String;
        #[wasm_bindgen(js_name = replacedTracks)]
        pub(crate) fn replaced_tracks(sender: &JsValue, args: &Array) -> String;
        pub(crate) fn transceiver(args: &Array) -> String;
        pub(crate) fn parameters(args: &Array) -> String;
        #[wasm_bindgen(js_name = dataChannel)]
        pub(crate) fn data_channel(event: &JsValue) -> String;
        pub(crate) fn state(target: &JsValue, name: &str) -> String;
        pub(crate) fn text(error: &JsValue) -> String;
        #[wasm_bindgen(js_name = displayedSize)]
        pub(crate) fn displayed_size(element: &JsValue) -> String;
        pub(crate) fn client(count_reloads: bool) -> String;
        #[wasm_bindgen(js_name = forgetReloads)]
        pub(crate) fn forget_reloads();
    }
}

/// Which page object is which connection, sender or track.
pub(crate) mod registry {
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen(module = "/src/registry.js")]
    extern "C" {
        #[wasm_bindgen(js_name = resetRegistry)]
        pub(crate) fn reset_registry();
        pub(crate) fn enroll(connection: &JsValue, number: u32);
        #[wasm_bindgen(js_name = numberOf)]
        pub(crate) fn number_of(connection: &JsValue) -> i32;
        #[wasm_bindgen(js_name = ownerOf)]
        pub(crate) fn owner_of(part: &JsValue) -> i32;
        #[wasm_bindgen(js_name = nameOf)]
        pub(crate) fn name_of(part: &JsValue) -> Option<String>;
        #[wasm_bindgen(js_name = trackId)]
        pub(crate) fn track_id(track: &JsValue) -> Option<String>;
        #[wasm_bindgen(js_name = setOrigin)]
        pub(crate) fn set_origin(track: &JsValue, tracking_id: &str);
        #[wasm_bindgen(js_name = originOf)]
        pub(crate) fn origin_of(track: &JsValue) -> Option<String>;
        #[wasm_bindgen(js_name = setRemote)]
        pub(crate) fn set_remote(track: &JsValue, number: u32);
        #[wasm_bindgen(js_name = remoteOwnerOf)]
        pub(crate) fn remote_owner_of(track: &JsValue) -> i32;
        #[wasm_bindgen(js_name = playedTrack)]
        pub(crate) fn played_track(element: &JsValue) -> JsValue;
        #[wasm_bindgen(js_name = firstTime)]
        pub(crate) fn first_time(target: &JsValue) -> bool;
        #[wasm_bindgen(js_name = isStream)]
        pub(crate) fn is_stream(value: &JsValue) -> bool;
        #[wasm_bindgen(js_name = hasEnded)]
        pub(crate) fn has_ended(track: &JsValue) -> bool;
        #[wasm_bindgen(js_name = tracksOf)]
        pub(crate) fn tracks_of(stream: &JsValue) -> Vec<JsValue>;
        #[wasm_bindgen(js_name = trackOf)]
        pub(crate) fn track_of(event: &JsValue) -> JsValue;
        #[wasm_bindgen(js_name = playingElements)]
        pub(crate) fn playing_elements() -> Vec<JsValue>;
        #[wasm_bindgen(js_name = mediaDevices)]
        pub(crate) fn media_devices() -> JsValue;
    }
}

/// Sockets, timers, polls.
pub(crate) mod shell {
    use wasm_bindgen::prelude::*;

    pub(crate) const TICK: u32 = 0;
    pub(crate) const FRAME: u32 = 1;
    pub(crate) const CLOSED: u32 = 2;
    pub(crate) const ONLINE: u32 = 3;
    pub(crate) const HIDDEN: u32 = 4;
    pub(crate) const PAGE_HIDE: u32 = 5;
    pub(crate) const FORBIDDEN: u32 = 6;
    pub(crate) const POLL: u32 = 7;
    pub(crate) const REPORT: u32 = 8;
    pub(crate) const PRESSURE: u32 = 9;
    pub(crate) const GONE: u32 = 10;

    type Receiver = dyn Fn(u32, f64, Option<String>);

    #[wasm_bindgen(module = "/src/shell.js")]
    extern "C" {
        pub(crate) fn now() -> f64;
        #[wasm_bindgen(js_name = installShell)]
        pub(crate) fn install_shell(receiver: &Closure<Receiver>);
        pub(crate) fn connect(url: &str);
        pub(crate) fn send(text: &str);
        pub(crate) fn disconnect(code: u16);
        pub(crate) fn beacon(url: &str, body: &str);
        #[wasm_bindgen(js_name = wakeIn)]
        pub(crate) fn wake_in(delay: f64);
        #[wasm_bindgen(js_name = pollEvery)]
        pub(crate) fn poll_every(interval: f64);
        pub(crate) fn poll(number: u32) -> bool;
        #[wasm_bindgen(js_name = observePressure)]
        pub(crate) fn observe_pressure(interval: f64);
    }
}
