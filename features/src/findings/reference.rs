//! `doc/findings.md`, written from the table of rules. This test says when the file is not what it says;
//! `RTCTRACE_TEST_WRITE=1 cargo test -p rtctrace-features --lib reference` writes it.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use super::rule::Severity;
use super::{RULES, sentence};
use crate::value::Unit;

const HEAD: &str = "\
# Findings

What rtctrace finds wrong in a session: each finding has a rule, a severity, the connection and the track if it is about one, begin and end, the values that
triggered it, and a sentence made of them. **Critical** is what leaves somebody unheard or unseen, or a call that did not come about; a **warning** is what somebody heard or
saw badly; a **notice** is nothing bad by itself and may explain what is.

Reports are compared about every five seconds (where they come more seldom, each with the one before); bad times of one rule and track that are no further
apart than 15 s, or than a rule says, are one finding with its worst moment. Of one rule and track the three longest are told, and the first of them says how many there were. A rule says nothing where a
browser does not tell what it reads, and of sessions of Sora's those alone speak that read reports. Of entries of type `ssrc`, as there were before the standard, `packet-loss`,
`never-received`, `decoder-stuck` and `video-blank` are told: by `googNacksSent` and the like where the standard has another name, and of what is sent by the `packetsLost` of its own entry.

In a rule's sentence, what stands in braces is a value of the finding, and what stands in brackets is there if its values are.
";

fn reference() -> String {
    let mut text = HEAD.to_owned();
    for severity in [Severity::Critical, Severity::Warning, Severity::Notice] {
        let name = severity.name();
        let _ = write!(text, "\n## {}{}\n", name[..1].to_uppercase(), &name[1..]);
        for rule in RULES.iter().filter(|rule| rule.severity == severity) {
            let _ = write!(text, "\n### `{}`: {}\n\n{}\n{}\n\n", rule.id, rule.title, rule.meaning, rule.advice);
            let _ = writeln!(text, "- Sentence: *{}*", rule.sentence);
            for threshold in rule.thresholds {
                let value = match threshold.unit {
                    Unit::Count => threshold.value.to_string(),
                    unit @ (Unit::Seconds | Unit::Pixels) => format!("{} {}", threshold.value, unit.symbol()),
                    unit => sentence::quantity(threshold.value, unit),
                };
                let _ = writeln!(text, "- Threshold, {}: **{value}**: {}.", threshold.name, threshold.reason);
            }
            let _ = writeln!(text, "- Reads: {}.", rule.reads);
        }
    }
    text
}

#[test]
fn the_reference_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../doc/findings.md");
    let reference = reference();
    if std::env::var_os("RTCTRACE_TEST_WRITE").is_some() {
        std::fs::write(&path, &reference).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == reference,
        "doc/findings.md is not what the table says; the head of features/src/findings/reference.rs says how it is written"
    );
}

#[test]
fn every_rule_has_a_name_of_its_own_and_says_all_that_a_reader_needs() {
    let mut ids = HashSet::new();
    for rule in RULES.iter() {
        assert!(ids.insert(rule.id), "{} is there twice", rule.id);
        assert!(rule.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", rule.id);
        for text in [rule.title, rule.meaning, rule.advice, rule.sentence, rule.reads] {
            assert!(!text.is_empty(), "{}", rule.id);
        }
        for text in [rule.meaning, rule.advice] {
            assert!(text.ends_with('.'), "{}: {text}", rule.id);
        }
        for text in [rule.title, rule.sentence, rule.reads] {
            assert!(!text.ends_with('.'), "{}: {text}", rule.id);
        }
        assert_eq!(rule.sentence.matches('{').count(), sentence::names(rule.sentence).count(), "{}", rule.id);
        assert_eq!(rule.sentence.matches('[').count(), rule.sentence.matches(']').count(), "{}", rule.id);
        for threshold in rule.thresholds {
            assert!(!threshold.name.is_empty() && !threshold.reason.is_empty(), "{}", rule.id);
        }
    }
}
