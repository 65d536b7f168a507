//! What a feature is: its description, the types that it can have, and how a value is written as JSON.

use std::fmt::Write;

use rtctrace_protocol::json::{write_i64, write_string};
#[cfg(feature = "serde")]
use serde::ser::{Serialize, Serializer};

/// One feature: a row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// Its name, as in JSON.
    pub name: &'static str,
    /// The column of the database.
    pub column: &'static str,
    /// The type of its values.
    pub kind: Kind,
    /// The unit of its values.
    pub unit: Unit,
    /// What it says, in one sentence.
    pub about: &'static str,
    /// How it is computed.
    pub formula: &'static str,
    /// What it is read from: events, and members of a report's entries.
    pub source: &'static str,
    /// Whether it is one of upstream's, of that name and value.
    pub upstream: bool,
}

/// A text for documents and databases; empty where the crate is built without these (feature `described`).
pub(crate) const fn described(text: &'static str) -> &'static str {
    if cfg!(feature = "described") { text } else { "" }
}

/// The type of a feature's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Bool,
    /// A signed integer of 64 bits.
    Integer,
    /// A floating point number of 64 bits, always finite.
    Double,
    /// A point in time.
    Time,
    /// Text.
    Text,
    /// A JSON value.
    Json,
}

/// The unit of a feature's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Not a quantity.
    None,
    /// A time: milliseconds since 1970.
    UnixMilliseconds,
    /// How many.
    Count,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Bits per second.
    BitsPerSecond,
    /// Frames per second.
    FramesPerSecond,
    /// A mean opinion score, from 1 to 5.
    Score,
    /// Gibibytes.
    Gibibytes,
    /// From 0 to 1.
    Fraction,
    /// Pixels.
    Pixels,
    /// Decibels.
    Decibels,
}

impl Unit {
    /// As it is written behind a number; empty for what is no quantity.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::None => "",
            Self::UnixMilliseconds => "ms since 1970",
            Self::Count => "1",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::BitsPerSecond => "bit/s",
            Self::FramesPerSecond => "1/s",
            Self::Score => "MOS",
            Self::Gibibytes => "GiB",
            Self::Fraction => "0..1",
            Self::Pixels => "px",
            Self::Decibels => "dB",
        }
    }
}

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixMillis(pub i64);

/// The text of a JSON value; whoever gets it can parse it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(String);

impl Json {
    /// Keeps `text` if it is JSON, not nested too deeply, and within the limit on JSON features.
    pub(crate) fn new(text: &str) -> Option<Self> {
        (text.len() <= crate::limits::JSON && can_be_parsed(text)).then(|| Self(text.to_owned()))
    }

    /// The JSON text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

#[cfg(feature = "serde")]
fn can_be_parsed(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok()
}

/// JavaScript parses all that is JSON.
#[cfg(not(feature = "serde"))]
fn can_be_parsed(text: &str) -> bool {
    rtctrace_protocol::json::RawValue::parse(text).is_ok()
}

/// The value of one feature of one session or connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FeatureValue<'a> {
    /// See [`Kind::Bool`].
    Bool(bool),
    /// See [`Kind::Integer`].
    Integer(i64),
    /// See [`Kind::Double`].
    Double(f64),
    /// See [`Kind::Time`].
    Time(UnixMillis),
    /// See [`Kind::Text`].
    Text(&'a str),
    /// See [`Kind::Json`].
    Json(&'a str),
}

/// Above this, not every integer is a double of its own.
const SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// The number, if it is an integer that JavaScript can count to: it writes `16`, not `16.0`.
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= SAFE_INTEGER).then_some(number as i64)
}

impl FeatureValue<'_> {
    /// Appends the value as JSON.
    pub(crate) fn write_json(&self, out: &mut String) {
        match *self {
            Self::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Self::Integer(value) | Self::Time(UnixMillis(value)) => write_i64(out, value),
            Self::Double(value) => match whole(value) {
                Some(value) => write_i64(out, value),
                None if value.is_finite() => {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "{value}");
                }
                None => out.push_str("null"),
            },
            Self::Text(value) => write_string(out, value),
            Self::Json(text) => out.push_str(text),
        }
    }
}

#[cfg(feature = "serde")]
impl Serialize for FeatureValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Bool(value) => serializer.serialize_bool(value),
            Self::Integer(value) | Self::Time(UnixMillis(value)) => serializer.serialize_i64(value),
            Self::Double(value) => match whole(value) {
                Some(value) => serializer.serialize_i64(value),
                None => serializer.serialize_f64(value),
            },
            Self::Text(value) => serializer.serialize_str(value),
            Self::Json(text) => {
                serde_json::from_str::<serde_json::Value>(text).unwrap_or_default().serialize(serializer)
            }
        }
    }
}

/// A type that a field of a feature struct can have.
pub(crate) trait Column: Field {
    const KIND: Kind;
}

/// A field of a feature struct. One of type `bool` or `u64` always has a value.
pub(crate) trait Field {
    /// The value, unless it is absent.
    fn value(&self) -> Option<FeatureValue<'_>>;
}

impl Column for bool {
    const KIND: Kind = Kind::Bool;
}

impl Field for bool {
    fn value(&self) -> Option<FeatureValue<'_>> {
        Some(FeatureValue::Bool(*self))
    }
}

impl Column for u64 {
    const KIND: Kind = Kind::Integer;
}

impl Field for u64 {
    fn value(&self) -> Option<FeatureValue<'_>> {
        Some(FeatureValue::Integer(i64::try_from(*self).unwrap_or(i64::MAX)))
    }
}

impl Column for Option<bool> {
    const KIND: Kind = Kind::Bool;
}

impl Field for Option<bool> {
    fn value(&self) -> Option<FeatureValue<'_>> {
        self.map(FeatureValue::Bool)
    }
}

impl Column for Option<u64> {
    const KIND: Kind = Kind::Integer;
}

impl Field for Option<u64> {
    fn value(&self) -> Option<FeatureValue<'_>> {
        self.as_ref().and_then(Field::value)
    }
}

impl Column for Option<i64> {
    const KIND: Kind = Kind::Integer;
}

impl Field for Option<i64> {
    fn value(&self) -> Option<FeatureValue<'_>> {
        self.map(FeatureValue::Integer)
    }
}

impl Column for Option<f64> {
    const KIND: Kind = Kind::Double;
}

impl Field for Option<f64> {
    fn value(&self) -> Option<FeatureValue<'_>> {
        self.filter(|value| value.is_finite()).map(FeatureValue::Double)
    }
}

impl Column for Option<UnixMillis> {
    const KIND: Kind = Kind::Time;
}

impl Field for Option<UnixMillis> {
    fn value(&self) -> Option<FeatureValue<'_>> {
        self.map(FeatureValue::Time)
    }
}

impl Column for Option<String> {
    const KIND: Kind = Kind::Text;
}

impl Field for Option<String> {
    fn value(&self) -> Option<FeatureValue<'_>> {
        self.as_deref().map(FeatureValue::Text)
    }
}

impl Column for Option<Json> {
    const KIND: Kind = Kind::Json;
}

impl Field for Option<Json> {
    fn value(&self) -> Option<FeatureValue<'_>> {
        self.as_ref().map(|json| FeatureValue::Json(json.text()))
    }
}
