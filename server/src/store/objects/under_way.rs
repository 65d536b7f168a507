//! Requests to object storage that are under way: one that hangs fails only after a minute, and somebody should see it before.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// When each of them began, and a number that tells apart those of one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct UnderWay(Arc<Mutex<Begun>>);

#[derive(Debug, Default)]
struct Begun {
    requests: BTreeSet<(Instant, u64)>,
    count: u64,
}

impl UnderWay {
    /// Waits for an answer, and counts as under way meanwhile.
    pub(super) async fn of<T>(&self, request: impl Future<Output = T>) -> T {
        let _one = self.begin();
        request.await
    }

    /// How long the oldest has been waiting.
    pub(super) fn longest(&self) -> Duration {
        lock(&self.0).requests.first().map_or(Duration::ZERO, |(begun, _)| begun.elapsed())
    }

    fn begin(&self) -> One {
        let mut begun = lock(&self.0);
        begun.count += 1;
        let key = (Instant::now(), begun.count);
        begun.requests.insert(key);
        One(Arc::clone(&self.0), key)
    }
}

/// A request that is under way for as long as this lives.
struct One(Arc<Mutex<Begun>>, (Instant, u64));

impl Drop for One {
    fn drop(&mut self) {
        lock(&self.0).requests.remove(&self.1);
    }
}

/// Nothing under this lock panics midway.
fn lock(mutex: &Mutex<Begun>) -> MutexGuard<'_, Begun> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_that_is_not_answered_counts() {
        let all = UnderWay::default();
        assert_eq!(all.longest(), Duration::ZERO);
        let old = all.begin();
        tokio::time::sleep(Duration::from_millis(20)).await;
        all.of(async { assert!(all.longest() >= Duration::from_millis(20)) }).await;
        let _new = all.begin();
        drop(old);
        assert!(all.longest() < Duration::from_millis(20));
    }
}
