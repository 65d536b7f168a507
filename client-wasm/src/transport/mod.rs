//! `rtctrace.v1` from the client's side, without sockets and clocks: inputs and the time come in, effects come out.
//!
//! Connects, waits for the collector's `welcome`, sends batches of lines, forgets what is acknowledged, reconnects with
//! exponential backoff, ends cleanly. The page's shell carries the effects out.

mod buffer;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use rtctrace_protocol::json::RawValue;

use crate::ids::UnixMillis;
use buffer::Buffer;
pub(crate) use buffer::{Class, Dropped, Room};

/// Unacknowledged lines are kept up to so many bytes.
pub(crate) const BUFFER_LIMIT: usize = 4 * 1024 * 1024;
/// A line longer than this is refused here: the collector would refuse the whole session for it.
pub(crate) const LINE_LIMIT: usize = 1024 * 1024;
/// Lines are joined to frames of about this size.
const FRAME_SIZE: usize = 64 * 1024;
/// So many bytes may wait inside the browser's socket; the rest waits here, where policy applies to it.
const SOCKET_LIMIT: usize = 256 * 1024;
/// Frames are at least so far apart, unless there is enough for a whole one.
const FLUSH_INTERVAL: UnixMillis = 100;
/// The browser takes about 64 KiB of beacons at a time.
const BEACON_SIZE: usize = 60 * 1024;
const BACKOFF_FIRST: UnixMillis = 500;
const BACKOFF_LAST: UnixMillis = 30_000;
/// From the start of a connection to the collector's welcome.
const WELCOME_TIMEOUT: UnixMillis = 15_000;
/// A collector acknowledges within half a second; a socket that is silent for so long is dead.
const ACK_TIMEOUT: UnixMillis = 20_000;
/// How long `close` waits for the last acknowledgement.
const CLOSE_TIMEOUT: UnixMillis = 5_000;
/// A timer that is so late was throttled or frozen with the page: what it guarded may have arrived meanwhile.
const LATE_TIMER: UnixMillis = 2_000;

/// Close codes after which a reconnect cannot help: not JSON, not authorized, too large, already ended, limit reached, and
/// continued by a newer socket: two that share a session would take it from each other for ever.
const FINAL_CODES: [u16; 6] = [1007, 1008, 1009, 4000, 4001, 4002];

/// Stands for a close code when no socket may be opened. The face knows it, too.
pub(crate) const FORBIDDEN: u16 = 0;

/// What happened outside.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Input<'a> {
    /// Begin.
    Start,
    /// A text frame came.
    Frame(&'a str),
    /// The socket is closed, or never opened (code 1006).
    Closed {
        /// The close code.
        code: u16,
    },
    /// The deadline came.
    Tick {
        /// Bytes that the socket has not put on the wire.
        buffered: usize,
    },
    /// The network is back.
    Online,
    /// The page is hidden and may be frozen at any time: send at once.
    Hidden,
    /// The page goes away. It may come back from the back-forward cache, so this is not the end: the collector finds that
    /// when nobody comes back.
    PageHide,
    /// The application ends the recording.
    Close,
    /// The page's security policy forbids the socket.
    Forbidden,
}

/// What the shell has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Open a socket that will carry lines from this number on.
    Connect { from: u64 },
    /// Send a text frame.
    Send(String),
    /// Close the socket and report nothing more about it.
    Disconnect { code: u16 },
    /// Hand lines to `sendBeacon`.
    Beacon { from: u64, body: String },
    /// The first lines were handed to the socket: so many ms after the recording began.
    FirstFlush { milliseconds: UnixMillis },
    /// The session is over. The close code when the collector ended it, [`FORBIDDEN`] when the browser did.
    Over { refused: Option<u16> },
}

/// The recorder's state, as the application sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The first connection is not up yet.
    Connecting,
    /// Lines are on their way.
    Open,
    /// The connection was lost and will be made again.
    Reconnecting,
    /// Nothing is recorded any more.
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Idle,
    /// Until the welcome.
    Connecting {
        since: UnixMillis,
    },
    Ready {
        since: UnixMillis,
    },
    Waiting {
        until: UnixMillis,
    },
    Over,
}

/// The state machine.
#[derive(Debug)]
pub(crate) struct Transport {
    buffer: Buffer,
    link: Link,
    effects: VecDeque<Effect>,
    started: UnixMillis,
    was_open: bool,
    flushed: bool,
    /// Failed attempts since the last one that carried lines.
    attempts: u32,
    reconnects: u32,
    next_flush: Option<UnixMillis>,
    last_flush: UnixMillis,
    unsent_bytes: usize,
    /// Since when an acknowledgement is due.
    waiting_since: Option<UnixMillis>,
    closing_since: Option<UnixMillis>,
    random: u32,
}

