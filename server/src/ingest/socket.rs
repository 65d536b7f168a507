//! A socket from its first frame to its last: lines in, acknowledgements out, and an end that the client can understand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::v1;
use crate::app::App;
use crate::problem::Reason;
use crate::session::{AckPace, Attach, Handle, LOST, Origin, SessionId, SocketCursor, SocketSlot, Stop};
use crate::telemetry::{self, OpenSocket};

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// A peer that does not take an acknowledgement for so long is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the collector waits for its peer's part of the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a client may take to close after its session's last line was acknowledged.
const CLEAN_END_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest reason of a close frame, in bytes (RFC 6455, section 5.5: 125 with the code).
const LONGEST_REASON: usize = 123;

/// A socket that is about to open, and what its request said.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) session: SessionId,
    pub(super) from: u64,
    pub(super) origin: Origin,
    /// Whether the dialect has a welcome and acknowledgements.
    pub(super) acknowledges: bool,
}

/// Why a socket's loop ended.
enum End {
    /// The peer closed, or went without a word: the close code.
    Gone(u16),
    /// The collector closes.
    Close { code: u16, text: String, reason: Option<Reason> },
    /// The same, and the parser is stuck in a message that is too long to be read.
    Stuck { text: String },
}

impl End {
    fn refuse(reason: Reason, code: u16, text: impl Into<String>) -> Self {
        Self::Close { code, text: text.into(), reason: Some(reason) }
    }
}

/// How a client hears that lines were not taken: counter and close code.
pub(super) fn verdict(stop: &Stop) -> (Reason, u16) {
    match stop {
        Stop::Ended => (Reason::SessionEnded, 4000),
        Stop::BadLine { .. } => (Reason::BadLine, 1007),
        Stop::LineTooLong { .. } => (Reason::TooLarge, 1009),
        Stop::SessionTooLong(_) => (Reason::SessionLimit, 4001),
        Stop::Spool(_) => (Reason::Overloaded, 1013),
    }
}

impl Opening {
    /// Serves the socket until it is gone; what is left of its session is the registry's.
    pub(super) async fn serve(self, app: App, mut socket: Socket) {
        let _open = OpenSocket::new();
        let attached = app.registry.attach(self.session, self.origin, self.from).await;
        let refusal = match attached {
            Attach::Session(handle, _) => {
                let mut slot = handle.take_over();
                match handle.cursor(self.from).await {
                    Ok(Some((cursor, received))) => {
                        tracing::debug!(session = %handle.id, from = self.from, received, "socket open");
                        let mut conversation = Conversation {
                            app: &app,
                            handle: &handle,
                            cursor,
                            received,
                            pace: self.acknowledges.then(|| AckPace::new(received)),
                        };
                        let end = conversation.run(&mut socket, &mut slot).await;
                        return conversation.part(end, socket, slot).await;
                    }
                    Ok(None) => End::refuse(Reason::SessionEnded, 4000, "session already ended"),
                    Err(error) => {
                        tracing::error!(session = %handle.id, "the spool cannot be read: {error}");
                        telemetry::store_failed(telemetry::Store::Spool);
                        End::refuse(Reason::Overloaded, 1013, "the spool cannot be read; come back later")
                    }
                }
            }
            Attach::Ended => End::refuse(Reason::SessionEnded, 4000, "session already ended"),
            Attach::Overloaded => End::refuse(Reason::Overloaded, 1013, "overloaded; come back later"),
        };
        close(&mut socket, refusal).await;
    }
}

/// One socket's part of a session.
struct Conversation<'a> {
    app: &'a App,
    handle: &'a Arc<Handle>,
    cursor: SocketCursor,
    received: u64,
    pace: Option<AckPace>,
}

