//! The parameters that say which sessions a list or an export is about.

use rtctrace_features::{Feature, Kind, RULES, Rule, Severity};
use utoipa::{IntoParams, ToSchema};

use crate::api::parameters::{Parameters, TIME, bad, nearest, time};
use crate::api::shorten;
use crate::problem::Problem;
use crate::store::features::FeatureTable;
use crate::store::filter::{Comparison, Condition, Filter, Operand, Outcome, pattern};

/// Their names.
pub(crate) const FILTERS: &[&str] = &[
    "from",
    "to",
    "user",
    "conference",
    "search",
    "source",
    "browser",
    "country",
    "soraConnection",
    "soraSession",
    "state",
    "outcome",
    "feature",
    "finding",
    "severity",
];

/// So many conditions on features, and so many on rules, has a request at most.
const MOST_CONDITIONS: usize = 16;

/// The tables of features, in the order in which a name without a prefix is looked for.
const TABLES: [FeatureTable; 3] = [FeatureTable::Connection, FeatureTable::Track, FeatureTable::Client];

/// Operators; one that begins like another comes first.
const OPERATORS: [(&str, Comparison); 6] = [
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    ("!=", Comparison::Unequal),
    (">", Comparison::More),
    ("<", Comparison::Less),
    ("=", Comparison::Equal),
];

/// Severities that are counted.
const SEVERITIES: [Severity; 2] = [Severity::Critical, Severity::Warning];

/// Whether a session runs, or is over and stored.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
enum State {
    Live,
    Ended,
}

/// What became of a session's connections.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
enum Outcomes {
    Connected,
    Failed,
    None,
}

/// How bad the findings are that a session has.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
enum Severities {
    Critical,
    Warning,
}

/// How the filters are documented.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // They are read by name.
pub(crate) struct FilterParameters {
    /// Sessions that began at this time or later: RFC 3339, or milliseconds since 1970.
    #[param(example = "2026-11-20T07:00:00Z")]
    from: Option<String>,
    /// Sessions that began before this time.
    to: Option<String>,
    /// Whose they are, as their clients' tokens say.
    user: Option<String>,
    /// Of which conference they are.
    conference: Option<String>,
    /// What their user, conference, page, id, or one of Sora's ids has in it, in small letters or capitals.
    search: Option<String>,
    /// Where they come from: `browser`, `sora` (a connection to the SFU Sora, as that tells of it), or `sora-node` (one of its nodes).
    source: Option<String>,
    /// The browser's name: `Chrome`, `Firefox`, `Safari`.
    browser: Option<String>,
    /// The ISO 3166-1 code of the country where the client is.
    #[param(example = "AT")]
    country: Option<String>,
    /// Sora's id of a connection.
    #[param(rename = "soraConnection")]
    sora_connection: Option<String>,
    /// Sora's id of the session of a channel.
    #[param(rename = "soraSession")]
    sora_session: Option<String>,
    /// `live` or `ended`.
    #[param(inline, value_type = Option<State>)]
    state: Option<String>,
    /// Of sessions that have ended: `connected`, one of its connections was; `failed`, it had some, and none was; `none`, it had none.
    #[param(inline, value_type = Option<Outcomes>)]
    outcome: Option<String>,
    /// A condition on a feature, `name>value`, with `>`, `>=`, `<`, `<=`, `=` or `!=`; repeatable, and then all must hold. In a URL, `>` is `%3E` and `<` is `%3C`. A session fulfils it
    /// if any of its connections or tracks does; one that lacks the feature does not. A name is looked for in the features of connections, of
    /// tracks, of the client; `connection.`, `track.` and `client.` before it say in which. Text and booleans take `=` and `!=`.
    #[param(example = "iceConnectionTime>1000")]
    feature: Option<Vec<String>>,
    /// The id of a rule of which a session has a finding; repeatable, and then it must have one of each.
    #[param(example = "ice-failed")]
    finding: Option<Vec<String>>,
    /// `critical` or `warning`: sessions that have such a finding.
    #[param(inline, value_type = Option<Severities>)]
    severity: Option<String>,
}

/// What the parameters ask for.
pub(crate) fn filter(parameters: &Parameters) -> Result<Filter, Problem> {
    let word = |name: &str, words: &[&str]| {
        let text = parameters.text(name)?;
        let found = text.map(|text| {
            let wrong = || bad(format!("{name} is `{}`; it is one of {}.", shorten(text), words.join(", ")));
            words.iter().position(|word| *word == text).ok_or_else(wrong)
        });
        found.transpose()
    };
    let outcomes = Outcome::ALL.map(Outcome::name);
    Ok(Filter {
        from: parameters.time("from")?,
        to: parameters.time("to")?,
        user: parameters.string("user")?,
        conference: parameters.string("conference")?,
        search: parameters.text("search")?.map(pattern),
        source: parameters.string("source")?,
        browser: parameters.string("browser")?,
        country: parameters.string("country")?.map(|code| code.to_ascii_uppercase()),
        sora_connection: parameters.string("soraConnection")?,
        sora_session: parameters.string("soraSession")?,
        ended: word("state", &["live", "ended"])?.map(|position| position == 1),
        outcome: word("outcome", &outcomes)?.and_then(|position| Outcome::ALL.get(position).copied()),
        features: parameters.all("feature", MOST_CONDITIONS)?.map(condition).collect::<Result<_, _>>()?,
        findings: parameters.all("finding", MOST_CONDITIONS)?.map(rule).collect::<Result<_, _>>()?,
        severity: word("severity", &SEVERITIES.map(Severity::name))?
            .and_then(|position| SEVERITIES.get(position).copied()),
    })
}

