//! Microphones and cameras.

use super::{Session, check};

const ASKED: &str = r#"{"audio":true,"video":true},"60-0""#;
const GOT: &str = r#"[["audio","a","Mic"],["video","v","Cam"]],"60-0""#;

fn asked(rest: &str) -> Session {
    Session::new().page("create", "{}").page("navigator.mediaDevices.getUserMedia", rest).wait(100)
}

fn failed(error: &str) -> Session {
    asked(ASKED).page("navigator.mediaDevices.getUserMediaOnFailure", &format!(r#""{error}","60-0""#))
}

fn got() -> Session {
    asked(ASKED).page("navigator.mediaDevices.getUserMediaOnSuccess", GOT)
}

#[test]
fn a_capture_that_fails_is_told_by_its_cause() {
    for (rule, error, other, sentence) in [
        (
            "capture-denied",
            "NotAllowedError: Permission denied",
            "NotFoundError",
            "Use of the microphone and camera was refused once: NotAllowedError: Permission denied",
        ),
        (
            "capture-device-busy",
            "NotReadableError",
            "NotAllowedError",
            "The microphone and camera could not be opened, once: NotReadableError",
        ),
        (
            "capture-device-not-found",
            "NotFoundError",
            "NotReadableError",
            "No microphone and camera was found, once: NotFoundError",
        ),
        (
            "capture-overconstrained",
            "OverconstrainedError",
            "NotFoundError",
            "No microphone and camera can do what the page asked for, once: OverconstrainedError",
        ),
        (
            "capture-failed",
            "TypeError: no",
            "NotFoundError",
            "getUserMedia for the microphone and camera failed once: TypeError: no",
        ),
    ] {
        check(
            rule,
            &[
                ("triggers", failed(error), Some(sentence)),
                ("another cause", failed(other), None),
                ("got", got(), None),
            ],
        );
    }
}

#[test]
fn calls_that_fail_alike_are_one_finding_that_knows_what_came_after() {
    let again = |session: Session, number: u32, outcome: &str, value: &str| {
        session
            .wait(1000)
            .page("navigator.mediaDevices.getUserMedia", &format!(r#"{{"audio":true,"video":true}},"60-{number}""#))
            .page(&format!("navigator.mediaDevices.getUserMedia{outcome}"), &format!(r#"{value},"60-{number}""#))
    };
    let twice = again(failed("NotAllowedError"), 1, "OnFailure", r#""NotAllowedError""#);
    let then = again(twice.clone(), 2, "OnSuccess", "[]");
    let sentence = "Use of the microphone and camera was refused twice: NotAllowedError";
    assert_eq!(twice.sentences("capture-denied"), [sentence]);
    assert_eq!(then.sentences("capture-denied"), [format!("{sentence}, and a later call succeeded")]);
    let old = Session::new()
        .page("getUserMedia", r#"{"audio":true}"#)
        .page("getUserMediaOnFailure", r#"{"name":"PermissionDeniedError","message":""}"#);
    assert_eq!(old.sentences("capture-denied"), ["Use of the microphone was refused once: PermissionDeniedError"]);
    let screen = Session::new()
        .page("navigator.mediaDevices.getDisplayMedia", r#"{"video":true},"63-0""#)
        .page("navigator.mediaDevices.getDisplayMediaOnFailure", r#""NotAllowedError","63-0""#);
    assert!(screen.findings().is_empty(), "who shares no screen after all has changed their mind");
}

#[test]
fn a_device_vanishes_by_itself() {
    let ended = |session: Session| session.wait(7000).page("MediaStreamTrack.onended", r#""v","60-0""#);
    check(
        "device-vanished",
        &[
            ("ended", ended(got()), Some(r#"The video device "Cam" went away after 7 s of use"#)),
            ("stopped before", ended(got().page("MediaStreamTrack.stop", r#"[],"v","60-0""#)), None),
            ("of nobody", got().wait(7000).page("MediaStreamTrack.onended", r#""x","60-0""#), None),
        ],
    );
}

#[test]
fn a_source_is_muted_by_the_system() {
    let muted = |millis: u64| got().page("MediaStreamTrack.onmute", r#""a""#).wait(millis);
    check(
        "source-muted",
        &[
            (
                "for 6 s",
                muted(6000).page("MediaStreamTrack.onunmute", r#""a""#),
                Some("The source of the local audio track was muted by the system for 6 s"),
            ),
            ("a moment", muted(2000).page("MediaStreamTrack.onunmute", r#""a""#).wait(9000).page("x", "null"), None),
            (
                "to the end",
                muted(30_000).page("x", "null"),
                Some("The source of the local audio track was muted by the system for 30 s"),
            ),
            ("a remote track", got().event("MediaStreamTrack.onmute", r#""a""#).wait(9000).page("x", "null"), None),
            ("by the page", got().page("MediaStreamTrack.enabled", r#"false,"a""#).wait(9000).page("x", "null"), None),
        ],
    );
}
