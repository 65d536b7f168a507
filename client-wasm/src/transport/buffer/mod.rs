//! The ring of lines that the collector has not acknowledged, and the policy for when it is full.
//!
//! A line gets its number and its time delta when it is first sent, so what was never sent may be dropped without a gap.
//! What was sent stays until it is acknowledged, whatever the ring holds.

#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec::Vec;

use rtctrace_protocol::json::write_i64;
use rtctrace_protocol::line::{write_line_end, write_line_start};

use crate::ids::{ConnectionId, UnixMillis};

/// What an entry costs beside its text; it keeps a flood of tiny lines within the bound too.
const ENTRY_OVERHEAD: usize = 48;

/// What may be exceeded by lines that outlive reports: the application's events, counts of what was dropped, the end.
const RESERVE: usize = 256 * 1024;

/// What a line carries, as far as the policy of a full buffer cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// A report of this connection; each builds on the one before.
    Report(ConnectionId),
    /// Any other traced call or browser event.
    Event,
    /// An event of the application, or the recorder's own word about itself.
    Application,
    /// It is acknowledged or dropped and leaves the ring.
    Gone,
}

#[derive(Debug)]
struct Entry {
    /// The line; without its time until it is numbered.
    text: String,
    time: UnixMillis,
    class: Class,
}

impl Entry {
    fn cost(&self) -> usize {
        self.text.len() + ENTRY_OVERHEAD
    }
}

/// How much was dropped, over the life of the session.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub(crate) reports: u64,
    pub(crate) events: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Buffer {
    entries: Vec<Entry>,
    /// The number of the first entry: so many lines are acknowledged.
    acknowledged: u64,
    /// How many of the entries have a number, that is, were sent at some time.
    numbered: usize,
    /// How many of the entries went through the present socket.
    sent: usize,
    bytes: usize,
    limit: usize,
    /// Time of the newest numbered line; 0 makes the next one absolute.
    last_time: UnixMillis,
    dropped: Dropped,
    /// What was refused since the last word about it: reports and other lines, each with their bytes.
    refused: [(u64, usize); 2],
    /// Connections whose queued reports went; their next report must be in full.
    reset: Vec<ConnectionId>,
}

impl Buffer {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// How many lines the collector is known to hold.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    pub(crate) fn dropped(&self) -> Dropped {
        self.dropped
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether every line is acknowledged.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether something waits that the present socket has not carried.
    pub(crate) fn has_unsent(&self) -> bool {
        self.sent < self.entries.len()
    }

    /// Whether the present socket carried something that is not acknowledged.
    pub(crate) fn has_unacknowledged(&self) -> bool {
        self.sent > 0
    }

    /// A connection whose next report must be in full, because reports before it went; each is told once.
    pub(crate) fn take_reset(&mut self) -> Option<ConnectionId> {
        self.reset.pop()
    }

    /// Whether a line of so many bytes fits as it is.
    pub(crate) fn has_room(&self, need: usize) -> bool {
        self.bytes + need + ENTRY_OVERHEAD <= self.limit
    }

    /// Makes room for a line of at most `need` bytes: while it does not fit, every unsent report of the connection that
    /// holds most of them goes. Without reports to drop, the line itself is refused (and counted), an application's last.
    #[must_use]
    pub(crate) fn make_room(&mut self, need: usize, class: Class, now: UnixMillis) -> bool {
        let limit = if class == Class::Application { self.limit + RESERVE } else { self.limit };
        let cost = need + ENTRY_OVERHEAD;
        // For a line that never fits, nothing else shall go.
        while cost <= self.limit && self.bytes + cost > self.limit && self.drop_largest(now) {}
        if self.bytes + cost > limit {
            self.refuse(class);
            let [reports, lines] = &mut self.refused;
            let refused = if matches!(class, Class::Report(_)) { reports } else { lines };
            refused.0 += 1;
            refused.1 += need;
            return false;
        }
        // While only the application still has room, each of its events would bring such a line along.
        if self.bytes + cost <= self.limit {
            self.tell_refused(now);
        }
        true
    }

    /// Says how much was refused since it was last said.
    pub(crate) fn tell_refused(&mut self, now: UnixMillis) {
        let [reports, lines] = core::mem::take(&mut self.refused);
        for (what, (count, bytes)) in [("reports", reports), ("lines", lines)] {
            if count > 0 {
                self.push_dropped(None, what, count, bytes, now);
            }
        }
    }

    /// Counts a line that could not be taken.
    pub(crate) fn refuse(&mut self, class: Class) {
        match class {
            Class::Report(_) => self.dropped.reports += 1,
            _ => self.dropped.events += 1,
        }
    }

    /// Drops every report that was never sent, for a page that leaves and can take only little along.
    pub(crate) fn drop_all_reports(&mut self, now: UnixMillis) {
        while self.drop_largest(now) {}
    }

    /// Adds a line that lacks its time, as `write_line_start` leaves it.
    pub(crate) fn push(&mut self, class: Class, text: String, time: UnixMillis) {
        let entry = Entry { text, time, class };
        self.bytes += entry.cost();
        self.entries.push(entry);
    }

    /// The next lines for the present socket, joined by newlines, about `size` bytes but at least one line.
    pub(crate) fn next_frame(&mut self, size: usize) -> String {
        let (frame, sent) = self.join(self.sent, size, 1);
        self.sent = sent;
        frame
    }

