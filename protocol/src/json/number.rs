//! The double next to a decimal number, halves to the even one (IEEE 754, section 4.3.1). The parser of the standard library finds the same
//! ones; its table of powers is a thirtieth of what the viewer downloads.

use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// Digits of which all are exact in 64 bits.
const DIGITS: usize = 19;
/// Of more digits only whether any of them is something matters: no double lies so near to the middle of two.
const MOST_DIGITS: usize = 800;
/// Beyond these powers of ten, of the first digit, numbers are infinite or nothing.
const LEAST_POWER: i64 = -330;
const MOST_POWER: i64 = 310;
/// All integers up to this one are doubles.
const EXACT: u64 = 1 << 53;

/// The number that a text is; none if it is no number. One that is too large is infinite.
pub(crate) fn number(text: &str) -> Option<f64> {
    let (is_negative, unsigned) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let end = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(unsigned.len());
    let (decimal, power) = unsigned.split_at_checked(end)?;
    let mut power = match power {
        [] => 0,
        [_, power @ ..] => exponent(power)?,
    };
    let (mut first, mut count, mut has_point, mut is_number) = (0_u64, 0_usize, false, false);
    for byte in decimal {
        match byte {
            b'.' if !has_point => has_point = true,
            b'0'..=b'9' => {
                is_number = true;
                if count > 0 || *byte != b'0' {
                    if count < DIGITS {
                        first = first * 10 + u64::from(byte - b'0');
                    }
                    count += 1;
                }
                power -= i64::from(has_point);
            }
            _ => return None,
        }
    }
    let value = if is_number { nearest(decimal, (first, count), power) } else { return None };
    Some(if is_negative { -value } else { value })
}

fn exponent(text: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let mut number = 0_i64;
    for byte in digits {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        // Far beyond what a double can be, whatever digits stand before it.
        number = (number * 10 + digit).min(1 << 40);
    }
    (!digits.is_empty()).then_some(if is_negative { -number } else { number })
}

/// The double next to the digits of a decimal times a power of ten; `first`: as many of them as are exact, `count`: how many there are behind
/// the zeros that it begins with.
fn nearest(decimal: &[u8], (first, count): (u64, usize), power: i64) -> f64 {
    let highest = power.saturating_add(count as i64);
    if count == 0 || highest < LEAST_POWER {
        return 0.0;
    }
    if highest > MOST_POWER {
        return f64::INFINITY;
    }
    if count > DIGITS || power.unsigned_abs() > DIGITS as u64 {
        return of_large(decimal, count, power);
    }
    let ten = 10_u64.pow(power.unsigned_abs() as u32);
    if first <= EXACT {
        // Both are doubles, so one rounding gives the nearest (Clinger, 1990).
        return if power < 0 { first as f64 / ten as f64 } else { first as f64 * ten as f64 };
    }
    let ten = u128::from(ten);
    if power >= 0 {
        return rounded(u128::from(first) * ten, 0);
    }
    let shift = first.leading_zeros() + 64;
    let whole = u128::from(first) << shift;
    rounded((whole / ten) | u128::from(!whole.is_multiple_of(ten)), -(shift as i32))
}

/// The double next to a number of at least 54 bits, or one that is exact, times a power of two. Its lowest bit may stand for all that is below.
fn rounded(number: u128, power: i32) -> f64 {
    let bits = 128 - number.leading_zeros() as i32;
    // Below the least normal double, there are fewer bits.
    let kept = 53.min(bits + power + 1074);
    let dropped = (bits - kept).max(0);
    if dropped > 127 {
        return 0.0;
    }
    let mut mantissa = number >> dropped;
    if dropped > 0 {
        let half = 1_u128 << (dropped - 1);
        match (number & (half * 2 - 1)).cmp(&half) {
            Ordering::Greater => mantissa += 1,
            Ordering::Equal => mantissa += mantissa & 1,
            Ordering::Less => {}
        }
    }
    // In two steps, each of which is exact: the power may be no double.
    let power = power + dropped;
    mantissa as f64 * two_to(power / 2) * two_to(power - power / 2)
}

fn two_to(power: i32) -> f64 {
    f64::from_bits(((1023 + power.clamp(-1022, 1023)) as u64) << 52)
}

/// The same by long division, for what no other way is exact.
fn of_large(decimal: &[u8], count: usize, power: i64) -> f64 {
    let mut digits = decimal.iter().filter(|byte| **byte != b'.').skip_while(|byte| **byte == b'0');
    let (mut above, mut below) = (Large(Vec::new()), Large(vec![1]));
    for digit in digits.by_ref().take(MOST_DIGITS) {
        above.times(10, u32::from(digit - b'0'));
    }
    let mut power = power + count.saturating_sub(MOST_DIGITS) as i64;
    if digits.any(|digit| *digit != b'0') {
        above.times(10, 1);
        power -= 1;
    }
    for _ in 0..power.unsigned_abs() {
        if power < 0 { &mut below } else { &mut above }.times(10, 0);
    }
    // The quotient gets 65 or 66 bits.
    let shift = 65 - (above.bits() - below.bits());
    if shift > 0 {
        above.shift(shift);
    } else {
        below.shift(-shift);
    }
    below.shift(66);
    let mut quotient = 0_u128;
    for _ in 0..=66 {
        quotient <<= 1;
        if above.take(&below) {
            quotient |= 1;
        }
        below.halve();
    }
    rounded(quotient | u128::from(above.bits() > 0), -shift)
}

