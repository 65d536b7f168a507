//! The way that packets take.

use super::{Session, check};

/// Reports of a pair with a round trip time, and a local candidate, for each second.
fn pair(of: impl Fn(u64) -> (f64, &'static str, u64)) -> Session {
    Session::new().polled(40, |second| {
        let (round_trip, local, changes) = of(second);
        format!(
            r#""T":{{"type":"transport","selectedCandidatePairId":"P","selectedCandidatePairChanges":{changes}}},"P":{{"type":"candidate-pair","localCandidateId":"L","currentRoundTripTime":{round_trip}}},"L":{{"type":"local-candidate",{local}}}"#
        )
    })
}

const HOST: &str = r#""candidateType":"host""#;
const UDP: &str = r#""candidateType":"relay","relayProtocol":"udp""#;
const TCP: &str = r#""candidateType":"relay","relayProtocol":"tcp""#;
const TLS: &str = r#""candidateType":"relay","relayProtocol":"tls""#;

#[test]
fn the_way_is_long() {
    check(
        "round-trip-high",
        &[
            (
                "all the time",
                pair(|_| (0.6, UDP, 1)),
                Some("The round trip took up to 0.6 s, for 39 s, on relay over UDP"),
            ),
            ("short", pair(|_| (0.1, UDP, 1)), None),
            ("long for a moment", pair(|second| (if second < 6 { 0.6 } else { 0.1 }, HOST, 1)), None),
        ],
    );
}

#[test]
fn media_goes_over_tcp() {
    check(
        "relay-over-tcp",
        &[
            ("TCP", pair(|_| (0.1, TCP, 1)), Some("Media was on relay over TCP for 39 s")),
            ("TLS", pair(|_| (0.1, TLS, 1)), Some("Media was on relay over TLS for 39 s")),
            ("for a moment", pair(|second| (0.1, if second < 6 { TCP } else { UDP }, 1)), None),
            ("UDP", pair(|_| (0.1, UDP, 1)), None),
            ("direct", pair(|_| (0.1, HOST, 1)), None),
            ("a relay by an unknown protocol", pair(|_| (0.1, r#""candidateType":"relay""#, 1)), None),
        ],
    );
}

#[test]
fn the_path_changes() {
    let without_counter = |later: &'static str| {
        Session::new().polled(40, move |second| {
            let local = if second < 20 { HOST } else { later };
            format!(
                r#""T":{{"type":"transport","selectedCandidatePairId":"P"}},"P":{{"type":"candidate-pair","localCandidateId":"L"}},"L":{{"type":"local-candidate",{local}}}"#
            )
        })
    };
    check(
        "path-changed",
        &[
            (
                "to a relay",
                pair(|second| if second < 20 { (0.1, HOST, 1) } else { (0.1, UDP, 2) }),
                Some("The path changed once, now on relay over UDP"),
            ),
            (
                "to another of the same kind",
                pair(|second| (0.1, HOST, if second < 20 { 1 } else { 2 })),
                Some("The path changed once, now on a direct path"),
            ),
            ("while it settles", pair(|second| (0.1, HOST, second.min(9))), None),
            ("never", pair(|_| (0.1, HOST, 1)), None),
            (
                "of a browser that does not count",
                without_counter(TCP),
                Some("The path changed once, now on relay over TCP"),
            ),
            ("of one that does not count, never", without_counter(r#""candidateType":"prflx""#), None),
        ],
    );
}