impl Conversation<'_> {
    async fn run(&mut self, socket: &mut Socket, slot: &mut SocketSlot) -> End {
        if self.pace.is_some() && send(socket, v1::welcome(self.received)).await.is_err() {
            return End::Gone(LOST);
        }
        let patience = self.app.config.session.idle_timeout.0;
        let mut pings = tokio::time::interval_at(tokio::time::Instant::now() + patience / 3, patience / 3);
        pings.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut stopping = self.app.stopping.clone();
        let mut heard = Instant::now();
        let mut clean_end: Option<Instant> = None;
        loop {
            let ack_due = self.pace.as_ref().and_then(|pace| pace.due(self.received, Instant::now()));
            tokio::select! {
                biased;
                () = stopping.wait() => {
                    return End::Close { code: 1012, text: "the collector restarts".to_owned(), reason: None };
                }
                () = slot.replaced() => return End::refuse(Reason::Replaced, 4002, "a newer socket speaks for the session"),
                () = sleep_until(ack_due) => {
                    if self.acknowledge(socket).await.is_err() {
                        return End::Gone(LOST);
                    }
                }
                () = sleep_until(clean_end) => {
                    return End::Close { code: 1000, text: "the session has ended".to_owned(), reason: None };
                }
                _ = pings.tick() => {
                    if heard.elapsed() > patience {
                        // No close frame: a client that wakes up should find its socket lost, and come back.
                        telemetry::refused(Reason::Idle.name());
                        return End::Gone(LOST);
                    }
                    if within(SEND_TIMEOUT, socket.send(Message::Ping(Vec::new().into()))).await.is_err() {
                        return End::Gone(LOST);
                    }
                }
                message = socket.next() => {
                    heard = Instant::now();
                    match self.message(message, slot).await {
                        Ok(None) => {}
                        // The client waits for this one: it is not held back.
                        Ok(Some(SessionEnded)) => {
                            if self.acknowledge(socket).await.is_err() {
                                return End::Gone(LOST);
                            }
                            clean_end.get_or_insert(Instant::now() + CLEAN_END_TIMEOUT);
                        }
                        Err(end) => return end,
                    }
                }
            }
        }
    }

    async fn message(
        &mut self,
        message: Option<Result<Message, WsError>>,
        slot: &SocketSlot,
    ) -> Result<Option<SessionEnded>, End> {
        match message {
            Some(Ok(Message::Text(frame))) => {
                let registry = &self.app.registry;
                let reply = registry.receive(self.handle, &mut self.cursor, Some(slot), &frame).await;
                self.received = reply.received;
                match reply.stop {
                    Some(stop) => {
                        let (reason, code) = verdict(&stop);
                        if let Some(reason) = bad_line(&stop) {
                            telemetry::bad_line(reason);
                        }
                        Err(End::refuse(reason, code, stop.to_string()))
                    }
                    None => Ok(reply.ended.then_some(SessionEnded)),
                }
            }
            Some(Ok(Message::Binary(_))) => {
                telemetry::bad_line("binary");
                Err(End::refuse(Reason::BadLine, 1003, "lines travel in text frames"))
            }
            Some(Ok(Message::Close(frame))) => Err(End::Gone(frame.map_or(1005, |frame| frame.code.into()))),
            Some(Ok(_)) => Ok(None),
            Some(Err(WsError::Capacity(error))) => {
                telemetry::bad_line("frame_too_large");
                let limit = self.app.config.limits.frame_bytes;
                tracing::debug!(session = %self.handle.id, "{error}");
                Err(End::Stuck { text: format!("a frame is longer than {limit}") })
            }
            Some(Err(WsError::Utf8(_))) => {
                telemetry::bad_line("not_utf8");
                Err(End::refuse(Reason::BadLine, 1007, "a frame is not UTF-8"))
            }
            Some(Err(WsError::Protocol(error))) if is_peers_fault(&error) => {
                Err(End::refuse(Reason::BadHandshake, 1002, error.to_string()))
            }
            Some(Err(_)) | None => Err(End::Gone(LOST)),
        }
    }

    async fn acknowledge(&mut self, socket: &mut Socket) -> Result<(), Gone> {
        let Some(pace) = &mut self.pace else { return Ok(()) };
        if pace.due(self.received, Instant::now()).is_some() {
            send(socket, v1::ack(self.received)).await?;
            pace.sent(self.received, Instant::now());
            telemetry::ack();
        }
        Ok(())
    }

    /// Closes what is to be closed, and leaves the session to the registry.
    async fn part(mut self, end: End, mut socket: Socket, slot: SocketSlot) {
        let code = match &end {
            End::Gone(code) | End::Close { code, .. } => *code,
            End::Stuck { .. } => 1009,
        };
        tracing::debug!(session = %self.handle.id, code, received = self.received, "socket closed");
        if matches!(end, End::Gone(_)) {
            // Its answer to the peer's close frame is waiting to be written.
            let _ = within(CLOSE_TIMEOUT, socket.flush()).await;
        } else {
            let _ = self.acknowledge(&mut socket).await;
            close(&mut socket, end).await;
        }
        drop(socket);
        let registry = &self.app.registry;
        match code {
            1012 if self.app.stopping.is_now() => {
                if self.pace.is_none() {
                    registry.close_for_stop(self.handle, code).await;
                }
            }
            4001 => registry.end(self.handle, code, Duration::ZERO).await,
            _ => registry.socket_gone(self.handle, slot, code).await,
        }
    }
}

