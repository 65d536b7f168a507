//! A spool text as one gzip member, a chunk at a time: browsers and other readers of dumps stop behind the first member.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use bytes::Bytes;
use tokio::sync::mpsc;

use crate::spool::SpoolText;

/// How much is handed on at a time.
const CHUNK: usize = 1 << 20;

/// Compresses the text into `sender`. Blocks.
pub(super) fn compress(spool: &Path, sender: mpsc::Sender<Bytes>) -> anyhow::Result<()> {
    let input = SpoolText::open(spool).with_context(|| format!("cannot read {}", spool.display()))?;
    let chunks = Chunks { sender, chunk: Vec::with_capacity(CHUNK) };
    rtctrace_deflate::gzip(input, chunks).context("cannot compress the spool")
}

/// Hands on what is written to it, a chunk at a time.
struct Chunks {
    sender: mpsc::Sender<Bytes>,
    chunk: Vec<u8>,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        if chunk.is_empty() {
            return Ok(());
        }
        self.sender.blocking_send(Bytes::from(chunk)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}
