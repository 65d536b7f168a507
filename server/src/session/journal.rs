//! A session's state while it runs: what it holds, where the next line goes, how it ends. A frame comes in, and what it led
//! to comes out; the only effect on the way is the append to the spool.

mod messages;
mod pushes;
mod translation;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtctrace_protocol::dump;
use rtctrace_protocol::line::{Line, LineError};
use rtctrace_protocol::privacy::Obfuscator;
use rtctrace_protocol::sora::Refused;

use self::translation::Translation;
use super::cursor::{Cursor, Held, Place};
use super::decoding::Decoding;
use super::origin::Origin;
use super::rate::Rate;
use super::snapshot::Snapshot;
use super::summary::Summary;
use super::{Analysis, Browser, SessionId, UnixMillis};
use crate::config::{Config, Span};
use crate::spool::{HeldLines, Spool, SpoolFile, Tail, path_of};
use crate::telemetry;

pub(crate) use self::pushes::Said;

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
    /// What was pushed becomes no line.
    #[error(transparent)]
    Unfit(Refused),
    /// The session is too long.
    #[error("session limit of {0} bytes reached")]
    SessionTooLong(u64),
    /// The session is too old.
    #[error("session limit of {0} reached")]
    SessionTooOld(Span),
    /// The spool's disk refused.
    #[error("the spool cannot be written")]
    Spool(#[source] io::Error),
}

/// What frames led to.
#[derive(Debug)]
pub(crate) struct Received {
    /// How many lines the session holds now: all of them are written.
    pub(crate) received: u64,
    /// Whether any line of these frames was.
    pub(crate) wrote: bool,
    /// Whether these were the session's first lines.
    pub(crate) started: bool,
    /// Whether the session is over now.
    pub(crate) ended: bool,
    /// Why lines of these frames were not taken; those before are.
    pub(crate) stop: Option<Stop>,
    /// How long no more should be read.
    pub(crate) wait: Duration,
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
    origin: Arc<Origin>,
    /// As the request's headers name it; the client may know better.
    browser: Option<Arc<Browser>>,
    spool: Arc<Spool>,
    path: PathBuf,
    line_limit: u64,
    session_limit: u64,
    age_limit: Span,
    rate: Option<Box<Rate>>,
    file: Option<SpoolFile>,
    /// A sync of the spool failed: nobody knows what of the file is safe. It takes no line until the next start reads it.
    distrusted: bool,
    received: u64,
    /// The close code of the last socket, once the session is over.
    end: Option<u16>,
    obfuscator: Option<Obfuscator>,
    /// Of a dialect in which what is said is no line.
    translation: Option<Translation>,
    summary: Summary,
    decoding: Decoding,
    settled: Option<(Arc<Analysis>, Snapshot)>,
    last_line: Instant,
}

impl Journal {
    /// A session that holds no line. Nothing is written before the first.
    pub(crate) fn new(id: SessionId, origin: Origin, config: &Config, spool: &Arc<Spool>, now: Instant) -> Self {
        let (line_limit, summary) = (config.limits.line_bytes.0, Summary::since(origin.start_time.0));
        Self {
            id,
            translation: Translation::of(origin.dialect, line_limit),
            decoding: Decoding::new(id, origin.dialect, config.stats.rows()),
            browser: origin.user_agent.as_deref().and_then(Browser::from_header).map(Arc::new),
            origin: Arc::new(origin),
            spool: Arc::clone(spool),
            path: path_of(spool.dir(), id),
            line_limit,
            session_limit: config.limits.session_bytes.0,
            age_limit: config.limits.session_age,
            rate: Rate::new(&config.limits, now),
            file: None,
            distrusted: false,
            received: 0,
            end: None,
            obfuscator: config.privacy.obfuscator(),
            summary,
            settled: None,
            last_line: now,
        }
    }

    /// Rebuilds the state behind a line that the spool holds already.
    pub(crate) fn replay(&mut self, line: &str) {
        self.received += 1;
        let Ok(parsed) = Line::parse(line) else { return };
        if let Some(obfuscator) = &mut self.obfuscator {
            obfuscator.rewrite(&parsed, &mut String::new());
        }
        if let Some(translation) = &mut self.translation {
            translation.replay(&parsed);
        }
        if let Some(code) = closes(&parsed) {
            self.end = Some(code);
        }
        self.summary.line(&parsed);
    }

    /// Continues the spool file whose lines were replayed.
    pub(crate) fn reopen(&mut self, length: u64) -> io::Result<()> {
        self.file = Some(SpoolFile::reopen(&self.spool, &self.path, length)?);
        self.decoding.begins_behind(length);
        Ok(())
    }

