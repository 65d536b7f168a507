//! What all streams of a connection together tell.

use super::{BEGIN, Session, check};

/// An audio that is sent, and one that is received, so many packets of each a second.
fn audio(sent: u64, received: u64, dtls: &str) -> Session {
    Session::new().polled(30, |second| {
        format!(
            r#""T":{{"type":"transport","dtlsState":"{dtls}"}},"M":{{"type":"media-source","kind":"audio","totalSamplesDuration":{second}}},"S":{{"type":"outbound-rtp","kind":"audio","mediaSourceId":"M","packetsSent":{}}},"R":{{"type":"inbound-rtp","kind":"audio","packetsReceived":{}}}"#,
            sent * second,
            received * second
        )
    })
}

#[test]
fn nothing_ever_comes() {
    let late = Session::new().polled(30, |second| {
        let packets = 50 * second.saturating_sub(20);
        format!(
            r#""T":{{"type":"transport","dtlsState":"connected"}},"R":{{"type":"inbound-rtp","kind":"audio","packetsReceived":{packets}}}"#
        )
    });
    check(
        "never-received",
        &[
            ("of one stream", audio(50, 0, "connected"), Some("Not one packet of 1 stream arrived in 29 s")),
            ("for a moment", audio(50, 0, "connected").until(9), None),
            ("something comes", audio(50, 50, "connected"), None),
            ("it comes late", late, None),
            ("there is no connection", audio(0, 0, "connecting"), None),
            ("a connection that waits", audio(0, 0, "connected"), None),
            (
                "there are no streams",
                Session::new().polled(30, |_| r#""T":{"type":"transport","dtlsState":"connected"}"#.to_owned()),
                None,
            ),
        ],
    );
}

#[test]
fn a_connection_beside_one_that_receives_may_wait() {
    let unused = audio(50, 0, "connected");
    let beside = |used: &Session| {
        let mut both = used.clone();
        let lines = unused.lines.iter().map(|line| line.replace("PC_0", "PC_1").replace(&format!(",{BEGIN}]"), ",1]"));
        both.lines.extend(lines);
        both.sentences("never-received").len()
    };
    assert_eq!((beside(&unused), beside(&audio(50, 50, "connected"))), (2, 0));
}

#[test]
fn audio_goes_one_way() {
    check(
        "one-way-audio",
        &[
            ("out", audio(50, 0, "connected"), Some("Audio was sent for 29 s and never received")),
            ("in", audio(0, 50, "connected"), Some("Audio was received for 29 s and never sent")),
            ("for a moment", audio(50, 0, "connected").until(14), None),
            ("both ways", audio(50, 50, "connected"), None),
            ("neither", audio(0, 0, "connected"), None),
            (
                "who only sends",
                Session::new().polled(30, |second| {
                    format!(r#""S":{{"type":"outbound-rtp","kind":"audio","packetsSent":{}}}"#, 50 * second)
                }),
                None,
            ),
        ],
    );
}
