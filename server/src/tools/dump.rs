//! Dumps as the tools read and write them: files, compressed or not.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use flate2::Compression;
use flate2::write::GzEncoder;
use rtctrace_protocol::dump::DumpReader;

/// Opens a dump, gzip or not.
pub(crate) fn open(path: &Path) -> anyhow::Result<DumpReader<impl BufRead + Send + use<>>> {
    let name = || path.display().to_string();
    let file = File::open(path).with_context(|| format!("cannot open {}", name()))?;
    DumpReader::open(BufReader::new(file)).with_context(name)
}

/// A dump that is written. A file has its name only once it is whole.
pub(crate) enum Output {
    /// Standard output.
    Standard(BufWriter<io::Stdout>),
    /// A file, plain.
    Plain(BufWriter<File>, PathBuf),
    /// A file whose name ends in `.gz`.
    Gzip(Box<GzEncoder<BufWriter<File>>>, PathBuf),
}

impl Output {
    /// To a file, compressed if its name ends in `.gz`; without one, to standard output.
    pub(crate) fn create(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::Standard(BufWriter::new(io::stdout()))) };
        let part = part_of(path);
        let file = File::create(&part).with_context(|| format!("cannot create {}", part.display()))?;
        let file = BufWriter::new(file);
        Ok(match path.extension().is_some_and(|extension| extension == "gz") {
            true => Self::Gzip(Box::new(GzEncoder::new(file, Compression::default())), path.to_owned()),
            false => Self::Plain(file, path.to_owned()),
        })
    }

    /// Appends a line.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        let out: &mut dyn Write = match self {
            Self::Standard(out) => out,
            Self::Plain(out, _) => out,
            Self::Gzip(out, _) => out,
        };
        out.write_all(line.as_bytes())?;
        out.write_all(b"\n")
    }

    /// Completes it.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let path = match self {
            Self::Standard(mut out) => return out.flush().context("cannot write to standard output"),
            Self::Plain(mut out, path) => {
                out.flush().with_context(|| format!("cannot write {}", path.display()))?;
                path
            }
            Self::Gzip(out, path) => {
                let flushed = out.finish().and_then(|mut file| file.flush());
                flushed.with_context(|| format!("cannot write {}", path.display()))?;
                path
            }
        };
        std::fs::rename(part_of(&path), &path).with_context(|| format!("cannot name {}", path.display()))
    }
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}
