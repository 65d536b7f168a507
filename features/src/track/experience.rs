//! The best and the worst of the videos that are received, as Jitsi sums up what a participant sees.

use crate::table::ConnectionFeatures;

/// Sums over samples.
#[derive(Debug, Default)]
pub(super) struct Experience {
    samples: u64,
    tallest: Sums,
    shortest: Sums,
}

#[derive(Debug, Default)]
struct Sums {
    height: f64,
    frame_rate: f64,
}

impl Sums {
    fn add(&mut self, (height, frame_rate): (f64, f64)) {
        self.height += height;
        self.frame_rate += frame_rate;
    }

    fn means(&self, samples: u64) -> (Option<f64>, Option<f64>) {
        let mean = |sum: f64| Some(sum / samples as f64).filter(|mean| samples > 0 && mean.is_finite());
        (mean(self.height), mean(self.frame_rate))
    }
}

impl Experience {
    /// `received`: height and frame rate of each video in a sample. Of equally tall ones the tallest is the faster, the shortest the
    /// slower.
    pub(super) fn sample(&mut self, received: impl Iterator<Item = (f64, f64)>) {
        let mut range: Option<((f64, f64), (f64, f64))> = None;
        for video in received {
            let (tallest, shortest) = range.get_or_insert((video, video));
            if video > *tallest {
                *tallest = video;
            }
            if video < *shortest {
                *shortest = video;
            }
        }
        if let Some((tallest, shortest)) = range {
            self.samples += 1;
            self.tallest.add(tallest);
            self.shortest.add(shortest);
        }
    }

    pub(super) fn write(&self, features: &mut ConnectionFeatures) {
        (features.tallest_inbound_video_height, features.tallest_inbound_video_frame_rate) =
            self.tallest.means(self.samples);
        (features.shortest_inbound_video_height, features.shortest_inbound_video_frame_rate) =
            self.shortest.means(self.samples);
    }
}
