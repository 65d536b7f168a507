//! Taking a delta apart: where its entries, their members and the values stand in its text. Every byte is looked at once, eight at
//! a time where that is possible; nothing is applied and nothing is copied. The text has been validated. Of a text that has
//! not been, something is found, in time that is proportional to its length.

use std::borrow::Cow;
use std::cell::Cell;

use crate::json::{RawValue, skip_string, skip_value, skip_white_space};
use crate::tables::Property;

use super::types::{Span, integer_like};

/// A delta taken apart.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) entries: Vec<TakenEntry>,
    /// Of all entries, one after the other.
    pub(super) members: Vec<TakenMember>,
    /// The time of all as it is written, and in ms.
    pub(super) time: Option<(Span, f64)>,
    /// Whether some member names another entry or a track.
    pub(super) has_references: bool,
    /// Whether some entry is given a type.
    pub(super) has_types: bool,
}

thread_local! {
    /// Every delta of every connection needs the same room, and only while it is decoded.
    static ROOM: Cell<Taken> = const { Cell::new(Taken { entries: Vec::new(), members: Vec::new(), time: None, has_references: false, has_types: false }) };
}

/// More room than this is not kept.
const MOST_ROOM: usize = 4096;

impl Taken {
    /// An empty one, with room.
    pub(super) fn with_room() -> Self {
        ROOM.try_with(Cell::take).unwrap_or_default()
    }

    /// Leaves the room to the next one.
    pub(super) fn leave_room(mut self) {
        if self.members.capacity() <= MOST_ROOM && self.entries.capacity() <= MOST_ROOM {
            self.entries.clear();
            self.members.clear();
            (self.time, self.has_references, self.has_types) = (None, false, false);
            let _ = ROOM.try_with(|room| room.set(self));
        }
    }
}

/// An entry that a delta names.
#[derive(Debug, Clone, Copy)]
pub(super) struct TakenEntry {
    /// With its quotes.
    pub(super) id: Span,
    /// The id as an array index.
    pub(super) number: Option<u32>,
    /// How many members it has; `None` if the entry goes.
    pub(super) members: Option<u32>,
}

/// A member of such an entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct TakenMember {
    pub(super) name: TakenName,
    /// The value's first byte, which tells what it is.
    pub(super) first: u8,
    pub(super) value: Span,
}

/// What a member's name stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum TakenName {
    Known(Property),
    /// `type`
    Kind,
    /// `t` or `timestamp`
    Time,
    /// A name without a token, with its quotes.
    Other(Span),
}

/// Reads a text from its beginning to its end.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Behind the brace of the object that `text` is.
    pub(super) fn inside(text: &'a str) -> Self {
        Self { text, at: 1 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    #[inline(always)]
    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// The eight bytes from `at` on, the first of them lowest; zeros behind the end of the text.
    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        match rest.first_chunk::<8>() {
            Some(chunk) => u64::from_le_bytes(*chunk),
            None => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        }
    }

    pub(super) fn part(&self, span: Span) -> &'a str {
        span.of(self.text).unwrap_or_default()
    }

    /// A value within the text.
    pub(super) fn value(&self, span: Span) -> RawValue<'a> {
        RawValue::slice(self.text, span.start as usize, span.end())
    }

    /// Goes to the name of the next member; false at the end of the object.
    #[inline(always)]
    fn next(&mut self) -> bool {
        let mut byte = self.byte(self.at);
        if byte == b',' {
            self.at += 1;
            byte = self.byte(self.at);
        }
        byte == b'"' || self.next_with_white_space()
    }

    #[cold]
    fn next_with_white_space(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        self.at = skip_white_space(bytes, self.at);
        if self.byte(self.at) == b',' {
            self.at = skip_white_space(bytes, self.at + 1);
        }
        self.byte(self.at) == b'"'
    }

    /// Goes behind the colon behind a name that ends at `end`, and to the value.
    #[inline(always)]
    fn enter_value(&mut self, end: usize) {
        self.at = end + 1;
        if self.byte(end) != b':' || self.byte(self.at) <= b' ' {
            let colon = skip_white_space(self.text.as_bytes(), end);
            self.at = skip_white_space(self.text.as_bytes(), colon + 1);
        }
    }

    /// The name of the next member of the whole, with its quotes, and the number that it is. The value comes next.
    pub(super) fn next_id(&mut self) -> Option<(Span, Option<u32>)> {
        if !self.next() {
            return None;
        }
        let end = skip_string(self.text.as_bytes(), self.at);
        let id = Span::between(self.at, end);
        self.enter_value(end);
        let inner = self.text.get(id.start as usize + 1..end.saturating_sub(1)).unwrap_or_default();
        Some((id, integer_like(inner)))
    }

    /// The first byte of the value that comes next.
    pub(super) fn first(&self) -> u8 {
        self.byte(self.at)
    }

    /// Goes behind the value that comes next.
    pub(super) fn next_value(&mut self) -> Span {
        let start = self.at;
        self.at = self.value_end(start);
        Span::between(start, self.at)
    }

    #[inline(always)]
    fn value_end(&self, start: usize) -> usize {
        match self.byte(start) {
            b'"' | b'{' | b'[' => skip_value(self.text.as_bytes(), start),
            _ => self.scalar_end(start),
        }
    }

    /// Where a number or a word ends that begins at `at`: at a comma, a brace or white space.
    #[inline(always)]
    fn scalar_end(&self, mut at: usize) -> usize {
        loop {
            // Most are shorter than 16 bytes: how long they are decides no branch.
            let (first, second) = (scalar_ends(self.word(at)), scalar_ends(self.word(at + 8)));
            if first | second != 0 {
                let (marks, skipped) = if first == 0 { (second, 8) } else { (first, 0) };
                return (at + skipped + (marks.trailing_zeros() / 8) as usize).min(self.text.len());
            }
            at += 16;
        }
    }

    /// Takes the members of the object that comes next, and goes behind it.
    pub(super) fn take_members(&mut self, taken: &mut Taken) {
        // Behind the brace or a value: a comma, a quote or the closing brace is next, if there is no white space.
        let mut at = self.at + 1;
        loop {
            at += usize::from(self.byte(at) == b',');
            // Nearly all names are numbers with up to three digits, and the value's first byte is the eighth at the latest.
            let word = self.word(at);
            let name = word >> 8;
            let digits = (equals(name, b'"').trailing_zeros() / 8) as usize;
            let value = at + digits + 3;
            let is_plain = word & 0xff == u64::from(b'"') && matches!(digits, 1..=3);
            if is_plain
                && name >> (8 * (digits + 1)) & 0xff == u64::from(b':')
                && self.byte(value) > b' '
                && let Some(property) = token(name, digits)
            {
                taken.has_references |= property.is_reference();
                at = self.value_end(value);
                let (first, value) = (self.byte(value), Span::between(value, at));
                taken.members.push(TakenMember { name: TakenName::Known(property), first, value });
                continue;
            }
            self.at = at;
            if word & 0xff == u64::from(b'}') || !self.next() {
                break;
            }
            let name = self.other_name();
            match name {
                TakenName::Known(property) => taken.has_references |= property.is_reference(),
                TakenName::Kind => taken.has_types = true,
                _ => {}
            }
            let first = self.first();
            let value = self.next_value();
            at = self.at;
            taken.members.push(TakenMember { name, first, value });
        }
        // The closing brace; if the text was none of JSON, on to what can be read.
        self.at += 1;
    }

    fn other_name(&mut self) -> TakenName {
        let start = self.at;
        let end = skip_string(self.text.as_bytes(), start);
        let span = Span::between(start, end);
        self.enter_value(end);
        let name = unquoted(self.part(span));
        match &*name {
            "type" => TakenName::Kind,
            "t" | "timestamp" => TakenName::Time,
            name => match Property::of_token(name).or_else(|| Property::of_name(name)) {
                Some(property) => TakenName::Known(property),
                None => TakenName::Other(span),
            },
        }
    }
}

