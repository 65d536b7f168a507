//! The sizes of a video's frames over time: in how many reports each width and each height was seen.

use crate::limits;

/// Counts values of one dimension.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dimension {
    counts: Vec<(f64, u32)>,
    range: Option<(f64, f64)>,
}

impl Dimension {
    /// `times`: in so many reports.
    pub(crate) fn seen(&mut self, pixels: f64, times: u32) {
        let (min, max) = self.range.unwrap_or((pixels, pixels));
        self.range = Some((min.min(pixels), max.max(pixels)));
        if let Some((_, count)) = self.counts.iter_mut().find(|(known, _)| *known == pixels) {
            *count = count.saturating_add(times);
        } else if self.counts.len() < limits::FRAME_SIZES {
            self.counts.push((pixels, times));
        }
    }

    /// The one seen most often, the smallest of several.
    pub(crate) fn common(&self) -> Option<f64> {
        let most = self.counts.iter().map(|(_, count)| *count).max()?;
        self.counts.iter().filter(|(_, count)| *count == most).map(|(pixels, _)| *pixels).min_by(f64::total_cmp)
    }

    pub(crate) fn min(&self) -> Option<f64> {
        self.range.map(|(min, _)| min)
    }

    pub(crate) fn max(&self) -> Option<f64> {
        self.range.map(|(_, max)| max)
    }
}