impl Transport {
    /// `seed` is any random number: it spreads the reconnects of many pages.
    pub(crate) fn new(limit: usize, seed: u32) -> Self {
        Self {
            buffer: Buffer::new(limit),
            link: Link::Idle,
            effects: VecDeque::new(),
            started: 0,
            was_open: false,
            flushed: false,
            attempts: 0,
            reconnects: 0,
            next_flush: None,
            last_flush: 0,
            unsent_bytes: 0,
            waiting_since: None,
            closing_since: None,
            random: seed | 1,
        }
    }

    pub(crate) fn state(&self) -> State {
        match self.link {
            Link::Over => State::Closed,
            Link::Ready { .. } => State::Open,
            _ if self.was_open => State::Reconnecting,
            _ => State::Connecting,
        }
    }

    /// Whether lines are still taken.
    pub(crate) fn is_recording(&self) -> bool {
        self.link != Link::Over && self.closing_since.is_none()
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.buffer.acknowledged()
    }

    pub(crate) fn dropped(&self) -> Dropped {
        self.buffer.dropped()
    }

    pub(crate) fn reconnects(&self) -> u32 {
        self.reconnects
    }

    pub(crate) fn buffered_bytes(&self) -> usize {
        self.buffer.bytes()
    }

    /// Asks for room before a line is made, because what builds on a line that was refused cannot be read.
    pub(crate) fn make_room(&mut self, need: usize, class: Class, now: UnixMillis) -> Room {
        if !self.is_recording() {
            return Room::default();
        }
        self.buffer.make_room(need, class, now)
    }

    /// Takes a line that lacks its time.
    pub(crate) fn push(&mut self, class: Class, line: String, time: UnixMillis) {
        if self.is_recording() {
            self.unsent_bytes += line.len();
            self.buffer.push(class, line, time);
            self.schedule_flush(time);
        }
    }

    /// Sends what waits at the next tick.
    pub(crate) fn flush(&mut self, now: UnixMillis) {
        if matches!(self.link, Link::Ready { .. }) && self.buffer.has_unsent() {
            self.next_flush = Some(now);
        }
    }

    /// When the next [`Input::Tick`] is due.
    pub(crate) fn deadline(&self) -> Option<UnixMillis> {
        let link = match self.link {
            Link::Connecting { since } => Some(since + WELCOME_TIMEOUT),
            Link::Waiting { until } => Some(until),
            Link::Ready { .. } => earlier(self.next_flush, self.waiting_since.map(|since| since + ACK_TIMEOUT)),
            Link::Idle | Link::Over => return None,
        };
        earlier(link, self.closing_since.map(|since| since + CLOSE_TIMEOUT))
    }

    pub(crate) fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    pub(crate) fn handle(&mut self, input: Input<'_>, now: UnixMillis) {
        if self.link == Link::Over {
            return;
        }
        match input {
            Input::Start => {
                self.started = now;
                self.connect(now);
            }
            Input::Frame(text) => self.frame(text, now),
            Input::Closed { code } => self.closed(code, now),
            Input::Tick { buffered } => self.tick(buffered, now),
            Input::Online => {
                if matches!(self.link, Link::Waiting { .. }) {
                    self.connect(now);
                }
            }
            Input::Hidden => {
                self.flush(now);
                self.send(0, now);
            }
            Input::PageHide => self.page_hide(now),
            Input::Close => self.close(now),
            Input::Forbidden => self.over(Some(FORBIDDEN)),
        }
    }

    fn connect(&mut self, now: UnixMillis) {
        self.link = Link::Connecting { since: now };
        self.effects.push_back(Effect::Connect { from: self.buffer.acknowledged() });
    }

    fn frame(&mut self, text: &str, now: UnixMillis) {
        let frame = RawValue::parse(text).unwrap_or(RawValue::NULL);
        let kind = frame.get("type").and_then(RawValue::as_str);
        // The digits as they are: the general number parser is large, and a count is never written another way.
        let Some(received) = frame.get("received").and_then(|count| count.text().parse().ok()) else { return };
        let welcome = match kind.as_deref() {
            Some("welcome") => true,
            Some("ack") => false,
            // Room for frames that a later collector may send.
            _ => return,
        };
        let before = self.buffer.acknowledged();
        if !self.buffer.acknowledge(received) {
            // The collector holds lines of this session that this page never sent: the id belongs to another recording.
            self.effects.push_back(Effect::Disconnect { code: 1000 });
            self.over(Some(4002));
            return;
        }
        if welcome {
            self.reconnects += u32::from(self.was_open);
            self.was_open = true;
            self.buffer.rewind();
            self.link = Link::Ready { since: now };
            self.waiting_since = None;
            self.next_flush = Some(now);
            self.send(0, now);
        } else {
            if self.buffer.acknowledged() > before {
                self.attempts = 0;
            }
            self.waiting_since = self.buffer.has_unacknowledged().then_some(now);
        }
        self.finish_if_acknowledged();
    }

