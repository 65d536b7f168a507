//! How a client comes to its session: one that is held here, one that lies in the spool and was not read yet, one that was
//! stored when its client did not come back in time, or a new one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures_util::TryStreamExt as _;
use tokio::io::AsyncWriteExt as _;

use super::handle::Handle;
use super::journal::Journal;
use super::origin::Origin;
use super::recover::{recover_one, row};
use super::registry::{Attach, Later, Registry};
use super::{Dialect, SessionId, UnixMillis};
use crate::access::AddressPlace;
use crate::spool::{self, path_of};
use crate::store::collectors::is_missing;
use crate::store::sessions::{self, SessionRow};
use crate::store::stats;

/// How long a client waits for its session on its way into the stores, before it is told to come back later.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked for meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// Whether a close code ends a session for good: its client closed (3001 is how Jitsi's leaves), or its limit is reached. What Sora pushes
/// may come late, whatever ended the session.
fn is_final(code: u16, dialect: Dialect) -> bool {
    match dialect {
        Dialect::Sora => code == 4001,
        _ => matches!(code, 1000 | 3001 | 4001),
    }
}

impl Registry {
    /// The session that a client names, new if nobody knows it.
    pub(crate) async fn attach(&self, id: SessionId, origin: Origin, from: u64) -> Attach {
        if !origin.dialect.resumes() {
            return self.begin(id, origin, Handle::new);
        }
        if let Some(held) = self.held(id, &origin).await {
            return held;
        }
        // Whoever else asks for it meanwhile waits for what this one finds.
        let _turn = self.turn(id).lock().await;
        if let Some(held) = self.held(id, &origin).await {
            return held;
        }
        match self.find(id, &origin).await {
            Ok(Found::Held(handle)) if handle.origin.is_anothers(origin.user.as_deref()) => Attach::OtherUser,
            Ok(Found::OtherUsers) => Attach::OtherUser,
            Ok(Found::Held(handle)) if handle.origin.dialect == origin.dialect => Attach::Session(handle, false),
            Ok(Found::Held(_) | Found::Over) => Attach::Ended,
            Ok(Found::Elsewhere) => Attach::Later(Later::Unknown),
            Ok(Found::Left) => {
                tracing::warn!(session = %id, "the collector that holds the session is missing; it begins anew here");
                self.begin(id, origin, Handle::unasked)
            }
            Ok(Found::Nothing) => self.begin(id, origin, Handle::new),
            Err(error) if from > 0 => {
                tracing::warn!(session = %id, "nobody can say what is held of the session: {error:#}");
                Attach::Later(Later::Unknown)
            }
            Err(error) => {
                tracing::warn!(session = %id, "a session begins without the database: {error:#}");
                self.begin(id, origin, Handle::unasked)
            }
        }
    }

