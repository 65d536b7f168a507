//! What is seen of video that is received.

use rtctrace_features::Rule;

use super::{Session, check};

/// A video whose counters of freezes are those of each second.
fn video(freezes: impl Fn(u64) -> (u64, f64)) -> Session {
    Session::new().polled(60, |second| {
        let (count, total) = freezes(second);
        format!(
            r#""R":{{"type":"inbound-rtp","kind":"video","mid":"1","trackIdentifier":"v","framesDecoded":{},"freezeCount":{count},"totalFreezesDuration":{total}}}"#,
            30 * second
        )
    })
}

/// A report of a video whose browser counts no freezes.
fn decoded(frames: u64, packets: u64) -> String {
    format!(
        r#""R":{{"type":"inbound-rtp","kind":"video","trackIdentifier":"v","packetsReceived":{packets},"framesDecoded":{frames}}}"#
    )
}

fn frames(of: impl Fn(u64) -> u64) -> Session {
    Session::new().polled(40, |second| decoded(of(second), 100 * second))
}

fn playing_until() -> Session {
    Session::new().polled(20, |second| decoded(30 * second, 100 * second))
}

/// Its picture stands for 8 s, and moves on.
fn still(session: Session) -> Session {
    let session = session.polled(8, |second| decoded(30 * 19, 2000 + 100 * second));
    awake(session)
}

fn awake(session: Session) -> Session {
    session.polled(12, |second| decoded(30 * (20 + second), 3000 + 100 * second))
}

fn without_packets() -> Session {
    awake(playing_until().polled(8, |_| decoded(30 * 19, 1900)))
}

