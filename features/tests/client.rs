//! Client features, formula by formula.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

mod common;

use common::{client, session};
use rtctrace_features::UnixMillis;

#[test]
fn a_session_without_events_has_features() {
    let features = session(&[]);
    assert_eq!(features.client.start_time, None);
    assert_eq!(features.client.duration, None);
    assert!(features.connections.is_empty());
    assert_eq!(features.client.get_user_media_success_count, None, "nobody would tell");
}

#[test]
fn a_client_that_never_said_create_still_has_features() {
    let features = client(&[
        r#"["navigator.mediaDevices.getUserMedia",null,{"audio":true},"60-0",1000]"#,
        r#"["close",null,1006,500]"#,
    ]);
    assert_eq!(features.start_time, Some(UnixMillis(1000)));
    assert_eq!(features.duration, Some(500));
    assert!(features.called_get_user_media_audio.unwrap());
    assert_eq!(features.hardware_concurrency, None);
}

#[test]
fn only_the_first_create_describes_the_client() {
    let features = client(&[
        r#"["create",null,{"hardwareConcurrency":8,"deviceMemory":0.5,"cpuPerformance":3},1000]"#,
        r#"["create",null,{"hardwareConcurrency":2,"reloadCount":4},1]"#,
    ]);
    assert_eq!(features.hardware_concurrency, Some(8));
    assert_eq!(features.device_memory, Some(0.5));
    assert_eq!(features.cpu_performance, Some(3));
    assert_eq!(features.reload_count, None);
}

#[test]
fn what_a_client_says_beyond_the_known_is_kept_but_overrules_nothing() {
    let features = client(&[
        r#"["create",null,{"battery":{"level":0.4},"calledGetUserMedia":true,"duration":1,"window":{"width":5}},1000]"#,
        r#"["close",null,1005,7]"#,
    ]);
    let json = serde_json::to_value(&features).unwrap();
    assert_eq!(json["battery"], serde_json::json!({"level": 0.4}));
    assert_eq!(json["calledGetUserMedia"], false);
    assert_eq!(json["duration"], 7);
    assert_eq!(json["window"], serde_json::json!({"width": 5}));
}

