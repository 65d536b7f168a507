//! All sessions that the collector holds: those that run, those that wait for their client, those on their way to the
//! stores. Sockets and requests come here for their session.

mod messages;
mod pushes;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tracing::Instrument as _;

use super::changes::Feed;
use super::decoding::{self, SLOW};
use super::finish;
use super::handle::{Handle, SocketSlot};
use super::journal::{Journal, SocketCursor, Stop};
use super::recover::Rebuilt;
use super::{Analysis, Dialect, SessionId};
use crate::access::Addresses;
use crate::app::Stopping;
use crate::config::Config;
use crate::spool::Spool;
use crate::store::database::Database;
use crate::store::objects::Objects;
use crate::store::queue::DatabaseQueue;
use crate::store::sessions::SessionRow;
use crate::telemetry::{self, traces::TARGET};

pub(super) use self::pushes::DESTROYED;
pub(crate) use self::pushes::{SaidReply, SaidStop};

/// After a question that the database did not answer, others are not put for so long.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// So many clients may look for their sessions in spool and stores at one time.
const TURNS: usize = 64;

/// When so much of what a session has brought waits to be decoded, its socket waits, too. Where stats rows are written, little: else a slow database would be noticed
/// late.
const MOST: u64 = 1 << 20;
const MOST_ROWS: u64 = 256 << 10;

/// The sessions, and the stores that they end in.
#[derive(Debug, Clone)]
pub(crate) struct Registry(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: Arc<Config>,
    stores: Arc<Stores>,
    spool: Arc<Spool>,
    sessions: Mutex<HashMap<SessionId, Arc<Handle>>>,
    turns_at_end: finish::Turns,
    /// Sessions that are over and not stored yet.
    waiting: AtomicUsize,
    turns: Vec<tokio::sync::Mutex<()>>,
    last_turn: tokio::sync::Mutex<()>,
    /// When the database was asked last and did not answer.
    asked_in_vain: Mutex<Option<Instant>>,
    stopping: Stopping,
    addresses: Addresses,
    changes: Feed,
}

/// Where sessions go.
#[derive(Debug)]
pub(crate) struct Stores {
    /// The database.
    pub(crate) database: Database,
    /// Object storage.
    pub(crate) objects: Objects,
    /// The way into the database for what sessions that run bring.
    pub(crate) queue: DatabaseQueue,
}

/// What a client that names a session gets.
#[derive(Debug)]
pub(crate) enum Attach {
    /// The session; `true` if it is new here.
    Session(Arc<Handle>, bool),
    /// The session is over.
    Ended,
    /// The session is another user's.
    OtherUser,
    /// Not now.
    Later(Later),
}

/// Why a client gets its session later, perhaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Later {
    /// The client's address has as many sessions as it may have.
    #[error("too many sessions from this address")]
    TooManyOfAddress,
    /// There are as many sessions as there may be.
    #[error("too many sessions")]
    TooMany,
    /// The spool takes no further session.
    #[error("the spool is full")]
    SpoolFull,
    /// Nobody can say now what is held of the session, or it is on its way into the stores.
    #[error("overloaded")]
    Unknown,
}

/// What became of a frame.
#[derive(Debug)]
pub(crate) struct Reply {
    /// How many lines the session holds.
    pub(crate) received: u64,
    /// Whether it is over.
    pub(crate) ended: bool,
    /// Why lines were not taken.
    pub(crate) stop: Option<Stop>,
    /// How long no more should be read: the session is too fast.
    pub(crate) wait: Duration,
}

impl Registry {
    /// No session yet. `stopping` turns true when the collector stops; `addresses` counts who has how many.
    pub(crate) fn new(
        config: Arc<Config>,
        stores: Arc<Stores>,
        spool: Arc<Spool>,
        stopping: Stopping,
        addresses: Addresses,
    ) -> Self {
        Self(Arc::new(Shared {
            config,
            stores,
            spool,
            sessions: Mutex::default(),
            turns_at_end: finish::Turns::default(),
            waiting: AtomicUsize::new(0),
            turns: (0..TURNS).map(|_| tokio::sync::Mutex::default()).collect(),
            last_turn: tokio::sync::Mutex::default(),
            asked_in_vain: Mutex::default(),
            stopping,
            addresses,
            changes: Feed::default(),
        }))
    }

