//! What happens to a line once it is in the spool: it is decoded, and the event feeds features, stats rows and the summary
//! that lists show. The same runs again, from the first line on, when a spool file is recovered.

use std::collections::HashSet;
use std::sync::Arc;

use rtctrace_features::{FeatureExtractor, SessionFeatures};
use rtctrace_protocol::event::{DecoderLimits, SessionDecoder, Value};
use rtctrace_protocol::line::Line;

use super::{Browser, SessionId};
use crate::store::stats::{RowBatch, RowFilter};
use crate::telemetry;

/// As many connections as features are kept of; further ones are not counted either.
const CONNECTIONS: usize = rtctrace_features::limits::CONNECTIONS;

/// The text of all reports and descriptions that one session may make the collector hold: hundreds of participants need a
/// tenth of it.
const DECODED_BYTES: usize = 16 << 20;

/// The state of one session's decoding.
#[derive(Debug)]
pub(crate) struct Pipeline {
    session: SessionId,
    decoder: SessionDecoder,
    features: FeatureExtractor,
    rows: Option<RowFilter>,
    connections: HashSet<Box<str>>,
    browser: Option<Arc<Browser>>,
    first_time: Option<f64>,
    last_time: f64,
}

impl Pipeline {
    /// A session that has no line yet. `stats`: whether it gives stats rows.
    pub(crate) fn new(session: SessionId, stats: bool) -> Self {
        Self {
            session,
            decoder: SessionDecoder::with_limits(DecoderLimits { bytes: DECODED_BYTES, ..DecoderLimits::default() }),
            features: FeatureExtractor::new(),
            rows: stats.then(RowFilter::new),
            connections: HashSet::new(),
            browser: None,
            first_time: None,
            last_time: 0.0,
        }
    }

    /// Takes in the next line, which nobody has parsed yet.
    pub(crate) fn text(&mut self, line: &str, rows: &mut RowBatch) {
        match Line::parse(line) {
            Ok(line) => self.line(&line, rows),
            Err(error) => self.undecoded(&error),
        }
    }

    /// A line does not decode: it costs only itself.
    pub(crate) fn undecoded(&self, error: &dyn std::fmt::Display) {
        tracing::debug!(session = %self.session, "a line does not decode: {error}");
        telemetry::undecoded();
    }

    /// Takes in the next line; its stats rows are appended to `rows`.
    pub(crate) fn line(&mut self, line: &Line<'_>, rows: &mut RowBatch) {
        let event = match self.decoder.decode_line(line) {
            Ok(event) => event,
            Err(error) => return self.undecoded(&error),
        };
        self.features.event(&event);
        self.first_time.get_or_insert(event.time);
        self.last_time = event.time;
        match event.connection.as_deref() {
            Some(connection) => {
                if self.connections.len() < CONNECTIONS && !self.connections.contains(connection) {
                    self.connections.insert(connection.into());
                }
                if let (Value::Report(report), Some(filter)) = (&event.value, &mut self.rows) {
                    filter.rows(self.session, connection, report, event.time, rows);
                }
            }
            None if self.browser.is_none() && event.method == "create" => {
                self.browser = event.value.raw().and_then(Browser::from_hints).map(Arc::new);
            }
            None => {}
        }
    }

    /// Stops giving stats rows.
    pub(crate) fn stop_rows(&mut self) {
        self.rows = None;
    }

    /// The features of what was seen so far.
    pub(crate) fn features(&self) -> SessionFeatures {
        self.features.features()
    }

    /// How many connections were seen.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.len() as u64
    }

    /// Milliseconds from the first event to the last; clients' clocks may jump back, durations do not.
    pub(crate) fn duration(&self) -> i64 {
        (self.last_time - self.first_time.unwrap_or(self.last_time)).max(0.0) as i64
    }

    /// The browser by its client hints.
    pub(crate) fn browser(&self) -> Option<&Arc<Browser>> {
        self.browser.as_ref()
    }
}
