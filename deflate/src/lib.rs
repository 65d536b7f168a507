//! Compresses a text as one gzip member (RFC 1952), fast.
//!
//! It is made for dumps: lines of JSON whose names come again and again, and whose numbers differ. What makes it fast is what it
//! leaves out: one place is looked at per position, the first match is taken, and only some positions of what matched are
//! remembered. Any bytes come out right; bytes of another kind are only compressed less than others would.
//!
//! Everything that is touched per byte stays small, because that counts more than anything else: [`window`] and the table of
//! [`matches`] fit into the nearest caches. A block is first split into [`token`]s and then written with codes made for it.

mod bits;
mod block;
mod huffman;
mod matches;
#[cfg(test)]
mod tests;
mod token;
mod window;

use std::io::{self, Read, Write};

use crate::bits::Bits;
use crate::matches::Matcher;
use crate::window::Window;

/// RFC 1952, 2.3: a member that is deflated, without name or time, by the fastest algorithm, on no system in particular.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];

/// Reads `input` to its end and writes it to `output`, compressed, a block at a time.
///
/// # Errors
/// What either of them fails with.
pub fn gzip(mut input: impl Read, mut output: impl Write) -> io::Result<()> {
    let mut window = Window::new();
    let mut matcher = Matcher::new();
    let mut bits = Bits::default();
    let mut crc = crc32fast::Hasher::new();
    let mut length = 0u32;
    output.write_all(&HEADER)?;
    loop {
        let ended = window.fill(&mut input)?;
        crc.update(window.block());
        // RFC 1952, 2.3.1: the length of the input modulo 2^32.
        length = length.wrapping_add(u32::try_from(window.block().len()).unwrap_or_default());
        let (tokens, histogram) = matcher.tokens(&window);
        block::write(window.block(), tokens, &histogram, ended, &mut bits);
        if ended {
            break;
        }
        output.write_all(bits.bytes())?;
        bits.clear();
        window.slide();
        matcher.slide();
    }
    bits.align();
    bits.extend(&crc.finalize().to_le_bytes());
    bits.extend(&length.to_le_bytes());
    output.write_all(bits.bytes())?;
    output.flush()
}

/// A large array, on the heap.
fn zeroed<T: Copy + Default, const N: usize>() -> Box<[T; N]> {
    vec![T::default(); N].into_boxed_slice().try_into().unwrap_or_else(|_| Box::new([T::default(); N]))
}

/// What stands at `index`, which the caller keeps below `N`, a power of two: so it costs no check.
#[inline(always)]
fn pick<T: Copy + Default, const N: usize>(array: &[T; N], index: usize) -> T {
    const { assert!(N.is_power_of_two()) };
    array.get(index & (N - 1)).copied().unwrap_or_default()
}

/// The place of `index`, under the terms of [`pick`].
#[inline(always)]
fn change<T, const N: usize>(array: &mut [T; N], index: usize, with: impl FnOnce(&mut T)) {
    const { assert!(N.is_power_of_two()) };
    if let Some(place) = array.get_mut(index & (N - 1)) {
        with(place);
    }
}
