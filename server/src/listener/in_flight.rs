//! How many requests of Sora are under way at one time, and how much their bodies take. There is no queue: who finds no room is told
//! to come back, and its connection goes on.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::app::places;
use crate::config::Sora;
use crate::problem::{Problem, Reason};
use crate::telemetry::SoraRequest;

/// What is told to who finds no room, in seconds: requests take milliseconds.
const RETRY_AFTER: u64 = 1;
/// Bytes are counted by so many.
const UNIT: u64 = 1 << 10;
/// A body that has no room may take so long to be passed over.
const PATIENCE: Duration = Duration::from_secs(5);

/// The room for requests.
#[derive(Debug)]
pub(super) struct InFlight {
    requests: Arc<Semaphore>,
    units: Arc<Semaphore>,
    longest: u64,
}

/// The room of one request. Whoever has the request finds it among the request's extensions, and holds it for as long as it works for it:
/// its sender may be gone long before.
#[derive(Debug)]
pub(crate) struct Taken {
    _request: OwnedSemaphorePermit,
    _units: OwnedSemaphorePermit,
    _counted: SoraRequest,
}

impl InFlight {
    /// All of it is free.
    pub(super) fn new(sora: &Sora) -> Self {
        let units = usize::try_from(sora.request_bytes.0.div_ceil(UNIT)).unwrap_or(usize::MAX);
        Self { requests: places(sora.requests), units: places(units), longest: sora.body_bytes.0 }
    }

    /// Room for a request with this body: its length is known, or it may be as long as any.
    pub(super) fn take(&self, body: &Body) -> Result<Taken, Problem> {
        let length = body.size_hint().upper().unwrap_or(self.longest).min(self.longest);
        let units = u32::try_from(length.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let request = Arc::clone(&self.requests).try_acquire_owned();
        let request = request.map_err(|_| full("There are as many requests under way as `sora.requests` allows"))?;
        let of_body = Arc::clone(&self.units).try_acquire_many_owned(units);
        let of_body = of_body.map_err(|_| full("Requests under way hold as much as `sora.request_bytes` allows"))?;
        let bytes = (u64::from(units) * UNIT) as f64;
        Ok(Taken { _request: request, _units: of_body, _counted: SoraRequest::new(bytes) })
    }

    /// Reads what has no room and keeps nothing of it. In HTTP/1 the connection could not go on else, and in HTTP/2 each stream that is
    /// cut in its middle counts as an error of its connection, which ends by too many of them.
    pub(super) async fn pass_over(&self, mut body: Body) {
        let mut left = self.longest;
        let passing = async {
            while let Some(Ok(frame)) = body.frame().await {
                let length = frame.data_ref().map_or(0, bytes::Bytes::len) as u64;
                let Some(rest) = left.checked_sub(length) else { return };
                left = rest;
            }
        };
        let _ = timeout(PATIENCE, passing).await;
    }
}

fn full(why: &str) -> Problem {
    Problem::new(Reason::TooManyRequests, format!("{why}; come back later.")).retry_after(RETRY_AFTER)
}
