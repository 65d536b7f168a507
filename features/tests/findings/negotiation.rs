//! Offers, answers and candidates.

use super::{Session, check};

#[test]
fn a_description_is_refused() {
    let set = |outcome: &str| {
        Session::new()
            .event("setRemoteDescription", r#"{"type":"answer","sdp":"v=0\r\n"},"8-0""#)
            .wait(5)
            .event(&format!("setRemoteDescription{outcome}"), r#""InvalidStateError: no","8-0""#)
    };
    let offer =
        Session::new().event("createOffer", r#"null,"2-0""#).event("createOfferOnFailure", r#""OperationError","2-0""#);
    check(
        "negotiation-failed",
        &[
            ("the other side's", set("OnFailure"), Some("setRemoteDescription failed once: InvalidStateError: no")),
            ("its own", offer, Some("createOffer failed once: OperationError")),
            ("taken", set("OnSuccess"), None),
        ],
    );
}

#[test]
fn a_negotiation_is_never_finished() {
    let offered = |millis: u64| {
        Session::new().event("create", "null").event("onsignalingstatechange", r#""have-local-offer""#).wait(millis)
    };
    check(
        "negotiation-unfinished",
        &[
            (
                "closed meanwhile",
                offered(40_000).event("close", "null"),
                Some("The negotiation stayed in have-local-offer for 40 s and was never finished"),
            ),
            ("answered late", offered(40_000).event("onsignalingstatechange", r#""stable""#), None),
            ("left soon", offered(3000).event("close", "null"), None),
            ("no negotiation", Session::new().event("create", "null").wait(40_000).event("close", "null"), None),
        ],
    );
}

const CANDIDATE: &str = r#"{"candidate":"candidate:1 1 udp 1 192.0.2.x 9 typ host"},"10-0""#;

#[test]
fn candidates_come_before_their_description() {
    let described = |session: Session| session.event("setRemoteDescription", r#"{"type":"offer","sdp":""},"8-0""#);
    check(
        "candidate-too-early",
        &[
            (
                "two of them",
                described(Session::new().event("addIceCandidate", CANDIDATE).event("addIceCandidate", CANDIDATE)),
                Some("addIceCandidate was called twice before setRemoteDescription"),
            ),
            ("behind it", described(Session::new()).event("addIceCandidate", CANDIDATE), None),
            ("the end of candidates", described(Session::new().event("addIceCandidate", r#"null,"10-0""#)), None),
        ],
    );
}

#[test]
fn candidates_are_refused() {
    let outcome = |outcome: &str| {
        Session::new()
            .event("setRemoteDescription", r#"{"type":"offer","sdp":""},"8-0""#)
            .event("addIceCandidate", CANDIDATE)
            .event(&format!("addIceCandidate{outcome}"), r#""OperationError: no","10-0""#)
    };
    check(
        "candidate-refused",
        &[
            ("refused", outcome("OnFailure"), Some("addIceCandidate failed once: OperationError: no")),
            ("taken", outcome("OnSuccess"), None),
        ],
    );
}
