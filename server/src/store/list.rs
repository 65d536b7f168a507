//! Lists of sessions: those that a filter lets through, newest first and page by page, and those that are old.

use std::str::FromStr;

use super::collectors::GONE_AFTER;
use super::database::{Database, Part, Row, Value};
use super::filter::{Filter, Query};
use super::sessions::{SELECTED, SessionRow, start_time};
use crate::session::{SessionId, UnixMillis};

/// Where a page of the list ends: the next one holds what comes behind this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListCursor {
    /// Its start.
    pub(crate) start_time: UnixMillis,
    /// Its id, which orders sessions of one millisecond.
    pub(crate) id: SessionId,
}

impl std::fmt::Display for ListCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.start_time.0, self.id)
    }
}

impl FromStr for ListCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (start_time, id) = text.split_once('.').ok_or(())?;
        let start_time = UnixMillis::in_calendar(start_time.parse().map_err(|_| ())?).ok_or(())?;
        Ok(Self { start_time, id: id.parse().map_err(|_| ())? })
    }
}

/// By what a list is sorted. Of equal ones, the later begun comes first, as in the other direction last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Column {
    /// When they began.
    #[default]
    Started,
    /// How long they took.
    Duration,
    /// How many connections they have.
    Connections,
    /// How many lines they have.
    Events,
    /// How large their dumps are.
    Size,
}

impl Column {
    /// All, in the order of [`Column::NAMES`].
    pub(crate) const ALL: [Self; 5] = [Self::Started, Self::Duration, Self::Connections, Self::Events, Self::Size];
    /// Their names in the API.
    pub(crate) const NAMES: [&str; 5] = ["started", "duration", "connections", "events", "size"];

    /// What it is in SQL, beside the start. What a session does not have yet is less than all.
    pub(crate) fn sql(self) -> Option<&'static str> {
        match self {
            Self::Started => None,
            Self::Duration => Some("coalesce(duration, -1)"),
            Self::Connections => Some("connections"),
            Self::Events => Some("lines"),
            Self::Size => Some("coalesce(dump_bytes, -1)"),
        }
    }

    fn of(self, row: &SessionRow) -> i64 {
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        match self {
            Self::Started => 0,
            Self::Duration => row.duration.unwrap_or(-1),
            Self::Connections => count(row.connections),
            Self::Events => count(row.lines),
            Self::Size => row.dump_bytes.map_or(-1, count),
        }
    }
}

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Order {
    /// By what.
    pub(crate) column: Column,
    /// The least first.
    pub(crate) ascending: bool,
}

/// Where a page of a list in some order ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// What its last session has of the order's column.
    pub(crate) value: i64,
    /// That session.
    pub(crate) session: ListCursor,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.value, self.session)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (value, session) = text.split_once('.').ok_or(())?;
        Ok(Self { value: value.parse().map_err(|_| ())?, session: session.parse()? })
    }
}

/// The most sessions that are counted.
pub(crate) const MOST_COUNTED: u32 = 10_000;

/// How many sessions a filter lets through: at most one more than [`MOST_COUNTED`]. Nobody knows of a filter for which they are looked at one after the other.
pub(crate) async fn count(database: &Database, filter: &Filter) -> sqlx::Result<Option<u64>> {
    if filter.looks_closely() {
        return Ok(None);
    }
    let Query { sql, mut values } = Query::of_sessions("1", filter, None);
    values.push(Value::Integer(Some(i64::from(MOST_COUNTED) + 1)));
    let sql = format!("SELECT count(*) AS total FROM ({sql} LIMIT ${}) s", values.len());
    let part = Part { rows: 1, bytes: PAGE_BYTES };
    let (totals, _) = database.read_part(sql, &values, part, |row| Ok((row.count("total")?, 0))).await?;
    Ok(totals.first().copied().flatten())
}

/// A page of the sessions that a filter lets through, in an order, behind a place in it, and what the next page is behind. No window bounds what is looked at, but the time that a query may take.
pub(crate) async fn list_by(
    database: &Database,
    filter: &Filter,
    order: Order,
    limit: u32,
    behind: Option<Place>,
) -> sqlx::Result<(Vec<SessionRow>, Option<Place>)> {
    let query = Query::of_sessions(&SELECTED, filter, None).with_features(filter);
    let Query { sql, values } = query.in_order(order, behind, limit + 1);
    let part = Part { rows: limit, bytes: PAGE_BYTES };
    let read = |row: &Row| SessionRow::read(row).map(|row| (row.bytes(), row)).map(|(bytes, row)| (row, bytes));
    let (rows, is_full) = database.read_part(sql, &values, part, read).await?;
    let last = rows.last().filter(|_| is_full).map(|row| Place {
        value: order.column.of(row),
        session: ListCursor { start_time: row.start_time, id: row.id },
    });
    Ok((rows, last))
}

