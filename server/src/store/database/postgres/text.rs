//! Text as PostgreSQL takes it. A client's may hold what the server refuses: the character NUL, halves of surrogate pairs and, in
//! `jsonb`, numbers beyond its `numeric`. One such value would keep a whole batch from being written.

use std::borrow::Cow;

/// What stands for a character that cannot be stored.
const REPLACEMENT: char = '\u{fffd}';
/// The longest number that is kept: no browser sends one of a tenth of that.
const LONGEST_NUMBER: usize = 500;
/// An exponent with more digits is out of range.
const LONGEST_EXPONENT: usize = 4;

/// Text without NUL.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', REPLACEMENT.encode_utf8(&mut [0; 4])).into() } else { text.into() }
}

/// JSON that `jsonb` takes: an escape that is no character becomes U+FFFD, a number that is none of its numbers becomes `null`.
pub(super) fn json(json: &str) -> Cow<'_, str> {
    let mut scanner = Scanner { text: json, at: 0, in_string: false };
    // How much of the text is in `out`.
    let (mut out, mut kept) = (String::new(), 0);
    while let Some((start, replacement)) = scanner.refused() {
        out.push_str(json.get(kept..start).unwrap_or_default());
        out.push_str(replacement);
        kept = scanner.at;
    }
    if kept == 0 {
        return json.into();
    }
    out.push_str(json.get(kept..).unwrap_or_default());
    out.into()
}

/// Goes through a text that is JSON.
struct Scanner<'t> {
    text: &'t str,
    at: usize,
    in_string: bool,
}

impl Scanner<'_> {
    /// Goes behind the next part that the server refuses: where that begins, and what takes its place.
    fn refused(&mut self) -> Option<(usize, &'static str)> {
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            let start = self.at;
            self.at += 1;
            let replacement = match byte {
                b'\\' => self.escape(start).then_some("\\ufffd"),
                b'-' | b'0'..=b'9' if !self.in_string => self.number(start).then_some("null"),
                _ => None,
            };
            self.in_string ^= *byte == b'"';
            if let Some(replacement) = replacement {
                return Some((start, replacement));
            }
        }
        None
    }

    /// Goes behind an escape; whether it is no character.
    fn escape(&mut self, start: usize) -> bool {
        self.at = start + 2;
        let Some(code) = self.code(start) else { return false };
        self.at = start + 6;
        if matches!(code, 0xd800..=0xdbff) && matches!(self.code(self.at), Some(0xdc00..=0xdfff)) {
            self.at += 6;
            return false;
        }
        matches!(code, 0 | 0xd800..=0xdfff)
    }

    /// The code unit of an escape that stands here.
    fn code(&self, at: usize) -> Option<u16> {
        let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    }

    /// Goes behind a number; whether it is out of range.
    fn number(&mut self, start: usize) -> bool {
        let rest = self.text.get(start..).unwrap_or_default();
        let length = rest.bytes().take_while(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte)).count();
        self.at = start + length;
        let number = rest.get(..length).unwrap_or_default();
        let exponent = number.split(['e', 'E']).nth(1).unwrap_or_default();
        length > LONGEST_NUMBER || exponent.trim_start_matches(['-', '+', '0']).len() > LONGEST_EXPONENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_takes_stays_as_it_is() {
        for kept in [
            r#"{"a":[1,-2.5e-3,1e308],"b":"\\u0000 \"1e99999\"","c":"\ud83d\ude00 \u00e4","d":"ä"}"#,
            "1e0000000001",
            "{}",
        ] {
            assert!(matches!(json(kept), Cow::Borrowed(same) if same == kept), "{kept}");
        }
        assert!(matches!(text("a\u{1}"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_it_refuses_is_replaced() {
        assert_eq!(text("a\0b\0"), "a\u{fffd}b\u{fffd}");
        assert_eq!(
            json(r#"["\u0000x","\ud800","\udc00\ud800\u0041"]"#),
            r#"["\ufffdx","\ufffd","\ufffd\ufffd\u0041"]"#
        );
        assert_eq!(json("[1e100000,-1e-99999,2]"), "[null,null,2]");
        assert_eq!(json(&format!("{{\"a\":{}}}", "9".repeat(600))), "{\"a\":null}");
    }
}
