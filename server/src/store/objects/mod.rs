//! Object storage of dumps, by URL: `<prefix>/<yyyy>/<mm>/<dd>/<session>.jsonl.gz`. An object appears whole or not at all.

mod compress;
mod open;
mod under_way;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::{Bytes, BytesMut};
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{GetResult, ObjectMeta, ObjectStore, ObjectStoreExt as _, WriteMultipart};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};

use self::under_way::UnderWay;
use crate::config::Config;
use crate::session::{SessionId, UnixMillis};

/// Compressed chunks that may wait for the store: with the part in hand, the bound of an upload's memory.
const WAITING: usize = 2;
/// What is larger goes up in parts of this size. S3 takes 10,000 parts of at least 5 MiB.
const PART: usize = 8 << 20;
/// Parts that are on their way at one time.
const PARTS: usize = 2;
/// So many dumps wait for the store at one time: a bucket takes some ten of them a second one after the other, and so does a disk, each with a sync.
const UPLOADS: usize = 32;
/// A dump that has no more bytes waits without its turn to be compressed; a larger one takes as much memory as it may, and keeps it.
const SMALL: usize = 1 << 20;

/// The object storage that the settings name.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// The folder, where it is one.
    folder: Option<PathBuf>,
    under_way: UnderWay,
    uploads: Arc<Semaphore>,
}

impl Objects {
    /// Opens the storage of the settings; what follows the bucket in its URL, or the folder itself, is the prefix of all dumps.
    pub(crate) fn open(config: &Config) -> anyhow::Result<Self> {
        open::open(config)
    }

    fn over(store: Arc<dyn ObjectStore>, prefix: Path, folder: Option<PathBuf>) -> Self {
        Self { store, prefix, folder, under_way: UnderWay::default(), uploads: Arc::new(Semaphore::new(UPLOADS)) }
    }

    /// Where the dump of a session belongs.
    pub(crate) fn path(&self, session: SessionId, start: UnixMillis) -> Path {
        let day = start.date().format("%Y/%m/%d").to_string();
        Path::from_iter(self.prefix.parts().chain(Path::from(format!("{day}/{session}.jsonl.gz")).parts()))
    }

