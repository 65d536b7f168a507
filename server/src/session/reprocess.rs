//! Features and stats of a stored session, made anew from its dump: by the code that made them while it ran. What was there
//! is replaced, so doing it again changes nothing.

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use bytes::{Buf as _, Bytes};
use futures_util::StreamExt as _;
use object_store::ObjectMeta;
use rtctrace_features::SessionFeatures;
use rtctrace_protocol::dump::{DumpError, DumpReader};
use sqlx::AssertSqlSafe;
use tokio::sync::mpsc;

use super::journal::Journal;
use super::registry::Stores;
use super::snapshot::Snapshot;
use super::{LOST, Origin, SessionId};
use crate::config::Config;
use crate::spool::Spool;
use crate::store::sessions::{self, SessionRow, store_ended};
use crate::store::stats::{RowBatch, StatsRow, TABLES, write_rows};

/// Chunks of a dump that wait to be read.
const WAITING: usize = 2;

/// Makes the rows of the session whose dump this object is; says which session that is. A session that is on its way into
/// the stores is left to its collector.
pub(crate) async fn reprocess(stores: &Stores, config: &Arc<Config>, object: &ObjectMeta) -> anyhow::Result<SessionId> {
    let name = object.location.filename().and_then(|name| name.strip_suffix(".jsonl.gz"));
    let id: SessionId = name.and_then(|name| name.parse().ok()).context("its name is not that of a session's dump")?;
    let known = sessions::get(&stores.database, id).await?;
    ensure!(known.as_ref().is_none_or(|row| row.ended), "its session is not over yet");
    // By the collector's clock, which no dump has: it is known, or made of what the client said.
    let end_time = known.and_then(|row| row.end_time);

    let mut chunks = stores.objects.get(&object.location).await?.into_stream();
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        while let Some(chunk) = chunks.next().await {
            if sender.send(chunk.map_err(io::Error::other)).await.is_err() {
                break;
            }
        }
    });
    let (rows, mut batches) = mpsc::channel(1);
    let for_reading = Arc::clone(config);
    let input = BufReader::new(Chunks { receiver, chunk: Bytes::new() });
    let reading = tokio::task::spawn_blocking(move || read(id, input, &for_reading, &rows));

    // A dump that turns out to be broken takes nothing away: what was written goes with the transaction.
    let mut transaction = stores.database.writer.begin().await?;
    if config.stats.enabled {
        for table in TABLES.iter() {
            let sql = format!("DELETE FROM {} WHERE session_id = ?", table.name);
            sqlx::query(AssertSqlSafe(sql)).bind(id.to_string()).execute(&mut *transaction).await?;
        }
    }
    while let Some(rows) = batches.recv().await {
        write_rows(&mut transaction, &rows).await?;
    }
    let (origin, snapshot, features) = reading.await.context("reading the dump panicked")??;
    transaction.commit().await?;

    let row = SessionRow {
        ended: true,
        end_time: end_time.or_else(|| Some(snapshot.end_time(origin.start_time))),
        duration: Some(snapshot.duration),
        browser: snapshot.browser.as_deref().cloned(),
        connections: snapshot.connections,
        lines: snapshot.lines,
        dump_path: Some(object.location.to_string()),
        dump_bytes: Some(object.size),
        close_code: Some(snapshot.close_code.unwrap_or(LOST)),
        ..SessionRow::live(id, &origin)
    };
    store_ended(&stores.database, &row, &features).await?;
    Ok(id)
}

/// Runs a session's lines through its state, as if it had been found in the spool.
fn read(
    id: SessionId,
    input: BufReader<Chunks>,
    config: &Config,
    sender: &mpsc::Sender<Vec<StatsRow>>,
) -> anyhow::Result<(Origin, Snapshot, SessionFeatures)> {
    let mut dump = DumpReader::open(input)?;
    let origin = Origin::from_metadata(dump.metadata()).context("its header lacks what a session needs")?;
    let mut journal = Journal::new(id, origin.clone(), config, &Spool::unwritten(config), Instant::now());
    let mut rows = RowBatch::default();
    while let Some(line) = dump.next_line() {
        match line {
            Ok(line) => journal.replay(line, &mut rows),
            Err(error @ DumpError::Read { .. }) => return Err(error.into()),
            Err(error) => tracing::warn!(session = %id, "{error}"),
        }
        if rows.is_full() {
            sender.blocking_send(rows.take()).context("the writer gave up")?;
        }
    }
    sender.blocking_send(rows.take()).context("the writer gave up")?;
    Ok((origin, journal.snapshot(), journal.features()))
}

/// Reads what another task fetches.
struct Chunks {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    chunk: Bytes,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.chunk.has_remaining() {
            match self.receiver.blocking_recv() {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(0),
            }
        }
        let count = self.chunk.remaining().min(buffer.len());
        self.chunk.split_to(count).copy_to_slice(buffer.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}
