//! Huffman codes of limited length.

use std::collections::VecDeque;

/// RFC 1951, 3.2.7: the longest code of a symbol.
pub(crate) const LONGEST: usize = 15;

/// How long the code of each symbol is, by how often it occurs: zero for those that do not. None is longer than `limit`.
///
/// At least two symbols have a code, and the codes are complete, because some decoders take no others.
pub(crate) fn lengths<const N: usize>(counts: &[u32; N], limit: usize) -> [u8; N] {
    let mut used: Vec<(u32, usize)> = counts.iter().copied().zip(0..).filter(|(count, _)| *count > 0).collect();
    for symbol in 0..2 {
        if used.len() < 2 && counts.get(symbol) == Some(&0) {
            used.push((1, symbol));
        }
    }
    used.sort_unstable();
    let mut of_length = how_many_of_each_length(&used, limit);
    keep_complete(&mut of_length, limit);
    let mut lengths = [0; N];
    let longest_first =
        of_length.iter().zip(0..=LONGEST as u8).rev().flat_map(|(count, length)| (0..*count).map(move |_| length));
    for ((_, symbol), length) in used.iter().zip(longest_first) {
        if let Some(place) = lengths.get_mut(*symbol) {
            *place = length;
        }
    }
    lengths
}

/// How many codes of each length Huffman's algorithm makes; those beyond `limit` count as of `limit`. `used` is sorted.
///
/// Nodes that join two others come to be in the order of their weights, so two queues do, and no heap is needed.
fn how_many_of_each_length(used: &[(u32, usize)], limit: usize) -> [u32; LONGEST + 1] {
    let mut leaves = used.iter().map(|(weight, _)| *weight).zip(0usize..).peekable();
    let mut joined: VecDeque<(u32, usize)> = VecDeque::with_capacity(used.len());
    let mut parents = vec![0; used.len() * 2 - 1];
    for parent in used.len()..parents.len() {
        let mut weight = 0;
        for _ in 0..2 {
            let is_leaf = match (leaves.peek(), joined.front()) {
                (Some((leaf, _)), Some((node, _))) => leaf <= node,
                (leaf, _) => leaf.is_some(),
            };
            let lightest = if is_leaf { leaves.next() } else { joined.pop_front() };
            if let Some((lighter, node)) = lightest {
                weight += lighter;
                if let Some(place) = parents.get_mut(node) {
                    *place = parent;
                }
            }
        }
        joined.push_back((weight, parent));
    }
    let mut depths = vec![0usize; parents.len()];
    let mut of_length = [0; LONGEST + 1];
    for (node, parent) in parents.iter().enumerate().rev().skip(1) {
        let depth = depths.get(*parent).map_or(0, |depth| depth + 1);
        if let Some(place) = depths.get_mut(node) {
            *place = depth;
        }
        if let Some(count) = of_length.get_mut(depth.min(limit)).filter(|_| node < used.len()) {
            *count += 1;
        }
    }
    of_length
}

/// Makes codes that were cut to `limit` complete again: one of the longest is taken away from where there are too many, and a
/// shorter one is made longer to bear it. That is near enough to the best.
fn keep_complete(of_length: &mut [u32; LONGEST + 1], limit: usize) {
    let room = 1u32 << limit;
    let mut taken: u32 =
        of_length.iter().take(limit + 1).zip(0..).map(|(count, length)| count << (limit - length)).sum();
    while taken > room {
        if let Some(count) = of_length.get_mut(limit) {
            *count -= 1;
        }
        let shorter = of_length.iter().take(limit).rposition(|count| *count > 0);
        if let Some([from, to]) = shorter.and_then(|length| of_length.get_mut(length..length + 2)) {
            *from -= 1;
            *to += 2;
        }
        taken -= 1;
    }
}

/// RFC 1951, 3.2.2: the codes of symbols whose lengths are known. They are written from their highest bit on, so they are turned
/// round here.
pub(crate) fn codes<const N: usize>(lengths: &[u8; N]) -> [(u16, u8); N] {
    let mut next = [0u16; LONGEST + 1];
    let mut code = 0;
    for (length, next) in (1u8..).zip(next.iter_mut().skip(1)) {
        code <<= 1;
        *next = code;
        code = code.wrapping_add(lengths.iter().filter(|other| **other == length).count() as u16);
    }
    lengths.map(|length| match next.get_mut(usize::from(length)) {
        Some(next) if length > 0 => {
            let code = *next;
            *next = next.wrapping_add(1);
            (code.reverse_bits() >> (16 - length), length)
        }
        _ => (0, 0),
    })
}
