//! A socket from its first frame to its last: lines in, acknowledgements out, and an end that the client can understand.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};

use super::listening::Listening;
use super::unfinished::Watched;
use super::v1;
use crate::access::Refusal;
use crate::app::App;
use crate::problem::Reason;
use crate::session::{AckPace, Attach, Handle, LOST, Later, Origin, SessionId, SocketCursor, SocketSlot, Stop};
use crate::telemetry::{self, Counted};

pub(super) type Socket = WebSocketStream<Watched<TokioIo<Upgraded>>>;
/// What comes from a socket; `None` at its end.
pub(super) type Incoming = Option<Result<Message, WsError>>;

/// A peer that does not take an acknowledgement for so long is gone.
pub(super) const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// A socket that brings nothing for so long has brought all that was on its way when the collector stopped.
const QUIET: Duration = Duration::from_millis(100);
/// How long the collector waits for its peer's part of the closing handshake.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a client may take to close after its session's last line was acknowledged.
const CLEAN_END_TIMEOUT: Duration = Duration::from_secs(5);
/// So many bytes of frames that have arrived already are taken in together.
pub(super) const TOGETHER: usize = 64 * 1024;
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
pub(super) enum End {
    /// The peer closed, or went without a word: the close code.
    Gone(u16),
    /// The collector closes.
    Close { code: u16, text: String, reason: Option<Reason> },
    /// The same, and the parser is stuck in a message that is too long to be read.
    Stuck { text: String },
}

impl End {
    pub(super) fn refuse(reason: Reason, code: u16, text: impl Into<String>) -> Self {
        Self::Close { code, text: text.into(), reason: Some(reason) }
    }

    pub(super) fn come_back(why: Later) -> Self {
        Self::refuse(later(why), 1013, format!("{why}; come back later"))
    }
}

/// How a client hears that lines were not taken: counter and close code.
pub(in crate::ingest) fn verdict(stop: &Stop) -> (Reason, u16) {
    match stop {
        Stop::Ended => (Reason::SessionEnded, 4000),
        Stop::BadLine { .. } => (Reason::BadLine, 1007),
        Stop::LineTooLong { .. } | Stop::Unfit(_) => (Reason::LineTooLong, 1009),
        Stop::SessionTooLong(_) => (Reason::SessionTooLong, 4001),
        Stop::SessionTooOld(_) => (Reason::SessionTooOld, 4001),
        Stop::Spool(_) => (Reason::Overloaded, 1013),
    }
}

/// The counter of a client that is asked to come back later.
pub(in crate::ingest) fn later(why: Later) -> Reason {
    match why {
        Later::TooManyOfAddress => Reason::AddressLimit,
        Later::TooMany => Reason::TooManySessions,
        Later::SpoolFull => Reason::SpoolFull,
        Later::Unknown => Reason::Overloaded,
    }
}

/// How a client hears that it may not send. Ours asks its app for a new token then.
fn refuse(refusal: Refusal) -> End {
    End::refuse(refusal.reason(), 1008, refusal.to_string())
}

/// Closes the socket of a client that may not send.
pub(super) async fn turn_away(mut socket: Socket, refusal: Refusal) {
    let _open = Counted::socket();
    close(&mut socket, refuse(refusal)).await;
}

impl Opening {
    /// Serves the socket until it is gone; what is left of its session is the registry's. What happens once has a box of its own:
    /// it would make the socket larger for as long as it is open.
    #[expect(clippy::manual_async_fn, reason = "an async fn keeps its arguments twice")]
    pub(super) fn serve(self, app: App, mut socket: Socket) -> impl Future<Output = ()> + Send {
        async move {
            let _open = Counted::socket();
            let refusal = match Box::pin(self.begin(&app)).await {
                Ok((handle, slot, cursor, received)) => {
                    tracing::debug!(session = %handle.id, from = self.from, received, "socket open");
                    let mut conversation = Conversation {
                        app: &app,
                        handle: &handle,
                        cursor,
                        received,
                        pace: self.acknowledges.then(|| AckPace::new(received)),
                        listening: Listening::new(&app),
                    };
                    let end = conversation.run(&mut socket, &slot).await;
                    return Box::pin(conversation.part(end, socket, slot)).await;
                }
                Err(refusal) => refusal,
            };
            Box::pin(close(&mut socket, refusal)).await;
        }
    }

