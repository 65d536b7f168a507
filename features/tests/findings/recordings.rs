//! Real recordings: a healthy call has nothing above a notice.

use std::io::Read as _;

use flate2::read::GzDecoder;
use rtctrace_features::{Finding, Severity};
use serde_json::Value;

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
        "notice PC_1 path-changed: The path changed once, now on a direct path",
        "notice PC_0 path-changed: The path changed once, now on a direct path",
    ];
    assert_eq!(found, expected);
}

fn unpacked(path: &str) -> String {
    let path = format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_call_of_three_videos_each_way_has_nothing_above_a_notice() {
    let dump = unpacked("server/src/tools/load/recording.jsonl.gz");
    let found = told(&findings_of(dump.lines().skip(2)));
    assert_eq!(found, ["notice PC_0 received-not-rendered: Received audio was not played for 63 s"]);
}

/// Reports as the browser gave them, each with its connection.
#[test]
fn reports_of_twenty_videos_have_nothing_above_a_notice() {
    let reports = unpacked("tests/fixtures/recordings/loopback-20video-60s.raw-getstats.jsonl.gz");
    let mut last = 0.0;
    let mut lines = Vec::new();
    for line in reports.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let times = value[1].as_object().unwrap().values().filter_map(|entry| entry["timestamp"].as_f64());
        let time = times.fold(last, f64::max);
        lines.push(format!(r#"["getStats",{},{},{}]"#, value[0], value[1], time - last));
        last = time;
    }
    let found = findings_of(lines.iter().map(String::as_str));
    assert!(
        lines.len() > 100 && found.iter().all(|finding| finding.rule.severity == Severity::Notice),
        "{:#?}",
        told(&found)
    );
}
