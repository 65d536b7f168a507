//! Findings, rule by rule: what triggers one, and what must not.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

#[path = "../common/mod.rs"]
mod common;

mod both;
mod clients;
mod codec;
mod devices;
mod heard;
mod ice;
mod legacy;
mod losses;
mod negotiation;
mod playback;
mod playout;
mod presence;
mod rare;
mod received;
mod recordings;
mod seen;
mod sent;
mod setup;
mod sources;
mod timing;
mod way;
mod whole;

use common::findings_of;
use rtctrace_features::{Finding, RULES};

/// When the sessions of these tests begin (Unix ms): at 22:13:20 UTC.
const BEGIN: u64 = 1_700_000_000_000;

/// A session in the making.
#[derive(Debug, Clone, Default)]
struct Session {
    lines: Vec<String>,
    /// Since its begin, in ms.
    now: u64,
    told: u64,
}

impl Session {
    fn new() -> Self {
        Self::default()
    }

    fn delta(&mut self) -> u64 {
        let time = if self.lines.is_empty() { BEGIN + self.now } else { self.now - self.told };
        self.told = self.now;
        time
    }

    /// So many milliseconds go by.
    fn wait(mut self, millis: u64) -> Self {
        self.now += millis;
        self
    }

    /// An event of the connection, at once. `rest`: its value and extras.
    fn event(mut self, method: &str, rest: &str) -> Self {
        let delta = self.delta();
        self.lines.push(format!(r#"["{method}","PC_0",{rest},{delta}]"#));
        self
    }

    /// An event of the page, at once.
    fn page(mut self, method: &str, rest: &str) -> Self {
        let delta = self.delta();
        self.lines.push(format!(r#"["{method}",null,{rest},{delta}]"#));
        self
    }

    /// A report of these entries, at once; if it is the first of all, of a connection whose client tells events, too.
    fn report(mut self, entries: &str) -> Self {
        if self.lines.is_empty() {
            self = self.event("create", "{}");
        }
        let (time, delta) = (BEGIN + self.now, self.delta());
        self.lines.push(format!(r#"["getStats","PC_0",{{{entries},"t":{time}}},{delta}]"#));
        self
    }

    /// A report each second, so many of them; `entries`: of the one of that number, from 0 on.
    fn polled(self, count: u64, entries: impl Fn(u64) -> String) -> Self {
        (0..count).fold(self, |session, number| session.report(&entries(number)).wait(1000))
    }

    fn findings(&self) -> Vec<Finding> {
        findings_of(self.lines.iter().map(String::as_str))
    }

    /// The same until the report of that number, from 1 on.
    fn until(mut self, report: usize) -> Self {
        let is_report = |line: &String| line.starts_with(r#"["getStats""#);
        let last = self.lines.iter().enumerate().filter(|(_, line)| is_report(line)).nth(report - 1);
        let length = last.map(|(at, _)| at + 1).unwrap();
        self.lines.truncate(length);
        self
    }

    /// The sentences of a rule's findings.
    fn sentences(&self, rule: &str) -> Vec<String> {
        self.findings().iter().filter(|finding| finding.rule.id == rule).map(Finding::sentence).collect()
    }
}

/// Each of `cases` is what it is called, a session, and what the rule says of it; none if nothing.
fn check(rule: &str, cases: &[(&str, Session, Option<&str>)]) {
    for (name, session, expected) in cases {
        let found = session.sentences(rule);
        assert_eq!(found, expected.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{rule}: {name}");
    }
    assert!(cases.iter().any(|(.., expected)| expected.is_some()), "{rule} is never triggered");
    assert!(cases.iter().any(|(.., expected)| expected.is_none()), "{rule} is always triggered");
}

/// The text of these tests.
const TESTS: &[&str] = &[
    include_str!("both.rs"),
    include_str!("codec.rs"),
    include_str!("devices.rs"),
    include_str!("heard.rs"),
    include_str!("ice.rs"),
    include_str!("losses.rs"),
    include_str!("negotiation.rs"),
    include_str!("playback.rs"),
    include_str!("playout.rs"),
    include_str!("presence.rs"),
    include_str!("rare.rs"),
    include_str!("received.rs"),
    include_str!("seen.rs"),
    include_str!("sent.rs"),
    include_str!("setup.rs"),
    include_str!("sources.rs"),
    include_str!("timing.rs"),
    include_str!("way.rs"),
];

#[test]
fn every_rule_has_its_test() {
    for rule in RULES.iter() {
        let name = format!("\"{}\"", rule.id);
        assert!(TESTS.iter().any(|test| test.contains(&name)), "{} has none", rule.id);
    }
}
