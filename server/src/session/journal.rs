//! A session's state while it runs: what it holds, where the next line goes, how it ends. A frame comes in, and what it led
//! to comes out; the only effect on the way is the append to the spool.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rtctrace_features::SessionFeatures;
use rtctrace_protocol::dump::{self, Metadata};
use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::line::{Line, LineError};
use rtctrace_protocol::privacy::Obfuscator;

use super::cursor::{Cursor, Held, Place};
use super::pipeline::Pipeline;
use super::snapshot::Snapshot;
use super::{Browser, Dialect, SessionId, UnixMillis};
use crate::config::Config;
use crate::spool::{HeldLines, SpoolFile, path_of};
use crate::store::stats::RowBatch;
use crate::telemetry;

/// What a session's first socket or beacon said about where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Origin {
    /// What it speaks.
    pub(crate) dialect: Dialect,
    /// When it came, by the collector's clock.
    pub(crate) start_time: UnixMillis,
    /// The path that it asked for.
    pub(crate) url: String,
    /// The page's origin.
    pub(crate) origin: Option<String>,
    /// The `User-Agent` header.
    pub(crate) user_agent: Option<String>,
    /// Its address, obfuscated unless the settings say otherwise.
    pub(crate) remote_address: Option<String>,
}

/// Why no further line is taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// The session is over.
    #[error("session already ended")]
    Ended,
    /// A line is none.
    #[error("line {number}: {error}")]
    BadLine {
        /// The line's number in the session.
        number: u64,
        /// What is wrong with it.
        error: LineError,
    },
    /// A line is too long.
    #[error("line {number} is longer than {limit} bytes")]
    LineTooLong {
        /// The line's number in the session.
        number: u64,
        /// The limit.
        limit: u64,
    },
    /// The session is too long.
    #[error("session limit of {0} bytes reached")]
    SessionTooLong(u64),
    /// The spool's disk refused.
    #[error("the spool cannot be written")]
    Spool(#[source] io::Error),
}

/// What a frame led to.
#[derive(Debug)]
pub(crate) struct Received {
    /// How many lines the session holds now: all of them are written.
    pub(crate) received: u64,
    /// Whether these were the session's first lines.
    pub(crate) started: bool,
    /// Whether the session is over now.
    pub(crate) ended: bool,
    /// The lines that were written, each with its newline. They are still to be decoded, in this order.
    pub(crate) written: String,
    /// Why lines of this frame were not taken; those before are.
    pub(crate) stop: Option<Stop>,
}

/// The cursor of a socket over a spool file.
pub(crate) type SocketCursor = Cursor<HeldLines>;

impl Held for HeldLines {
    fn left(&self) -> u64 {
        Self::left(self)
    }

    fn next_line(&mut self) -> io::Result<Option<String>> {
        Self::next_line(self)
    }
}

/// A running session.
#[derive(Debug)]
pub(crate) struct Journal {
    id: SessionId,
    origin: Origin,
    path: PathBuf,
    line_limit: u64,
    session_limit: u64,
    spool: Option<SpoolFile>,
    received: u64,
    /// The close code of the last socket, once the session is over.
    end: Option<u16>,
    obfuscator: Option<Obfuscator>,
    pipeline: Pipeline,
    settled: Option<(SessionFeatures, Snapshot)>,
    last_line: Instant,
}

impl Journal {
    /// A session that holds no line. Nothing is written before the first.
    pub(crate) fn new(id: SessionId, origin: Origin, config: &Config, now: Instant) -> Self {
        Self {
            id,
            origin,
            path: path_of(&config.spool_dir(), id),
            line_limit: config.limits.line_bytes.0,
            session_limit: config.limits.session_bytes.0,
            spool: None,
            received: 0,
            end: None,
            obfuscator: config.privacy.addresses.then(Obfuscator::new),
            pipeline: Pipeline::new(id, config.stats.enabled),
            settled: None,
            last_line: now,
        }
    }

