//! The sessions that a socket carries, by the names that its client gives them: how one comes to the socket, what it takes, how it
//! ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rtctrace_protocol::jitsi::Message as Said;

use super::super::socket::{End, verdict};
use super::{Conversation, FINAL, bad};
use crate::access::Refusal;
use crate::problem::Reason;
use crate::session::{Attach, Handle, SessionId, SocketSlot, Stop, UnixMillis};
use crate::telemetry;

/// How long a session waits behind its `close` for entries that were on their way.
pub(super) const LINGER: Duration = Duration::from_secs(2);
/// How many sessions one socket may carry: a bridge has one for each conference.
const SESSIONS: usize = 4096;

/// A session that the socket carries.
pub(super) enum Member {
    Live {
        handle: Arc<Handle>,
        slot: SocketSlot,
        /// When it ends, after its `close`.
        ends: Option<Instant>,
    },
    /// Nothing more of it is taken: it is too long, or another socket speaks for it.
    Refused,
}

impl Conversation<'_> {
    pub(super) async fn said_of(&mut self, name: &str, messages: &[Said<'_>]) -> Result<(), End> {
        if messages.is_empty() {
            return Ok(());
        }
        // Once more if the session has ended meanwhile.
        for _ in 0..2 {
            if !self.members.contains_key(name) && !self.join(name).await? {
                return Ok(());
            }
            let Some(Member::Live { handle, slot, .. }) = self.members.get(name) else {
                bad("refused_session", &"nothing more is taken of this session");
                return Ok(());
            };
            let reply = self.app.registry.receive_messages(handle, slot, messages).await;
            if self.leader.as_deref() == Some(name) {
                self.number = reply.number;
            }
            self.listening.slow(reply.wait);
            match reply.stop {
                None => return Ok(()),
                Some(Stop::Ended) => {
                    self.members.remove(name);
                }
                Some(limit @ (Stop::SessionTooLong(_) | Stop::SessionTooOld(_))) => {
                    self.app.registry.end(handle, 4001, Duration::ZERO).await;
                    let (reason, _) = verdict(&limit);
                    telemetry::refused(reason.name());
                    self.members.insert(name.to_owned(), Member::Refused);
                    if self.is_all_over() {
                        return Err(End::Close { code: FINAL, text: limit.to_string(), reason: None });
                    }
                    return Ok(());
                }
                // Later entries may not be taken before these: the client comes back with all of them.
                Some(stop) => return Err(End::refuse(Reason::Overloaded, 1013, stop.to_string())),
            }
        }
        Ok(())
    }

    /// Makes a session one of the socket's. A client that comes back after its session has ended, or says more behind its `close`, goes on in
    /// a session beside it.
    pub(super) async fn join(&mut self, name: &str) -> Result<bool, End> {
        if self.members.len() >= SESSIONS {
            bad("refused_session", &"the socket carries too many sessions");
            return Ok(false);
        }
        for successor in 0..SessionId::SUCCESSORS {
            let id = session_of(name, successor);
            let mut origin = self.origin.clone();
            origin.start_time = UnixMillis::now();
            origin.client_session = (id.to_string() != name).then(|| name.to_owned());
            match self.app.registry.attach(id, origin, u64::from(self.is_reconnect)).await {
                Attach::Session(handle, _) => {
                    let slot = handle.take_over();
                    let held = handle.number().await;
                    let number = held.map_err(|error| End::refuse(Reason::Overloaded, 1013, error.to_string()))?;
                    if let Some(number) = number {
                        tracing::debug!(session = %handle.id, number, "a socket speaks for the session");
                        if self.leader.get_or_insert_with(|| name.to_owned()) == name {
                            self.number = number;
                        }
                        self.members.insert(name.to_owned(), Member::Live { handle, slot, ends: None });
                        return Ok(true);
                    }
                }
                Attach::Ended => {}
                Attach::OtherUser => {
                    telemetry::refused(Reason::Forbidden.name());
                    bad("refused_session", &Refusal::OtherUser);
                    return Ok(false);
                }
                Attach::Later(why) => return Err(End::come_back(why)),
            }
        }
        bad("refused_session", &"the session has ended too often");
        Ok(false)
    }

    /// Ends the sessions whose time has come; when the next one's will.
    pub(super) async fn end_those_due(&mut self, now: Instant) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        let mut over = Vec::new();
        for (name, member) in &self.members {
            match member {
                Member::Live { ends: Some(ends), .. } if *ends <= now => over.push(name.clone()),
                Member::Live { ends: Some(ends), .. } => next = Some(next.map_or(*ends, |next| next.min(*ends))),
                _ => {}
            }
        }
        for name in over {
            if let Some(Member::Live { handle, slot, .. }) = self.members.remove(&name)
                && !slot.is_replaced()
            {
                self.app.registry.end(&handle, 1000, LINGER).await;
            }
        }
        next
    }

    /// Gives up sessions that newer sockets speak for.
    pub(super) fn look_around(&mut self) -> Option<End> {
        for member in self.members.values_mut() {
            if matches!(member, Member::Live { slot, .. } if slot.is_replaced()) {
                telemetry::refused(Reason::Replaced.name());
                *member = Member::Refused;
            }
        }
        // With any other code the client would come back, and take the session from its newer socket.
        self.is_all_over().then(|| End::refuse(Reason::Replaced, FINAL, "a newer socket speaks for the session"))
    }

    fn is_all_over(&self) -> bool {
        !self.members.is_empty() && self.members.values().all(|member| matches!(member, Member::Refused))
    }
}

/// A client's name for a session as ours: most have a UUID. `successor` tells apart those that followed each other.
fn session_of(name: &str, successor: u32) -> SessionId {
    match (successor, name.parse()) {
        (0, Ok(id)) => id,
        _ => SessionId::following(name, successor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_session_each() {
        let uuid = "0190163d-8694-439b-aea5-966c26f8ad90";
        assert_eq!(session_of(uuid, 0).to_string(), uuid);
        assert_eq!(session_of("jvb-7", 0), session_of("jvb-7", 0));
        assert_ne!(session_of("jvb-7", 0), session_of("jvb-8", 0));
        assert_ne!(session_of(uuid, 1), session_of(uuid, 0));
        assert_ne!(session_of(uuid, 1), session_of(uuid, 2));
    }
}