    /// The number behind the last line that the present socket has carried.
    pub(crate) fn carried(&self) -> u64 {
        self.acknowledged + self.sent as u64
    }

    /// The number of the line that comes next.
    pub(crate) fn end(&self) -> u64 {
        self.acknowledged + self.entries.len() as u64
    }

    /// Lines from number `from` on, at most `size` bytes of whole lines, and the number behind the last of them. They are
    /// numbered but not counted as sent.
    pub(crate) fn tail(&mut self, from: u64, size: usize) -> (String, u64) {
        let start = from.saturating_sub(self.acknowledged) as usize;
        let (tail, end) = self.join(start, size, 0);
        (tail, self.acknowledged + end as u64)
    }

    /// Numbers entries from `start` on and joins them by newlines: what `size` bytes hold, but at least so many. Says where
    /// the next one is.
    fn join(&mut self, start: usize, size: usize, at_least: usize) -> (String, usize) {
        let (mut end, mut length) = (start, 0);
        loop {
            self.number_up_to(end + 1);
            let Some(entry) = self.entries.get(end) else { break };
            let longer = length + entry.text.len() + usize::from(end > start);
            if longer > size && end >= start + at_least {
                break;
            }
            length = longer;
            end += 1;
        }
        // Not grown step by step: memory that was ever needed is kept for ever.
        let mut lines = String::with_capacity(length);
        for entry in self.entries.iter().take(end).skip(start) {
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str(&entry.text);
        }
        (lines, end)
    }

    /// A new socket, to which the collector said how many lines it holds: those are forgotten, and everything else goes
    /// through it. `false` when it claims lines that were never sent.
    #[must_use]
    pub(crate) fn welcome(&mut self, received: u64) -> bool {
        self.sent = self.numbered;
        let is_ours = self.acknowledge(received);
        self.sent = 0;
        is_ours
    }

    /// Forgets what the collector holds and the present socket has carried: lines that a beacon brought must still go through
    /// it, because a line's number is its place among them. `false` when it claims lines that were never sent.
    #[must_use]
    pub(crate) fn acknowledge(&mut self, received: u64) -> bool {
        let Some(count) = received.checked_sub(self.acknowledged) else { return true };
        if count > self.numbered as u64 {
            return false;
        }
        let count = self.sent.min(count as usize);
        for entry in self.entries.iter_mut().take(count) {
            entry.class = Class::Gone;
        }
        self.sweep();
        self.acknowledged += count as u64;
        self.numbered -= count;
        self.sent -= count;
        true
    }

    /// Frees all; for a session that is over.
    pub(crate) fn clear(&mut self) {
        self.entries = Vec::new();
        self.numbered = 0;
        self.sent = 0;
        self.bytes = 0;
    }

    fn number_up_to(&mut self, count: usize) {
        while self.numbered < count {
            let Some(entry) = self.entries.get_mut(self.numbered) else { break };
            // Times are whole milliseconds, so the sum of the deltas never drifts from the clock. What is older than the line
            // before it (the clock was set back) happened at the same time.
            let time = entry.time.max(self.last_time);
            let before = entry.text.len();
            write_line_end(&mut entry.text, time - self.last_time);
            self.bytes += entry.text.len() - before;
            self.last_time = time;
            self.numbered += 1;
        }
    }

    /// Drops the unsent reports of the connection that holds most of them; `false` if there are none.
    fn drop_largest(&mut self, now: UnixMillis) -> bool {
        let mut held: Vec<(ConnectionId, usize, u64)> = Vec::new();
        for entry in self.entries.iter().skip(self.numbered) {
            if let Class::Report(connection) = entry.class {
                match held.iter_mut().find(|(id, ..)| *id == connection) {
                    Some((_, bytes, count)) => {
                        *bytes += entry.cost();
                        *count += 1;
                    }
                    None => held.push((connection, entry.cost(), 1)),
                }
            }
        }
        let mut largest: Option<(ConnectionId, usize, u64)> = None;
        for other in held {
            if largest.is_none_or(|(_, bytes, _)| bytes < other.1) {
                largest = Some(other);
            }
        }
        let Some((connection, bytes, count)) = largest else { return false };
        for entry in self.entries.iter_mut().skip(self.numbered) {
            if entry.class == Class::Report(connection) {
                entry.class = Class::Gone;
            }
        }
        self.sweep();
        self.dropped.reports += count;
        self.reset.push(connection);
        self.push_dropped(Some(connection), "reports", count, bytes, now);
        true
    }

    fn sweep(&mut self) {
        let bytes = &mut self.bytes;
        self.entries.retain(|entry| {
            let stays = entry.class != Class::Gone;
            if !stays {
                *bytes -= entry.cost();
            }
            stays
        });
    }

    /// The dump itself says what is missing from it.
    pub(crate) fn push_dropped(
        &mut self,
        connection: Option<ConnectionId>,
        what: &str,
        count: u64,
        bytes: usize,
        now: UnixMillis,
    ) {
        let mut value = String::from("{\"");
        value.push_str(what);
        value.push_str("\":");
        write_i64(&mut value, count as i64);
        value.push_str(",\"bytes\":");
        write_i64(&mut value, bytes as i64);
        value.push('}');
        let mut text = String::new();
        let name = connection.map(ConnectionId::name);
        write_line_start(&mut text, ":rtctrace.dropped", name.as_deref(), &value, &[]);
        self.push(Class::Application, text, now);
    }
}
