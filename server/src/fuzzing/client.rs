//! The other end of a connection: what is said, and all that was heard.

use axum::Router;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf};

use super::world::{World, within};
use crate::app::App;
use crate::ingest;
use crate::listener;
use crate::router::router;

/// What fits between two ends before one has to wait for the other.
const PIPE: usize = 64 * 1024;

/// An HTTP answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// A client's connection.
pub(super) struct Client {
    reader: ReadHalf<DuplexStream>,
    writer: WriteHalf<DuplexStream>,
    /// What was heard behind the answer's head.
    heard: Vec<u8>,
}

impl Client {
    pub(super) fn connect(world: &World, app: &App) -> Self {
        Self::of(world, app, router(app.clone()))
    }

    /// One to the listener for Sora.
    pub(super) fn for_sora(world: &World, app: &App) -> Self {
        Self::of(world, app, ingest::sora::router(app.clone()))
    }

    fn of(world: &World, app: &App, router: Router) -> Self {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        tokio::spawn(listener::converse(theirs, router, app.access.clone(), world.config.limits.clone()));
        let (reader, writer) = tokio::io::split(ours);
        Self { reader, writer, heard: Vec::new() }
    }

    /// Says something; the collector may have gone already.
    pub(super) async fn say(&mut self, bytes: &[u8]) {
        let _ = within("a connection is read", self.writer.write_all(bytes)).await;
    }

    /// Opens a WebSocket.
    pub(super) async fn upgrade(&mut self, target: &str, protocol: &str) {
        let head = format!(
            "GET {target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: https://app.example\r\n\
             User-Agent: Mozilla/5.0 Firefox/140.0\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
        );
        self.say(head.as_bytes()).await;
        let end = loop {
            if let Some(end) = end_of_head(&self.heard) {
                break end;
            }
            let read = within("a handshake is answered", self.reader.read_buf(&mut self.heard)).await.unwrap();
            assert!(read > 0, "a handshake without an answer: {:?}", String::from_utf8_lossy(&self.heard));
        };
        assert!(self.heard.starts_with(b"HTTP/1.1 101 "), "{:?}", String::from_utf8_lossy(&self.heard));
        self.heard.drain(..end);
    }

    /// Says the last of it, says no more, and listens to the end.
    pub(super) async fn finish(mut self, last: &[u8]) -> Vec<u8> {
        let say = async {
            let _ = self.writer.write_all(last).await;
            let _ = self.writer.shutdown().await;
        };
        let listen = async { self.reader.read_to_end(&mut self.heard).await };
        let _ = within("a connection comes to its end", async { tokio::join!(say, listen) }).await;
        self.heard
    }

    /// One request, whose head says that it is the last. Who goes before the answer gets none.
    pub(super) async fn ask(mut self, head: &str, body: &[u8]) -> Answer {
        let request = [head.as_bytes(), body].concat();
        let say = async { self.writer.write_all(&request).await };
        let listen = async { self.reader.read_to_end(&mut self.heard).await };
        let _ = within("a request is answered", async { tokio::join!(say, listen) }).await;
        let heard = self.heard;
        let Some(end) = end_of_head(&heard) else {
            panic!("a request without an answer: {:?}", String::from_utf8_lossy(&heard));
        };
        let status = std::str::from_utf8(&heard[9..12]).unwrap().parse().unwrap();
        Answer { status, body: heard[end..].to_vec() }
    }
}

fn end_of_head(heard: &[u8]) -> Option<usize> {
    heard.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// A client's frame: masked, whole.
pub(super) fn frame(first: u8, payload: &[u8], out: &mut Vec<u8>) {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    out.push(first);
    match payload.len() {
        short @ 0..=125 => out.push(0x80 | short as u8),
        medium @ 126..=0xffff => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// The text frames among what a collector said, which sends no other data and none in pieces.
pub(super) fn texts(mut heard: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    while let [first, second, rest @ ..] = heard {
        assert!(second & 0x80 == 0, "the collector masks nothing");
        let (length, rest) = match second {
            126 => (usize::from(u16::from_be_bytes(rest[..2].try_into().unwrap())), &rest[2..]),
            127 => panic!("the collector has nothing so long to say"),
            short => (usize::from(*short), rest),
        };
        // What was on its way when the connection was cut may be torn.
        let Some(payload) = rest.get(..length) else { break };
        match first {
            0x81 => texts.push(std::str::from_utf8(payload).unwrap().to_owned()),
            0x88..=0x8a => {}
            other => panic!("the collector sends no frame that begins with {other:#x}"),
        }
        heard = &rest[length..];
    }
    texts
}
