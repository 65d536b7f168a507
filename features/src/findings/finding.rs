//! What a finding is, and how it is told.

#[cfg(feature = "serde")]
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::rule::Rule;
use super::sentence;
#[cfg(feature = "serde")]
use crate::value::FeatureValue;
use crate::value::{Unit, UnixMillis};

/// One value that triggered a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// What it is.
    pub name: &'static str,
    /// How much, or what.
    pub measure: Measure,
    /// The unit of a number.
    pub unit: Unit,
}

/// A number or a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    /// Always finite.
    Number(f64),
    /// What is no quantity.
    Text(String),
}

#[cfg(feature = "serde")]
impl Serialize for Measure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => FeatureValue::Double(*number).serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// The track or stream that a finding is about, as far as its reports tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingTrack {
    /// `audio` or `video`.
    pub kind: Option<String>,
    /// `inbound` or `outbound`.
    pub direction: Option<&'static str>,
    /// Its media section.
    pub mid: Option<String>,
    /// Its layer of simulcast.
    pub rid: Option<String>,
    /// The id of its `MediaStreamTrack`.
    pub track_identifier: Option<String>,
    /// The id of its entry in the dump's reports.
    pub stats_id: Option<String>,
}

#[cfg(feature = "serde")]
impl FindingTrack {
    fn members(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let members = [
            ("kind", self.kind.as_deref()),
            ("direction", self.direction),
            ("mid", self.mid.as_deref()),
            ("rid", self.rid.as_deref()),
            ("trackIdentifier", self.track_identifier.as_deref()),
            ("statsId", self.stats_id.as_deref()),
        ];
        members.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}

#[cfg(feature = "serde")]
impl Serialize for FindingTrack {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.members() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Something that a rule found in a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static Rule,
    /// The id of the connection; `None` for what is of the page.
    pub connection: Option<String>,
    /// The track or stream, if it is about one.
    pub track: Option<FindingTrack>,
    /// From when.
    pub begin: UnixMillis,
    /// Until when; of what is a moment the same.
    pub end: UnixMillis,
    /// What triggered the rule.
    pub values: Vec<Measured>,
}

impl Finding {
    /// What was found, in a sentence.
    pub fn sentence(&self) -> String {
        sentence::of(self)
    }

    /// The values as one JSON object, each by its name: `{"total": {"value": 4.2, "unit": "s"}}`.
    #[cfg(feature = "serde")]
    pub fn values_json(&self) -> String {
        serde_json::to_string(&Values(&self.values)).unwrap_or_default()
    }

    /// The value of that name.
    pub fn value(&self, name: &str) -> Option<&Measured> {
        self.values.iter().find(|value| value.name == name)
    }

    /// The number of that name, in the unit of its value.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.value(name)?.measure {
            Measure::Number(number) => Some(number),
            Measure::Text(_) => None,
        }
    }

    /// The text of that name.
    pub fn text(&self, name: &str) -> Option<&str> {
        match &self.value(name)?.measure {
            Measure::Number(_) => None,
            Measure::Text(text) => Some(text),
        }
    }
}

#[cfg(feature = "serde")]
struct Values<'f>(&'f [Measured]);

#[cfg(feature = "serde")]
impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for value in self.0 {
            map.serialize_entry(value.name, &Value(value))?;
        }
        map.end()
    }
}

#[cfg(feature = "serde")]
struct Value<'f>(&'f Measured);

#[cfg(feature = "serde")]
impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut value = serializer.serialize_struct("Value", 2)?;
        value.serialize_field("value", &self.0.measure)?;
        match self.0.unit.symbol() {
            "" => value.skip_field("unit")?,
            symbol => value.serialize_field("unit", symbol)?,
        }
        value.end()
    }
}

#[cfg(feature = "serde")]
impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("rule", self.rule.id)?;
        map.serialize_entry("severity", self.rule.severity.name())?;
        if let Some(connection) = &self.connection {
            map.serialize_entry("connection", connection)?;
        }
        if let Some(track) = &self.track {
            map.serialize_entry("track", track)?;
        }
        map.serialize_entry("begin", &self.begin.0)?;
        map.serialize_entry("end", &self.end.0)?;
        map.serialize_entry("values", &Values(&self.values))?;
        map.serialize_entry("sentence", &self.sentence())?;
        map.end()
    }
}
