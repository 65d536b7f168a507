//! A collector without a listener, and its files. Opening its stores takes much longer than one input, so many share them; an
//! input has a collector of its own all the same, as a process that has just started.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use crate::access::Access;
use crate::app::{self, App};
use crate::config::{Config, Size, Span};
use crate::session::Stores;

/// So many inputs share stores.
const RUNS: u32 = 500;
/// Nothing that one input leads to takes so long.
const LONGEST: Duration = Duration::from_secs(20);

/// What inputs share.
pub(super) struct World {
    pub(super) config: Arc<Config>,
    pub(super) stores: Arc<Stores>,
    access: Arc<Access>,
    dir: TempDir,
}

/// A collector that runs.
pub(super) struct Running {
    pub(super) app: App,
    stop: watch::Sender<bool>,
}

impl World {
    async fn open() -> Self {
        // In memory, where there is a file system in it: most of the time would be the disk's.
        let memory = std::path::Path::new("/dev/shm");
        let dir = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap();
        let mut config = Config { data_dir: dir.path().to_owned(), ..Config::default() };
        // Small enough to be reached, and no clock in the way.
        config.limits.frame_bytes = Size(64 << 10);
        config.limits.line_bytes = Size(16 << 10);
        config.limits.session_bytes = Size(256 << 10);
        config.limits.upload_bytes = Size(512 << 10);
        config.limits.rate = false;
        config.session.resume_grace = Span(Duration::from_secs(3600));
        let config = Arc::new(config);
        std::fs::create_dir_all(config.spool_dir()).unwrap();
        let access = Arc::new(Access::open(&config).unwrap());
        let stores = app::open(&config).await.unwrap();
        Self { config, stores, access, dir }
    }

    /// Starts a collector over what is in the files.
    pub(super) fn start(&self) -> Running {
        let (app, stop) =
            App::unheard(Arc::clone(&self.config), Arc::clone(&self.stores), Arc::clone(&self.access)).unwrap();
        Running { app, stop }
    }

    /// The names of all files in one of the folders.
    pub(super) fn files(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.path().join(folder)).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Forgets the sessions that wait for their clients.
    pub(super) fn empty_spool(&self) {
        for name in self.files("spool") {
            let _ = std::fs::remove_file(self.config.spool_dir().join(name));
        }
    }

    /// Forgets what was told of sessions of Sora's that are not over.
    pub(super) fn forget_announced(&self) {
        for name in self.files("announced") {
            let _ = std::fs::remove_file(self.config.data_dir.join("announced").join(name));
        }
    }
}

impl Running {
    /// Stops it. Its sessions stay in the spool, as a killed process leaves them.
    pub(super) fn stop(self) {
        self.stop.send_replace(true);
    }
}

/// Waits for what comes about by itself.
pub(super) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONGEST;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not in time");
        tokio::time::sleep(Duration::from_micros(100)).await;
    }
}

/// Waits for work that has an end.
pub(super) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONGEST, work).await.unwrap_or_else(|_| panic!("{what}: not in time"))
}

thread_local! {
    static SHARED: RefCell<Option<(Runtime, Arc<World>, u32)>> = const { RefCell::new(None) };
}

/// Runs the work of one input.
pub(super) fn with<F: Future<Output = ()>>(work: impl FnOnce(Arc<World>) -> F) {
    let (runtime, world, runs) = SHARED.with_borrow_mut(Option::take).unwrap_or_else(|| {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let world = Arc::new(runtime.block_on(World::open()));
        (runtime, world, 0)
    });
    runtime.block_on(work(Arc::clone(&world)));
    if runs < RUNS {
        SHARED.set(Some((runtime, world, runs + 1)));
    } else {
        runtime.block_on(app::settle(&world.stores));
        runtime.shutdown_background();
    }
}
