//! A setting with several values: an array in the file, `a, b` in the environment and on the command line.

use serde::{Deserialize, Deserializer, Serialize};

/// Values in their order, none of them empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct List(pub(crate) Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    One(String),
    Many(Vec<String>),
}

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let trimmed = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Ok(Self(match Written::deserialize(from)? {
            Written::One(text) => text.split(',').filter_map(trimmed).collect(),
            Written::Many(texts) => texts.iter().map(String::as_str).filter_map(trimmed).collect(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_arrays_and_as_text() {
        let list = |json: &str| serde_json::from_str::<List>(json).unwrap().0;
        assert_eq!(list(r#"["a", "b"]"#), ["a", "b"]);
        assert_eq!(list(r#""a, b,""#), ["a", "b"]);
        assert!(list(r#""""#).is_empty());
    }
}
