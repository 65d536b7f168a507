//! What the registry does for sessions of Sora's, which have no socket: bodies come by themselves, and when nothing comes, or a
//! webhook told so, the session is over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rtctrace_protocol::sora::Notice;

use super::{Handle, Registry};
use crate::session::{LOST, Said, SessionId, Stop};
use crate::spool::path_of;
use crate::telemetry;

/// How long a session that is over by a webhook waits for pushes that are on their way.
const LINGER: Duration = Duration::from_secs(2);
/// The close code of a session that a webhook ended.
pub(in crate::session) const DESTROYED: u16 = 1000;

/// What became of a body.
#[derive(Debug)]
pub(crate) struct SaidReply {
    /// How many lines the session holds.
    pub(crate) received: u64,
    /// Why the body was not taken; if it was, it is written, and as durable as the settings say.
    pub(crate) stop: Option<SaidStop>,
}

/// Why a body was not taken.
#[derive(Debug)]
pub(crate) enum SaidStop {
    /// The session is too fast: it should come again after so long.
    TooFast(Duration),
    /// Anything else.
    Stop(Stop),
}

impl Registry {
    /// Takes in what Sora says of a session.
    pub(crate) async fn receive_said(&self, handle: &Arc<Handle>, said: Said<'_>) -> SaidReply {
        let mut journal = handle.journal.lock().await;
        let now = Instant::now();
        if let Some(hearing) = &handle.hearing {
            hearing.heard(now);
        }
        let wait = journal.wait(now);
        if !wait.is_zero() {
            telemetry::slowed();
            return SaidReply { received: journal.received(), stop: Some(SaidStop::TooFast(wait)) };
        }
        let got = journal.receive_said(said, now);
        if got.started {
            self.began(handle, &journal);
        }
        if got.wrote {
            self.wrote(handle, &mut journal).await;
        }
        self.publish(handle, &journal);
        if journal.is_told_over()
            && let Some(hearing) = &handle.hearing
        {
            hearing.ends(now + LINGER);
        }
        let stop = match got.stop {
            // What was held already may be of a request that waits for its sync still.
            None => journal.commit().await.err(),
            stop => stop,
        };
        SaidReply { received: got.received, stop: stop.map(SaidStop::Stop) }
    }

    /// Tells a connection when the session began that it is part of, if that was told.
    pub(crate) async fn tell_of_session(&self, handle: &Handle) {
        let session = handle.origin.sora.as_deref().and_then(|sora| sora.session_id.as_deref());
        let Some(told) = session.and_then(|session| self.spool().announced().of(session)) else { return };
        if let Ok(notice) = Notice::read(told.as_bytes()) {
            handle.journal.lock().await.announce(&notice);
        }
    }

    /// A session that goes on after a start: what its lines told is still so.
    pub(super) async fn go_on_said(&self, handle: Arc<Handle>) {
        self.tell_of_session(&handle).await;
        if handle.journal.lock().await.is_told_over()
            && let Some(hearing) = &handle.hearing
        {
            hearing.ends(Instant::now() + LINGER);
        }
        self.wait_for_quiet(handle);
    }

    /// Ends a session when nothing more is said of it.
    pub(crate) fn wait_for_quiet(&self, handle: Arc<Handle>) {
        let (registry, patience) = (self.clone(), self.0.config.sora.idle_timeout.0);
        let mut stopping = self.0.stopping.clone();
        tokio::spawn(async move {
            let Some(hearing) = &handle.hearing else { return };
            let mut ending = hearing.ending();
            loop {
                let told = *ending.borrow_and_update();
                let silent = hearing.last() + patience;
                let due = told.map_or(silent, |told| told.min(silent));
                if due <= Instant::now() {
                    let code = if told.is_some() { DESTROYED } else { LOST };
                    return registry.end(&handle, code, hearing.last().elapsed()).await;
                }
                tokio::select! {
                    () = tokio::time::sleep_until(due.into()) => {}
                    _ = ending.changed() => {}
                    () = stopping.wait() => return,
                }
            }
        });
    }

    /// A session that is here and not over, in the spool if not in memory yet.
    pub(crate) async fn find_running(&self, id: SessionId) -> Option<Arc<Handle>> {
        if let Some(handle) = self.get(id) {
            return Some(handle).filter(|handle| handle.runs());
        }
        let path = path_of(self.spool().dir(), id);
        if path.exists() {
            let _turn = self.turn(id).lock().await;
            if let Err(error) = self.take_in(id, &path).await {
                tracing::warn!(session = %id, "a session of the spool cannot be read: {error:#}");
            }
        }
        self.get(id).filter(|handle| handle.runs())
    }
}