/// A natural number, the lowest 32 bits first.
struct Large(Vec<u32>);

impl Large {
    fn bits(&self) -> i32 {
        let zeros = self.0.iter().rev().take_while(|limb| **limb == 0).count();
        let limbs = self.0.len() - zeros;
        let highest = limbs.checked_sub(1).and_then(|at| self.0.get(at)).copied().unwrap_or(0);
        limbs as i32 * 32 - if limbs > 0 { highest.leading_zeros() as i32 } else { 0 }
    }

    fn times(&mut self, factor: u32, more: u32) {
        let mut carry = u64::from(more);
        for limb in &mut self.0 {
            carry += u64::from(*limb) * u64::from(factor);
            *limb = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    /// Times two to the power of `bits`.
    fn shift(&mut self, bits: i32) {
        let bits = bits.unsigned_abs();
        self.times(1 << (bits % 32), 0);
        self.0.splice(0..0, core::iter::repeat_n(0, (bits / 32) as usize));
    }

    fn halve(&mut self) {
        let mut carry = 0;
        for limb in self.0.iter_mut().rev() {
            let lowest = *limb << 31;
            *limb = (*limb >> 1) | carry;
            carry = lowest;
        }
    }

    /// Subtracts, if that is possible.
    fn take(&mut self, other: &Self) -> bool {
        let at = |limbs: &[u32], at: usize| limbs.get(at).copied().unwrap_or(0);
        let length = self.0.len().max(other.0.len());
        let order =
            (0..length).rev().map(|limb| at(&self.0, limb).cmp(&at(&other.0, limb))).find(|order| order.is_ne());
        if order == Some(Ordering::Less) {
            return false;
        }
        let mut borrow = 0_i64;
        for (limb, value) in self.0.iter_mut().enumerate() {
            borrow += i64::from(*value) - i64::from(at(&other.0, limb));
            *value = borrow as u32;
            borrow >>= 32;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use proptest::prelude::*;

    use super::*;

    /// Bit by bit what the standard library gives.
    fn assert_same(text: &str) {
        let expected: Option<f64> = text.parse().ok();
        assert_eq!(number(text).map(f64::to_bits), expected.map(f64::to_bits), "{text}: {:?}", number(text));
    }

    #[test]
    fn numbers_at_the_edges_are_the_nearest_doubles() {
        let long = format!("1{}", "0".repeat(900));
        let sticky = format!("9007199254740993.{}1", "0".repeat(900));
        for text in [
            "0",
            "-0",
            "0.0",
            "-0.0e5",
            "1",
            "-1",
            "007",
            "1.5",
            ".5",
            "5.",
            "1e0",
            "1E+2",
            "1e-2",
            "4.35",
            "0.1",
            "1e22",
            "1e23",
            "9007199254740993",
            "9007199254740992",
            "9007199254740991.5",
            "18446744073709551615",
            "18446744073709551616",
            "123456789012345678901234567890",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "1.8e308",
            "1e309",
            "1e999999999999999999999",
            "2.2250738585072014e-308",
            "2.2250738585072011e-308",
            "4.9406564584124654e-324",
            "5e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "1e-400",
            "1e-99999999999999999999",
            "0e999999999999",
            "0.000000000000000000000000000001e30",
            "6.631236846766476e-316",
            "3.237883913302901e-319",
            "1448997445238699",
            "1.75342361155652490234e+12",
            "12.345678901234567",
            &long,
            &format!("{long}e-900"),
            &sticky,
            &format!("-{sticky}e-10"),
            &format!("0.{}123e320", "0".repeat(320)),
        ] {
            assert_same(text);
        }
        for text in ["", "-", ".", "e5", "1e", "1e+", "1.2.3", "1x", "x", " 1", "1 ", "--1", "1e1.0"] {
            assert_eq!(number(text), None, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn every_double_comes_back(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            assert_same(&format!("{value}"));
            assert_same(&format!("{value:e}"));
            assert_same(&format!("{value:.25e}"));
        }

        #[test]
        fn every_decimal_is_rounded_as_the_standard_library_does(digits in "[0-9]{1,40}", fraction in "[0-9]{0,40}", power in -360..360_i32) {
            assert_same(&format!("{digits}.{fraction}e{power}"));
            assert_same(&format!("{digits}.{fraction}"));
            assert_same(&format!("{digits}e{power}"));
        }

        #[test]
        fn the_middle_of_two_doubles_goes_to_the_even_one(mantissa in 1_u64 << 52..1 << 53, power in -1074..960_i32, more in 0..3_u32) {
            // All digits of the middle, and a little beside it.
            let middle = mantissa as f64 * 2_f64.powi(power / 2) * 2_f64.powi(power - power / 2);
            let next = f64::from_bits(middle.to_bits() + 1);
            prop_assume!(next.is_finite());
            let text = format!("{:.800}", middle);
            assert_same(&format!("{text}{more}"));
            assert_same(&format!("{:e}", middle / 2.0 + next / 2.0));
        }
    }
}
