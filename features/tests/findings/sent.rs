//! What the encoder makes of its source, and what becomes of it.

use super::{Session, check};

/// A camera of 30 frames a second, and what is sent of it: members for each second.
fn sent(seconds: u64, members: impl Fn(u64) -> String) -> Session {
    Session::new().polled(seconds, |second| format!("{},{}", source(second), stream("S", &members(second))))
}

fn source(second: u64) -> String {
    format!(r#""M":{{"type":"media-source","kind":"video","trackIdentifier":"v","frames":{}}}"#, 30 * second)
}

fn stream(id: &str, members: &str) -> String {
    format!(r#""{id}":{{"type":"outbound-rtp","kind":"video","mid":"1","mediaSourceId":"M",{members}}}"#)
}

#[test]
fn a_source_that_runs_is_sent() {
    let dry = |active: &'static str| sent(30, move |second| format!(r#""packetsSent":{}{active}"#, 50 * second.min(5)));
    let microphone = |dtls: &'static str| {
        Session::new().polled(30, move |second| {
            format!(
                r#""T":{{"type":"transport","dtlsState":"{dtls}"}},"M":{{"type":"media-source","kind":"audio","totalSamplesDuration":{second}}},"S":{{"type":"outbound-rtp","kind":"audio","mediaSourceId":"M","packetsSent":0}}"#
            )
        })
    };
    let held = |method: &str, direction: &str| {
        let sdp = format!(r"v=0\r\nm=audio 9 X 0\r\na=mid:0\r\nm=video 9 X 0\r\na=mid:1\r\na={direction}\r\n");
        let session = Session::new().event(method, &format!(r#"{{"type":"answer","sdp":"{sdp}"}},"8-0""#));
        session.polled(30, |second| {
            format!("{},{}", source(second), stream("S", &format!(r#""packetsSent":{}"#, 50 * second.min(5))))
        })
    };
    let gone = Session::new().polled(30, |second| {
        format!(r#""S":{{"type":"outbound-rtp","kind":"video","packetsSent":{}}}"#, second.min(5))
    });
    let layers = Session::new().polled(30, |second| {
        let layer = |rid: &str| stream(rid, &format!(r#""rid":"{rid}","packetsSent":{}"#, 50 * second.min(5)));
        format!("{},{},{}", source(second), layer("l"), layer("h"))
    });
    check(
        "no-media-sent",
        &[
            (
                "all layers of simulcast, as one",
                layers,
                Some("No video was sent for 24 s though its source was running"),
            ),
            ("from the fifth second on", dry(""), Some("No video was sent for 24 s though its source was running")),
            ("a microphone", microphone("connected"), Some("No audio was sent for 29 s though its source was running")),
            ("there is no connection yet", microphone("connecting"), None),
            ("for a moment", dry("").until(14), None),
            ("switched off by the page", dry(r#","active":false"#), None),
            ("the other side does not want it", held("setRemoteDescription", "sendonly"), None),
            ("held by this side", held("setLocalDescription", "inactive"), None),
            (
                "sent by both",
                held("setRemoteDescription", "sendrecv"),
                Some("No video was sent for 24 s though its source was running"),
            ),
            ("it is sent", sent(30, |second| format!(r#""packetsSent":{}"#, 50 * second)), None),
            ("it has no source any more, or Firefox, which names none", gone, None),
        ],
    );
}

#[test]
fn an_encoder_is_slower_than_its_source() {
    let encoded = |rate: u64, reason: &'static str| {
        move |second: u64| format!(r#""packetsSent":{},"framesEncoded":{}{reason}"#, 50 * second, rate * second)
    };
    let slow = encoded(10, "");
    let layers = |high: u64, low: u64| {
        Session::new().polled(30, move |second| {
            let layer = |id: &str, rate: u64| {
                let members =
                    format!(r#""rid":"{id}","packetsSent":{},"framesEncoded":{}"#, 50 * second, rate * second);
                stream(id, &members)
            };
            format!("{},{},{}", source(second), layer("h", high), layer("l", low))
        })
    };
    check(
        "encoder-slow",
        &[
            ("a third", sent(30, slow), Some("Only 10 frames/s of 30 frames/s were encoded, for 29 s")),
            ("for a moment", sent(30, slow).until(9), None),
            ("nearly all", sent(30, encoded(28, "")), None),
            (
                "limited, which has a rule of its own",
                sent(30, encoded(10, r#","qualityLimitationReason":"cpu""#)),
                None,
            ),
            (
                "the page wants so few",
                Session::new()
                    .event("setParameters", r#"[{"encodings":[{"maxFramerate":10}]}],"x""#)
                    .polled(30, |second| format!("{},{}", source(second), stream("S", &slow(second)))),
                None,
            ),
            ("of simulcast, one layer is fast", layers(30, 8), None),
            ("of simulcast, no layer is", layers(8, 8), Some("Only 8 frames/s of 30 frames/s were encoded, for 29 s")),
        ],
    );
}

fn limited(name: &'static str, rest: impl Fn(u64) -> String) -> Session {
    sent(40, move |second| {
        format!(
            r#""packetsSent":{},"frameHeight":360,"qualityLimitationReason":"{name}","qualityLimitationDurations":{{"{name}":{}}}{}"#,
            50 * second,
            second.min(25),
            rest(second)
        )
    })
}

#[test]
fn the_processor_limits() {
    let safari = |name: &'static str| {
        sent(40, move |second| format!(r#""packetsSent":{},"qualityLimitationReason":"{name}""#, 50 * second))
    };
    check(
        "cpu-limited",
        &[
            (
                "for a while",
                limited("cpu", |_| String::new()),
                Some("The processor limited the sent video for 25 s, down to 360 lines"),
            ),
            ("by something else", limited("bandwidth", |_| String::new()), None),
            ("by its reason alone", safari("cpu"), Some("The processor limited the sent video for 39 s")),
            ("by nothing", safari("none"), None),
            (
                "for a moment",
                sent(40, |second| {
                    format!(r#""packetsSent":{second},"qualityLimitationDurations":{{"cpu":{}}}"#, second.min(5))
                }),
                None,
            ),
        ],
    );
}

#[test]
fn bandwidth_limits_if_losses_or_round_trips_bear_it_out() {
    let with = |lost: u64, round_trip: f64| {
        let base = limited("bandwidth", |_| String::new());
        assert!(base.sentences("bandwidth-limited").is_empty());
        Session::new().polled(40, move |second| {
            let members =
                format!(r#""packetsSent":{},"qualityLimitationDurations":{{"bandwidth":{second}}}"#, 50 * second);
            let far_end = format!(
                r#""F":{{"type":"remote-inbound-rtp","localId":"S","packetsLost":{},"roundTripTime":{round_trip}}}"#,
                lost * second
            );
            format!("{},{},{far_end}", source(second), stream("S", &members))
        })
    };
    check(
        "bandwidth-limited",
        &[
            ("losses", with(2, 0.05), Some("Bandwidth limited the sent video for 39 s, with 4% of the packets lost")),
            (
                "a long round trip",
                with(0, 0.6),
                Some("Bandwidth limited the sent video for 39 s, with a round trip of 0.6 s"),
            ),
            ("neither: a bit rate that the page has set", with(0, 0.05), None),
        ],
    );
}

#[test]
fn a_layer_of_simulcast_stands_still() {
    let layers = |low: fn(u64) -> u64, high: fn(u64) -> u64, active: &'static str| {
        Session::new().polled(40, move |second| {
            let layer = |rid: &str, packets: u64| {
                stream(
                    rid,
                    &format!(r#""rid":"{rid}","packetsSent":{packets}{}"#, if rid == "h" { active } else { "" }),
                )
            };
            format!("{},{},{}", source(second), layer("l", low(second)), layer("h", high(second)))
        })
    };
    let on: fn(u64) -> u64 = |second| 50 * second;
    let stops: fn(u64) -> u64 = |second| 50 * second.min(15);
    check(
        "simulcast-layer-lost",
        &[
            (
                "the high one",
                layers(on, stops, ""),
                Some("Layer h of the sent video stood still for 24 s while others went on"),
            ),
            (
                "for want of bandwidth",
                layers(on, stops, r#","qualityLimitationReason":"bandwidth""#),
                Some("Layer h of the sent video stood still for 24 s while others went on, limited by bandwidth"),
            ),
            ("for a moment", layers(on, stops, "").until(24), None),
            ("switched off by the page", layers(on, stops, r#","active":false"#), None),
            ("both go on", layers(on, on, ""), None),
            ("both stop", layers(stops, stops, ""), None),
            ("one that never began", layers(on, |_| 0, ""), None),
        ],
    );
}

#[test]
fn key_frames_are_asked_for_again_and_again() {
    let storm = |keys: u64| {
        sent(30, move |second| {
            format!(
                r#""packetsSent":{},"keyFramesEncoded":{},"pliCount":{}"#,
                50 * second,
                1 + keys * second,
                keys * second
            )
        })
    };
    check(
        "key-frame-storm",
        &[
            ("each second", storm(1), Some("29 key frames went out in 29 s, 29 times asked for")),
            ("for a moment", storm(1).until(8), None),
            ("none", storm(0), None),
            (
                "some who join",
                sent(30, |second| format!(r#""packetsSent":{},"keyFramesEncoded":{}"#, second, 1 + second.min(4))),
                None,
            ),
        ],
    );
}

#[test]
fn a_picture_is_black_or_still() {
    let camera = |bytes: u64, before: fn(Session) -> Session| {
        let session = Session::new()
            .page("navigator.mediaDevices.getUserMedia", r#"{"video":true},"60-0""#)
            .page("navigator.mediaDevices.getUserMediaOnSuccess", r#"[["video","v","Cam"]],"60-0""#);
        before(session).polled(30, move |second| {
            let frames = 30 * second;
            let members = format!(
                r#""packetsSent":{frames},"bytesSent":{},"framesEncoded":{frames},"frameWidth":640,"frameHeight":480"#,
                bytes * frames
            );
            format!("{},{}", source(second), stream("S", &members))
        })
    };
    let as_it_is: fn(Session) -> Session = |session| session;
    let silenced: fn(Session) -> Session = |session| session.page("MediaStreamTrack.enabled", r#"false,"v""#);
    check(
        "video-black",
        &[
            ("a lid", camera(40, as_it_is), Some("The sent video was black or still for 29 s, with 40 bytes a frame")),
            ("for a moment", camera(40, as_it_is).until(9), None),
            ("a room in the dark", camera(300, as_it_is), None),
            ("silenced by the page", camera(40, silenced), None),
        ],
    );
}
