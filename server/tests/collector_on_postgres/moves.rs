//! Collectors whose database a test has for itself.

use crate::postgres::TestDatabase;
use crate::support::{Collector, DATABASE_URL};

impl Collector {
    /// Starts it over such a database.
    pub(crate) fn start_on(server: TestDatabase, settings: &[(&str, &str)]) -> Self {
        let mut collector = Self::start(&[settings, &[(DATABASE_URL, &server.url)]].concat());
        collector.server = Some(server);
        collector
    }

    /// Gives it another one for the next start.
    pub(crate) fn move_to(&mut self, server: TestDatabase) {
        self.set(DATABASE_URL, &server.url);
        self.server = Some(server);
    }

    /// The one that it has.
    pub(crate) fn database_url(&self) -> String {
        self.server.as_ref().unwrap().url.clone()
    }
}
