//! From a report to rows. Every member of an entry ends in its column, or in `extra` if it has none or does not fit its
//! column's type; an entry that changed in nothing but its time gives no row.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rtctrace_protocol::event::{Event, SessionDecoder};
use rtctrace_protocol::json::{Kind as JsonKind, RawValue, write_string};
use rtctrace_protocol::report::{Entry, Report};
use rtctrace_protocol::sora::Counters;

use super::before::Befores;
use super::columns::TYPE;
use super::counters::CounterRows;
use super::times::Times;
use super::{Column, Kind, Table};
use crate::session::SessionId;
use crate::telemetry;

/// A row with more text is not written, only counted: every change of any member repeats all of an entry, so that a few bytes
/// from a client could fill the disk. A browser's rows have about 2 KiB.
pub(super) const LONGEST_ROW: usize = 64 * 1024;

/// An entry with a longer id gives no row: indexes have the id. A browser's have less than 50 bytes.
pub(super) const LONGEST_ID: usize = 256;
/// A longer name of Sora's clients is in no row. Names of codecs have their parameters in them.
const LONGEST_NAME: usize = 1024;
/// What Sora's log calls an entry's id; in the rows of its clients, the one that the client gave it.
const RTC_ID: &str = "rtc_id";
/// How far from a session's first report the time of a row may be, before and after: no session goes on for as long. PostgreSQL
/// keeps the rows of a day in a table of their own, and a client that made up times could have it make thousands.
const WINDOW: (f64, f64) = (DAY, 31.0 * DAY);
const DAY: f64 = 86_400_000.0;
/// The years 2000 to 2200: a clock that says another is wrong, and rows by it go to the nearest of these times.
const PLAUSIBLE: (f64, f64) = (946_684_800_000.0, 7_258_118_400_000.0);

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// The entry has no such member.
    Null,
    /// Integers and booleans.
    Integer(i64),
    /// Doubles.
    Real(f64),
    /// Text and JSON.
    Text(String),
}

/// A row of a stats table.
#[derive(Debug, Clone)]
pub(crate) struct StatsRow {
    /// The table.
    pub(crate) table: &'static Table,
    /// The session.
    pub(crate) session: SessionId,
    /// The connection's id.
    pub(crate) connection: Arc<str>,
    /// The entry's id inside the dump.
    pub(crate) stats_id: String,
    /// The entry's time, Unix time in ms; later than that of the entry's row before (see [`Times`]).
    pub(crate) time: f64,
    /// A value for each column of the table.
    pub(crate) cells: Vec<Cell>,
    /// Members without a column, a JSON object.
    pub(crate) extra: Option<String>,
    /// What the entry's row before was, a JSON object, where views by minutes need it ([`super::before`]).
    pub(crate) before: Option<String>,
}

impl StatsRow {
    /// The counters that views by minutes sum up, with the names of their columns.
    pub(super) fn summed(&self) -> impl Iterator<Item = (&str, &Cell)> {
        let counter = |at: &usize| Some((self.table.columns.get(*at)?.name.as_str(), self.cells.get(*at)?));
        self.table.summed.iter().filter_map(counter)
    }
}

/// Rows on their way, and what they hold in memory.
#[derive(Debug, Default)]
pub(crate) struct RowBatch {
    rows: Vec<StatsRow>,
    bytes: usize,
}

impl RowBatch {
    /// As much as should be handed on at once.
    const FULL: usize = 1 << 20;

    pub(super) fn push(&mut self, row: StatsRow, bytes: usize) {
        self.rows.push(row);
        self.bytes += bytes;
    }

    /// Whether it is time to hand the rows on.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= Self::FULL
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What the rows hold in memory, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The rows; the batch is empty afterwards.
    pub(crate) fn take(&mut self) -> Vec<StatsRow> {
        self.bytes = 0;
        std::mem::take(&mut self.rows)
    }
}

/// Remembers how far the reports of each connection have rows.
///
/// With an interval, an entry has a row in each part of the session that is so long, by the clock of its reports: what it said first in there. What
/// it said since has its row in the next report of another part, or, where nothing follows, at the end: so the last state is always there, and
/// no row says what no report did.
#[derive(Debug, Default)]
pub(crate) struct RowFilter {
    period: Period,
    connections: HashMap<Arc<str>, Entries>,
    /// What Sora counts, if it does.
    pub(super) counters: Option<Box<CounterRows>>,
}

/// The times that the rows of a session have.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Period {
    /// Milliseconds; 0: every change is a row.
    interval: f64,
    /// When the first report came.
    first_time: Option<f64>,
}

