//! Connections whose reports come a minute apart and without any event, as the SFU Sora pushes them: what counters prove is found, and what a
//! report a minute cannot tell is not.

use super::{Session, check};

/// What Sora tells of a connection, then reports a little more than a minute apart; `entries`: of the one of that number, from 0 on.
fn pushed(count: u64, entries: impl Fn(u64) -> String) -> Session {
    let session = Session::new().event(":sora.connection", r#"{"role":"sendrecv"}"#).wait(1000);
    (0..count).fold(session, |session, number| session.report(&entries(number)).wait(60_020))
}

/// The same of a client that tells its events, too.
fn traced(count: u64, entries: impl Fn(u64) -> String) -> Session {
    let session = Session::new().event("create", "{}").wait(1000);
    (0..count).fold(session, |session, number| session.report(&entries(number)).wait(60_020))
}

#[test]
fn losses_count() {
    let lossy = |lost: u64| {
        move |n: u64| {
            format!(
                r#""A":{{"type":"inbound-rtp","kind":"audio","packetsReceived":{},"packetsLost":{}}}"#,
                3000 * n,
                lost * n
            )
        }
    };
    check(
        "packet-loss",
        &[
            (
                "a tenth",
                pushed(3, lossy(333)),
                Some("Packet loss of received audio reached 10% at 22:14:21 UTC, 666 packets in all"),
            ),
            ("one of a hundred", pushed(3, lossy(30)), None),
        ],
    );
}

#[test]
fn freezes_count_and_only_of_one_it_is_known_how_long_it_was() {
    let frozen = |freezes: [u64; 3], seconds: [f64; 3]| {
        move |n: u64| {
            let at = n as usize;
            format!(
                r#""V":{{"type":"inbound-rtp","kind":"video","framesDecoded":{},"freezeCount":{},"totalFreezesDuration":{}}}"#,
                1800 * n,
                freezes[at],
                seconds[at]
            )
        }
    };
    check(
        "video-frozen",
        &[
            (
                "three times in a minute",
                pushed(3, frozen([0, 3, 3], [0.0, 6.0, 6.0])),
                Some("Video froze 3 times, for 6 s in all"),
            ),
            ("once", pushed(3, frozen([0, 1, 1], [0.0, 2.5, 2.5])), Some("Video froze once, for 2.5 s in all")),
            ("never", pushed(3, frozen([4, 4, 4], [9.0, 9.0, 9.0])), None),
        ],
    );
}

#[test]
fn samples_that_were_invented_count() {
    let audio = |concealed: u64| {
        move |n: u64| {
            format!(
                r#""A":{{"type":"inbound-rtp","kind":"audio","packetsReceived":{},"totalSamplesReceived":{},"concealedSamples":{},"silentConcealedSamples":0}}"#,
                3000 * n,
                2_880_000 * n,
                concealed * n
            )
        }
    };
    check(
        "audio-concealment",
        &[
            (
                "a tenth",
                pushed(2, audio(288_000)),
                Some("Received audio had gaps: 6 s were invented, 10% at 22:14:21 UTC"),
            ),
            ("one of a hundred", pushed(2, audio(28_800)), None),
        ],
    );
}

#[test]
fn of_minutes_that_one_report_lacks_as_much_is_known_and_of_longer_ones_nothing() {
    let audio = |n: u64| {
        format!(
            r#""A":{{"type":"inbound-rtp","kind":"audio","packetsReceived":{},"packetsLost":{}}}"#,
            3000 * n,
            1500 * n
        )
    };
    let apart = |millis: u64| {
        let session = pushed(3, |_| audio(0));
        session.wait(millis - 60_020).report(&audio(1))
    };
    check(
        "packet-loss",
        &[
            (
                "two minutes",
                apart(120_040),
                Some("Packet loss of received audio reached 33% at 22:17:21 UTC, 1500 packets in all"),
            ),
            ("three", apart(180_060), None),
        ],
    );
    // Where reports come each second, a minute without one is a page that slept.
    let slept = |session: Session| session.wait(90_000).report(&audio(1));
    let each_second = (0..10).fold(Session::new(), |session, _| session.report(&audio(0)).wait(1000));
    assert!(slept(each_second).sentences("packet-loss").is_empty());
}

#[test]
fn one_round_trip_in_a_minute_is_no_minute() {
    let pair = |times: [f64; 3]| {
        move |n: u64| {
            format!(
                r#""T":{{"type":"transport","selectedCandidatePairId":"P"}},"P":{{"type":"candidate-pair","currentRoundTripTime":{}}}"#,
                times[n as usize]
            )
        }
    };
    check(
        "round-trip-high",
        &[
            ("once", pushed(3, pair([0.1, 0.7, 0.1])), None),
            ("twice", pushed(3, pair([0.1, 0.7, 0.5])), Some("The round trip took up to 0.5 s, for 60 s")),
        ],
    );
}

#[test]
fn limits_that_are_told_by_a_reason_alone_need_both_ends() {
    let video = |reasons: [&'static str; 3]| {
        move |n: u64| {
            format!(
                r#""O":{{"type":"outbound-rtp","kind":"video","packetsSent":{n},"framesEncoded":{n},"qualityLimitationReason":"{}"}}"#,
                reasons[n as usize]
            )
        }
    };
    check(
        "cpu-limited",
        &[
            ("at one moment", pushed(3, video(["none", "cpu", "none"])), None),
            (
                "from one to the next",
                pushed(4, |n| video(["none", "cpu", "cpu"])(n.min(2))),
                Some("The processor limited the sent video for 2 min 0 s"),
            ),
        ],
    );
}

#[test]
fn what_the_page_does_is_not_known() {
    let hidden = |n: u64| {
        format!(
            r#""V":{{"type":"inbound-rtp","kind":"video","packetsReceived":{},"framesDecoded":{},"framesRendered":0}}"#,
            900 * n,
            300 * n
        )
    };
    check(
        "received-not-rendered",
        &[
            ("a page that may be hidden", pushed(3, hidden), None),
            ("one that would tell it", traced(3, hidden), Some("Received video was not played for 2 min 0 s")),
        ],
    );
    // It may have set a lower frame rate itself.
    let slow = |n: u64| {
        format!(
            r#""S":{{"type":"media-source","kind":"video","frames":{}}},"O":{{"type":"outbound-rtp","kind":"video","mediaSourceId":"S","framesEncoded":{},"packetsSent":{},"qualityLimitationReason":"none"}}"#,
            1800 * n,
            600 * n,
            900 * n
        )
    };
    check(
        "encoder-slow",
        &[
            ("no event", pushed(3, slow), None),
            ("no limit was set", traced(3, slow), Some("Only 10 frames/s of 30 frames/s were encoded, for 2 min 0 s")),
        ],
    );
    // It may have stopped to send it.
    let silent = |active: &'static str| {
        move |n: u64| {
            format!(
                r#""T":{{"type":"transport","dtlsState":"connected"}},"S":{{"type":"media-source","kind":"audio","totalSamplesDuration":{}}},"O":{{"type":"outbound-rtp","kind":"audio","mediaSourceId":"S","packetsSent":50{active}}}"#,
                60 * n
            )
        }
    };
    check(
        "no-media-sent",
        &[
            ("it does not say whether it is active", pushed(3, silent("")), None),
            (
                "it says that it is",
                pushed(3, silent(r#","active":true"#)),
                Some("No audio was sent for 2 min 0 s though its source was running"),
            ),
        ],
    );
}

#[test]
fn clocks_of_two_machines_do_not_jump() {
    let times = |session: Session| {
        let report = |session: Session, late: u64| {
            let own = super::BEGIN + session.now - late;
            session.event("getStats", &format!(r#"{{"A":{{"type":"inbound-rtp"}},"t":{own}}}"#)).wait(60_000)
        };
        [0, 9000, 0].into_iter().fold(session, report)
    };
    check(
        "clock-jump",
        &[
            ("a push that was long on its way", times(pushed(0, |_| String::new())), None),
            ("one machine", times(traced(0, |_| String::new())), Some("The clock jumped by 9 s, the most of 2 jumps")),
        ],
    );
}

#[test]
fn a_session_without_events_that_fares_well_has_no_finding() {
    let report = |n: u64| {
        format!(
        r#""T":{{"type":"transport","dtlsState":"connected","selectedCandidatePairId":"P"}},"P":{{"type":"candidate-pair","currentRoundTripTime":0.02}},
        "A":{{"type":"inbound-rtp","kind":"audio","packetsReceived":{0},"packetsLost":0,"totalSamplesReceived":{1},"concealedSamples":0,"jitterBufferDelay":{1},"jitterBufferEmittedCount":{1}0}},
        "S":{{"type":"media-source","kind":"audio","totalSamplesDuration":{2},"totalAudioEnergy":0}},
        "O":{{"type":"outbound-rtp","kind":"audio","mediaSourceId":"S","packetsSent":{0},"active":true}}"#,
        3000 * n, 2_880_000 * n, 60 * n
    ).replace('\n', "")
    };
    let session = pushed(10, report);
    assert_eq!(session.findings(), []);
}
