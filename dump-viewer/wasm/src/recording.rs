//! What opening a dump leaves behind; everything that the viewer asks for later is answered from it.

use rtctrace_features::Finding;

use crate::lines::{Lines, Span};
use crate::problems::Problems;
use crate::selected::Selected;
use crate::series::ConnectionSeries;
use crate::states::States;
use crate::tracks::Tracks;
use crate::value::Replay;

/// Why a file cannot be shown at all.
#[derive(Debug)]
pub struct OpenError(pub String);

/// Bits of [`Recording::flags`].
#[derive(Debug, Clone, Copy)]
pub struct EventFlags;

impl EventFlags {
    /// A call failed, or a connection did.
    pub const FAILURE: u8 = 1;
    /// Something that often goes with trouble.
    pub const WARNING: u8 = 2;
}

/// One `RTCPeerConnection`.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: String,
    pub(crate) start: f64,
    pub(crate) end: f64,
    pub(crate) events: u32,
    pub(crate) failures: u32,
    /// Event numbers of its reports, in order.
    pub(crate) reports: Vec<u32>,
    pub(crate) states: States,
    pub(crate) tracks: Tracks,
    pub(crate) series: ConnectionSeries,
    pub(crate) selected: Selected,
}

/// A dump, opened.
#[derive(Debug, Default)]
pub struct Recording {
    pub(crate) metadata: String,
    pub(crate) methods: Vec<String>,
    pub(crate) connections: Vec<Connection>,
    /// What was captured.
    pub(crate) tracks: Tracks,
    pub(crate) problems: Problems,
    /// When the page woke from a sleep that its client tells of, in order (Unix ms).
    pub(crate) woken: Vec<f64>,
    pub(crate) graphs_end: Option<f64>,
    /// JSON of what it comes to.
    pub(crate) features: String,
    /// What was wrong, the worst first.
    pub(crate) findings: Vec<Finding>,
    pub(crate) lines: Lines,
    pub(crate) spans: Vec<Span>,
    /// Line of the file of each event, counted from 1.
    pub(crate) line_numbers: Vec<u32>,
    /// One more than the entries in the report of an event, 0 for other events.
    pub(crate) sizes: Vec<u32>,
    /// Complete session descriptions with their event numbers, in order.
    pub(crate) descriptions: Vec<(u32, String)>,
    pub(crate) replay: Replay,
    /// Unix ms of each event.
    pub times: Vec<f64>,
    /// Index of each event's method.
    pub method_of: Vec<u32>,
    /// Index of each event's connection, -1 for the page.
    pub connection_of: Vec<i32>,
    /// Of each call the event that is its outcome, of each outcome its call; -1 of any other.
    pub partner_of: Vec<i32>,
    /// [`EventFlags`] of each event.
    pub flags: Vec<u8>,
}

impl Recording {
    /// The session description of an event.
    pub(crate) fn description(&self, event: u32) -> Option<&String> {
        let place = self.descriptions.binary_search_by_key(&event, |(event, _)| *event).ok()?;
        self.descriptions.get(place).map(|(_, sdp)| sdp)
    }

    /// Unix ms of each point of a stats entry.
    #[must_use]
    pub fn points(&self, connection: usize, entry: usize) -> Option<&[f64]> {
        Some(&self.connections.get(connection)?.series.entries.get(entry)?.times)
    }

    /// The points of a stats entry to which no line leads from the one before.
    #[must_use]
    pub fn breaks(&self, connection: usize, entry: usize) -> Option<Vec<u32>> {
        let connection = self.connections.get(connection)?;
        let reports = connection.reports.iter().filter_map(|event| self.times.get(*event as usize).copied());
        Some(connection.series.entries.get(entry)?.breaks(reports, &self.woken))
    }

    /// The values of a member of a stats entry, or of a series derived from its members; NaN where there is none.
    #[must_use]
    pub fn series(&self, connection: usize, entry: usize, name: &str) -> Option<Vec<f64>> {
        let breaks = self.breaks(connection, entry)?;
        self.connections.get(connection)?.series.entries.get(entry)?.values(name, &breaks)
    }
}