    /// Finds the session and the socket's place in it.
    async fn begin(&self, app: &App) -> Result<(Arc<Handle>, SocketSlot, SocketCursor, u64), End> {
        // A session may end, for want of its client, at the very moment when that comes: it then goes on from the stores.
        for _ in 0..2 {
            let handle = match app.registry.attach(self.session, self.origin.clone(), self.from).await {
                Attach::Session(handle, _) => handle,
                Attach::Ended => break,
                Attach::OtherUser => return Err(refuse(Refusal::OtherUser)),
                Attach::Later(why) => return Err(End::come_back(why)),
            };
            let slot = handle.take_over();
            match handle.cursor(self.from).await {
                Ok(Some((cursor, received))) => {
                    if self.from > received {
                        // It lies in another collector's stores, or was removed.
                        telemetry::short_session();
                        tracing::warn!(session = %handle.id, from = self.from, received, "lines are missing that the client believes to be held");
                    }
                    return Ok((handle, slot, cursor, received));
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(session = %handle.id, "the spool cannot be read: {error}");
                    telemetry::store_failed(telemetry::Store::Spool);
                    return Err(End::refuse(Reason::Overloaded, 1013, "the spool cannot be read; come back later"));
                }
            }
        }
        Err(End::refuse(Reason::SessionEnded, 4000, "session already ended"))
    }
}

/// One socket's part of a session.
struct Conversation<'a> {
    app: &'a App,
    handle: &'a Arc<Handle>,
    cursor: SocketCursor,
    received: u64,
    pace: Option<AckPace>,
    listening: Listening<'a>,
}

