//! What sessions that are here hold of a connection of Sora's: it may have been pushed, or a log of it imported before.

use std::fs::File;
use std::io::{BufReader, Seek as _, Write as _};
use std::path::Path;

use futures_util::TryStreamExt as _;
use rtctrace_protocol::dump::DumpReader;
use rtctrace_protocol::line::Line;
use rtctrace_protocol::sora::HeldStamps;

use super::sort::nameless;
use crate::session::{Registry, SessionId};
use crate::spool::{self, path_of};
use crate::store::sessions::{self, SessionRow};

/// The close code of a session that is at a limit. It does not go on.
const AT_LIMIT: u16 = 4001;

/// What is known of a connection.
#[derive(Debug)]
pub(super) enum Known {
    /// Where what is new of it goes.
    To(Box<Destination>),
    /// A session of it was here, and what it held is gone.
    Gone,
    /// A session of it runs at another collector.
    Elsewhere(SessionId),
    /// It has had as many sessions as it may have.
    Full,
}

/// Where what is new of a connection goes.
#[derive(Debug)]
pub(super) struct Destination {
    pub(super) id: SessionId,
    /// What sessions of it hold.
    pub(super) held: HeldStamps,
    /// The session, if it is there and goes on.
    pub(super) stored: Option<Stored>,
}

/// A session that is stored.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) row: SessionRow,
    /// Its dump.
    pub(super) dump: File,
}

/// Looks for the sessions of a name.
pub(super) async fn known(registry: &Registry, dir: &Path, name: &str) -> anyhow::Result<Known> {
    let stores = registry.stores();
    let (mut held, mut last) = (HeldStamps::default(), None);
    for successor in 0..SessionId::SUCCESSORS {
        let id = SessionId::following(name, successor);
        let path = path_of(registry.spool().dir(), id);
        if path.try_exists()? {
            // The next start stores it.
            last = None;
            held = tokio::task::spawn_blocking(move || {
                take_in(spool::replay(&path, u64::MAX)?, &mut held);
                anyhow::Ok(held)
            })
            .await??;
            continue;
        }
        let Some(row) = sessions::get(&stores.database, id).await? else {
            let id = last.as_ref().map_or(id, |stored: &Stored| stored.row.id);
            return Ok(Known::To(Box::new(Destination { id, held, stored: last })));
        };
        if !row.ended && row.collector.as_deref().is_some_and(|holder| holder != registry.spool().id()) {
            return Ok(Known::Elsewhere(id));
        }
        let Some(object) = row.dump_path.clone() else { return Ok(Known::Gone) };
        let mut stream = stores.objects.get(&object.into()).await?.into_stream();
        let mut file = nameless(dir)?;
        while let Some(chunk) = stream.try_next().await? {
            file.write_all(&chunk)?;
        }
        let dump;
        (held, dump) = tokio::task::spawn_blocking(move || {
            file.rewind()?;
            take_in(DumpReader::open(BufReader::new(&file))?, &mut held);
            anyhow::Ok((held, file))
        })
        .await??;
        let is_full = row.close_code == Some(AT_LIMIT);
        last = (!is_full).then_some(Stored { row, dump });
    }
    Ok(match last {
        Some(stored) => Known::To(Box::new(Destination { id: stored.row.id, held, stored: Some(stored) })),
        None => Known::Full,
    })
}

fn take_in(mut dump: DumpReader<impl std::io::BufRead>, held: &mut HeldStamps) {
    held.begin_session();
    while let Some(line) = dump.next_line() {
        if let Some(line) = line.ok().and_then(|line| Line::parse(line).ok()) {
            held.take_in(&line);
        }
    }
}
