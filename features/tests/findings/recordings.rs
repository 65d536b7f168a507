//! Real recordings: a healthy call has nothing above a notice.

use rtctrace_features::{Finding, Severity};

use super::{common, findings_of};

fn of(recording: &str) -> Vec<Finding> {
    findings_of(common::recording(recording).lines())
}

fn told(findings: &[Finding]) -> Vec<String> {
    let of = |finding: &Finding| {
        let connection = finding.connection.as_deref().unwrap_or("page");
        format!("{} {connection} {}: {}", finding.rule.severity.name(), finding.rule.id, finding.sentence())
    };
    findings.iter().map(of).collect()
}

#[test]
fn a_healthy_call_has_nothing_above_a_notice() {
    let found = of("loopback-av-60s.jsonl");
    assert!(found.iter().all(|finding| finding.rule.severity == Severity::Notice), "{:#?}", told(&found));
    // The page of that recording has no element for what it hears.
    assert_eq!(
        told(&found),
        ["PC_0", "PC_1"].map(|id| format!("notice {id} received-not-rendered: Received audio was not played for 58 s"))
    );
}

#[test]
fn what_was_done_to_a_rich_session_is_found() {
    let found = told(&of("rich-session.jsonl"));
    let expected = [
        "warning page capture-overconstrained: No camera can do what the page asked for, once: OverconstrainedError, and a later call succeeded",
        "warning PC_0 negotiation-failed: setRemoteDescription failed once: OperationError: Failed to execute 'setRemoteDescription' on 'RTCPeerConnection': Failed to parse SessionDescription.  Expect line: o=",
        "notice PC_0 candidate-refused: addIceCandidate failed once: OperationError: Failed to execute 'addIceCandidate' on 'RTCPeerConnection': Error processing ICE candidate",
        // An ICE restart.
        "notice PC_1 path-changed: The path changed once, the last time to one on a direct path",
        "notice PC_0 path-changed: The path changed once, the last time to one on a direct path",
    ];
    assert_eq!(found, expected);
}