    /// Compresses a spool file and stores it; says how many bytes the object has. `turns` bounds how many are compressed at one time;
    /// who has a turn already brings it.
    pub(crate) async fn store_dump(
        &self,
        spool: PathBuf,
        path: &Path,
        turns: &Semaphore,
        mut turn: Option<SemaphorePermit<'_>>,
    ) -> anyhow::Result<u64> {
        let _upload = match self.uploads.try_acquire() {
            Ok(upload) => upload,
            Err(_) => {
                // The store is slow: others need not be.
                drop(turn.take());
                self.uploads.acquire().await?
            }
        };
        let turn = match turn {
            Some(turn) => turn,
            None => turns.acquire().await?,
        };
        self.tidy(path);
        let (sender, mut chunks) = mpsc::channel(WAITING);
        let compress = tokio::task::spawn_blocking(move || compress::compress(&spool, sender));
        let mut first = BytesMut::new();
        let mut is_whole = false;
        while first.len() < PART {
            match chunks.recv().await {
                Some(chunk) => first.extend_from_slice(&chunk),
                None => {
                    is_whole = true;
                    break;
                }
            }
        }
        if is_whole {
            compress.await.context("the compression panicked").flatten()?;
            let length = first.len() as u64;
            let _turn = (first.len() > SMALL).then_some(turn);
            self.under_way.of(self.store.put(path, first.freeze().into())).await.context("cannot upload")?;
            return Ok(length);
        }
        let upload = self.under_way.of(self.store.put_multipart(path)).await.context("cannot begin the upload")?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART);
        let sent = match self.send(&mut upload, first.freeze(), &mut chunks).await {
            Ok(length) => compress.await.context("the compression panicked").flatten().map(|()| length),
            Err(error) => Err(error),
        };
        match sent {
            Ok(length) => {
                self.under_way.of(upload.finish()).await.context("cannot complete the upload")?;
                Ok(length)
            }
            Err(error) => {
                // What was uploaded would be there, and be paid for, until somebody looks for it.
                if let Err(stays) = self.under_way.of(upload.abort()).await {
                    tracing::warn!(%path, "the parts of a failed upload stay: {stays}");
                }
                Err(error)
            }
        }
    }

    /// Everything that is stored under the prefix, in no certain order.
    pub(crate) fn list(&self) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.store.list((self.prefix != Path::default()).then_some(&self.prefix))
    }

    /// A stored dump.
    pub(crate) async fn get(&self, path: &Path) -> object_store::Result<GetResult> {
        self.under_way.of(self.store.get(path)).await
    }

    /// Removes a dump; one that is not there is removed already.
    pub(crate) async fn delete(&self, path: &Path) -> object_store::Result<()> {
        match self.under_way.of(self.store.delete(path)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            other => other,
        }
    }

    /// How long the oldest request has been waiting for its answer.
    pub(crate) fn longest_wait(&self) -> Duration {
        self.under_way.longest()
    }

    /// Uploads `first` and what follows it; says how many bytes these are.
    async fn send(
        &self,
        upload: &mut WriteMultipart,
        first: Bytes,
        chunks: &mut mpsc::Receiver<Bytes>,
    ) -> anyhow::Result<u64> {
        let mut length = 0;
        let mut next = Some(first);
        while let Some(chunk) = next {
            length += chunk.len() as u64;
            self.under_way.of(upload.wait_for_capacity(PARTS)).await.context("cannot upload a part")?;
            upload.put(chunk);
            next = chunks.recv().await;
        }
        Ok(length)
    }

    /// Removes what uploads of the same dump left behind that were killed half-way. In a folder they write to `<name>#1`, or the
    /// next number that is free; other stores forget them by their own rules for unfinished uploads.
    fn tidy(&self, path: &Path) {
        let Some(folder) = &self.folder else { return };
        for number in 1_u32.. {
            let left = folder.join(format!("{path}#{number}"));
            if std::fs::remove_file(&left).is_err() {
                break;
            }
            tracing::debug!(path = %left.display(), "an upload that was killed is removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use object_store::memory::InMemory;
    use object_store::throttle::{ThrottleConfig, ThrottledStore};
    use url::Url;

    use super::*;

    fn storage() -> (tempfile::TempDir, Objects) {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.storage.url = Url::from_directory_path(dir.path().join("dumps")).unwrap().into();
        let objects = Objects::open(&config).unwrap();
        (dir, objects)
    }

    async fn round_trip(lines: u64) -> u64 {
        let (dir, objects) = storage();
        let spool = dir.path().join("spool.jsonl");
        let text: String = (0..lines).map(|n| format!("[{}]\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        std::fs::write(&spool, &text).unwrap();
        let session = SessionId::new();
        let path = objects.path(session, UnixMillis(1_795_159_383_861));
        assert_eq!(path.to_string(), format!("2026/11/20/{session}.jsonl.gz"));

        let length = objects.store_dump(spool, &path, &Semaphore::new(1), None).await.unwrap();
        let stored = objects.get(&path).await.unwrap().bytes().await.unwrap();
        assert_eq!(stored.len() as u64, length);
        let mut back = String::new();
        // The format's other readers know gzip files of one member only.
        let mut one_member = GzDecoder::new(stored.as_ref());
        one_member.read_to_string(&mut back).unwrap();
        assert!(back == text);
        assert!(one_member.into_inner().is_empty());
        objects.delete(&path).await.unwrap();
        objects.delete(&path).await.unwrap();
        assert!(objects.get(&path).await.is_err());
        length
    }

    #[tokio::test]
    async fn a_dump_is_stored_compressed_under_its_day() {
        assert!(round_trip(0).await < 100);
        assert!(round_trip(300_000).await < PART as u64);
    }

    #[tokio::test]
    async fn a_large_dump_goes_up_in_parts() {
        assert!(round_trip(2_500_000).await > 2 * PART as u64);
    }

    #[tokio::test]
    async fn a_small_dump_waits_for_the_store_without_its_turn() {
        let slow = ThrottleConfig { wait_put_per_call: Duration::from_secs(5), ..ThrottleConfig::default() };
        let store = ThrottledStore::new(InMemory::new(), slow);
        let objects = Objects::over(Arc::new(store), Path::default(), None);
        let dir = tempfile::tempdir().unwrap();
        for (lines, is_small) in [(100, true), (300_000, false)] {
            let spool = dir.path().join(lines.to_string());
            let text: String =
                (0..lines).map(|n: u64| format!("[{}]\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
            std::fs::write(&spool, text).unwrap();
            let (turns, path) = (Semaphore::new(1), objects.path(SessionId::new(), UnixMillis(0)));
            let mut storing = std::pin::pin!(objects.store_dump(spool, &path, &turns, None));
            // Each look is at one that is still under way.
            let looks = async {
                while objects.longest_wait().is_zero() {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            tokio::select! {
                done = &mut storing => panic!("it did not wait: {done:?}"),
                () = looks => assert_eq!(turns.available_permits() == 1, is_small),
            }
        }
    }

    #[tokio::test]
    async fn a_failed_upload_leaves_no_object_and_a_killed_one_is_tidied_up() {
        let (dir, objects) = storage();
        let path = objects.path(SessionId::new(), UnixMillis(0));
        let turns = Semaphore::new(1);
        assert!(objects.store_dump(dir.path().join("missing"), &path, &turns, None).await.is_err());
        assert!(objects.get(&path).await.is_err());

        let killed = [1, 2].map(|number| dir.path().join("dumps").join(format!("{path}#{number}")));
        let other = dir.path().join("dumps").join(format!("{path}.bak"));
        std::fs::create_dir_all(other.parent().unwrap()).unwrap();
        for killed in &killed {
            std::fs::write(killed, "half").unwrap();
        }
        std::fs::write(&other, "mine").unwrap();
        let spool = dir.path().join("spool");
        std::fs::write(&spool, "whole").unwrap();
        objects.store_dump(spool, &path, &turns, None).await.unwrap();
        assert!(killed.iter().all(|killed| !killed.exists()) && other.exists());
    }
}
