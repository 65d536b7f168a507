//! Whether a report says anything of addresses: most do not, and are spared the search for what is to be hidden. Every
//! report of every session is asked this.

/// What a delta holds if it holds an address or a candidate's type: tokens and names of these members. An escape may hide a
/// name, so a text with one is always searched.
const MENTIONS: [&[u8]; 7] = [b"\"134\"", b"\"136\"", b"\"141\"", b"ddress\"", b"\"candidateType\"", b"\"ip\"", b"\\u"];

/// So many bytes are looked at together.
const BLOCK: usize = 64;

/// How much of the text behind a block is seen with it.
const BEHIND: usize = 4;

/// A mention in which a block finds something begins no further before the block.
const BEFORE: usize = 16;

/// Whether a delta can hold an address or a candidate's type.
pub(super) fn mentions_addresses(delta: &str) -> bool {
    let delta = delta.as_bytes();
    let mut at = 0;
    while let Some(rest) = delta.get(at..).filter(|rest| !rest.is_empty()) {
        let suspicion = match rest.first_chunk() {
            Some(block) => is_suspicious(block),
            None => {
                let mut last = [b' '; BLOCK + BEHIND];
                last.iter_mut().zip(rest).for_each(|(place, byte)| *place = *byte);
                is_suspicious(&last)
            }
        };
        let from = at.saturating_sub(BEFORE);
        at += BLOCK;
        if suspicion && (from..at).any(|start| begins_mention(delta.get(start..).unwrap_or_default())) {
            return true;
        }
    }
    false
}

/// Whether a mention can be in the block: each has a `d`, a `p` or a backslash, or is a string of three characters of which
/// the middle one is 3 or 4. Few blocks have any of these. Written so that the compiler compares many bytes at once.
#[inline(always)]
fn is_suspicious(window: &[u8; BLOCK + BEHIND]) -> bool {
    let (Some(bytes), Some(middles), Some(ends)) = (
        window.first_chunk::<BLOCK>(),
        window.get(2..).and_then(|rest| rest.first_chunk::<BLOCK>()),
        window.last_chunk::<BLOCK>(),
    ) else {
        return true;
    };
    let mut found = 0;
    for ((byte, middle), end) in bytes.iter().zip(middles).zip(ends) {
        let no_token = (byte ^ b'"') | (middle.wrapping_sub(b'3') & !1) | (end ^ b'"');
        found |= u8::from(no_token == 0) | u8::from(*byte == b'd') | u8::from(*byte == b'p') | u8::from(*byte == b'\\');
    }
    found != 0
}

fn begins_mention(text: &[u8]) -> bool {
    matches!(text, [b'"' | b'd' | b'\\', ..]) && MENTIONS.iter().any(|mention| text.starts_with(mention))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_betrays_a_mention_is_near_its_beginning() {
        for mention in MENTIONS {
            let mut text = [b' '; BLOCK + BEHIND];
            text.iter_mut().zip(mention).for_each(|(place, byte)| *place = *byte);
            assert!(is_suspicious(&text), "{}", mention.escape_ascii());
            assert!(mention.len() <= BEFORE);
        }
    }

    proptest! {
        #[test]
        fn a_mention_is_found_wherever_it_stands(
            parts in prop::collection::vec(
                prop_oneof![
                    6 => "\"[0-9]{1,3}\":[0-9.]{1,18},",
                    2 => "[a-z\"\u{e9} ]{0,30}",
                    1 => prop::sample::select(vec!["\"type\":13,", "\"137\":5,", "\"packetsReceivedWithCe\":0,", "\\n", "\"1", "34\"", "address"]).prop_map(str::to_owned),
                ],
                0..12,
            ),
            mention in prop::sample::select(MENTIONS.map(|mention| core::str::from_utf8(mention).unwrap()).to_vec()),
            place in 0..24_usize,
        ) {
            let mut parts = parts;
            if place <= parts.len() {
                parts.insert(place, mention.to_owned());
            }
            let delta = parts.concat();
            let expected = MENTIONS.iter().any(|mention| delta.contains(core::str::from_utf8(mention).unwrap()));
            prop_assert_eq!(mentions_addresses(&delta), expected);
        }
    }
}
