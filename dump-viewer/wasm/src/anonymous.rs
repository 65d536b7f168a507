//! A copy of the dump that can be given away, as `rtctrace anonymize` makes it.

use rtctrace_protocol::dump::MAGIC;
use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::line::Line;
use rtctrace_protocol::privacy::Anonymizer;

use crate::recording::Recording;

/// Text that is handed over at a time.
const PART: usize = 1 << 20;

impl Recording {
    /// Hands over the text of the copy, part by part. Lines that could not be read are not in it.
    pub fn anonymized(&self, mut take: impl FnMut(&str)) {
        let mut anonymizer = Anonymizer::default();
        let metadata = RawValue::parse(&self.metadata).map(|metadata| anonymizer.metadata(metadata));
        let mut part = format!("{MAGIC}\n{}\n", metadata.unwrap_or_default());
        for span in &self.spans {
            let Ok(line) = Line::parse(self.lines.get(*span)) else { continue };
            part.push_str(&anonymizer.line(&line));
            part.push('\n');
            if part.len() >= PART {
                take(&part);
                part.clear();
            }
        }
        take(&part);
    }
}
