//! How fast an upload must be: who sends a byte now and then would hold its place for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use futures_util::StreamExt as _;

use crate::config::Limits;
use crate::problem::{Problem, Reason};

/// What an upload brought, and how long the collector waited for it. What the collector itself takes to store a dump is not
/// its sender's time.
#[derive(Debug)]
pub(super) struct Pace {
    received: Arc<AtomicU64>,
    waited: Duration,
    patience: Duration,
    /// Bytes per second; 0: any will do.
    least: u64,
}

impl Pace {
    /// As the settings say.
    pub(super) fn new(limits: &Limits) -> Self {
        let (patience, least) = (limits.idle_time.0, limits.upload_bytes_per_second.0);
        Self { received: Arc::default(), waited: Duration::ZERO, patience, least }
    }

    /// The body, what comes of it counted.
    pub(super) fn watch(&self, body: Body) -> Body {
        let received = Arc::clone(&self.received);
        Body::from_stream(body.into_data_stream().inspect(move |chunk| {
            if let Ok(chunk) = chunk {
                received.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            }
        }))
    }

    /// Waits for what its sender does next, for as long as that may take.
    pub(super) async fn next<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Problem> {
        let start = Instant::now();
        let result = tokio::time::timeout(self.left(), work).await;
        self.waited += start.elapsed();
        result.map_err(|_| {
            let detail = match self.left().is_zero() {
                true => format!("The upload is slower than {} bytes per second; send it faster.", self.least),
                false => "The upload did not go on; send it again.".to_owned(),
            };
            Problem::new(Reason::SlowUpload, detail)
        })
    }

    /// How long its sender may be silent now.
    fn left(&self) -> Duration {
        if self.least == 0 {
            return self.patience;
        }
        let earned = self.received.load(Ordering::Relaxed) as f64 / self.least as f64;
        let earned = Duration::try_from_secs_f64(earned).unwrap_or(Duration::MAX);
        self.patience.saturating_add(earned).saturating_sub(self.waited).min(self.patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Size, Span};

    fn pace(least: u64) -> Pace {
        let limits = Config::default().limits;
        Pace::new(&Limits { idle_time: Span(Duration::from_secs(10)), upload_bytes_per_second: Size(least), ..limits })
    }

    #[test]
    fn every_byte_earns_time_but_none_a_longer_silence() {
        let mut one = pace(1000);
        assert_eq!(one.left(), Duration::from_secs(10));
        one.waited = Duration::from_secs(8);
        assert_eq!(one.left(), Duration::from_secs(2));
        one.received.fetch_add(3000, Ordering::Relaxed);
        assert_eq!(one.left(), Duration::from_secs(5));
        one.received.fetch_add(1 << 40, Ordering::Relaxed);
        assert_eq!(one.left(), Duration::from_secs(10));
        one.waited = Duration::from_secs(1 << 40);
        assert_eq!(one.left(), Duration::ZERO);
    }

    #[test]
    fn without_a_rate_only_a_silence_is_too_slow() {
        let mut one = pace(0);
        one.waited = Duration::from_secs(1 << 40);
        assert_eq!(one.left(), Duration::from_secs(10));
    }
}