#[test]
fn a_video_freezes() {
    let step = |second: u64, at: u64| u64::from(second >= at);
    check(
        "video-frozen",
        &[
            (
                "three times",
                video(|second| {
                    let [a, b, c] = [20, 25, 33].map(|at| step(second, at));
                    (a + b + c, 1.3 * a as f64 + 0.9 * b as f64 + 2.0 * c as f64)
                }),
                Some("Video froze 3 times, for 4.2 s in all, up to 2 s at once"),
            ),
            (
                "once",
                video(|second| (step(second, 20), 1.5 * step(second, 20) as f64)),
                Some("Video froze once, for 1.5 s in all"),
            ),
            ("a hitch", video(|second| (step(second, 20), 0.4 * step(second, 20) as f64)), None),
            ("before the first report", video(|_| (5, 20.0)), None),
            ("of a browser without these counters", still(playing_until()), Some("Video froze once, for 8 s in all")),
            ("which no packet reaches meanwhile", without_packets(), Some("Video froze once, for 8 s in all")),
            ("a short one", frames(|second| 30 * if second < 20 { second } else { second.max(24) - 4 }), None),
            (
                "of a screen that shows nothing new",
                frames(|second| if second < 20 { second } else { second.max(28) - 8 }),
                None,
            ),
            ("to its end, which another rule tells", frames(|second| 30 * second.min(20)), None),
            ("while it is muted", still(playing_until().event("MediaStreamTrack.onmute", r#""v""#)), None),
            (
                "while another is",
                still(playing_until().event("MediaStreamTrack.onmute", r#""w""#)),
                Some("Video froze once, for 8 s in all"),
            ),
            (
                "while it is on hold",
                still(playing_until().event("setRemoteDescription", r#"{"type":"offer","sdp":""},"8-1""#)),
                None,
            ),
            (
                "while its page is hidden",
                still(playing_until().page("document.onvisibilitychange", r#""hidden""#))
                    .page("document.onvisibilitychange", r#""visible""#),
                None,
            ),
            (
                "while its machine sleeps",
                awake(playing_until().wait(7000).page(":rtctrace.suspended", r#"{"duration":6500}"#)),
                None,
            ),
            (
                "a browser without these counters",
                Session::new().polled(20, |second| {
                    format!(r#""R":{{"type":"inbound-rtp","kind":"video","framesDecoded":{}}}"#, second)
                }),
                None,
            ),
        ],
    );
}

#[test]
fn a_finding_says_where_and_when_it_was() {
    let session = video(|second| (u64::from(second >= 20), if second >= 20 { 1.5 } else { 0.0 }));
    let found = session.findings();
    assert_eq!(found.len(), 1);
    let track = found[0].track.as_ref().unwrap();
    assert_eq!(
        (track.kind.as_deref(), track.direction, track.mid.as_deref()),
        (Some("video"), Some("inbound"), Some("1"))
    );
    assert_eq!((track.track_identifier.as_deref(), track.stats_id.as_deref()), (Some("v"), Some("R")));
    assert_eq!(found[0].connection.as_deref(), Some("PC_0"));
    let begin = super::BEGIN as i64;
    assert_eq!((found[0].begin.0, found[0].end.0), (begin + 18_500, begin + 20_000));
    assert_eq!(found[0].values_json(), r#"{"count":{"value":1,"unit":"1"},"total":{"value":1.5,"unit":"s"}}"#);
    assert_eq!((found[0].number("total"), found[0].text("path")), (Some(1.5), None));
    assert_eq!(Rule::of("video-frozen"), Some(found[0].rule));
    assert_eq!(Rule::of("video-unheard-of"), None);
    let json = serde_json::to_value(&found[0]).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "rule": "video-frozen", "severity": "warning", "connection": "PC_0",
            "track": {"kind": "video", "direction": "inbound", "mid": "1", "trackIdentifier": "v", "statsId": "R"},
            "begin": begin + 18_500, "end": begin + 20_000,
            "values": {"count": {"value": 1, "unit": "1"}, "total": {"value": 1.5, "unit": "s"}},
            "sentence": "Video froze once, for 1.5 s in all"
        })
    );
}

/// A video that receives, decodes, drops and so on, each of it so much a second.
fn playing(decoded: u64, members: impl Fn(u64) -> String) -> Session {
    Session::new().polled(30, |second| {
        format!(
            r#""R":{{"type":"inbound-rtp","kind":"video","packetsReceived":{},"framesReceived":{},"framesDecoded":{}{}}}"#,
            100 * second,
            30 * second,
            decoded * second,
            members(second)
        )
    })
}

fn nothing(_: u64) -> String {
    String::new()
}

#[test]
fn a_decoder_is_stuck() {
    let firefox = |packets: u64| {
        Session::new().polled(30, move |second| {
            format!(
                r#""R":{{"type":"inbound-rtp","kind":"video","packetsReceived":{},"framesDecoded":90}}"#,
                packets * second
            )
        })
    };
    check(
        "decoder-stuck",
        &[
            ("frames come", playing(0, nothing), Some("Video arrived and none of it was decoded for 29 s")),
            (
                "by one that shows nothing",
                playing(0, |_| r#","decoderImplementation":"NullVideoDecoder""#.to_owned()),
                Some("Video arrived and none of it was decoded for 29 s, by NullVideoDecoder"),
            ),
            ("for a moment", playing(0, nothing).until(9), None),
            ("it decodes", playing(30, nothing), None),
            ("packets come", firefox(100), Some("Video arrived and none of it was decoded for 29 s")),
            ("probes come", firefox(2), None),
        ],
    );
}

#[test]
fn key_frames_are_asked_for_in_vain() {
    let asked = |keys: u64| {
        playing(30, move |second| format!(r#","pliCount":{second},"keyFramesDecoded":{}"#, 1 + keys * second))
    };
    check(
        "repair-fails",
        &[
            ("none comes", asked(0), Some("29 key frames asked for in 29 s, and none came")),
            ("for a moment", asked(0).until(8), None),
            ("each is answered", asked(1), None),
            ("none is asked for", playing(30, |_| r#","pliCount":3,"keyFramesDecoded":1"#.to_owned()), None),
            ("a browser that does not tell", playing(30, |second| format!(r#","pliCount":{second}"#)), None),
        ],
    );
}

#[test]
fn a_decoder_does_not_keep_up() {
    let busy = |tenths: u64, dropped: u64| {
        playing(30, move |second| {
            format!(
                r#","totalDecodeTime":{},"framesDropped":{}"#,
                tenths as f64 / 10.0 * second as f64,
                dropped * second
            )
        })
    };
    check(
        "decoder-overloaded",
        &[
            (
                "busy, and drops",
                busy(9, 6),
                Some("The decoder was busy for up to 90% of the time and dropped 20% of the frames, for 29 s"),
            ),
            ("for a moment", busy(9, 6).until(8), None),
            ("busy in hardware", busy(15, 0), None),
            ("drops for another reason", busy(2, 6), None),
            ("a browser that does not tell", playing(30, |second| format!(r#","totalDecodeTime":{second}"#)), None),
        ],
    );
}

#[test]
fn a_picture_may_be_a_placeholder() {
    let sized =
        |width: u64, height: u64| playing(1, move |_| format!(r#","frameWidth":{width},"frameHeight":{height}"#));
    check(
        "video-blank",
        &[
            ("2 x 2", sized(2, 2), Some("Received video was 2 x 2 pixels for 29 s")),
            ("for a moment", sized(2, 2).until(8), None),
            ("a thumbnail", sized(160, 90), None),
            ("no size yet", sized(0, 0), None),
            ("Safari tells no size", playing(1, nothing), None),
        ],
    );
}
