//! When a connection first received something.

use rtctrace_protocol::json::RawValue;

/// What a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    Audio,
    Video,
}

impl Media {
    /// The kind of a track, or of a stream.
    pub(crate) fn of(kind: RawValue<'_>) -> Option<Self> {
        match kind.text() {
            r#""audio""# => Some(Self::Audio),
            r#""video""# => Some(Self::Video),
            _ => None,
        }
    }
}

/// The times of the first packet of either kind, and of the first frame. What tells first of it counts: a track that is unmuted, or a
/// report.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FirstMedia {
    pub(crate) audio_packet: Option<f64>,
    pub(crate) video_packet: Option<f64>,
    pub(crate) video_frame: Option<f64>,
}

impl FirstMedia {
    /// A packet has come by now.
    pub(crate) fn packet(&mut self, media: Media, time: f64) {
        let first = match media {
            Media::Audio => &mut self.audio_packet,
            Media::Video => &mut self.video_packet,
        };
        first.get_or_insert(time);
    }

    /// A frame was decoded by now.
    pub(crate) fn frame(&mut self, time: f64) {
        self.video_frame.get_or_insert(time);
    }

    /// When anything came first.
    pub(crate) fn any_packet(&self) -> Option<f64> {
        match (self.audio_packet, self.video_packet) {
            (Some(audio), Some(video)) => Some(audio.min(video)),
            (audio, video) => audio.or(video),
        }
    }
}