/// So many sessions are looked at for one page, where each has its features looked at. A condition that hardly any fulfils would have
/// the database look at all there are.
pub(crate) const WINDOW: u32 = 10_000;

/// What the rows of a page hold at most: a row has what its client said of itself.
const PAGE_BYTES: usize = 4 << 20;

/// A part of the list.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Its sessions, newest first.
    pub(crate) rows: Vec<SessionRow>,
    /// What the next page is behind, if there may be one.
    pub(crate) next: Option<ListCursor>,
}

/// A page of the sessions that a filter lets through, newest first, behind `cursor`: at most `limit`. Where the filter asks for features or rules, or
/// rows are very long, it may have fewer, even none, and still be followed by another.
pub(crate) async fn list(
    database: &Database,
    filter: &Filter,
    limit: u32,
    cursor: Option<ListCursor>,
) -> sqlx::Result<Page> {
    let end = if filter.looks_closely() { window(database, filter, cursor).await? } else { None };
    let mut query = Query::of_sessions(&SELECTED, filter, cursor).with_features(filter);
    if let Some(end) = end {
        query = query.down_to(end);
    }
    let Query { sql, values } = query.newest(limit + 1, 0);
    let part = Part { rows: limit, bytes: PAGE_BYTES };
    let read = |row: &Row| SessionRow::read(row).map(|row| (row.bytes(), row)).map(|(bytes, row)| (row, bytes));
    let (rows, is_full) = database.read_part(sql, &values, part, read).await?;
    let last = rows.last().map(|row| ListCursor { start_time: row.start_time, id: row.id });
    Ok(Page { rows, next: if is_full { last } else { end } })
}

/// The last session that is looked at for a page, if there are as many.
async fn window(database: &Database, filter: &Filter, cursor: Option<ListCursor>) -> sqlx::Result<Option<ListCursor>> {
    let Query { sql, values } = Query::of_sessions("id, start_time", filter, cursor).newest(1, WINDOW - 1);
    let part = Part { rows: 1, bytes: PAGE_BYTES };
    let (places, _) = database.read_part(sql, &values, part, |row| Ok((place(row)?, 0))).await?;
    Ok(places.first().copied())
}

fn place(row: &Row) -> sqlx::Result<ListCursor> {
    Ok(ListCursor { start_time: start_time(row)?, id: row.id("id")? })
}

/// Sessions that are over and began before a time, oldest first, behind `after`; of all, or of those that have a dump.
pub(crate) async fn ended_before(
    database: &Database,
    time: UnixMillis,
    has_dump: bool,
    after: Option<ListCursor>,
    limit: u32,
) -> sqlx::Result<Vec<ListCursor>> {
    let sql = "SELECT id, start_time FROM sessions WHERE state = 'ended' AND start_time < $1 \
         AND (start_time, id) > ($2, $3) AND (dump_path IS NOT NULL OR NOT $4) ORDER BY start_time, id LIMIT $5";
    let after = after.unwrap_or(ListCursor { start_time: UnixMillis(i64::MIN), id: SessionId::NIL });
    let values = [
        Value::Time(Some(time)),
        Value::Time(Some(after.start_time)),
        Value::Id(after.id),
        Value::Bool(Some(has_dump)),
        Value::Integer(Some(limit.into())),
    ];
    database.read(sql, &values).await?.iter().map(place).collect()
}

/// Sessions that the database believes to run in a collector, oldest first, behind `after`.
pub(crate) async fn live_in(
    database: &Database,
    collector: &str,
    after: Option<ListCursor>,
    limit: u32,
) -> sqlx::Result<Vec<ListCursor>> {
    let after = after.unwrap_or(ListCursor { start_time: UnixMillis(i64::MIN), id: SessionId::NIL });
    let values = [
        Value::Text(Some(collector)),
        Value::Time(Some(after.start_time)),
        Value::Id(after.id),
        Value::Integer(Some(limit.into())),
    ];
    database.read(select_live(database), &values).await?.iter().map(place).collect()
}

