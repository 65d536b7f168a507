//! A spool text as one gzip member, a chunk at a time.
//!
//! What fits into memory is compressed in one piece by libdeflate, which takes half the time of any encoder that streams, at a
//! better ratio. Longer files are streamed, so that memory stays bounded. It is one member either way: browsers and other readers
//! of dumps stop behind the first.

use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::Context;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use libdeflater::{CompressionLvl, Compressor};
use tokio::sync::mpsc;

use crate::spool::SpoolText;

/// How much is handed on at a time.
const CHUNK: usize = 1 << 20;
/// The longest file that is compressed in one piece.
const IN_ONE_PIECE: u64 = 16 << 20;
/// The levels: beyond them, a tenth of the size costs as much time again.
const PIECE_LEVEL: i32 = 1;
const STREAM_LEVEL: u32 = 2;

/// Compresses the text into `sender`. Blocks.
pub(super) fn compress(spool: &Path, sender: mpsc::Sender<Bytes>) -> anyhow::Result<()> {
    let mut input = SpoolText::open(spool).with_context(|| format!("cannot read {}", spool.display()))?;
    let length = SpoolText::length(spool).context("cannot read the spool")?;
    if length <= IN_ONE_PIECE { in_one_piece(&mut input, &sender) } else { streamed(&mut input, sender) }
}

fn in_one_piece(input: &mut SpoolText, sender: &mpsc::Sender<Bytes>) -> anyhow::Result<()> {
    let mut text = Vec::new();
    input.read_to_end(&mut text).context("cannot read the spool")?;
    let level = CompressionLvl::new(PIECE_LEVEL).map_err(|_| anyhow::anyhow!("the level of compression is none"))?;
    let mut compressor = Compressor::new(level);
    let mut output = vec![0; compressor.gzip_compress_bound(text.len())];
    let length = compressor.gzip_compress(&text, &mut output).context("cannot compress")?;
    output.truncate(length);
    let mut rest = Bytes::from(output);
    while !rest.is_empty() {
        let chunk = rest.split_to(CHUNK.min(rest.len()));
        sender.blocking_send(chunk).context("cannot hand on a chunk")?;
    }
    Ok(())
}

fn streamed(input: &mut SpoolText, sender: mpsc::Sender<Bytes>) -> anyhow::Result<()> {
    let chunks = Chunks { sender, chunk: Vec::with_capacity(CHUNK) };
    let mut output = GzEncoder::new(chunks, Compression::new(STREAM_LEVEL));
    io::copy(input, &mut output).context("cannot compress the spool")?;
    output.finish().and_then(|mut chunks| chunks.flush()).context("cannot hand on the last chunk")
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
