//! What the SFU Sora counts itself, as rows: of each entry of a push one, unless nothing but its time has changed. What stands in objects of an
//! entry is a value of its own, by its path: `rtp.total_sent_rtp` has its column, and all that have none are in `extra` by such names.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::Arc;

use rtctrace_protocol::json::{Kind as JsonKind, RawValue, write_string};
use rtctrace_protocol::sora::Counters;

use super::columns::TYPE;
use super::rows::{self, Cell, LONGEST_ID, LONGEST_ROW, Period, RowBatch, StatsRow, fit};
use super::times::later;
use super::{Column, Table};
use crate::session::SessionId;
use crate::store::database::Moment;
use crate::telemetry;

/// So many entries of a push have rows, so many of a session are compared with what they said before, and so much text is kept of what waits for its
/// row. Sora has a hundredth of it; beyond, those of a session are told anew.
const MOST_ENTRIES: usize = 1024;
const MOST_WAITING: usize = 1 << 20;

/// An object whose path is longer stays one value: each value in it would repeat the path.
const LONGEST_PATH: usize = 64;

/// What an entry of a type says of the Erlang machine is named by what follows this.
const ERLANG: &str = "erlang-vm-";

/// Remembers what the entries of one session's pushes have said.
#[derive(Debug, Default)]
pub(super) struct CounterRows {
    period: Period,
    /// The node that the counters of nodes are of.
    node: Arc<str>,
    /// By a hash of table, connection and id.
    known: HashMap<u64, Known>,
    /// What the text of those holds that wait.
    waiting: usize,
}

/// What there is of an entry.
#[derive(Debug, Default)]
struct Known {
    /// A hash of what it said last; none before it has.
    said: Option<u64>,
    /// The part of the session that its newest row lies in.
    part: i64,
    /// The time of its newest row.
    newest: Option<Moment>,
    /// What it has said since.
    waits: Option<Box<Counted>>,
}

/// An entry, so that a row can be made of it.
#[derive(Debug)]
struct Counted {
    table: &'static Table,
    connection: Arc<str>,
    id: String,
    time: f64,
    text: String,
}

impl CounterRows {
    /// Nothing was said yet.
    pub(super) fn new(period: Period) -> Self {
        Self { period, ..Self::default() }
    }

    /// The counters of nodes that follow are this one's.
    pub(super) fn are_of_node(&mut self, name: &str) {
        self.node = name.into();
    }

    /// Appends the rows of a push. `connection`: whose counters they are, unless they are the node's.
    pub(super) fn rows(
        &mut self,
        session: SessionId,
        connection: Option<&str>,
        counters: &Counters<'_>,
        rows: &mut RowBatch,
    ) {
        let Some(table) = Table::counted(counters.subject) else { return };
        let connection = connection.map_or_else(|| Arc::clone(&self.node), Arc::from);
        let time = self.period.take(counters.time);
        let mut ids = Vec::new();
        for entry in counters.entries() {
            let fits = ids.len() < MOST_ENTRIES && entry.text().len() <= LONGEST_ROW;
            let Some(id) = Some(entry).filter(|_| fits).and_then(|entry| id_of(entry, &mut ids)) else {
                telemetry::stats_lost(1);
                continue;
            };
            if self.known.len() >= MOST_ENTRIES || self.waiting > MOST_WAITING {
                self.tell_all(session, rows);
            }
            let known = self.known.entry(hash((table.name, &*connection, &*id))).or_default();
            let said = Some(said(entry));
            let differs = known.said != said;
            if !differs && known.waits.is_none() {
                continue;
            }
            known.said = said;
            let own_time = Counters::time_of(entry).filter(|time| self.period.has(*time)).unwrap_or(time.time);
            let time_of_row = later(known.newest, own_time, time.time);
            let counted =
                Counted { table, connection: Arc::clone(&connection), id, time: time_of_row, text: String::new() };
            if known.newest.is_some() && self.period.is_thinned() && known.part == time.part {
                if differs {
                    let before = known.waits.replace(Box::new(Counted { text: entry.text().to_owned(), ..counted }));
                    self.waiting += entry.text().len();
                    self.waiting = self.waiting.saturating_sub(before.map_or(0, |before| before.text.len()));
                }
                continue;
            }
            let before = known.waits.take();
            self.waiting = self.waiting.saturating_sub(before.map_or(0, |before| before.text.len()));
            (known.part, known.newest) = (time.part, Some(Moment::of_fraction(time_of_row)));
            counted.row(session, entry, rows);
        }
    }