    /// Takes a new session in, if there is room for one more.
    pub(super) fn insert(&self, id: SessionId, handle: Arc<Handle>) -> Option<Arc<Handle>> {
        let mut sessions = lock(&self.0.sessions);
        // Those that wait to be stored are no load but the spool's, which has a limit of its own.
        let running = sessions.len().saturating_sub(self.0.waiting.load(Ordering::Relaxed));
        if running >= self.0.config.limits.sessions {
            return None;
        }
        sessions.insert(id, Arc::clone(&handle));
        telemetry::sessions_live(sessions.len());
        Some(handle)
    }

    /// Who looks for a session in spool and stores, or removes it there, waits here for its turn: others may be at the same.
    pub(crate) fn turn(&self, id: SessionId) -> &tokio::sync::Mutex<()> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let at = hasher.finish() as usize % TURNS;
        self.0.turns.get(at).unwrap_or(&self.0.last_turn)
    }

    /// A session that the collector holds.
    pub(crate) fn get(&self, id: SessionId) -> Option<Arc<Handle>> {
        lock(&self.0.sessions).get(&id).map(Arc::clone)
    }

    /// Every session that it holds.
    pub(crate) fn held_now(&self) -> Vec<Arc<Handle>> {
        lock(&self.0.sessions).values().map(Arc::clone).collect()
    }

    /// Counts a session whose first line is here, and has the database know of it.
    fn began(&self, handle: &Handle, journal: &Journal) {
        telemetry::session_started(handle.origin.dialect);
        handle.publish(journal);
        self.announce(handle);
    }

    /// Lets others see what is known of a session by now; those that share the database, which connections of Sora's it is about.
    fn publish(&self, handle: &Handle, journal: &Journal) {
        if handle.publish(journal) {
            self.announce(handle);
        }
    }

    fn announce(&self, handle: &Handle) {
        let sora_connections = handle.snapshot().sora_connections;
        let row = SessionRow { sora_connections, ..SessionRow::held(handle.id, &handle.origin, self.0.spool.id()) };
        self.0.stores.queue.session(row, &handle.listing);
    }

    /// Has the database know of every session that runs here.
    pub(super) fn announce_all(&self) {
        self.held_now().iter().filter(|handle| handle.snapshot().lines > 0).for_each(|handle| self.announce(handle));
    }

    /// The database has answered, or not.
    pub(super) fn asked(&self, in_time: bool) {
        *lock(&self.0.asked_in_vain) = (!in_time).then(Instant::now);
    }

    /// Whether it did not, a moment ago.
    pub(super) fn has_asked_in_vain(&self) -> bool {
        lock(&self.0.asked_in_vain).is_some_and(|asked| asked.elapsed() < ASK_AGAIN)
    }

    /// Takes in the lines of frames or a beacon. When it returns, what counts as received is written.
    pub(crate) async fn receive(
        &self,
        handle: &Arc<Handle>,
        cursor: &mut SocketCursor,
        slot: Option<&SocketSlot>,
        frames: impl Iterator<Item = &str> + Clone,
    ) -> Reply {
        let reply = {
            let mut journal = handle.journal.lock().await;
            if slot.is_some_and(SocketSlot::is_replaced) {
                let (received, ended) = (journal.received(), journal.ended());
                return Reply { received, ended, stop: None, wait: Duration::ZERO };
            }
            let known = journal.received();
            let got = journal.receive(cursor, frames, Instant::now());
            if got.started {
                self.began(handle, &journal);
            }
            let wait = got.wait.max(self.wrote(handle, &mut journal).await);
            self.publish(handle, &journal);
            // Under the session's lock: a socket that takes over is not welcomed with what is not safe yet.
            let stop = if got.wrote { journal.commit().await } else { Ok(()) };
            match stop {
                Ok(()) => Reply { received: got.received, ended: got.ended, stop: got.stop, wait },
                // Its client does not know of these lines, and does not hear of the end either.
                Err(stop) => return Reply { received: known, ended: false, stop: Some(stop), wait },
            }
        };
        if reply.ended {
            self.finish(handle);
        }
        reply
    }

    /// Lines were written. A session that has brought much is decoded before more is read of it; says how long that should not be.
    async fn wrote(&self, handle: &Handle, journal: &mut Journal) -> Duration {
        handle.undecoded.store(true, Ordering::Relaxed);
        if journal.undecoded() < if self.0.config.stats.enabled { MOST_ROWS } else { MOST } {
            return Duration::ZERO;
        }
        // In a box: every socket would be as large as if it were at it.
        match Box::pin(decoding::decode(handle, journal, &self.0.stores.queue)).await {
            Ok(wait) => wait.unwrap_or_default(),
            Err(error) => {
                unreadable(handle, &error);
                Duration::ZERO
            }
        }
    }

    /// Decodes what a session has brought so far; the rest of one that has had more than its share of work waits for the next time.
    pub(super) async fn catch_up(&self, handle: &Handle) {
        let mut brings_rows = handle.undecoded.swap(false, Ordering::Relaxed);
        loop {
            // Others may have the session in between, and while there is no room for its rows.
            let has_room = !brings_rows || handle.is_behind() || self.0.stores.queue.has_room().await.is_ok();
            let mut journal = handle.journal.lock().await;
            if !has_room {
                handle.fall_behind(&mut journal, SLOW);
            }
            match decoding::decode(handle, &mut journal, &self.0.stores.queue).await {
                Ok(None) => return,
                Ok(Some(Duration::ZERO)) => brings_rows = true,
                Ok(Some(_)) => return handle.undecoded.store(true, Ordering::Relaxed),
                Err(error) => return unreadable(handle, &error),
            }
        }
    }

    /// What the events that a session has brought so far come to, as far as they are decoded by now.
    pub(crate) async fn analysis(&self, handle: &Handle) -> Arc<Analysis> {
        self.catch_up(handle).await;
        handle.journal.lock().await.analysis()
    }

    /// The sessions that have brought something since they were decoded.
    pub(super) fn undecoded(&self) -> Vec<Arc<Handle>> {
        let sessions = lock(&self.0.sessions);
        sessions.values().filter(|handle| handle.undecoded.load(Ordering::Relaxed)).map(Arc::clone).collect()
    }

    /// A session's socket is gone. A session that can resume waits for its client; what is left after that ends.
    pub(crate) async fn socket_gone(&self, handle: &Arc<Handle>, mut slot: SocketSlot, code: u16) {
        let gone = Instant::now();
        let is_empty = handle.journal.lock().await.received() == 0;
        if handle.origin.dialect.resumes() && !is_empty {
            let mut stopping = self.0.stopping.clone();
            tokio::select! {
                () = tokio::time::sleep(self.0.config.session.resume_grace.0) => {}
                () = slot.replaced() => return,
                () = stopping.wait() => return,
            }
        }
        if !slot.is_replaced() {
            self.end(handle, code, gone.elapsed()).await;
        }
    }

    /// The same for a session that has no socket.
    pub(crate) fn wait_for_client(&self, handle: Arc<Handle>, code: u16) {
        let registry = self.clone();
        tokio::spawn(async move {
            let slot = handle.no_socket();
            registry.socket_gone(&handle, slot, code).await;
        });
    }

    /// Ends a session. `quiet` is how long ago its socket closed.
    pub(crate) async fn end(&self, handle: &Arc<Handle>, code: u16, quiet: Duration) {
        let is_worth_storing = {
            let mut journal = handle.journal.lock().await;
            let worth = journal.close(code, quiet, Instant::now());
            handle.publish(&journal);
            worth
        };
        if is_worth_storing {
            self.finish(handle);
        } else {
            self.remove(handle);
        }
    }

    /// Writes the last line of a session that cannot resume, because the collector stops. The next start stores it.
    pub(crate) async fn close_for_stop(&self, handle: &Arc<Handle>, code: u16) {
        handle.journal.lock().await.close(code, Duration::ZERO, Instant::now());
    }

    /// Takes in a session that was found in the spool, its state rebuilt.
    pub(super) fn adopt(&self, id: SessionId, rebuilt: Rebuilt) {
        let Rebuilt { journal, is_unasked, .. } = rebuilt;
        let ended = journal.ended();
        let handle = if is_unasked { Handle::unasked(id, journal, None) } else { Handle::new(id, journal, None) };
        handle.undecoded.store(true, Ordering::Relaxed);
        let handle = Arc::new(handle);
        {
            let mut sessions = lock(&self.0.sessions);
            sessions.insert(id, Arc::clone(&handle));
            telemetry::sessions_live(sessions.len());
        }
        telemetry::session_recovered();
        self.announce(&handle);
        if ended {
            self.finish(&handle);
        } else if handle.origin.dialect == Dialect::Sora {
            let registry = self.clone();
            tokio::spawn(async move { registry.go_on_said(handle).await });
        } else {
            self.wait_for_client(handle, super::LOST);
        }
    }

    /// Takes in a session that is over, its spool file written, and stores it; the task ends when it is stored.
    pub(crate) fn store(&self, id: SessionId, journal: Journal) -> JoinHandle<()> {
        let handle = Arc::new(Handle::new(id, journal, None));
        handle.finishing.store(true, Ordering::Relaxed);
        {
            let mut sessions = lock(&self.0.sessions);
            sessions.insert(id, Arc::clone(&handle));
            telemetry::sessions_live(sessions.len());
        }
        self.announce(&handle);
        self.finishing(handle)
    }

    /// Where it is told what becomes of sessions.
    pub(crate) fn changes(&self) -> &Feed {
        &self.0.changes
    }

    /// Who has how many sessions.
    pub(super) fn addresses(&self) -> &Addresses {
        &self.0.addresses
    }

    /// The stores.
    pub(crate) fn stores(&self) -> &Stores {
        &self.0.stores
    }

    /// The spool.
    pub(crate) fn spool(&self) -> &Arc<Spool> {
        &self.0.spool
    }

    /// How many sessions are over and not stored yet, and how long the oldest of them waits.
    pub(crate) fn backlog(&self) -> (usize, Duration) {
        let sessions = lock(&self.0.sessions);
        let waits = sessions.values().filter_map(|handle| handle.ended.get().map(Instant::elapsed));
        waits.fold((0, Duration::ZERO), |(count, longest), wait| (count + 1, longest.max(wait)))
    }

    /// The settings.
    pub(crate) fn config(&self) -> &Arc<Config> {
        &self.0.config
    }

    /// Stores a session that is over, in the background, once.
    fn finish(&self, handle: &Arc<Handle>) {
        if handle.finishing.swap(true, Ordering::Relaxed) {
            return;
        }
        self.finishing(Arc::clone(handle));
    }

    fn finishing(&self, handle: Arc<Handle>) -> JoinHandle<()> {
        let _ = handle.ended.set(Instant::now());
        let registry = self.clone();
        tokio::spawn(async move {
            registry.0.waiting.fetch_add(1, Ordering::Relaxed);
            let span = tracing::info_span!(target: TARGET, "store session", session = %handle.id);
            let Shared { stores, spool, turns_at_end, config, .. } = &*registry.0;
            finish::run(&handle, stores, spool, turns_at_end, config.stats.rows()).instrument(span).await;
            registry.remove(&handle);
            registry.0.waiting.fetch_sub(1, Ordering::Relaxed);
        })
    }

    fn remove(&self, handle: &Arc<Handle>) {
        let mut sessions = lock(&self.0.sessions);
        if sessions.get(&handle.id).is_some_and(|held| Arc::ptr_eq(held, handle)) {
            sessions.remove(&handle.id);
        }
        telemetry::sessions_live(sessions.len());
    }
}

/// What is written and cannot be read is decoded another time.
fn unreadable(handle: &Handle, error: &std::io::Error) {
    telemetry::store_failed(telemetry::Store::Spool);
    tracing::error!(session = %handle.id, "the spool cannot be read for decoding: {error}");
}

/// A lock whose holder cannot have left a half-made state behind: nothing under it panics midway.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
