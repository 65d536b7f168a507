//! Finding reports by text. They are kept as the differences they travel as, so a search decodes them once more, in steps
//! between which the worker does other things, and looks again only at the entries that a difference names.

use std::collections::HashMap;

use rtctrace_protocol::event::{SessionDecoder, Value};
use rtctrace_protocol::report::{Entry, Report};

use crate::recording::Recording;
use crate::search::contains;

/// Places that are told apart; what is found beyond them is found without its place.
const PLACES: usize = 4096;
/// In place of a place.
const NOWHERE: u32 = u32::MAX;

/// A search of the reports of a recording. It goes on where it left off, also when more of them have come.
#[derive(Debug)]
pub struct ReportSearch {
    needle: String,
    /// The event that is looked at next.
    next: u32,
    decoder: SessionDecoder,
    /// What the newest report of each connection has.
    newest: Vec<Newest>,
    /// Where something was found: `inbound-rtp 3 · framesDropped`.
    places: Vec<String>,
    place_of: HashMap<String, u32>,
    text: String,
}

#[derive(Debug, Default)]
struct Newest {
    generation: u64,
    /// Of each entry the place in which the text occurs, if it does.
    entries: Vec<Option<u32>>,
}

impl ReportSearch {
    /// A search for `text`, in whatever case of ASCII letters.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            needle: text.trim().to_owned(),
            next: 0,
            decoder: SessionDecoder::new(),
            newest: Vec::new(),
            places: Vec::new(),
            place_of: HashMap::new(),
            text: String::new(),
        }
    }

    /// Looks at the next so many reports of a recording. Gives the number of the event with which it goes on, and then of each report in which
    /// the text occurs its event number and the number of a place, which is `u32::MAX` where it is not told: in the id, the type or a
    /// member, `"name":value`, of one of its entries.
    pub fn step(&mut self, recording: &Recording, reports: usize) -> Vec<u32> {
        let mut found = vec![0];
        let mut left = reports;
        while left > 0
            && let Some(size) = recording.sizes.get(self.next as usize)
        {
            if *size > 0 {
                left -= 1;
                if let Some(place) = self.report(recording, self.next) {
                    found.extend([self.next, place]);
                }
            }
            self.next += 1;
        }
        if let Some(first) = found.first_mut() {
            *first = self.next;
        }
        found
    }

    /// The places from that number on.
    #[must_use]
    pub fn places(&self, from: usize) -> &[String] {
        self.places.get(from..).unwrap_or_default()
    }

    fn report(&mut self, recording: &Recording, event: u32) -> Option<u32> {
        let connection = usize::try_from(*recording.connection_of.get(event as usize)?).ok()?;
        let text = recording.lines.get(*recording.spans.get(event as usize)?);
        let Value::Report(report) = self.decoder.decode(text).ok()?.value else { return None };
        if self.newest.len() <= connection {
            self.newest.resize_with(connection + 1, Newest::default);
        }
        let newest = self.newest.get_mut(connection)?;
        let mut finder = Finder {
            needle: &self.needle,
            places: &mut self.places,
            place_of: &mut self.place_of,
            text: &mut self.text,
        };
        finder.follow(newest, report);
        newest.entries.iter().find_map(|place| *place)
    }
}

/// What looking at entries takes.
struct Finder<'s> {
    needle: &'s str,
    places: &'s mut Vec<String>,
    place_of: &'s mut HashMap<String, u32>,
    text: &'s mut String,
}

impl Finder<'_> {
    fn follow(&mut self, newest: &mut Newest, report: &Report) {
        // Then the others say what they said in the report before, in their places.
        if newest.generation > 0 && report.reshaped() <= newest.generation {
            for (at, entry) in report.changed_since(newest.generation) {
                if let Some(known) = newest.entries.get_mut(at) {
                    *known = self.entry(entry);
                }
            }
        } else {
            newest.entries.clear();
            newest.entries.extend(report.entries().map(|entry| self.entry(entry)));
        }
        newest.generation = report.generation();
    }

    fn entry(&mut self, entry: Entry<'_>) -> Option<u32> {
        if contains(entry.id(), self.needle) {
            return Some(self.place(entry, "id"));
        }
        if contains(entry.kind(), self.needle) {
            return Some(self.place(entry, "type"));
        }
        let (member, _) = entry.members().find(|(name, value)| self.member(name, value.text()))?;
        Some(self.place(entry, member))
    }

    fn member(&mut self, name: &str, value: &str) -> bool {
        self.text.clear();
        self.text.extend(["\"", name, "\":", value]);
        contains(self.text, self.needle)
    }

    fn place(&mut self, entry: Entry<'_>, member: &str) -> u32 {
        self.text.clear();
        self.text.extend([entry.kind(), " ", entry.id(), " · ", member]);
        if let Some(place) = self.place_of.get(self.text.as_str()) {
            return *place;
        }
        if self.places.len() >= PLACES {
            return NOWHERE;
        }
        let place = u32::try_from(self.places.len()).unwrap_or(NOWHERE);
        self.places.push(self.text.clone());
        self.place_of.insert(self.text.clone(), place);
        place
    }
}