    /// Appends rows of what was said last and has none yet, behind the last push. False if the batch is full before that: there are more.
    pub(super) fn end(&mut self, session: SessionId, rows: &mut RowBatch) -> bool {
        for known in self.known.values_mut().filter(|known| known.waits.is_some()) {
            if rows.is_full() {
                return false;
            }
            known.tell(session, rows);
        }
        self.waiting = 0;
        true
    }

    /// Forgets what was said, and leaves nothing of it without its row.
    fn tell_all(&mut self, session: SessionId, rows: &mut RowBatch) {
        self.known.values_mut().for_each(|known| known.tell(session, rows));
        self.known.clear();
        self.waiting = 0;
    }
}

impl Known {
    fn tell(&mut self, session: SessionId, rows: &mut RowBatch) {
        let Some(counted) = self.waits.take() else { return };
        self.newest = Some(Moment::of_fraction(counted.time));
        if let Ok(entry) = RawValue::parse(&counted.text) {
            counted.row(session, entry, rows);
        }
    }
}

impl Counted {
    fn row(&self, session: SessionId, entry: RawValue<'_>, rows: &mut RowBatch) {
        let Self { table, connection, id, time, .. } = self;
        let mut values = Values { table, cells: vec![Cell::Null; table.columns.len()], extra: String::new() };
        let kind = kind_of(entry);
        if let Some(cell) = table.position(TYPE).and_then(|at| values.cells.get_mut(at)).filter(|_| kind.is_some()) {
            *cell = Cell::Text(kind.as_deref().unwrap_or_default().to_owned());
        }
        let group = kind.as_deref().map_or("", |kind| kind.strip_prefix(ERLANG).unwrap_or(kind));
        let has_id = told_id(entry).is_some();
        let mut path = String::new();
        for (name, value) in entry.members() {
            let is_told = match &*name {
                "id" => has_id,
                TYPE => kind.is_some(),
                "timestamp" => Counters::time_of(entry).is_some(),
                _ => false,
            };
            if !is_told {
                path.push_str(&name);
                values.take(group, &mut path, value);
                path.clear();
            }
        }
        let Values { cells, extra, .. } = values;
        if extra.len() > LONGEST_ROW {
            telemetry::stats_lost(1);
            return;
        }
        let extra = (!extra.is_empty()).then(|| extra + "}");
        let bytes = rows::bytes(table, entry.text().len());
        let (connection, stats_id) = (Arc::clone(connection), id.clone());
        rows.push(StatsRow { table, session, connection, stats_id, time: *time, cells, extra, before: None }, bytes);
    }
}

/// The values of a row.
struct Values {
    table: &'static Table,
    cells: Vec<Cell>,
    extra: String,
}

impl Values {
    /// Takes in the value that `path` leads to. What an entry of a type says itself may have its column under that `group`.
    fn take(&mut self, group: &str, path: &mut String, value: RawValue<'_>) {
        let length = path.len();
        let is_group = value.kind() == JsonKind::Object && value.members().next().is_some();
        if is_group && length <= LONGEST_PATH {
            for (name, value) in value.members() {
                path.push('.');
                path.push_str(&name);
                self.take(group, path, value);
                path.truncate(length);
            }
        } else if !self.put(group, path, value) && self.extra.len() <= LONGEST_ROW {
            self.extra.push(if self.extra.is_empty() { '{' } else { ',' });
            write_string(&mut self.extra, path);
            self.extra.push(':');
            self.extra.push_str(value.text());
        }
    }

    /// Whether the value has a column, and is in it.
    fn put(&mut self, group: &str, path: &str, value: RawValue<'_>) -> bool {
        let found = |path: &str| -> Option<(usize, &'static Column)> {
            let at = self.table.position(path)?;
            Some((at, self.table.columns.get(at)?))
        };
        let place = found(path).or_else(|| if group.is_empty() { None } else { found(&format!("{group}.{path}")) });
        let Some((at, column)) = place else { return false };
        let free = self.cells.get_mut(at).filter(|cell| **cell == Cell::Null);
        match free.zip(fit(column, value)) {
            Some((cell, fitting)) => {
                *cell = fitting;
                true
            }
            None => false,
        }
    }
}

