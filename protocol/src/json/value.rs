//! [`RawValue`]: one validated JSON value as a slice of the text it came in.

use alloc::borrow::Cow;
use alloc::string::String;

use super::number::number;
use super::scan::{JsonError, JsonErrorKind, scan_element, scan_value};
use super::skip::{skip_string, skip_value};
use super::words::skip_white_space;

/// One JSON value, as text that is known to be valid. Copying it copies a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawValue<'a> {
    text: &'a str,
}

/// What a [`RawValue`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// So long a text of digits and a point is a number of 64 bits without it.
const SHORT_DECIMAL: usize = 17;

/// Up to here, a double holds every whole number.
const EXACT: u64 = 1 << 53;

impl<'a> RawValue<'a> {
    /// `null`.
    pub const NULL: RawValue<'static> = RawValue { text: "null" };

    pub(crate) const EMPTY_OBJECT: RawValue<'static> = RawValue { text: "{}" };

    /// Validates `text` as exactly one JSON value, white space around it allowed.
    ///
    /// # Errors
    /// [`JsonError`] names the first byte at which the text stops being JSON.
    pub fn parse(text: &'a str) -> Result<Self, JsonError> {
        let bytes = text.as_bytes();
        let start = skip_white_space(bytes, 0);
        let end = scan_value(bytes, start)?;
        let rest = skip_white_space(bytes, end);
        if rest != bytes.len() {
            return Err(JsonError { offset: rest, kind: JsonErrorKind::Trailing });
        }
        Ok(Self::slice(text, start, end))
    }

    /// Validates `text` as one array and hands out its elements as they are found: nothing is looked at twice. `None` if it
    /// is anything else, and some elements may have been handed out already; [`RawValue::parse`] knows what it is.
    pub(crate) fn parse_array(text: &'a str, element: impl FnMut(Self)) -> Option<Self> {
        Self::array(text, |bytes, at| scan_element(bytes, at).ok(), element)
    }

    /// As [`RawValue::parse_array`], for a text that has been validated before. Of any other text it may make an array that
    /// it is not, whose elements are no values.
    pub(crate) fn split_array(text: &'a str, element: impl FnMut(Self)) -> Option<Self> {
        Self::array(text, |bytes, at| Some(skip_value(bytes, at)), element)
    }

    #[inline(always)]
    fn array(
        text: &'a str,
        end_of: impl Fn(&[u8], usize) -> Option<usize>,
        mut element: impl FnMut(Self),
    ) -> Option<Self> {
        let bytes = text.as_bytes();
        let start = skip_white_space(bytes, 0);
        if !matches!(bytes.get(start), Some(b'[')) {
            return None;
        }
        let mut at = skip_white_space(bytes, start + 1);
        if !matches!(bytes.get(at), Some(b']')) {
            loop {
                let end = end_of(bytes, at)?;
                element(Self::slice(text, at, end));
                at = skip_white_space(bytes, end);
                match bytes.get(at) {
                    Some(b',') => at = skip_white_space(bytes, at + 1),
                    Some(b']') => break,
                    _ => return None,
                }
            }
        }
        (skip_white_space(bytes, at + 1) == bytes.len()).then(|| Self::slice(text, start, at + 1))
    }

    /// A part of a text that has been validated already.
    pub(crate) fn slice(text: &'a str, start: usize, end: usize) -> Self {
        Self { text: text.get(start..end).unwrap_or("null") }
    }

    /// The object that begins at `at` of a text that has been validated; `None` if nothing or another value does.
    pub(crate) fn object_at(text: &'a str, at: usize) -> Option<Self> {
        let bytes = text.as_bytes();
        matches!(bytes.get(at), Some(b'{')).then(|| Self::slice(text, at, skip_value(bytes, at)))
    }

    /// The value's own text, without white space around it.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.text
    }

    /// What kind of value this is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.text.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The boolean, if it is one.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The number, if it is one that a double can hold.
    #[must_use]
    pub fn as_f64(self) -> Option<f64> {
        // Most are short.
        if let Some(number) = decimal(self.text.as_bytes()) {
            return Some(number);
        }
        if self.kind() != Kind::Number {
            return None;
        }
        number(self.text).filter(|number| number.is_finite())
    }

    /// The number, if it is an integer within range; `3e2` and `4.0` count.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        if let Ok(number) = self.text.parse() {
            return Some(number);
        }
        let number = self.as_f64()?;
        // The bounds are the doubles next to the limits of i64: everything between them converts exactly.
        (number as i64 as f64 == number && (-9.223_372_036_854_775e18..=9.223_372_036_854_775e18).contains(&number))
            .then_some(number as i64)
    }

    /// The number, if it is written as digits alone and no larger than integers of JavaScript. Needs no parser for floating
    /// point, which is large.
    #[must_use]
    pub fn as_count(self) -> Option<u64> {
        let mut number = 0;
        for digit in self.text.bytes() {
            if !digit.is_ascii_digit() || number > 1 << 53 {
                return None;
            }
            number = number * 10 + u64::from(digit - b'0');
        }
        Some(number)
    }

    /// The number, if it is a non-negative integer within range.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        if let Ok(number) = self.text.parse() {
            return Some(number);
        }
        let number = self.as_f64()?;
        (number as u64 as f64 == number && (0.0..=1.844_674_407_370_955e19).contains(&number)).then_some(number as u64)
    }

    /// The string, unescaped, if it is one. A lone surrogate becomes U+FFFD.
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let inner = self.text.strip_prefix('"')?.strip_suffix('"')?;
        Some(unescape(inner))
    }

    /// JavaScript's truthiness: everything but `null`, `false`, `0` and `""`.
    #[must_use]
    pub fn truthy(self) -> bool {
        match self.kind() {
            Kind::Null => false,
            Kind::Bool => self.text == "true",
            Kind::Number => self.as_f64() != Some(0.0),
            Kind::String => self.text != "\"\"",
            Kind::Array | Kind::Object => true,
        }
    }

    /// The elements of an array; none for any other value.
    #[must_use]
    pub fn elements(self) -> Elements<'a> {
        Elements { text: self.text, at: if self.kind() == Kind::Array { 1 } else { self.text.len() } }
    }

    /// The members of an object in the order of the text; none for any other value.
    #[must_use]
    pub fn members(self) -> Members<'a> {
        Members { text: self.text, at: if self.kind() == Kind::Object { 1 } else { self.text.len() } }
    }

    /// The object's member of that name (the last one if it stands there twice, as in JavaScript).
    #[must_use]
    pub fn get(self, key: &str) -> Option<RawValue<'a>> {
        let (mut members, mut found) = (self.members(), None);
        while let Some(name) = members.next_name() {
            let value = members.value();
            if is_name(name, key) {
                found = Some(value);
            }
        }
        found
    }

    /// The array's element at that index.
    #[must_use]
    pub fn at(self, index: usize) -> Option<RawValue<'a>> {
        self.elements().nth(index)
    }
}