    /// Rebuilds the state behind a line that the spool holds already.
    pub(crate) fn replay(&mut self, line: &str, rows: &mut RowBatch) {
        if let Ok(parsed) = Line::parse(line) {
            if let Some(obfuscator) = &mut self.obfuscator {
                obfuscator.line(&parsed, &mut String::new());
            }
            if let Some(code) = closes(&parsed) {
                self.end = Some(code);
            }
        }
        self.received += 1;
        self.pipeline.line(line, rows);
    }

    /// Continues the spool file whose lines were replayed.
    pub(crate) fn reopen(&mut self, length: u64) -> io::Result<()> {
        self.spool = Some(SpoolFile::reopen(self.path.clone(), length)?);
        Ok(())
    }

    /// The file of what is held, and how long it is.
    pub(crate) fn held(&self) -> (PathBuf, u64) {
        (self.path.clone(), self.spool.as_ref().map_or(0, SpoolFile::length))
    }

    /// Takes in the lines of a frame. What is new is written by one write; only then does anything count.
    pub(crate) fn receive(&mut self, cursor: &mut SocketCursor, frame: &str, now: Instant) -> Received {
        let mut batch = String::with_capacity(frame.len() + 1);
        let (mut count, mut ended, mut stop) = (0, None, None);
        for text in frame.split('\n').filter(|text| !text.trim().is_empty()) {
            if self.end.is_some() || ended.is_some() {
                stop = Some(Stop::Ended);
                break;
            }
            match self.place(cursor, text, count, &mut batch) {
                Ok(Placed { new, close }) => {
                    count += new;
                    ended = close;
                }
                Err(reason) => {
                    stop = Some(reason);
                    break;
                }
            }
        }
        let mut started = false;
        if count > 0 {
            match self.write(&batch, count, now) {
                Ok(first) => {
                    started = first;
                    self.end = ended;
                }
                Err(reason) => {
                    stop = Some(reason);
                    batch.clear();
                }
            }
        }
        Received { received: self.received, started, ended: self.end.is_some(), written: batch, stop }
    }

    /// Decodes a line that is in the spool; its stats rows are appended to `rows`.
    pub(crate) fn decode(&mut self, line: &str, rows: &mut RowBatch) {
        self.pipeline.line(line, rows);
    }

    /// Ends the session: `code` is the close code of its last socket, `quiet` how long ago that closed. Says whether there
    /// is anything to keep.
    pub(crate) fn close(&mut self, code: u16, quiet: Duration, now: Instant) -> bool {
        if self.received > 0 && self.end.is_none() {
            let since = now.saturating_duration_since(self.last_line).saturating_sub(quiet);
            // With the method's full name, as upstream's server writes it.
            let line = format!("[\"close\",null,{code},{}]\n", since.as_millis());
            match self.write(&line, 1, now) {
                Ok(_) => self.pipeline.line(line.trim_end(), &mut RowBatch::default()),
                Err(error) => {
                    tracing::warn!(session = %self.id, "the session ends without its close line: {error}");
                }
            }
        }
        self.end.get_or_insert(code);
        self.received > 0
    }

    /// Stops giving stats rows: they will be written from the dump.
    pub(crate) fn stop_rows(&mut self) {
        self.pipeline.stop_rows();
    }

    /// Frees what only further lines would need; for a session that is over.
    pub(crate) fn settle(&mut self) -> SessionFeatures {
        let features = self.features();
        self.settled = Some((features.clone(), self.snapshot()));
        self.spool = None;
        self.obfuscator = None;
        self.pipeline = Pipeline::new(self.id, false);
        features
    }

    /// The features of what was received so far.
    pub(crate) fn features(&self) -> SessionFeatures {
        self.settled.as_ref().map_or_else(|| self.pipeline.features(), |(features, _)| features.clone())
    }

    /// How many lines the session holds.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Whether the session is over.
    pub(crate) fn ended(&self) -> bool {
        self.end.is_some()
    }

    /// Where the session comes from.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Where its spool file lies.
    pub(crate) fn path(&self) -> &PathBuf {
        &self.path
    }