/// Sessions that run in other collectors of the database, the newest of them.
pub(crate) async fn live_elsewhere(database: &Database, collector: &str, limit: u32) -> sqlx::Result<Vec<SessionId>> {
    let sql = "SELECT id, start_time FROM sessions WHERE state = 'live' AND collector <> $1 \
         ORDER BY start_time DESC, id DESC LIMIT $2";
    let values = [Value::Text(Some(collector)), Value::Integer(Some(limit.into()))];
    database.read(sql, &values).await?.iter().map(|row| row.id("id")).collect()
}

fn select_live(database: &Database) -> String {
    // Older collectors did not tell which they are; it was this one, if there is no other.
    format!(
        "SELECT id, start_time FROM sessions WHERE state = 'live' AND (start_time, id) > ($2, $3) AND (collector = $1 \
         OR collector IS NULL AND NOT EXISTS (SELECT 1 FROM collectors c WHERE c.id <> $1 AND c.seen >= {})) \
         ORDER BY start_time, id LIMIT $4",
        database.ago(GONE_AFTER)
    )
}

#[cfg(test)]
mod tests {
    use rtctrace_features::Severity;

    use super::super::database::tests::both;
    use super::super::sessions::tests::{begin, row};
    use super::*;

    #[tokio::test]
    async fn sessions_that_run_are_found_by_their_index_part_by_part() {
        for (_guard, database) in both().await {
            for start_time in [4, 1, 2, 2, 2, 5] {
                begin(&database, &SessionRow { collector: Some("here".to_owned()), ..row(start_time) }).await;
                begin(&database, &SessionRow { collector: Some("there".to_owned()), ..row(start_time) }).await;
            }
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let part = live_in(&database, "here", after, 2).await.unwrap();
                let Some(last) = part.last() else { break };
                after = Some(*last);
                seen.extend(part);
            }
            assert_eq!(seen.iter().map(|place| place.start_time.0).collect::<Vec<_>>(), [1, 2, 2, 2, 4, 5]);
            let ids: std::collections::HashSet<_> = seen.iter().map(|place| place.id).collect();
            assert_eq!(ids.len(), 6);
            let elsewhere = live_elsewhere(&database, "there", 4).await.unwrap();
            let newest: Vec<_> = seen.iter().rev().map(|place| place.id).take(4).collect();
            assert_eq!(elsewhere, newest);
            if matches!(database, Database::Sqlite(_)) {
                let explain = format!("EXPLAIN QUERY PLAN {}", select_live(&database));
                let values = [
                    Value::Text(Some("here")),
                    Value::Time(Some(UnixMillis(0))),
                    Value::Id(SessionId::NIL),
                    Value::Integer(Some(1)),
                ];
                let plan = database.read(explain, &values).await.unwrap();
                let steps: Vec<_> = plan.iter().map(|row| row.text("detail").unwrap().unwrap()).collect();
                assert!(steps.iter().any(|step| step.contains("sessions_live_by_start")), "{steps:?}");
                assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:?}");
            }
        }
    }

    #[tokio::test]
    async fn sessions_with_bad_findings_are_found_by_their_index() {
        for (_guard, database) in both().await {
            let Database::Sqlite(_) = database else { continue };
            for (severity, index) in [
                (Severity::Critical, "sessions_with_critical_findings"),
                (Severity::Warning, "sessions_with_warning_findings"),
            ] {
                let filter = Filter { severity: Some(severity), ..Filter::default() };
                let Query { sql, values } = Query::of_sessions(&SELECTED, &filter, None).newest(50, 0);
                let plan = database.read(format!("EXPLAIN QUERY PLAN {sql}"), &values).await.unwrap();
                let steps: Vec<_> = plan.iter().map(|row| row.text("detail").unwrap().unwrap()).collect();
                assert!(steps.iter().any(|step| step.contains(index)), "{steps:?}");
                assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:?}");
            }
        }
    }

    #[tokio::test]
    async fn pages_hold_every_session_once_newest_first() {
        for (_guard, database) in both().await {
            for start_time in [3, 1, 2, 2, 2, 5] {
                begin(&database, &row(start_time)).await;
            }
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let page = list(&database, &Filter::default(), 2, cursor).await.unwrap();
                seen.extend(page.rows);
                let Some(next) = page.next else { break };
                assert_eq!(next.to_string().parse(), Ok(next));
                cursor = Some(next);
            }
            assert_eq!(seen.iter().map(|row| row.start_time.0).collect::<Vec<_>>(), [5, 3, 2, 2, 2, 1]);
            let ids: std::collections::HashSet<_> = seen.iter().map(|row| row.id).collect();
            assert_eq!(ids.len(), 6);
        }
    }
}
