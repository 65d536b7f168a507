//! All sessions that the collector holds: those that run, those that wait for their client, those on their way to the
//! stores. Sockets and requests come here for their session.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rtctrace_features::SessionFeatures;
use tokio::sync::{OnceCell, Semaphore, watch};

use super::SessionId;
use super::finish;
use super::journal::{Journal, Origin, SocketCursor, Stop};
use super::snapshot::Snapshot;
use crate::app::Stopping;
use crate::config::Config;
use crate::spool::HeldLines;
use crate::store::database::Database;
use crate::store::objects::Objects;
use crate::store::sessions::{self, SessionRow};
use crate::store::stats::{RowBatch, StatsQueue};
use crate::telemetry;

/// So many sessions are compressed and stored at one time.
const FINISHING: usize = 4;

/// How long one session may decode before others get their turn.
const TURN: Duration = Duration::from_millis(2);

/// The sessions, and the stores that they end in.
#[derive(Debug, Clone)]
pub(crate) struct Registry(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: Arc<Config>,
    stores: Stores,
    sessions: Mutex<HashMap<SessionId, Arc<Handle>>>,
    finishing: Semaphore,
    stopping: Stopping,
}

/// Where sessions go.
#[derive(Debug, Clone)]
pub(crate) struct Stores {
    /// The database.
    pub(crate) database: Database,
    /// Object storage.
    pub(crate) objects: Objects,
    /// The way into the stats tables.
    pub(crate) stats: StatsQueue,
}

/// A session that the collector holds.
#[derive(Debug)]
pub(crate) struct Handle {
    /// Its id.
    pub(crate) id: SessionId,
    /// Where it comes from.
    pub(crate) origin: Origin,
    pub(super) journal: tokio::sync::Mutex<Journal>,
    snapshot: Mutex<Snapshot>,
    newest_socket: watch::Sender<u64>,
    stored_before: OnceCell<bool>,
    behind: AtomicBool,
    finishing: AtomicBool,
}

/// What a client that names a session gets.
#[derive(Debug)]
pub(crate) enum Attach {
    /// The session; `true` if it is new here.
    Session(Arc<Handle>, bool),
    /// The session is over.
    Ended,
    /// There is no room for one more, or nobody can say whether it is over.
    Overloaded,
}

/// A socket's hold on its session: the newest socket has it.
#[derive(Debug)]
pub(crate) struct SocketSlot {
    number: u64,
    newest: watch::Receiver<u64>,
}

impl SocketSlot {
    /// Whether a newer socket speaks for the session.
    pub(crate) fn is_replaced(&self) -> bool {
        *self.newest.borrow() != self.number
    }

    /// Waits until that is so.
    pub(crate) async fn replaced(&mut self) {
        let number = self.number;
        // The sender lives in the handle; when it is gone, nobody can replace this socket any more.
        if self.newest.wait_for(|newest| *newest != number).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
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
}

impl Handle {
    fn new(id: SessionId, journal: Journal) -> Self {
        Self {
            id,
            origin: journal.origin().clone(),
            snapshot: Mutex::new(journal.snapshot()),
            journal: tokio::sync::Mutex::new(journal),
            newest_socket: watch::Sender::new(0),
            stored_before: OnceCell::new(),
            behind: AtomicBool::new(false),
            finishing: AtomicBool::new(false),
        }
    }

    /// What is known of the session now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        lock(&self.snapshot).clone()
    }

    /// The features of what was received so far.
    pub(crate) async fn features(&self) -> SessionFeatures {
        self.journal.lock().await.features()
    }

    /// Makes a new socket the one that speaks for the session.
    pub(crate) fn take_over(&self) -> SocketSlot {
        let mut number = 0;
        self.newest_socket.send_modify(|newest| {
            *newest += 1;
            number = *newest;
        });
        SocketSlot { number, newest: self.newest_socket.subscribe() }
    }

    /// The hold of nobody: replaced by any socket, even one that came before.
    fn no_socket(&self) -> SocketSlot {
        SocketSlot { number: 0, newest: self.newest_socket.subscribe() }
    }

    /// Where a socket stands that says `from`, and how many lines the session holds; `None` if it is over.
    pub(crate) async fn cursor(&self, from: u64) -> std::io::Result<Option<(SocketCursor, u64)>> {
        let (held, received) = {
            let journal = self.journal.lock().await;
            if journal.ended() {
                return Ok(None);
            }
            (journal.held(), journal.received())
        };
        if from >= received {
            return Ok(Some((SocketCursor::at(received), received)));
        }
        let (path, length) = held;
        // A long session's file takes a while to be read up to there.
        let open = tokio::task::spawn_blocking(move || HeldLines::open(&path, length, from, received));
        let lines = open.await.map_err(std::io::Error::other)??;
        Ok(Some((SocketCursor::repeating(from, lines), received)))
    }

    /// How many lines the session holds.
    pub(crate) async fn received(&self) -> u64 {
        self.journal.lock().await.received()
    }

    /// Whether the session was stored in an earlier life; asked once for all who name it.
    async fn is_stored(&self, database: &Database) -> sqlx::Result<bool> {
        let ask = || async { Ok(sessions::get(database, self.id).await?.is_some_and(|row| row.ended)) };
        self.stored_before.get_or_try_init(ask).await.copied()
    }

    pub(super) fn publish(&self, journal: &Journal) {
        *lock(&self.snapshot) = journal.snapshot();
    }

