//! What upstream has not of a connection: its set-up, its path, its outages and failures, and the link under it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

mod common;

use common::{client, connection};
use rtctrace_features::UnixMillis;

#[test]
fn a_set_up_is_told_in_parts() {
    let features = connection(&[
        r#"["create","PC_0",null,1000]"#,
        r#"["addTrack","PC_0",["audio","x","mic"],0]"#,
        r#"["createOffer","PC_0",null,"2-0",10]"#,
        r#"["setLocalDescription","PC_0",{"type":"offer","sdp":""},"6-0",10]"#,
        r#"["setRemoteDescription","PC_0",{"type":"answer","sdp":""},"8-0",60]"#,
        r#"["onsignalingstatechange","PC_0","stable",20]"#,
        r#"["ontrack","PC_0",["audio","a","remote"],0]"#,
        r#"["ontrack","PC_0",["video","v","remote"],0]"#,
        r#"["oniceconnectionstatechange","PC_0","checking",0]"#,
        r#"["oniceconnectionstatechange","PC_0","completed",50]"#,
        r#"["ondtlsstatechange","PC_0","connecting","0",5]"#,
        r#"["ondtlsstatechange","PC_0","connected","0",30]"#,
        r#"["onconnectionstatechange","PC_0","connected",1]"#,
        r#"["MediaStreamTrack.onunmute","PC_0","a",14]"#,
        r#"["getStats","PC_0",{"0":{"type":"inbound-rtp","kind":"video","packetsReceived":3,"framesDecoded":0},"t":1},100]"#,
        r#"["getStats","PC_0",{"0":{"packetsReceived":90,"framesDecoded":20},"t":1001},1000]"#,
    ]);
    assert_eq!(features.setup_signaling_time, Some(90));
    assert_eq!(features.setup_ice_time, Some(50));
    assert_eq!(features.setup_dtls_time, Some(30));
    assert_eq!(features.time_to_connected, Some(186));
    assert_eq!(features.setup_media_time, Some(14));
    assert_eq!(features.time_to_first_audio_packet, Some(200));
    assert_eq!(features.time_to_first_video_packet, Some(300));
    assert_eq!(features.time_to_first_video_frame, Some(1300));
}

#[test]
fn without_dtls_events_the_handshake_is_what_is_left_between_ice_and_the_connection() {
    let features = connection(&[
        r#"["oniceconnectionstatechange","PC_0","checking",1000]"#,
        r#"["oniceconnectionstatechange","PC_0","connected",20]"#,
        r#"["onconnectionstatechange","PC_0","connected",35]"#,
    ]);
    assert_eq!((features.setup_ice_time, features.setup_dtls_time), (Some(20), Some(35)));
    assert_eq!((features.setup_media_time, features.setup_signaling_time), (None, None));
}

#[test]
fn a_clock_that_goes_back_makes_no_time_negative() {
    let features = connection(&[
        r#"["createOffer","PC_0",null,"2-0",9000]"#,
        r#"["oniceconnectionstatechange","PC_0","checking",0]"#,
        r#"["ondtlsstatechange","PC_0","connecting","0",0]"#,
        r#"["onsignalingstatechange","PC_0","stable",-50]"#,
        r#"["oniceconnectionstatechange","PC_0","connected",0]"#,
        r#"["ondtlsstatechange","PC_0","connected","0",0]"#,
    ]);
    let times = [features.setup_signaling_time, features.setup_ice_time, features.setup_dtls_time];
    assert_eq!(times, [Some(0); 3]);
    let features = client(&[
        r#"["navigator.mediaDevices.getUserMedia",null,{"audio":true},"60-0",9000]"#,
        r#"["navigator.mediaDevices.getUserMediaOnSuccess",null,[],"60-0",-100]"#,
    ]);
    assert_eq!(features.get_user_media_delay, Some(0));
}

