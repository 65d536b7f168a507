//! Whether what is received comes, and in time.

use super::{Session, check};

/// An audio that comes until the tenth second, with what is told beside it.
fn audio(of: impl Fn(u64) -> String) -> Session {
    Session::new().polled(40, of)
}

#[test]
fn what_is_sent_and_does_not_come_is_missed() {
    let stream = |second: u64| {
        format!(r#""R":{{"type":"inbound-rtp","kind":"audio","mid":"0","packetsReceived":{}}}"#, 50 * second.min(10))
    };
    let sender = |sent: u64| format!(r#","F":{{"type":"remote-outbound-rtp","localId":"R","packetsSent":{sent}}}"#);
    check(
        "no-media-received",
        &[
            (
                "the sender goes on",
                audio(|second| stream(second) + &sender(50 * second)),
                Some("No audio arrived for 29 s, though the other side says that it sent"),
            ),
            ("for a moment", audio(|second| stream(second) + &sender(50 * second)).until(18), None),
            ("the sender stops", audio(|second| stream(second) + &sender(50 * second.min(10))), None),
            ("nobody tells of the sender", audio(stream), None),
            (
                "it comes",
                audio(|second| {
                    format!(r#""R":{{"type":"inbound-rtp","kind":"audio","packetsReceived":{}}}"#, 50 * second)
                        + &sender(50 * second)
                }),
                None,
            ),
        ],
    );
}

#[test]
fn a_deep_jitter_buffer_is_told_by_what_the_network_asks_for() {
    let stream = |kind: &str, members: &str, second: u64| {
        let emitted = 100 * second;
        format!(r#""R":{{"type":"inbound-rtp","kind":"{kind}","jitterBufferEmittedCount":{emitted},{members}}}"#)
    };
    let waited = |kind: &'static str, delay: u64| {
        audio(move |second| {
            stream(kind, &format!(r#""jitterBufferDelay":{}"#, delay as f64 / 10.0 * second as f64), second)
        })
    };
    check(
        "jitter-buffer-stress",
        &[
            ("audio", waited("audio", 300), Some("Received audio waited up to 0.3 s in the jitter buffer, for 39 s")),
            ("for a moment", waited("audio", 300).until(9), None),
            ("shallow audio", waited("audio", 80), None),
            ("video may be deeper", waited("video", 300), None),
            (
                "the page asks for a deep one",
                audio(|second| {
                    let members =
                        format!(r#""jitterBufferDelay":{},"jitterBufferMinimumDelay":{}"#, 100 * second, 4 * second);
                    stream("audio", &members, second)
                }),
                None,
            ),
        ],
    );
}

#[test]
fn what_comes_may_not_be_played() {
    let audio_of = |samples: u64| {
        audio(move |second| {
            format!(
                r#""R":{{"type":"inbound-rtp","kind":"audio","packetsReceived":{},"totalSamplesReceived":{}}}"#,
                50 * second,
                samples * second
            )
        })
    };
    let video = |members: fn(u64) -> String| {
        move |second: u64| {
            format!(r#""R":{{"type":"inbound-rtp","kind":"video","framesDecoded":{}{}}}"#, 30 * second, members(second))
        }
    };
    let hidden = Session::new().page("document.onvisibilitychange", r#""hidden""#);
    let still = video(|_| r#","framesRendered":0"#.to_owned());
    check(
        "received-not-rendered",
        &[
            ("audio", audio_of(0), Some("Received audio was not played for 39 s")),
            ("for a moment", audio_of(0).until(9), None),
            ("audio that is played", audio_of(48_000), None),
            ("video", audio(still), Some("Received video was not played for 39 s")),
            ("video of a hidden page", hidden.polled(40, still), None),
            ("a browser that does not tell", audio(video(|_| String::new())), None),
        ],
    );
}
