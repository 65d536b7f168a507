//! The table `collectors`: who shares this database, and was there when. A session that runs is in the spool of one of them; what a
//! collector left that is gone for good must not run for ever.

use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::database::{Database, Value};
use super::sessions::end_of_lost;
use crate::session::UnixMillis;

/// Between two signs of life.
pub(crate) const SIGN: Duration = Duration::from_secs(60);
/// Who gave none for so long is gone. One that was only cut off from the database writes its sessions' ends when it is back, and
/// those count.
pub(crate) const GONE_AFTER: Duration = Duration::from_secs(900);

/// A sign of life.
pub(crate) async fn is_there(database: &Database, collector: &str, now: UnixMillis) -> sqlx::Result<()> {
    let sql = "INSERT INTO collectors (id, seen) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET seen = excluded.seen";
    database.write(sql, &[Value::Text(Some(collector)), Value::Time(Some(now))]).await
}

/// Ends the sessions of collectors that are gone, and forgets those. One that never gave a sign has not come to it yet.
pub(crate) async fn end_abandoned(database: &Database, now: UnixMillis) -> sqlx::Result<()> {
    let since = UnixMillis(now.0.saturating_sub(i64::try_from(GONE_AFTER.as_millis()).unwrap_or(i64::MAX)));
    let since = [Value::Time(Some(since))];
    let sql =
        format!("{} WHERE state = 'live' AND collector IN (SELECT id FROM collectors WHERE seen < $1)", end_of_lost());
    database.write(AssertSqlSafe(sql), &since).await?;
    database.write("DELETE FROM collectors WHERE seen < $1", &since).await
}

#[cfg(test)]
mod tests {
    use super::super::database::tests::both;
    use super::super::sessions::tests::{begin, row};
    use super::super::sessions::{SessionRow, get, live};
    use super::*;

    #[tokio::test]
    async fn sessions_end_with_a_collector_that_is_gone_and_with_no_other() {
        for (_guard, database) in both().await {
            let of = |collector: &str| SessionRow { collector: Some(collector.to_owned()), ..row(5) };
            let rows = [of("here"), of("away"), of("about to sign"), row(6)];
            for row in &rows {
                begin(&database, row).await;
            }
            let now = UnixMillis(10_000_000);
            is_there(&database, "away", UnixMillis(1)).await.unwrap();
            is_there(&database, "here", UnixMillis(1)).await.unwrap();
            is_there(&database, "here", UnixMillis(now.0 - 70_000)).await.unwrap();
            assert_eq!(
                live(&database, "here").await.unwrap().len(),
                2,
                "its own, and the one of before there were names"
            );
            end_abandoned(&database, now).await.unwrap();
            let mut ended = Vec::new();
            for row in &rows {
                ended.push(get(&database, row.id).await.unwrap().unwrap().ended);
            }
            assert_eq!(ended, [false, true, false, false]);
            end_abandoned(&database, UnixMillis(i64::MAX / 2)).await.unwrap();
            assert!(get(&database, rows[0].id).await.unwrap().unwrap().ended);
        }
    }
}
