//! Group commit, for acknowledgements that survive a power cut: sessions that wrote wait for a sync that begins after their
//! write, and all that wait at that moment share it. While it runs, what sessions write gathers for the next.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

/// How a sync went, for everybody who waited for it.
type Outcome = Result<(), Arc<io::Error>>;

/// The way to the next sync.
#[derive(Debug)]
pub(crate) struct GroupCommit {
    // Unbounded by itself: a session waits at most once at a time.
    waiting: mpsc::UnboundedSender<oneshot::Sender<Outcome>>,
}

impl GroupCommit {
    /// Begins to serve the file system that `dir` is on.
    pub(super) fn start(dir: &Path) -> io::Result<Self> {
        let dir = Arc::new(File::open(dir)?);
        let (waiting, mut queue) = mpsc::unbounded_channel::<oneshot::Sender<Outcome>>();
        tokio::spawn(async move {
            while let Some(first) = queue.recv().await {
                let mut together = vec![first];
                while let Ok(next) = queue.try_recv() {
                    together.push(next);
                }
                let dir = Arc::clone(&dir);
                // One call for all files and the folder itself, however many sessions wrote: a sync per file would cost a
                // write barrier each.
                let synced = tokio::task::spawn_blocking(move || rustix::fs::syncfs(&*dir)).await;
                let outcome = match synced {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(error)) => Err(Arc::new(io::Error::from(error))),
                    Err(error) => Err(Arc::new(io::Error::other(error))),
                };
                for session in together {
                    let _ = session.send(outcome.clone());
                }
            }
        });
        Ok(Self { waiting })
    }

    /// Waits for a sync that begins from now on.
    pub(super) async fn join(&self) -> io::Result<()> {
        let (done, synced) = oneshot::channel();
        let stopped = || io::Error::other("the collector stops");
        self.waiting.send(done).map_err(|_| stopped())?;
        synced.await.map_err(|_| stopped())?.map_err(|error| io::Error::new(error.kind(), error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_who_wait_are_served() {
        let dir = tempfile::tempdir().unwrap();
        let commit = GroupCommit::start(dir.path()).unwrap();
        let waits = (0..100).map(|n| {
            std::fs::write(dir.path().join(n.to_string()), "x").unwrap();
            commit.join()
        });
        for outcome in futures_util::future::join_all(waits).await {
            outcome.unwrap();
        }
    }
}