    pub(super) fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Relaxed)
    }

    fn fall_behind(&self, journal: &mut Journal) {
        journal.stop_rows();
        if !self.behind.swap(true, Ordering::Relaxed) {
            telemetry::stats_behind();
            tracing::warn!(session = %self.id, "the database is slow; the session's stats will be written from its dump");
        }
    }
}

impl Registry {
    /// No session yet. `stopping` turns true when the collector stops.
    pub(crate) fn new(config: Arc<Config>, stores: Stores, stopping: Stopping) -> Self {
        let finishing = Semaphore::new(FINISHING);
        Self(Arc::new(Shared { config, stores, sessions: Mutex::default(), finishing, stopping }))
    }

    /// The session that a client names, new if nobody knows it.
    pub(crate) async fn attach(&self, id: SessionId, origin: Origin, from: u64) -> Attach {
        let (handle, is_new) = {
            let mut sessions = lock(&self.0.sessions);
            match sessions.get(&id) {
                Some(handle) if handle.origin.dialect == origin.dialect => (Arc::clone(handle), false),
                Some(_) => return Attach::Ended,
                None if sessions.len() >= self.0.config.limits.sessions => return Attach::Overloaded,
                None => {
                    let journal = Journal::new(id, origin, &self.0.config, Instant::now());
                    let handle = Arc::new(Handle::new(id, journal));
                    sessions.insert(id, Arc::clone(&handle));
                    telemetry::sessions_live(sessions.len());
                    (handle, true)
                }
            }
        };
        // Only a client that chose the id itself can name a session that is over. The question comes after the entry was
        // made: a session leaves the registry only after the database has it.
        if handle.origin.dialect.resumes() {
            match handle.is_stored(&self.0.stores.database).await {
                Ok(true) => {
                    self.remove(&handle);
                    return Attach::Ended;
                }
                Ok(false) => {}
                Err(error) if from > 0 => {
                    tracing::warn!(session = %id, "the database cannot say whether the session is over: {error}");
                    self.remove(&handle);
                    return Attach::Overloaded;
                }
                Err(error) => tracing::warn!(session = %id, "a session begins without the database: {error}"),
            }
        }
        Attach::Session(handle, is_new)
    }

    /// A session that the collector holds.
    pub(crate) fn get(&self, id: SessionId) -> Option<Arc<Handle>> {
        lock(&self.0.sessions).get(&id).map(Arc::clone)
    }

    /// Takes in the lines of a frame or a beacon. When it returns, what counts as received is written.
    pub(crate) async fn receive(
        &self,
        handle: &Arc<Handle>,
        cursor: &mut SocketCursor,
        slot: Option<&SocketSlot>,
        frame: &str,
    ) -> Reply {
        let got = {
            let mut journal = handle.journal.lock().await;
            if slot.is_some_and(SocketSlot::is_replaced) {
                return Reply { received: journal.received(), ended: journal.ended(), stop: None };
            }
            let got = journal.receive(cursor, frame, Instant::now());
            if got.started {
                telemetry::session_started(handle.origin.dialect);
                self.0.stores.stats.session(SessionRow::live(handle.id, &handle.origin));
            }
            self.decode(handle, &mut journal, &got.written).await;
            handle.publish(&journal);
            got
        };
        if got.ended {
            self.finish(handle);
        }
        Reply { received: got.received, ended: got.ended, stop: got.stop }
    }

    /// Decodes what was written. A client can make a line cost much more than its bytes: others get their turn in between,
    /// and rows go on before they are many.
    async fn decode(&self, handle: &Handle, journal: &mut Journal, lines: &str) {
        let mut rows = RowBatch::default();
        let mut turn = Instant::now();
        for line in lines.lines() {
            journal.decode(line, &mut rows);
            if rows.is_full() && self.0.stores.stats.offer(&mut rows).await.is_err() {
                handle.fall_behind(journal);
            }
            if turn.elapsed() > TURN {
                tokio::task::yield_now().await;
                turn = Instant::now();
            }
        }
        if self.0.stores.stats.offer(&mut rows).await.is_err() {
            handle.fall_behind(journal);
        }
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
    pub(crate) fn adopt(&self, id: SessionId, journal: Journal, is_behind: bool) {
        let ended = journal.ended();
        let handle = Arc::new(Handle::new(id, journal));
        handle.behind.store(is_behind, Ordering::Relaxed);
        // Its spool file is here, so its end is not.
        let _ = handle.stored_before.set(false);
        {
            let mut sessions = lock(&self.0.sessions);
            sessions.insert(id, Arc::clone(&handle));
            telemetry::sessions_live(sessions.len());
        }
        telemetry::session_recovered();
        if ended {
            self.finish(&handle);
        } else {
            self.wait_for_client(handle, super::LOST);
        }
    }

    /// The stores.
    pub(crate) fn stores(&self) -> &Stores {
        &self.0.stores
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
        let (registry, handle) = (self.clone(), Arc::clone(handle));
        tokio::spawn(async move {
            finish::run(&handle, &registry.0.stores, &registry.0.finishing).await;
            registry.remove(&handle);
        });
    }

    fn remove(&self, handle: &Arc<Handle>) {
        let mut sessions = lock(&self.0.sessions);
        if sessions.get(&handle.id).is_some_and(|held| Arc::ptr_eq(held, handle)) {
            sessions.remove(&handle.id);
        }
        telemetry::sessions_live(sessions.len());
    }
}

/// A lock whose holder cannot have left a half-made state behind: nothing under it panics midway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
