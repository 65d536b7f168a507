//! `rtctrace.v1` from the client's side, without sockets and clocks: inputs and the time come in, effects come out.
//!
//! Connects, waits for the collector's `welcome`, sends batches of lines, forgets what is acknowledged, reconnects with
//! exponential backoff, ends cleanly. The page's shell carries the effects out.

mod backoff;
mod buffer;
mod leaving;
mod signals;
#[cfg(test)]
mod tests;
mod timers;

use alloc::string::String;
use alloc::vec::Vec;

use rtctrace_protocol::json::RawValue;

use crate::ids::{ConnectionId, UnixMillis};
use buffer::Buffer;
pub(crate) use buffer::{Class, Dropped};
use leaving::Leaving;
pub(crate) use signals::{Effect, FORBIDDEN, Input, State};
use signals::{FINAL_CODES, OVERLOADED, UNAUTHORIZED};
use timers::*;

/// A line longer than this is refused here: the collector would refuse the whole session for it.
pub(crate) const LINE_LIMIT: usize = 1024 * 1024;
/// Lines are joined to frames of about this size.
const FRAME_SIZE: usize = 64 * 1024;
/// So many bytes may wait inside the browser's socket; the rest waits here, where policy applies to it.
const SOCKET_LIMIT: usize = 256 * 1024;
/// So often in a row a collector may refuse a token before that is its last word.
const REFUSALS: u32 = 3;

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
        /// Whether the collector itself asked for the wait.
        is_asked: bool,
    },
    Over,
}

/// The state machine.
#[derive(Debug)]
pub(crate) struct Transport {
    buffer: Buffer,
    link: Link,
    effects: Vec<Effect>,
    started: UnixMillis,
    /// Whether a token can be asked for again.
    is_renewable: bool,
    was_open: bool,
    flushed: bool,
    /// Failed attempts since the last one that carried lines.
    attempts: u32,
    /// Tokens that were refused since the last welcome.
    refusals: u32,
    /// How often an acknowledgement did not come in time. A line that is so slow gets smaller frames: the collector
    /// acknowledges whole ones.
    stalls: u32,
    reconnects: u32,
    next_flush: Option<UnixMillis>,
    last_flush: UnixMillis,
    unsent_bytes: usize,
    /// Since when an acknowledgement is due.
    waiting_since: Option<UnixMillis>,
    closing_since: Option<UnixMillis>,
    /// From the page's end on, until it comes back.
    leaving: Option<Leaving>,
    random: u32,
}

