//! The table `collectors`: who shares this database, and was there when, by the database's clock. A session that runs is in the spool of
//! one of them; what a collector left that is gone for good must not run for ever.

use std::time::{Duration, Instant};

use super::database::{Database, Value};
use super::sessions::end_of_lost;

/// Between two signs of life.
pub(crate) const SIGN: Duration = Duration::from_secs(60);
/// Who gave none for so long is missing: a client that it had begins anew with another.
const MISSING_AFTER: Duration = Duration::from_secs(180);
/// Who gave none for so long is gone, and its sessions are over. If it comes back after all, it says that they run.
pub(crate) const GONE_AFTER: Duration = Duration::from_secs(900);
/// So old are sessions whose collector nobody ever heard of, when they are over.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Signs that came one after the other, without a gap.
#[derive(Debug)]
pub(crate) struct Streak {
    since: Instant,
    last: Instant,
}

impl Streak {
    /// The first sign.
    pub(crate) fn begin(now: Instant) -> Self {
        Self { since: now, last: now }
    }

    /// One more. False if the one before was so long ago that others took this collector for missing.
    pub(crate) fn goes_on(&mut self, now: Instant) -> bool {
        let is_unbroken = now.saturating_duration_since(self.last) < MISSING_AFTER;
        self.last = now;
        if !is_unbroken {
            self.since = now;
        }
        is_unbroken
    }

    /// Whether it is so long that whoever is there must have given a sign, too: it was not the database that was away.
    pub(crate) fn tells_of_others(&self) -> bool {
        self.last.saturating_duration_since(self.since) > GONE_AFTER
    }
}

/// A sign of life.
pub(crate) async fn is_there(database: &Database, collector: &str) -> sqlx::Result<()> {
    let sql = format!(
        "INSERT INTO collectors (id, seen) VALUES ($1, {}) ON CONFLICT (id) DO UPDATE SET seen = excluded.seen",
        database.ago(Duration::ZERO)
    );
    database.write(sql, &[Value::Text(Some(collector))]).await
}

/// Whether a collector gave no sign for a while, or never.
pub(crate) async fn is_missing(database: &Database, collector: &str) -> sqlx::Result<bool> {
    let sql = format!("SELECT id FROM collectors WHERE id = $1 AND seen >= {}", database.ago(MISSING_AFTER));
    Ok(database.read(sql, &[Value::Text(Some(collector))]).await?.is_empty())
}

