//! The dialect of Jitsi's browser client and backends: a stream of messages, those of several sessions on one socket if its
//! client likes. What a session has is told by `sn` messages: the first when the socket opens, so that a client that comes back
//! goes on where the session stands, the next ones as its entries reach the spool. A bad message costs itself.

mod members;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::extract::Request;
use futures_util::{FutureExt as _, SinkExt as _};
use rtctrace_protocol::jitsi::{BadMessage, BadValue, Message as Said, ValueStream};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use self::members::{LINGER, Member};
use super::listening::Listening;
use super::origin;
use super::socket::{CLOSE_TIMEOUT, End, Gone, Socket, TOGETHER, close, is_peers_fault, receive, send, within};
use crate::api::query_parameter;
use crate::app::App;
use crate::problem::Reason;
use crate::session::{AckPace, Dialect, LOST, Origin};
use crate::telemetry::{self, Counted};

/// The close code that this dialect's clients take as final; with it they also leave a conference.
const FINAL: u16 = 3001;

/// A socket that is about to open, and what its request said.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) origin: Origin,
    /// The session that the URL names.
    session: Option<String>,
    is_reconnect: bool,
}

/// Any path will do: it names the conference.
pub(super) fn open(app: &App, dialect: Dialect, request: &Request) -> Opening {
    let session = query_parameter(request.uri(), "statsSessionId").filter(|id| Said::is_id(id));
    let is_reconnect = query_parameter(request.uri(), "isReconnect").is_some_and(|value| value == "true");
    Opening { origin: origin(app, dialect, request), session, is_reconnect }
}

impl Opening {
    /// Serves the socket until it is gone; what is left of its sessions is the registry's.
    pub(super) async fn serve(self, app: App, mut socket: Socket) {
        let _open = Counted::socket();
        let limit = usize::try_from(app.config.limits.line_bytes.0).unwrap_or(usize::MAX);
        let mut conversation = Conversation {
            app: &app,
            stream: ValueStream::new(limit),
            members: HashMap::new(),
            leader: self.session,
            number: 0,
            pace: AckPace::new(0),
            listening: Listening::new(&app),
            origin: self.origin,
            is_reconnect: self.is_reconnect,
        };
        let end = match Box::pin(conversation.begin(&mut socket)).await {
            Ok(()) => conversation.run(&mut socket).await,
            Err(end) => end,
        };
        Box::pin(conversation.part(end, socket)).await;
    }
}

/// A socket and its sessions, by the names that its client gives them.
struct Conversation<'a> {
    app: &'a App,
    stream: ValueStream,
    members: HashMap<String, Member>,
    /// The session that `sn` messages are about: the one of the URL, or the first.
    leader: Option<String>,
    /// The highest sequence number that it holds.
    number: u64,
    pace: AckPace,
    listening: Listening<'a>,
    origin: Origin,
    is_reconnect: bool,
}

