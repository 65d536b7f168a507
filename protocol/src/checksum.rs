//! [`Checksum`]: the CRC-32 of gzip. That of flate2 brings tables that no compression makes smaller: 16 KB, a twentieth of what the viewer
//! downloads. These are made when they are needed.

use std::sync::LazyLock;

/// What each byte of eight adds, by how many stand behind it.
type Tables = [[u32; 256]; 8];

static TABLES: LazyLock<Box<Tables>> = LazyLock::new(|| {
    let mut tables = Box::new([[0; 256]; 8]);
    let mut before = [0_u32; 256];
    for (byte, value) in (0_u32..).zip(&mut before) {
        *value = (0..8).fold(byte, |value, _| (value >> 1) ^ (0xedb8_8320 & (value & 1).wrapping_neg()));
    }
    let first = before;
    for table in tables.iter_mut() {
        *table = before;
        for value in &mut before {
            *value = (*value >> 8) ^ at(&first, *value);
        }
    }
    tables
});

/// The CRC-32 of RFC 1952, section 8, eight bytes at a time.
pub(crate) struct Checksum(u32);

impl Default for Checksum {
    /// That of no bytes.
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Checksum {
    /// Takes in what follows.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let [t0, t1, t2, t3, t4, t5, t6, t7] = &**TABLES;
        let (eights, rest) = bytes.as_chunks::<8>();
        let mut state = self.0;
        for eight in eights {
            let whole = u64::from_le_bytes(*eight);
            let (low, high) = (state ^ whole as u32, (whole >> 32) as u32);
            state = at(t7, low)
                ^ at(t6, low >> 8)
                ^ at(t5, low >> 16)
                ^ at(t4, low >> 24)
                ^ at(t3, high)
                ^ at(t2, high >> 8)
                ^ at(t1, high >> 16)
                ^ at(t0, high >> 24);
        }
        for byte in rest {
            state = (state >> 8) ^ at(t0, state ^ u32::from(*byte));
        }
        self.0 = state;
    }

    /// The checksum of all bytes so far.
    pub(crate) fn value(&self) -> u32 {
        !self.0
    }
}

/// What a table has of a byte: the lowest one of `value`.
fn at(table: &[u32; 256], value: u32) -> u32 {
    table.get((value & 255) as usize).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_that_of_flate2(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..4)) {
            let (mut own, mut expected) = (Checksum::default(), flate2::Crc::new());
            for part in &parts {
                own.add(part);
                expected.update(part);
            }
            prop_assert_eq!(own.value(), expected.sum());
        }
    }
}