/// Ends the sessions of collectors that are gone, and forgets those.
pub(crate) async fn end_abandoned(database: &Database) -> sqlx::Result<()> {
    let gone = format!("SELECT id FROM collectors WHERE seen < {}", database.ago(GONE_AFTER));
    let sql = format!(
        "{} WHERE state = 'live' AND (collector IN ({gone}) OR start_time < {} AND collector IS NOT NULL \
         AND collector NOT IN (SELECT id FROM collectors))",
        end_of_lost(),
        database.ago(FORGOTTEN_AFTER)
    );
    database.write(sql, &[]).await?;
    database.write(format!("DELETE FROM collectors WHERE id IN ({gone})"), &[]).await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::database::tests::both;
    use super::super::list::live_in;
    use super::super::sessions::tests::{begin, end, row};
    use super::super::sessions::{EndedSession, SessionRow, end_lost, get, reopen};
    use super::*;
    use crate::session::UnixMillis;

    async fn was_there(database: &Database, collector: &str, ago: u64) {
        let sql = format!("INSERT INTO collectors VALUES ($1, {})", database.ago(Duration::from_secs(ago)));
        database.write(sql, &[Value::Text(Some(collector))]).await.unwrap();
    }

    fn of(collector: &str, start_time: i64) -> SessionRow {
        SessionRow { collector: Some(collector.to_owned()), ..row(start_time) }
    }

    #[tokio::test]
    async fn sessions_end_with_a_collector_that_is_gone_and_with_no_other() {
        for (_guard, database) in both().await {
            let now = UnixMillis::now().0;
            let rows = [of("here", 5), of("away", now), of("about to sign", now), of("never seen", 5), row(6)];
            for row in &rows {
                begin(&database, row).await;
            }
            was_there(&database, "away", 1000).await;
            was_there(&database, "here", 1000).await;
            is_there(&database, "here").await.unwrap();
            let missing = async |collector: &str| is_missing(&database, collector).await.unwrap();
            assert_eq!((missing("here").await, missing("away").await, missing("nobody").await), (false, true, true));
            end_abandoned(&database).await.unwrap();
            let mut ended = Vec::new();
            for row in &rows {
                ended.push(get(&database, row.id).await.unwrap().unwrap().ended);
            }
            assert_eq!(ended, [false, true, false, true, false]);

            // Its own, and those of before there were names, if nobody else is there.
            let live = async || {
                let places = live_in(&database, "here", None, 10).await.unwrap();
                places.iter().map(|place| place.id).collect::<Vec<_>>()
            };
            assert_eq!(live().await.len(), 2);
            is_there(&database, "there").await.unwrap();
            assert_eq!(live().await, [rows[0].id]);

            // Who comes back says that its session runs, and so it does.
            begin(&database, &rows[1]).await;
            assert_eq!(get(&database, rows[1].id).await.unwrap().unwrap(), rows[1]);
        }
    }

    #[tokio::test]
    async fn a_session_is_announced_again_and_neither_its_end_nor_anothers_beginning_is_undone() {
        for (_guard, database) in both().await {
            let first = of("a", 5);
            // Twice at once, as where it begins while the start reads it.
            begin(&database, &first).await;
            begin(&database, &first).await;
            begin(
                &database,
                &SessionRow { collector: Some("b".to_owned()), start_time: UnixMillis(7), ..first.clone() },
            )
            .await;
            assert_eq!(get(&database, first.id).await.unwrap().unwrap(), first, "another one of its id does not count");

            begin(&database, &SessionRow { collector: Some("b".to_owned()), ..first.clone() }).await;
            assert!(!end_lost(&database, first.id, "b").await.unwrap());
            assert_eq!(get(&database, first.id).await.unwrap().unwrap(), first, "nor does who does not hold it");

            let ended = SessionRow { ended: true, collector: None, lines: 7, ..first.clone() };
            let session = EndedSession { row: ended, analysis: Arc::default() };
            end(&database, &[session.into()]).await;
            begin(&database, &first).await;
            let ended = get(&database, first.id).await.unwrap().unwrap();
            assert!(ended.ended, "it had its end");

            // Of two that want it, one has it.
            assert!(reopen(&database, &ended, "b", ended.start_time).await.unwrap());
            assert!(!reopen(&database, &ended, "c", ended.start_time).await.unwrap());
            let there = get(&database, first.id).await.unwrap().unwrap();
            assert_eq!((there.ended, there.collector.as_deref()), (false, Some("b")));
            begin(&database, &first).await;
            assert_eq!(get(&database, first.id).await.unwrap().unwrap(), there);
            assert!(end_lost(&database, first.id, "b").await.unwrap());
            let left = get(&database, first.id).await.unwrap().unwrap();
            assert_eq!((left.ended, left.collector), (true, None), "what was stored of it can go on elsewhere");
        }
    }

    #[test]
    fn others_are_judged_by_who_was_there_himself() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut streak = Streak::begin(at(0));
        for seconds in (60..=900).step_by(60) {
            assert!(streak.goes_on(at(seconds)) && !streak.tells_of_others());
        }
        assert!(streak.goes_on(at(960)) && streak.tells_of_others());
        assert!(!streak.goes_on(at(2000)) && !streak.tells_of_others());
        assert!(streak.goes_on(at(2060)) && !streak.tells_of_others());
    }
}
