//! The client's end of a WebSocket, as thin as it can be: frames are prepared as bytes, so that a tool may send the same ones
//! on thousands of sockets, many by one write. No extensions, no fragments from the collector.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};
use url::Url;

/// From the first packet to the answer to the handshake.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
/// A longer answer to a handshake is none.
const LONGEST_ANSWER: usize = 16 * 1024;
/// A collector's frames are acknowledgements and reasons.
const LONGEST_FRAME: u64 = 64 * 1024;
/// Any key will do (RFC 6455, section 10.3, fears scripts that choose payloads), and one makes frames that are prepared once.
const MASK: [u8; 4] = [0x5a, 0xc3, 0x17, 0xe8];
/// The example of RFC 6455, section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// Where a collector is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    host: String,
    port: u16,
    /// What clients of `rtcstats#5.0` ask for; `/` if the URL has no path.
    pub(crate) path: String,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("{error}; write for example ws://127.0.0.1:8080"))?;
        match url.scheme() {
            "ws" | "http" => {}
            other => return Err(format!("the scheme is `{other}`; this tool speaks ws:// and http://")),
        }
        let host = url.host_str().ok_or("the URL has no host")?.to_owned();
        Ok(Self { host, port: url.port().unwrap_or(80), path: url.path().to_owned() })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Target {
    /// Its address.
    pub(crate) async fn resolve(&self) -> anyhow::Result<SocketAddr> {
        let name = self.to_string();
        let mut found = tokio::net::lookup_host(&name).await.with_context(|| format!("cannot find {self}"))?;
        found.next().with_context(|| format!("{self} has no address"))
    }

    /// One request by HTTP/1.0; gives the answer's body.
    pub(crate) async fn get(&self, address: SocketAddr, path: &str, token: Option<&str>) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect(address).await?;
        let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let request = format!("GET {path} HTTP/1.0\r\nHost: {self}\r\n{authorization}\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }
}

/// A client's token, as it stands in a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientToken(pub(crate) String);

impl FromStr for ClientToken {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_part = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        // What it is, is not repeated: it may be a secret that stands in the wrong place.
        match text.split('.').count() == 3 && text.split('.').all(is_part) {
            true => Ok(Self(text.to_owned())),
            false => Err("a client's token is three texts of letters, digits, - and _ with dots between; \
                 `rtctrace token client` makes one"
                .to_owned()),
        }
    }
}

/// What comes from the collector.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// A text frame.
    Text(String),
    /// A ping, to be answered with this payload.
    Ping(Bytes),
    /// The end, with its code and reason.
    Close(u16, String),
    /// What needs no answer.
    Other,
}

/// An open WebSocket.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    input: BytesMut,
}

impl Wire {
    /// Opens one from `source`, if that is given.
    pub(crate) async fn open(
        target: &Target,
        address: SocketAddr,
        source: Option<IpAddr>,
        path: &str,
        protocol: &str,
    ) -> anyhow::Result<Self> {
        tokio::time::timeout(OPEN_TIMEOUT, Self::shake_hands(target, address, source, path, protocol))
            .await
            .context("the handshake was not answered in time")?
    }

    async fn shake_hands(
        target: &Target,
        address: SocketAddr,
        source: Option<IpAddr>,
        path: &str,
        protocol: &str,
    ) -> anyhow::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if let Some(source) = source {
            socket.bind(SocketAddr::new(source, 0)).with_context(|| format!("cannot send from {source}"))?;
        }
        let mut stream = socket.connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {target}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {protocol}\r\n\
             User-Agent: rtctrace/{}\r\n\r\n",
            env!("CARGO_PKG_VERSION")
        );
        stream.write_all(request.as_bytes()).await?;
        let mut input = BytesMut::with_capacity(512);
        let end = loop {
            ensure!(stream.read_buf(&mut input).await? > 0, "the collector closed the connection");
            if let Some(end) = input.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            ensure!(input.len() < LONGEST_ANSWER, "the answer to the handshake has no end");
        };
        let answer = String::from_utf8_lossy(&input.split_to(end + 4)).into_owned();
        let status = answer.split(' ').nth(1).unwrap_or_default();
        if status != "101" {
            while input.len() < LONGEST_ANSWER && stream.read_buf(&mut input).await.is_ok_and(|read| read > 0) {}
            bail!("the collector answers {status}: {}", String::from_utf8_lossy(&input).trim());
        }
        ensure!(answer.contains(&derive_accept_key(KEY.as_bytes())), "the answer is no WebSocket's");
        Ok(Self { stream, input })
    }

    /// The two ends, to be used at the same time.
    pub(crate) fn split(&mut self) -> (Reader<'_>, WriteHalf<'_>) {
        let (half, writer) = self.stream.split();
        (Reader { half, input: &mut self.input }, writer)
    }
}

