//! The text of the lines, kept for whoever looks at an event later.

/// Small enough that growing never copies much, large enough that a big dump has few of them.
const CHUNK: usize = 4 << 20;

/// Where a line lies in [`Lines`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    chunk: u32,
    start: u32,
    length: u32,
}

/// Text in chunks that never move: a single `String` would need twice its size whenever it grows.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    chunks: Vec<String>,
    bytes: u64,
}

impl Lines {
    /// Keeps `text`, or gives `None` if it would not fit the address space of a wasm module.
    pub(crate) fn push(&mut self, text: &str, limit: u64) -> Option<Span> {
        if self.bytes + text.len() as u64 > limit {
            return None;
        }
        let full = self.chunks.last().is_none_or(|chunk| chunk.len() + text.len() > chunk.capacity());
        if full {
            self.chunks.push(String::with_capacity(CHUNK.max(text.len())));
        }
        let index = self.chunks.len().checked_sub(1)?;
        let chunk = self.chunks.last_mut()?;
        let span = Span {
            chunk: u32::try_from(index).ok()?,
            start: u32::try_from(chunk.len()).ok()?,
            length: u32::try_from(text.len()).ok()?,
        };
        chunk.push_str(text);
        self.bytes += text.len() as u64;
        Some(span)
    }

    pub(crate) fn get(&self, span: Span) -> &str {
        let start = span.start as usize;
        self.chunks
            .get(span.chunk as usize)
            .and_then(|chunk| chunk.get(start..start + span.length as usize))
            .unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_as_they_were() {
        let mut lines = Lines::default();
        let long = "é".repeat(CHUNK);
        let spans: Vec<_> =
            ["a", "", long.as_str(), "b"].iter().map(|text| lines.push(text, u64::MAX).unwrap()).collect();
        let texts: Vec<_> = spans.iter().map(|span| lines.get(*span)).collect();
        assert_eq!(texts, ["a", "", long.as_str(), "b"]);
    }

    #[test]
    fn a_line_over_the_limit_is_refused() {
        let mut lines = Lines::default();
        assert!(lines.push("12345", 8).is_some());
        assert!(lines.push("12345", 8).is_none());
        assert!(lines.push("123", 8).is_some());
    }
}
