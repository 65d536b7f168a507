//! What the writer has in hand: work that came within a moment.

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::oneshot;

use super::{Beginning, EndError, Ending, Room, Work};
use crate::session::SessionId;
use crate::store::stats::StatsRow;

/// Rows wait at most so long for others to be written with.
const FLUSH_INTERVAL: Duration = Duration::from_millis(250);
/// So long does a session that has begun, or is over: somebody may look for it.
const SOON: Duration = Duration::from_millis(50);

/// What is written by one transaction.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) sessions: Vec<Beginning>,
    pub(super) rows: Vec<StatsRow>,
    pub(super) rooms: Vec<Room>,
    pub(super) ended: Vec<Ending>,
    /// The rows that these make.
    pub(super) ended_rows: usize,
    pub(super) settling: Vec<oneshot::Sender<()>>,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (rows, ended) = (self.rows.len(), self.ended.len());
        f.debug_struct("Batch").field("rows", &rows).field("ended", &ended).finish_non_exhaustive()
    }
}

impl Batch {
    /// Adds work, and says how long it may wait for more.
    pub(super) fn add(&mut self, work: Work) -> Duration {
        match work {
            Work::Session(beginning) => {
                // Its end waits for that.
                let wait = if beginning.done.is_some() { Duration::ZERO } else { SOON };
                self.sessions.push(*beginning);
                wait
            }
            Work::Rows(_, _, listing) if listing.is_anothers() => FLUSH_INTERVAL,
            Work::Rows(rows, room, _) => {
                self.rows.extend(rows);
                self.rooms.push(room);
                FLUSH_INTERVAL
            }
            Work::Ended(ending) => {
                self.ended_rows += ending.session.rows();
                self.ended.push(ending);
                SOON
            }
            Work::Settle(done) => {
                self.settling.push(done);
                Duration::ZERO
            }
        }
    }

    /// Adds what waits for the same.
    pub(super) fn append(&mut self, other: Self) {
        self.sessions.extend(other.sessions);
        self.rows.extend(other.rows);
        self.rooms.extend(other.rooms);
        self.ended.extend(other.ended);
        self.ended_rows += other.ended_rows;
        self.settling.extend(other.settling);
    }

    /// The sessions that have rows in it.
    pub(super) fn with_rows(&self) -> HashSet<SessionId> {
        self.rows.iter().map(|row| row.session).collect()
    }
}

/// Tells those who wait for the ends of sessions what became of them.
pub(super) fn tell(ended: Vec<Ending>, outcomes: Vec<Result<(), EndError>>) {
    for (Ending { done, .. }, outcome) in ended.into_iter().zip(outcomes) {
        let _ = done.send(outcome);
    }
}

/// Tells those who wait for all before them.
pub(super) fn settled(settling: Vec<oneshot::Sender<()>>) {
    for done in settling {
        let _ = done.send(());
    }
}
