//! The skipper: where a value of a text that has been validated ends. Of any other text it says some offset within it.

use super::words::plain_prefix;
#[cfg(feature = "std")]
use super::words::{ONES, count, equals, exactly_equals};

/// The offset behind the string whose opening quote is at `at`. The text must have been validated; if it has not, the
/// result is some offset within it.
pub(crate) fn skip_string(bytes: &[u8], at: usize) -> usize {
    string_end(bytes, at + 1)
}

/// The offset behind the string of whose inside some is behind `at`.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    loop {
        at += plain_prefix(bytes.get(at..).unwrap_or_default());
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') => return at + 1,
            Some(_) => at += 1,
            None => return bytes.len(),
        }
    }
}

/// The offset behind the value that starts at `at`, in validated text without white space before it.
#[inline]
pub(crate) fn skip_value(bytes: &[u8], mut at: usize) -> usize {
    match bytes.get(at) {
        Some(b'"') => skip_string(bytes, at),
        Some(b'{' | b'[') => skip_container(bytes, at),
        // A number or a word, which are most values.
        _ => {
            while bytes.get(at).is_some_and(|byte| !ends_scalar(*byte)) {
                at += 1;
            }
            at
        }
    }
}

/// Whether a byte cannot be a part of a number or a word.
const fn ends_scalar(byte: u8) -> bool {
    matches!(byte, b',' | b':' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'[' | b'{')
}

/// The offset behind the array or object that starts at `at`.
fn skip_container(bytes: &[u8], at: usize) -> usize {
    let mut depth = 1_usize;
    let mut at = at + 1;
    loop {
        #[cfg(feature = "std")]
        {
            let mut blocks = Blocks { bytes, at, depth, in_string: 0 };
            if blocks.reach_end() {
                return blocks.at;
            }
            (at, depth) = (blocks.at, blocks.depth);
            if blocks.in_string != 0 {
                at = string_end(bytes, at);
                continue;
            }
        }
        match bytes.get(at) {
            Some(b'"') => at = skip_string(bytes, at),
            Some(b'{' | b'[') => {
                depth += 1;
                at += 1;
            }
            Some(b'}' | b']') => {
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return at;
                }
            }
            Some(_) => at += 1,
            None => return bytes.len(),
        }
    }
}

/// So many bytes are looked at together. Most such blocks of a report have no bracket.
#[cfg(feature = "std")]
const BLOCK: usize = 32;

/// The way through a container, a block at a time.
#[cfg(feature = "std")]
struct Blocks<'a> {
    bytes: &'a [u8],
    at: usize,
    /// How many containers are open.
    depth: usize,
    /// All ones inside a string.
    in_string: u64,
}

#[cfg(feature = "std")]
impl Blocks<'_> {
    /// Goes on to the end of the container: true, and it is behind us. False in front of a block that has an escape, or that
    /// is none any more because the text ends.
    #[inline(always)]
    fn reach_end(&mut self) -> bool {
        let mut rest = self.bytes.get(self.at..).unwrap_or_default();
        while let Some((block, behind)) = rest.split_first_chunk::<BLOCK>() {
            let (mut quotes, mut others) = (0_u8, 0_u8);
            for byte in block {
                quotes += u8::from(*byte == b'"');
                // Brackets and the backslash, which lies between them; so does `|`.
                others |= u8::from((byte | 0x20).wrapping_sub(b'{') < 3);
            }
            let (words, _) = block.as_chunks::<8>();
            if others == 0 {
                self.in_string ^= 0_u64.wrapping_sub(u64::from(quotes & 1));
            } else if words.iter().any(|word| equals(u64::from_le_bytes(*word), b'\\') != 0) {
                break;
            } else {
                for (index, word) in words.iter().enumerate() {
                    if let Some(length) = self.word(u64::from_le_bytes(*word)) {
                        self.at = self.bytes.len() - rest.len() + index * 8 + length;
                        return true;
                    }
                }
            }
            rest = behind;
        }
        self.at = self.bytes.len() - rest.len();
        false
    }

    /// Takes in a word without escapes; if the container ends in it, how many bytes of it belong to that.
    #[inline(always)]
    fn word(&mut self, word: u64) -> Option<usize> {
        // From an opening quote on, up to the byte before the closing one.
        let mut strings = exactly_equals(word, b'"');
        strings ^= strings << 8;
        strings ^= strings << 16;
        strings ^= strings << 32;
        strings ^= self.in_string;
        self.in_string = 0_u64.wrapping_sub(strings >> 63);
        // This bit makes braces of square brackets.
        let word = word | (ONES * 0x20);
        let opening = exactly_equals(word, b'{') & !strings;
        let closing = exactly_equals(word, b'}') & !strings;
        if self.depth > count(closing) {
            self.depth = self.depth + count(opening) - count(closing);
            return None;
        }
        let mut brackets = opening | closing;
        while brackets != 0 {
            let first = brackets & brackets.wrapping_neg();
            if opening & first != 0 {
                self.depth += 1;
            } else {
                self.depth -= 1;
                if self.depth == 0 {
                    return Some((first.trailing_zeros() / 8) as usize + 1);
                }
            }
            brackets ^= first;
        }
        None
    }
}
