//! The static tables of the rtcstats 5.0 wire and dump format: names and the tokens that stand for them. A token is never
//! given to another name. Tokens that readers must know and writers must not send are kept apart.

mod index;
mod rows;
#[cfg(test)]
mod tests;

use crate::json::RawValue;
#[cfg(feature = "std")]
use index::PROPERTY_MARKS;
use index::{METHOD_TABLE, PROPERTY_TABLE, TYPE_TABLE};
use rows::{METHODS_READ_ONLY, PROPERTIES_READ_ONLY};

/// The token of `getStats` is a letter; all others are numbers.
const GET_STATS: (&str, &str) = ("getStats", "g");

fn is_only_read(table: &[(&str, u8)], token: u8) -> bool {
    cfg!(feature = "std") && table.iter().any(|(_, number)| *number == token)
}

/// What a writer puts in a line for a method.
pub(crate) enum MethodToken {
    /// The letter of `getStats`.
    Letter(&'static str),
    /// A number.
    Number(u8),
    /// The method has no token: its name travels as it is.
    Name,
}

pub(crate) fn method_token(name: &str) -> MethodToken {
    if name == GET_STATS.0 {
        return MethodToken::Letter(GET_STATS.1);
    }
    match METHOD_TABLE.token(name) {
        Some(token) if !is_only_read(METHODS_READ_ONLY, token) => MethodToken::Number(token),
        _ => MethodToken::Name,
    }
}

/// The name of the method whose token is that number.
pub(crate) fn method_of_number(token: RawValue<'_>) -> Option<&'static str> {
    METHOD_TABLE.name(u8::try_from(token.as_u64()?).ok()?)
}

/// The name of the method whose token is that string, when it is one.
pub(crate) fn method_of_letter(token: &str) -> Option<&'static str> {
    (token == GET_STATS.1).then_some(GET_STATS.0)
}

/// The token of a value of `type`.
pub(crate) fn type_token(name: &str) -> Option<u8> {
    TYPE_TABLE.token(name)
}

/// The value of `type` behind a token.
#[cfg(feature = "std")]
pub(crate) fn type_of_token(token: RawValue<'_>) -> Option<&'static str> {
    TYPE_TABLE.name(u8::try_from(token.as_u64()?).ok()?)
}

/// The value of `type` whose token is that number.
#[cfg(feature = "std")]
pub(crate) fn type_name(token: u8) -> Option<&'static str> {
    TYPE_TABLE.name(token)
}

/// A member name that has a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Property(core::num::NonZeroU8);

impl Property {
    /// The property of that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        core::num::NonZeroU8::new(PROPERTY_TABLE.token(name)?).map(Self)
    }

    /// The property behind the token `text`, digits as they stand in an object key.
    #[cfg(feature = "std")]
    pub(crate) fn of_token(text: &str) -> Option<Self> {
        // Every member of every report comes through here.
        if text.len() > 3 || text.starts_with('0') {
            return None;
        }
        let mut token = 0_u16;
        for byte in text.bytes() {
            if !byte.is_ascii_digit() {
                return None;
            }
            token = token * 10 + u16::from(byte - b'0');
        }
        Self::of_number(u32::from(token))
    }

    /// The property whose token is that number.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn of_number(token: u32) -> Option<Self> {
        let token = u8::try_from(token).ok()?;
        let exists = PROPERTY_MARKS.get(usize::from(token)).is_some_and(|mark| *mark != 0);
        core::num::NonZeroU8::new(token).filter(|_| exists).map(Self)
    }

    /// Whether its value names another entry, or a track.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn is_reference(self) -> bool {
        PROPERTY_MARKS.get(usize::from(self.0.get())).is_some_and(|mark| mark & 2 != 0)
    }

    /// The property of that index, if it is one.
    #[cfg(feature = "std")]
    pub(crate) fn at(index: u32) -> Option<Self> {
        core::num::NonZeroU8::new(u8::try_from(index).ok()?).map(Self)
    }

    /// A number of its own, from 1 to 255.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0.get())
    }

    #[cfg(feature = "std")]
    pub(crate) fn name(self) -> &'static str {
        PROPERTY_TABLE.name(self.0.get()).unwrap_or_default()
    }

    /// The token that a writer may send.
    pub(crate) fn token(self) -> Option<u8> {
        Some(self.0.get()).filter(|token| !is_only_read(PROPERTIES_READ_ONLY, *token))
    }
}
