//! [`Gunzip`]: what gzip members hold (RFC 1952), one after another. The decompressor is flate2's; its reader of gzip is not used because
//! of its checksum (see [`crate::checksum`]).

use std::io::{self, BufRead, ErrorKind, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::error::read_error;
use super::lines::GZIP_MAGIC;
use crate::checksum::Checksum;

/// Bytes that are unpacked at a time.
const CHUNK: usize = 64 * 1024;

/// Flags of a header: which optional parts follow it (RFC 1952, section 2.3.1).
const HAS_CHECKSUM: u8 = 1 << 1;
const HAS_EXTRA: u8 = 1 << 2;
const HAS_NAME: u8 = 1 << 3;
const HAS_COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// The method of compression that there is.
const DEFLATE: u8 = 8;

/// Where in the file it stands.
#[derive(Debug)]
enum Place {
    Header,
    Body,
    End,
    /// It cannot go on: nothing follows, or it is damaged.
    Over(Option<io::Error>),
}

/// Unpacks as it reads, in memory that does not depend on the file.
pub(super) struct Gunzip<R> {
    input: R,
    place: Place,
    inflate: Decompress,
    chunk: Vec<u8>,
    given: usize,
    checksum: Checksum,
    /// Bytes of the member, of which its end tells the lower 32 bits.
    length: u64,
}

impl<R: BufRead> Gunzip<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            place: Place::Header,
            inflate: Decompress::new(false),
            chunk: Vec::with_capacity(CHUNK),
            given: 0,
            checksum: Checksum::default(),
            length: 0,
        }
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => truncated(),
            _ => error,
        })?;
        Ok(bytes)
    }

    fn skip_text(&mut self) -> io::Result<()> {
        self.input.skip_until(0).map(|_| ())
    }

    fn header(&mut self) -> io::Result<()> {
        let [first, second, method, flags, ..] = self.bytes::<10>()?;
        if [first, second] != GZIP_MAGIC || method != DEFLATE || flags & RESERVED != 0 {
            return Err(damaged("what should be a gzip header is none"));
        }
        if flags & HAS_EXTRA != 0 {
            let length = u16::from_le_bytes(self.bytes()?);
            io::copy(&mut self.input.by_ref().take(length.into()), &mut io::sink())?;
        }
        for flag in [HAS_NAME, HAS_COMMENT] {
            if flags & flag != 0 {
                self.skip_text()?;
            }
        }
        if flags & HAS_CHECKSUM != 0 {
            self.bytes::<2>()?;
        }
        self.inflate.reset(false);
        self.checksum = Checksum::default();
        self.length = 0;
        Ok(())
    }

    /// Fills the chunk, and says whether the member is over.
    fn body(&mut self) -> io::Result<bool> {
        self.chunk.clear();
        self.given = 0;
        let status = loop {
            let input = self.input.fill_buf()?;
            let is_over = input.is_empty();
            let before = self.inflate.total_in();
            let status = self.inflate.decompress_vec(input, &mut self.chunk, FlushDecompress::None);
            let read = self.inflate.total_in() - before;
            self.input.consume(usize::try_from(read).unwrap_or(usize::MAX));
            match status {
                Ok(Status::StreamEnd) => break Ok(true),
                Err(_) => break Err(damaged("what is compressed is damaged")),
                Ok(_) if self.chunk.len() == self.chunk.capacity() => break Ok(false),
                Ok(_) if is_over => break Err(truncated()),
                Ok(_) if read == 0 && self.chunk.is_empty() => break Err(damaged("what is compressed is damaged")),
                Ok(_) => {}
            }
        };
        self.checksum.add(&self.chunk);
        self.length += self.chunk.len() as u64;
        status
    }

    /// What stands behind a member, and whether there is another one.
    fn trailer(&mut self) -> io::Result<()> {
        let (checksum, length) = (u32::from_le_bytes(self.bytes()?), u32::from_le_bytes(self.bytes()?));
        if checksum != self.checksum.value() || length != self.length as u32 {
            return Err(damaged("what was unpacked is not what was packed"));
        }
        Ok(())
    }

    /// Zeros behind a member, which tapes and block devices fill up with: no member begins with one.
    fn skip_padding(&mut self) -> io::Result<()> {
        loop {
            let input = self.input.fill_buf()?;
            let zeros = input.iter().take_while(|byte| **byte == 0).count();
            if zeros == 0 {
                return Ok(());
            }
            self.input.consume(zeros);
        }
    }

    fn step(&mut self) {
        let next = match self.place {
            Place::Header => self.header().map(|()| Place::Body),
            Place::Body => self.body().map(|is_over| if is_over { Place::End } else { Place::Body }),
            Place::End => self.trailer().and_then(|()| {
                self.skip_padding()?;
                let is_last = self.input.fill_buf()?.is_empty();
                Ok(if is_last { Place::Over(None) } else { Place::Header })
            }),
            Place::Over(_) => return,
        };
        // What came before a fault is given before it is told.
        self.place = next.unwrap_or_else(|error| Place::Over(Some(error)));
    }
}