impl Transport {
    /// `seed` is any random number: it spreads the reconnects of many pages.
    pub(crate) fn new(limit: usize, seed: u32, is_renewable: bool, now: UnixMillis) -> Self {
        Self {
            buffer: Buffer::new(limit),
            link: Link::Idle,
            effects: Vec::new(),
            started: now,
            is_renewable,
            was_open: false,
            flushed: false,
            attempts: 0,
            refusals: 0,
            stalls: 0,
            reconnects: 0,
            next_flush: None,
            last_flush: 0,
            unsent_bytes: 0,
            waiting_since: None,
            closing_since: None,
            leaving: None,
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
    #[must_use]
    pub(crate) fn make_room(&mut self, need: usize, class: Class, now: UnixMillis) -> bool {
        self.is_recording() && self.buffer.make_room(need, class, now)
    }

    /// Whether a line of so many bytes would be taken without anything else being dropped for it.
    pub(crate) fn has_room(&self, need: usize) -> bool {
        self.buffer.has_room(need)
    }

    /// A connection whose next report must be in full.
    pub(crate) fn take_reset(&mut self) -> Option<ConnectionId> {
        self.buffer.take_reset()
    }

    /// A line that no collector takes, or a report that is none: the dump says what is missing from it, and how large it was.
    pub(crate) fn refuse(&mut self, class: Class, connection: Option<ConnectionId>, bytes: usize, now: UnixMillis) {
        if self.is_recording() {
            self.buffer.refuse(class);
            if self.buffer.make_room(0, Class::Application, now) {
                self.buffer.push_dropped(connection, "lines", 1, bytes, now);
                self.schedule_flush(Class::Application, now);
            }
        }
    }

    /// Takes a line that lacks its time.
    pub(crate) fn push(&mut self, class: Class, line: String, time: UnixMillis) {
        if self.is_recording() {
            self.unsent_bytes += line.len();
            self.buffer.push(class, line, time);
            self.schedule_flush(class, time);
            if self.leaving.is_some() {
                self.page_hide(time);
            }
        }
    }

    /// When the next [`Input::Tick`] is due.
    pub(crate) fn deadline(&self) -> Option<UnixMillis> {
        let link = match self.link {
            Link::Connecting { since } => Some(since + WELCOME_TIMEOUT),
            Link::Waiting { until, .. } => Some(until),
            Link::Ready { .. } => earlier(self.next_flush, self.waiting_since.map(|since| since + ACK_TIMEOUT)),
            Link::Idle => None,
            Link::Over => return None,
        };
        earlier(link, self.closing_since.map(|since| since + CLOSE_TIMEOUT))
    }

    pub(crate) fn poll_effect(&mut self) -> Option<Effect> {
        if self.effects.is_empty() { None } else { Some(self.effects.remove(0)) }
    }

    /// `now` never falls.
    pub(crate) fn handle(&mut self, input: Input<'_>, now: UnixMillis) {
        if self.link == Link::Over {
            return;
        }
        match input {
            Input::Start => self.connect(now),
            Input::Frame(text) => self.frame(text, now),
            Input::Closed { code } => self.closed(code, now),
            Input::Tick { buffered } => self.tick(buffered, now),
            Input::Online => match self.link {
                Link::Waiting { is_asked: false, .. } => self.connect(now),
                Link::Connecting { since } => {
                    self.link = Link::Connecting { since: since.min(now + PROOF - WELCOME_TIMEOUT) }
                }
                _ => self.waiting_since = self.waiting_since.map(|since| since.min(now + PROOF - ACK_TIMEOUT)),
            },
            Input::Hidden => {
                self.flush(now);
                self.send(0, now);
            }
            Input::PageHide => self.page_hide(now),
            Input::BeaconRefused => self.offer_less(),
            Input::Close => self.close(now),
            Input::Forbidden => self.over(Some(FORBIDDEN)),
            Input::Flush { buffered } => {
                self.flush(now);
                self.send(buffered, now);
            }
            // Whatever the socket was, the browser has closed it while the page was away, and may not say so.
            Input::Shown => {
                self.leaving = None;
                if self.link != Link::Idle {
                    self.effects.push(Effect::Disconnect { code: 1000 });
                    self.connect(now);
                }
            }
        }
    }

    fn connect(&mut self, now: UnixMillis) {
        self.link = Link::Connecting { since: now };
        self.next_flush = None;
        self.waiting_since = None;
        self.effects.push(Effect::Connect { from: self.buffer.acknowledged() });
    }

    fn frame(&mut self, text: &str, now: UnixMillis) {
        let frame = RawValue::parse(text).unwrap_or(RawValue::NULL);
        let Some(received) = frame.get("received").and_then(RawValue::as_count) else { return };
        let is_welcome = match (frame.get("type").map(RawValue::text), self.link) {
            (Some("\"welcome\""), Link::Connecting { .. }) => true,
            (Some("\"ack\""), Link::Ready { .. }) => false,
            // Room for frames that a later collector may send.
            _ => return,
        };
        let before = self.buffer.acknowledged();
        let is_ours = if is_welcome { self.buffer.welcome(received) } else { self.buffer.acknowledge(received) };
        if !is_ours {
            // The collector holds lines of this session that this page never sent: the id belongs to another recording.
            self.effects.push(Effect::Disconnect { code: 1000 });
            self.over(Some(4002));
            return;
        }
        if is_welcome {
            self.reconnects += u32::from(self.was_open);
            self.was_open = true;
            self.refusals = 0;
            self.leaving = None;
            self.link = Link::Ready { since: now };
            self.next_flush = Some(now);
            self.send(0, now);
        } else {
            if self.buffer.acknowledged() > before {
                self.attempts = 0;
            }
            self.waiting_since = self.buffer.has_unacknowledged().then_some(now);
        }
        if self.closing_since.is_some() && self.buffer.is_empty() {
            self.effects.push(Effect::Disconnect { code: 1000 });
            self.over(None);
        }
    }

    fn closed(&mut self, code: u16, now: UnixMillis) {
        match self.link {
            // A socket that carried lines for long was a good one.
            Link::Ready { since } if now - since > backoff::LONGEST => self.attempts = 0,
            Link::Ready { .. } | Link::Connecting { .. } => {}
            _ => return,
        }
        let mut is_final = FINAL_CODES.contains(&code);
        if code == UNAUTHORIZED && self.is_renewable {
            self.refusals += 1;
            is_final = self.refusals >= REFUSALS;
        }
        if self.closing_since.is_some() && (self.buffer.is_empty() || code == 4000) {
            self.over(None);
        } else if is_final {
            self.over(Some(code));
        } else {
            self.wait(code == OVERLOADED, now);
        }
    }

    fn tick(&mut self, buffered: usize, now: UnixMillis) {
        if self.closing_since.is_some_and(|since| now >= since + CLOSE_TIMEOUT) {
            self.effects.push(Effect::Disconnect { code: 1000 });
            self.over(None);
            return;
        }
        match self.link {
            Link::Waiting { until, .. } if now >= until => self.connect(now),
            Link::Connecting { since } => match is_due(since, WELCOME_TIMEOUT, now) {
                Due::Late => self.link = Link::Connecting { since: now + LATE_TIMER - WELCOME_TIMEOUT },
                Due::Now => self.give_up(now),
                Due::Later => {}
            },
            Link::Ready { .. } => {
                match self.waiting_since.map_or(Due::Later, |since| is_due(since, ACK_TIMEOUT, now)) {
                    Due::Late => self.waiting_since = Some(now + LATE_TIMER - ACK_TIMEOUT),
                    Due::Now => {
                        self.stalls += 1;
                        self.give_up(now);
                    }
                    Due::Later => {}
                }
                self.send(buffered, now);
            }
            _ => {}
        }
    }

    fn give_up(&mut self, now: UnixMillis) {
        self.effects.push(Effect::Disconnect { code: 1000 });
        self.wait(false, now);
    }

    /// Makes what waits due.
    fn flush(&mut self, now: UnixMillis) {
        if matches!(self.link, Link::Ready { .. }) && self.buffer.has_unsent() {
            self.next_flush = Some(now);
        }
    }

    fn schedule_flush(&mut self, class: Class, now: UnixMillis) {
        if matches!(self.link, Link::Ready { .. }) {
            let pause = match class {
                _ if self.unsent_bytes >= FRAME_SIZE => 0,
                Class::Report(_) if now - self.last_flush < REPORTS_INTERVAL => REPORTS_TIMEOUT,
                _ => FLUSH_INTERVAL,
            };
            let due = now.max(self.last_flush + pause);
            self.next_flush = earlier(self.next_flush, Some(due));
        }
    }

    fn send(&mut self, buffered: usize, now: UnixMillis) {
        if !matches!(self.link, Link::Ready { .. }) || self.next_flush.is_none_or(|due| now < due) {
            return;
        }
        self.next_flush = None;
        self.last_flush = now;
        let mut waiting = buffered;
        while waiting < SOCKET_LIMIT && self.buffer.has_unsent() {
            let frame = self.buffer.next_frame(FRAME_SIZE >> (2 * self.stalls.min(2)));
            waiting += frame.len();
            self.waiting_since.get_or_insert(now);
            self.effects.push(Effect::Send(frame));
        }
        if self.buffer.has_unsent() {
            self.next_flush = Some(now + FLUSH_INTERVAL);
        } else {
            self.unsent_bytes = 0;
        }
        if !self.flushed && self.buffer.has_unacknowledged() {
            self.flushed = true;
            self.effects.push(Effect::FirstFlush { milliseconds: now - self.started });
        }
    }

    fn close(&mut self, now: UnixMillis) {
        if self.closing_since.is_some() {
            return;
        }
        self.buffer.tell_refused(now);
        // The end is written by name, not as the token of a connection's `close`.
        self.buffer.push(Class::Application, String::from("[\"close\",null,null,"), now);
        self.closing_since = Some(now);
        if matches!(self.link, Link::Waiting { .. }) {
            self.connect(now);
        }
        self.flush(now);
        self.send(0, now);
    }

    fn over(&mut self, refused: Option<u16>) {
        self.link = Link::Over;
        self.effects.push(Effect::Over { refused, is_complete: self.buffer.is_empty() });
        self.buffer.clear();
    }
}
