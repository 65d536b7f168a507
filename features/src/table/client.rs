//! The features of a client: what the page and the browser did outside connections.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::features;
use crate::value::{FeatureValue, Json, UnixMillis};

features! {
    /// The features of the client of a session.
    struct ClientFeatures {
        /// What the client said about itself in `create` and has no column: JSON by name.
        other: BTreeMap<String, Json>,
    }

    /// The table of client features.
    table CLIENT_FEATURES {
        "hardwareConcurrency" hardware_concurrency: Option<i64>, Count, "Logical processors of the client's machine.";
        "userAgentData" user_agent_data: Option<Json>, None, "The browser's user agent client hints.";
        "deviceMemory" device_memory: Option<f64>, Gibibytes, "Memory of the client's machine, coarsely.";
        "cpuPerformance" cpu_performance: Option<i64>, None, "The browser's class of processor performance.";
        "screen" screen: Option<Json>, None, "The client's screen: width, height, devicePixelRatio.";
        "window" window: Option<Json>, None, "The page's window: width and height.";
        "reloadCount" reload_count: Option<i64>, Count, "How often the page was reloaded.";
        "startTime" start_time: Option<UnixMillis>, None, "Time of the client's first event.";
        "duration" duration: Option<i64>, Milliseconds, "From the client's first event to its last.";
        "operatingSystem" operating_system: Option<String>, None, "Platform by the user agent client hints.";
        "enumerateDevicesCount" enumerate_devices_count: u64, Count, "Successful calls of enumerateDevices.";
        "calledGetDisplayMedia" called_get_display_media: bool, None, "Whether getDisplayMedia was called.";
        "calledGetDisplayMediaAudio" called_get_display_media_audio: bool, None, "Whether getDisplayMedia was called with audio.";
        "calledGetDisplayMediaVideo" called_get_display_media_video: bool, None, "Whether getDisplayMedia was called without refusing video.";
        "getDisplayMediaErrorCount" get_display_media_error_count: u64, Count, "Calls of getDisplayMedia that failed.";
        "getDisplayMediaSuccessCount" get_display_media_success_count: u64, Count, "Calls of getDisplayMedia that succeeded.";
        "calledGetUserMedia" called_get_user_media: bool, None, "Whether getUserMedia was called.";
        "calledGetUserMediaAudio" called_get_user_media_audio: bool, None, "Whether getUserMedia was called with audio.";
        "calledGetUserMediaCombined" called_get_user_media_combined: bool, None, "Whether one call of getUserMedia asked for audio and video.";
        "calledGetUserMediaVideo" called_get_user_media_video: bool, None, "Whether getUserMedia was called with video.";
        "getUserMediaError" get_user_media_error: Option<String>, None, "The first error of getUserMedia.";
        "getUserMediaErrorCount" get_user_media_error_count: u64, Count, "Calls of getUserMedia that failed.";
        "getUserMediaSuccessCount" get_user_media_success_count: u64, Count, "Calls of getUserMedia that succeeded.";
        "audioDeviceUsbId" audio_device_usb_id: Option<String>, None, "Vendor and product of the first USB microphone.";
        "videoDeviceUsbId" video_device_usb_id: Option<String>, None, "Vendor and product of the first USB camera.";
        "webSocketConnectionTime" web_socket_connection_time: Option<i64>, Milliseconds, "Until the client's socket was open and flushed.";
        "audioEnded" audio_ended: Option<bool>, None, "True if an audio track of getUserMedia ended by itself.";
        "videoEnded" video_ended: Option<bool>, None, "True if a video track of getUserMedia ended by itself.";
        "audioShortDuration" audio_short_duration: Option<bool>, None, "True if an audio track of getUserMedia ended within a second.";
        "videoShortDuration" video_short_duration: Option<bool>, None, "True if a video track of getUserMedia ended within a second.";
    }
}

impl Serialize for ClientFeatures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_values(&mut map)?;
        for (name, json) in &self.other {
            map.serialize_entry(name, &FeatureValue::Json(json.text()))?;
        }
        map.end()
    }
}
