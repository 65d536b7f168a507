//! Configuration and candidate features of a connection, formula by formula.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

mod common;

use common::connection;
use rtctrace_features::ConnectionFeatures;

fn created(configuration: &str) -> ConnectionFeatures {
    connection(&[&format!(r#"["create","PC_0",{configuration},1000]"#)])
}

/// A connection with one event that carries a candidate.
fn with_candidate(method: &str, candidate: &str) -> ConnectionFeatures {
    connection(&[&format!(r#"["{method}","PC_0",{{"candidate":"{candidate}","sdpMid":"0"}},1000]"#)])
}

#[test]
fn without_ice_servers_nothing_is_said_about_them() {
    for configuration in
        ["null", "{}", r#"{"iceServers":null,"iceTransportPolicy":"relay"}"#, r#"{"iceServers":"stun:x"}"#]
    {
        let features = created(configuration);
        assert_eq!(features.configured_ice_servers, None, "{configuration}");
        assert_eq!(features.configured_ice_transport_policy, None);
    }
    let empty = created(r#"{"iceServers":[]}"#);
    assert_eq!(empty.configured_ice_servers, Some(0));
    assert_eq!(empty.configured_ice_transport_policy, Some(false));
    assert_eq!(empty.configured_ice_servers_stun, None);
}

#[test]
fn urls_are_told_by_scheme_and_written_transport() {
    let of = |urls: &str| {
        let features = created(&format!(r#"{{"iceServers":[{{"urls":{urls}}}]}}"#));
        assert_eq!(features.configured_ice_servers, Some(1));
        [
            features.configured_ice_servers_stun,
            features.configured_ice_servers_turns,
            features.configured_ice_servers_turn_udp,
            features.configured_ice_servers_turn_tcp,
        ]
    };
    let (yes, no) = (Some(true), None);
    assert_eq!(of(r#""stun:s.example""#), [yes, no, no, no]);
    assert_eq!(of(r#""stuns:s.example""#), [no, no, no, no]);
    assert_eq!(of(r#""turns:s.example?transport=tcp""#), [no, yes, no, no]);
    assert_eq!(of(r#""turn:s.example""#), [no, no, no, no]);
    assert_eq!(of(r#""turn:s.example?transport=udp""#), [no, no, yes, no]);
    assert_eq!(of(r#"["turn:s.example:3478?transport=tcp","stun:s.example"]"#), [yes, no, no, yes]);
    assert_eq!(of(r#""turn:s.example?transport=udp&x""#), [no, no, no, no]);
    assert_eq!(of(r#"[null,7,{"a":1}]"#), [no, no, no, no]);
    assert_eq!(of("null"), [no, no, no, no]);
}

#[test]
fn the_old_url_member_is_ignored() {
    assert_eq!(created(r#"{"iceServers":[{"url":"stun:s.example"}]}"#).configured_ice_servers_stun, None);
}

#[test]
fn the_first_create_is_the_configuration() {
    let features = connection(&[
        r#"["create","PC_0",null,1000]"#,
        r#"["create","PC_0",{"iceServers":[]},1]"#,
        r#"["setConfiguration","PC_0",{"iceServers":[]},1]"#,
    ]);
    assert_eq!(features.configured_ice_servers, None);
}

#[test]
fn policies_need_no_ice_servers() {
    let features = created(r#"{"bundlePolicy":"max-compat","alwaysNegotiateDataChannels":false}"#);
    assert_eq!(features.configured_bundle_policy.as_deref(), Some("max-compat"));
    assert_eq!(features.configured_always_negotiate_data_channels, Some(false));
    let relayed = created(r#"{"iceServers":[{}],"iceTransportPolicy":"relay"}"#);
    assert_eq!(relayed.configured_ice_transport_policy, Some(true));
}

#[test]
fn candidates_are_told_by_type_and_side() {
    let line = |kind: &str| format!("candidate:1 1 udp 2122260223 192.0.2.x 50000 typ {kind}");
    let gathered = |kind: &str| {
        let features = with_candidate("onicecandidate", &line(kind));
        assert!(
            !features.added_host_candidate.unwrap()
                && !features.added_srflx_candidate.unwrap()
                && !features.added_turn_candidate.unwrap()
        );
        [
            features.gathered_host_candidate.unwrap(),
            features.gathered_srflx_candidate.unwrap(),
            features.gathered_turn_candidate.unwrap(),
        ]
    };
    let added = |kind: &str| {
        let features = with_candidate("addIceCandidate", &line(kind));
        assert!(!features.gathered_host_candidate.unwrap() && !features.gathered_turn_candidate.unwrap());
        [
            features.added_host_candidate.unwrap(),
            features.added_srflx_candidate.unwrap(),
            features.added_turn_candidate.unwrap(),
        ]
    };
    for (kind, expected) in [
        ("host", [true, false, false]),
        ("srflx", [false, true, false]),
        ("relay", [false, false, true]),
        ("prflx", [false, false, false]),
    ] {
        assert_eq!(gathered(kind), expected);
        assert_eq!(added(kind), expected);
    }
}

#[test]
fn an_mdns_candidate_is_a_host_candidate_with_a_local_name() {
    let line = "candidate:1 1 udp 1 6f2f9d4e-0000-4000-8000-000000000000.local 9 typ host";
    assert!(with_candidate("onicecandidate", line).gathered_mdns_candidate.unwrap());
    assert!(with_candidate("addIceCandidate", line).added_mdns_candidate.unwrap());
    let relay = line.replace("host", "relay");
    assert!(!with_candidate("addIceCandidate", &relay).added_mdns_candidate.unwrap());
}

#[test]
fn only_null_ends_the_candidates() {
    let added = |value: &str| connection(&[&format!(r#"["addIceCandidate","PC_0",{value},"10-0",1000]"#)]);
    assert!(added("null").added_null_candidate.unwrap());
    assert!(!added(r#"{"candidate":"","sdpMid":"0"}"#).added_null_candidate.unwrap());
    assert!(!added("{}").added_null_candidate.unwrap());
    let gathered = connection(&[r#"["onicecandidate","PC_0",null,1000]"#]);
    assert!(!gathered.added_null_candidate.unwrap());
}

#[test]
fn candidates_that_cannot_be_parsed_are_passed_over() {
    for candidate in [r#""candidate:bogus""#, r#""""#, "7", "null", "{}", r#""candidate:1 1""#] {
        let line = format!(r#"["addIceCandidate","PC_0",{{"candidate":{candidate}}},"10-0",1000]"#);
        let features = connection(&[
            &line,
            r#"["addIceCandidate","PC_0",{"candidate":"candidate:1 1 udp 1 h.local 9 typ host"},"10-1",1]"#,
        ]);
        assert!(features.added_mdns_candidate.unwrap(), "after {candidate}");
        assert!(!features.added_null_candidate.unwrap());
    }
}

#[test]
fn a_passive_tcp_candidate_counts_when_added_or_described_by_the_peer() {
    let passive = "candidate:1 1 tcp 1518280447 192.0.2.x 4433 typ host tcptype passive";
    let active = "candidate:1 1 tcp 1518280447 192.0.2.x 9 typ host tcptype active";
    assert!(with_candidate("addIceCandidate", passive).added_connectable_ice_tcp_candidate.unwrap());
    assert!(!with_candidate("addIceCandidate", active).added_connectable_ice_tcp_candidate.unwrap());
    assert!(!with_candidate("onicecandidate", passive).added_connectable_ice_tcp_candidate.unwrap());

    let described = |method: &str, candidate: &str| {
        let sdp = format!(r"v=0\r\nm=audio 9 X 0\r\na=candidate:bogus\r\na={candidate}\r\n");
        connection(&[&format!(r#"["{method}","PC_0",{{"type":"offer","sdp":"{sdp}"}},"8-0",1000]"#)])
    };
    assert!(described("setRemoteDescription", passive).added_connectable_ice_tcp_candidate.unwrap());
    assert!(!described("setRemoteDescription", active).added_connectable_ice_tcp_candidate.unwrap());
    assert!(!described("setLocalDescription", passive).added_connectable_ice_tcp_candidate.unwrap());
    let features = described("setRemoteDescription", passive);
    assert!(!features.added_host_candidate.unwrap(), "what a description holds was not added");
}

#[test]
fn relay_gathering_is_timed_from_the_latest_start_until_it_is_complete() {
    let relay = |protocol: &str, delta: u32| {
        format!(r#"["onicecandidate","PC_0",{{"candidate":"x","relayProtocol":"{protocol}"}},{delta}]"#)
    };
    let state = |state: &str, delta: u32| format!(r#"["onicegatheringstatechange","PC_0","{state}",{delta}]"#);
    let lines = [
        relay("tls", 1000),
        state("gathering", 10),
        state("gathering", 10),
        relay("udp", 5),
        relay("udp", 5),
        relay("tcp", 5),
        state("complete", 5),
        state("gathering", 5),
        relay("tls", 5),
    ];
    let features = connection(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(features.gathering_time_turn_udp, Some(5));
    assert_eq!(features.gathering_time_turn_tcp, Some(15));
    assert_eq!(features.gathering_time_turn_tls, None, "before the start or after the first completion");
}
