//! What is asked of text by all who read JSON, answered eight bytes at a time: a word holds eight bytes, the first of them
//! lowest, and what is found is marked by the high bits of its bytes.

pub(super) const ONES: u64 = 0x0101_0101_0101_0101;
pub(super) const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of every byte of `word` that equals `byte` (bytes above the first such one may be marked wrongly).
pub(super) const fn equals(word: u64, byte: u8) -> u64 {
    let difference = word ^ (ONES * byte as u64);
    difference.wrapping_sub(ONES) & !difference & HIGHS
}

/// How many bytes at the start need no attention: neither quote, nor backslash, nor control character. Eight at a time:
/// strings are most of a session description.
#[inline]
pub(super) fn plain_prefix(bytes: &[u8]) -> usize {
    let mut length = 0;
    let (words, tail) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let special = control | equals(word, b'"') | equals(word, b'\\');
        if special != 0 {
            return length + (special.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    length + tail.iter().take_while(|byte| **byte >= 0x20 && **byte != b'"' && **byte != b'\\').count()
}

/// The high bit of every byte of `word` that equals `byte`, and no other bit.
#[cfg(feature = "std")]
pub(super) const fn exactly_equals(word: u64, byte: u8) -> u64 {
    let difference = word ^ (ONES * byte as u64);
    !(((difference & !HIGHS) + !HIGHS) | difference) & HIGHS
}

/// How many bytes are marked.
#[cfg(feature = "std")]
pub(super) const fn count(marks: u64) -> usize {
    ((marks >> 7).wrapping_mul(ONES) >> 56) as usize
}

/// The high bit of every byte of `word` that is no digit (bytes above the first such one may be marked wrongly).
#[cfg(feature = "std")]
pub(super) const fn no_digits(word: u64) -> u64 {
    // A digit becomes 0 to 9, and 0x76 more does not reach the high bit.
    let digits = word ^ (ONES * b'0' as u64);
    (digits.wrapping_add(ONES * 0x76) | digits) & HIGHS
}

/// How many bytes at the start are digits.
#[cfg(feature = "std")]
#[inline(always)]
pub(super) fn digits_prefix(mut bytes: &[u8]) -> usize {
    let mut length = 0;
    while let Some((word, rest)) = bytes.split_first_chunk::<8>() {
        let others = no_digits(u64::from_le_bytes(*word));
        if others != 0 {
            return length + (others.trailing_zeros() / 8) as usize;
        }
        length += 8;
        bytes = rest;
    }
    length + bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// The offset of the first byte at or after `at` that is not white space.
#[inline]
pub(crate) fn skip_white_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// How many bytes of `a` from `a_at` on and of `b` from `b_at` on are equal. Eight at a time.
pub(crate) fn common_prefix(a: &[u8], a_at: usize, b: &[u8], b_at: usize) -> usize {
    let (Some(mut a), Some(mut b)) = (a.get(a_at..), b.get(b_at..)) else { return 0 };
    let mut length = 0;
    while let (Some((x, a_rest)), Some((y, b_rest))) = (a.split_first_chunk::<8>(), b.split_first_chunk::<8>()) {
        let difference = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if difference != 0 {
            return length + (difference.trailing_zeros() / 8) as usize;
        }
        length += 8;
        (a, b) = (a_rest, b_rest);
    }
    while let ([x, a_rest @ ..], [y, b_rest @ ..]) = (a, b) {
        if x != y {
            break;
        }
        length += 1;
        (a, b) = (a_rest, b_rest);
    }
    length
}
