//! The parameters of a query: which there are, how often each may be given, and how their values are read. A wrong one is a problem that
//! says what is right.

use std::fmt::Display;
use std::str::FromStr;

use axum::http::Uri;

use super::shorten;
use crate::problem::{Problem, Reason};
use crate::session::UnixMillis;

/// The parameters of a request.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Those of a URL, which may have the `known` ones and no others.
    pub(crate) fn of(uri: &Uri, known: &[&[&str]]) -> Result<Self, Problem> {
        let names = || known.iter().flat_map(|names| names.iter().copied());
        let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let pairs: Vec<(String, String)> = pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        for (name, _) in &pairs {
            if !names().any(|known| known == name) {
                let nearest = nearest(name, names());
                return Err(bad(format!("There is no parameter `{}`; did you mean `{nearest}`?", shorten(name))));
            }
        }
        Ok(Self(pairs))
    }

    /// The values of one that may be repeated, at most so many.
    pub(crate) fn all(&self, name: &str, most: usize) -> Result<impl Iterator<Item = &str>, Problem> {
        let values = || self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str());
        if values().count() > most {
            return Err(bad(format!("{name} is given more than {most} times.")));
        }
        Ok(values())
    }

    /// The value of one that is given once, if at all.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        Ok(self.all(name, 1)?.next())
    }

    /// The same, owned.
    pub(crate) fn string(&self, name: &str) -> Result<Option<String>, Problem> {
        Ok(self.text(name)?.map(str::to_owned))
    }

    /// A value that is read from its text; `what` says what such a text is.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, Problem> {
        self.text(name)?.map(|text| text.parse().map_err(|_| wrong(name, text, what))).transpose()
    }

    /// A number in a range.
    pub(crate) fn number(&self, name: &str, from: u32, to: u32) -> Result<Option<u32>, Problem> {
        let what = format!("a number from {from} to {to}");
        match self.parsed::<u32>(name, &what)? {
            Some(number) if !(from..=to).contains(&number) => Err(wrong(name, &number.to_string(), &what)),
            number => Ok(number),
        }
    }

    /// A time.
    pub(crate) fn time(&self, name: &str) -> Result<Option<UnixMillis>, Problem> {
        self.text(name)?.map(|text| time(text).ok_or_else(|| wrong(name, text, TIME))).transpose()
    }
}

/// How a time may be written.
pub(crate) const TIME: &str =
    "a time as in RFC 3339 (2026-11-20T07:23:03Z), or milliseconds since 1970, before the year 10000";

/// A time, as in RFC 3339 or in milliseconds since 1970.
pub(crate) fn time(text: &str) -> Option<UnixMillis> {
    let millis = match text.parse::<i64>() {
        Ok(millis) => millis,
        // A `+` that nobody escaped has become a space.
        Err(_) => chrono::DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok()?.timestamp_millis(),
    };
    UnixMillis::in_calendar(millis)
}

/// Of the known names, the one that was meant most probably.
pub(crate) fn nearest<'k>(wrong: &str, known: impl Iterator<Item = &'k str>) -> &'k str {
    // The time that this takes grows with the length, which is a client's.
    let wrong = shorten(wrong);
    known.min_by_key(|name| strsim::damerau_levenshtein(&wrong, name)).unwrap_or_default()
}

/// A problem with a parameter.
pub(crate) fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(Reason::BadParameter, detail)
}

fn wrong(name: &str, text: &str, what: impl Display) -> Problem {
    bad(format!("{name} is `{}`; it is {what}.", shorten(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_ways_and_only_those_that_a_database_has() {
        let expected = Some(UnixMillis(1_795_159_383_861));
        for text in [
            "1795159383861",
            "2026-11-20T07:23:03.861Z",
            "2026-11-20T08:23:03.861+01:00",
            "2026-11-20T08:23:03.861 01:00",
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
        for text in ["", "-1", "253402300800000", "99999999999999999999", "2026-11-20", "1e3", "\0"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn an_unknown_parameter_names_the_nearest() {
        let of =
            |query: &str| Parameters::of(&format!("/x?{query}").parse().unwrap(), &[&["user", "browser"], &["limit"]]);
        assert!(of("user=a&limit=1").is_ok());
        let problem = format!("{:?}", of("browsr=a").unwrap_err());
        assert!(problem.contains("`browsr`; did you mean `browser`?"), "{problem}");
        of(&"x".repeat(60_000)).unwrap_err();
        of("user=a&user=b").unwrap().text("user").unwrap_err();
    }
}