/// When a report came.
#[derive(Debug, Clone, Copy)]
pub(super) struct When {
    /// The time for rows that have none of their own.
    pub(super) time: f64,
    /// The part of the session.
    pub(super) part: i64,
}

impl Period {
    /// When the next report came, by its event.
    pub(super) fn take(&mut self, event_time: f64) -> When {
        let first = *self.first_time.get_or_insert(event_time.clamp(PLAUSIBLE.0, PLAUSIBLE.1));
        let part = if self.is_thinned() { ((event_time - first) / self.interval).floor() as i64 } else { 0 };
        When { time: if self.has(event_time) { event_time } else { first }, part }
    }

    /// Whether a row may have that time.
    pub(super) fn has(&self, time: f64) -> bool {
        self.first_time.is_some_and(|first| (first - WINDOW.0..=first + WINDOW.1).contains(&time))
    }

    /// Whether not every change is a row.
    pub(super) fn is_thinned(&self) -> bool {
        self.interval > 0.0
    }
}

#[derive(Debug, Default)]
struct Entries {
    /// The number of the newest report that was seen, and the part of the session that it lies in.
    seen: u64,
    part: i64,
    /// With an interval: of the entries of the newest report, by id.
    newest: HashMap<Box<str>, Newest>,
    times: Times,
    befores: Befores,
    /// When the newest report came, by its own time.
    time: Option<f64>,
    /// What Sora's client calls its entries, by their ids inside the dump.
    names: HashMap<Box<str>, Box<str>>,
}

/// What there is of an entry.
#[derive(Debug)]
struct Newest {
    /// The part of the session that its newest row lies in.
    part: i64,
    /// Since when it says something of which there is no row yet: the time of that row.
    waits: Option<f64>,
}

/// Whose rows are made.
struct Maker<'m> {
    session: SessionId,
    connection: &'m Arc<str>,
    times: &'m mut Times,
    befores: &'m mut Befores,
    names: &'m HashMap<Box<str>, Box<str>>,
    rows: &'m mut RowBatch,
}

impl RowFilter {
    /// Nothing was seen yet; of each entry there is a row for every change, or, unless it is nothing, one for each interval.
    pub(crate) fn new(interval: Duration) -> Self {
        let period = Period { interval: interval.as_secs_f64() * 1000.0, first_time: None };
        Self { period, ..Self::default() }
    }

    /// Appends the rows of what Sora says in a session of its own, if the event is that.
    pub(crate) fn counters(&mut self, session: SessionId, event: &Event<'_>, rows: &mut RowBatch) {
        let (counters, node) = (Counters::of(event), Counters::node_of(event));
        if counters.is_none() && node.is_none() {
            return;
        }
        let known = self.counters.get_or_insert_with(|| {
            let period = Period { first_time: None, ..self.period };
            Box::new(CounterRows::new(period))
        });
        if let Some(node) = node {
            known.are_of_node(&node);
        }
        if let Some(counters) = counters {
            known.rows(session, event.connection.as_deref(), &counters, rows);
        }
    }

    /// What entries are called from here on by a client of Sora's: `names` is what the line of its report says of the ids in it. Rows have that, too.
    pub(crate) fn name(&mut self, connection: &str, names: RawValue<'_>, report: &Report) {
        let Some(ids) = names.get("ids") else { return };
        let id = match self.connections.get_key_value(connection) {
            Some((id, _)) => Arc::clone(id),
            None => Arc::from(connection),
        };
        let known = &mut self.connections.entry(id).or_default().names;
        let named = ids.members().filter_map(|(short, name)| Some((short, name.as_str()?)));
        let fitting = named.filter(|(short, name)| short.len() <= LONGEST_ID && name.len() <= LONGEST_NAME);
        known.extend(fitting.map(|(short, name)| (short.into(), name.into())));
        if known.len() > 2 * report.len() + 64 {
            known.retain(|short, _| report.get(short).is_some());
        }
    }

