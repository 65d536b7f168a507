//! Which sessions a list or an export is about, and the conditions of SQL that say so. What a client sent is a parameter of the
//! statement, never a part of its text; columns come from the tables of features.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rtctrace_features::{Feature, Rule, Severity};

use super::database::Value;
use super::features::FeatureTable;
use super::list::{ListCursor, Order, Place};
use crate::session::UnixMillis;

/// What sessions must be. They must be all of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Began at this time or later.
    pub(crate) from: Option<UnixMillis>,
    /// Began before this time.
    pub(crate) to: Option<UnixMillis>,
    /// Whose they are.
    pub(crate) user: Option<String>,
    /// Of which conference.
    pub(crate) conference: Option<String>,
    /// What their user, conference, page, id or ids of Sora's are like: a [`pattern`].
    pub(crate) search: Option<String>,
    /// Where they come from: `browser`, `sora`, `sora-node`.
    pub(crate) source: Option<String>,
    /// The browser's name.
    pub(crate) browser: Option<String>,
    /// Sora's id of the connection.
    pub(crate) sora_connection: Option<String>,
    /// Sora's id of the session of a channel.
    pub(crate) sora_session: Option<String>,
    /// The code of the client's country.
    pub(crate) country: Option<String>,
    /// Whether they are over and stored.
    pub(crate) ended: Option<bool>,
    /// What became of their connections.
    pub(crate) outcome: Option<Outcome>,
    /// What a row of their features says.
    pub(crate) features: Vec<Condition>,
    /// Rules of which they have a finding.
    pub(crate) findings: Vec<&'static Rule>,
    /// Of which severity they have a finding.
    pub(crate) severity: Option<Severity>,
}

impl Filter {
    /// Whether further tables have to be looked at, session by session.
    pub(crate) fn asks_further(&self) -> bool {
        !self.features.is_empty() || !self.findings.is_empty()
    }

    /// Whether sessions have to be looked at one after the other, because no index tells which they are.
    pub(crate) fn looks_closely(&self) -> bool {
        self.asks_further() || self.search.is_some()
    }
}

/// What became of a session's connections. A session that runs has none yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// One was connected.
    Connected,
    /// There were some, and none was.
    Failed,
    /// There were none.
    None,
}

impl Outcome {
    /// All.
    pub(crate) const ALL: [Self; 3] = [Self::Connected, Self::Failed, Self::None];

    /// Its name, in the database and in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Failed => "failed",
            Self::None => "none",
        }
    }

    /// The one of this name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// A row of features that a session must have.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// The table.
    pub(crate) table: FeatureTable,
    /// The feature.
    pub(crate) feature: &'static Feature,
    /// How it is compared.
    pub(crate) comparison: Comparison,
    /// With what: a value of the feature's kind.
    pub(crate) operand: Operand,
}

/// How two values are compared. An absent one compares to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

impl Comparison {
    fn operator(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Unequal => "<>",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// A value that a feature is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    /// True or false.
    Bool(bool),
    /// A number without a fraction.
    Integer(i64),
    /// A number.
    Real(f64),
    /// A time.
    Time(UnixMillis),
    /// Text.
    Text(String),
}

impl Operand {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Bool(value) => Value::Bool(Some(*value)),
            Self::Integer(value) => Value::Integer(Some(*value)),
            Self::Real(value) => Value::Real(Some(*value)),
            Self::Time(value) => Value::Time(Some(*value)),
            Self::Text(value) => Value::Text(Some(value)),
        }
    }
}

/// What a search looks at.
const SEARCHED: [&str; 7] =
    ["\"user\"", "conference", "origin", "url", "CAST(id AS text)", "sora_connection_id", "sora_session_id"];

/// What a text has in front that is taken as it is in a pattern of `LIKE`.
const ESCAPE: char = '!';

/// The pattern of texts that have this in them, in small letters.
pub(crate) fn pattern(part: &str) -> String {
    let mut pattern = "%".to_owned();
    for character in part.to_lowercase().chars() {
        if matches!(character, '%' | '_' | ESCAPE) {
            pattern.push(ESCAPE);
        }
        // PostgreSQL's text has none.
        pattern.push(if character == '\0' { char::REPLACEMENT_CHARACTER } else { character });
    }
    pattern.push('%');
    pattern
}

