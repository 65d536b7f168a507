//! [`Wanted`]: members that are looked for in one entry after the other; [`Places`]: in one entry through many reports.

use crate::json::RawValue;
use crate::tables::Property;

use super::members::{Key, Member};
use super::types::{Entry, Shape};

/// Members that are looked for in many entries. All of them are found in one pass over an entry, most without a comparison of
/// names.
#[derive(Debug)]
pub struct Wanted<const N: usize> {
    names: [&'static str; N],
    /// By token: the place in `names`; `N` and above for what is not wanted.
    places: [usize; 256],
    /// The places of names that have no token.
    others: Vec<usize>,
}

impl<const N: usize> Wanted<N> {
    /// Members by these names, each there once.
    #[must_use]
    pub fn new(names: [&'static str; N]) -> Self {
        let mut wanted = Self { names, places: [N; 256], others: Vec::new() };
        for (at, name) in names.iter().enumerate() {
            match Property::of_name(name).and_then(|property| wanted.places.get_mut(property.index())) {
                Some(place) => *place = at,
                None => wanted.others.push(at),
            }
        }
        wanted
    }

    /// Whether an entry has one of these members.
    #[must_use]
    pub fn is_any_in(&self, entry: Entry<'_>) -> bool {
        entry.raw_members().any(|member| self.place(&member).is_some_and(|place| place < N))
    }

    fn place(&self, member: &Member<'_>) -> Option<usize> {
        match member.property() {
            Some(property) => self.places.get(property.index()).copied(),
            None => self.others.iter().copied().find(|at| self.names.get(*at) == Some(&member.name())),
        }
    }

    /// The values of these members in an entry, in the order of the names.
    #[must_use]
    pub fn of<'e>(&self, entry: Entry<'e>) -> [Option<RawValue<'e>>; N] {
        let mut values = [None; N];
        for member in entry.raw_members() {
            if let Some(value) = self.place(&member).and_then(|place| values.get_mut(place)) {
                *value = Some(member.value);
            }
        }
        values
    }
}

/// Where wanted members are in one entry. They are looked for again only when members have come or gone.
#[derive(Debug, Clone)]
pub struct Places<const N: usize> {
    shape: Shape,
    at: [u16; N],
}

/// The place of what an entry has not.
const NOWHERE: u16 = u16::MAX;

impl<const N: usize> Default for Places<N> {
    fn default() -> Self {
        Self { shape: Shape::default(), at: [NOWHERE; N] }
    }
}

impl<const N: usize> Places<N> {
    /// Finds the members in `entry`, which is the one they were found in before, if they were.
    #[inline]
    pub fn find(&mut self, wanted: &Wanted<N>, entry: Entry<'_>) {
        if self.shape != entry.shape() {
            self.find_anew(wanted, entry);
        }
    }

    #[cold]
    fn find_anew(&mut self, wanted: &Wanted<N>, entry: Entry<'_>) {
        self.shape = entry.shape();
        for (at, name) in self.at.iter_mut().zip(wanted.names) {
            let place = entry.held.members.place(&Key::of_name(name));
            *at = place.and_then(|place| u16::try_from(place).ok()).unwrap_or(NOWHERE);
        }
    }

    /// The value of a member, by its place among the wanted names, in the entry that they were found in.
    #[inline]
    #[must_use]
    pub fn value<'e>(&self, entry: Entry<'e>, name: usize) -> Option<RawValue<'e>> {
        let at = *self.at.get(name)?;
        if at == NOWHERE { None } else { entry.value_at(usize::from(at)) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ReportDecoder;
    use super::*;

    #[test]
    fn members_are_found_whether_they_have_a_token_or_not() {
        let wanted = Wanted::new(["mimeType", "inventedHere", "payloadType", "bytesSent"]);
        let mut decoder = ReportDecoder::new();
        let delta = r#"{"0":{"type":"codec","payloadType":111,"inventedHere":[1],"other":2,"mimeType":"audio/opus"}}"#;
        let report = decoder.decode(RawValue::parse(delta).unwrap()).unwrap();
        let found = wanted.of(report.get("0").unwrap()).map(|value| value.map(RawValue::text));
        assert_eq!(found, [Some("\"audio/opus\""), Some("[1]"), Some("111"), None]);
    }

    #[test]
    fn places_are_right_whatever_comes_and_goes() {
        let wanted = Wanted::new(["bytesSent", "inventedHere", "mid"]);
        let mut places = Places::default();
        let mut decoder = ReportDecoder::new();
        for (delta, expected) in [
            (r#"{"0":{"mid":"a","bytesSent":1}}"#, [Some("1"), None, Some("\"a\"")]),
            (r#"{"0":{"bytesSent":2}}"#, [Some("2"), None, Some("\"a\"")]),
            (r#"{"0":{"mid":null,"inventedHere":3}}"#, [Some("2"), Some("3"), None]),
            (r#"{"0":{"mid":"b","inventedHere":null,"bytesSent":4}}"#, [Some("4"), None, Some("\"b\"")]),
            (r#"{"0":null,"0":{"inventedHere":5}}"#, [None, Some("5"), None]),
        ] {
            let report = decoder.decode(RawValue::parse(delta).unwrap()).unwrap();
            let entry = report.get("0").unwrap();
            places.find(&wanted, entry);
            let found = [0, 1, 2].map(|name| places.value(entry, name).map(RawValue::text));
            assert_eq!(found, expected, "{delta}");
        }
    }
}
