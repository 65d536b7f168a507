//! Where a socket's lines stand in its session, so that every line is stored exactly once.
//!
//! A socket of `rtctrace.v1` says `from`, the collector answers `received`. When `from` is smaller, a client may go on at
//! either of the two: at `from`, repeating what it cannot know to be held, or at `received`, as the welcome told it. Lines
//! carry no numbers, so the lines themselves decide: as long as they equal the held lines `from..received`, they are taken
//! for a repetition; the first that differs shows that the client had gone on at `received`, and those before it count.
//! Nothing is acknowledged while it is open, for nothing new is held.

use std::io;

/// A repetition of this many bytes is no coincidence: from here on lines are counted and no longer kept.
const CERTAIN: usize = 64 * 1024;

/// The lines that a session holds and its client may repeat.
pub(crate) trait Held {
    /// How many are left.
    fn left(&self) -> u64;
    /// The next one.
    fn next_line(&mut self) -> io::Result<Option<String>>;
}

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It was held before, or seems so.
    Held,
    /// It is new. `before` are lines that seemed to be repetitions and were not, each with its newline.
    New {
        /// The text of those lines.
        before: String,
        /// Their number.
        count: u64,
    },
}

/// The place of one socket's next line.
#[derive(Debug)]
pub(crate) struct Cursor<H> {
    next: u64,
    comparing: Option<Comparing<H>>,
}

#[derive(Debug)]
struct Comparing<H> {
    held: H,
    /// What the welcome said: the number of the socket's first line, if none of its lines is a repetition.
    welcome: u64,
    /// The lines that were repetitions so far, each with its newline.
    matched: String,
    count: u64,
}

impl<H: Held> Cursor<H> {
    /// A socket whose next line has the number `next` for certain.
    pub(crate) fn at(next: u64) -> Self {
        Self { next, comparing: None }
    }

    /// A socket that goes on at `from`, where `held` begins, or behind `held`.
    pub(crate) fn repeating(from: u64, held: H) -> Self {
        let welcome = from + held.left();
        let comparing = (held.left() > 0).then(|| Comparing { held, welcome, matched: String::new(), count: 0 });
        Self { next: from, comparing }
    }

