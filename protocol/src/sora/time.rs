//! Times as Sora writes them: RFC 3339, in UTC, with microseconds.

use crate::calendar::days_since_epoch;

/// Microseconds since the Unix epoch. Digits of a second's fraction behind the sixth are left out; an offset from UTC is taken off.
pub(super) fn micros(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let number = |from: usize, length: usize| {
        let digits = bytes.get(from..from + length)?;
        digits.iter().try_fold(0_i64, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
    };
    let is = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|byte| wanted.contains(byte));
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    // A leap second is the first of the next minute.
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = bytes.get(19..)?;
    let mut fraction = 0;
    if let Some(digits) = rest.strip_prefix(b".") {
        let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let six = digits.iter().take(count).chain(std::iter::repeat(&b'0')).take(6);
        fraction = six.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        rest = digits.get(count..).filter(|_| count > 0)?;
    }
    let offset = match rest {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let at = bytes.len() - 5;
            let (hours, minutes) = (number(at, 2)?, number(at + 3, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -60 } else { 60 }
        }
        _ => return None,
    };
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    Some(seconds * 1_000_000 + fraction)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_its_microseconds() {
        assert_eq!(micros("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(micros("2025-07-25T06:06:51.592776Z"), Some(1_753_423_611_592_776));
        assert_eq!(micros("2024-02-29T23:59:60.1234567z"), Some(1_709_251_200_123_456));
        assert_eq!(micros("2025-07-25T15:06:51.5+09:00"), Some(1_753_423_611_500_000));
        assert_eq!(micros("2025-07-24 20:36:51-09:30"), Some(1_753_423_611_000_000));
    }

    #[test]
    fn nothing_else_is_a_time() {
        for text in [
            "",
            "2025",
            "2025-07-25",
            "2025-07-25T06:06:51",
            "2025-07-25T06:06:51.Z",
            "2025-07-25T06:06:51.1",
            "2025-02-29T06:06:51Z",
            "2025-13-01T06:06:51Z",
            "2025-00-01T06:06:51Z",
            "2025-07-25T24:06:51Z",
            "2025-07-25T06:60:51Z",
            "2025-07-25T06:06:61Z",
            "2025-07-25T06:06:51+24:00",
            "2025-07-25T06:06:51+0900",
            "+025-07-25T06:06:51Z",
            "2025-07-25T06:06:5\u{661}Z",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
    }
}
