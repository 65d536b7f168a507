//! A session that the collector holds, as sockets, requests and the stores share it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::hearing::Hearing;
use super::journal::{Journal, SocketCursor};
use super::origin::Origin;
use super::registry::lock;
use super::snapshot::Snapshot;
use super::{Dialect, SessionId};
use crate::access::AddressPlace;
use crate::spool::HeldLines;
use crate::store::queue::Listing;
use crate::telemetry;

/// A session that the collector holds.
#[derive(Debug)]
pub(crate) struct Handle {
    /// Its id.
    pub(crate) id: SessionId,
    /// Where it comes from.
    pub(crate) origin: Arc<Origin>,
    pub(super) journal: tokio::sync::Mutex<Journal>,
    snapshot: Mutex<Snapshot>,
    newest_socket: watch::Sender<u64>,
    /// Of one that has no socket: most have one, and are spared it.
    pub(super) hearing: Option<Box<Hearing>>,
    pub(super) behind: AtomicBool,
    pub(super) finishing: AtomicBool,
    /// Whether it has brought something since it was decoded.
    pub(super) undecoded: AtomicBool,
    /// Whose its row is. Until that is known to be its own, what its id stands for in the database is found out at its end.
    pub(super) listing: Arc<Listing>,
    /// Since when it waits to be stored.
    pub(super) ended: OnceLock<Instant>,
    pub(super) place: Mutex<Option<AddressPlace>>,
}

impl Handle {
    pub(super) fn new(id: SessionId, journal: Journal, place: Option<AddressPlace>) -> Self {
        Self {
            id,
            hearing: (journal.origin().dialect == Dialect::Sora).then(Box::default),
            origin: Arc::clone(journal.origin()),
            snapshot: Mutex::new(journal.snapshot()),
            journal: tokio::sync::Mutex::new(journal),
            newest_socket: watch::Sender::new(0),
            behind: AtomicBool::new(false),
            finishing: AtomicBool::new(false),
            undecoded: AtomicBool::new(false),
            listing: Arc::default(),
            ended: OnceLock::new(),
            place: Mutex::new(place),
        }
    }

    /// One about which the database could not be asked. Its rows are written from its dump: they may not be those of its id.
    pub(super) fn unasked(id: SessionId, mut journal: Journal, place: Option<AddressPlace>) -> Self {
        journal.stop_rows();
        Self { behind: AtomicBool::new(true), ..Self::new(id, journal, place) }
    }

    /// Whether it is not over.
    pub(crate) fn runs(&self) -> bool {
        lock(&self.snapshot).close_code.is_none()
    }

    /// What is known of the session now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        lock(&self.snapshot).clone()
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
    pub(super) fn no_socket(&self) -> SocketSlot {
        SocketSlot { number: 0, newest: self.newest_socket.subscribe() }
    }

    /// Where a socket stands that says `from`, and how many lines the session holds; `None` if it is over.
    pub(crate) async fn cursor(&self, from: u64) -> std::io::Result<Option<(SocketCursor, u64)>> {
        let (held, received) = {
            let journal = self.journal.lock().await;
            if journal.is_distrusted() {
                return Err(std::io::Error::other("a sync of the spool failed; the next start reads what is there"));
            }
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

    /// How long nothing more should be read of the session.
    pub(crate) async fn wait(&self) -> Duration {
        self.journal.lock().await.wait(Instant::now())
    }

    /// How many lines the session holds.
    pub(crate) async fn received(&self) -> u64 {
        self.journal.lock().await.received()
    }

    /// Lets others see what is known by now. Says whether it is about further connections of Sora's.
    pub(super) fn publish(&self, journal: &Journal) -> bool {
        let snapshot = journal.snapshot();
        let mut known = lock(&self.snapshot);
        let is_about_more = known.sora_connections != snapshot.sora_connections;
        *known = snapshot;
        is_about_more
    }

    pub(super) fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Relaxed)
    }

    /// Its rows are written from its dump. Says whether they were to be already.
    pub(super) fn rows_from_dump(&self, journal: &mut Journal) -> bool {
        journal.stop_rows();
        self.behind.swap(true, Ordering::Relaxed)
    }

    pub(super) fn fall_behind(&self, journal: &mut Journal, why: &'static str) {
        if !self.rows_from_dump(journal) {
            telemetry::stats_behind();
            tracing::warn!(session = %self.id, "{why}; the session's stats will be written from its dump");
        }
    }
}

/// A socket's hold on its session: the newest socket has it.
#[derive(Debug, Clone)]
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
