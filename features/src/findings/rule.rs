//! What a rule is.

use crate::value::Unit;

/// How bad a finding is for the people in the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Somebody is not heard or seen, or no call came about.
    Critical,
    /// Somebody was heard or seen badly, or for some time not at all.
    Warning,
    /// Nothing bad by itself; it may explain what is.
    Notice,
}

impl Severity {
    /// As it is written: `critical`, `warning` or `notice`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// What a rule compares with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// What is compared.
    pub name: &'static str,
    /// With how much.
    pub value: f64,
    /// The unit of that.
    pub unit: Unit,
    /// Why so much, and who says so.
    pub reason: &'static str,
}

/// A rule that makes findings: a row of the table [`super::RULES`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// What names it for good, in kebab case.
    pub id: &'static str,
    /// How bad its findings are.
    pub severity: Severity,
    /// What it finds, in a few words.
    pub title: &'static str,
    /// What that means for a user.
    pub meaning: &'static str,
    /// What can be done about it.
    pub advice: &'static str,
    /// Its findings as a sentence: `{name}` is a value, `{name:noun}` counts, and what stands in brackets is there if all of its
    /// values are. See [`super::Finding::sentence`].
    pub sentence: &'static str,
    /// What it compares with.
    pub thresholds: &'static [Threshold],
    /// What it reads: events, and members of a report's entries.
    pub reads: &'static str,
}

impl Rule {
    /// The rule of that id.
    pub fn of(id: &str) -> Option<&'static Self> {
        super::RULES.iter().copied().find(|rule| rule.id == id)
    }
}
