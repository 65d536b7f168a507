//! What holds for all findings of a session.

use rtctrace_features::{FeatureExtractor, RULES};
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
