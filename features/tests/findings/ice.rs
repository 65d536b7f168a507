//! Whether ICE finds a path, why not, and whether it holds.

use super::{Session, check};

const STUN: &str = r#"{"iceServers":[{"urls":"stun:s.example"}]}"#;
const TURN: &str = r#"{"iceServers":[{"urls":["stun:s.example","turn:t.example?transport=udp"]}]}"#;
const HOST: &str = r#"{"candidate":"candidate:1 1 udp 1 192.0.2.x 9 typ host"}"#;
const SRFLX: &str = r#"{"candidate":"candidate:2 1 udp 1 203.0.113.x 9 typ srflx raddr 192.0.2.x rport 9"}"#;
const RELAY: &str = r#"{"candidate":"candidate:3 1 udp 1 198.51.100.7 9 typ relay raddr 203.0.113.x rport 9"}"#;

fn created(configuration: &str) -> Session {
    Session::new().event("create", configuration)
}

/// Candidates of this side; the other side's is added.
fn exchanged(session: Session, gathered: &[&str]) -> Session {
    let session = gathered.iter().fold(session, |session, candidate| session.event("onicecandidate", candidate));
    session.event("setRemoteDescription", r#"{"type":"answer","sdp":""},"8-0""#).event("addIceCandidate", HOST)
}

fn state(session: Session, state: &str) -> Session {
    session.event("oniceconnectionstatechange", &format!(r#""{state}""#))
}

fn error(session: Session, code: u32, text: &str, url: &str) -> Session {
    let value = format!(r#"{{"errorCode":{code},"errorText":"{text}","url":"{url}"}}"#);
    session.event("onicecandidateerror", &value)
}

fn failed(session: Session) -> Session {
    state(state(session, "checking").wait(15_000), "failed")
}

fn connected() -> Session {
    state(state(exchanged(created(TURN), &[HOST, SRFLX, RELAY]), "checking").wait(200), "connected").wait(20_000)
}

#[test]
fn ice_fails_for_a_cause() {
    let no_remote = created(TURN).event("onicecandidate", HOST);
    let in_description = created(STUN).event("onicecandidate", HOST).event("onicecandidate", SRFLX).event(
        "setRemoteDescription",
        r#"{"type":"answer","sdp":"v=0\r\na=candidate:1 1 udp 1 192.0.2.x 9 typ host\r\n"},"8-0""#,
    );
    let refused = error(exchanged(created(TURN), &[HOST]), 401, "Unauthorized", "turn:t.example");
    let unreachable = error(exchanged(created(TURN), &[HOST]), 701, "timed out", "turn:t.example");
    let blocked = error(exchanged(created(STUN), &[HOST]), 701, "timed out", "stun:s.example");
    check(
        "ice-failed",
        &[
            ("no exchange", failed(no_remote), Some("ICE failed once: no candidate of the other side was added")),
            (
                "candidates in the description",
                failed(in_description),
                Some("ICE failed once: no pair of candidates answered, and no relay is configured"),
            ),
            (
                "none gathered",
                failed(exchanged(created(TURN), &[])),
                Some("ICE failed once: this side gathered no candidate"),
            ),
            ("refused", failed(refused), Some("ICE failed once: the TURN server refused: 401 Unauthorized")),
            (
                "unreachable",
                failed(unreachable),
                Some("ICE failed once: no TURN server could be reached: UDP is blocked, or the servers are down"),
            ),
            (
                "no relay",
                failed(exchanged(created(TURN), &[HOST])),
                Some("ICE failed once: no TURN server gave a relay"),
            ),
            (
                "blocked",
                failed(blocked),
                Some("ICE failed once: UDP is blocked: no STUN server could be reached, and no relay is configured"),
            ),
            (
                "no relay configured",
                failed(exchanged(created(r#"{"iceServers":[]}"#), &[HOST])),
                Some("ICE failed once: no pair of candidates answered, and no relay is configured"),
            ),
            (
                "in spite of a relay",
                failed(exchanged(created(TURN), &[HOST, RELAY])),
                Some("ICE failed once: no pair of candidates answered, not even by a relay"),
            ),
            ("later", state(connected(), "failed"), Some("ICE failed once: the path that was in use broke")),
            (
                "and came back",
                state(state(state(connected(), "failed"), "checking").wait(2000), "connected"),
                Some("ICE failed once: the path that was in use broke, and connected again after 2 s"),
            ),
            ("connected", connected(), None),
            ("servers that answer badly do not matter then", error(connected(), 701, "", "turn:t.example"), None),
        ],
    );
}

#[test]
fn ice_finds_nothing_until_the_end() {
    let described = |session: Session| {
        session
            .event("setLocalDescription", r#"{"type":"offer","sdp":""},"6-0""#)
            .event("onicecandidate", HOST)
            .event("setRemoteDescription", r#"{"type":"answer","sdp":""},"8-0""#)
    };
    let ringing = created(TURN).event("setLocalDescription", r#"{"type":"offer","sdp":""},"6-0""#).wait(60_000);
    let silent = described(created(TURN)).event("onconnectionstatechange", r#""connected""#).wait(60_000);
    let flowing = described(created(TURN)).polled(20, |second| {
        format!(r#""R":{{"type":"inbound-rtp","kind":"audio","packetsReceived":{}}}"#, 50 * second)
    });
    let checking = || state(exchanged(created(TURN), &[HOST]), "checking");
    let proved = |entries: &'static str| described(created(TURN)).polled(20, |_| entries.to_owned());
    let pair =
        r#""T":{"type":"transport","selectedCandidatePairId":"P"},"P":{"type":"candidate-pair","state":"succeeded"}"#;
    let unproved = r#""T":{"type":"transport","dtlsState":"new","selectedCandidatePairId":"P"},"P":{"type":"candidate-pair","state":"in-progress"}"#;
    check(
        "ice-stalled",
        &[
            ("reports know that DTLS is done", proved(r#""T":{"type":"transport","dtlsState":"connected"}"#), None),
            ("reports know a pair that is in use", proved(pair), None),
            ("so in Firefox", proved(r#""P":{"type":"candidate-pair","state":"succeeded","selected":true}"#), None),
            (
                "reports know no more than events",
                proved(unproved),
                Some("ICE had not connected after 19 s, when it ended: no candidate of the other side was added"),
            ),
            (
                "until it is closed",
                checking().wait(12_000).event("close", "null").wait(9000).event("x", "null"),
                Some("ICE had not connected after 12 s, when it ended: no TURN server gave a relay"),
            ),
            (
                "until nothing more is told",
                checking().wait(11_000).event("x", "null"),
                Some("ICE had not connected after 11 s, when it ended: no TURN server gave a relay"),
            ),
            (
                "it never began",
                described(created(TURN)).wait(20_000).event("close", "null"),
                Some("ICE had not connected after 20 s, when it ended: no candidate of the other side was added"),
            ),
            ("nobody has answered", ringing.event("close", "null"), None),
            ("a client that tells no states of ICE", silent.event("close", "null"), None),
            ("one that tells no states at all", flowing, None),
            ("for a moment", checking().wait(2000).event("close", "null"), None),
            ("it connects", state(checking().wait(12_000), "connected").wait(60_000).event("x", "null"), None),
            ("it fails, which has a rule of its own", failed(exchanged(created(TURN), &[HOST])), None),
        ],
    );
}

fn outage(session: Session, millis: u64) -> Session {
    state(state(session, "disconnected").wait(millis), "connected")
}

#[test]
fn ice_is_disconnected() {
    check(
        "ice-disconnected",
        &[
            ("for a while", outage(connected(), 4000), Some("ICE was disconnected for 4 s")),
            ("for a moment", outage(connected(), 300), None),
            (
                "to the end",
                state(connected(), "disconnected").wait(7000).event("x", "null"),
                Some("ICE was disconnected for 7 s, and still was at the end"),
            ),
            ("by its end", state(connected().event("close", "null"), "disconnected").wait(10).event("x", "null"), None),
            ("before it was connected", state(exchanged(created(TURN), &[HOST]), "disconnected").wait(9000), None),
        ],
    );
}

#[test]
fn ice_comes_and_goes() {
    let times = |count: u32, apart: u64| (0..count).fold(connected(), |session, _| outage(session, 500).wait(apart));
    check(
        "ice-flapping",
        &[
            ("four times", times(4, 20_000), Some("ICE was disconnected 4 times in a row, for 2 s in all")),
            ("twice", times(2, 20_000), None),
            ("now and then", times(4, 300_000), None),
        ],
    );
}
