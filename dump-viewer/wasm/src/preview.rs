//! One line of text that says what an event is about, for its row in the event table.

use std::fmt::Write;

use rtctrace_protocol::json::{Kind, RawValue};
use rtctrace_protocol::line::Line;

use crate::recording::Recording;

/// Characters of a preview: more than any screen shows.
const LENGTH: usize = 240;
const END_OF_CANDIDATES: &str = "end of candidates";

impl Recording {
    /// The previews of these events, in their order.
    #[must_use]
    pub fn previews(&self, events: &[u32]) -> Vec<String> {
        events.iter().map(|event| self.preview(*event).unwrap_or_default()).collect()
    }

    fn preview(&self, event: u32) -> Option<String> {
        let index = event as usize;
        let line = Line::parse(self.lines.get(*self.spans.get(index)?)).ok()?;
        let mut text = match (self.sizes.get(index).copied().unwrap_or(0), self.description(event)) {
            (0, None) if line.value().is_null() && matches!(&*line.method(), "onicecandidate" | "addIceCandidate") => {
                END_OF_CANDIDATES.to_owned()
            }
            (0, None) => value(line.value()),
            (0, Some(sdp)) => description(line.value(), sdp),
            (2, _) => "1 entry".to_owned(),
            (more, _) => format!("{} entries", more - 1),
        };
        for extra in line.extra() {
            if !text.is_empty() {
                text.push_str(" · ");
            }
            text.push_str(&value(*extra));
        }
        Some(shorten(&text))
    }
}

fn value(value: RawValue<'_>) -> String {
    match value.kind() {
        Kind::Null => String::new(),
        Kind::String => value.as_str().unwrap_or_default().into_owned(),
        Kind::Object => match value.get("candidate").and_then(RawValue::as_str) {
            Some(candidate) if candidate.is_empty() => END_OF_CANDIDATES.to_owned(),
            Some(candidate) => candidate.into_owned(),
            None => value.text().to_owned(),
        },
        Kind::Array => {
            let plain = value.elements().all(|element| matches!(element.kind(), Kind::String | Kind::Number));
            if plain {
                let parts: Vec<_> = value.elements().map(|element| self::value(element)).collect();
                parts.join(" ")
            } else {
                value.text().to_owned()
            }
        }
        Kind::Number | Kind::Bool => value.text().to_owned(),
    }
}

fn description(value: RawValue<'_>, sdp: &str) -> String {
    let kind = value.get("type").and_then(RawValue::as_str).unwrap_or_default();
    let mut text = kind.into_owned();
    let sections = sdp.split('\n').filter_map(|line| line.strip_prefix("m=")?.split(' ').next());
    for (index, section) in sections.enumerate() {
        text.push_str(if index == 0 && !text.is_empty() {
            ": "
        } else if index == 0 {
            ""
        } else {
            ", "
        });
        text.push_str(section);
    }
    // Writing to a String cannot fail.
    let _ = write!(text, " ({} bytes)", sdp.len());
    text
}

fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(LENGTH).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> String {
        value(RawValue::parse(json).unwrap())
    }

    #[test]
    fn values_are_shown_by_what_matters_in_them() {
        assert_eq!(of(r#""stable""#), "stable");
        assert_eq!(of("null"), "");
        assert_eq!(of(r#"["audio","track","label"]"#), "audio track label");
        assert_eq!(of(r#"{"candidate":"candidate:1 1 udp","sdpMid":"0"}"#), "candidate:1 1 udp");
        assert_eq!(of(r#"{"candidate":"","sdpMid":"0"}"#), "end of candidates");
        assert_eq!(of(r#"{"audio":true}"#), r#"{"audio":true}"#);
    }

    #[test]
    fn descriptions_are_shown_by_type_and_sections() {
        let sdp = "v=0\r\nm=audio 9 UDP\r\na=x\r\nm=video 9 UDP\r\n";
        let value = RawValue::parse(r#"{"type":"offer","sdp":"v="}"#).unwrap();
        assert_eq!(description(value, sdp), format!("offer: audio, video ({} bytes)", sdp.len()));
    }

    #[test]
    fn previews_are_short_and_on_one_line() {
        assert_eq!(shorten("a\nb"), "a b");
        assert_eq!(shorten(&"é".repeat(500)).chars().count(), LENGTH + 1);
    }
}
