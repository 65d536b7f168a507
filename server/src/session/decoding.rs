//! How far a session's lines are decoded. Decoding follows the spool at a distance: what is written is read again from there, many
//! lines at a time, when somebody asks for it, when stats rows are due, and at the session's end. What is done at once finds its
//! data at hand; and where no rows are written, a session that has brought little holds no report.

use std::io;
use std::time::{Duration, Instant};

use super::handle::Handle;
use super::journal::Journal;
use super::pipeline::Pipeline;
use super::{Analysis, Dialect, SessionId, TURN};
use crate::spool::Tail;
use crate::store::queue::DatabaseQueue;
use crate::store::stats::RowBatch;

/// What is decoded at once. Few lines may stand for much work: in between, somebody looks whether the session has had its share.
const AT_ONCE: Duration = Duration::from_millis(50);

/// Why a session's rows are not written while it runs.
pub(super) const SLOW: &str = "the database is slow";

/// The state of what is decoded.
#[derive(Debug)]
pub(crate) struct Decoding {
    session: SessionId,
    dialect: Dialect,
    /// How far apart the rows of an entry are, if it gives stats rows.
    stats: Option<Duration>,
    /// Rows that nobody has taken yet. Who decodes may be gone before somebody does.
    rows: RowBatch,
    pipeline: Option<Box<Pipeline>>,
    /// So many bytes of the spool's text, its header included.
    at: u64,
    /// So many were there when the session was taken in: that they are decoded again is not its client's work.
    free: u64,
}

impl Decoding {
    /// Of a session of which nothing is decoded. `stats`: how far apart the rows of an entry are, if it gives stats rows.
    pub(super) fn new(session: SessionId, dialect: Dialect, stats: Option<Duration>) -> Self {
        Self { session, dialect, stats, rows: RowBatch::default(), pipeline: None, at: 0, free: 0 }
    }

    /// How many bytes of the spool's text are decoded.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// So many bytes of the text are of a time before this process.
    pub(super) fn begins_behind(&mut self, bytes: u64) {
        self.free = bytes;
    }

    /// What is written up to there cannot be read any more.
    pub(super) fn give_up(&mut self, to: u64) {
        self.at = self.at.max(to);
    }

    /// Stops giving stats rows.
    pub(super) fn stop_rows(&mut self) {
        self.stats = None;
        self.rows = RowBatch::default();
        if let Some(pipeline) = &mut self.pipeline {
            pipeline.stop_rows();
        }
    }

    /// What the events that are decoded come to.
    pub(super) fn analysis(&self) -> Analysis {
        self.pipeline.as_ref().map(|pipeline| pipeline.analysis()).unwrap_or_default()
    }

    /// Decodes lines until there is no further one, rows are many, or the turn is over: false in the first case.
    fn lines(&mut self, tail: &mut Tail, turn: Instant) -> io::Result<bool> {
        let Self { session, dialect, stats, rows, pipeline, at, .. } = self;
        let pipeline = pipeline.get_or_insert_with(|| Box::new(Pipeline::new(*session, *dialect, *stats)));
        loop {
            let is_there = tail.next(|line| pipeline.spooled(line, rows))?;
            *at = tail.at();
            if !is_there || rows.is_full() || turn.elapsed() > TURN {
                return Ok(is_there);
            }
        }
    }
}

/// Decodes what is written and was not decoded yet, or as much of it as is done at once: `Some` if there is more, with how long it
/// should wait, because the session has had more than its share of work. Whoever awaits this may stop to: what was decoded stays,
/// with its rows.
pub(super) async fn decode(
    handle: &Handle,
    journal: &mut Journal,
    queue: &DatabaseQueue,
) -> io::Result<Option<Duration>> {
    let mut work = Duration::ZERO;
    let mut goes_on = journal.undecoded() > 0;
    if goes_on {
        let mut tail = journal.tail()?;
        while goes_on && work < AT_ONCE {
            let turn = Instant::now();
            let result = journal.decoding().lines(&mut tail, turn);
            work += turn.elapsed();
            goes_on = result?;
            if journal.decoding().rows.is_full() {
                hand_over(handle, journal, queue).await;
            } else if goes_on {
                tokio::task::yield_now().await;
            }
        }
    }
    hand_over(handle, journal, queue).await;
    let decoding = journal.decoding();
    let wait = if decoding.at > decoding.free { journal.worked(work, Instant::now()) } else { Duration::ZERO };
    Ok(goes_on.then_some(wait))
}

/// Hands over the rows that only the end of the session brings, when everything is decoded.
pub(super) async fn end(handle: &Handle, journal: &mut Journal, queue: &DatabaseQueue) {
    let mut is_over = false;
    while !is_over {
        let Decoding { pipeline, rows, .. } = journal.decoding();
        is_over = pipeline.as_mut().is_none_or(|pipeline| pipeline.end(rows));
        hand_over(handle, journal, queue).await;
    }
}

/// Hands the rows over. A database that is slow takes them at the session's end, from its dump; so does one where the id is another
/// session's.
async fn hand_over(handle: &Handle, journal: &mut Journal, queue: &DatabaseQueue) {
    if handle.listing.is_anothers() {
        handle.fall_behind(journal, "another session has its row");
    } else if queue.offer(&mut journal.decoding().rows, &handle.listing).await.is_err() {
        handle.fall_behind(journal, SLOW);
    }
}
