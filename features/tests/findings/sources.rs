//! What microphones and cameras give.

use super::{Session, check};

fn got(constraints: &str) -> Session {
    Session::new()
        .page("navigator.mediaDevices.getUserMedia", &format!(r#"{constraints},"60-0""#))
        .page("navigator.mediaDevices.getUserMediaOnSuccess", r#"[["audio","a","Mic"],["video","v","Cam"]],"60-0""#)
}

/// A microphone with an energy for each second.
fn microphone(start: Session, energy: impl Fn(u64) -> f64) -> Session {
    start.polled(30, |second| {
        format!(
            r#""S":{{"type":"media-source","kind":"audio","trackIdentifier":"a","totalAudioEnergy":{},"totalSamplesDuration":{second}}}"#,
            energy(second)
        )
    })
}

/// A camera that has given so many frames until each second.
fn camera(start: Session, frames: impl Fn(u64) -> u64) -> Session {
    start.polled(30, |second| {
        format!(r#""S":{{"type":"media-source","kind":"video","trackIdentifier":"v","frames":{}}}"#, frames(second))
    })
}

const BOTH: &str = r#"{"audio":true,"video":{"frameRate":{"ideal":30}}}"#;

#[test]
fn a_microphone_that_never_gave_a_sound_is_silent() {
    let silenced = got(BOTH).page("MediaStreamTrack.enabled", r#"false,"a""#);
    let by = |extras: &str| {
        Session::new()
            .page("navigator.mediaDevices.getUserMedia", &format!("{BOTH},{extras}"))
            .page("navigator.mediaDevices.getUserMediaOnSuccess", &format!(r#"[["audio","a","Mic"]],{extras}"#))
    };
    let stopped = got(BOTH).page("MediaStreamTrack.stop", r#"[],"a","60-0""#);
    check(
        "silent-microphone",
        &[
            ("zeros", microphone(got(BOTH), |_| 0.0), Some("The microphone gave no sound for 29 s, and none before")),
            ("for a moment", microphone(got(BOTH), |_| 0.0).until(14), None),
            ("some noise", microphone(got(BOTH), |second| second as f64 * 1e-9), None),
            ("a user who speaks late", microphone(got(BOTH), |second| if second < 25 { 0.0 } else { 0.1 }), None),
            ("a user who has stopped speaking", microphone(got(BOTH), |_| 0.4), None),
            ("silenced by the page", microphone(silenced, |_| 0.0), None),
            ("stopped by the page", microphone(stopped, |_| 0.0), None),
            ("Jitsi's client, which does not tell when it silences", microphone(by("null,7"), |_| 0.0), None),
            ("Chromium, which does not either", microphone(by(r#""60-0","https://x.example","1-2""#), |_| 0.0), None),
            ("no track of getUserMedia", microphone(Session::new(), |_| 0.0), None),
            (
                "Firefox, which tells no energy",
                got(BOTH).polled(30, |_| r#""S":{"type":"media-source","kind":"audio","trackIdentifier":"a"}"#.into()),
                None,
            ),
        ],
    );
}

#[test]
fn a_camera_may_stand_still() {
    let silenced = got(BOTH).page("MediaStreamTrack.enabled", r#"false,"v""#);
    let still = |second: u64| 30 * second.min(5);
    check(
        "camera-without-frames",
        &[
            ("still from the fifth second on", camera(got(BOTH), still), Some("The camera gave no frame for 24 s")),
            ("for a moment", camera(got(BOTH), still).until(14), None),
            ("moving", camera(got(BOTH), |second| 30 * second), None),
            ("silenced by the page", camera(silenced, still), None),
            ("a screen, which may stand still", camera(Session::new(), still), None),
        ],
    );
}

#[test]
fn a_camera_may_be_slower_than_asked() {
    let of = |constraints: &str, rate: u64| camera(got(constraints), |second| rate * second);
    let adjusted = got(BOTH).page("MediaStreamTrack.applyConstraints", r#"[{"frameRate":15}],"v","60-0""#);
    check(
        "camera-slow",
        &[
            (
                "half as fast",
                of(BOTH, 15),
                Some("The camera gave 15 frames/s where 30 frames/s were asked for, for 29 s"),
            ),
            ("nearly as fast", of(BOTH, 25), None),
            ("nothing was asked", of(r#"{"audio":true,"video":true}"#, 10), None),
            ("a limit is no wish", of(r#"{"video":{"frameRate":{"max":30}}}"#, 10), None),
            ("less is asked later", camera(adjusted, |second| 15 * second), None),
            (
                "dim for a moment",
                camera(got(BOTH), |second| if second < 5 { 10 * second } else { 30 * second - 100 }),
                None,
            ),
        ],
    );
}
