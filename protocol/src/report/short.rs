//! [`Text`]: the JSON of a member. Nearly all are numbers, and a session has hundreds: in allocations of their own, they would take
//! several times their length, and the processor would wait for each.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;

/// The most bytes that need no allocation. The longest number that JavaScript writes has 25, but hardly any has more than 22.
const INLINE: usize = 22;

/// A text that mostly lies where it is held.
#[derive(Debug, Clone)]
pub(super) enum Text {
    Inline { length: u8, bytes: [u8; INLINE] },
    Heap(Box<str>),
}

impl Text {
    pub(super) const EMPTY: Self = Self::Inline { length: 0, bytes: [0; INLINE] };

    pub(super) fn as_str(&self) -> &str {
        match self {
            // What is held was a text.
            Self::Inline { length, bytes } => {
                bytes.get(..usize::from(*length)).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default()
            }
            Self::Heap(text) => text,
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Inline { length, .. } => usize::from(*length),
            Self::Heap(text) => text.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        let mut bytes = [0; INLINE];
        match bytes.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(text.as_bytes());
                Self::Inline { length: text.len() as u8, bytes }
            }
            None => Self::Heap(text.to_owned().into_boxed_str()),
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        if text.len() <= INLINE { text.as_str().into() } else { Self::Heap(text.into_boxed_str()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_it_was_made_of_and_takes_no_more_than_a_string() {
        for length in [0, 1, INLINE - 1, INLINE, INLINE + 1, 1000] {
            let text = "é".repeat(length / 2) + &"x".repeat(length % 2);
            for held in [Text::from(&*text), Text::from(text.clone())] {
                assert_eq!((held.as_str(), held.len(), held.is_empty()), (&*text, length, length == 0));
                assert_eq!(matches!(held, Text::Heap(_)), length > INLINE);
            }
        }
        assert!(Text::EMPTY.is_empty());
        assert_eq!(size_of::<Text>(), size_of::<String>());
    }
}
