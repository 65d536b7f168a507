//! The ring of lines that the collector has not acknowledged, and the policy for when it is full.
//!
//! A line gets its number and its time delta when it is first sent, so what was never sent may be dropped without a gap.
//! What was sent stays until it is acknowledged, whatever the ring holds.

use std::collections::VecDeque;

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

/// The answer to a request for room.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    /// Whether the line may be pushed.
    pub(crate) granted: bool,
    /// Connections whose queued reports went; their next report must be in full.
    pub(crate) reset: Vec<ConnectionId>,
}

/// How much was dropped, over the life of the session.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub(crate) reports: u64,
    pub(crate) events: u64,
}

#[derive(Debug)]
pub(crate) struct Buffer {
    entries: VecDeque<Entry>,
    /// The number of the first entry: so many lines are acknowledged.
    acknowledged: u64,
    /// How many of the entries have a number, that is, were sent at some time.
    numbered: usize,
    /// How many of the entries went through the present socket.
    sent: usize,
    bytes: usize,
    limit: usize,
    /// Time of the newest numbered line; `None` makes the next one absolute.
    last_time: Option<UnixMillis>,
    dropped: Dropped,
    /// Events that were refused since the last word about it, and their bytes.
    refused: (u64, usize),
}

impl Buffer {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            acknowledged: 0,
            numbered: 0,
            sent: 0,
            bytes: 0,
            limit,
            last_time: None,
            dropped: Dropped::default(),
            refused: (0, 0),
        }
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

    /// Makes room for a line of at most `need` bytes: while it does not fit, every unsent report of the connection that
    /// holds most of them goes. Without reports to drop, the line itself is refused (and counted), an application's last.
    pub(crate) fn make_room(&mut self, need: usize, class: Class, now: UnixMillis) -> Room {
        let need = need + ENTRY_OVERHEAD;
        let mut room = Room::default();
        while self.bytes + need > self.limit {
            let Some(connection) = self.largest_holder() else { break };
            self.drop_reports(connection, now);
            room.reset.push(connection);
        }
        let limit = if class == Class::Application { self.limit + RESERVE } else { self.limit };
        room.granted = self.bytes + need <= limit;
        if !room.granted {
            match class {
                Class::Report(_) => self.dropped.reports += 1,
                Class::Event | Class::Application => self.dropped.events += 1,
            }
            self.refused.0 += 1;
            self.refused.1 += need - ENTRY_OVERHEAD;
        } else if self.refused.0 > 0 {
            let (lines, bytes) = std::mem::take(&mut self.refused);
            self.push_dropped(None, "lines", lines, bytes, now);
        }
        room
    }

    /// Drops every report that was never sent, for a page that leaves and can take only little along.
    pub(crate) fn drop_all_reports(&mut self, now: UnixMillis) {
        while let Some(connection) = self.largest_holder() {
            self.drop_reports(connection, now);
        }
    }

    /// Adds a line that lacks its time, as `write_line_start` leaves it.
    pub(crate) fn push(&mut self, class: Class, text: String, time: UnixMillis) {
        let entry = Entry { text, time, class };
        self.bytes += entry.cost();
        self.entries.push_back(entry);
    }

    /// The next lines for the present socket, joined by newlines, about `size` bytes but at least one line.
    pub(crate) fn next_frame(&mut self, size: usize) -> Option<String> {
        if !self.has_unsent() {
            return None;
        }
        let mut frame = String::new();
        while self.has_unsent() {
            self.number_up_to(self.sent + 1);
            let Some(entry) = self.entries.get(self.sent) else { break };
            if !frame.is_empty() {
                if frame.len() + 1 + entry.text.len() > size {
                    break;
                }
                frame.push('\n');
            }
            frame.push_str(&entry.text);
            self.sent += 1;
        }
        Some(frame)
    }

    /// Lines from the first unacknowledged one on, at most `size` bytes of whole lines, numbered but not counted as sent.
    pub(crate) fn tail(&mut self, size: usize) -> String {
        self.number_up_to(self.entries.len());
        let mut tail = String::new();
        for entry in &self.entries {
            if tail.len() + 1 + entry.text.len() > size {
                break;
            }
            if !tail.is_empty() {
                tail.push('\n');
            }
            tail.push_str(&entry.text);
        }
        tail
    }

    /// Forgets what the collector holds. `false` when it claims lines that were never sent.
    #[must_use]
    pub(crate) fn acknowledge(&mut self, received: u64) -> bool {
        let Some(count) = received.checked_sub(self.acknowledged) else { return true };
        if count > self.numbered as u64 {
            return false;
        }
        for _ in 0..count {
            if let Some(entry) = self.entries.pop_front() {
                self.bytes -= entry.cost();
            }
            self.acknowledged += 1;
            self.numbered -= 1;
            self.sent = self.sent.saturating_sub(1);
        }
        true
    }

    /// A new socket: everything that is not acknowledged goes through it.
    pub(crate) fn rewind(&mut self) {
        self.sent = 0;
    }

    /// Frees all; for a session that is over.
    pub(crate) fn clear(&mut self) {
        self.entries = VecDeque::new();
        self.numbered = 0;
        self.sent = 0;
        self.bytes = 0;
    }

    fn number_up_to(&mut self, count: usize) {
        while self.numbered < count {
            let Some(entry) = self.entries.get_mut(self.numbered) else { break };
            // Times are whole milliseconds, so the sum of the deltas never drifts from the clock.
            let delta = entry.time - self.last_time.unwrap_or(0);
            let before = entry.text.len();
            write_line_end(&mut entry.text, delta);
            self.bytes += entry.text.len() - before;
            self.last_time = Some(entry.time);
            self.numbered += 1;
        }
    }

    fn largest_holder(&self) -> Option<ConnectionId> {
        let mut held: Vec<(ConnectionId, usize)> = Vec::new();
        for entry in self.entries.iter().skip(self.numbered) {
            if let Class::Report(connection) = entry.class {
                match held.iter_mut().find(|(id, _)| *id == connection) {
                    Some((_, bytes)) => *bytes += entry.cost(),
                    None => held.push((connection, entry.cost())),
                }
            }
        }
        held.into_iter().max_by_key(|(_, bytes)| *bytes).map(|(connection, _)| connection)
    }

    fn drop_reports(&mut self, connection: ConnectionId, now: UnixMillis) {
        let (mut count, mut bytes, mut index, numbered) = (0_u64, 0, 0, self.numbered);
        self.entries.retain(|entry| {
            let goes = index >= numbered && entry.class == Class::Report(connection);
            index += 1;
            if goes {
                count += 1;
                bytes += entry.cost();
            }
            !goes
        });
        self.bytes -= bytes;
        self.dropped.reports += count;
        self.push_dropped(Some(connection), "reports", count, bytes, now);
    }

    /// The dump itself says what is missing from it.
    fn push_dropped(
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
        value.push_str(&count.to_string());
        value.push_str(",\"bytes\":");
        value.push_str(&bytes.to_string());
        value.push('}');
        let mut text = String::new();
        let name = connection.map(ConnectionId::name);
        write_line_start(&mut text, ":rtctrace.dropped", name.as_deref(), &value, &[]);
        self.push(Class::Application, text, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ConnectionId = ConnectionId(0);
    const B: ConnectionId = ConnectionId(1);

    fn line(method: &str) -> String {
        let mut text = String::new();
        write_line_start(&mut text, method, None, "1", &[]);
        text
    }

    #[test]
    fn deltas_are_those_of_the_lines_that_are_sent() {
        let mut buffer = Buffer::new(10_000);
        buffer.push(Class::Event, line("a"), 1_000_000);
        buffer.push(Class::Report(A), line("g"), 1_000_010);
        buffer.push(Class::Event, line("b"), 1_000_025);
        buffer.drop_all_reports(1_000_030);
        let frame = buffer.next_frame(1000).unwrap();
        assert_eq!(
            frame,
            "[\"a\",null,1,1000000]\n[\"b\",null,1,25]\n[\":rtctrace.dropped\",\"PC_0\",{\"reports\":1,\"bytes\":60},5]"
        );
        assert!(buffer.next_frame(1000).is_none());
    }

    #[test]
    fn what_is_not_acknowledged_is_sent_again_unchanged() {
        let mut buffer = Buffer::new(10_000);
        for time in 0..5 {
            buffer.push(Class::Event, line("a"), 100 + time);
        }
        let first = buffer.next_frame(1000).unwrap();
        assert!(buffer.acknowledge(2));
        buffer.push(Class::Event, line("late"), 200);
        buffer.rewind();
        let again = buffer.next_frame(1000).unwrap();
        let expected: Vec<&str> = first.lines().skip(2).chain(["[\"late\",null,1,96]"]).collect();
        assert_eq!(again.lines().collect::<Vec<_>>(), expected);
        assert!(buffer.acknowledge(1), "an old acknowledgement changes nothing");
        assert_eq!(buffer.acknowledged(), 2);
        assert!(!buffer.acknowledge(7), "more than was ever sent");
        assert!(buffer.acknowledge(6));
        assert!(buffer.is_empty());
        assert_eq!(buffer.bytes(), 0);
    }

    #[test]
    fn a_full_buffer_drops_the_unsent_reports_of_the_largest_holder_and_says_so() {
        let mut buffer = Buffer::new(4000);
        buffer.push(Class::Report(B), "x".repeat(500), 1);
        let _ = buffer.next_frame(10);
        for time in 0..3 {
            buffer.push(Class::Report(A), "x".repeat(300), time);
            buffer.push(Class::Report(B), "x".repeat(400), time);
            buffer.push(Class::Application, line(":note"), time);
        }
        let room = buffer.make_room(1000, Class::Report(A), 9);
        assert_eq!(room, Room { granted: true, reset: vec![B] });
        assert_eq!(buffer.dropped(), Dropped { reports: 3, events: 0 });
        let texts: Vec<&str> = buffer.entries.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(texts.iter().filter(|text| text.contains(":note")).count(), 3);
        assert_eq!(texts.last().unwrap(), &"[\":rtctrace.dropped\",\"PC_1\",{\"reports\":3,\"bytes\":1344},");
        assert!(texts.first().unwrap().starts_with("xxx"), "what was sent stays");
    }

    #[test]
    fn without_reports_to_drop_lines_are_refused_and_counted_and_the_applications_last() {
        let mut buffer = Buffer::new(1000);
        while buffer.make_room(100, Class::Event, 1).granted {
            buffer.push(Class::Event, "x".repeat(100), 1);
        }
        assert!(!buffer.make_room(100, Class::Report(A), 1).granted);
        assert!(buffer.make_room(100, Class::Application, 1).granted);
        assert_eq!(buffer.dropped(), Dropped { reports: 1, events: 1 });
        let last = &buffer.entries.back().unwrap().text;
        assert_eq!(last, "[\":rtctrace.dropped\",null,{\"lines\":2,\"bytes\":200},");
    }

    #[test]
    fn a_frame_holds_whole_lines_up_to_its_size() {
        let mut buffer = Buffer::new(10_000);
        for _ in 0..4 {
            buffer.push(Class::Event, line("abc"), 5);
        }
        assert_eq!(buffer.next_frame(40).unwrap().lines().count(), 2);
        assert_eq!(buffer.tail(1000).lines().count(), 4);
        assert_eq!(buffer.next_frame(1).unwrap().lines().count(), 1);
        assert!(buffer.has_unsent());
    }
}
