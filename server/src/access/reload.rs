//! What is read from files that may change while the collector runs: keys, hashes of tokens, certificates. Once a second
//! their times, sizes and inodes are compared (of a folder, those of its files); what changed is read anew. A file that
//! cannot be read then leaves what was.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use crate::telemetry;

/// How often files are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// What tells one state of a file from another, without reading it. A secret store that swaps links changes the inode.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

type Load<T> = Box<dyn Fn() -> anyhow::Result<T> + Send + Sync>;

/// A value and the files that it comes from.
pub(crate) struct Watched<T> {
    what: &'static str,
    files: Vec<PathBuf>,
    load: Load<T>,
    current: RwLock<Arc<T>>,
    stamps: Mutex<Vec<Option<Stamp>>>,
}

impl<T> std::fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").field("what", &self.what).finish_non_exhaustive()
    }
}

impl<T> Watched<T> {
    /// Reads the value for the first time; now an error is an error.
    pub(crate) fn new(
        what: &'static str,
        files: Vec<PathBuf>,
        load: impl Fn() -> anyhow::Result<T> + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        // Before the files are read: a change in between is then seen as one.
        let stamps = Mutex::new(stamps(&files));
        let current = RwLock::new(Arc::new(load()?));
        Ok(Self { what, files, load: Box::new(load), current, stamps })
    }

    /// The value as it was last read.
    pub(crate) fn get(&self) -> Arc<T> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Something that may have to be read anew.
pub(crate) trait Reload: Send + Sync {
    /// What it is, as metrics and logs name it.
    fn what(&self) -> &'static str;

    /// Reads it anew if its files changed.
    fn check(&self);
}

impl<T: Send + Sync> Reload for Watched<T> {
    fn what(&self) -> &'static str {
        self.what
    }

    fn check(&self) {
        let now = stamps(&self.files);
        let mut known = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == now {
            return;
        }
        // Either way: a file that cannot be read is reported once, and tried again when it changes again.
        *known = now;
        let result = (self.load)();
        telemetry::reloaded(self.what, result.is_ok());
        match result {
            Ok(value) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
                tracing::info!(what = self.what, "read anew");
            }
            Err(error) => {
                tracing::error!(
                    what = self.what,
                    "changed, but cannot be read; what was before still counts: {error:#}"
                );
            }
        }
    }
}

/// Of a folder, that of all that lies in it, too.
fn stamps(files: &[PathBuf]) -> Vec<Option<Stamp>> {
    let within = |path: &PathBuf| files_of(path).unwrap_or_default();
    files.iter().flat_map(|path| within(path).into_iter().chain([path.clone()])).map(|path| stamp(&path)).collect()
}

fn stamp(file: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(file).ok()?;
    Some(Stamp { modified: metadata.modified().ok(), length: metadata.len(), inode: metadata.ino() })
}

/// The files of a folder in the order of their names; an error for what is none.
pub(crate) fn files_of(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files = entries.collect::<std::io::Result<Vec<PathBuf>>>()?;
    files.retain(|path| path.is_file());
    files.sort();
    Ok(files)
}

/// Looks at the files for as long as the process runs.
pub(crate) async fn watch(items: Vec<Arc<dyn Reload>>) {
    let items: Arc<[Arc<dyn Reload>]> = items.into();
    items.iter().for_each(|item| telemetry::watched(item.what()));
    while !items.is_empty() {
        tokio::time::sleep(INTERVAL).await;
        let items = Arc::clone(&items);
        // A file may lie on a disk that does not answer.
        let look = tokio::task::spawn_blocking(move || items.iter().for_each(|item| item.check()));
        if look.await.is_err() {
            tracing::error!("looking for changed files panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_read_anew_and_a_broken_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("number");
        std::fs::write(&file, "1").unwrap();
        let path = file.clone();
        let load = move || Ok(std::fs::read_to_string(&path)?.parse::<u32>()?);
        let number = Watched::new("number", vec![file.clone()], load).unwrap();
        assert_eq!(*number.get(), 1);
        for (text, expected) in [("22", 22), ("nonsense", 22), ("333", 333)] {
            std::fs::write(&file, text).unwrap();
            number.check();
            assert_eq!(*number.get(), expected);
        }
        std::fs::remove_file(&file).unwrap();
        number.check();
        assert_eq!(*number.get(), 333);
    }

    #[test]
    fn a_folder_is_read_anew_when_a_file_comes_goes_or_changes() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let folder = dir.path().to_owned();
        let load = move || Ok(files_of(&folder)?.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect());
        let texts = Watched::<Vec<String>>::new("texts", vec![dir.path().to_owned()], load).unwrap();
        let read = || {
            texts.check();
            texts.get().join(" ")
        };
        std::fs::write(at("b"), "2").unwrap();
        assert_eq!(read(), "2");
        std::fs::write(at("a"), "1").unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        assert_eq!(read(), "1 2");
        std::fs::write(at("b"), "22").unwrap();
        assert_eq!(read(), "1 22");
        std::fs::remove_file(at("a")).unwrap();
        assert_eq!(read(), "22");
    }
}
