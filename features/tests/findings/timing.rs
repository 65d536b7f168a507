//! Times of reports.

use super::{BEGIN, Session, check};

const ANY: &str = r#""P":{"type":"peer-connection"}"#;

#[test]
fn reports_are_missing() {
    let gap = |millis: u64| Session::new().polled(10, |_| ANY.to_owned()).wait(millis).polled(10, |_| ANY.to_owned());
    let twice = gap(20_000).wait(30_000).polled(5, |_| ANY.to_owned());
    let slow = (0..8).fold(Session::new(), |session, _| session.report(ANY).wait(15_000));
    check(
        "reports-gap",
        &[
            ("for 21 s", gap(20_000), Some("No report came for 21 s")),
            ("twice", twice, Some("No report came for 31 s, the longest of 2 gaps")),
            ("for a moment", gap(5000), None),
            ("who polls seldom", slow, None),
        ],
    );
}

#[test]
fn a_clock_jumps() {
    let jump = |by: u64| {
        (0..10).fold(Session::new().event("create", "{}"), |mut session, number: u64| {
            let own = BEGIN + session.now + if number < 5 { 0 } else { by };
            let delta = session.delta();
            session.lines.push(format!(r#"["getStats","PC_0",{{{ANY},"t":{own}}},{delta}]"#));
            session.wait(1000)
        })
    };
    let none = (0..10).fold(Session::new(), |mut session, _: u64| {
        let delta = session.delta();
        session.lines.push(format!(r#"["getStats","PC_0",{{{ANY}}},{delta}]"#));
        session.wait(1000)
    });
    check(
        "clock-jump",
        &[
            ("by a minute", jump(60_000), Some("The clock jumped by 60 s")),
            ("by little", jump(800), None),
            ("reports without times", none, None),
        ],
    );
}
