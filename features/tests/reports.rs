//! Connection features that need reports, formula by formula.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

mod common;

use common::{connection, features_of};
use rtctrace_features::ConnectionFeatures;

const CONNECTED: &str = r#"["onconnectionstatechange","PC_0","connected",1000]"#;

/// A line with a report at `t`, `delta` ms after the line before it.
fn report(entries: &str, t: u32, delta: u32) -> String {
    format!(r#"["getStats","PC_0",{{{entries},"t":{t}}},{delta}]"#)
}

fn of(lines: &[String]) -> ConnectionFeatures {
    connection(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

const PAIR: &str = r#""T":{"type":"transport","selectedCandidatePairId":"P"},"P":{"type":"candidate-pair","localCandidateId":"L","remoteCandidateId":"R"}"#;

#[test]
fn the_clock_skew_is_rounded_from_the_first_report_with_a_connection_entry() {
    let features = of(&[
        report(r#""A":{"type":"codec"}"#, 500, 1000),
        report(r#""B":{"type":"peer-connection","timestamp":1490.5}"#, 500, 500),
        report(r#""B":{"timestamp":1}"#, 500, 500),
    ]);
    assert_eq!(features.clock_skew, Some(10), "9.5 rounds up");
    let early = of(&[report(r#""B":{"type":"peer-connection","timestamp":1009.5}"#, 500, 1000)]);
    assert_eq!(early.clock_skew, Some(-9), "-9.5 rounds up too");
    assert_eq!(of(&[report(r#""A":{"type":"codec"}"#, 500, 1000)]).clock_skew, None);
}

#[test]
fn dtls_is_told_by_the_first_transport_that_has_a_version() {
    let features = of(&[
        report(r#""T":{"type":"transport","dtlsRole":"unknown"}"#, 1, 1000),
        report(r#""T":{"dtlsRole":"client","tlsVersion":"FEFD"},"U":{"type":"transport","tlsVersion":"FEFC"}"#, 2, 1),
        report(r#""T":{"dtlsRole":"server","tlsVersion":"0304","srtpCipher":"X"}"#, 3, 1),
    ]);
    assert_eq!(features.dtls_role.as_deref(), Some("client"));
    assert_eq!(features.dtls_version.as_deref(), Some("FEFD"));
    assert_eq!(features.srtp_cipher, None);
}

#[test]
fn the_first_pair_is_that_of_the_first_report_after_connected() {
    let local = |address: &str| {
        format!(
            r#""L":{{"type":"local-candidate","address":"{address}","candidateType":"relay","relayProtocol":"tls","url":"turns:s.example","networkType":"wifi","protocol":"udp","priority":41885695}}"#
        )
    };
    let remote = r#""R":{"type":"remote-candidate","address":"2001:db8::x","candidateType":"prflx"}"#;
    let features = of(&[
        r#"["create","PC_0",null,900]"#.to_owned(),
        report(&format!("{PAIR},{},{remote}", local("192.0.2.1")), 1, 10),
        CONNECTED.to_owned(),
        report(r#""T":{"selectedCandidatePairId":""}"#, 1, 10),
        report(&format!(r#""T":{{"selectedCandidatePairId":"P"}},{}"#, local("192.0.2.2")), 2, 10),
        report(&local("192.0.2.3"), 3, 10),
    ]);
    assert_eq!(features.first_candidate_pair_local_address.as_deref(), Some("192.0.2.2"));
    assert_eq!(features.first_candidate_pair_local_network_type.as_deref(), Some("wifi"));
    assert_eq!(features.first_candidate_pair_local_protocol.as_deref(), Some("udp"));
    assert_eq!(features.first_candidate_pair_local_relay_protocol.as_deref(), Some("tls"));
    assert_eq!(features.first_candidate_pair_local_relay_url.as_deref(), Some("turns:s.example"));
    assert_eq!(features.first_candidate_pair_local_type.as_deref(), Some("relay"));
    assert_eq!(features.first_candidate_pair_local_type_preference, Some(2));
    assert_eq!(features.first_candidate_pair_remote_address.as_deref(), Some("2001:db8::x"));
    assert_eq!(features.first_candidate_pair_remote_type.as_deref(), Some("prflx"));
}

#[test]
fn the_type_preference_is_a_signed_byte_as_in_javascript() {
    let preference = |priority: &str| {
        let local = format!(r#""L":{{"type":"local-candidate"{priority}}}"#);
        of(&[CONNECTED.to_owned(), report(&format!("{PAIR},{local}"), 1, 1)]).first_candidate_pair_local_type_preference
    };
    assert_eq!(preference(r#","priority":2122265343"#), Some(126));
    assert_eq!(preference(r#","priority":4294967295"#), Some(-1));
    assert_eq!(preference(r#","priority":4294967296"#), Some(0));
    assert_eq!(preference(r#","priority":-1"#), Some(-1));
    assert_eq!(preference(""), Some(0));
    assert_eq!(preference(r#","priority":"high""#), Some(0));
}

#[test]
fn missing_candidates_and_a_missing_pair_cost_only_themselves() {
    let remote = r#""R":{"type":"remote-candidate","address":"192.0.2.x"}"#;
    let features = of(&[CONNECTED.to_owned(), report(&format!("{PAIR},{remote}"), 1, 1)]);
    assert_eq!(features.first_candidate_pair_local_type_preference, None);
    assert_eq!(features.first_candidate_pair_remote_address.as_deref(), Some("192.0.2.x"));
    assert!(features.connected);

    let nowhere = r#""T":{"type":"transport","selectedCandidatePairId":"gone","bytesSent":1,"bytesReceived":1}"#;
    let features = of(&[CONNECTED.to_owned(), report(nowhere, 1, 1), report(&format!("{PAIR},{remote}"), 2, 1)]);
    assert_eq!(features.first_candidate_pair_remote_address.as_deref(), Some("192.0.2.x"));
    assert_eq!(features.average_outbound_bitrate, None);
}

#[test]
fn the_round_trip_time_is_averaged_over_the_last_counters_of_every_selected_pair() {
    let transport = |pair: &str| format!(r#""T":{{"type":"transport","selectedCandidatePairId":"{pair}"}}"#);
    let pair = |id: &str, time: f64, responses: u32| {
        format!(r#""{id}":{{"type":"candidate-pair","totalRoundTripTime":{time},"responsesReceived":{responses}}}"#)
    };
    let features = of(&[
        report(&format!("{},{},{}", transport("P"), pair("P", 1.0, 1), pair("Q", 50.0, 1)), 1, 1000),
        report(&pair("P", 3.0, 4), 2, 1),
        report(&format!("{},{}", transport("Q"), pair("Q", 7.0, 1)), 3, 1),
        report(&pair("P", 100.0, 100), 4, 1),
    ]);
    assert_eq!(features.average_stun_round_trip_time, Some(2.0));
    let silent = of(&[report(&format!("{},{}", transport("P"), pair("P", 1.0, 0)), 1, 1000)]);
    assert_eq!(silent.average_stun_round_trip_time, None);
    let missing =
        of(&[report(&format!(r#"{},"P":{{"type":"candidate-pair","responsesReceived":2}}"#, transport("P")), 1, 1000)]);
    assert_eq!(missing.average_stun_round_trip_time, Some(0.0));
}

#[test]
fn bitrates_run_from_the_first_report_with_traffic_both_ways_to_the_last() {
    let bytes = |sent: u64, received: u64| {
        format!(
            r#""T":{{"type":"transport","selectedCandidatePairId":"P","bytesSent":{sent},"bytesReceived":{received}}},"P":{{"type":"candidate-pair"}}"#
        )
    };
    let first = [report(&bytes(500, 0), 1, 1000), report(&bytes(1000, 100), 2, 1000)];
    assert_eq!(of(&first).average_outbound_bitrate, None, "one report has no duration");
    let all = [&first[..], &[report(&bytes(2000, 350), 3, 1000), report(&bytes(3000, 600), 4, 1000)]].concat();
    let features = of(&all);
    assert_eq!(features.average_outbound_bitrate, Some(8000.0));
    assert_eq!(features.average_inbound_bitrate, Some(2000.0));
    // Above 2^32, as a counter of 32 bits would not have it.
    let large = of(&[report(&bytes(1, 1), 1, 1000), report(&bytes(10_000_000_001, 1), 2, 1000)]);
    assert_eq!(large.average_outbound_bitrate, Some(80_000_000_000.0));
    let lost = [all, vec![report(r#""T":{"bytesSent":null}"#, 5, 1000)]].concat();
    assert_eq!(of(&lost).average_outbound_bitrate, None, "a difference that would be NaN");
    assert!(of(&lost).average_inbound_bitrate.is_some());
}

#[test]
fn locations_come_from_annotated_candidates_before_the_first_report() {
    let candidate = |method: &str, address: &str, city: &str| {
        format!(
            r#"["{method}","PC_0",{{"candidate":"candidate:1 1 udp 1 {address} 9 typ relay"}},{{"rtcstatsLocation":{{"continent":"Europe","city":"{city}"}}}},"10-0",10]"#
        )
    };
    let candidates =
        r#""L":{"type":"local-candidate","address":"192.0.2.1"},"R":{"type":"remote-candidate","address":"192.0.2.9"}"#;
    let lines = [
        candidate("onicecandidate", "192.0.2.1", "Gent"),
        candidate("onicecandidate", "192.0.2.1", "Brugge"),
        candidate("onicecandidate", "192.0.2.2", "Oslo"),
        candidate("addIceCandidate", "192.0.2.8", "Lyon"),
        candidate("addIceCandidate", "192.0.2.9", "Nice"),
        r#"["onicecandidate","PC_0",null,{"rtcstatsLocation":null},10]"#.to_owned(),
        report(&format!("{PAIR},{candidates}"), 1, 10),
        candidate("onicecandidate", "192.0.2.3", "Turku"),
    ];
    let features = of(&lines);
    assert_eq!(features.rtcstats_location_city.as_deref(), Some("Gent"));
    assert_eq!(features.rtcstats_location_continent.as_deref(), Some("Europe"));
    assert_eq!(features.rtcstats_location_country, None);
    assert_eq!(features.rtcstats_peer_location_city.as_deref(), Some("Nice"));
    assert_eq!(features.rtcstats_relay_location_city.as_deref(), Some("Oslo"));
}

#[test]
fn only_the_first_report_is_asked_for_the_locations_pair() {
    let lines = [
        r#"["onicecandidate","PC_0",{"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host"},{"rtcstatsLocation":{"city":"Gent"}},10]"#.to_owned(),
        report(r#""A":{"type":"codec"}"#, 1, 10),
        report(&format!(r#"{PAIR},"L":{{"type":"local-candidate","address":"192.0.2.1"}}"#), 2, 10),
    ];
    let features = of(&lines);
    assert_eq!(features.rtcstats_location_city, None);
    assert_eq!(features.rtcstats_relay_location_city.as_deref(), Some("Gent"));
}

/// A connection whose entry `late` is first in a report `at` ms after the connection's start, and in `times` reports.
fn truncated(at: u32, times: usize) -> bool {
    let mut lines = vec![r#"["create","PC_0",null,1000]"#.to_owned(), report(r#""early":{"type":"codec"}"#, 1, 0)];
    lines.push(report(r#""late":{"type":"inbound-rtp"}"#, 1, at));
    lines.extend((1..times).map(|_| report(r#""early":{"clockRate":1}"#, 1, 1000)));
    lines.push(report(r#""late":null"#, 1, 1000));
    lines.extend((0..10).map(|_| report(r#""early":{"clockRate":1}"#, 1, 1000)));
    features_of(lines.iter().map(String::as_str)).connections[0].stats_truncated
}

#[test]
fn an_entry_that_came_late_and_is_in_exactly_a_thousand_reports_was_truncated() {
    assert!(truncated(60_001, 1000));
    assert!(!truncated(60_000, 1000));
    assert!(!truncated(60_001, 999));
    assert!(!truncated(60_001, 1001));
}
