//! The features of a client: what the page and the browser did outside connections.

use std::collections::BTreeMap;

#[cfg(feature = "serde")]
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::features;
#[cfg(feature = "serde")]
use crate::value::FeatureValue;
use crate::value::{Json, UnixMillis};

features! {
    /// The features of the client of a session.
    struct ClientFeatures {
        /// What the client said about itself in `create` and has no column: JSON by name.
        other: BTreeMap<String, Json>,
    }

    /// The table of client features.
    table CLIENT_FEATURES {
        upstream {
            "hardwareConcurrency" hardware_concurrency: Option<i64>, Count, "Logical processors of the client's machine.", "the member", "client create.hardwareConcurrency";
            "userAgentData" user_agent_data: Option<Json>, None, "The browser's user agent client hints.", "the member", "client create.userAgentData";
            "deviceMemory" device_memory: Option<f64>, Gibibytes, "Memory of the client's machine, coarsely.", "the member", "client create.deviceMemory";
            "cpuPerformance" cpu_performance: Option<i64>, None, "The browser's class of processor performance.", "the member", "client create.cpuPerformance";
            "screen" screen: Option<Json>, None, "The client's screen: width, height, devicePixelRatio.", "the member", "client create.screen";
            "window" window: Option<Json>, None, "The page's window: width and height.", "the member", "client create.window";
            "reloadCount" reload_count: Option<i64>, Count, "How often the page was reloaded.", "the member", "client create.reloadCount";
            "startTime" start_time: Option<UnixMillis>, UnixMilliseconds, "Time of the client's first event.", "time of the first", "client events";
            "duration" duration: Option<i64>, Milliseconds, "From the client's first event to its last.", "time of the last - time of the first", "client events";
            "operatingSystem" operating_system: Option<String>, None, "Platform by the user agent client hints.", "the member", "client create.userAgentData.platform";
            "enumerateDevicesCount" enumerate_devices_count: Option<u64>, Count, "Successful calls of enumerateDevices.", "how many", "navigator.mediaDevices.enumerateDevices";
            "calledGetDisplayMedia" called_get_display_media: Option<bool>, None, "Whether getDisplayMedia was called.", "any", "getDisplayMedia";
            "calledGetDisplayMediaAudio" called_get_display_media_audio: Option<bool>, None, "Whether getDisplayMedia was called with audio.", "any with a truthy audio", "getDisplayMedia";
            "calledGetDisplayMediaVideo" called_get_display_media_video: Option<bool>, None, "Whether getDisplayMedia was called without refusing video.", "any whose video is not false", "getDisplayMedia";
            "getDisplayMediaErrorCount" get_display_media_error_count: Option<u64>, Count, "Calls of getDisplayMedia that failed.", "how many", "getDisplayMediaOnFailure";
            "getDisplayMediaSuccessCount" get_display_media_success_count: Option<u64>, Count, "Calls of getDisplayMedia that succeeded.", "how many", "getDisplayMediaOnSuccess";
            "calledGetUserMedia" called_get_user_media: Option<bool>, None, "Whether getUserMedia was called.", "any", "getUserMedia";
            "calledGetUserMediaAudio" called_get_user_media_audio: Option<bool>, None, "Whether getUserMedia was called with audio.", "any with a truthy audio", "getUserMedia";
            "calledGetUserMediaCombined" called_get_user_media_combined: Option<bool>, None, "Whether one call of getUserMedia asked for audio and video.", "any with a truthy audio and a truthy video", "getUserMedia";
            "calledGetUserMediaVideo" called_get_user_media_video: Option<bool>, None, "Whether getUserMedia was called with video.", "any with a truthy video", "getUserMedia";
            "getUserMediaError" get_user_media_error: Option<String>, None, "The first error of getUserMedia.", "value of the first", "getUserMediaOnFailure";
            "getUserMediaErrorCount" get_user_media_error_count: Option<u64>, Count, "Calls of getUserMedia that failed.", "how many", "getUserMediaOnFailure";
            "getUserMediaSuccessCount" get_user_media_success_count: Option<u64>, Count, "Calls of getUserMedia that succeeded.", "how many", "getUserMediaOnSuccess";
            "audioDeviceUsbId" audio_device_usb_id: Option<String>, None, "Vendor and product of the first USB microphone.", "the last parenthesis of the first label that ends with (xxxx:xxxx)", "audio tracks of getUserMediaOnSuccess";
            "videoDeviceUsbId" video_device_usb_id: Option<String>, None, "Vendor and product of the first USB camera.", "the last parenthesis of the first label that ends with (xxxx:xxxx)", "video tracks of getUserMediaOnSuccess";
            "webSocketConnectionTime" web_socket_connection_time: Option<i64>, Milliseconds, "Until the client's socket was open and flushed.", "the member", "the first websocket.connectionTime";
            "audioEnded" audio_ended: Option<bool>, None, "True if an audio track of getUserMedia ended by itself.", "any whose value is the id of such a track", "MediaStreamTrack.onended; audio tracks of getUserMediaOnSuccess";
            "videoEnded" video_ended: Option<bool>, None, "True if a video track of getUserMedia ended by itself.", "any whose value is the id of such a track", "MediaStreamTrack.onended; video tracks of getUserMediaOnSuccess";
            "audioShortDuration" audio_short_duration: Option<bool>, None, "True if an audio track of getUserMedia ended within a second.", "time of the end - time of the success < 1000 ms", "MediaStreamTrack.onended; audio tracks of getUserMediaOnSuccess";
            "videoShortDuration" video_short_duration: Option<bool>, None, "True if a video track of getUserMedia ended within a second.", "time of the end - time of the success < 1000 ms", "MediaStreamTrack.onended; video tracks of getUserMediaOnSuccess";
        }
        ours {
            "getUserMediaDelay" get_user_media_delay: Option<i64>, Milliseconds, "How long the first getUserMedia took, if it succeeded.", "first call to the success with its tracking id; not below 0", "getUserMedia, getUserMediaOnSuccess";
            "conferenceStartTime" conference_start_time: Option<UnixMillis>, None, "When the conference began that the client takes part in, as its application says.", "the value, if it is a time; the last", "conferenceStartTimestamp";
            "conferenceDuration" conference_duration: Option<i64>, Milliseconds, "From the begin of the conference to the last that is told of the session; the client may have come late.", "newest time of an event, but for the session's close, - conferenceStartTime; not below 0", "conferenceStartTimestamp; all events";
            "dominantSpeakerChanges" dominant_speaker_changes: Option<i64>, Count, "How often the client became the conference's dominant speaker.", "how many that name it", "dominantSpeaker.dominantSpeakerEndpoint; identity.endpointId";
            "speakerTime" speaker_time: Option<i64>, Milliseconds, "How long the client was the dominant speaker.", "sum of the times from an event that names it to the next, whomever that names, or to the newest event, but for the session's close", "dominantSpeaker.dominantSpeakerEndpoint; identity.endpointId";
            "sentimentAngry" sentiment_angry: Option<f64>, Seconds, "How long the client's face looked angry, as its application saw it.", "sum of duration where faceLandmarks is angry", "faceLandmarks";
            "sentimentDisgusted" sentiment_disgusted: Option<f64>, Seconds, "How long the client's face looked disgusted, as its application saw it.", "sum of duration where faceLandmarks is disgusted", "faceLandmarks";
            "sentimentFearful" sentiment_fearful: Option<f64>, Seconds, "How long the client's face looked fearful, as its application saw it.", "sum of duration where faceLandmarks is fearful", "faceLandmarks";
            "sentimentHappy" sentiment_happy: Option<f64>, Seconds, "How long the client's face looked happy, as its application saw it.", "sum of duration where faceLandmarks is happy", "faceLandmarks";
            "sentimentNeutral" sentiment_neutral: Option<f64>, Seconds, "How long the client's face showed nothing, as its application saw it.", "sum of duration where faceLandmarks is neutral", "faceLandmarks";
            "sentimentSad" sentiment_sad: Option<f64>, Seconds, "How long the client's face looked sad, as its application saw it.", "sum of duration where faceLandmarks is sad", "faceLandmarks";
            "sentimentSurprised" sentiment_surprised: Option<f64>, Seconds, "How long the client's face looked surprised, as its application saw it.", "sum of duration where faceLandmarks is surprised", "faceLandmarks";
            "endToEndRoundTripTimeLast" end_to_end_round_trip_time_last: Option<f64>, Seconds, "Round trip time to another participant, measured last.", "rtt / 1000 of the last", "e2eRtt";
            "endToEndRoundTripTimeMean" end_to_end_round_trip_time_mean: Option<f64>, Seconds, "Mean of the round trip times to the other participants.", "mean over remoteEndpointId of the last rtt / 1000 of each", "e2eRtt";
            "endToEndRoundTripTimeMax" end_to_end_round_trip_time_max: Option<f64>, Seconds, "Longest of the round trip times to the other participants.", "max over remoteEndpointId of the last rtt / 1000 of each", "e2eRtt";
            "deploymentRegion" deployment_region: Option<String>, None, "Region of the server of the conference.", "the member, if it is not empty; the last", "identity.deploymentInfo.region";
            "deploymentUserRegion" deployment_user_region: Option<String>, None, "The client's region, as the service sees it.", "the member, if it is not empty; the last", "identity.deploymentInfo.userRegion";
            "deploymentCrossRegion" deployment_cross_region: Option<bool>, None, "Whether the server is in another region than the client.", "the member; the last", "identity.deploymentInfo.crossRegion";
            "deploymentEnvironment" deployment_environment: Option<String>, None, "Name of the deployment that serves the conference.", "the member, if it is not empty; the last", "identity.deploymentInfo.environment";
            "deploymentEnvironmentType" deployment_environment_type: Option<String>, None, "What the deployment is for.", "the member, if it is not empty; the last", "identity.deploymentInfo.envType";
            "deploymentShard" deployment_shard: Option<String>, None, "The part of the deployment.", "the member, if it is not empty; the last", "identity.deploymentInfo.shard";
            "deploymentReleaseNumber" deployment_release_number: Option<String>, None, "The release that is deployed.", "the member, if it is not empty; the last", "identity.deploymentInfo.releaseNumber";
        }
    }
}

#[cfg(feature = "serde")]
impl Serialize for ClientFeatures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_values(&mut map, false)?;
        for (name, json) in &self.other {
            map.serialize_entry(name, &FeatureValue::Json(json.text()))?;
        }
        map.end()
    }
}
