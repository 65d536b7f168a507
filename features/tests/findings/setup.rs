//! DTLS, and how long the set-up takes.

use super::{Session, check};

fn state(session: Session, what: &str, state: &str) -> Session {
    session.event(what, &format!(r#""{state}""#))
}

const ICE: &str = "oniceconnectionstatechange";
const DTLS: &str = "ondtlsstatechange";
const CONNECTION: &str = "onconnectionstatechange";

fn ice_connected() -> Session {
    state(state(Session::new().event("create", "null"), ICE, "checking").wait(100), ICE, "connected").wait(100)
}

#[test]
fn dtls_fails() {
    let by_report = |dtls: &str| {
        let transport = format!(r#""T":{{"type":"transport","dtlsState":"{dtls}"}}"#);
        Session::new().polled(3, |_| transport.clone())
    };
    check(
        "dtls-failed",
        &[
            ("its state", state(ice_connected(), DTLS, "failed"), Some("DTLS failed: the handshake failed")),
            (
                "its error",
                state(ice_connected(), DTLS, "failed").event("ondtlserror", r#""fingerprint-failure""#),
                Some("DTLS failed: fingerprint-failure"),
            ),
            (
                "the connection's state",
                state(ice_connected(), CONNECTION, "failed"),
                Some("DTLS failed: the connection failed while ICE was connected"),
            ),
            ("a report", by_report("failed"), Some("DTLS failed: the handshake failed")),
            ("a report of one that works", by_report("connected"), None),
            ("ICE failed", state(state(ice_connected(), ICE, "failed"), CONNECTION, "failed"), None),
            (
                "ICE failed, as is told after it",
                state(state(ice_connected(), CONNECTION, "failed"), ICE, "failed"),
                None,
            ),
            ("it works", state(state(ice_connected(), DTLS, "connected"), CONNECTION, "connected"), None),
        ],
    );
}

/// A set-up whose steps take so many milliseconds.
fn set_up(first: &str, signaling: u64, ice: u64, dtls: u64) -> Session {
    let answered = Session::new().event("create", "null").event(first, "null").wait(signaling);
    let session = state(state(answered, "onsignalingstatechange", "stable"), ICE, "checking").wait(ice);
    let session = state(state(session, ICE, "connected"), DTLS, "connecting").wait(dtls);
    state(state(session, DTLS, "connected"), CONNECTION, "connected")
}

#[test]
fn the_set_up_takes_long() {
    let (offer, answer) = ("createOffer", "setRemoteDescription");
    check(
        "slow-setup",
        &[
            ("ICE", set_up(offer, 100, 6000, 200), Some("The set-up took long: 6 s for ICE")),
            ("DTLS", set_up(offer, 100, 200, 7000), Some("The set-up took long: 7 s for DTLS")),
            ("its own answer", set_up(answer, 8000, 200, 200), Some("The set-up took long: 8 s for signaling")),
            ("somebody is called", set_up(offer, 20_000, 200, 200), None),
            ("quick", set_up(answer, 300, 300, 300), None),
            ("without events", Session::new().polled(9, |_| r#""T":{"type":"transport"}"#.to_owned()), None),
        ],
    );
}
