//! What Sora told of sessions of channels when they began: their connections come later, and each is to know it. A file for each, beside the spool,
//! so that what was answered is there after a crash. It is gone when the session is over; if that is not told, after a day, or when there are
//! too many: then the oldest goes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::config::{Config, Durability};

/// In the data directory.
const FOLDER: &str = "announced";
/// So many sessions are held.
const MOST: usize = 4096;
/// The longest text of one, in bytes; Sora's have some hundred.
const LONGEST: u64 = 8 * 1024;
/// How long one is held.
const AGE: Duration = Duration::from_secs(24 * 3600);
/// What ends the names of files.
const END: &str = "json";

/// Notices by the sessions that they tell of.
#[derive(Debug, Default)]
pub(crate) struct Announced {
    dir: PathBuf,
    is_synced: bool,
    held: Mutex<HashMap<String, Announcement>>,
}

/// A notice.
#[derive(Debug, Clone)]
struct Announcement {
    at: SystemTime,
    text: Arc<str>,
}

impl Announced {
    /// Those that were held before.
    pub(super) fn open(config: &Config) -> io::Result<Self> {
        let dir = config.data_dir.join(FOLDER);
        let is_synced = config.spool.durability == Durability::Power;
        let mut held = HashMap::new();
        let entries = match std::fs::read_dir(&dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self { dir, is_synced, ..Self::default() }),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let name = path.file_stem().and_then(|name| name.to_str());
            let name = name.filter(|_| path.extension().is_some_and(|end| end == END));
            let told = std::fs::metadata(&path).and_then(|file| Ok((file.modified()?, file.len())));
            match (name, told) {
                (Some(name), Ok((at, length))) if length <= LONGEST && is_recent(at) => {
                    if let Ok(text) = std::fs::read_to_string(&path) {
                        held.insert(name.to_owned(), Announcement { at, text: text.into() });
                    }
                }
                _ => {
                    // A crash left it half written, or its time is over.
                    let _ = std::fs::remove_file(&path);
                }
            }
        }
        Ok(Self { dir, is_synced, held: Mutex::new(held) })
    }

    /// Holds what is told of a session, whose id can be the name of a file. When this returns, it is as durable as the settings say. One that is too
    /// long is not held.
    pub(crate) fn hold(&self, session: &str, text: &str) -> io::Result<()> {
        if text.len() as u64 > LONGEST || self.of(session).is_some_and(|held| *held == *text) {
            return Ok(());
        }
        std::fs::create_dir_all(&self.dir)?;
        let path = self.path_of(session);
        let part = path.with_extension("part");
        let mut file = File::create(&part)?;
        file.write_all(text.as_bytes())?;
        if self.is_synced {
            file.sync_all()?;
        }
        std::fs::rename(&part, &path)?;
        if self.is_synced {
            File::open(&self.dir)?.sync_all()?;
        }
        let too_many = {
            let mut held = self.held();
            held.insert(session.to_owned(), Announcement { at: SystemTime::now(), text: text.into() });
            let oldest = held.iter().min_by_key(|(_, announcement)| announcement.at);
            let oldest = oldest.filter(|_| held.len() > MOST).map(|(session, _)| session.clone());
            oldest.inspect(|oldest| {
                held.remove(oldest);
            })
        };
        too_many.map_or(Ok(()), |oldest| self.remove(&oldest))
    }

    /// What was told of a session.
    pub(crate) fn of(&self, session: &str) -> Option<Arc<str>> {
        self.held().get(session).filter(|held| is_recent(held.at)).map(|held| Arc::clone(&held.text))
    }

    /// The session is over.
    pub(crate) fn forget(&self, session: &str) -> io::Result<()> {
        let held = self.held().remove(session);
        held.map_or(Ok(()), |_| self.remove(session))
    }

    fn remove(&self, session: &str) -> io::Result<()> {
        match std::fs::remove_file(self.path_of(session)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn path_of(&self, session: &str) -> PathBuf {
        self.dir.join(format!("{session}.{END}"))
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, Announcement>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether what was told then still counts; a clock may have been set back.
fn is_recent(at: SystemTime) -> bool {
    at.elapsed().map_or(true, |age| age < AGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_sessions_is_there_after_a_start_and_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        // Thousands of syncs take a while.
        let spool = crate::config::Spool { durability: Durability::Process, ..Config::default().spool };
        let config = Config { data_dir: dir.path().to_owned(), spool, ..Config::default() };
        let held = |announced: &Announced, session: &str| announced.of(session).map(|text| text.to_string());
        let announced = Announced::open(&config).unwrap();
        announced.hold("A", "{}").unwrap();
        announced.hold("B", "{\"b\":1}").unwrap();
        announced.hold("B", "{\"b\":2}").unwrap();
        announced.hold("LONG", &"x".repeat(LONGEST as usize + 1)).unwrap();
        announced.forget("A").unwrap();
        announced.forget("Z").unwrap();
        let folder = dir.path().join(FOLDER);
        std::fs::write(folder.join("C.part"), "{").unwrap();
        std::fs::write(folder.join("OLD.json"), "{}").unwrap();
        let old = SystemTime::now() - AGE - Duration::from_secs(1);
        File::options().write(true).open(folder.join("OLD.json")).unwrap().set_modified(old).unwrap();
        for announced in [announced, Announced::open(&config).unwrap()] {
            let all = ["A", "B", "LONG", "C", "OLD"].map(|session| held(&announced, session));
            assert_eq!(all, [None, Some("{\"b\":2}".to_owned()), None, None, None]);
        }
        let announced = Announced::open(&config).unwrap();
        for number in 0..MOST {
            announced.hold(&number.to_string(), "{}").unwrap();
        }
        assert_eq!((held(&announced, "B"), held(&announced, "0")), (None, Some("{}".to_owned())));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), MOST);
    }
}