    /// A session that is here. One that ended for want of its client is waited for: it can go on once it is stored.
    async fn held(&self, id: SessionId, origin: &Origin) -> Option<Attach> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let handle = self.get(id)?;
            if handle.origin.is_anothers(origin.user.as_deref()) {
                return Some(Attach::OtherUser);
            }
            if handle.origin.dialect != origin.dialect {
                return Some(Attach::Ended);
            }
            match handle.snapshot().close_code {
                None => return Some(Attach::Session(handle, false)),
                Some(code) if is_final(code, origin.dialect) || self.window().is_zero() => return Some(Attach::Ended),
                Some(_) if Instant::now() > deadline => return Some(Attach::Later(Later::Unknown)),
                Some(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }

    async fn find(&self, id: SessionId, origin: &Origin) -> anyhow::Result<Found> {
        let path = path_of(self.spool().dir(), id);
        // One look, where every line is written without a thread of its own, too.
        if path.try_exists()? {
            // The start has not come to it yet.
            self.take_in(id, &path).await?;
            return Ok(self.get(id).map_or(Found::Over, Found::Held));
        }
        let Some(row) = row(self, id).await? else { return Ok(Found::Nothing) };
        if row.user.is_some() && row.user != origin.user {
            return Ok(Found::OtherUsers);
        }
        match row.collector.as_deref() {
            // Its end is the last that is known of it; or it runs, and did in a version that named no collector.
            None if !row.ended && row.dump_path.is_none() => return Ok(Found::Nothing),
            None => {}
            Some(holder) if holder == self.spool().id() => {
                let Some(_) = row.dump_path else { return Ok(Found::Nothing) };
                // It was to go on here, and what was stored of it is still there.
            }
            // Who holds it ends it when its client does not come back, and then it can go on here. Of one that is missing nobody
            // knows when that will be.
            Some(holder) => {
                let is_missing = row.ended || is_missing(&self.stores().database, holder).await?;
                return Ok(if is_missing { Found::Left } else { Found::Elsewhere });
            }
        }
        let window = i64::try_from(self.window().as_millis()).unwrap_or(i64::MAX);
        let is_recent = row.end_time.is_some_and(|end| UnixMillis::now().0.saturating_sub(end.0) < window);
        let is_final = row.close_code.is_none_or(|code| is_final(code, origin.dialect));
        if !is_recent || is_final || row.dialect != origin.dialect.name() || self.spool().is_full() {
            return Ok(Found::Over);
        }
        self.restore(&row, &path).await?;
        self.take_in(id, &path).await?;
        Ok(self.get(id).map_or(Found::Over, Found::Held))
    }

    /// Reads a file of the spool, unless that has been done. The caller has the session's turn.
    pub(crate) async fn take_in(&self, id: SessionId, path: &Path) -> anyhow::Result<()> {
        if self.get(id).is_some() {
            return Ok(());
        }
        match spool::look_at(self.spool(), id, path.to_owned()).await? {
            Some(found) => recover_one(self, found).await,
            None => Ok(()),
        }
    }

    /// Brings the dump of a session back into the spool: its client goes on where it stopped, and the end stores the whole
    /// again. Until the file has its name, the stored dump is what counts.
    async fn restore(&self, row: &SessionRow, path: &Path) -> anyhow::Result<()> {
        let stores = self.stores();
        let object = row.dump_path.clone().context("its dump is gone")?;
        let mut stream = stores.objects.get(&object.into()).await.context("its dump cannot be had")?.into_stream();
        let (packed, plain) = (path.with_extension("gz.part"), path.with_extension("part"));
        let result = async {
            let mut file = tokio::fs::File::create(&packed).await?;
            while let Some(chunk) = stream.try_next().await? {
                file.write_all(&chunk).await?;
            }
            file.flush().await?;
            let (from, to): (PathBuf, PathBuf) = (packed.clone(), plain.clone());
            tokio::task::spawn_blocking(move || spool::unpack(&from, &to)).await??;
            self.spool().forget_parts(path)?;
            ensure!(
                sessions::reopen(&stores.database, row, self.spool().id(), row.start_time).await?,
                "it has just begun to go on elsewhere"
            );
            tokio::fs::rename(&plain, path).await?;
            self.forget_thinned_rows(row.id).await;
            anyhow::Ok(())
        };
        let result = result.await;
        let _ = tokio::fs::remove_file(&packed).await;
        if result.is_err() {
            let _ = tokio::fs::remove_file(&plain).await;
            let _ = sessions::end_lost(&stores.database, row.id, self.spool().id()).await;
        } else {
            tracing::info!(session = %row.id, "a stored session goes on");
        }
        result.context("the dump cannot be brought back")
    }

    /// Removes the rows of a session that goes on where rows are thinned: its last end brought some that the whole has not. All that it has
    /// comes again from its first line on.
    pub(super) async fn forget_thinned_rows(&self, id: SessionId) {
        if self.config().stats.interval.0.is_zero() {
            return;
        }
        let attempt = async {
            let mut transaction = self.stores().database.begin().await?;
            transaction.lock(id).await?;
            stats::remove(&mut transaction, id).await?;
            transaction.commit().await
        };
        if let Err(error) = attempt.await {
            tracing::warn!(session = %id, "rows of its last end stay beside those to come, until it is reprocessed: {error}");
        }
    }

    fn window(&self) -> Duration {
        self.config().session.resume_window.0
    }

    /// A session of which nothing is held.
    fn begin(
        &self,
        id: SessionId,
        origin: Origin,
        handle: fn(SessionId, Journal, Option<AddressPlace>) -> Handle,
    ) -> Attach {
        if self.spool().is_full() {
            return Attach::Later(Later::SpoolFull);
        }
        let Ok(place) = self.addresses().take(origin.counted_by) else {
            return Attach::Later(Later::TooManyOfAddress);
        };
        let journal = Journal::new(id, origin, self.config(), self.spool(), Instant::now());
        match self.insert(id, Arc::new(handle(id, journal, place))) {
            Some(handle) => Attach::Session(handle, true),
            None => Attach::Later(Later::TooMany),
        }
    }
}

/// What was found of a session that is not held.
enum Found {
    /// It is held now.
    Held(Arc<Handle>),
    /// It is over.
    Over,
    /// It is stored, and another user's.
    OtherUsers,
    /// Another collector holds it.
    Elsewhere,
    /// Another collector holds it, and is not there.
    Left,
    /// Nothing.
    Nothing,
}
