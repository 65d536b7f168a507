//! The two quantities that settings are written in: a length of time (`500ms`, `60s`, `5m`, `1h`) and a size (`64KiB`, `4MiB`).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A length of time as settings write it. A bare number is seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

/// A number of bytes as settings write it. A bare number is bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size(pub(crate) u64);

const SPANS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
const SIZES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// Splits `1.5h` into `1.5` and what one `h` is worth in the smallest unit of `units`.
fn quantity(text: &str, bare: u64, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let worth = if unit.is_empty() { bare } else { units.iter().find(|(name, _)| *name == unit)?.1 };
    let number: f64 = number.trim().parse().ok()?;
    let value = number * worth as f64;
    (value.is_finite() && (0.0..=9e15).contains(&value)).then_some(value.round() as u64)
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        quantity(text, 1_000, &SPANS)
            .map(|ms| Self(Duration::from_millis(ms)))
            .ok_or_else(|| format!("`{text}` is no length of time; write for example 500ms, 60s, 5m, 1h or 30d"))
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        quantity(text, 1, &SIZES)
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no size; write for example 4096, 64KiB, 4MiB or 1GiB"))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        match ms {
            0 => f.write_str("0s"),
            _ if ms % 86_400_000 == 0 && ms > 86_400_000 => write!(f, "{}d", ms / 86_400_000),
            _ if ms % 3_600_000 == 0 => write!(f, "{}h", ms / 3_600_000),
            _ if ms % 60_000 == 0 && ms > 60_000 => write!(f, "{}m", ms / 60_000),
            _ if ms % 1_000 == 0 => write!(f, "{}s", ms / 1_000),
            _ => write!(f, "{ms}ms"),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, worth) in SIZES {
            if self.0 >= worth && self.0.is_multiple_of(worth) {
                return write!(f, "{}{name}", self.0 / worth);
            }
        }
        write!(f, "{}B", self.0)
    }
}

/// What a settings file may hold for a quantity: text with a unit, or a bare number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(f64),
}

fn read<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: FromStr<Err = String>,
    D: Deserializer<'de>,
{
    let text = match Written::deserialize(from)? {
        Written::Text(text) => text,
        Written::Number(number) => number.to_string(),
    };
    text.parse().map_err(de::Error::custom)
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read(from)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read(from)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_with_and_without_a_unit() {
        let ms = |text: &str| text.parse::<Span>().map(|span| span.0.as_millis());
        assert_eq!(ms("2s"), Ok(2_000));
        assert_eq!(ms("500ms"), Ok(500));
        assert_eq!(ms("1.5m"), Ok(90_000));
        assert_eq!(ms("60"), Ok(60_000));
        assert_eq!("64KiB".parse(), Ok(Size(65_536)));
        assert_eq!("4096".parse(), Ok(Size(4_096)));
        assert!("soon".parse::<Span>().is_err());
        assert!("-1s".parse::<Span>().is_err());
        assert!("5MB".parse::<Size>().is_err());
    }

    #[test]
    fn quantities_are_written_as_they_are_read() {
        for text in ["0s", "250ms", "60s", "90s", "5m", "1h"] {
            assert_eq!(text.parse::<Span>().map(|span| span.to_string()), Ok(text.to_owned()));
        }
        for text in ["0B", "100B", "64KiB", "4MiB", "1GiB"] {
            assert_eq!(text.parse::<Size>().map(|size| size.to_string()), Ok(text.to_owned()));
        }
    }
}