#[test]
fn an_answer_that_could_not_be_set_is_none() {
    let lines = |method: &str, kind: &str| {
        connection(&[
            r#"["createOffer","PC_0",null,"2-0",1000]"#,
            r#"["setRemoteDescription","PC_0",{"type":"answer","sdp":""},"8-0",10]"#,
            &format!(r#"["{method}","PC_0",null,"8-0",10]"#),
            &format!(r#"["setRemoteDescription","PC_0",{{"type":"{kind}","sdp":""}},"8-1",10]"#),
            r#"["setRemoteDescriptionOnSuccess","PC_0",null,"8-1",10]"#,
        ])
        .setup_signaling_time
    };
    assert_eq!(lines("setRemoteDescriptionOnFailure", "answer"), Some(40));
    assert_eq!(lines("setRemoteDescriptionOnFailure", "pranswer"), None);
    assert_eq!(lines("onnegotiationneeded", "offer"), None, "another description was set");
    let failed = connection(&[
        r#"["setRemoteDescription","PC_0",{"type":"answer","sdp":""},"8-0",1000]"#,
        r#"["setRemoteDescriptionOnFailure","PC_0","Error","8-0",10]"#,
        r#"["setRemoteDescriptionOnSuccess","PC_0",null,"8-1",10]"#,
    ]);
    assert_eq!(failed.setup_signaling_time, None);
}

#[test]
fn the_first_get_user_media_is_timed_if_it_succeeded() {
    let lines = |method: &str, id: &str| {
        client(&[
            r#"["navigator.mediaDevices.getUserMedia",null,{"audio":true},"60-0",1000]"#,
            r#"["navigator.mediaDevices.getUserMedia",null,{"audio":true},"60-1",1]"#,
            &format!(r#"["navigator.mediaDevices.{method}",null,[],"{id}",400]"#),
            r#"["navigator.mediaDevices.getUserMediaOnSuccess",null,[],"60-0",100]"#,
        ])
        .get_user_media_delay
    };
    assert_eq!(lines("getUserMediaOnSuccess", "60-0"), Some(401));
    assert_eq!(lines("getUserMediaOnSuccess", "60-1"), Some(501));
    assert_eq!(lines("getUserMediaOnFailure", "60-0"), None);
}

fn paths(candidates: &[&str]) -> rtctrace_features::ConnectionFeatures {
    let mut lines = vec![
        r#"["create","PC_0",null,1000]"#.to_owned(),
        r#"["getStats","PC_0",{"T":{"type":"transport","selectedCandidatePairId":"P"},"P":{"type":"candidate-pair","localCandidateId":"L","remoteCandidateId":"R"},"R":{"type":"remote-candidate","candidateType":"srflx","address":"192.0.2.x","protocol":"udp"},"t":1},0]"#.to_owned(),
    ];
    lines.extend(candidates.iter().map(|candidate| format!(r#"["getStats","PC_0",{{"L":{candidate},"t":1}},1000]"#)));
    connection(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_path_is_that_of_the_local_candidate_and_its_changes_are_listed() {
    let features = paths(&[
        r#"{"type":"local-candidate","candidateType":"host","protocol":"udp","address":"10.0.0.x"}"#,
        r#"{"priority":7}"#,
        r#"{"candidateType":"relay","relayProtocol":"tls","address":"203.0.113.9"}"#,
        r#"{"relayProtocol":"tcp"}"#,
    ]);
    assert_eq!((features.ice_path.as_deref(), features.ice_path_changes), (Some("relay/tcp"), Some(2)));
    let history: serde_json::Value = serde_json::from_str(features.ice_path_history.unwrap().text()).unwrap();
    let expected = serde_json::json!([
        { "time": 3000, "from": "host", "to": "relay/tls" },
        { "time": 4000, "from": "relay/tls", "to": "relay/tcp" },
    ]);
    assert_eq!(history, expected);
    assert_eq!(features.uses_relay, Some(true));
    assert_eq!(features.last_candidate_pair_local_type.as_deref(), Some("relay"));
    assert_eq!(features.last_candidate_pair_local_protocol.as_deref(), Some("tcp"));
    assert_eq!(features.last_candidate_pair_local_address.as_deref(), Some("203.0.113.9"));
    assert_eq!(features.last_candidate_pair_remote_type.as_deref(), Some("srflx"));
    assert_eq!(features.last_candidate_pair_remote_protocol.as_deref(), Some("udp"));
}

#[test]
fn a_path_without_a_candidate_is_unknown_and_one_that_never_changed_has_no_history() {
    let features = paths(&[]);
    assert_eq!((features.ice_path, features.uses_relay), (None, None));
    let features = paths(&[r#"{"type":"local-candidate","candidateType":"prflx"}"#]);
    assert_eq!((features.ice_path.as_deref(), features.ice_path_changes), (Some("prflx"), Some(0)));
    assert_eq!(features.ice_path_history, None);
}

#[test]
fn a_relay_on_one_side_is_enough_and_that_there_is_none_takes_both() {
    let uses_relay = |candidate: &str| paths(&[candidate]).uses_relay;
    assert_eq!(uses_relay(r#"{"type":"local-candidate","candidateType":"host"}"#), Some(false));
    assert_eq!(
        uses_relay(r#"{"type":"local-candidate","candidateType":"relay"},"R":{"candidateType":null}"#),
        Some(true)
    );
    assert_eq!(uses_relay(r#"{"type":"local-candidate","candidateType":"host"},"R":{"candidateType":null}"#), None);
}

#[test]
fn the_list_of_changes_is_bounded_and_still_counts() {
    let (host, srflx) = (r#"{"type":"local-candidate","candidateType":"host"}"#, r#"{"candidateType":"srflx"}"#);
    let features = paths(&[host, srflx].repeat(50));
    assert_eq!(features.ice_path_changes, Some(99));
    let history: Vec<serde_json::Value> = serde_json::from_str(features.ice_path_history.unwrap().text()).unwrap();
    assert_eq!(history.len(), rtctrace_features::limits::PATH_CHANGES);
}

#[test]
fn outages_are_counted_and_timed() {
    let features = connection(&[
        r#"["onconnectionstatechange","PC_0","disconnected",1000]"#,
        r#"["onconnectionstatechange","PC_0","connected",1000]"#,
        r#"["onconnectionstatechange","PC_0","disconnected",5000]"#,
        r#"["onconnectionstatechange","PC_0","failed",2000]"#,
        r#"["onconnectionstatechange","PC_0","connecting",100]"#,
        r#"["onconnectionstatechange","PC_0","connected",400]"#,
        r#"["onconnectionstatechange","PC_0","disconnected",1000]"#,
        r#"["close","PC_0",null,300]"#,
        r#"["ondtlsstatechange","PC_0","closed","0",50]"#,
    ]);
    assert_eq!((features.reconnects, features.disconnected_time), (Some(1), Some(2800)));
    assert_eq!((features.connected_duration, features.connection_failed.unwrap()), (Some(8850), true));
}

#[test]
fn an_outage_that_has_no_end_lasts_until_the_last_event_and_without_a_connection_there_is_none() {
    let features = connection(&[
        r#"["oniceconnectionstatechange","PC_0","completed",1000]"#,
        r#"["oniceconnectionstatechange","PC_0","disconnected",100]"#,
        r#"["onnegotiationneeded","PC_0",null,70]"#,
    ]);
    assert_eq!((features.reconnects, features.disconnected_time), (Some(0), Some(70)), "by ICE alone");
    let features = connection(&[r#"["onconnectionstatechange","PC_0","failed",1000]"#]);
    assert_eq!((features.reconnects, features.disconnected_time), (None, None));
    assert!(features.connection_failed.unwrap());
}

#[test]
fn failures_are_counted_as_jitsi_does() {
    let features = connection(&[
        r#"["constraints","PC_0",{"optional":[{"googDscp":true},{"rtcStatsSFUP2P":true}]},1000]"#,
        r#"["createOfferOnFailure","PC_0","Error","2-0",0]"#,
        r#"["createAnswerOnFailure","PC_0","Error","3-0",0]"#,
        r#"["setRemoteDescriptionOnFailure","PC_0","Error","8-0",0]"#,
        r#"["ondtlserror","PC_0","Error",0]"#,
        r#"["ondtlsstatechange","PC_0","failed",0]"#,
        r#"["oniceconnectionstatechange","PC_0","disconnected",100]"#,
        r#"["oniceconnectionstatechange","PC_0","failed",100]"#,
    ]);
    assert_eq!((features.sdp_create_failures.unwrap(), features.sdp_set_failures.unwrap()), (2, 1));
    assert_eq!((features.dtls_errors.unwrap(), features.dtls_failures.unwrap()), (1, 1));
    assert_eq!(features.last_ice_disconnect_time, Some(UnixMillis(1100)));
    assert_eq!(features.last_ice_failure_time, Some(UnixMillis(1200)));
    assert_eq!((features.is_p2p, features.connection_failed.unwrap()), (Some(true), false));
}

#[test]
fn the_link_is_that_of_the_pair_that_is_selected() {
    let features = connection(&[
        r#"["getStats","PC_0",{"T":{"type":"transport","selectedCandidatePairId":"P"},"P":{"type":"candidate-pair","currentRoundTripTime":0.1,"availableOutgoingBitrate":300000},"Q":{"type":"candidate-pair","availableOutgoingBitrate":900000,"currentRoundTripTime":0.3},"t":1000},1000]"#,
        r#"["getStats","PC_0",{"T":{"selectedCandidatePairId":"Q"},"t":2000},1000]"#,
        r#"["getStats","PC_0",{"t":3000},1000]"#,
        r#"["getStats","PC_0",{"T":{"selectedCandidatePairId":null},"t":4000},1000]"#,
    ]);
    assert_eq!(
        (features.available_outgoing_bitrate_mean, features.available_outgoing_bitrate_max),
        (Some(7e5), Some(9e5))
    );
    assert!(features.round_trip_time_mean.is_some_and(|mean| (mean - 0.7 / 3.0).abs() < 1e-9));
    assert_eq!(features.round_trip_time_max, Some(0.3));
}

#[test]
fn a_pair_that_says_itself_that_it_is_selected_is_the_link_where_no_transport_does() {
    let features = connection(&[
        r#"["getStats","PC_0",{"P":{"type":"candidate-pair","localCandidateId":"L","selected":true,"currentRoundTripTime":0.1},"Q":{"type":"candidate-pair","localCandidateId":"M","selected":false,"currentRoundTripTime":0.3},"L":{"type":"local-candidate","candidateType":"host"},"M":{"type":"local-candidate","candidateType":"srflx"},"t":1000},1000]"#,
        r#"["getStats","PC_0",{"P":{"selected":false},"Q":{"selected":true},"t":2000},1000]"#,
    ]);
    assert_eq!((features.round_trip_time_mean, features.round_trip_time_max), (Some(0.2), Some(0.3)));
    assert_eq!((features.ice_path.as_deref(), features.ice_path_changes), (Some("srflx"), Some(1)));
}
