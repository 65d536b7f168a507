//! Object storage of dumps, by URL: `<prefix>/<yyyy>/<mm>/<dd>/<session>.jsonl.gz`. An object appears whole or not at all.

use std::io::{self, Read as _, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetResult, ObjectStore, ObjectStoreExt as _, WriteMultipart};
use tokio::sync::mpsc;
use url::Url;

use crate::session::{SessionId, UnixMillis};

/// How much of a dump is compressed or sent at a time.
const CHUNK: usize = 1 << 20;
/// Compressed chunks that may wait for the store: with the one in hand, the bound of an upload's memory.
const WAITING: usize = 2;

/// The object storage that the settings name.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl Objects {
    /// Opens the storage behind a URL; what follows the host, or the folder itself, is the prefix of all dumps.
    pub(crate) fn open(url: &Url) -> anyhow::Result<Self> {
        if url.scheme() != "file" {
            bail!("storage.url has the scheme `{}`; this build stores dumps in `file:///...` only", url.scheme());
        }
        let folder =
            url.to_file_path().ok().with_context(|| format!("storage.url `{url}` is no path of this machine"))?;
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let store = LocalFileSystem::new_with_prefix(&folder)
            .with_context(|| format!("cannot use {} as storage", folder.display()))?
            // The spool file goes when the dump is stored: from then on the dump is all there is.
            .with_fsync(true);
        Ok(Self { store: Arc::new(store), prefix: Path::default() })
    }

    /// Where the dump of a session belongs.
    pub(crate) fn path(&self, session: SessionId, start: UnixMillis) -> Path {
        let day = start.date().format("%Y/%m/%d").to_string();
        Path::from_iter(self.prefix.parts().chain(Path::from(format!("{day}/{session}.jsonl.gz")).parts()))
    }

    /// Compresses a spool file and stores it; says how many bytes the object has.
    pub(crate) async fn store_dump(&self, spool: PathBuf, path: &Path) -> anyhow::Result<u64> {
        let upload = self.store.put_multipart(path).await.context("cannot begin the upload")?;
        let mut upload = WriteMultipart::new(upload);
        let (sender, mut chunks) = mpsc::channel(WAITING);
        let compress = tokio::task::spawn_blocking(move || compress(&spool, sender));
        let mut length = 0;
        while let Some(chunk) = chunks.recv().await {
            length += chunk.len() as u64;
            upload.wait_for_capacity(WAITING).await.context("cannot upload")?;
            upload.put(chunk);
        }
        if let Err(error) = compress.await.context("the compression panicked").flatten() {
            upload.abort().await.context("cannot take back the upload")?;
            return Err(error);
        }
        upload.finish().await.context("cannot complete the upload")?;
        Ok(length)
    }

    /// A stored dump.
    pub(crate) async fn get(&self, path: &Path) -> object_store::Result<GetResult> {
        self.store.get(path).await
    }
}

fn compress(spool: &std::path::Path, sender: mpsc::Sender<Bytes>) -> anyhow::Result<()> {
    let mut input = std::fs::File::open(spool).with_context(|| format!("cannot read {}", spool.display()))?;
    let mut output = GzEncoder::new(Chunks { sender, chunk: Vec::with_capacity(CHUNK) }, Compression::default());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match input.read(&mut buffer).context("cannot read the spool")? {
            0 => break,
            read => output.write_all(buffer.get(..read).unwrap_or_default()).context("cannot hand on a chunk")?,
        }
    }
    output.finish().and_then(|mut chunks| chunks.flush()).context("cannot hand on the last chunk")
}

/// Hands on what is written to it, a chunk at a time.
struct Chunks {
    sender: mpsc::Sender<Bytes>,
    chunk: Vec<u8>,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        if chunk.is_empty() {
            return Ok(());
        }
        self.sender.blocking_send(Bytes::from(chunk)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

#[cfg(test)]
mod tests {
    use flate2::read::GzDecoder;

    use super::*;

    fn storage() -> (tempfile::TempDir, Objects) {
        let dir = tempfile::tempdir().unwrap();
        let url = Url::from_directory_path(dir.path().join("dumps")).unwrap();
        (dir, Objects::open(&url).unwrap())
    }

    #[tokio::test]
    async fn a_dump_is_stored_compressed_under_its_day() {
        let (dir, objects) = storage();
        let spool = dir.path().join("spool.jsonl");
        let text: String =
            (0..300_000).map(|n: u64| format!("[{}]\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        std::fs::write(&spool, &text).unwrap();
        let session = SessionId::new();
        let path = objects.path(session, UnixMillis(1_795_159_383_861));
        assert_eq!(path.to_string(), format!("2026/11/20/{session}.jsonl.gz"));

        let length = objects.store_dump(spool, &path).await.unwrap();
        let stored = objects.get(&path).await.unwrap().bytes().await.unwrap();
        assert_eq!(stored.len() as u64, length);
        assert!(length > 2 * CHUNK as u64);
        let mut back = String::new();
        GzDecoder::new(stored.as_ref()).read_to_string(&mut back).unwrap();
        assert!(back == text);
    }

    #[tokio::test]
    async fn a_failed_upload_leaves_no_object() {
        let (dir, objects) = storage();
        let path = objects.path(SessionId::new(), UnixMillis(0));
        assert!(objects.store_dump(dir.path().join("missing"), &path).await.is_err());
        assert!(objects.get(&path).await.is_err());
    }

    #[test]
    fn another_scheme_is_named() {
        let error = Objects::open(&Url::parse("s3://bucket/prefix").unwrap()).unwrap_err().to_string();
        assert!(error.contains("`s3`"), "{error}");
    }
}
