//! Spool files that stay open between writes. Each takes one of the descriptors that the process may have, and each session's socket
//! takes another: beyond a share of them a file is opened for every write.

use std::fs::File;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Spool;

/// How many files stay open, and may.
#[derive(Debug)]
pub(super) struct OpenFiles {
    open: AtomicUsize,
    most: usize,
}

impl OpenFiles {
    /// At most a quarter of the `descriptors` that the process may have.
    pub(super) fn of(descriptors: u64) -> Self {
        Self { open: AtomicUsize::new(0), most: usize::try_from(descriptors / 4).unwrap_or(usize::MAX) }
    }

    fn take(&self) -> bool {
        let more = |open| (open < self.most).then_some(open + 1);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }
}

/// A file that is open.
#[derive(Debug)]
pub(super) struct OpenFile {
    file: File,
    kept_in: Option<Arc<Spool>>,
}

impl OpenFile {
    /// One that nobody counts yet.
    pub(super) fn new(file: File) -> Self {
        Self { file, kept_in: None }
    }

    /// Keeps it open, if one more may be.
    pub(super) fn keep(mut self, spool: &Arc<Spool>) -> Option<Self> {
        if self.kept_in.is_none() && spool.open_files.take() {
            self.kept_in = Some(Arc::clone(spool));
        }
        self.kept_in.is_some().then_some(self)
    }
}

impl Deref for OpenFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if let Some(spool) = &self.kept_in {
            spool.open_files.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SpoolFile, path_of};
    use super::*;
    use crate::config::Config;
    use crate::session::SessionId;

    /// Files of this process that lie in the folder.
    fn open_in(dir: &std::path::Path) -> usize {
        let links = std::fs::read_dir("/proc/self/fd").unwrap();
        links
            .filter(|link| std::fs::read_link(link.as_ref().unwrap().path()).is_ok_and(|to| to.starts_with(dir)))
            .count()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn beyond_its_share_a_file_is_open_only_while_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config { data_dir: dir.path().to_owned(), ..Config::default() };
        std::fs::create_dir_all(config.spool_dir()).unwrap();
        let spool = Arc::new(Spool { open_files: OpenFiles::of(8), part_bytes: 20, ..Spool::of(&config) });
        let paths: Vec<_> = (0..5).map(|_| path_of(spool.dir(), SessionId::new())).collect();
        let mut files: Vec<_> = paths.iter().map(|path| SpoolFile::create(&spool, path, "[0]\n").unwrap()).collect();
        assert_eq!(open_in(spool.dir()), 2);
        for line in 1..20 {
            for file in &mut files {
                file.append(&format!("[{line}]\n")).unwrap();
            }
        }
        assert_eq!(open_in(spool.dir()), 2);
        // The room of a file that is closed is another's.
        drop(files.remove(0));
        for file in &mut files {
            file.append("[20]\n").unwrap();
        }
        assert_eq!(open_in(spool.dir()), 2);
        let all: String = (0..=20).map(|line| format!("[{line}]\n")).collect();
        for (path, file) in paths[1..].iter().zip(&files) {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut crate::spool::SpoolText::open(path).unwrap(), &mut text).unwrap();
            assert_eq!(text, all);
            assert_eq!(file.length(), all.len() as u64);
        }
        drop(files);
        assert_eq!(open_in(spool.dir()), 0);
    }
}