impl<R: BufRead> BufRead for Gunzip<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.given >= self.chunk.len() {
            match &self.place {
                Place::Over(None) => break,
                Place::Over(Some(error)) => return Err(read_error(error.kind(), error.to_string())),
                _ => self.step(),
            }
        }
        Ok(self.chunk.get(self.given..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.given = self.chunk.len().min(self.given.saturating_add(amount));
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

fn truncated() -> io::Error {
    read_error(ErrorKind::UnexpectedEof, "the file is truncated: what is compressed does not end")
}

fn damaged(how: &'static str) -> io::Error {
    read_error(ErrorKind::InvalidData, how)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::GzEncoder;
    use flate2::{Compression, GzBuilder};
    use proptest::prelude::*;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// What can be had, and the fault behind it.
    fn unpacked(bytes: &[u8]) -> (Vec<u8>, Option<String>) {
        let mut all = Vec::new();
        // Small pieces, so that every part is cut somewhere.
        let result = Gunzip::new(io::BufReader::with_capacity(7, bytes)).read_to_end(&mut all);
        (all, result.err().map(|error| error.to_string()))
    }

    fn text() -> Vec<u8> {
        (0..40_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_string().into_bytes()).collect()
    }

    #[test]
    fn members_stand_one_after_another_with_whatever_in_front() {
        let mut builder =
            GzBuilder::new().filename("a").comment("b").extra([1, 2, 3]).write(Vec::new(), Compression::best());
        builder.write_all(b"one ").unwrap();
        let mut bytes = builder.finish().unwrap();
        bytes.extend(packed(b""));
        bytes.extend(packed(b"two"));
        assert_eq!(unpacked(&bytes), (b"one two".to_vec(), None));
    }

    #[test]
    fn zeros_behind_what_is_packed_are_padding() {
        let mut bytes = packed(b"one ");
        bytes.extend([0; 100]);
        assert_eq!(unpacked(&bytes), (b"one ".to_vec(), None));
        bytes.extend(packed(b"two"));
        assert_eq!(unpacked(&bytes), (b"one two".to_vec(), None));
        bytes.extend([0, 0, 1]);
        assert!(unpacked(&bytes).1.is_some());
    }

    #[test]
    fn what_came_before_a_fault_is_given() {
        let text = text();
        let whole = packed(&text);
        for cut in [whole.len() / 2, whole.len() - 3] {
            let (got, fault) = unpacked(whole.get(..cut).unwrap());
            assert!(text.starts_with(&got) && got.len() > text.len() / 4, "{}", got.len());
            assert!(fault.unwrap().contains("truncated"));
        }
        let mut other = whole.clone();
        *other.last_mut().unwrap() ^= 1;
        let (got, fault) = unpacked(&other);
        assert_eq!((got.len(), fault.as_deref()), (text.len(), Some("what was unpacked is not what was packed")));
        other = whole;
        other.extend(b"more");
        assert!(unpacked(&other).1.is_some());
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
            prop_assert_eq!(unpacked(&packed(&bytes)), (bytes, None));
        }

        #[test]
        fn damage_is_told(at in 10_usize..2000, bit in 0_u8..8) {
            let text = text();
            let mut bytes = packed(text.get(..4000).unwrap());
            let at = at % bytes.len();
            *bytes.get_mut(at).unwrap() ^= 1_u8 << bit;
            let (got, fault) = unpacked(&bytes);
            // Some bits of a header mean nothing.
            prop_assert!(fault.is_some() || text.get(..4000).unwrap() == got);
        }
    }
}