    fn closed(&mut self, code: u16, now: UnixMillis) {
        if self.closing_since.is_some() && (self.buffer.is_empty() || code == 4000) {
            self.over(None);
        } else if FINAL_CODES.contains(&code) {
            self.over(Some(code));
        } else {
            if let Link::Ready { since } = self.link
                && now - since > BACKOFF_LAST
            {
                self.attempts = 0;
            }
            self.wait(now);
        }
    }

    /// Waits between half and all of 1 s, 2 s, 4 s, ... 30 s, but never less than 0.5 s.
    fn wait(&mut self, now: UnixMillis) {
        let full = (BACKOFF_FIRST << self.attempts.saturating_add(1).min(10)).min(BACKOFF_LAST);
        self.attempts = self.attempts.saturating_add(1);
        // xorshift32; nothing but the spread of reconnects depends on it.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        let half = full / 2;
        let jitter = UnixMillis::from(self.random) % (half + 1);
        self.link = Link::Waiting { until: now + (half + jitter).max(BACKOFF_FIRST) };
        self.next_flush = None;
        self.waiting_since = None;
    }

    fn tick(&mut self, buffered: usize, now: UnixMillis) {
        if let Some(since) = self.closing_since
            && now >= since + CLOSE_TIMEOUT
        {
            self.effects.push_back(Effect::Disconnect { code: 1000 });
            self.over(None);
            return;
        }
        match self.link {
            Link::Waiting { until } if now >= until => self.connect(now),
            Link::Connecting { since } if now >= since + WELCOME_TIMEOUT => self.give_up(now),
            Link::Ready { .. } => {
                if let Some(since) = self.waiting_since {
                    let late = now - (since + ACK_TIMEOUT);
                    if late > LATE_TIMER {
                        self.waiting_since = Some(now - ACK_TIMEOUT + LATE_TIMER);
                    } else if late >= 0 {
                        self.give_up(now);
                        return;
                    }
                }
                self.send(buffered, now);
            }
            _ => {}
        }
    }

    fn give_up(&mut self, now: UnixMillis) {
        self.effects.push_back(Effect::Disconnect { code: 1000 });
        self.wait(now);
    }

    fn schedule_flush(&mut self, now: UnixMillis) {
        if !matches!(self.link, Link::Ready { .. }) {
            return;
        }
        let due = if self.unsent_bytes >= FRAME_SIZE { now } else { now.max(self.last_flush + FLUSH_INTERVAL) };
        self.next_flush = earlier(self.next_flush, Some(due));
    }

    fn send(&mut self, buffered: usize, now: UnixMillis) {
        if !matches!(self.link, Link::Ready { .. }) || self.next_flush.is_none_or(|due| now < due) {
            return;
        }
        self.next_flush = None;
        self.last_flush = now;
        let mut waiting = buffered;
        while waiting < SOCKET_LIMIT {
            let Some(frame) = self.buffer.next_frame(FRAME_SIZE) else { break };
            waiting += frame.len();
            self.waiting_since.get_or_insert(now);
            self.effects.push_back(Effect::Send(frame));
        }
        if self.buffer.has_unsent() {
            self.next_flush = Some(now + FLUSH_INTERVAL);
        } else {
            self.unsent_bytes = 0;
        }
        if !self.flushed && self.buffer.has_unacknowledged() {
            self.flushed = true;
            self.effects.push_back(Effect::FirstFlush { milliseconds: now - self.started });
        }
    }

    fn page_hide(&mut self, now: UnixMillis) {
        if self.buffer.bytes() > BEACON_SIZE {
            self.buffer.drop_all_reports(now);
        }
        let from = self.buffer.acknowledged();
        let body = self.buffer.tail(BEACON_SIZE);
        if !body.is_empty() {
            self.effects.push_back(Effect::Beacon { from, body });
        }
    }

    fn close(&mut self, now: UnixMillis) {
        if self.closing_since.is_some() {
            return;
        }
        // The end is written by name, not as the token of a connection's `close`.
        self.buffer.push(Class::Application, String::from("[\"close\",null,null,"), now);
        self.closing_since = Some(now);
        match self.link {
            Link::Waiting { .. } => self.connect(now),
            _ => {
                self.flush(now);
                self.send(0, now);
            }
        }
    }

    fn finish_if_acknowledged(&mut self) {
        if self.closing_since.is_some() && self.buffer.is_empty() {
            self.effects.push_back(Effect::Disconnect { code: 1000 });
            self.over(None);
        }
    }

    fn over(&mut self, refused: Option<u16>) {
        self.link = Link::Over;
        self.buffer.clear();
        self.next_flush = None;
        self.waiting_since = None;
        self.effects.push_back(Effect::Over { refused });
    }
}

fn earlier(a: Option<UnixMillis>, b: Option<UnixMillis>) -> Option<UnixMillis> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
