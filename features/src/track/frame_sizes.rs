//! The sizes of a video's frames over time: in how many reports each width and each height was seen.

use crate::limits;

/// Counts values of one dimension.
#[derive(Debug, Default)]
pub(crate) struct Dimension {
    counts: Vec<(f64, u32)>,
}

impl Dimension {
    pub(crate) fn seen(&mut self, pixels: f64) {
        if let Some((_, count)) = self.counts.iter_mut().find(|(known, _)| *known == pixels) {
            *count = count.saturating_add(1);
        } else if self.counts.len() < limits::FRAME_SIZES {
            self.counts.push((pixels, 1));
        }
    }

    /// The one seen most often, the smallest of several.
    pub(crate) fn common(&self) -> Option<f64> {
        let most = self.counts.iter().map(|(_, count)| *count).max()?;
        self.counts.iter().filter(|(_, count)| *count == most).map(|(pixels, _)| *pixels).min_by(f64::total_cmp)
    }

    pub(crate) fn min(&self) -> Option<f64> {
        self.counts.iter().map(|(pixels, _)| *pixels).min_by(f64::total_cmp)
    }

    pub(crate) fn max(&self) -> Option<f64> {
        self.counts.iter().map(|(pixels, _)| *pixels).max_by(f64::total_cmp)
    }
}
