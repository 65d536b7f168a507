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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use rtctrace_protocol::sora::Push;

    use super::*;
    use crate::app::offline;
    use crate::config::{Config, Size};
    use crate::session::{Attach, Origin, UnixMillis};

    /// A report of so many packets, as it is pushed.
    fn body(packets: u32) -> String {
        format!(
            r#"{{"type":"connection.rtc","id":"{packets}","timestamp":"2025-07-25T06:06:51.59277{packets}Z","label":"l","version":"1","node_name":"n",
            "role":"sendrecv","channel_id":"c","client_id":"ann","simulcast":false,"spotlight":false,"session_id":"7N8FP3M0ZH2ASBCDPHRGS2HYB8",
            "connection_id":"JXW8K4FG6H7TZ2F63T38ZHSJQG","stats":[{{"id":"A","type":"inbound-rtp","timestamp":175342361159{packets},"packetsReceived":{packets}}}]}}"#
        )
    }

    #[tokio::test]
    async fn a_session_takes_in_what_is_pushed_while_its_rows_wait_for_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
        config.stats.queue_bytes = Size(1024);
        let (registry, _lock) = offline(config).await.unwrap();
        let bodies = [1, 2, 3].map(body);
        let [first, second, third] = bodies.each_ref().map(|body| Push::read(body.as_bytes()).unwrap());
        let origin = Origin::of_sora(&first.sender, first.connection.as_ref(), "/", UnixMillis::now());
        let Attach::Session(handle, true) = registry.attach(SessionId::new(), origin, 0).await else { panic!() };
        // Who writes keeps all others from writing.
        let writing = registry.stores().database.begin().await.unwrap();
        assert!(registry.receive_said(&handle, Said::Push(&first)).await.stop.is_none());
        registry.catch_up(&handle).await;
        assert!(registry.receive_said(&handle, Said::Push(&second)).await.stop.is_none());
        let mut waiting = std::pin::pin!(registry.catch_up(&handle));
        assert!(waiting.as_mut().now_or_never().is_none());
        let taken = registry.receive_said(&handle, Said::Push(&third)).now_or_never();
        assert!(taken.is_some_and(|taken| taken.stop.is_none()));
        writing.rollback().await.unwrap();
        waiting.await;
        assert!(!handle.is_behind());
    }
}
