//! [`Wanted`]: members that are looked for in one entry after the other.

use crate::json::RawValue;
use crate::tables::Property;

use super::members::Member;
use super::types::Entry;

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
}
