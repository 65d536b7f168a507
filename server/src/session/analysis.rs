//! What the events of a session come to.

use rtctrace_features::{Finding, SessionFeatures};

/// What was computed of a session.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Analysis {
    /// Its features.
    pub(crate) features: SessionFeatures,
    /// What was wrong in it, the worst first.
    pub(crate) findings: Vec<Finding>,
}
