//! Messages that have begun and not ended, and values that go on in a next message (Jitsi's dialect). What a peer has sent of one lies
//! in memory until its end comes, so it may neither take as long as it likes nor may all of them together hold as much as they like.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::Message;

use crate::config::Limits;
use crate::problem::Reason;
use crate::telemetry;

/// So much of a message is nobody's concern.
const FREE: u64 = 64 * 1024;
/// Between two reads no more than this counts: a socket that is not read meanwhile (the spool is full, the session too fast) is not slow.
const LONGEST_GAP: Duration = Duration::from_secs(5);
/// The longest head of a frame (RFC 6455, section 5.2).
const FRAME_HEAD: u64 = 14;

/// What lies in memory of the messages of all sockets, and how much of it may.
#[derive(Debug)]
pub(crate) struct Unfinished {
    held: AtomicU64,
    most: u64,
    patience: Duration,
}

impl Unfinished {
    /// As the settings say.
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self { held: AtomicU64::new(0), most: limits.unfinished_bytes.0, patience: limits.idle_time.0 })
    }
}

/// A connection whose messages are watched.
#[derive(Debug)]
pub(super) struct Watched<T> {
    io: T,
    all: Arc<Unfinished>,
    /// Bytes of this one's message.
    held: u64,
    /// Bytes of a value that its messages before brought.
    kept: u64,
    /// For how long it has been read.
    time: Duration,
    last: Instant,
}

impl<T> Watched<T> {
    /// Watches a connection that has brought nothing yet.
    pub(super) fn new(io: T, all: Arc<Unfinished>) -> Self {
        Self { io, all, held: 0, kept: 0, time: Duration::ZERO, last: Instant::now() }
    }

    /// A message is whole. A control frame may stand within another message (RFC 6455, section 5.4).
    pub(super) fn ended(&mut self, message: &Message) {
        match message {
            Message::Ping(payload) | Message::Pong(payload) => self.release(payload.len() as u64 + FRAME_HEAD),
            _ => {
                self.release(self.held);
                if self.kept <= FREE {
                    self.time = Duration::ZERO;
                }
            }
        }
    }

    /// Who reads the messages keeps so much of a value that goes on in the next one; `has_ended` if another one ended.
    pub(super) fn keeps(&mut self, bytes: u64, has_ended: bool) {
        self.all.held.fetch_add(bytes, Ordering::Relaxed);
        self.all.held.fetch_sub(self.kept, Ordering::Relaxed);
        self.kept = bytes;
        if has_ended {
            self.time = Duration::ZERO;
        }
    }

    fn release(&mut self, bytes: u64) {
        let bytes = bytes.min(self.held);
        self.held -= bytes;
        self.all.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn read(&mut self, bytes: u64) -> io::Result<()> {
        let now = Instant::now();
        let gap = now.saturating_duration_since(self.last).min(LONGEST_GAP);
        self.last = now;
        self.held += bytes;
        let all = self.all.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.held + self.kept <= FREE {
            return Ok(());
        }
        self.time += gap;
        if self.time > self.all.patience {
            telemetry::refused(Reason::SlowMessage.name());
            return Err(io::Error::other("a message takes longer than `limits.idle_time`"));
        }
        if all > self.all.most {
            telemetry::refused(Reason::TooMuchUnfinished.name());
            return Err(io::Error::other("messages that have not ended hold more than `limits.unfinished_bytes`"));
        }
        Ok(())
    }
}

impl<T> Drop for Watched<T> {
    fn drop(&mut self) {
        self.release(self.held);
        self.keeps(0, true);
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(context, into))?;
        let read = into.filled().len().saturating_sub(before);
        Poll::Ready(if read > 0 { self.read(read as u64) } else { Ok(()) })
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Size, Span};

    fn watched(most: u64, patience: u64) -> (Watched<()>, Arc<Unfinished>) {
        let limits = Config::default().limits;
        let all = Unfinished::new(&Limits {
            unfinished_bytes: Size(most),
            idle_time: Span(Duration::from_secs(patience)),
            ..limits
        });
        (Watched::new((), Arc::clone(&all)), all)
    }

    #[test]
    fn messages_that_end_hold_nothing_and_those_that_do_not_hold_so_much() {
        let (mut one, all) = watched(1 << 20, 60);
        let mut other = Watched::new((), Arc::clone(&all));
        for _ in 0..100 {
            one.read(100_000).unwrap();
            one.ended(&Message::text("x"));
        }
        assert_eq!(all.held.load(Ordering::Relaxed), 0);
        one.read(900_000).unwrap();
        other.read(60_000).unwrap();
        assert!(other.read(100_000).is_err(), "together they hold too much");
        drop(one);
        other.ended(&Message::text("x"));
        other.read(500_000).unwrap();
        other.ended(&Message::Ping(vec![0; 100].into()));
        assert_eq!(all.held.load(Ordering::Relaxed), 500_000 - 100 - FRAME_HEAD, "a control frame ends no message");
        drop(other);
        assert_eq!(all.held.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_value_that_goes_on_in_a_next_message_counts_until_it_ends() {
        let (mut one, all) = watched(1 << 20, 12);
        let mut other = Watched::new((), Arc::clone(&all));
        for kept in [500_000, 900_000] {
            one.read(450_000).unwrap();
            one.ended(&Message::text("x"));
            one.keeps(kept, false);
            assert_eq!(all.held.load(Ordering::Relaxed), kept);
        }
        assert!(other.read(200_000).is_err(), "together they hold too much");
        drop(other);
        // Its messages end, but the value does not.
        for _ in 0..2 {
            one.last -= Duration::from_secs(3600);
            one.read(1).unwrap();
            one.ended(&Message::text("x"));
        }
        one.last -= Duration::from_secs(3600);
        assert!(one.read(1).is_err(), "three times five seconds");
        one.ended(&Message::text("x"));
        one.keeps(100_000, true);
        one.read(1).unwrap();
        drop(one);
        assert_eq!(all.held.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_message_may_take_so_long_and_a_silence_is_none_of_it() {
        let (mut one, _) = watched(1 << 30, 12);
        one.read(FREE + 1).unwrap();
        for _ in 0..2 {
            one.last -= Duration::from_secs(3600);
            one.read(1).unwrap();
        }
        one.last -= Duration::from_secs(3600);
        assert!(one.read(1).is_err(), "three times five seconds");
    }
}
