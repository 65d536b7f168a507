//! Negotiation and ICE features of a connection, formula by formula.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

mod common;

use common::connection;
use rtctrace_features::UnixMillis;

const OFFER: &str = r#"{"type":"offer","sdp":"v=0\r\n"}"#;
const ANSWER: &str = r#"{"type":"answer","sdp":"v=0\r\n"}"#;

/// The lines of one connection: method, value, extra (each a JSON text), 10 ms apart, the first at 1000.
fn connection_of(events: &[(&str, &str, &str)]) -> rtctrace_features::ConnectionFeatures {
    let lines: Vec<String> = events
        .iter()
        .enumerate()
        .map(|(position, (method, value, extra))| {
            let comma = if extra.is_empty() { "" } else { "," };
            let delta = if position == 0 { 1000 } else { 10 };
            format!(r#"["{method}","PC_0",{value}{comma}{extra},{delta}]"#)
        })
        .collect();
    connection(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_connection_starts_with_its_first_event_whatever_it_is() {
    let features = connection_of(&[("onnegotiationneeded", "null", ""), ("getStats", "{}", ""), ("close", "null", "")]);
    assert_eq!(features.id, "PC_0");
    assert_eq!(features.start_time, Some(UnixMillis(1000)));
    assert_eq!(features.duration, Some(20));
    assert!(features.closed.unwrap());
    assert_eq!(features.number_of_events, 3);
    assert_eq!(features.number_of_events_not_get_stats, 2);
}

#[test]
fn a_connection_is_closed_only_if_nothing_follows() {
    let features = connection_of(&[("create", "null", ""), ("close", "null", ""), ("onicecandidate", "null", "")]);
    assert!(!features.closed.unwrap());
    // Our own client tells how what hangs on a connection ends with it.
    for method in ["RTCDataChannel.onclose", "RTCSctpTransport.onstatechange", "ondtlsstatechange"] {
        assert!(connection_of(&[("create", "null", ""), ("close", "null", ""), (method, "null", "")]).closed.unwrap());
        assert!(!connection_of(&[("create", "null", ""), (method, "null", "")]).closed.unwrap());
    }
}

#[test]
fn every_return_to_stable_counts_and_closed_is_no_state_to_end_in() {
    let states = |states: &[&'static str]| {
        let events: Vec<_> = states.iter().map(|state| ("onsignalingstatechange", *state, "")).collect();
        connection_of(&events)
    };
    let rollback = states(&["\"have-local-offer\"", "\"stable\"", "\"closed\""]);
    assert_eq!(rollback.number_of_negotiations.unwrap(), 1);
    assert_eq!(rollback.pending_negotiation_at_end, Some(false));
    let pending = states(&["\"have-local-offer\"", "\"closed\""]);
    assert_eq!(pending.number_of_negotiations.unwrap(), 0);
    assert_eq!(pending.pending_negotiation_at_end, Some(true));
    assert_eq!(states(&["\"closed\""]).pending_negotiation_at_end, None);
}

#[test]
fn the_signaling_delay_runs_from_the_first_explicit_offer_to_the_first_answer_after_it() {
    let features = connection_of(&[
        ("setRemoteDescription", ANSWER, "\"8-0\""),
        ("setLocalDescription", OFFER, "\"6-0\""),
        ("setLocalDescription", OFFER, "\"6-1\""),
        ("setRemoteDescription", OFFER, "\"8-1\""),
        ("setRemoteDescription", ANSWER, "\"8-2\""),
        ("setRemoteDescription", ANSWER, "\"8-3\""),
    ]);
    assert_eq!(features.signaling_delay, Some(30));
}

#[test]
fn an_implicit_offer_starts_no_signaling_delay_and_has_a_delay_without_a_role() {
    let features = connection_of(&[
        ("setLocalDescription", "null", "\"6-0\""),
        ("setLocalDescriptionOnSuccess", OFFER, "\"6-0\""),
        ("setRemoteDescription", ANSWER, "\"8-0\""),
    ]);
    assert_eq!(features.signaling_delay, None);
    assert_eq!(features.set_local_description_delay, Some(10));
    assert_eq!(features.set_local_description_role, None);
    assert_eq!(features.set_remote_description_role, None, "no outcome yet");
}

#[test]
fn a_description_s_delay_is_that_of_the_first_call_and_of_its_own_outcome() {
    let features = connection_of(&[
        ("setLocalDescription", OFFER, "\"6-7\""),
        ("setRemoteDescription", ANSWER, "\"8-7\""),
        ("setLocalDescriptionOnSuccess", "null", "\"6-6\""),
        ("setRemoteDescriptionOnSuccess", "null", "\"8-7\""),
        ("setLocalDescriptionOnSuccess", "null", "\"6-7\""),
    ]);
    assert_eq!(features.set_local_description_delay, Some(40));
    assert_eq!(features.set_local_description_role.as_deref(), Some("offer"));
    assert_eq!(features.set_remote_description_delay, Some(20));
    assert_eq!(features.set_remote_description_role.as_deref(), Some("answer"));
}

#[test]
fn a_first_call_that_failed_leaves_no_delay_even_if_a_second_succeeds() {
    let features = connection_of(&[
        ("setRemoteDescription", OFFER, "\"8-0\""),
        ("setRemoteDescriptionOnFailure", "\"InvalidAccessError\"", "\"8-0\""),
        ("setRemoteDescription", OFFER, "\"8-1\""),
        ("setRemoteDescriptionOnSuccess", "null", "\"8-1\""),
    ]);
    assert_eq!(features.set_remote_description_delay, None);
    assert_eq!(features.set_remote_description_role, None);
    assert_eq!(features.set_remote_description_failure.as_deref(), Some("InvalidAccessError"));
}

#[test]
fn without_tracking_ids_the_next_outcome_is_the_call_s() {
    let features = connection_of(&[("setLocalDescription", OFFER, ""), ("setLocalDescriptionOnSuccess", "null", "")]);
    assert_eq!(features.set_local_description_delay, Some(10));
}

#[test]
fn the_first_failure_is_kept_and_a_failure_without_a_message_has_none() {
    let features = connection_of(&[
        ("addIceCandidateOnFailure", "\"first\"", "\"10-0\""),
        ("addIceCandidateOnFailure", "\"second\"", "\"10-1\""),
        ("setLocalDescriptionOnFailure", "null", "\"6-0\""),
        ("setLocalDescriptionOnFailure", "\"later\"", "\"6-1\""),
    ]);
    assert_eq!(features.add_ice_candidate_failure.as_deref(), Some("first"));
    assert_eq!(features.set_local_description_failure, None);
    assert_eq!(features.set_remote_description_failure, None);
}

#[test]
fn a_long_failure_keeps_its_beginning() {
    let message = format!("\"{}\"", "\u{e9}".repeat(2000));
    let features = connection_of(&[("addIceCandidateOnFailure", &message, "\"10-0\"")]);
    let kept = features.add_ice_candidate_failure.unwrap();
    assert_eq!(kept.len(), rtctrace_features::limits::TEXT);
    assert!(message.contains(&kept));
}

#[test]
fn connection_times_need_a_start_before_their_end() {
    let connected = connection_of(&[
        ("onconnectionstatechange", "\"connecting\"", ""),
        ("oniceconnectionstatechange", "\"checking\"", ""),
        ("onconnectionstatechange", "\"connecting\"", ""),
        ("oniceconnectionstatechange", "\"connected\"", ""),
        ("onconnectionstatechange", "\"connected\"", ""),
        ("onconnectionstatechange", "\"connected\"", ""),
    ]);
    assert!(connected.connected && connected.ice_connected.unwrap());
    assert_eq!(connected.connection_time, Some(40));
    assert_eq!(connected.ice_connection_time, Some(20));

    let unstarted = connection_of(&[
        ("onconnectionstatechange", "\"connected\"", ""),
        ("oniceconnectionstatechange", "\"completed\"", ""),
        ("onconnectionstatechange", "\"connecting\"", ""),
    ]);
    assert!(unstarted.connected);
    assert_eq!(unstarted.connection_time, None);
    assert!(!unstarted.ice_connected.unwrap(), "completed is not connected");
}

#[test]
fn an_ice_restart_is_followed_only_by_its_offer_and_then_an_answer() {
    let restart = ("createOffer", r#"{"iceRestart":true}"#, "\"2-0\"");
    let set_offer = ("setLocalDescription", OFFER, "\"6-0\"");
    let set_answer = ("setRemoteDescription", ANSWER, "\"8-0\"");

    let followed = connection_of(&[restart, set_offer, set_answer]);
    assert!(followed.ice_restart.unwrap() && followed.ice_restart_followed_by_set_remote_description.unwrap());
    let early = connection_of(&[set_offer, restart, set_answer]);
    assert!(early.ice_restart.unwrap() && !early.ice_restart_followed_by_set_remote_description.unwrap());
    let implicit = connection_of(&[restart, ("setLocalDescription", "null", "\"6-0\""), set_answer]);
    assert!(!implicit.ice_restart_followed_by_set_remote_description.unwrap());
    let asked_otherwise = connection_of(&[
        ("restartIce", "null", ""),
        ("createOffer", "null", "\"2-0\""),
        ("createOffer", r#"{"iceRestart":1}"#, "\"2-1\""),
        set_offer,
        set_answer,
    ]);
    assert!(!asked_otherwise.ice_restart.unwrap());
    assert!(!asked_otherwise.ice_restart_followed_by_set_remote_description.unwrap());
}

#[test]
fn ice_lite_is_a_line_of_a_remote_description() {
    let described = |sdp: &str| {
        let value = format!(r#"{{"type":"offer","sdp":"{sdp}"}}"#);
        connection_of(&[("setRemoteDescription", &value, "\"8-0\"")]).using_ice_lite.unwrap()
    };
    assert!(described(r"v=0\r\na=ice-lite\r\nm=audio 9 X 0\r\n"));
    assert!(described(r"v=0\na=ice-lite"));
    assert!(!described(r"v=0\r\na=x-ice-lite\r\n"));
    assert!(!described(r"v=0\r\ns=a=ice-lite\r\n"));
    let local = connection_of(&[("setLocalDescription", r#"{"type":"offer","sdp":"a=ice-lite"}"#, "\"6-0\"")]);
    assert!(!local.using_ice_lite.unwrap());
}

#[test]
fn ice_lite_is_found_in_a_description_whose_first_part_is_left_out() {
    let full = r#"{"type":"offer","sdp":"v=0\r\na=ice-lite\r\nm=audio 9 X 0\r\n"}"#;
    let delta = r#"{"type":"offer","sdp":"v=\r\nm=audio 9 X 0 1\r\n"}"#;
    let events = [
        ("setRemoteDescription", full, "\"8-0\""),
        ("setRemoteDescriptionOnSuccess", "null", "\"8-0\""),
        ("setRemoteDescription", delta, "\"8-1\""),
    ];
    assert!(connection_of(&events).using_ice_lite.unwrap());
}

#[test]
fn a_remote_description_that_only_its_outcome_knows_counts_like_any_other() {
    let lite = r#"{"type":"answer","sdp":"v=0\r\na=ice-lite\r\nm=audio 9\r\na=candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype passive\r\n"}"#;
    let features = connection_of(&[
        ("setLocalDescription", OFFER, r#""6-0""#),
        ("setRemoteDescription", "null", r#""8-0""#),
        ("setRemoteDescriptionOnSuccess", lite, r#""8-0""#),
    ]);
    assert_eq!(features.signaling_delay, Some(20));
    assert_eq!(features.set_remote_description_delay, Some(10));
    assert_eq!(features.set_remote_description_role.as_deref(), Some("answer"));
    assert!(features.using_ice_lite.unwrap());
    assert!(features.added_connectable_ice_tcp_candidate.unwrap());
}
