//! Packets that were lost.

use super::{Session, check};

/// A stream that is received, of which so many packets of 50 each second are lost from the tenth second to the twentieth.
fn received(lost: u64, kind: &str) -> Session {
    Session::new().polled(40, |second| {
        let gone = lost * second.clamp(10, 20).saturating_sub(10);
        let received = 50 * second - gone;
        format!(r#""R":{{"type":"inbound-rtp","kind":"{kind}","packetsReceived":{received},"packetsLost":{gone}}}"#)
    })
}

fn sent(lost: u64) -> Session {
    Session::new().polled(40, |second| {
        let gone = lost * second.clamp(10, 20).saturating_sub(10);
        format!(
            r#""S":{{"type":"outbound-rtp","kind":"video","packetsSent":{}}},"F":{{"type":"remote-inbound-rtp","localId":"S","packetsLost":{gone}}}"#,
            50 * second
        )
    })
}

#[test]
fn losses_of_either_direction() {
    check(
        "packet-loss",
        &[
            (
                "received",
                received(9, "audio"),
                Some("Packet loss of received audio reached 18% at 22:13:31 UTC, 90 packets in all"),
            ),
            ("a little", received(1, "audio"), None),
            ("sent", sent(5), Some("Packet loss of sent video reached 10% at 22:13:35 UTC, 50 packets in all")),
            ("none sent", sent(0), None),
            (
                "no counter of losses",
                Session::new().polled(20, |second| {
                    format!(r#""R":{{"type":"inbound-rtp","kind":"audio","packetsReceived":{}}}"#, 50 * second)
                }),
                None,
            ),
        ],
    );
}

/// As a reader of the graph sees them: each second's share, and all of them, wherever the windows of the rule begin and end.
#[test]
fn the_peak_and_the_total_are_those_of_all_reports() {
    let lossy = |of: fn(u64) -> u64| {
        let (mut gone, mut received) = (0, 0);
        let entries: Vec<_> = (0..40)
            .map(|second| {
                gone += of(second);
                received += 100;
                format!(
                    r#""R":{{"type":"inbound-rtp","kind":"video","packetsReceived":{received},"packetsLost":{gone}}}"#
                )
            })
            .collect();
        Session::new().polled(40, |second| entries[second as usize].clone())
    };
    // One second of the first window, four of the next one, and one of the last.
    let session = lossy(|second| if (15..=21).contains(&second) { if second == 18 { 60 } else { 20 } } else { 0 });
    let found = session.findings();
    let found: Vec<_> = found.iter().filter(|finding| finding.rule.id == "packet-loss").collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].sentence(), "Packet loss of received video reached 38% at 22:13:38 UTC, 180 packets in all");
    let begin = super::BEGIN as i64;
    assert_eq!((found[0].begin.0, found[0].end.0), (begin + 14_000, begin + 21_000));
    let session = lossy(|second| if second == 17 || second == 29 { 60 } else { u64::from(second > 12) });
    assert_eq!(
        session.sentences("packet-loss"),
        ["Packet loss of received video reached 38% at 22:13:37 UTC, 141 packets in all"]
    );
}

#[test]
fn the_path_is_told_where_it_is_known() {
    let pair = r#""T":{"type":"transport","selectedCandidatePairId":"P"},"P":{"type":"candidate-pair","localCandidateId":"L","remoteCandidateId":"M"},"L":{"type":"local-candidate","candidateType":"relay","relayProtocol":"tcp"},"M":{"type":"remote-candidate","candidateType":"host"}"#;
    let session = Session::new().polled(12, |second| {
        let lost = 5 * second;
        format!(
            r#"{pair},"R":{{"type":"inbound-rtp","kind":"audio","packetsReceived":{},"packetsLost":{lost}}}"#,
            50 * second
        )
    });
    let found = session.sentences("packet-loss");
    assert_eq!(
        found,
        ["Packet loss of received audio reached 9.1% at 22:13:21 UTC, 55 packets in all, on relay over TCP"]
    );
}

#[test]
fn what_is_told_of_another_stream_is_none_of_one_that_is_gone() {
    let of = |stream: &str, far_end: &str, sent: u64, lost: u64| {
        format!(
            r#""{stream}":{{"type":"outbound-rtp","kind":"video","packetsSent":{sent}}},"{far_end}":{{"type":"remote-inbound-rtp","localId":"{stream}","packetsLost":{lost}}}"#
        )
    };
    let session = Session::new().polled(9, |second| of("S", "F", 50 * second, 0));
    let session = session.report(&format!(r#""S":null,"F":null,{}"#, of("A", "B", 10_000, 5000))).wait(1000);
    let session = session.polled(9, |second| of("A", "B", 10_000 + 50 * second, 5000));
    assert_eq!(session.findings(), []);
}
