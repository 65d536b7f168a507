//! What sessions that are here hold of a connection of Sora's: it may have been pushed, or a log of it imported before.

use std::io::{BufReader, Seek as _, Write as _};
use std::path::Path;

use futures_util::TryStreamExt as _;
use rtctrace_protocol::dump::DumpReader;
use rtctrace_protocol::line::Line;
use rtctrace_protocol::sora::HeldStamps;

use super::sort::nameless;
use crate::session::{Registry, SessionId};
use crate::spool::{self, path_of};
use crate::store::sessions;

/// What is known of a connection.
#[derive(Debug)]
pub(super) enum Known {
    /// The session that has what is new of it, and what those before it hold.
    Some(SessionId, HeldStamps),
    /// A session of it was here, and what it held is gone; or it has had as many as it may have.
    All,
    /// A session of it runs at another collector.
    Elsewhere(SessionId),
}

/// Looks for the sessions of a name.
pub(super) async fn known(registry: &Registry, dir: &Path, name: &str) -> anyhow::Result<Known> {
    let stores = registry.stores();
    let mut held = HeldStamps::default();
    for successor in 0..SessionId::SUCCESSORS {
        let id = SessionId::following(name, successor);
        let path = path_of(registry.spool().dir(), id);
        if path.try_exists()? {
            held = tokio::task::spawn_blocking(move || {
                take_in(spool::replay(&path, u64::MAX)?, &mut held);
                anyhow::Ok(held)
            })
            .await??;
            continue;
        }
        let Some(row) = sessions::get(&stores.database, id).await? else { return Ok(Known::Some(id, held)) };
        let Some(object) = row.dump_path else {
            let is_elsewhere =
                !row.ended && row.collector.as_deref().is_some_and(|holder| holder != registry.spool().id());
            return Ok(if is_elsewhere { Known::Elsewhere(id) } else { Known::All });
        };
        let mut stream = stores.objects.get(&object.into()).await?.into_stream();
        let mut file = nameless(dir)?;
        while let Some(chunk) = stream.try_next().await? {
            file.write_all(&chunk)?;
        }
        held = tokio::task::spawn_blocking(move || {
            file.rewind()?;
            take_in(DumpReader::open(BufReader::new(file))?, &mut held);
            anyhow::Ok(held)
        })
        .await??;
    }
    Ok(Known::All)
}

fn take_in(mut dump: DumpReader<impl std::io::BufRead>, held: &mut HeldStamps) {
    while let Some(line) = dump.next_line() {
        if let Some(line) = line.ok().and_then(|line| Line::parse(line).ok()) {
            held.take_in(&line);
        }
    }
}
