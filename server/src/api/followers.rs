//! Answers that go on for as long as somebody listens: how many there may be, and when they end.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::access::may_still_read;
use crate::app::App;
use crate::problem::{Problem, Reason};

/// Something is said so often, that proxies see that there is somebody; and as often is looked whether he may still listen.
const SIGN: Duration = Duration::from_secs(15);
/// Who finds no place comes back after so long.
const RETRY_AFTER: u64 = 30;

/// A place of one who listens, which he has until his answer ends. Who reads nothing loses his connection after `limits.idle_time`.
#[derive(Debug)]
pub(super) struct Follower {
    app: App,
    headers: HeaderMap,
    next_sign: Instant,
    _permit: OwnedSemaphorePermit,
}

/// What happened while he waited.
pub(super) enum Waited<T> {
    /// What he waited for.
    Came(T),
    /// Nothing; a sign of life is due.
    Sign,
    /// The answer is over: the collector stops, or the token is not good any more.
    Over,
}

impl Follower {
    /// One of the places that `limits.followers` allows.
    pub(super) fn take(app: App, headers: HeaderMap) -> Result<Self, Problem> {
        let permit = Arc::clone(&app.followers).try_acquire_owned().map_err(|_| {
            let detail = "As many streams are open as `limits.followers` allows; come back later.";
            Problem::new(Reason::TooManyFollowers, detail).retry_after(RETRY_AFTER)
        })?;
        Ok(Self { app, headers, next_sign: Instant::now() + SIGN, _permit: permit })
    }

    /// Waits for something.
    pub(super) async fn wait<T>(&mut self, what: impl Future<Output = T>) -> Waited<T> {
        let mut stopping = self.app.stopping.clone();
        tokio::select! {
            biased;
            () = stopping.wait() => Waited::Over,
            () = tokio::time::sleep_until(self.next_sign) => {
                self.next_sign = Instant::now() + SIGN;
                if may_still_read(&self.app, &self.headers) { Waited::Sign } else { Waited::Over }
            }
            came = what => Waited::Came(came),
        }
    }
}
