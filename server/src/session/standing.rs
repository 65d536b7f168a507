//! What the database knows of a session that is here. While it cannot be asked, sessions begin and go on all the same, and one may
//! bear the id of one that was stored before, or that another collector has, too. When a session began tells the two apart: it stands in the dump's header and in the row.

use super::registry::Stores;
use super::{SessionId, UnixMillis};
use crate::store::sessions::{self, SessionRow};
use crate::store::{Backoff, objects::Objects};
use crate::telemetry::{Store, store_works};

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing, or that it runs: its id is its own.
    Own,
    /// It is stored to the last line.
    Stored,
    /// Another session of this id is stored, or was.
    AnothersId,
}

impl Standing {
    /// Of a session that `collector` holds, began at `start` and has so many lines. An error is object storage's: what is not known to be
    /// missing may be there.
    pub(super) async fn of(
        row: Option<&SessionRow>,
        collector: &str,
        start: UnixMillis,
        lines: u64,
        objects: &Objects,
    ) -> object_store::Result<Self> {
        let Some(row) = row else { return Ok(Self::Own) };
        let is_elsewhere = row.collector.as_deref().is_some_and(|holder| holder != collector);
        // The row of one that ran here and left nothing else, after a power cut, is there to be taken.
        if row.start_time != start && (row.ended || row.dump_path.is_some() || is_elsewhere) {
            return Ok(Self::AnothersId);
        }
        // What is held here may have gone on since it was stored.
        let is_stored = match &row.dump_path {
            Some(path) if (row.ended && row.collector.is_none() || is_elsewhere) && lines <= row.lines => {
                match objects.get(&path.as_str().into()).await {
                    Ok(_) => true,
                    Err(object_store::Error::NotFound { .. }) => false,
                    Err(error) => return Err(error),
                }
            }
            _ => false,
        };
        Ok(match (is_stored, is_elsewhere) {
            (true, _) => Self::Stored,
            (false, true) => Self::AnothersId,
            (false, false) => Self::Own,
        })
    }

    /// Asks the stores until they answer.
    pub(super) async fn ask(stores: &Stores, collector: &str, id: SessionId, start: UnixMillis, lines: u64) -> Self {
        let (mut of_database, mut of_objects) = (Backoff::new(Store::Database), Backoff::new(Store::Objects));
        loop {
            let row = match sessions::get(&stores.database, id).await {
                Ok(row) => row,
                Err(error) => {
                    of_database.failed(&format!("looking session {id} up"), &error).await;
                    continue;
                }
            };
            store_works(Store::Database);
            match Self::of(row.as_ref(), collector, start, lines, &stores.objects).await {
                Ok(standing) => return standing,
                Err(error) => of_objects.failed(&format!("looking for the dump of session {id}"), &error).await,
            }
        }
    }
}

/// The id of a session whose own is another's. Whoever stores it again finds the same.
pub(super) fn beside(id: SessionId, start: UnixMillis) -> SessionId {
    // No name that a client can give has this character.
    SessionId::of_name(&format!("{id}@{}", start.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::store::sessions::tests::row;

    #[tokio::test]
    async fn an_id_is_anothers_once_something_of_it_is_stored() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config { data_dir: dir.path().to_owned(), ..Config::default() };
        let objects = Objects::open(&config).unwrap();
        let of = async |row: &SessionRow| Standing::of(Some(row), "here", UnixMillis(8), 1, &objects).await.unwrap();
        let live = row(5);
        assert_eq!(of(&live).await, Standing::Own, "a power cut left a row and nothing else");
        let reopened = SessionRow { dump_path: Some("2026/11/20/x.jsonl.gz".to_owned()), ..live.clone() };
        assert_eq!(of(&reopened).await, Standing::AnothersId);
        assert_eq!(of(&SessionRow { ended: true, ..live.clone() }).await, Standing::AnothersId);
        let elsewhere = SessionRow { collector: Some("there".to_owned()), ..live };
        assert_eq!(of(&elsewhere).await, Standing::AnothersId);
        let same = SessionRow { start_time: UnixMillis(8), ..elsewhere };
        assert_eq!(of(&same).await, Standing::AnothersId, "it went on there, and this text is not in what was stored");
        let here = SessionRow { collector: Some("here".to_owned()), ended: true, ..same };
        assert_eq!(of(&here).await, Standing::Own, "others gave it up");
    }
}