    /// What others may know of it.
    pub(crate) fn snapshot(&self) -> Snapshot {
        if let Some((_, snapshot)) = &self.settled {
            return snapshot.clone();
        }
        let header = || self.origin.user_agent.as_deref().and_then(Browser::from_header);
        Snapshot {
            lines: self.received,
            spool_bytes: self.spool.as_ref().map_or(0, SpoolFile::length),
            connections: self.pipeline.connections(),
            duration: self.pipeline.duration(),
            browser: self.pipeline.browser().cloned().or_else(header),
            close_code: self.end,
        }
    }

    /// Validates one line and appends it to `batch`, obfuscated, unless it is held already.
    fn place(&mut self, cursor: &mut SocketCursor, text: &str, count: u64, batch: &mut String) -> Result<Placed, Stop> {
        let number = cursor.next();
        if text.len() as u64 > self.line_limit {
            return Err(Stop::LineTooLong { number, limit: self.line_limit });
        }
        let line = Line::parse(text).map_err(|error| Stop::BadLine { number, error })?;
        let mut hidden = String::new();
        let stored = match &mut self.obfuscator {
            Some(obfuscator) => {
                obfuscator.line(&line, &mut hidden);
                hidden.as_str()
            }
            None => line.text(),
        };
        match cursor.place(stored, self.received + count).map_err(Stop::Spool)? {
            Place::Held => {
                telemetry::duplicates(1);
                Ok(Placed { new: 0, close: None })
            }
            Place::New { before, count } => {
                let held = self.spool.as_ref().map_or(0, SpoolFile::length);
                if held + (batch.len() + before.len() + stored.len()) as u64 >= self.session_limit {
                    return Err(Stop::SessionTooLong(self.session_limit));
                }
                batch.push_str(&before);
                batch.push_str(stored);
                batch.push('\n');
                Ok(Placed { new: count + 1, close: closes(&line) })
            }
        }
    }

    /// Writes `count` whole lines to the spool; true if they are its first.
    fn write(&mut self, lines: &str, count: u64, now: Instant) -> Result<bool, Stop> {
        let result = match &mut self.spool {
            Some(spool) => spool.append(lines).map(|()| false),
            None => {
                let mut content = String::new();
                dump::write_header(&mut content, &self.origin.metadata(self.id));
                content.push_str(lines);
                SpoolFile::create(self.path.clone(), &content).map(|spool| {
                    self.spool = Some(spool);
                    true
                })
            }
        };
        let first = result.map_err(|error| {
            telemetry::store_failed(telemetry::Store::Spool);
            tracing::error!(session = %self.id, "the spool cannot be written: {error}");
            Stop::Spool(error)
        })?;
        self.received += count;
        self.last_line = now;
        telemetry::lines_stored(self.origin.dialect, count, lines.len() as u64);
        Ok(first)
    }
}

struct Placed {
    new: u64,
    close: Option<u16>,
}

/// The code of a line that ends its session: `["close",null,<code or null>,dt]`.
fn closes(line: &Line<'_>) -> Option<u16> {
    if line.connection().is_some() || line.method() != "close" {
        return None;
    }
    Some(line.value().as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(1000))
}

impl Origin {
    /// From the header of a spool file.
    pub(crate) fn from_metadata(metadata: RawValue<'_>) -> Option<Self> {
        let text = |name| metadata.get(name).and_then(RawValue::as_str).map(|text| text.into_owned());
        Some(Self {
            dialect: Dialect::of_name(&text("clientProtocol")?)?,
            start_time: UnixMillis(metadata.get("startTime")?.as_i64()?),
            url: text("url")?,
            origin: text("origin"),
            user_agent: text("userAgent"),
            remote_address: metadata
                .get("remoteAddresses")?
                .at(0)
                .and_then(RawValue::as_str)
                .map(|text| text.into_owned()),
        })
    }

    /// The dump's header.
    fn metadata(&self, session: SessionId) -> Metadata {
        Metadata {
            url: self.url.clone(),
            origin: self.origin.clone(),
            user_agent: self.user_agent.clone(),
            start_time: self.start_time.0,
            remote_addresses: self.remote_address.iter().cloned().collect(),
            client_protocol: self.dialect.name().to_owned(),
            session: Some(session.to_string()),
        }
    }
}
