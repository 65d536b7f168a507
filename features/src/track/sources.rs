//! What a stream is made of that names no source, as in Firefox: the only source of its kind, if there is but one sender of that kind.

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, Report};

use super::first_media::Media;

/// The only source, and the only sender, of each kind in a report.
#[derive(Debug, Default)]
pub(super) struct OnlySources<'r> {
    audio: Kind<'r>,
    video: Kind<'r>,
}

#[derive(Debug, Default)]
struct Kind<'r> {
    source: Only<Entry<'r>>,
    /// The media section of the streams that are sent; several layers have one.
    sender: Only<Option<&'r str>>,
}

/// What is the only one of several.
#[derive(Debug, Default)]
enum Only<T> {
    #[default]
    None,
    One(T),
    Several,
}

impl<T> Only<T> {
    fn add(&mut self, other: T, is_same: impl FnOnce(&T, &T) -> bool) {
        *self = match std::mem::replace(self, Self::Several) {
            Self::None => Self::One(other),
            Self::One(known) if is_same(&known, &other) => Self::One(known),
            _ => Self::Several,
        };
    }
}

impl<'r> OnlySources<'r> {
    pub(super) fn of(report: &'r Report) -> Self {
        let mut sources = Self::default();
        for entry in report.entries() {
            let (is_source, is_sent) = (entry.kind() == "media-source", entry.kind() == "outbound-rtp");
            let kind = if is_source || is_sent { sources.kind(entry) } else { None };
            match kind {
                Some(kind) if is_source => kind.source.add(entry, |_, _| false),
                Some(kind) => {
                    kind.sender.add(entry.member("mid").map(RawValue::text), |known, other| known == other);
                }
                None => {}
            }
        }
        sources
    }

    fn kind(&mut self, entry: Entry<'_>) -> Option<&mut Kind<'r>> {
        match Media::of(entry.member("kind")?)? {
            Media::Audio => Some(&mut self.audio),
            Media::Video => Some(&mut self.video),
        }
    }

    /// The source of a stream of that kind.
    pub(super) fn of_kind(&mut self, stream: Entry<'_>) -> Option<Entry<'r>> {
        match self.kind(stream)? {
            Kind { source: Only::One(source), sender: Only::One(_) } => Some(*source),
            _ => None,
        }
    }
}
