//! WebSocket as bytes (RFC 6455, section 5.2): frames of any make, and a connection that says them as they are.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(super) const CONTINUATION: u8 = 0x0;
pub(super) const TEXT: u8 = 0x1;
pub(super) const BINARY: u8 = 0x2;
pub(super) const CLOSE: u8 = 0x8;
pub(super) const PING: u8 = 0x9;
pub(super) const PONG: u8 = 0xa;
pub(super) const FIN: u8 = 0x80;

/// Nothing takes longer here.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client's frame; `first` is its first byte: FIN, reserved bits, opcode.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | short as u8),
        medium @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// The payload of a close frame.
pub(super) fn status(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes(), reason].concat()
}

/// What the collector says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    Text(String),
    Ping,
    Pong(Vec<u8>),
    /// With its code; 1005 if it has none.
    Close(u16),
    /// The connection is gone.
    End,
}

/// A connection that has become a WebSocket.
pub(super) struct Wire(TcpStream);

impl Wire {
    pub(super) async fn open(address: &str, path: &str, protocol: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
        let answer = String::from_utf8(answer).unwrap().to_ascii_lowercase();
        assert!(answer.starts_with("http/1.1 101 "), "{answer}");
        // The key and its answer are those of section 1.3.
        assert!(answer.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{answer}");
        assert!(answer.contains(&format!("sec-websocket-protocol: {}\r\n", protocol.to_ascii_lowercase())), "{answer}");
        Self(stream)
    }

    /// Says bytes in pieces; the collector may have gone already.
    pub(super) async fn say(&mut self, bytes: &[u8], piece: usize) {
        for piece in bytes.chunks(piece) {
            if self.0.write_all(piece).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// The next thing that the collector says: whole frames, no reserved bit, no mask (sections 5.1 and 5.2).
    pub(super) async fn hear(&mut self) -> Heard {
        tokio::time::timeout(PATIENCE, self.next()).await.expect("the collector says something").unwrap_or(Heard::End)
    }

    async fn next(&mut self) -> std::io::Result<Heard> {
        let first = self.0.read_u8().await?;
        let length = match self.0.read_u8().await? {
            126 => usize::from(self.0.read_u16().await?),
            length => usize::from(length),
        };
        assert!(length < 1 << 16 && first & 0x70 == 0 && first & FIN != 0, "{first:#x} {length}");
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await?;
        Ok(match first & 0xf {
            TEXT => Heard::Text(String::from_utf8(payload).unwrap()),
            PING => Heard::Ping,
            PONG => Heard::Pong(payload),
            CLOSE => {
                assert!(length != 1 && length <= 125);
                assert!(std::str::from_utf8(payload.get(2..).unwrap_or_default()).is_ok());
                Heard::Close(payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code)))
            }
            other => panic!("the collector sends opcode {other}"),
        })
    }
}