    /// The number of the next line, as far as is known.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Places the next line in a session that holds `received` lines. What another socket or a beacon of the same client
    /// stored in the meantime are this socket's lines too: they have the same numbers.
    pub(crate) fn place(&mut self, line: &str, received: u64) -> io::Result<Place> {
        let Some(comparing) = &mut self.comparing else {
            let held = self.next < received;
            self.next += 1;
            return Ok(if held { Place::Held } else { Place::New { before: String::new(), count: 0 } });
        };
        if comparing.held.next_line()?.is_none_or(|held| held != line) {
            let (welcome, count) = (comparing.welcome, comparing.count);
            let before = std::mem::take(&mut comparing.matched);
            self.next = welcome + count + 1;
            self.comparing = None;
            // Since the welcome, a beacon may have brought some of these lines.
            let held = received.saturating_sub(welcome);
            if held > count {
                return Ok(Place::Held);
            }
            let before = before.split_inclusive('\n').skip(usize::try_from(held).unwrap_or(usize::MAX)).collect();
            return Ok(Place::New { before, count: count - held });
        }
        comparing.matched.push_str(line);
        comparing.matched.push('\n');
        comparing.count += 1;
        self.next += 1;
        if comparing.held.left() == 0 || comparing.matched.len() >= CERTAIN {
            self.comparing = None;
        }
        Ok(Place::Held)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    struct Lines(VecDeque<String>);

    impl Held for Lines {
        fn left(&self) -> u64 {
            self.0.len() as u64
        }
        fn next_line(&mut self) -> io::Result<Option<String>> {
            Ok(self.0.pop_front())
        }
    }

    fn cursor(from: usize, held: &[&str]) -> Cursor<Lines> {
        Cursor::repeating(from as u64, Lines(held.iter().map(|line| (*line).to_owned()).collect()))
    }

    fn store(held: &[&str], from: usize, sent: &[&str]) -> Vec<String> {
        let mut cursor = cursor(from, &held[from..]);
        let mut stored: Vec<String> = held.iter().map(|line| (*line).to_owned()).collect();
        for line in sent {
            if let Place::New { before, count } = cursor.place(line, stored.len() as u64).unwrap() {
                assert_eq!(before.lines().count() as u64, count);
                stored.extend(before.lines().map(str::to_owned));
                stored.push((*line).to_owned());
            }
        }
        stored
    }

    #[test]
    fn a_client_that_repeats_from_its_own_number_is_stored_once() {
        assert_eq!(store(&["a", "b", "c"], 1, &["b", "c", "d", "e"]), ["a", "b", "c", "d", "e"]);
        assert_eq!(store(&["a", "b", "c"], 0, &["a", "b"]), ["a", "b", "c"]);
    }

    #[test]
    fn a_client_that_goes_on_at_the_welcomes_number_loses_nothing() {
        assert_eq!(store(&["a", "b", "c"], 1, &["d", "e"]), ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn a_new_line_that_equals_a_held_one_counts_once_the_next_one_differs() {
        assert_eq!(store(&["a", "b", "c"], 1, &["b", "d"]), ["a", "b", "c", "b", "d"]);
    }

    #[test]
    fn a_long_repetition_is_counted_and_no_longer_kept() {
        let long = "x".repeat(CERTAIN);
        let mut cursor = cursor(0, &[&long, "b", "c"]);
        assert_eq!(cursor.place(&long, 3).unwrap(), Place::Held);
        assert!(cursor.comparing.is_none());
        assert_eq!(cursor.place("b", 3).unwrap(), Place::Held);
        assert_eq!(cursor.place("c", 3).unwrap(), Place::Held);
        assert_eq!(cursor.place("d", 3).unwrap(), Place::New { before: String::new(), count: 0 });
        assert_eq!(cursor.next(), 4);
    }

    #[test]
    fn what_a_beacon_stored_meanwhile_is_not_stored_again() {
        let mut cursor: Cursor<Lines> = Cursor::at(2);
        assert_ne!(cursor.place("c", 2).unwrap(), Place::Held);
        // A beacon brings lines 3 and 4 while the socket's own are still on their way.
        assert_eq!(cursor.place("d", 5).unwrap(), Place::Held);
        assert_eq!(cursor.place("e", 5).unwrap(), Place::Held);
        assert_ne!(cursor.place("f", 5).unwrap(), Place::Held);
    }

    #[test]
    fn what_a_beacon_stored_before_the_first_line_is_not_stored_again() {
        let new = |before: &str, count| Place::New { before: before.to_owned(), count };
        // The welcome said 2; a beacon brought lines 2 and 3 (`c`, `d`) before the socket's own came.
        let mut resumed = cursor(0, &["a", "b"]);
        assert_eq!(resumed.place("c", 4).unwrap(), Place::Held);
        assert_eq!(resumed.place("d", 4).unwrap(), Place::Held);
        assert_eq!(resumed.place("e", 4).unwrap(), new("", 0));
        assert_eq!(resumed.next(), 5);
        // The socket's first line, 2, looks like a repetition of line 0; the beacon brought it, and not the next one.
        let mut resumed = cursor(0, &["a", "b"]);
        assert_eq!(resumed.place("a", 3).unwrap(), Place::Held);
        assert_eq!(resumed.place("x", 3).unwrap(), new("", 0));
        // The same with two, of which the beacon brought one.
        let mut resumed = cursor(0, &["a", "b", "c"]);
        assert_eq!(resumed.place("a", 4).unwrap(), Place::Held);
        assert_eq!(resumed.place("b", 4).unwrap(), Place::Held);
        assert_eq!(resumed.place("x", 4).unwrap(), new("b\n", 1));
        assert_eq!(resumed.next(), 6);
    }

    proptest! {
        #[test]
        fn either_way_to_resume_gives_every_line_once(total in 1usize..40, received in 0usize..40, from in 0usize..40, repeats: bool) {
            let received = received.min(total);
            let from = from.min(received);
            let lines: Vec<String> = (0..total).map(|n| format!("line {n}")).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let sent = if repeats { &lines[from..] } else { &lines[received..] };
            prop_assert_eq!(store(&lines[..received], from, sent), lines);
        }
    }
}
