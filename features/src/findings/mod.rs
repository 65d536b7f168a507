//! Findings: what was wrong in a session, in plain sentences with the moment and the values that say so.
//!
//! Rules are rows of one table ([`RULES`]), a file for each subject with its rules above what looks for them. All of them work in the one
//! pass in which features are extracted: events as they come, and of reports one every few seconds, between which most rules compare
//! counters. What they remember is a few numbers for each stream, and of episodes the worst. A rule says nothing of what a browser does
//! not tell, and rules that need events say nothing of sessions that have none.

mod both;
mod codec;
mod devices;
mod directions;
mod episodes;
mod finding;
mod growth;
mod heard;
mod ice;
mod limited;
mod looks;
mod loss;
mod negotiation;
mod page;
mod playback;
mod playout;
mod presence;
mod received;
#[cfg(test)]
mod reference;
mod rule;
mod seen;
mod sent;
mod sentence;
mod setup;
mod sink;
mod sources;
mod timing;
mod watch;
mod way;

use std::sync::LazyLock;

use rtctrace_protocol::sorted_by;

pub use finding::{Finding, FindingTrack, Measure, Measured};
pub(crate) use page::Page;
pub use rule::{Rule, Severity, Threshold};
pub(crate) use sink::Sink;
pub(crate) use watch::{Around, Watch};

use crate::limits;

/// All rules, by subject.
pub static RULES: LazyLock<Vec<&'static Rule>> = LazyLock::new(|| {
    [
        devices::RULES,
        sources::RULES,
        sent::RULES,
        limited::RULES,
        received::RULES,
        heard::RULES,
        seen::RULES,
        loss::RULES,
        codec::RULES,
        presence::RULES,
        both::RULES,
        playback::RULES,
        playout::RULES,
        ice::RULES,
        way::RULES,
        setup::RULES,
        negotiation::RULES,
        timing::RULES,
    ]
    .concat()
});

/// Puts findings in order, the worst first and what came first before what came later, and keeps as many as are bearable. `has_received`:
/// whether any packet of a stream has come, by whichever connection: then one by which nothing came may just not be in use, as that to
/// the SFU is while two talk to each other directly.
pub(crate) fn sorted(mut findings: Vec<Finding>, has_received: bool) -> Vec<Finding> {
    findings.retain(|finding| !has_received || !both::is_never_received(finding));
    let key = |finding: &Finding| (finding.rule.severity, finding.begin, finding.end);
    findings = sorted_by(findings, |one, other| key(one).cmp(&key(other)));
    findings.truncate(limits::FINDINGS);
    findings
}