/// The session's last line was received.
struct SessionEnded;

/// The peer cannot be reached any more.
struct Gone;

fn bad_line(stop: &Stop) -> Option<&'static str> {
    use rtctrace_protocol::line::LineError;
    match stop {
        Stop::BadLine { error: LineError::Json(_), .. } => Some("not_json"),
        Stop::BadLine { error: LineError::NotAnArray(_), .. } => Some("not_an_array"),
        Stop::BadLine { .. } => Some("malformed"),
        Stop::LineTooLong { .. } => Some("line_too_large"),
        _ => None,
    }
}

/// Whether the peer broke the protocol; a connection that just ended did not.
fn is_peers_fault(error: &tokio_tungstenite::tungstenite::error::ProtocolError) -> bool {
    !matches!(error, tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)
}

async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}

async fn within<T, E>(limit: Duration, work: impl Future<Output = Result<T, E>>) -> Result<T, Gone> {
    tokio::time::timeout(limit, work).await.map_err(|_| Gone)?.map_err(|_| Gone)
}

async fn send(socket: &mut Socket, text: String) -> Result<(), Gone> {
    within(SEND_TIMEOUT, socket.send(Message::Text(text.into()))).await
}

/// Says why, and waits a moment for the peer to hear it: closing a connection with unread input resets it, and the peer
/// would never see the reason.
async fn close(socket: &mut Socket, end: End) {
    let (code, mut text, reason, is_stuck) = match end {
        End::Gone(_) => return,
        End::Close { code, text, reason } => (code, text, reason, false),
        End::Stuck { text } => (1009, text, Some(Reason::TooLarge), true),
    };
    if let Some(reason) = reason {
        telemetry::refused(reason.name());
    }
    text.truncate(text.floor_char_boundary(LONGEST_REASON));
    let frame = CloseFrame { code: CloseCode::from(code), reason: text.into() };
    if within(CLOSE_TIMEOUT, socket.send(Message::Close(Some(frame)))).await.is_err() {
        return;
    }
    let heard = async {
        if is_stuck {
            let raw = socket.get_mut();
            let mut rest = vec![0; 16 * 1024];
            if raw.shutdown().await.is_ok() {
                while raw.read(&mut rest).await.is_ok_and(|read| read > 0) {}
            }
        } else {
            while let Some(Ok(message)) = socket.next().await {
                if message.is_close() {
                    break;
                }
            }
            let _ = socket.flush().await;
        }
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, heard).await;
}