/// A statement that grows with its parameters.
#[derive(Debug)]
pub(crate) struct Query<'v> {
    /// Its text.
    pub(crate) sql: String,
    /// Its parameters.
    pub(crate) values: Vec<Value<'v>>,
}

impl<'v> Query<'v> {
    /// Sessions that the filter lets through, behind `cursor`; `what` is selected of them. Without the conditions on features and on rules.
    pub(crate) fn of_sessions(what: &str, filter: &'v Filter, cursor: Option<ListCursor>) -> Self {
        let mut query = Self { sql: format!("SELECT {what} FROM sessions WHERE true"), values: Vec::new() };
        if let Some(ListCursor { start_time, id }) = cursor {
            query.pair("<", ListCursor { start_time, id });
        }
        query.time(">=", filter.from);
        query.time("<", filter.to);
        for (column, text) in [
            ("\"user\"", &filter.user),
            ("conference", &filter.conference),
            ("source", &filter.source),
            ("browser_name", &filter.browser),
            ("country", &filter.country),
            ("sora_connection_id", &filter.sora_connection),
            ("sora_session_id", &filter.sora_session),
        ] {
            if let Some(text) = text {
                query.and(column, "=", Value::Text(Some(text)));
            }
        }
        // Words of ours, as they are: an index of running sessions serves only who is seen to ask for these.
        if let Some(ended) = filter.ended {
            query.sql.push_str(if ended { " AND state = 'ended'" } else { " AND state = 'live'" });
        }
        if let Some(outcome) = filter.outcome {
            let _ = write!(query.sql, " AND outcome = '{}'", outcome.name());
        }
        // Who has a finding of a rule has one of its severity, and those have an index.
        let of_rules = filter.findings.iter().map(|rule| rule.severity);
        let severities: BTreeSet<Severity> = of_rules.chain(filter.severity).collect();
        for severity in severities {
            query.sql.push_str(match severity {
                Severity::Critical => " AND state = 'ended' AND critical_findings > 0",
                Severity::Warning => " AND state = 'ended' AND warning_findings > 0",
                // They are not counted.
                Severity::Notice => "",
            });
        }
        query
    }

    /// Those of them that have such rows of features, and findings of these rules. Asked of one session after the other, by the key: joined, a condition that
    /// few fulfil would have the database read all features there are. A session that was over and goes on has those of its last end until
    /// the next, and they are none of what it is now.
    pub(crate) fn with_features(mut self, filter: &'v Filter) -> Self {
        if filter.asks_further() && filter.ended != Some(true) {
            self.sql.push_str(" AND state = 'ended'");
        }
        if let Some(search) = &filter.search {
            self.values.push(Value::Text(Some(search)));
            let number = self.values.len();
            let likes = SEARCHED.map(|column| format!("lower({column}) LIKE ${number} ESCAPE '{ESCAPE}'"));
            let _ = write!(self.sql, " AND ({})", likes.join(" OR "));
        }
        for Condition { table, feature, comparison, operand } in &filter.features {
            self.values.push(operand.value());
            let _ = write!(
                self.sql,
                " AND (SELECT true FROM {} f WHERE f.session_id = sessions.id AND f.\"{}\" {} ${} LIMIT 1)",
                table.table(),
                feature.column,
                comparison.operator(),
                self.values.len(),
            );
        }
        for rule in &filter.findings {
            self.values.push(Value::Text(Some(rule.id)));
            let _ = write!(
                self.sql,
                " AND (SELECT true FROM findings f WHERE f.session_id = sessions.id AND f.rule = ${} LIMIT 1)",
                self.values.len(),
            );
        }
        self
    }

    /// Down to this session.
    pub(crate) fn down_to(mut self, last: ListCursor) -> Self {
        self.pair(">=", last);
        self
    }

    /// So many, newest first, after so many others.
    pub(crate) fn newest(mut self, limit: u32, offset: u32) -> Self {
        self.values.push(Value::Integer(Some(limit.into())));
        let _ = write!(self.sql, " ORDER BY start_time DESC, id DESC LIMIT ${}", self.values.len());
        if offset > 0 {
            self.values.push(Value::Integer(Some(offset.into())));
            let _ = write!(self.sql, " OFFSET ${}", self.values.len());
        }
        self
    }