/// The property whose token is written with so many digits, one to three, in the lowest bytes of `word`.
#[inline(always)]
fn token(word: u64, digits: usize) -> Option<Property> {
    let missing = 8 * (3 - digits as u32);
    let zeros = 0x30_3030_u64 & ((1 << missing) - 1);
    let digits = ((word << missing) & 0xff_ffff | zeros) ^ 0x30_3030;
    if (digits.wrapping_add(0x76_7676) | digits) & 0x80_8080 != 0 || word & 0xff == u64::from(b'0') {
        return None;
    }
    let number = (digits & 0xff) * 100 + (digits >> 8 & 0xff) * 10 + (digits >> 16);
    Property::of_number(number as u32)
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of every byte of `word` at which a number or a word is over (bytes above the first such one may be marked wrongly).
#[inline(always)]
const fn scalar_ends(word: u64) -> u64 {
    equals(word, b',') | equals(word, b'}') | (word.wrapping_sub(ONES * 0x21) & !word & HIGHS)
}

/// The high bit of every byte of `word` that equals `byte` (bytes above the first such one may be marked wrongly).
#[inline(always)]
const fn equals(word: u64, byte: u8) -> u64 {
    let difference = word ^ (ONES * byte as u64);
    difference.wrapping_sub(ONES) & !difference & HIGHS
}

/// The text of a name that is written with its quotes.
pub(super) fn unquoted(name: &str) -> Cow<'_, str> {
    RawValue::slice(name, 0, name.len()).as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Vec<(Option<&'static str>, &str)> {
        let mut taken = Taken::default();
        Cursor { text, at: 0 }.take_members(&mut taken);
        let name = |name| match name {
            TakenName::Known(property) => Some(Property::name(property)),
            TakenName::Kind => Some("type"),
            TakenName::Time => Some("timestamp"),
            TakenName::Other(_) => None,
        };
        taken.members.iter().map(|member| (name(member.name), member.value.of(text).unwrap_or("null"))).collect()
    }

    #[test]
    fn tokens_names_and_values_are_found_however_they_are_spaced() {
        let compact = r#"{"4":1,"41":-2.5e3,"134":"a,}\"b","type":7,"t":1795159543202.446,"96":{"a":[1,"}"]},"014":true,"0":null,"999":0,"mimeType":"x","n\"":[{}]}"#;
        let expected = [
            (Some("payloadType"), "1"),
            (Some("bytesReceived"), "-2.5e3"),
            (Some("address"), r#""a,}\"b""#),
            (Some("type"), "7"),
            (Some("timestamp"), "1795159543202.446"),
            (Some("qualityLimitationDurations"), r#"{"a":[1,"}"]}"#),
            (None, "true"),
            (None, "null"),
            (None, "0"),
            (Some("mimeType"), r#""x""#),
            (None, "[{}]"),
        ];
        assert_eq!(members(compact), expected);
        let spaced = compact.replace(",\"", "\n,\t\"").replace("\":", "\" :\r\n ").replace('}', " }");
        let found = members(&spaced);
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(found, expected)| found.0 == expected.0));
    }

    #[test]
    fn a_text_that_is_no_json_ends_somewhere() {
        for text in [
            "",
            "{",
            "{\"",
            "{\"4",
            "{\"4\"",
            "{\"4\":",
            "{\"4\":\"",
            "{\"4\":,,\"5\"}",
            "{\"4\"}{",
            "{{{{",
            "{\"\u{e9}\":\u{e9}",
        ] {
            members(text);
        }
    }
}