    /// Appends the rows of a report. `event_time` stands in for entries without a usable time, or with one that is not later than that of
    /// their row before.
    pub(crate) fn rows(
        &mut self,
        session: SessionId,
        connection: &str,
        report: &Report,
        event_time: f64,
        rows: &mut RowBatch,
    ) {
        let id = match self.connections.get_key_value(connection) {
            Some((id, _)) => Arc::clone(id),
            None => Arc::from(connection),
        };
        let entries = self.connections.entry(Arc::clone(&id)).or_default();
        let When { time: report_time, part } = self.period.take(event_time);
        let (period, is_thinned) = (self.period, self.period.is_thinned());
        let Entries { seen, part: newest_part, newest, times, befores, time: time_before, names } = entries;
        let mut maker = Maker { session, connection: &id, times, befores, names, rows };
        let own = |time: f64| Some(time).filter(|time| period.has(*time));
        let time_before = time_before.replace(own(report.timestamp()).unwrap_or(report_time));
        // One that is of another type now is a new one.
        for entry in report.gone() {
            if let Some(Newest { waits: Some(time), .. }) = newest.remove(entry.id()) {
                maker.make(entry, time, None);
            }
            maker.befores.gone(entry.id());
        }
        let seen = std::mem::replace(seen, report.generation());
        // Those that wait for another part have their turn when it begins, whether or not they are named.
        let is_due = std::mem::replace(newest_part, part) != part && is_thinned;
        let since = if is_due { 0 } else { seen };
        for (_, entry) in report.changed_since(since) {
            let differs = entry.differs_since(seen);
            let known = if is_thinned { newest.get_mut(entry.id()) } else { None };
            if !differs && known.as_ref().is_none_or(|newest| newest.waits.is_none()) {
                continue;
            }
            let time = maker.times.later(entry.id(), own(entry.timestamp()).unwrap_or(report_time), report_time);
            // Until the report before, nothing was said that has no row.
            let told = time_before.filter(|_| known.as_ref().is_none_or(|newest| newest.waits.is_none()));
            match known {
                Some(newest) if newest.part == part => {
                    newest.waits = if differs { Some(time) } else { newest.waits };
                    continue;
                }
                Some(newest) => (newest.part, newest.waits) = (part, None),
                None if is_thinned => {
                    newest.insert(entry.id().into(), Newest { part, waits: None });
                }
                None => {}
            }
            maker.make(entry, time, told);
        }
        times.forget_gone(report);
        befores.forget_gone(report);
    }

    /// Appends rows of what was said last and has none yet, after the last report of all. False if the batch is full before that: there are more.
    pub(crate) fn end(&mut self, session: SessionId, decoder: &SessionDecoder, rows: &mut RowBatch) -> bool {
        for (connection, entries) in &mut self.connections {
            let Some(report) = decoder.report(connection) else { continue };
            let Entries { newest, times, befores, names, .. } = entries;
            for entry in report.entries() {
                if rows.is_full() {
                    return false;
                }
                if let Some(time) = newest.get_mut(entry.id()).and_then(|newest| newest.waits.take()) {
                    Maker { session, connection, times, befores, names, rows }.make(entry, time, None);
                }
            }
        }
        self.counters.as_mut().is_none_or(|counters| counters.end(session, rows))
    }
}

impl Maker<'_> {
    /// `told`: when the newest report came that said the same as the entry's row before.
    fn make(&mut self, entry: Entry<'_>, time: f64, told: Option<f64>) {
        let Some(table) = Table::of(entry.kind()) else { return };
        let text: usize = entry.members().map(|(name, value)| name.len() + value.text().len()).sum();
        if text > LONGEST_ROW || entry.id().len() > LONGEST_ID {
            telemetry::stats_lost(1);
            return;
        }
        self.times.set(entry.id(), time);
        let name = self.names.get(entry.id()).map(|name| &**name);
        let mut row = row(table, self.session, Arc::clone(self.connection), (entry, name), time);
        row.before = self.befores.of_next(entry.id(), &row, told);
        self.rows.push(row, bytes(table, text));
    }
}

/// What a row holds in memory, roughly, of an entry with so much text.
pub(super) fn bytes(table: &Table, text: usize) -> usize {
    size_of::<StatsRow>() + table.columns.len() * size_of::<Cell>() + text
}