    /// So many, in this order, behind a place in it.
    pub(crate) fn in_order(mut self, order: Order, behind: Option<Place>, limit: u32) -> Self {
        let column = order.column.sql();
        let (operator, direction) = if order.ascending { (">", "ASC") } else { ("<", "DESC") };
        let first = |start: &str, end: &str| column.map(|column| format!("{start}{column}{end}")).unwrap_or_default();
        if let Some(Place { value, session }) = behind {
            let mut numbers = Vec::new();
            if column.is_some() {
                self.values.push(Value::Integer(Some(value)));
                numbers.push(format!("${}", self.values.len()));
            }
            for value in [Value::Time(Some(session.start_time)), Value::Id(session.id)] {
                self.values.push(value);
                numbers.push(format!("${}", self.values.len()));
            }
            let _ = write!(self.sql, " AND ({}start_time, id) {operator} ({})", first("", ", "), numbers.join(", "));
        }
        self.values.push(Value::Integer(Some(limit.into())));
        let _ = write!(
            self.sql,
            " ORDER BY {}start_time {direction}, id {direction} LIMIT ${}",
            first("", &format!(" {direction}, ")),
            self.values.len()
        );
        self
    }

    fn pair(&mut self, operator: &'static str, place: ListCursor) {
        self.values.extend([Value::Time(Some(place.start_time)), Value::Id(place.id)]);
        let _ =
            write!(self.sql, " AND (start_time, id) {operator} (${}, ${})", self.values.len() - 1, self.values.len());
    }

    fn time(&mut self, operator: &'static str, time: Option<UnixMillis>) {
        if time.is_some() {
            self.and("start_time", operator, Value::Time(time));
        }
    }

    fn and(&mut self, column: &'static str, operator: &'static str, value: Value<'v>) {
        self.values.push(value);
        let _ = write!(self.sql, " AND {column} {operator} ${}", self.values.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_sent_is_never_a_part_of_the_statement() {
        let filter = Filter {
            user: Some("' OR 1=1 --".to_owned()),
            outcome: Some(Outcome::Failed),
            features: vec![Condition {
                table: FeatureTable::Track,
                feature: &rtctrace_features::TRACK_FEATURES[0],
                comparison: Comparison::Unequal,
                operand: Operand::Text("'; DROP TABLE sessions".to_owned()),
            }],
            ..Filter::default()
        };
        let query = Query::of_sessions("id", &filter, None).with_features(&filter).newest(5, 0);
        assert_eq!(
            query.sql,
            "SELECT id FROM sessions WHERE true AND \"user\" = $1 AND outcome = 'failed' AND state = 'ended' AND (SELECT true FROM \
             features_track f WHERE f.session_id = sessions.id AND f.\"kind\" <> $2 LIMIT 1) \
             ORDER BY start_time DESC, id DESC LIMIT $3"
        );
        assert_eq!(query.values.len(), 3);
    }

    #[test]
    fn what_is_searched_for_is_no_pattern_of_its_own() {
        assert_eq!(pattern("Ann%_!\0"), "%ann!%!_!!\u{fffd}%");
    }

    #[test]
    fn a_rule_is_looked_for_where_its_severity_is_counted() {
        let of = |rules: &[&str], severity| {
            let findings = rules.iter().map(|rule| Rule::of(rule).unwrap()).collect();
            let filter = Filter { findings, severity, ended: Some(true), ..Filter::default() };
            let sql = Query::of_sessions("id", &filter, None).with_features(&filter).sql;
            sql.replace("SELECT id FROM sessions WHERE true AND state = 'ended'", "")
        };
        let rule = |number: u32| {
            format!(
                " AND (SELECT true FROM findings f WHERE f.session_id = sessions.id AND f.rule = ${number} LIMIT 1)"
            )
        };
        let critical = " AND state = 'ended' AND critical_findings > 0";
        let warning = " AND state = 'ended' AND warning_findings > 0";
        assert_eq!(of(&[], Some(Severity::Warning)), warning);
        assert_eq!(of(&["page-hidden"], None), rule(1));
        assert_eq!(of(&["ice-failed"], Some(Severity::Critical)), format!("{critical}{}", rule(1)));
        assert_eq!(of(&["packet-loss", "ice-failed"], None), format!("{critical}{warning}{}{}", rule(1), rule(2)));
    }
}
