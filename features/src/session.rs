//! The extractor of a session: one extractor for the client, one for each connection.

use std::collections::HashMap;

use rtctrace_protocol::event::{Event, SessionDecoder};

use crate::budget::Budgets;
use crate::client::ClientExtractor;
use crate::connection::{ConnectionExtractor, is_traced};
use crate::findings::{self, Finding, Page, Sink};
use crate::limits;
use crate::table::{ClientFeatures, ConnectionFeatures};
#[cfg(feature = "serde")]
use crate::upstream::Upstream;

/// All features of a session.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SessionFeatures {
    /// Of the client.
    pub client: ClientFeatures,
    /// Of its connections, in the order in which they first appeared.
    pub connections: Vec<ConnectionFeatures>,
}

impl SessionFeatures {
    /// Upstream's features only, in the shape of its extractor.
    #[cfg(feature = "serde")]
    pub fn upstream(&self) -> Upstream<'_> {
        Upstream(self)
    }
}

/// Extracts the features of one session while its events pass by.
#[derive(Debug, Default)]
pub struct FeatureExtractor {
    client: ClientExtractor,
    page: Page,
    connections: Vec<ConnectionExtractor>,
    positions: HashMap<Box<str>, usize>,
    /// The position of the connection whose event was the newest: as a rule the next one is of the same.
    newest: usize,
    budgets: Budgets,
    /// The newest time of an event, but for the one that ends the session: a collector may write that, by its own clock and after a wait.
    end: f64,
    ignored: u64,
    /// Whether any event tells what the page or its browser did.
    is_traced: bool,
}

impl FeatureExtractor {
    /// An extractor that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next event of the session.
    pub fn event(&mut self, event: &Event<'_>) {
        if event.connection.is_some() || event.method != "close" {
            self.end = self.end.max(event.time);
            self.is_traced |= event.method != "getStats" && is_traced(&event.method);
        }
        let Some(id) = event.connection.as_deref() else {
            self.page.event(event);
            return self.client.event(event);
        };
        match self.connection(id, event.time) {
            Some(position) => {
                if let Some(connection) = self.connections.get_mut(position) {
                    connection.event(event, &self.page, &mut self.budgets);
                }
            }
            None => self.ignored = self.ignored.saturating_add(1),
        }
    }

    /// The features of what was seen so far. `decoder`: what made the events; its newest reports say what no event after them does.
    /// Every event that it has made must have been taken in, or reports would be read that were not seen.
    pub fn features(&self, decoder: &SessionDecoder) -> SessionFeatures {
        SessionFeatures {
            client: self.client.features(self.end, self.is_traced),
            connections: self.connections.iter().map(|connection| connection.features(decoder)).collect(),
        }
    }

    /// What was wrong in what was seen so far, the worst first. `decoder`: as for [`FeatureExtractor::features`].
    pub fn findings(&self, decoder: &SessionDecoder) -> Vec<Finding> {
        let mut all = Vec::new();
        self.page.write(self.end, &mut Sink::new(&mut all, None));
        for connection in &self.connections {
            connection.findings(decoder, &self.page, &mut Sink::new(&mut all, Some(connection.id())));
        }
        findings::sorted(all, self.connections.iter().any(ConnectionExtractor::has_received))
    }

    /// How many events belonged to connections beyond [`limits::CONNECTIONS`] or with an id beyond
    /// [`limits::CONNECTION_ID`], and are in no feature.
    pub fn ignored_events(&self) -> u64 {
        self.ignored
    }

    /// The position of the connection called `id`, which is new if it was not seen before.
    fn connection(&mut self, id: &str, time: f64) -> Option<usize> {
        if self.connections.get(self.newest).is_some_and(|newest| newest.id() == id) {
            return Some(self.newest);
        }
        if let Some(&position) = self.positions.get(id) {
            self.newest = position;
            return Some(position);
        }
        if self.connections.len() >= limits::CONNECTIONS || id.len() > limits::CONNECTION_ID {
            return None;
        }
        let position = self.connections.len();
        self.connections.push(ConnectionExtractor::new(id.to_owned(), time));
        self.positions.insert(id.into(), position);
        Some(position)
    }
}