/// The type of an entry.
fn kind_of(entry: RawValue<'_>) -> Option<Cow<'_, str>> {
    entry.get(TYPE).and_then(RawValue::as_str)
}

/// The id that an entry says itself.
fn told_id(entry: RawValue<'_>) -> Option<Cow<'_, str>> {
    entry.get("id").and_then(RawValue::as_str).filter(|id| !id.is_empty())
}

/// What an entry is called: its id, or else its type, or else by its place. No two of a push are called alike. `None` if that is too long.
fn id_of(entry: RawValue<'_>, ids: &mut Vec<String>) -> Option<String> {
    let told = told_id(entry).or_else(|| kind_of(entry).filter(|kind| !kind.is_empty()));
    let id = match told.as_deref() {
        Some(told) if !ids.iter().any(|id| id == told) => told.to_owned(),
        Some(told) => format!("{told}#{}", ids.len()),
        None => format!("#{}", ids.len()),
    };
    ids.push(id.clone());
    (id.len() <= LONGEST_ID).then_some(id)
}

/// A hash of all that an entry says but its time, in whatever order.
fn said(entry: RawValue<'_>) -> u64 {
    let has_time = Counters::time_of(entry).is_some();
    let members = entry.members().filter(|(name, _)| !(has_time && name == "timestamp"));
    members.fold(0, |sum: u64, (name, value)| sum.wrapping_add(hash((&*name, value.text()))))
}

/// The same in every process.
fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rtctrace_protocol::event::SessionDecoder;

    use super::super::RowFilter;
    use super::*;

    const START: u64 = 1_795_983_300_000;

    /// The rows of a push of a connection, so many ms after the start: its entries are these.
    fn rows_of(filter: &mut RowFilter, at: u64, entries: &str) -> Vec<StatsRow> {
        let (mut decoder, mut rows) = (SessionDecoder::new(), RowBatch::default());
        let line = format!(r#"[":sora.stats","C1",{entries},{}]"#, START + at);
        filter.counters(SessionId::new(), &decoder.decode(&line).unwrap(), &mut rows);
        rows.take()
    }

    fn cell<'r>(row: &'r StatsRow, member: &str) -> &'r Cell {
        &row.cells[row.table.position(member).unwrap()]
    }

    /// Times after the start, and how much was received.
    fn received(rows: &[StatsRow]) -> Vec<(u64, Cell)> {
        rows.iter().map(|row| (row.time as u64 - START, cell(row, "rtp.total_received_rtp").clone())).collect()
    }

    fn push(received: u64) -> String {
        format!(r#"[{{"rtp":{{"total_received_rtp":{received}}}}}]"#)
    }

    fn count(at: u64, received: i64) -> (u64, Cell) {
        (at, Cell::Integer(received))
    }

    #[test]
    fn an_entry_that_changed_in_nothing_but_its_time_gives_no_row() {
        let mut filter = RowFilter::new(Duration::ZERO);
        let first = r#"[{"timestamp":1795983300000,"rtp":{"a":1},"b":2}]"#;
        let second = r#"[{"b":2,"rtp":{"a":1},"timestamp":"2026-11-29T20:15:01Z"}]"#;
        // That is no time.
        let third = r#"[{"timestamp":"soon","rtp":{"a":1},"b":2}]"#;
        let mut said = |at, entries| rows_of(&mut filter, at, entries).len();
        let counts = [said(0, first), said(1000, second), said(2000, third), said(3000, third), said(4000, "[]")];
        assert_eq!(counts, [1, 0, 1, 0, 0]);
        assert_eq!(said(5000, first), 1);
    }

    #[test]
    fn with_an_interval_the_first_state_in_it_has_a_row_and_the_last_of_all() {
        let mut filter = RowFilter::new(Duration::from_secs(10));
        let mut said = |at, total| received(&rows_of(&mut filter, at, &push(total)));
        assert_eq!(said(0, 1), [count(0, 1)]);
        assert_eq!(said(1_000, 2), []);
        assert_eq!(said(5_000, 3), []);
        assert_eq!(said(10_500, 3), [count(10_500, 3)]);
        assert_eq!(said(21_000, 3), []);
        assert_eq!(said(22_000, 4), [count(22_000, 4)]);
        assert_eq!(said(23_000, 5), []);
        for expected in [vec![count(23_000, 5)], vec![]] {
            let mut rows = RowBatch::default();
            assert!(filter.end(SessionId::new(), &SessionDecoder::new(), &mut rows));
            assert_eq!(received(&rows.take()), expected);
        }
    }

    #[test]
    fn no_two_rows_of_an_entry_have_one_time() {
        let mut filter = RowFilter::new(Duration::ZERO);
        let entry = |total: u64| format!(r#"[{{"timestamp":{START},"rtp":{{"total_received_rtp":{total}}}}}]"#);
        let start = START as f64;
        let mut time = |at, total| rows_of(&mut filter, at, &entry(total))[0].time;
        assert_eq!([time(0, 1), time(1000, 2), time(1000, 3)], [start, start + 1000.0, start + 1000.001]);
        // A clock that nobody has.
        let far = rows_of(&mut filter, 2000, r#"[{"timestamp":7,"id":"x"}]"#);
        assert_eq!(far[0].time, start + 2000.0);
    }

    #[test]
    fn entries_without_an_id_are_told_apart() {
        let entries = r#"[{"a":1},{"a":1},{"type":"t"},{"type":"t"},{"id":"t"},{"id":7},7]"#;
        let rows = rows_of(&mut RowFilter::new(Duration::ZERO), 0, entries);
        let ids: Vec<&str> = rows.iter().map(|row| row.stats_id.as_str()).collect();
        assert_eq!(ids, ["#0", "#1", "t", "t#3", "t#4", "#5"]);
        assert_eq!(rows[5].extra.as_deref(), Some(r#"{"id":7}"#));
    }

    #[test]
    fn what_no_sora_says_costs_no_more_than_it_is() {
        let mut filter = RowFilter::new(Duration::ZERO);
        // A path that each of many values would repeat.
        let many: Vec<String> = (0..5_000).map(|number| format!("\"{number}\":1")).collect();
        let deep = format!(r#"[{{"{}":{{{}}}}}]"#, "p".repeat(1_000), many.join(","));
        let rows = rows_of(&mut filter, 0, &deep);
        assert!(rows[0].extra.as_ref().unwrap().len() < deep.len() + 10);
        // Names without a letter, one inside of the other.
        let nested = format!("[{}1{}]", r#"{"":"#.repeat(100), "}".repeat(100));
        assert_eq!(rows_of(&mut filter, 1, &nested).len(), 1);
        // Values whose paths are longer than all of them.
        let wide = format!(r#"[{{"{}":{{{}}}}}]"#, "p".repeat(60), many.join(","));
        assert!(rows_of(&mut filter, 2, &wide).is_empty());
        let long = format!(r#"[{{"a":"{}"}},{{"id":"{}"}},{{"id":"x"}}]"#, "x".repeat(LONGEST_ROW), "x".repeat(300));
        assert_eq!(rows_of(&mut filter, 3, &long).len(), 1);
        let entries: Vec<String> = (0..3 * MOST_ENTRIES).map(|_| "{}".to_owned()).collect();
        assert!(rows_of(&mut filter, 4, &format!("[{}]", entries.join(","))).len() <= MOST_ENTRIES);
    }

    #[test]
    fn of_more_than_is_remembered_nothing_is_without_its_row() {
        let mut filter = RowFilter::new(Duration::from_secs(10));
        let state = |id: usize, state: usize| format!(r#"[{{"id":"{id}","rtp":{{"total_received_rtp":{state}}}}}]"#);
        let mut rows = Vec::new();
        for id in 0..2 * MOST_ENTRIES {
            rows.extend(rows_of(&mut filter, id as u64, &state(id, 0)));
            rows.extend(rows_of(&mut filter, id as u64 + 1, &state(id, 1)));
        }
        let mut rest = RowBatch::default();
        assert!(filter.end(SessionId::new(), &SessionDecoder::new(), &mut rest));
        rows.extend(rest.take());
        assert_eq!(rows.len(), 4 * MOST_ENTRIES);
        let held = filter.counters.as_ref().map(|counters| (counters.known.len(), counters.waiting));
        assert!(held.is_some_and(|(known, waiting)| known <= MOST_ENTRIES && waiting == 0), "{held:?}");
    }
}