#[test]
fn a_client_that_says_nonsense_about_itself_has_no_such_features() {
    let features = client(&[
        r#"["create",null,{"hardwareConcurrency":"many","deviceMemory":null,"userAgentData":"x","reloadCount":1.5},1000]"#,
    ]);
    assert_eq!(features.hardware_concurrency, None);
    assert_eq!(features.device_memory, None);
    assert_eq!(features.operating_system, None);
    assert_eq!(features.reload_count, None);
    for value in ["null", "[]", "7", "\"x\""] {
        let features = client(&[&format!(r#"["create",null,{value},1000]"#)]);
        assert_eq!(features.start_time, Some(UnixMillis(1000)));
    }
}

#[test]
fn the_operating_system_is_the_platform_of_the_user_agent_hints() {
    let features = client(&[r#"["create",null,{"userAgentData":{"platform":"macOS","mobile":false}},1000]"#]);
    assert_eq!(features.operating_system.as_deref(), Some("macOS"));
    assert_eq!(features.user_agent_data.unwrap().text(), r#"{"platform":"macOS","mobile":false}"#);
}

#[test]
fn audio_and_video_of_get_user_media_are_combined_only_within_one_call() {
    let apart = client(&[
        r#"["navigator.mediaDevices.getUserMedia",null,{"audio":{}},"60-0",1000]"#,
        r#"["navigator.mediaDevices.getUserMedia",null,{"audio":false,"video":true},"60-1",1]"#,
    ]);
    assert!(apart.called_get_user_media_audio.unwrap() && apart.called_get_user_media_video.unwrap());
    assert!(!apart.called_get_user_media_combined.unwrap());
    let together = client(&[r#"["navigator.mediaDevices.getUserMedia",null,{"audio":true,"video":{}},"60-0",1000]"#]);
    assert!(together.called_get_user_media_combined.unwrap());
    let neither = client(&[r#"["navigator.mediaDevices.getUserMedia",null,null,"60-0",1000]"#]);
    assert!(neither.called_get_user_media.unwrap());
    assert!(!neither.called_get_user_media_audio.unwrap() && !neither.called_get_user_media_video.unwrap());
}

#[test]
fn the_first_error_of_get_user_media_is_kept_and_all_are_counted() {
    let features = client(&[
        r#"["navigator.mediaDevices.getUserMediaOnFailure",null,"NotAllowedError","60-0",1000]"#,
        r#"["navigator.mediaDevices.getUserMediaOnFailure",null,"NotFoundError","60-1",1]"#,
        r#"["navigator.mediaDevices.getUserMediaOnSuccess",null,[],"60-2",1]"#,
    ]);
    assert_eq!(features.get_user_media_error.as_deref(), Some("NotAllowedError"));
    assert_eq!(features.get_user_media_error_count.unwrap(), 2);
    assert_eq!(features.get_user_media_success_count.unwrap(), 1);
}

#[test]
fn get_display_media_asks_for_video_unless_it_says_false() {
    for (value, video) in [
        ("null", true),
        ("{}", true),
        (r#"{"video":null}"#, true),
        (r#"{"video":0}"#, true),
        (r#"{"video":false}"#, false),
    ] {
        let features = client(&[&format!(r#"["navigator.mediaDevices.getDisplayMedia",null,{value},"62-0",1000]"#)]);
        assert!(features.called_get_display_media.unwrap());
        assert!(!features.called_get_display_media_audio.unwrap());
        assert_eq!(features.called_get_display_media_video.unwrap(), video, "{value}");
    }
    let features = client(&[
        r#"["navigator.mediaDevices.getDisplayMedia",null,{"audio":true},"62-0",1000]"#,
        r#"["navigator.mediaDevices.getDisplayMediaOnSuccess",null,[["video","t","screen"]],"62-0",1]"#,
        r#"["navigator.mediaDevices.getDisplayMediaOnFailure",null,"AbortError","62-1",1]"#,
    ]);
    assert!(features.called_get_display_media_audio.unwrap());
    assert_eq!(features.get_display_media_success_count.unwrap(), 1);
    assert_eq!(features.get_display_media_error_count.unwrap(), 1);
    assert_eq!(features.get_user_media_error_count.unwrap(), 0);
}

#[test]
fn application_events_are_never_taken_for_capture() {
    let features = client(&[
        r#"["create",null,{},1000]"#,
        r#"[":getUserMedia",null,{"audio":true},1]"#,
        r#"[":x.getUserMedia",null,null,1]"#,
    ]);
    assert!(!features.called_get_user_media.unwrap());
}

#[test]
fn a_usb_id_is_taken_from_the_first_label_of_its_kind_that_has_one() {
    let features = client(&[
        r#"["navigator.mediaDevices.getUserMediaOnSuccess",null,[["audio","a","Built-in (internal)"],["video","b","Cam (046d:085e)"]],"60-0",1000]"#,
        r#"["navigator.mediaDevices.getUserMediaOnSuccess",null,[["audio","c","Mic (05ac:8514)"],["video","d","Other (1111:2222)"]],"60-1",1]"#,
    ]);
    assert_eq!(features.audio_device_usb_id.as_deref(), Some("05ac:8514"));
    assert_eq!(features.video_device_usb_id.as_deref(), Some("046d:085e"));
}

#[test]
fn a_usb_id_is_cut_as_javascript_cuts_it() {
    for (label, id) in [
        ("(046d:085e)", Some("046d:085e")),
        // Digits are not looked at.
        ("Desk (zzzz:y(yy)", Some("zzzz:y(yy")),
        ("Desk 046d-085e)", None),
        // Shorter than ten: the slice starts at the label's start.
        ("abcd:)", Some("abcd:")),
        ("abcd:", None),
        ("", None),
        ("\u{1F3A4}ab:cdef)", Some("\u{1F3A4}ab:cdef")),
    ] {
        let line =
            format!(r#"["navigator.mediaDevices.getUserMediaOnSuccess",null,[["audio","a","{label}"]],"60-0",1000]"#);
        assert_eq!(client(&[&line]).audio_device_usb_id.as_deref(), id, "{label}");
    }
}

#[test]
fn tracks_that_ended_are_told_by_kind_and_by_how_long_they_lived() {
    let features = client(&[
        r#"["navigator.mediaDevices.getUserMediaOnSuccess",null,[["audio","a","Mic"],["video","v","Cam"]],"60-0",1000]"#,
        r#"["MediaStreamTrack.onended",null,"a","60-0",999]"#,
        r#"["MediaStreamTrack.onended",null,"v","60-0",1]"#,
    ]);
    assert_eq!(features.audio_ended, Some(true));
    assert_eq!(features.audio_short_duration, Some(true));
    assert_eq!(features.video_ended, Some(true));
    assert_eq!(features.video_short_duration, None, "exactly a second is not short");
}

#[test]
fn tracks_of_get_display_media_and_unknown_tracks_never_end() {
    let features = client(&[
        r#"["navigator.mediaDevices.getDisplayMediaOnSuccess",null,[["video","s","Screen"]],"62-0",1000]"#,
        r#"["MediaStreamTrack.onended",null,"s","62-0",1]"#,
        r#"["MediaStreamTrack.onended",null,"later","60-0",1]"#,
        r#"["navigator.mediaDevices.getUserMediaOnSuccess",null,[["video","later","Cam"]],"60-0",1]"#,
    ]);
    assert_eq!(features.video_ended, None);
}

#[test]
fn the_socket_s_connection_time_is_that_of_the_first() {
    let features =
        client(&[r#"["websocket",null,{"connectionTime":46},1000]"#, r#"["websocket",null,{"connectionTime":99},1]"#]);
    assert_eq!(features.web_socket_connection_time, Some(46));
    assert_eq!(client(&[r#"["websocket",null,null,1000]"#]).web_socket_connection_time, None);
}

#[test]
fn enumerate_devices_is_counted() {
    let line = r#"["navigator.mediaDevices.enumerateDevices",null,[],1000]"#;
    assert_eq!(client(&[line, line, line]).enumerate_devices_count.unwrap(), 3);
}
