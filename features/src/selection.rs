//! Which candidate pair carries a connection's packets, as far as its reports tell.

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, Report};

use crate::limits;

/// Follows the pair in use from report to report. It is the one that a transport names (W3C webrtc-stats, `selectedCandidatePairId`); where
/// none does, one that says itself that it is `selected`, as Firefox has it. Of browsers that know neither, it is a pair that is nominated, has
/// succeeded and carries bytes: of several, the one that carries most since the report before.
#[derive(Debug, Default)]
pub struct Selection {
    /// The number of the newest report.
    seen: u64,
    /// The first transport with a selected pair, and the pair.
    named: Option<(usize, usize)>,
    /// The pairs, unless a transport has selected one.
    pairs: Vec<usize>,
    has_transport: bool,
    /// The pair that is in use by what the pairs say.
    told: Option<usize>,
    /// The nominated ones of a browser that says no more, with the bytes that each had carried, and the one in use.
    nominated: Vec<(Box<str>, f64)>,
    in_use: Option<Box<str>>,
}

impl Selection {
    /// Takes in a connection's next report.
    pub fn report(&mut self, report: &Report) {
        let seen = std::mem::replace(&mut self.seen, report.generation());
        if report.reshaped() > seen {
            self.reshape(report);
        } else {
            let is_changed = |place: &usize| report.at(*place).is_some_and(|pair| pair.is_changed_since(seen));
            if !self.pairs.iter().any(is_changed) {
                return;
            }
        }
        self.told = self.says_so(report).or_else(|| self.carries_most(report));
    }

    /// The place in the newest report of the pair in use.
    #[must_use]
    pub fn pair(&self) -> Option<usize> {
        self.named.map(|(_, pair)| pair).or(self.told)
    }

    /// The places of the first transport that names its pair, and of that pair, if the report has it.
    pub(crate) fn named(&self) -> Option<(usize, usize)> {
        self.named
    }

    fn reshape(&mut self, report: &Report) {
        let places = |kind: &'static str| {
            let all = report.entries().enumerate().filter(move |(_, entry)| entry.kind() == kind);
            all.map(|(place, _)| place)
        };
        let named = places("transport").find_map(|transport| {
            let id = report.at(transport)?.member("selectedCandidatePairId")?.as_str()?;
            (!id.is_empty()).then_some((transport, id))
        });
        self.has_transport = places("transport").next().is_some();
        self.named = named.and_then(|(transport, id)| Some((transport, report.place(&id)?)));
        self.pairs = if self.named.is_none() { places("candidate-pair").collect() } else { Vec::new() };
    }

    fn says_so(&self, report: &Report) -> Option<usize> {
        let says_so = |place: &&usize| is(report.at(**place), "selected");
        self.pairs.iter().find(says_so).copied()
    }

    fn carries_most(&mut self, report: &Report) -> Option<usize> {
        let before = std::mem::take(&mut self.nominated);
        let mut pairs = self.pairs.iter().filter_map(|place| Some((*place, report.at(*place)?)));
        if self.has_transport || pairs.clone().any(|(_, pair)| pair.member("selected").is_some()) {
            self.in_use = None;
            return None;
        }
        let (mut most, mut more) = (None, 0.0);
        for (place, pair) in pairs.by_ref().filter(|(_, pair)| is_nominated(*pair)).take(limits::SELECTED_PAIRS) {
            let carried = |name| pair.member(name).and_then(RawValue::as_f64).unwrap_or(0.0);
            let bytes = carried("bytesSent") + carried("bytesReceived");
            if bytes.is_nan() || bytes <= 0.0 || pair.id().len() > limits::IDENTIFIER {
                continue;
            }
            let had = before.iter().find(|(id, _)| **id == *pair.id()).map_or(0.0, |(_, had)| *had);
            if bytes - had > more {
                (most, more) = (Some(place), bytes - had);
            }
            self.nominated.push((pair.id().into(), bytes));
        }
        let id = match most.and_then(|place| report.at(place)) {
            Some(pair) => Some(pair.id().into()),
            None => self.in_use.take().filter(|id| self.nominated.iter().any(|(known, _)| known == id)),
        };
        self.in_use = id;
        report.place(self.in_use.as_deref()?)
    }
}

fn is(entry: Option<Entry<'_>>, name: &str) -> bool {
    entry.and_then(|entry| entry.member(name)).and_then(RawValue::as_bool) == Some(true)
}

fn is_nominated(pair: Entry<'_>) -> bool {
    is(Some(pair), "nominated") && pair.member("state").is_some_and(|state| state.text() == r#""succeeded""#)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)] // A test fails by panicking.
mod tests {
    use rtctrace_protocol::event::SessionDecoder;

    use super::Selection;

    /// The ids of the pairs in use after each of these reports.
    fn in_use(reports: &[&str]) -> Vec<String> {
        let (mut decoder, mut selection) = (SessionDecoder::new(), Selection::default());
        let of = |report: &&str| {
            decoder.decode(&format!(r#"["getStats","PC_0",{{{report}}},1]"#)).unwrap();
            let report = decoder.report("PC_0").unwrap();
            selection.report(report);
            selection.pair().map_or_else(String::new, |place| report.at(place).unwrap().id().to_owned())
        };
        reports.iter().map(of).collect()
    }

    #[test]
    fn a_transport_names_it() {
        let found = in_use(&[
            r#""T":{"type":"transport"},"P":{"type":"candidate-pair","selected":true},"Q":{"type":"candidate-pair"}"#,
            r#""T":{"selectedCandidatePairId":"Q"}"#,
            r#""T":{"selectedCandidatePairId":"gone"}"#,
        ]);
        assert_eq!(found, ["P", "Q", "P"]);
    }

    #[test]
    fn pairs_say_it_themselves() {
        let found = in_use(&[
            r#""P":{"type":"candidate-pair","selected":true},"Q":{"type":"candidate-pair","nominated":true,"state":"succeeded","bytesSent":9}"#,
            r#""P":{"selected":false},"Q":{"selected":true}"#,
            r#""Q":{"bytesSent":10}"#,
            r#""Q":{"selected":false}"#,
        ]);
        assert_eq!(found, ["P", "Q", "Q", ""]);
    }

    #[test]
    fn where_nothing_says_it_bytes_do() {
        let pair = r#""type":"candidate-pair","nominated":true,"state":"succeeded""#;
        let found = in_use(&[
            &format!(r#""P":{{{pair},"bytesSent":0}},"Q":{{{pair},"bytesSent":0}}"#),
            r#""P":{"bytesSent":100}"#,
            r#""P":{"bytesSent":110},"Q":{"bytesSent":50}"#,
            r#""X":{"type":"codec"}"#,
            r#""Q":{"state":"failed"}"#,
            r#""P":{"bytesSent":120}"#,
            r#""T":{"type":"transport"},"P":{"bytesSent":130}"#,
        ]);
        assert_eq!(found, ["", "P", "Q", "Q", "", "P", ""]);
    }
}
