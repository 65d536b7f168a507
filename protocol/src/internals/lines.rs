//! [`DocumentLines`]: the lines of a webrtc-internals dump, in the order of their times.

use std::collections::VecDeque;

use super::document::{Document, Update};
use super::limits::MAX_PART;
use super::reports::Reports;
use super::text::compact;
use super::updates::Updates;
use super::writer::{DROPPED, Draft, delta_text};
use crate::json::{RawValue, number};
use crate::sort::sorted_by;

/// What has no place among our events: an event of the page or of a connection, with an object.
const REST: &str = ":webrtc-internals";

#[derive(Debug, Clone, Copy)]
enum What {
    Client,
    Media(usize),
    Connection(usize),
    Update(usize, usize),
    Report(usize, usize),
}

/// Makes the lines of a document.
#[derive(Debug)]
pub(crate) struct DocumentLines {
    document: Document,
    /// What is still to come, with its time, and the next of it.
    agenda: std::vec::IntoIter<(f64, What)>,
    ready: VecDeque<String>,
    updates: Updates,
    reports: Reports,
    /// Of the line before, as a reader adds it up.
    time: Option<f64>,
}

impl DocumentLines {
    pub(crate) fn new(document: Document) -> Self {
        let mut agenda = vec![(document.start, What::Client)];
        let media = document.media.iter().enumerate();
        agenda.extend(media.map(|(place, update)| (update.time, What::Media(place))));
        for (at, connection) in document.connections.iter().enumerate() {
            let (times, updates) = (connection.sampling.times(), &connection.updates);
            let firsts = [updates.first().map(|update| update.time), times.first().copied()];
            let first = firsts.into_iter().flatten().min_by(f64::total_cmp).unwrap_or(document.start);
            agenda.push((first, What::Connection(at)));
            agenda.extend(updates.iter().enumerate().map(|(place, update)| (update.time, What::Update(at, place))));
            agenda.extend(times.iter().enumerate().map(|(place, time)| (*time, What::Report(at, place))));
        }
        // What has the same time stays in this order.
        let agenda = sorted_by(agenda, |(a, _), (b, _)| a.total_cmp(b));
        let mut updates = Updates::default();
        updates.tracks.are_implied = document.are_tracks_implied;
        Self {
            document,
            agenda: agenda.into_iter(),
            ready: VecDeque::new(),
            updates,
            reports: Reports::default(),
            time: None,
        }
    }

    /// The next line; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<String> {
        while self.ready.is_empty() {
            let (time, what) = self.agenda.next()?;
            for draft in self.drafts(what) {
                let delta = delta_text(time - self.time.unwrap_or(0.0));
                self.time = Some(self.time.unwrap_or(0.0) + number(&delta).unwrap_or(0.0));
                self.ready.push_back(draft.line(&delta));
            }
        }
        self.ready.pop_front()
    }

    fn drafts(&mut self, what: What) -> Vec<Draft> {
        let mut out = Vec::new();
        let Self { document, updates, reports, .. } = self;
        match what {
            What::Client => {
                out.push(Draft::new("create", None, document.client.clone()));
                out.extend(rest(None, &document.rest));
                if document.left_out > 0 {
                    let value = format!("{{\"parts\":{}}}", document.left_out);
                    out.push(Draft::new(DROPPED, None, value));
                }
            }
            What::Media(place) => {
                let Some(Update { whole, .. }) = document.media.get(place) else { return out };
                let entry = document.part(*whole);
                if entry.text().len() > MAX_PART {
                    out.push(Draft::dropped(None, entry.text().len()));
                    return out;
                }
                out.push(updates.media.entry(entry, &mut updates.calls, &mut updates.tracks));
            }
            What::Connection(at) => {
                let Some(connection) = document.connections.get(at) else { return out };
                let part = |span| document.part(span);
                let url = connection.url.map(part);
                let configuration = connection.configuration.map_or(RawValue::EMPTY_OBJECT, part);
                updates.update(&connection.id, "create", configuration, url.as_slice(), &mut out);
                if let Some(constraints) = connection.constraints.map(part) {
                    updates.update(&connection.id, "constraints", constraints, &[], &mut out);
                }
                out.extend(rest(Some(&connection.id), &connection.rest));
            }
            What::Update(at, place) => {
                let Some(connection) = document.connections.get(at) else { return out };
                let Some(Update { whole, .. }) = connection.updates.get(place) else { return out };
                let update = document.part(*whole);
                if update.text().len() > MAX_PART {
                    out.push(Draft::dropped(Some(&connection.id), update.text().len()));
                    return out;
                }
                let kind = update.get("type").and_then(RawValue::as_str).unwrap_or_default();
                if !is_event(&kind) {
                    out.extend(rest(Some(&connection.id), &compact(update.text())));
                    return out;
                }
                let more = Document::rest_of(update);
                let more = more.as_deref().and_then(|more| RawValue::parse(more).ok());
                let value = update.get("value").unwrap_or(RawValue::NULL);
                updates.update(&connection.id, &kind, value, more.as_slice(), &mut out);
            }
            What::Report(at, place) => {
                let Some(connection) = document.connections.get_mut(at) else { return out };
                let mut report = String::new();
                out.push(match connection.sampling.write(place, &mut report) {
                    Ok(()) => reports.event(&connection.id, report),
                    Err(length) => Draft::dropped(Some(&connection.id), length),
                });
            }
        }
        out
    }
}

/// Whether an update may have this name: an empty one is no method, one with a colon in front is of the application, and reports
/// are elsewhere.
fn is_event(kind: &str) -> bool {
    !(kind.is_empty() || kind.starts_with(':') || matches!(kind, "getStats" | "getstats" | "g"))
}

fn rest(connection: Option<&str>, rest: &str) -> Option<Draft> {
    (rest != "{}").then(|| Draft::new(REST, connection, rest.to_owned()))
}
