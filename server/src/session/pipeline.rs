//! What becomes of a session's lines beside its dump: they are decoded, and the events feed features and stats rows.

use std::time::Duration;

use anyhow::Context as _;
use rtctrace_features::FeatureExtractor;
use rtctrace_protocol::event::{DecoderLimits, SessionDecoder, Value};
use rtctrace_protocol::line::{Line, LineError};
use tokio::sync::mpsc;

use super::{Analysis, Dialect, SessionId};
use crate::store::stats::{RowBatch, RowFilter, StatsRow};
use crate::telemetry;

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
    /// Whether Sora says its lines.
    is_soras: bool,
}

impl Pipeline {
    /// A session of that dialect that has no line yet. `stats`: how far apart the rows of an entry are, if it gives stats rows.
    pub(crate) fn new(session: SessionId, dialect: Dialect, stats: Option<Duration>) -> Self {
        Self {
            session,
            decoder: SessionDecoder::with_limits(DecoderLimits { bytes: DECODED_BYTES, ..DecoderLimits::default() }),
            features: FeatureExtractor::new(),
            rows: stats.map(RowFilter::new),
            is_soras: dialect == Dialect::Sora,
        }
    }

    /// Takes in the next line; its stats rows are appended to `rows`. One that does not decode costs only itself.
    pub(crate) fn text(&mut self, line: &str, rows: &mut RowBatch) {
        self.parsed(Line::parse(line), rows);
    }

    /// The same for a line of the spool, which holds what was validated.
    pub(crate) fn spooled(&mut self, line: &str, rows: &mut RowBatch) {
        self.parsed(Line::of_valid(line), rows);
    }

    fn parsed(&mut self, line: Result<Line<'_>, LineError>, rows: &mut RowBatch) {
        let line = match line {
            Ok(line) => line,
            Err(error) => return self.undecoded(&error),
        };
        let event = match self.decoder.decode_line(&line) {
            Ok(event) => event,
            Err(error) => return self.undecoded(&error),
        };
        self.features.event(&event);
        let Some(filter) = &mut self.rows else { return };
        match (event.connection.as_deref(), &event.value) {
            (Some(connection), Value::Report(report)) => {
                if let Some(names) = event.extra.first().filter(|_| self.is_soras) {
                    filter.name(connection, *names, report);
                }
                filter.rows(self.session, connection, report, event.time, rows);
            }
            _ if self.is_soras => filter.counters(self.session, &event, rows),
            _ => {}
        }
    }

    fn undecoded(&self, error: &dyn std::fmt::Display) {
        tracing::debug!(session = %self.session, "a line does not decode: {error}");
        telemetry::undecoded();
    }

    /// Hands over what rows there are, and those that only the end of the session brings. Blocks while the writer is behind.
    pub(crate) fn send_rest(
        &mut self,
        rows: &mut RowBatch,
        writer: &mpsc::Sender<Vec<StatsRow>>,
    ) -> anyhow::Result<()> {
        let mut is_over = false;
        while !is_over {
            is_over = self.end(rows);
            writer.blocking_send(rows.take()).context("the writer gave up")?;
        }
        Ok(())
    }

    /// Appends the rows that only the end of the session brings, behind its last line. False if the batch is full before that: there are more.
    pub(crate) fn end(&mut self, rows: &mut RowBatch) -> bool {
        self.rows.as_mut().is_none_or(|filter| filter.end(self.session, &self.decoder, rows))
    }

    /// Stops giving stats rows.
    pub(crate) fn stop_rows(&mut self) {
        self.rows = None;
    }

    /// What the events that were seen so far come to.
    pub(crate) fn analysis(&self) -> Analysis {
        let Self { features, decoder, .. } = self;
        Analysis { features: features.features(decoder), findings: features.findings(decoder) }
    }
}
