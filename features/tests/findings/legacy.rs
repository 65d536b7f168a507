//! Streams as browsers told them before there was a standard.

use super::{Session, check};

/// A connection on which one such entry counts on, `members` being those of a second.
fn counting(members: impl Fn(u64) -> String) -> Session {
    let session = Session::new().event("oniceconnectionstatechange", r#""connected""#);
    session.polled(30, |second| format!(r#""R":{{"type":"ssrc","googTrackId":"far",{}}}"#, members(second)))
}

fn received(kind: &str, packets: u64, lost: u64, more: &str) -> Session {
    let kind = kind.to_owned();
    let more = more.to_owned();
    counting(move |second| {
        format!(
            r#""mediaType":"{kind}","packetsReceived":"{}","packetsLost":"{}"{more}"#,
            packets * second,
            lost * second
        )
    })
}

fn sent(lost: u64) -> Session {
    counting(move |second| {
        format!(
            r#""mediaType":"video","packetsSent":"{}","packetsLost":"{}","googRtt":"20""#,
            50 * second,
            lost * second
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
                received("audio", 45, 5, ""),
                Some("Packet loss of received audio reached 10% at 22:13:25 UTC, 145 packets in all"),
            ),
            ("a little", received("audio", 49, 1, ""), None),
            ("sent", sent(5), Some("Packet loss of sent video reached 10% at 22:13:25 UTC, 145 packets in all")),
            ("none sent", sent(0), None),
        ],
    );
}

#[test]
fn nothing_ever_comes() {
    check(
        "never-received",
        &[
            ("not a packet", received("audio", 0, 0, ""), Some("Not one packet of 1 stream arrived in 29 s")),
            ("packets", received("audio", 50, 0, ""), None),
        ],
    );
}

#[test]
fn what_comes_is_not_seen() {
    check(
        "decoder-stuck",
        &[
            (
                "no frame is decoded",
                received("video", 100, 0, r#","framesDecoded":"7""#),
                Some("Video arrived and none of it was decoded for 29 s"),
            ),
            ("nothing is told of frames", received("video", 100, 0, ""), None),
        ],
    );
}

/// Who asks a browser for both is told each stream twice.
#[test]
fn a_stream_that_is_told_by_the_standard_too_counts_once() {
    let session = Session::new().polled(30, |second| {
        let (packets, lost) = (45 * second, 5 * second);
        format!(
            r#""A":{{"type":"ssrc","mediaType":"audio","packetsReceived":"{packets}","packetsLost":"{lost}"}},"B":{{"type":"inbound-rtp","kind":"audio","packetsReceived":{packets},"packetsLost":{lost}}}"#
        )
    });
    let found = session.findings();
    assert_eq!(found.len(), 1, "{found:?}");
}
