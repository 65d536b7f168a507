//! How many requests of Sora are under way at one time, and how much their bodies take. There is no queue: who finds no room is told
//! to come back, and its connection goes on.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, HttpBody as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::body::pass_over;
use crate::app::places;
use crate::config::{Size, Sora};
use crate::problem::{Problem, Reason};
use crate::telemetry::SoraRequest;

/// What is told to who finds no room, in seconds: requests take milliseconds.
const RETRY_AFTER: u64 = 1;
/// What a body of untold length takes at first, and more at a time.
const UNTOLD: u64 = 64 << 10;
/// Bytes are counted by so many.
const UNIT: u64 = 1 << 10;

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
    body: Mutex<OfBody>,
}

/// The room of a body.
#[derive(Debug)]
struct OfBody {
    units: OwnedSemaphorePermit,
    counted: SoraRequest,
}

impl InFlight {
    /// All of it is free.
    pub(super) fn new(sora: &Sora) -> Self {
        let units = usize::try_from(sora.request_bytes.0.div_ceil(UNIT)).unwrap_or(usize::MAX);
        Self { requests: places(sora.requests), units: places(units), longest: sora.body_bytes.0 }
    }

    /// Room for a request with this body. If its length is not told, it takes more as it comes.
    pub(super) fn take(&self, body: &Body) -> Result<Taken, Problem> {
        let length = body.size_hint().upper().unwrap_or(UNTOLD).min(self.longest);
        let units = units_of(length);
        let request = Arc::clone(&self.requests).try_acquire_owned();
        let request = request.map_err(|_| full("There are as many requests under way as `sora.requests` allows"))?;
        let permit = Arc::clone(&self.units).try_acquire_many_owned(units).map_err(|_| full_of_bytes())?;
        let of_body = OfBody { units: permit, counted: SoraRequest::new(bytes_of(units)) };
        Ok(Taken { _request: request, body: Mutex::new(of_body) })
    }

    /// Reads what has no room.
    pub(super) async fn pass_over(&self, body: Body) {
        pass_over(body, Size(self.longest)).await;
    }
}

impl Taken {
    /// Takes room for a body of which so many bytes are there, if it has less.
    pub(crate) fn hold(&self, bytes: u64) -> Result<(), Problem> {
        let mut body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        let held = u32::try_from(body.units.num_permits()).unwrap_or(u32::MAX);
        if units_of(bytes) <= held {
            return Ok(());
        }
        // Seldom, and much at a time.
        let more = units_of(bytes.saturating_add(UNTOLD)) - held;
        let permit = Arc::clone(body.units.semaphore()).try_acquire_many_owned(more).map_err(|_| full_of_bytes())?;
        body.units.merge(permit);
        body.counted.grew(bytes_of(more));
        Ok(())
    }
}

fn units_of(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

fn bytes_of(units: u32) -> f64 {
    (u64::from(units) * UNIT) as f64
}

fn full_of_bytes() -> Problem {
    full("Requests under way hold as much as `sora.request_bytes` allows")
}

fn full(why: &str) -> Problem {
    Problem::new(Reason::TooManyRequests, format!("{why}; come back later.")).retry_after(RETRY_AFTER)
}