fn row(
    table: &'static Table,
    session: SessionId,
    connection: Arc<str>,
    (entry, rtc_id): (Entry<'_>, Option<&str>),
    time: f64,
) -> StatsRow {
    let mut cells = vec![Cell::Null; table.columns.len()];
    let mut extra = String::new();
    if let Some(rtc_id) = rtc_id {
        extra.push('{');
        write_string(&mut extra, RTC_ID);
        extra.push(':');
        write_string(&mut extra, rtc_id);
    }
    if let Some(cell) = table.position(TYPE).and_then(|at| cells.get_mut(at)) {
        *cell = Cell::Text(entry.kind().to_owned());
    }
    for (property, name, value) in entry.members_by_property() {
        let position = table.position_of(property, name);
        let column = position.and_then(|at| table.columns.get(at).zip(cells.get_mut(at)));
        if let Some((column, cell)) = column
            && let Some(fitting) = fit(column, value)
        {
            *cell = fitting;
            continue;
        }
        if rtc_id.is_some() && name == RTC_ID {
            continue;
        }
        extra.push(if extra.is_empty() { '{' } else { ',' });
        write_string(&mut extra, name);
        extra.push(':');
        extra.push_str(value.text());
    }
    let extra = (!extra.is_empty()).then(|| extra + "}");
    StatsRow { table, session, connection, stats_id: entry.id().to_owned(), time, cells, extra, before: None }
}

/// The value in its column's type, if it is of that type.
pub(super) fn fit(column: &Column, value: RawValue<'_>) -> Option<Cell> {
    Some(match column.kind {
        Kind::Integer => Cell::Integer(value.as_i64()?),
        Kind::Real => Cell::Real(value.as_f64()?),
        Kind::Text => Cell::Text(value.as_str()?.into_owned()),
        Kind::Bool => Cell::Integer(value.as_bool()?.into()),
        Kind::Json if value.kind() == JsonKind::Object => Cell::Text(value.text().to_owned()),
        Kind::Json => return None,
    })
}

#[cfg(test)]
mod tests {
    use rtctrace_protocol::report::ReportDecoder;

    use super::*;

    const EVENT_TIME: f64 = 1_795_159_384_900.0;

    fn rows_of(filter: &mut RowFilter, decoder: &mut ReportDecoder, delta: &str) -> Vec<StatsRow> {
        let mut rows = RowBatch::default();
        let report = decoder.decode(RawValue::parse(delta).unwrap()).unwrap();
        filter.rows(SessionId::new(), "PC_0", report, EVENT_TIME, &mut rows);
        rows.take()
    }

    fn cell<'a>(row: &'a StatsRow, member: &str) -> &'a Cell {
        &row.cells[row.table.position(member).unwrap()]
    }

    #[test]
    fn members_end_in_their_columns_and_all_others_in_extra() {
        let delta = r#"{"t":1795159384861.5,"0":{"type":1,"ssrc":4294967295,"jitter":0.004,"kind":"audio","powerEfficientDecoder":true,
            "packetsLost":-3,"googTiming":"a\"b","jitterBufferFlushes":2,"framesDecoded":"many","bytesReceived":18446744073709551615}}"#;
        let rows = rows_of(&mut RowFilter::new(Duration::ZERO), &mut ReportDecoder::new(), delta);
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((row.table.name, &*row.connection, row.stats_id.as_str()), ("stats_inbound_rtp", "PC_0", "0"));
        assert_eq!(row.time, 1_795_159_384_861.5);
        assert_eq!(cell(row, "ssrc"), &Cell::Integer(4_294_967_295));
        assert_eq!(cell(row, "packetsLost"), &Cell::Integer(-3));
        assert_eq!(cell(row, "jitter"), &Cell::Real(0.004));
        assert_eq!(cell(row, "kind"), &Cell::Text("audio".to_owned()));
        assert_eq!(cell(row, "powerEfficientDecoder"), &Cell::Integer(1));
        assert_eq!(cell(row, "framesDecoded"), &Cell::Null);
        let expected = r#"{"googTiming":"a\"b","jitterBufferFlushes":2,"framesDecoded":"many","bytesReceived":18446744073709551615}"#;
        assert_eq!(row.extra.as_deref(), Some(expected));
    }

    #[test]
    fn a_row_that_no_browser_would_give_is_left_out() {
        let long = "x".repeat(LONGEST_ROW);
        let delta = format!(r#"{{"t":1,"0":{{"type":1,"kind":"{long}"}},"1":{{"type":1,"kind":"audio"}}}}"#);
        let rows = rows_of(&mut RowFilter::new(Duration::ZERO), &mut ReportDecoder::new(), &delta);
        assert_eq!(rows.len(), 1);
    }

    #[test]
    fn an_entry_of_any_kind_gives_a_row_that_says_which() {
        let delta = r#"{"t":1795159384861,"a":{"type":"local-candidate","port":9},"b":{"type":"certificate","fingerprint":"00"},"c":{"x":1}}"#;
        let rows = rows_of(&mut RowFilter::new(Duration::ZERO), &mut ReportDecoder::new(), delta);
        let said = |row: &StatsRow| (row.table.name, cell(row, TYPE).clone(), row.extra.clone());
        let text = |text: &str| Cell::Text(text.to_owned());
        assert_eq!(said(&rows[0]), ("stats_ice_candidate", text("local-candidate"), None));
        assert_eq!(said(&rows[1]), ("stats_other", text("certificate"), Some(r#"{"fingerprint":"00"}"#.to_owned())));
        assert_eq!(said(&rows[2]), ("stats_other", text(""), Some(r#"{"x":1}"#.to_owned())));
    }

    #[test]
    fn a_time_that_nobody_had_is_that_of_the_report() {
        for (given, kept) in
            [("1795159384861.5", 1_795_159_384_861.5), ("7", EVENT_TIME), ("1e15", EVENT_TIME), ("-1", EVENT_TIME)]
        {
            let delta = format!(r#"{{"t":{given},"0":{{"type":1,"jitter":{given}}}}}"#);
            let rows = rows_of(&mut RowFilter::new(Duration::ZERO), &mut ReportDecoder::new(), &delta);
            assert_eq!(rows[0].time, kept, "{given}");
        }
    }

    #[test]
    fn a_time_that_stands_still_or_goes_back_gives_the_row_that_of_the_report_or_the_next_that_is_later() {
        let (mut filter, mut decoder, mut packets) = (RowFilter::new(Duration::ZERO), SessionDecoder::new(), 0);
        let mut before = None;
        let mut time = |own: f64, at: f64, change: &str| {
            let (mut rows, began) = (RowBatch::default(), before.replace(at).unwrap_or(0.0));
            packets += 1;
            let entry = format!(r#"{{"type":"remote-outbound-rtp","timestamp":{own},"packetsSent":{packets}}}"#);
            let line = format!(r#"["g","PC_0",{{"0":{entry}{change}}},{}]"#, at - began);
            let event = decoder.decode(&line).unwrap();
            filter.rows(SessionId::new(), "PC_0", event.value.report().unwrap(), event.time, &mut rows);
            let row = rows.take().into_iter().find(|row| row.stats_id == "0").unwrap();
            assert_eq!(cell(&row, "packetsSent"), &Cell::Integer(packets));
            row.time
        };
        let (start, own) = (EVENT_TIME, EVENT_TIME - 300.086);
        assert_eq!(time(own, start, ""), own);
        assert_eq!(time(own, start + 1000.0, ""), start + 1000.0);
        assert_eq!(time(own, start + 2000.0, ""), start + 2000.0);
        // One that the report's time has overtaken.
        assert_eq!(time(start + 1900.0, start + 3000.0, ""), start + 3000.0);
        assert_eq!(time(start + 3500.5, start + 4000.0, ""), start + 3500.5);
        // PostgreSQL has microseconds, so less is not later.
        assert_eq!(time(start + 3500.5003, start + 3500.0, ""), start + 3500.501);
        assert_eq!(time(own, start + 3500.0, ""), start + 3500.502);
        // One that was gone is the same entry.
        time(own, start + 5000.0, r#","1":{"type":"transport"}"#);
        assert_eq!(time(start + 4000.0, start + 5000.0, r#","1":null"#), start + 5000.001);
    }

    #[test]
    fn with_an_interval_no_two_rows_of_an_entry_have_one_time() {
        let (mut filter, mut decoder) = (RowFilter::new(Duration::from_secs(10)), SessionDecoder::new());
        let (session, own, mut before) = (SessionId::new(), EVENT_TIME - 300.0, 0.0);
        let mut rows = RowBatch::default();
        for (packets, at) in [0.0, 1.0, 10.0, 11.0, 12.0].into_iter().enumerate() {
            let at = EVENT_TIME + at * 1000.0;
            let entry = format!(r#"{{"type":"remote-outbound-rtp","timestamp":{own},"packetsSent":{packets}}}"#);
            let line = format!(r#"["g","PC_0",{{"0":{entry}}},{}]"#, at - before);
            let event = decoder.decode(&line).unwrap();
            before = at;
            filter.rows(session, "PC_0", event.value.report().unwrap(), event.time, &mut rows);
        }
        let said = |rows: &mut RowBatch| -> Vec<_> {
            rows.take().iter().map(|row| (row.time - EVENT_TIME, cell(row, "packetsSent").clone())).collect()
        };
        let expected = [(-300.0, Cell::Integer(0)), (10_000.0, Cell::Integer(2))];
        assert_eq!(said(&mut rows), expected);
        assert!(filter.end(session, &decoder, &mut rows));
        assert_eq!(said(&mut rows), [(12_000.0, Cell::Integer(4))]);
    }

    #[test]
    fn an_entry_that_changed_in_nothing_but_its_time_gives_no_row() {
        let (mut filter, mut decoder) = (RowFilter::new(Duration::ZERO), ReportDecoder::new());
        let mut count = |delta| rows_of(&mut filter, &mut decoder, delta).len();
        assert_eq!(
            count(r#"{"t":1000,"0":{"type":2,"packetsSent":1},"1":{"type":6,"nominated":true},"2":{"type":5}}"#),
            3
        );
        assert_eq!(count(r#"{"t":2000,"0":{"packetsSent":2}}"#), 1);
        assert_eq!(count(r#"{"t":3000}"#), 0);
        assert_eq!(count(r#"{"t":4000,"1":null}"#), 0);
        assert_eq!(count(r#"{"t":5000,"1":{"type":6,"nominated":true}}"#), 1);
    }

    #[test]
    fn with_an_interval_the_first_state_in_it_has_a_row_and_the_last_of_all() {
        let (mut filter, mut decoder) = (RowFilter::new(Duration::from_secs(10)), SessionDecoder::new());
        let (session, mut time) = (SessionId::new(), None);
        let start = EVENT_TIME as u64;
        let packets = |rows: &mut RowBatch| -> Vec<(u64, Cell)> {
            let rows = rows.take();
            rows.iter().map(|row| (row.time as u64 - start, cell(row, "packetsSent").clone())).collect()
        };
        let mut report = |decoder: &mut SessionDecoder, filter: &mut RowFilter, at: u64, entries: &str| {
            let delta = time.map_or(start + at, |before| at - before);
            time = Some(at);
            let line = format!(r#"["g","PC_0",{{"t":{}{entries}}},{delta}]"#, start + at);
            let (mut rows, event) = (RowBatch::default(), decoder.decode(&line).unwrap());
            filter.rows(session, "PC_0", event.value.report().unwrap(), event.time, &mut rows);
            packets(&mut rows)
        };
        let mut said = |at, entries| report(&mut decoder, &mut filter, at, entries);
        let count = |at: u64, packets: i64| (at, Cell::Integer(packets));
        assert_eq!(said(0, r#","0":{"type":2,"packetsSent":1}"#), [count(0, 1)]);
        assert_eq!(said(1_000, r#","0":{"packetsSent":2}"#), []);
        // One that is new has its row at once.
        assert_eq!(said(5_000, r#","0":{"packetsSent":3},"1":{"type":2,"packetsSent":100}"#), [count(5_000, 100)]);
        // What stands still is told as it stands.
        assert_eq!(said(10_500, ""), [count(10_500, 3)]);
        assert_eq!(said(21_000, ""), []);
        assert_eq!(said(22_000, r#","0":{"packetsSent":3}"#), []);
        assert_eq!(said(23_000, r#","0":{"packetsSent":4}"#), [count(23_000, 4)]);
        // What goes, and what is there at the end, is told with the time at which it became so.
        assert_eq!(said(24_000, r#","0":{"packetsSent":5},"1":{"packetsSent":101}"#), [count(24_000, 101)]);
        assert_eq!(said(25_000, r#","0":null,"1":{"packetsSent":102}"#), [count(24_000, 5)]);
        assert_eq!(said(26_000, r#","0":{"type":2,"packetsSent":5}"#), [count(26_000, 5)]);
        assert_eq!(said(27_000, ""), []);
        for expected in [vec![count(25_000, 102)], vec![]] {
            let mut rows = RowBatch::default();
            assert!(filter.end(session, &decoder, &mut rows));
            assert_eq!(packets(&mut rows), expected);
        }
    }

    #[test]
    fn an_entry_of_another_type_is_a_new_one_and_what_it_was_is_told() {
        let (mut filter, mut decoder) = (RowFilter::new(Duration::from_secs(10)), ReportDecoder::new());
        let mut tables = |delta| -> Vec<&str> {
            rows_of(&mut filter, &mut decoder, delta).iter().map(|row| row.table.name).collect()
        };
        assert_eq!(tables(r#"{"t":1,"0":{"type":2,"packetsSent":1}}"#), ["stats_outbound_rtp"]);
        assert_eq!(tables(r#"{"t":2,"0":{"packetsSent":2}}"#), [""; 0]);
        assert_eq!(tables(r#"{"t":3,"0":{"type":1}}"#), ["stats_outbound_rtp", "stats_inbound_rtp"]);
    }
}
