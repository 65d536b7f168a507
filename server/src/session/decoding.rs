//! How far a session's lines are decoded. Decoding follows the spool at a distance: what is written is read again from there, many
//! lines at a time, when somebody asks for it, when stats rows are due, and at the session's end. So a session that waits for
//! its next line holds no report, a socket waits for no decoder, and what is done at once finds its data at hand.

use std::io;
use std::time::{Duration, Instant};

use rtctrace_features::SessionFeatures;

use super::SessionId;
use super::handle::Handle;
use super::journal::Journal;
use super::pipeline::Pipeline;
use crate::spool::Tail;
use crate::store::stats::{RowBatch, StatsQueue};
use crate::telemetry;

/// How long one session may decode before others get their turn.
const TURN: Duration = Duration::from_millis(2);
/// What is decoded at once. Few lines may stand for much work: in between, somebody looks whether the session has had its share.
const AT_ONCE: Duration = Duration::from_millis(50);

/// The state of what is decoded.
#[derive(Debug)]
pub(crate) struct Decoding {
    session: SessionId,
    /// Whether it gives stats rows.
    rows: bool,
    pipeline: Option<Box<Pipeline>>,
    /// So many bytes of the spool's text, its header included.
    at: u64,
}

impl Decoding {
    /// Of a session of which nothing is decoded. `rows`: whether it gives stats rows.
    pub(super) fn new(session: SessionId, rows: bool) -> Self {
        Self { session, rows, pipeline: None, at: 0 }
    }

    /// How many bytes of the spool's text are decoded.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Stops giving stats rows.
    pub(super) fn stop_rows(&mut self) {
        self.rows = false;
        if let Some(pipeline) = &mut self.pipeline {
            pipeline.stop_rows();
        }
    }

    /// The features of what is decoded.
    pub(super) fn features(&self) -> SessionFeatures {
        self.pipeline.as_ref().map(|pipeline| pipeline.features()).unwrap_or_default()
    }

    /// Decodes lines until there is no further one, rows are many, or the turn is over: false in the first case.
    fn decode(&mut self, tail: &mut Tail, rows: &mut RowBatch, turn: Instant) -> io::Result<bool> {
        let pipeline = self.pipeline.get_or_insert_with(|| Box::new(Pipeline::new(self.session, self.rows)));
        let mut count = 0_u32;
        loop {
            let is_there = tail.next(|line| pipeline.spooled(line, rows))?;
            self.at = tail.at();
            count += 1;
            // A clock costs as much as a small line.
            let is_over = || count.is_multiple_of(8) && turn.elapsed() > TURN;
            if !is_there || rows.is_full() || is_over() {
                return Ok(is_there);
            }
        }
    }
}

/// Decodes what is written and was not decoded yet, or as much of it as is done at once: `Some` if there is more, with how long it
/// should wait, because the session has had more than its share of work.
pub(super) async fn decode(handle: &Handle, journal: &mut Journal, stats: &StatsQueue) -> io::Result<Option<Duration>> {
    if journal.undecoded() == 0 {
        return Ok(None);
    }
    let mut tail = journal.tail()?;
    let mut rows = RowBatch::default();
    let mut work = Duration::ZERO;
    let mut goes_on = true;
    while goes_on && work < AT_ONCE {
        let turn = Instant::now();
        goes_on = journal.decoding().decode(&mut tail, &mut rows, turn)?;
        work += turn.elapsed();
        if rows.is_full() || !goes_on {
            if stats.offer(&mut rows).await.is_err() {
                handle.fall_behind(journal);
            }
        } else {
            tokio::task::yield_now().await;
        }
    }
    if !rows.is_empty() && stats.offer(&mut rows).await.is_err() {
        handle.fall_behind(journal);
    }
    let wait = journal.worked(work, Instant::now());
    Ok(goes_on.then_some(wait))
}

/// Decodes all that is written; says how long nothing more should be read of the session. What cannot be read now is read another
/// time.
pub(super) async fn catch_up(handle: &Handle, journal: &mut Journal, stats: &StatsQueue) -> Duration {
    let mut longest = Duration::ZERO;
    loop {
        match decode(handle, journal, stats).await {
            Ok(Some(wait)) => longest = longest.max(wait),
            Ok(None) => return longest,
            Err(error) => {
                telemetry::store_failed(telemetry::Store::Spool);
                tracing::error!(session = %handle.id, "the spool cannot be read for decoding: {error}");
                return longest;
            }
        }
    }
}
