//! What holds for all findings of a session.

use rtctrace_features::{FeatureExtractor, RULES, Severity, limits};
use rtctrace_protocol::event::SessionDecoder;

use super::{Session, common, findings_of};

/// An inbound audio that loses a tenth of its packets in the first ten seconds of each minute.
fn lossy(minutes: u64) -> Session {
    let (mut received, mut lost) = (Vec::new(), Vec::new());
    let (mut all, mut gone) = (0_u64, 0_u64);
    for second in 0..60 * minutes {
        let missing = if second % 60 < 10 { 5 + second / 600 } else { 0 };
        (all, gone) = (all + 50 - missing, gone + missing);
        received.push(all);
        lost.push(gone);
    }
    Session::new().polled(60 * minutes, |second| {
        let (received, lost) = (received[second as usize], lost[second as usize]);
        format!(r#""R":{{"type":"inbound-rtp","kind":"audio","packetsReceived":{received},"packetsLost":{lost}}}"#)
    })
}

#[test]
fn of_many_episodes_the_longest_are_told_and_all_are_counted() {
    let found = lossy(40).findings();
    assert_eq!(found.len(), 3);
    assert!(found.iter().any(|finding| finding.sentence().ends_with("(the worst of 40)")), "{found:?}");
}

#[test]
fn findings_are_told_at_any_moment_and_asking_changes_nothing() {
    let recording = common::recording("rich-session.jsonl");
    let mut decoder = SessionDecoder::new();
    let mut extractor = FeatureExtractor::new();
    for line in recording.lines() {
        extractor.event(&decoder.decode(line).unwrap());
        for finding in extractor.findings(&decoder) {
            let sentence = finding.sentence();
            assert!(!sentence.contains(['{', '}', '[', ']']) && sentence != finding.rule.title, "{sentence}");
            assert!(finding.begin <= finding.end, "{sentence}");
        }
    }
    assert_eq!(extractor.findings(&decoder), findings_of(recording.lines()));
}

#[test]
fn the_table_has_each_rule_that_is_found() {
    for finding in findings_of(common::recording("rich-session.jsonl").lines()) {
        assert!(RULES.iter().any(|rule| rule.id == finding.rule.id));
    }
}

#[test]
fn of_a_crowd_of_entries_as_many_are_watched_as_the_limit_says() {
    let crowd = 3 * limits::WATCHED as u64;
    let of = |entries: u64| {
        Session::new().polled(6, |second| {
            let entry = |id: u64| {
                let (all, lost) = (50 * second, 20 * second);
                format!(
                    r#""{id}":{{"type":"inbound-rtp","kind":"audio","packetsReceived":{all},"packetsLost":{lost}}}"#
                )
            };
            (0..entries).map(entry).collect::<Vec<_>>().join(",")
        })
    };
    assert_eq!(of(100).findings().len(), 100);
    assert_eq!(of(crowd).findings().len(), limits::FINDINGS);
}

#[test]
fn the_worst_findings_come_first_and_then_the_earliest() {
    let session = lossy(1)
        .page("document.onvisibilitychange", r#""hidden""#)
        .wait(20_000)
        .page("navigator.mediaDevices.getUserMedia", r#"{"audio":true},"60-0""#)
        .page("navigator.mediaDevices.getUserMediaOnFailure", r#""NotAllowedError","60-0""#);
    let found: Vec<_> = session.findings().iter().map(|finding| (finding.rule.severity, finding.rule.id)).collect();
    let expected =
        [(Severity::Critical, "capture-denied"), (Severity::Warning, "packet-loss"), (Severity::Notice, "page-hidden")];
    assert_eq!(found, expected);
}