/// The rule of that id.
fn rule(id: &str) -> Result<&'static Rule, Problem> {
    Rule::of(id).ok_or_else(|| {
        let meant = nearest(id, RULES.iter().map(|rule| rule.id));
        bad(format!("There is no rule `{}`; did you mean `{meant}`?", shorten(id)))
    })
}

/// `name>value`.
fn condition(text: &str) -> Result<Condition, Problem> {
    let Some(end) = text.find(['>', '<', '=', '!']) else {
        let detail = format!("feature is `{}`; it is a name, one of > >= < <= = !=, and a value.", shorten(text));
        return Err(bad(detail));
    };
    let (name, rest) = text.split_at(end);
    let operator = OPERATORS.iter().find_map(|(text, comparison)| Some((*text, *comparison, rest.strip_prefix(text)?)));
    let Some((operator, comparison, value)) = operator else {
        return Err(bad(format!("feature is `{}`; what follows `!` is `=`.", shorten(text))));
    };
    let (table, feature) = find(name).ok_or_else(|| unknown(name))?;
    let wrong = |what: &str| bad(format!("`{}` is no value of {}, which is {what}.", shorten(value), feature.name));
    let is_order = !matches!(comparison, Comparison::Equal | Comparison::Unequal);
    let operand = match feature.kind {
        Kind::Json => {
            return Err(bad(format!("{} is JSON, which is not compared.", feature.name)));
        }
        Kind::Bool | Kind::Text if is_order => {
            return Err(bad(format!("{} takes = and !=, and not {operator}.", feature.name)));
        }
        Kind::Bool => Operand::Bool(value.parse().map_err(|_| wrong("`true` or `false`"))?),
        Kind::Text => Operand::Text(value.to_owned()),
        Kind::Integer => Operand::Integer(value.parse().map_err(|_| wrong("a whole number of 64 bits"))?),
        Kind::Double => {
            let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
            Operand::Real(number.ok_or_else(|| wrong("a number"))?)
        }
        Kind::Time => Operand::Time(time(value).ok_or_else(|| wrong(TIME))?),
    };
    Ok(Condition { table, feature, comparison, operand })
}

/// The feature that a name means, and its table.
fn find(name: &str) -> Option<(FeatureTable, &'static Feature)> {
    TABLES.into_iter().find_map(|table| {
        let rest = match name.split_once('.') {
            None => name,
            Some((prefix, rest)) if prefix == table.name() => rest,
            Some(_) => return None,
        };
        Some((table, table.features().iter().find(|feature| feature.name == rest)?))
    })
}

fn unknown(name: &str) -> Problem {
    let prefixed = name.split_once('.');
    let table = prefixed.and_then(|(prefix, _)| TABLES.into_iter().find(|table| table.name() == prefix));
    let names = |table: FeatureTable| table.features().iter().map(|feature| feature.name);
    let meant = match (table, prefixed) {
        (Some(table), Some((prefix, rest))) => format!("{prefix}.{}", nearest(rest, names(table))),
        _ => nearest(name, TABLES.into_iter().flat_map(names)).to_owned(),
    };
    bad(format!("There is no feature `{}`; did you mean `{meant}`?", shorten(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(FeatureTable, &'static str, Comparison, Operand), String> {
        let found = condition(text).map_err(|problem| format!("{problem:?}"))?;
        Ok((found.table, found.feature.column, found.comparison, found.operand))
    }

    #[test]
    fn a_condition_is_read_by_its_features_kind() {
        let [connection, track, client] = TABLES;
        for (text, expected) in [
            ("iceConnectionTime>1000", (connection, "ice_connection_time", Comparison::More, Operand::Integer(1000))),
            ("track.freezeCount>=3", (track, "freeze_count", Comparison::AtLeast, Operand::Integer(3))),
            ("freezeCount<=-3", (track, "freeze_count", Comparison::AtMost, Operand::Integer(-3))),
            ("duration=5", (connection, "duration", Comparison::Equal, Operand::Integer(5))),
            ("client.duration!=5", (client, "duration", Comparison::Unequal, Operand::Integer(5))),
            ("totalFreezesDuration<0.5", (track, "total_freezes_duration", Comparison::Less, Operand::Real(0.5))),
            ("connected=false", (connection, "connected", Comparison::Equal, Operand::Bool(false))),
            ("kind=a=b'", (track, "kind", Comparison::Equal, Operand::Text("a=b'".to_owned()))),
            (
                "startTime>1970-01-01T00:00:01Z",
                (connection, "start_time", Comparison::More, Operand::Time(crate::session::UnixMillis(1000))),
            ),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_wrong_condition_says_what_is_right() {
        for (text, expected) in [
            ("iceConnectionTimes>1000", "did you mean `iceConnectionTime`?"),
            ("track.iceConnectionTime>1000", "There is no feature `track.iceConnectionTime`; did you mean `track."),
            ("server.duration>1", "There is no feature `server.duration`"),
            ("iceConnectionTime", "it is a name, one of"),
            ("iceConnectionTime!1", "what follows `!` is `=`"),
            ("iceConnectionTime>1.5", "a whole number"),
            ("iceConnectionTime>99999999999999999999", "a whole number"),
            ("iceConnectionTime>", "a whole number"),
            ("totalFreezesDuration>NaN", "a number"),
            ("totalFreezesDuration>1e999", "a number"),
            ("connected>true", "takes = and !="),
            ("kind<audio", "takes = and !="),
            ("connected=yes", "`true` or `false`"),
            ("screen=1", "is JSON"),
            (">1", "There is no feature ``"),
        ] {
            let problem = read(text).unwrap_err();
            assert!(problem.contains(expected), "{text}: {problem}");
        }
    }
}