/// Where frames come in.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    half: ReadHalf<'a>,
    input: &'a mut BytesMut,
}

impl Reader<'_> {
    /// The next frame; `None` when the collector is gone. Nothing is lost when this is given up on the way.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Incoming>> {
        loop {
            if let Some(frame) = take(self.input)? {
                return Ok(Some(frame));
            }
            self.input.reserve(256);
            if self.half.read_buf(self.input).await? == 0 {
                return Ok(None);
            }
        }
    }
}

/// Takes a whole frame from the front of what was read.
fn take(input: &mut BytesMut) -> anyhow::Result<Option<Incoming>> {
    let mut head = &**input;
    if head.remaining() < 2 {
        return Ok(None);
    }
    let (first, second) = (head.get_u8(), head.get_u8());
    let (extra, length) = match second & 0x7f {
        126 if head.remaining() >= 2 => (2, u64::from(head.get_u16())),
        127 if head.remaining() >= 8 => (8, head.get_u64()),
        126 | 127 => return Ok(None),
        short => (0, u64::from(short)),
    };
    ensure!(second & 0x80 == 0 && length <= LONGEST_FRAME, "the collector's frame is none");
    let length = usize::try_from(length)?;
    if head.remaining() < length {
        return Ok(None);
    }
    input.advance(2 + extra);
    let mut payload = input.split_to(length).freeze();
    Ok(Some(match first & 0x0f {
        0x1 => Incoming::Text(String::from_utf8_lossy(&payload).into_owned()),
        0x8 if payload.len() >= 2 => {
            let code = payload.get_u16();
            Incoming::Close(code, String::from_utf8_lossy(&payload).into_owned())
        }
        0x8 => Incoming::Close(1005, String::new()),
        0x9 => Incoming::Ping(payload),
        _ => Incoming::Other,
    }))
}

/// Appends a text frame, ready to be sent.
pub(crate) fn text_frame(out: &mut Vec<u8>, text: &str) -> anyhow::Result<()> {
    write(out, Frame::message(text.to_owned(), OpCode::Data(Data::Text), true))
}

/// The answer to a ping.
pub(crate) fn pong_frame(payload: Bytes) -> anyhow::Result<Bytes> {
    bytes(Frame::pong(payload))
}

/// A clean end.
pub(crate) fn close_frame() -> anyhow::Result<Bytes> {
    bytes(Frame::close(Some(CloseFrame { code: 1000.into(), reason: "".into() })))
}

fn bytes(frame: Frame) -> anyhow::Result<Bytes> {
    let mut out = Vec::new();
    write(&mut out, frame)?;
    Ok(out.into())
}

fn write(out: &mut Vec<u8>, mut frame: Frame) -> anyhow::Result<()> {
    frame.header_mut().mask = Some(MASK);
    frame.format(out).context("cannot write a frame")
}

/// How many lines a frame of `rtctrace.v1` says that the collector holds.
pub(crate) fn received(text: &str) -> Option<u64> {
    let frame: serde_json::Value = serde_json::from_str(text).ok()?;
    frame.get("received")?.as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_is_answered_by_a_frame_of_its_payload() {
        let pong = pong_frame(Bytes::from_static(b"p")).unwrap();
        let [0x8a, 0x81, mask @ .., payload] = pong.as_ref() else { panic!("{pong:?}") };
        assert_eq!((mask, payload ^ MASK[0]), (MASK.as_slice(), b'p'));
    }

    #[test]
    fn frames_are_taken_whole_from_whatever_pieces_they_come_in() {
        let long = "x".repeat(300);
        let mut all =
            vec![0x81, 2, b'h', b'i', 0x89, 1, b'p', 0x88, 4, 0x03, 0xf4, b'n', b'o', 0x88, 0, 0x81, 126, 1, 44];
        all.extend_from_slice(long.as_bytes());
        let mut input = BytesMut::new();
        let mut found = Vec::new();
        for byte in all {
            input.extend_from_slice(&[byte]);
            found.extend(take(&mut input).unwrap());
        }
        let close = |code, reason: &str| Incoming::Close(code, reason.to_owned());
        let text = |text: &str| Incoming::Text(text.to_owned());
        let ping = Incoming::Ping(Bytes::from_static(b"p"));
        assert_eq!(found, [text("hi"), ping, close(1012, "no"), close(1005, ""), text(&long)]);
        assert!(take(&mut BytesMut::from(&[0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0][..])).is_err());
    }

    #[test]
    fn a_target_is_an_address_and_a_path() {
        let target: Target = "ws://localhost:8080/room".parse().unwrap();
        assert_eq!((target.to_string().as_str(), target.path.as_str()), ("localhost:8080", "/room"));
        assert!("localhost:8080".parse::<Target>().is_err());
    }
}