    /// How long the spool's text is; nothing before the first line.
    fn spooled(&self) -> u64 {
        self.file.as_ref().map_or(0, SpoolFile::length)
    }

    /// The file of what is held, and how long it is.
    pub(crate) fn held(&self) -> (PathBuf, u64) {
        (self.path.clone(), self.spooled())
    }

    /// Takes in the lines of frames. What is new is written by one write; only then does anything count.
    pub(crate) fn receive<'f>(
        &mut self,
        cursor: &mut SocketCursor,
        frames: impl Iterator<Item = &'f str> + Clone,
        now: Instant,
    ) -> Received {
        let length: usize = frames.clone().map(|frame| frame.len() + 1).sum();
        let mut written = String::with_capacity(length);
        let (mut count, mut ended) = (0, None);
        let mut stop = self.closed().err();
        let frames = frames.take(if stop.is_some() { 0 } else { usize::MAX });
        let before = self.summary.times();
        let mut seen = 0;
        for text in frames.flat_map(|frame| frame.split('\n')).filter(|text| !text.trim().is_empty()) {
            seen += 1;
            if self.end.is_some() || ended.is_some() {
                stop = Some(Stop::Ended);
                break;
            }
            match self.place(cursor, text, count, &mut written) {
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
        let (mut started, mut wrote) = (false, false);
        if count > 0 {
            match self.write(&written, count, now) {
                Ok(first) => {
                    (started, wrote) = (first, true);
                    self.end = ended;
                }
                Err(reason) => {
                    stop = Some(reason);
                    self.summary.rewind(before);
                }
            }
        }
        // What is held already counts, too: it costs as much.
        let wait = self.brought(seen, length as u64, now);
        Received { received: self.received, wrote, started, ended: self.end.is_some(), stop, wait }
    }

    /// Whether it takes anything at all.
    fn closed(&self) -> Result<(), Stop> {
        if self.distrusted {
            return Err(Stop::Spool(io::Error::other("a sync failed before")));
        }
        if self.age() > self.age_limit.0 {
            return Err(Stop::SessionTooOld(self.age_limit));
        }
        Ok(())
    }

    /// Nothing was taken, for now.
    fn nothing(&self, stop: Option<Stop>) -> Received {
        let (received, ended) = (self.received, self.end.is_some());
        Received { received, started: false, ended, wrote: false, stop, wait: Duration::ZERO }
    }

    /// Counts what came, and says how long nothing more should be read.
    fn brought(&mut self, lines: u64, bytes: u64, now: Instant) -> Duration {
        self.rate.as_mut().map_or(Duration::ZERO, |rate| rate.take(lines, bytes, now))
    }

    /// What came took so long to decode: says how long nothing more should be read.
    pub(crate) fn worked(&mut self, time: Duration, now: Instant) -> Duration {
        self.rate.as_mut().map_or(Duration::ZERO, |rate| rate.worked(time, now))
    }

    /// How long nothing more should be read of this session.
    pub(crate) fn wait(&mut self, now: Instant) -> Duration {
        self.rate.as_mut().map_or(Duration::ZERO, |rate| rate.wait(now))
    }

    fn age(&self) -> Duration {
        let ms = UnixMillis::now().0.saturating_sub(self.origin.start_time.0);
        Duration::from_millis(u64::try_from(ms).unwrap_or_default())
    }

    /// How many bytes of what is written are not decoded yet.
    pub(crate) fn undecoded(&self) -> u64 {
        self.spooled().saturating_sub(self.decoding.at())
    }

    /// Opens what is not decoded yet.
    pub(super) fn tail(&self) -> io::Result<Tail> {
        let (path, length) = self.held();
        Tail::open(&path, self.decoding.at(), length)
    }

    /// What is written and not decoded cannot be read any more.
    pub(super) fn give_up_decoding(&mut self) {
        self.decoding.give_up(self.spooled());
    }

    /// The state of what is decoded.
    pub(super) fn decoding(&mut self) -> &mut Decoding {
        &mut self.decoding
    }

    /// Waits until what is written is as durable as the settings say: only then may a client hear of it.
    pub(crate) async fn commit(&mut self) -> Result<(), Stop> {
        self.spool.commit().await.map_err(|error| {
            self.distrusted = true;
            telemetry::store_failed(telemetry::Store::Spool);
            tracing::error!(session = %self.id, "the spool cannot be synced: {error}");
            Stop::Spool(error)
        })
    }

    /// Whether a sync failed, so that nobody may be told what is held.
    pub(crate) fn is_distrusted(&self) -> bool {
        self.distrusted
    }

    /// Ends the session: `code` is the close code of its last socket, `quiet` how long ago that closed. Says whether there
    /// is anything to keep.
    pub(crate) fn close(&mut self, code: u16, quiet: Duration, now: Instant) -> bool {
        if self.received > 0 && self.end.is_none() {
            let since = now.saturating_duration_since(self.last_line).saturating_sub(quiet);
            // With the method's full name, as upstream's server writes it.
            let before = self.translation.as_mut().map(Translation::take_unwritten).unwrap_or_default();
            let lines = format!("{before}[\"close\",null,{code},{}]\n", since.as_millis());
            match self.write(&lines, lines.lines().count() as u64, now) {
                Ok(_) => self.summary.lines(&lines),
                Err(error) => {
                    tracing::warn!(session = %self.id, "the session ends without its close line: {error}");
                }
            }
        }
        self.end.get_or_insert(code);
        self.received > 0
    }

    /// The text of the session was replaced by one of `length` bytes that has its lines in another order. Nothing of it is decoded, and no rows
    /// come of it when it is.
    pub(super) fn reordered(&mut self, length: u64, lines: u64, summary: Summary) -> io::Result<()> {
        self.file = None;
        self.received = lines;
        self.summary = summary;
        self.decoding = Decoding::new(self.id, self.origin.dialect, None);
        self.reopen(length)
    }

    /// The session is over, and nothing is added to what it has.
    pub(crate) fn end_as_it_is(&mut self) {
        self.end.get_or_insert(super::LOST);
    }

    /// Stops giving stats rows: they will be written from the dump.
    pub(crate) fn stop_rows(&mut self) {
        self.decoding.stop_rows();
    }

    /// Frees what only further lines would need; for a session that is over.
    pub(crate) fn settle(&mut self) -> Arc<Analysis> {
        let analysis = self.analysis();
        self.settled = Some((Arc::clone(&analysis), self.snapshot()));
        self.file = None;
        self.obfuscator = None;
        self.translation = None;
        self.decoding = Decoding::new(self.id, self.origin.dialect, None);
        analysis
    }

    /// What the events that were decoded so far come to.
    pub(crate) fn analysis(&self) -> Arc<Analysis> {
        match &self.settled {
            Some((analysis, _)) => Arc::clone(analysis),
            None => Arc::new(self.decoding.analysis()),
        }
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
    pub(crate) fn origin(&self) -> &Arc<Origin> {
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
        Snapshot {
            lines: self.received,
            spool_bytes: self.spooled(),
            connections: self.summary.connections(),
            duration: self.summary.duration(),
            browser: self.summary.browser().or(self.browser.as_ref()).map(Arc::clone),
            sora_connections: self.summary.sora_connections(),
            close_code: self.end,
        }
    }

    /// Validates one line and appends it to `written`, obfuscated, unless it is held already.
    fn place(
        &mut self,
        cursor: &mut SocketCursor,
        text: &str,
        count: u64,
        written: &mut String,
    ) -> Result<Placed, Stop> {
        let number = cursor.next();
        if text.len() as u64 > self.line_limit {
            return Err(Stop::LineTooLong { number, limit: self.line_limit });
        }
        let line = Line::parse(text).map_err(|error| Stop::BadLine { number, error })?;
        let mut hidden = String::new();
        let is_changed = self.obfuscator.as_mut().is_some_and(|obfuscator| obfuscator.rewrite(&line, &mut hidden));
        let stored = if is_changed { hidden.as_str() } else { line.text() };
        match cursor.place(stored, self.received + count).map_err(Stop::Spool)? {
            Place::Held => {
                telemetry::duplicates(1);
                Ok(Placed { new: 0, close: None })
            }
            Place::New { before, count } => {
                let held = self.spooled();
                if held + (written.len() + before.len() + stored.len()) as u64 >= self.session_limit {
                    return Err(Stop::SessionTooLong(self.session_limit));
                }
                self.summary.lines(&before);
                self.summary.line(&line);
                written.push_str(&before);
                written.push_str(stored);
                written.push('\n');
                Ok(Placed { new: count + 1, close: closes(&line) })
            }
        }
    }

    /// Writes `count` whole lines to the spool; true if they are its first.
    fn write(&mut self, lines: &str, count: u64, now: Instant) -> Result<bool, Stop> {
        let result = match &mut self.file {
            Some(file) => file.append(lines).map(|()| false),
            None => {
                let mut content = String::new();
                dump::write_header(&mut content, &self.origin.metadata(self.id));
                content.push_str(lines);
                SpoolFile::create(&self.spool, &self.path, &content).map(|file| {
                    self.file = Some(file);
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
