//! Whether a socket is listened to, and whether its peer still counts as there: the same for every dialect.

use std::time::{Duration, Instant};

use futures_util::SinkExt as _;
use tokio_tungstenite::tungstenite::Message;

use super::socket::{Gone, SEND_TIMEOUT, Socket, within};
use crate::app::App;
use crate::problem::Reason;
use crate::spool::Spool;
use crate::telemetry;

/// A socket that is not read makes its client wait, which keeps what it has: while the spool is full, and while what it brought
/// was too fast. Who is not listened to is not silent.
#[derive(Debug)]
pub(super) struct Listening<'a> {
    spool: &'a Spool,
    patience: Duration,
    heard: Instant,
    next_ping: Instant,
    is_full: bool,
    /// Until then nothing is read.
    slowed: Option<Instant>,
}

impl<'a> Listening<'a> {
    /// To a socket that has just opened.
    pub(super) fn new(app: &'a App) -> Self {
        let (now, patience) = (Instant::now(), app.config.session.idle_timeout.0);
        let spool = app.registry.spool();
        Self { spool, patience, heard: now, next_ping: now + patience / 3, is_full: false, slowed: None }
    }

    /// Looks at the spool and at the time.
    pub(super) fn look(&mut self, now: Instant) {
        if self.spool.is_full() != self.is_full {
            self.is_full = !self.is_full;
            self.heard = now;
            if self.is_full {
                telemetry::spool_pause();
            }
        }
        if self.slowed.is_some_and(|until| until <= now) {
            self.slowed = None;
            self.heard = now;
        }
    }

    /// Whether nothing is read.
    pub(super) fn is_held(&self) -> bool {
        self.is_full || self.slowed.is_some()
    }

    /// Whether that is for want of room in the spool.
    pub(super) fn waits_for_room(&self) -> bool {
        self.is_full
    }

    /// Something came.
    pub(super) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// What came was too fast: nothing is read for so long.
    pub(super) fn slow(&mut self, wait: Duration) {
        if !wait.is_zero() {
            telemetry::slowed();
            self.slowed = self.slowed.max(Some(Instant::now() + wait));
        }
    }

    /// When there is something to do next.
    pub(super) fn due(&self) -> Instant {
        self.slowed.map_or(self.next_ping, |until| until.min(self.next_ping))
    }

    /// Asks for a sign of life, when it is time; says whether it was. A peer that was silent for too long is gone, without a close
    /// frame: a client that wakes up should find its socket lost, and come back.
    pub(super) async fn ping(&mut self, socket: &mut Socket, now: Instant) -> Result<bool, Gone> {
        if self.next_ping > now {
            return Ok(false);
        }
        if self.heard.elapsed() > self.patience && !self.is_held() {
            telemetry::refused(Reason::Idle.name());
            return Err(Gone);
        }
        within(SEND_TIMEOUT, socket.send(Message::Ping(Vec::new().into()))).await?;
        self.next_ping = now + self.patience / 3;
        Ok(true)
    }
}
