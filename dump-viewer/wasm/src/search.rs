//! Finding events by text.

use rtctrace_protocol::line::Line;

use crate::recording::Recording;

impl Recording {
    /// The events in whose method, connection, value or extras `text` occurs, in whatever case of ASCII letters. Of
    /// descriptions the complete SDP is searched; what reports hold is found by [`crate::ReportSearch`].
    #[must_use]
    pub fn search(&self, text: &str) -> Vec<u32> {
        let needle = text.trim();
        let methods: Vec<bool> = self.methods.iter().map(|method| contains(method, needle)).collect();
        let connections: Vec<bool> =
            self.connections.iter().map(|connection| contains(&connection.id, needle)).collect();
        let found = |event: u32| {
            let index = event as usize;
            let in_names = self.method_of.get(index).and_then(|method| methods.get(*method as usize)) == Some(&true)
                || self.connection_of.get(index).and_then(|id| connections.get(usize::try_from(*id).ok()?))
                    == Some(&true);
            in_names || (self.sizes.get(index) == Some(&0) && self.in_value(event, needle))
        };
        (0..u32::try_from(self.times.len()).unwrap_or(u32::MAX)).filter(|event| found(*event)).collect()
    }

    fn in_value(&self, event: u32, needle: &str) -> bool {
        if self.description(event).is_some_and(|sdp| contains(sdp, needle)) {
            return true;
        }
        let Some(span) = self.spans.get(event as usize) else { return false };
        let text = self.lines.get(*span);
        // The line holds more than the value, so this spares parsing it and never misses.
        if !contains(text, needle) {
            return false;
        }
        Line::parse(text).is_ok_and(|line| {
            contains(line.value().text(), needle) || line.extra().iter().any(|extra| contains(extra.text(), needle))
        })
    }
}

pub(crate) fn contains(text: &str, needle: &str) -> bool {
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    let Some(first) = needle.first() else { return true };
    let last = text.len().wrapping_sub(needle.len());
    if last > text.len() {
        return false;
    }
    text.iter().take(last + 1).enumerate().any(|(at, byte)| {
        byte.eq_ignore_ascii_case(first)
            && text.get(at..at + needle.len()).is_some_and(|part| part.eq_ignore_ascii_case(needle))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_found_in_any_case_and_place() {
        assert!(contains("onIceCandidate", "icec"));
        assert!(contains("abc", "C"));
        assert!(contains("abc", ""));
        assert!(contains("", ""));
        assert!(!contains("ab", "abc"));
        assert!(!contains("abc", "ac"));
    }
}
