//! What the worker sees: a thin face over [`Reading`] that moves texts and numbers across the boundary.

use std::io::{self, BufRead, ErrorKind, Read};

use js_sys::{Function, Uint8Array};
use rtctrace_protocol::dump::read_error;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsError, JsValue};

use crate::reading::{Opened, Reading};
use crate::report_search::ReportSearch;

/// Bytes asked for at a time: few calls, and progress that moves.
const CHUNK: f64 = 1_048_576.0;
/// Reports that are searched at a time: some milliseconds.
const REPORTS: usize = 32;

/// A file that the worker has open.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Dump {
    reading: Reading<Source>,
    sessions: Option<String>,
    search: Option<ReportSearch>,
}

#[wasm_bindgen]
impl Dump {
    /// Reads the beginning of a file of `size` bytes, whose bytes from `start` to `end` the function `read(start, end)` gives as a
    /// `Uint8Array`; `session` is the one that is wanted of a file with several.
    ///
    /// # Errors
    /// What is wrong with the file, if it is no dump.
    pub fn open(size: f64, read: Function, session: Option<String>) -> Result<Dump, JsError> {
        let source = || Source { read: read.clone(), size, offset: 0.0, chunk: Vec::new(), consumed: 0 };
        match Reading::open(source, session.as_deref()) {
            Ok(Opened::Recording(reading)) => Ok(Dump { reading: *reading, sessions: None, search: None }),
            Ok(Opened::Sessions(sessions)) => {
                let sessions = serde_json::to_string(&sessions).ok();
                Ok(Dump { reading: Reading::default(), sessions, search: None })
            }
            Err(error) => Err(JsError::new(&error.0)),
        }
    }

    /// JSON of the `SoraSession`s of a file with several of which none was named; then there is nothing else.
    pub fn sessions(&self) -> Option<String> {
        self.sessions.clone()
    }

    /// Takes in further lines of the file, of about so many bytes; false if there are no more.
    #[wasm_bindgen(js_name = readOn)]
    pub fn read_on(&mut self, bytes: usize) -> bool {
        self.reading.read_on(bytes)
    }

    /// Reads on behind the end of the file: the next bytes of a dump that grows.
    pub fn append(&mut self, bytes: &[u8]) {
        self.reading.append(bytes);
    }

    /// JSON of `Overview`, of what was read so far; features and findings are in the last one.
    pub fn overview(&self) -> String {
        self.reading.recording().overview()
    }

    /// How many events there are.
    pub fn length(&self) -> usize {
        self.reading.recording().times.len()
    }

    /// Unix ms of each event.
    pub fn times(&self) -> Vec<f64> {
        self.reading.recording().times.clone()
    }

    /// Method index of each event.
    pub fn methods(&self) -> Vec<u32> {
        self.reading.recording().method_of.clone()
    }

    /// Connection index of each event, -1 for the page.
    pub fn connections(&self) -> Vec<i32> {
        self.reading.recording().connection_of.clone()
    }

    /// The outcome of each call, the call of each outcome; -1 of other events.
    pub fn partners(&self) -> Vec<i32> {
        self.reading.recording().partner_of.clone()
    }

    /// Flags of each event.
    pub fn flags(&self) -> Vec<u8> {
        self.reading.recording().flags.clone()
    }

    /// A line of text for each of these events.
    pub fn previews(&self, events: &[u32]) -> Vec<String> {
        self.reading.recording().previews(events)
    }

    /// JSON of `EventValue`.
    pub fn value(&mut self, event: u32) -> Option<String> {
        self.reading.recording_mut().value(event)
    }

    /// Events that contain a text. `search_reports` looks for it in reports: from the first of them, or `onwards` from where it was.
    pub fn search(&mut self, text: &str, onwards: bool) -> Vec<u32> {
        if !onwards || self.search.is_none() {
            self.search = Some(ReportSearch::new(text));
        }
        self.reading.recording().search(text)
    }

    /// Looks at some more reports: gives the event with which it goes on, and of each report that it found the event and the place.
    pub fn search_reports(&mut self) -> Vec<u32> {
        let Some(search) = &mut self.search else { return Vec::new() };
        search.step(self.reading.recording(), REPORTS)
    }

    /// What the places are called, from that number on.
    pub fn places(&self, from: usize) -> Vec<String> {
        self.search.as_ref().map(|search| search.places(from).to_vec()).unwrap_or_default()
    }

    /// Hands the text of an anonymized copy over to `take`, part by part.
    pub fn anonymized(&self, take: &Function) {
        // What `take` throws concerns whoever called.
        self.reading.recording().anonymized(|part| drop(take.call1(&JsValue::NULL, &part.into())));
    }

    /// Unix ms of each point of a stats entry.
    pub fn points(&self, connection: usize, entry: usize) -> Option<Vec<f64>> {
        self.reading.recording().points(connection, entry).map(<[f64]>::to_vec)
    }

    /// The points of a stats entry to which no line leads.
    pub fn breaks(&self, connection: usize, entry: usize) -> Option<Vec<u32>> {
        self.reading.recording().breaks(connection, entry)
    }

    /// The values of a series of a stats entry, as many as it has points.
    pub fn series(&self, connection: usize, entry: usize, name: &str) -> Option<Vec<f64>> {
        self.reading.recording().series(connection, entry, name)
    }
}

/// A file that JavaScript hands over in pieces, so that it is never in memory as a whole.
struct Source {
    read: Function,
    size: f64,
    offset: f64,
    chunk: Vec<u8>,
    consumed: usize,
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.consumed >= self.chunk.len() && self.offset < self.size {
            let end = self.size.min(self.offset + CHUNK);
            let bytes = self
                .read
                .call2(&JsValue::NULL, &self.offset.into(), &end.into())
                .map_err(|error| read_error(ErrorKind::Other, message(&error)))?;
            self.chunk = bytes.dyn_into::<Uint8Array>().map_err(|_| read_error(ErrorKind::Other, "no bytes"))?.to_vec();
            self.consumed = 0;
            self.offset = end;
        }
        Ok(self.chunk.get(self.consumed..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.consumed = self.chunk.len().min(self.consumed + amount);
    }
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

fn message(error: &JsValue) -> String {
    error
        .dyn_ref::<js_sys::Error>()
        .map(|error| String::from(error.message()))
        .unwrap_or_else(|| "the file could not be read".to_owned())
}