/// The number that a text of few digits is, and at most a point among them. The digits, and the power of ten that they are divided by, are
/// doubles themselves, so the quotient is the double next to the decimal (Clinger, 1990).
fn decimal(text: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let [first, rest @ ..] = text else { return None };
    if text.len() > SHORT_DECIMAL || !first.is_ascii_digit() {
        return None;
    }
    let mut number = u64::from(first - b'0');
    let mut rest = rest.iter();
    for byte in rest.by_ref() {
        match byte {
            b'0'..=b'9' => number = number * 10 + u64::from(byte - b'0'),
            b'.' => {
                let places = rest.len();
                for byte in rest {
                    if !byte.is_ascii_digit() {
                        return None;
                    }
                    number = number * 10 + u64::from(byte - b'0');
                }
                let power = POWERS.get(places).filter(|_| places > 0 && number <= EXACT)?;
                return Some(number as f64 / power);
            }
            _ => return None,
        }
    }
    (number <= EXACT).then_some(number as f64)
}

/// Iterates over the elements of an array.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = RawValue<'a>;

    fn next(&mut self) -> Option<RawValue<'a>> {
        let bytes = self.text.as_bytes();
        let start = next_item(bytes, self.at)?;
        let end = skip_value(bytes, start);
        self.at = end;
        Some(RawValue::slice(self.text, start, end))
    }
}

/// Iterates over the members of an object.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Members<'a> {
    /// The next member, its name as it is written: with its quotes.
    pub(crate) fn next_raw(&mut self) -> Option<(&'a str, RawValue<'a>)> {
        let name = self.next_name()?;
        Some((name, self.value()))
    }

    /// The name of the next member, with its quotes. Its value must be asked for next, by [`Members::value`].
    pub(crate) fn next_name(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        let start = next_item(bytes, self.at)?;
        let end = skip_string(bytes, start);
        let colon = skip_white_space(bytes, end);
        self.at = skip_white_space(bytes, colon + 1);
        self.text.get(start..end)
    }

    /// The same, for who knows a long value of the object: if this is that one, it is not looked at.
    #[cfg(feature = "std")]
    pub(crate) fn value_or(&mut self, known: RawValue<'a>) -> RawValue<'a> {
        if self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.as_ptr() == known.text.as_ptr()) {
            self.at += known.text.len();
            return known;
        }
        self.value()
    }

    /// The value of the member that was named last.
    pub(crate) fn value(&mut self) -> RawValue<'a> {
        let start = self.at;
        self.at = skip_value(self.text.as_bytes(), start);
        RawValue::slice(self.text, start, self.at)
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, RawValue<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.next_raw()?;
        Some((RawValue { text: name }.as_str()?, value))
    }
}

/// Where the next element or member starts; `None` at the closing bracket.
fn next_item(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = skip_white_space(bytes, at);
    if matches!(bytes.get(at), Some(b',')) {
        at = skip_white_space(bytes, at + 1);
    }
    match bytes.get(at) {
        None | Some(b']' | b'}') => None,
        Some(_) => Some(at),
    }
}

/// Whether a member's name, with its quotes, is this one. Escapes only make names longer.
pub(crate) fn is_name(quoted: &str, key: &str) -> bool {
    let Some(name) = quoted.get(1..quoted.len().saturating_sub(1)) else { return false };
    name == key || (name.len() > key.len() && name.contains('\\') && unescape(name) == key)
}

/// Resolves the escapes of a string's inside.
fn unescape(inner: &str) -> Cow<'_, str> {
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(backslash) = rest.find('\\') {
        let Some((plain, escape)) = rest.split_at_checked(backslash) else { break };
        out.push_str(plain);
        let mut characters = escape.chars();
        characters.next();
        let character = match characters.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let (character, behind) = unicode_escape(characters.as_str());
                out.push(character);
                rest = behind;
                continue;
            }
            Some(other) => other,
            None => break,
        };
        out.push(character);
        rest = characters.as_str();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character of a `\u` escape whose digits start `text`, and what follows it. Two escapes make a surrogate pair.
fn unicode_escape(text: &str) -> (char, &str) {
    let unit = |digits: &str| digits.get(..4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let Some(first) = unit(text) else { return (char::REPLACEMENT_CHARACTER, text) };
    let behind = text.get(4..).unwrap_or_default();
    if (0xd800..0xdc00).contains(&first)
        && let Some(second) = behind.strip_prefix("\\u").and_then(unit)
        && (0xdc00..0xe000).contains(&second)
    {
        let scalar = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER), behind.get(6..).unwrap_or_default());
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), behind)
}
