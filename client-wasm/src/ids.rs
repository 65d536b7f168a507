//! Names of things inside a session, how names are put together, and its clock's unit.

/// Unix time in whole milliseconds.
pub(crate) type UnixMillis = i64;

/// A connection of this page: the n-th that was made or first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnectionId(pub(crate) u32);

impl ConnectionId {
    /// As it stands in lines.
    pub(crate) fn name(self) -> String {
        let mut name = String::from("PC_");
        name.push_str(&self.0.to_string());
        name
    }
}

/// A UUID of version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then randomness.
pub(crate) fn uuid_v7(now: UnixMillis, random: [u8; 10]) -> String {
    let [a, b, c, d, e, f, g, h, i, j] = random;
    let [.., t0, t1, t2, t3, t4, t5] = now.to_be_bytes();
    let bytes = [t0, t1, t2, t3, t4, t5, 0x70 | (a & 0x0f), b, 0x80 | (c & 0x3f), d, e, f, g, h, i, j];
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 0x0f] {
            text.push(char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }));
        }
    }
    text
}

/// The texts one after the other. The standard library's way is generic, and larger at every use.
pub(crate) fn join(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_is_the_example_of_the_rfc() {
        // RFC 9562, appendix A.6.
        let random = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
        assert_eq!(uuid_v7(0x017F_22E2_79B0, random), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    }

    #[test]
    fn connections_are_named_in_order() {
        assert_eq!(ConnectionId(12).name(), "PC_12");
    }
}
