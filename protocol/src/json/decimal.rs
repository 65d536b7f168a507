//! Comparing numbers by their text, so that the client need not carry a parser for floating point.

use std::cmp::Ordering;

/// The value `0.DIGITS x 10^exponent`, with no zero in front of or behind the digits.
struct Decimal<'a> {
    negative: bool,
    integer: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl<'a> Decimal<'a> {
    fn parse(text: &'a str) -> Self {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, power) = match text.find(['e', 'E']) {
            Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default()),
            None => (text, "0"),
        };
        let power = power.strip_prefix('+').unwrap_or(power);
        // An exponent beyond i64 is beyond every double too: zero or infinity, told apart by its sign.
        let power = power.parse().unwrap_or(if power.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 });
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let integer = integer.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let leading = if integer.is_empty() { fraction.len() - fraction.trim_start_matches('0').len() } else { 0 };
        let exponent = power.saturating_add(integer.len() as i64 - leading as i64);
        let fraction = fraction.get(leading..).unwrap_or_default();
        Self { negative, integer, fraction, exponent }
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.integer.bytes().chain(self.fraction.bytes())
    }

    fn is_zero(&self) -> bool {
        self.digits().all(|digit| digit == b'0')
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.exponent.cmp(&other.exponent).then_with(|| {
                let mut left = self.digits();
                let mut right = other.digits();
                loop {
                    match (left.next(), right.next()) {
                        (None, None) => return Ordering::Equal,
                        (a, b) => match a.unwrap_or(b'0').cmp(&b.unwrap_or(b'0')) {
                            Ordering::Equal => {}
                            different => return different,
                        },
                    }
                }
            }),
        }
    }
}

/// Compares two JSON numbers by value, exactly.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let (a, b) = (Decimal::parse(a), Decimal::parse(b));
    match (a.negative && !a.is_zero(), b.negative && !b.is_zero()) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => a.magnitude(&b),
        (true, true) => b.magnitude(&a),
    }
}