impl Conversation<'_> {
    /// Takes over the session that a client comes back to, and says what it holds.
    async fn begin(&mut self, socket: &mut Socket) -> Result<(), End> {
        if let Some(name) = self.leader.clone().filter(|_| self.is_reconnect) {
            self.join(&name).await?;
        }
        self.pace = AckPace::new(self.number);
        send(socket, sequence_number(self.number, "initial")).await.map_err(|Gone| End::Gone(LOST))
    }

    async fn run(&mut self, socket: &mut Socket) -> End {
        let mut stopping = self.app.stopping.clone();
        self.listening.heard();
        let spool = self.app.registry.spool();
        loop {
            let now = Instant::now();
            self.listening.look(now);
            let due = self.pace.due(self.number, now);
            if due.is_some_and(|due| due <= now) {
                if self.tell(socket).await.is_err() {
                    return End::Gone(LOST);
                }
                continue;
            }
            match self.listening.ping(socket, now).await {
                Err(Gone) => return End::Gone(LOST),
                Ok(true) => {
                    if let Some(end) = self.look_around() {
                        return end;
                    }
                }
                Ok(false) => {}
            }
            let ending = self.end_those_due(now).await;
            let wake = [due, ending].into_iter().flatten().fold(self.listening.due(), Instant::min);
            tokio::select! {
                biased;
                () = stopping.wait() => {
                    return End::Close { code: 1012, text: "the collector restarts".to_owned(), reason: None };
                }
                () = tokio::time::sleep_until(wake.into()) => {}
                () = spool.room(), if self.listening.waits_for_room() => {}
                message = receive(socket), if !self.listening.is_held() => {
                    self.listening.heard();
                    if let Err(end) = self.messages(message, socket).await {
                        return end;
                    }
                }
            }
        }
    }

    /// Takes in what has arrived, all of it together.
    async fn messages(&mut self, first: Option<Result<Message, WsError>>, socket: &mut Socket) -> Result<(), End> {
        let mut values = Vec::new();
        let (mut bytes, mut next) = (0, first);
        let other = loop {
            match next {
                Some(Ok(Message::Text(frame))) => {
                    bytes += frame.len();
                    self.feed(frame.as_bytes(), &mut values, socket);
                }
                Some(Ok(Message::Binary(frame))) => {
                    bytes += frame.len();
                    self.feed(&frame, &mut values, socket);
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                other => break Some(other),
            }
            if bytes >= TOGETHER {
                break None;
            }
            match receive(socket).now_or_never() {
                Some(message) => next = message,
                None => break None,
            }
        };
        self.said(&values).await?;
        other.map_or(Ok(()), |other| Err(self.over(other)))
    }

    fn feed(&mut self, chunk: &[u8], values: &mut Vec<String>, socket: &mut Socket) {
        let mut has_ended = false;
        // All of it, for as long as it is looked at.
        socket.get_mut().keeps((self.stream.pending_bytes() + chunk.len()) as u64, false);
        self.stream.feed(chunk, |value| {
            has_ended = true;
            match value {
                Ok(text) => values.push(text.to_owned()),
                Err(error) => bad(
                    match error {
                        BadValue::TooLong(_) => "line_too_large",
                        BadValue::Torn | BadValue::NotAValue => "not_json",
                        BadValue::NotUtf8 => "not_utf8",
                    },
                    &error,
                ),
            }
        });
        socket.get_mut().keeps(self.stream.pending_bytes() as u64, has_ended);
    }

    /// What is no message of the dialect ends the socket.
    fn over(&self, message: Option<Result<Message, WsError>>) -> End {
        match message {
            Some(Ok(Message::Close(frame))) => End::Gone(frame.map_or(1005, |frame| frame.code.into())),
            Some(Err(WsError::Capacity(error))) => {
                bad("frame_too_large", &error);
                End::Stuck { text: format!("a frame is longer than {}", self.app.config.limits.frame_bytes) }
            }
            Some(Err(WsError::Utf8(error))) => {
                bad("not_utf8", &error);
                End::refuse(Reason::BadLine, 1007, "a frame is not UTF-8")
            }
            Some(Err(WsError::Protocol(error))) if is_peers_fault(&error) => {
                End::refuse(Reason::BadHandshake, 1002, error.to_string())
            }
            _ => End::Gone(LOST),
        }
    }

    /// Gives each session what was said of it, in order.
    async fn said(&mut self, values: &[String]) -> Result<(), End> {
        // In the order in which they are first named. Every message may name another one.
        let mut sessions: Vec<(String, Vec<Said<'_>>, bool)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for text in values {
            let message = match Said::parse(text) {
                Ok(message) => message,
                Err(error) => {
                    let reason = if matches!(error, BadMessage::Json(_)) { "not_json" } else { "malformed" };
                    bad(reason, &error);
                    continue;
                }
            };
            if message.kind == "keepalive" {
                continue;
            }
            let place = match places.get(&*message.session) {
                Some(place) => *place,
                None => {
                    let name = message.session.clone().into_owned();
                    places.insert(name.clone(), sessions.len());
                    sessions.push((name, Vec::new(), false));
                    sessions.len() - 1
                }
            };
            if let Some((_, messages, closes)) = sessions.get_mut(place) {
                match &*message.kind {
                    "close" => *closes = true,
                    _ => messages.push(message),
                }
            }
        }
        for (name, messages, closes) in sessions {
            self.said_of(&name, &messages).await?;
            if let (true, Some(Member::Live { ends, .. })) = (closes, self.members.get_mut(&name)) {
                ends.get_or_insert(Instant::now() + LINGER);
            }
        }
        Ok(())
    }

    async fn tell(&mut self, socket: &mut Socket) -> Result<(), Gone> {
        send(socket, sequence_number(self.number, "stored")).await?;
        self.pace.sent(self.number, Instant::now());
        telemetry::ack();
        Ok(())
    }

    /// Closes what is to be closed, and leaves the sessions to the registry.
    async fn part(mut self, end: End, mut socket: Socket) {
        let code = match &end {
            End::Gone(code) | End::Close { code, .. } => *code,
            End::Stuck { .. } => 1009,
        };
        tracing::debug!(code, sessions = self.members.len(), "socket closed");
        if matches!(end, End::Gone(_)) {
            let _ = within(CLOSE_TIMEOUT, socket.flush()).await;
        } else {
            if self.pace.due(self.number, Instant::now()).is_some() {
                let _ = self.tell(&mut socket).await;
            }
            close(&mut socket, end).await;
        }
        drop(socket);
        let is_left = code == FINAL;
        let is_stop = code == 1012 && self.app.stopping.is_now();
        for member in self.members.into_values() {
            let Member::Live { handle, slot, ends } = member else { continue };
            let registry = self.app.registry.clone();
            if (ends.is_some() || is_left) && !slot.is_replaced() {
                let code = if ends.is_some() { 1000 } else { code };
                registry.end(&handle, code, Duration::ZERO).await;
            } else if !is_stop {
                // Each waits for its own.
                tokio::spawn(async move { registry.socket_gone(&handle, slot, code).await });
            }
        }
    }
}

/// What the dialect's clients are told: all entries up to this one are held.
fn sequence_number(value: u64, state: &str) -> String {
    format!(r#"{{"type":"sn","body":{{"value":{value},"state":"{state}"}}}}"#)
}

fn bad(reason: &'static str, error: &dyn std::fmt::Display) {
    tracing::debug!("a message is not taken: {error}");
    telemetry::bad_line(reason);
}