impl Conversation<'_> {
    async fn run(&mut self, socket: &mut Socket, slot: &SocketSlot) -> End {
        if self.pace.is_some() && send(socket, v1::welcome(self.received)).await.is_err() {
            return End::Gone(LOST);
        }
        let mut clean_end: Option<Instant> = None;
        let (mut stopping, mut replaced) = (self.app.stopping.clone(), slot.clone());
        let mut stopped = pin!(stopping.wait());
        let mut replaced = pin!(replaced.replaced());
        // One timer for all that is due some time: most of it is put off again before it is due.
        let spool = self.app.registry.spool();
        let mut waiting = None;
        let mut timer = pin!(tokio::time::sleep_until(self.listening.due().into()));
        loop {
            let now = Instant::now();
            self.listening.look(now);
            let ack_due = self.pace.as_ref().and_then(|pace| pace.due(self.received, now));
            if ack_due.is_some_and(|due| due <= now) {
                if self.acknowledge(socket).await.is_err() {
                    return End::Gone(LOST);
                }
                continue;
            }
            if clean_end.is_some_and(|end| end <= now) {
                return End::Close { code: 1000, text: "the session has ended".to_owned(), reason: None };
            }
            if self.listening.ping(socket, now).await.is_err() {
                return End::Gone(LOST);
            }
            let due = [ack_due, clean_end].into_iter().flatten().fold(self.listening.due(), Instant::min);
            if timer.deadline().into_std() > due || timer.is_elapsed() {
                timer.as_mut().reset(due.into());
            }
            tokio::select! {
                biased;
                () = &mut stopped => {
                    if self.pace.is_none() {
                        Box::pin(self.read_the_rest(socket, slot)).await;
                    }
                    return End::Close { code: 1012, text: "the collector restarts".to_owned(), reason: None };
                }
                () = &mut replaced => return End::refuse(Reason::Replaced, 4002, "a newer socket speaks for the session"),
                () = &mut timer => {}
                () = spool.room(), if self.listening.waits_for_room() => {}
                message = next(&mut waiting, socket), if !self.listening.is_held() => {
                    self.listening.heard();
                    if spool.is_full() {
                        waiting = Some(message);
                        continue;
                    }
                    // Most of the time there is none.
                    match Box::pin(self.messages(message, socket, slot)).await {
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

    /// Takes in a message, and what else has arrived already: frames that are there are written by one write.
    async fn messages(
        &mut self,
        first: Incoming,
        socket: &mut Socket,
        slot: &SocketSlot,
    ) -> Result<Option<SessionEnded>, End> {
        let frame = match first {
            Some(Ok(Message::Text(frame))) => frame,
            other => return self.other(other).map(|()| None),
        };
        let (mut bytes, mut frames, mut other) = (frame.len(), vec![frame], None);
        while bytes < TOGETHER {
            match receive(socket).now_or_never() {
                Some(Some(Ok(Message::Text(frame)))) => {
                    bytes += frame.len();
                    frames.push(frame);
                }
                Some(message) => {
                    other = Some(message);
                    break;
                }
                None => break,
            }
        }
        let texts = frames.iter().map(Utf8Bytes::as_str);
        let reply = self.app.registry.receive(self.handle, &mut self.cursor, Some(slot), texts).await;
        self.received = reply.received;
        self.listening.slow(reply.wait);
        if let Some(stop) = reply.stop {
            let (reason, code) = verdict(&stop);
            if let Some(reason) = bad_line(&stop) {
                telemetry::bad_line(reason);
            }
            return Err(End::refuse(reason, code, stop.to_string()));
        }
        if let Some(other) = other {
            self.other(other)?;
        }
        Ok(reply.ended.then_some(SessionEnded))
    }

    /// Takes in what has arrived when the collector stops: a client that is not acknowledged does not send it again.
    async fn read_the_rest(&mut self, socket: &mut Socket, slot: &SocketSlot) {
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        while let Ok(message) = tokio::time::timeout(QUIET, receive(socket)).await {
            if message.is_none() || self.messages(message, socket, slot).await.is_err() || Instant::now() > deadline {
                break;
            }
        }
    }

    /// A message that brings no lines.
    fn other(&self, message: Incoming) -> Result<(), End> {
        match message {
            Some(Ok(Message::Binary(_))) => {
                telemetry::bad_line("binary");
                Err(End::refuse(Reason::BadLine, 1003, "lines travel in text frames"))
            }
            Some(Ok(Message::Close(frame))) => Err(End::Gone(frame.map_or(1005, |frame| frame.code.into()))),
            Some(Ok(_)) => Ok(()),
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

/// A message that waits for room in the spool, or the next one.
async fn next(waiting: &mut Option<Incoming>, socket: &mut Socket) -> Incoming {
    match waiting.take() {
        Some(message) => message,
        None => receive(socket).await,
    }
}

/// The next message.
pub(super) async fn receive(socket: &mut Socket) -> Incoming {
    let message = socket.next().await;
    if let Some(Ok(message)) = &message {
        socket.get_mut().ended(message);
    }
    message
}

/// The session's last line was received.
struct SessionEnded;

/// The peer cannot be reached any more.
pub(super) struct Gone;

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
pub(super) fn is_peers_fault(error: &tokio_tungstenite::tungstenite::error::ProtocolError) -> bool {
    !matches!(error, tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)
}

pub(super) async fn within<T, E>(limit: Duration, work: impl Future<Output = Result<T, E>>) -> Result<T, Gone> {
    tokio::time::timeout(limit, work).await.map_err(|_| Gone)?.map_err(|_| Gone)
}

pub(super) async fn send(socket: &mut Socket, text: String) -> Result<(), Gone> {
    within(SEND_TIMEOUT, socket.send(Message::Text(text.into()))).await
}

/// Says why, and waits a moment for the peer to hear it: closing a connection with unread input resets it, and the peer
/// would never see the reason.
pub(super) async fn close(socket: &mut Socket, end: End) {
    let (code, mut text, reason, is_stuck) = match end {
        End::Gone(_) => return,
        End::Close { code, text, reason } => (code, text, reason, false),
        End::Stuck { text } => (1009, text, Some(Reason::FrameTooLong), true),
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
