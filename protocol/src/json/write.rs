//! Writing JSON text: strings as `JSON.stringify` writes them, numbers as short as they can be without rounding.

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `text` as a JSON string, with its quotes, escaped as `JSON.stringify` does (ECMA-262, QuoteJSONString).
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            0x08 => "\\b",
            0x0c => "\\f",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x00..0x20 => "",
            _ => continue,
        };
        out.push_str(text.get(plain..at).unwrap_or_default());
        plain = at + 1;
        if escape.is_empty() {
            out.push_str("\\u00");
            for nibble in [byte >> 4, byte & 15] {
                out.push(char::from(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0')));
            }
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(text.get(plain..).unwrap_or_default());
    out.push('"');
}

/// Appends an integer.
pub(crate) fn write_i64(out: &mut String, number: i64) {
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    let mut rest = number.unsigned_abs();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        start -= 1;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push('-');
    }
    out.extend(digits.iter().skip(start).map(|digit| char::from(*digit)));
}

/// Appends the JSON number `text`, a fraction in fewer bytes where an exponent saves some: `0.00027` as `27e-5`. The decimal
/// value is the same, so every reader gets the same double: nothing is rounded. Integers stay as they are, because there
/// are readers that take an integer member in no other form.
pub(crate) fn write_shortest_number(out: &mut String, text: &str) {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    if let Some(fraction) = digits.strip_prefix("0.")
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
    {
        let significant = fraction.trim_start_matches('0');
        let exponent = fraction.len();
        // `0.` and the leading zeros go, `e-` and the exponent come.
        let exponent_length = 2 + decimal_length(exponent);
        if !significant.is_empty() && significant.len() + exponent_length < digits.len() {
            out.push_str(sign);
            out.push_str(significant);
            out.push_str("e-");
            write_i64(out, exponent as i64);
            return;
        }
    }
    out.push_str(text);
}

fn decimal_length(number: usize) -> usize {
    if number < 10 {
        1
    } else if number < 100 {
        2
    } else {
        // Longer than any double that JSON.stringify writes without an exponent: rounding up here only keeps the text as it is.
        20
    }
}
