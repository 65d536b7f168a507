//! What the registry does for sockets that carry messages of many sessions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rtctrace_protocol::jitsi::Message;

use super::{Handle, Registry, SocketSlot};
use crate::session::Stop;

/// What became of messages.
#[derive(Debug)]
pub(crate) struct MessagesReply {
    /// The highest sequence number in the spool.
    pub(crate) number: u64,
    /// How long no more should be read: the session is too fast.
    pub(crate) wait: Duration,
    /// Why messages were not taken.
    pub(crate) stop: Option<Stop>,
}

impl Handle {
    /// The highest sequence number that the session holds; `None` if it is over.
    ///
    /// # Errors
    /// If nobody knows what of it is safe.
    pub(crate) async fn number(&self) -> std::io::Result<Option<u64>> {
        let journal = self.journal.lock().await;
        if journal.is_distrusted() {
            return Err(std::io::Error::other("a sync of the spool failed; the next start reads what is there"));
        }
        Ok((!journal.ended()).then(|| journal.number()))
    }
}

impl Registry {
    /// Takes in messages of one session. When it returns, what has a number up to the reply's is written.
    pub(crate) async fn receive_messages(
        &self,
        handle: &Arc<Handle>,
        slot: &SocketSlot,
        messages: &[Message<'_>],
    ) -> MessagesReply {
        let mut journal = handle.journal.lock().await;
        if slot.is_replaced() {
            return MessagesReply { number: journal.number(), wait: Duration::ZERO, stop: None };
        }
        let known = journal.number();
        let got = journal.receive_messages(messages, Instant::now());
        if got.started {
            self.began(handle, &journal);
        }
        let wait = got.wait.max(self.wrote(handle, &mut journal).await);
        self.publish(handle, &journal);
        // Under the session's lock: a socket that takes over is not told what is not safe yet.
        let safe = if got.wrote { journal.commit().await } else { Ok(()) };
        match safe {
            Ok(()) => MessagesReply { number: journal.number(), wait, stop: got.stop },
            Err(stop) => MessagesReply { number: known, wait, stop: Some(stop) },
        }
    }
}
