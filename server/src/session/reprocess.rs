//! Features, findings and stats of a stored session, made anew from its dump: by the code that made them while it ran. What was there
//! is replaced, so doing it again changes nothing.

use std::fs::File;
use std::io::{BufReader, Seek as _};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use futures_util::TryStreamExt as _;
use object_store::ObjectMeta;
use rtctrace_protocol::dump::{DumpError, DumpReader};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use super::journal::Journal;
use super::pipeline::Pipeline;
use super::registry::Stores;
use super::snapshot::Snapshot;
use super::{Analysis, LOST, Origin, SessionId};
use crate::config::Config;
use crate::spool::Spool;
use crate::store::sessions::{self, EndedSession, SessionRow, write_ended};
use crate::store::stats::{self, RowBatch, StatsRow, write_rows};

/// Makes the rows of the session whose dump this object is; says which session that is. A session that is on its way into
/// the stores is left to its collector.
pub(crate) async fn reprocess(stores: &Stores, config: &Arc<Config>, object: &ObjectMeta) -> anyhow::Result<SessionId> {
    let name = object.location.filename().and_then(|name| name.strip_suffix(".jsonl.gz"));
    let id: SessionId = name.and_then(|name| name.parse().ok()).context("its name is not that of a session's dump")?;
    let known = sessions::get(&stores.database, id).await?;
    ensure!(known.as_ref().is_none_or(|row| row.ended), "its session is not over yet");
    // However slow the store is: the collector beside this waits for nothing but what is read from here.
    let (dump, bytes) = fetch(stores, config, object).await?;

    let mut transaction = stores.database.begin().await?;
    // What is known now stays so.
    transaction.lock(id).await?;
    let still_known = sessions::get_by(&mut transaction, id).await?;
    ensure!(still_known == known, "its session changed while the dump was fetched; reprocess it again");
    // By the collector's clock, which no dump has: it is known, or made of what the client said.
    let (end_time, collector) = known.map(|row| (row.end_time, row.collector)).unwrap_or_default();
    let (rows, mut batches) = mpsc::channel(1);
    let for_reading = Arc::clone(config);
    let reading = tokio::task::spawn_blocking(move || read(id, BufReader::new(dump), &for_reading, &rows));
    // A dump that turns out to be broken takes nothing away: what was written goes with the transaction.
    if config.stats.enabled {
        stats::remove(&mut transaction, id).await?;
    }
    while let Some(rows) = batches.recv().await {
        write_rows(&mut transaction, &rows).await?;
    }
    let (origin, snapshot, analysis) = reading.await.context("reading the dump panicked")??;
    let row = SessionRow {
        ended: true,
        end_time: end_time.or_else(|| Some(snapshot.end_time(origin.start_time))),
        duration: Some(snapshot.duration),
        browser: snapshot.browser.as_deref().cloned(),
        connections: snapshot.connections,
        lines: snapshot.lines,
        dump_path: Some(object.location.to_string()),
        dump_bytes: Some(bytes),
        close_code: Some(snapshot.close_code.unwrap_or(LOST)),
        sora_connections: snapshot.sora_connections,
        // Who was given up by others may be back with what came since.
        collector,
        ..SessionRow::live(id, &origin)
    };
    write_ended(&mut transaction, &[Arc::new(EndedSession { row, analysis: Arc::new(analysis) })]).await?;
    transaction.commit().await?;
    Ok(id)
}

/// Brings a dump here: into a file that has no name any more and goes when it has been read. Says how large it is, which may
/// have changed since it was listed.
async fn fetch(stores: &Stores, config: &Config, object: &ObjectMeta) -> anyhow::Result<(File, u64)> {
    let folder = config.data_dir.join("import");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let path = folder.join(format!("{}.fetched", SessionId::new()));
    let mut options = tokio::fs::OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path).await;
    let mut file = file.with_context(|| format!("cannot create {}", path.display()))?;
    std::fs::remove_file(&path).with_context(|| format!("cannot unlink {}", path.display()))?;
    let mut chunks = stores.objects.get(&object.location).await.context("the dump cannot be had")?.into_stream();
    let mut bytes = 0;
    while let Some(chunk) = chunks.try_next().await.context("the dump cannot be had")? {
        file.write_all(&chunk).await.context("the dump cannot be kept")?;
        bytes += chunk.len() as u64;
    }
    file.flush().await.context("the dump cannot be kept")?;
    let mut file = file.into_std().await;
    file.rewind().context("the dump cannot be read")?;
    Ok((file, bytes))
}

/// Runs a session's lines through its state, as if it had been found in the spool.
fn read(
    id: SessionId,
    input: BufReader<File>,
    config: &Config,
    sender: &mpsc::Sender<Vec<StatsRow>>,
) -> anyhow::Result<(Origin, Snapshot, Analysis)> {
    let mut dump = DumpReader::open(input)?;
    let origin = Origin::from_metadata(dump.metadata()).context("its header lacks what a session needs")?;
    let mut journal = Journal::new(id, origin.clone(), config, &Spool::unwritten(config), Instant::now());
    let mut pipeline = Pipeline::new(id, origin.dialect, config.stats.rows());
    let mut rows = RowBatch::default();
    while let Some(line) = dump.next_line() {
        match line {
            Ok(line) => {
                journal.replay(line);
                pipeline.text(line, &mut rows);
            }
            Err(error @ DumpError::Read { .. }) => return Err(error.into()),
            Err(error) => tracing::warn!(session = %id, "{error}"),
        }
        if rows.is_full() {
            sender.blocking_send(rows.take()).context("the writer gave up")?;
        }
    }
    pipeline.send_rest(&mut rows, sender)?;
    Ok((origin, journal.snapshot(), pipeline.analysis()))
}
