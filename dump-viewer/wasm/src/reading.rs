//! A file of any kind, read part by part: what was read so far can be looked at meanwhile.

use std::io::BufRead;

use rtctrace_protocol::dump::DumpReader;

use crate::opening::Growing;
use crate::recording::{OpenError, Recording};
use crate::sora::{self, Log, SoraSession};

/// What a file turned out to hold.
#[derive(Debug)]
pub enum Opened<R: BufRead> {
    /// A recording.
    Recording(Box<Reading<R>>),
    /// Several, of which one has to be named.
    Sessions(Vec<SoraSession>),
}

/// A recording, and what of its file is not read yet.
pub struct Reading<R: BufRead> {
    growing: Growing,
    rest: Option<DumpReader<R>>,
}

impl<R: BufRead> std::fmt::Debug for Reading<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("growing", &self.growing).finish_non_exhaustive()
    }
}

impl<R: BufRead> Default for Reading<R> {
    /// Nothing.
    fn default() -> Self {
        Self { growing: Growing::default(), rest: None }
    }
}

impl<R: BufRead> Reading<R> {
    /// Reads the beginning of a file; `source` gives its bytes from there, as often as it is called. Of a log of the SFU Sora, whose lines have
    /// to be put in order, it reads all, and `session` is the one that is wanted.
    ///
    /// # Errors
    /// As those of [`Recording::open`].
    pub fn open(source: impl Fn() -> R, session: Option<&str>) -> Result<Opened<R>, OpenError> {
        if !sora::is_log(source()) {
            let (growing, rest) = Growing::begin(source())?;
            return Ok(Opened::Recording(Box::new(Self { growing, rest: Some(rest) })));
        }
        let log = Log::read(source(), session).map_err(|error| OpenError(error.to_string()))?;
        if session.is_none() && log.sessions.len() > 1 {
            return Ok(Opened::Sessions(log.sessions));
        }
        let (lines, problems) = log.into_lines();
        Ok(Opened::Recording(Box::new(Self { growing: Growing::of_lines(&lines, problems), rest: None })))
    }

    /// Takes in further lines, of so many bytes or a little more; false if that was the last of them.
    pub fn read_on(&mut self, bytes: usize) -> bool {
        if let Some(rest) = &mut self.rest
            && !self.growing.take(rest, bytes)
        {
            self.rest = None;
        }
        self.rest.is_some()
    }

    /// All of it.
    #[must_use]
    pub fn whole(mut self) -> Growing {
        while self.read_on(usize::MAX) {}
        self.growing
    }

    /// Reads on behind the end of the file, as [`Growing::append`] does.
    pub fn append(&mut self, bytes: &[u8]) {
        self.growing.append(bytes);
    }

    /// What was read so far. What it amounts to, its features and findings, is there in the end.
    #[must_use]
    pub fn recording(&self) -> &Recording {
        self.growing.recording()
    }

    /// The same, to look at a value.
    pub fn recording_mut(&mut self) -> &mut Recording {
        self.growing.recording_mut()
    }
}
