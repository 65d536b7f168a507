//! `rtctrace anonymize`: a dump that can be given away. Addresses lose their hosts; URLs, labels, names and credentials have
//! stand-ins; user agents stay. Line by line, in memory that the longest line bounds.

use std::path::PathBuf;

use clap::Args;
use rtctrace_protocol::dump::{DumpError, MAGIC};
use rtctrace_protocol::line::Line;
use rtctrace_protocol::privacy::Anonymizer;

use super::dump::{self, Output};
use super::progress::Progress;

/// Which dump, and where to.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Dump of a session, gzip-compressed or not.
    file: PathBuf,
    /// File to write, compressed if its name ends in .gz; without it, standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes the dump without what names a person or a place.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let name = options.file.display();
    let mut dump = dump::open(&options.file)?;
    let mut output = Output::create(options.output.as_deref())?;
    let mut anonymizer = Anonymizer::default();
    output.line(MAGIC)?;
    output.line(&anonymizer.metadata(dump.metadata()))?;
    let (mut progress, mut left_out) = (Progress::new(), 0_u64);
    loop {
        let number = dump.line_number();
        progress.show(|| format!("{number} lines"));
        match dump.next_line() {
            None => break,
            Some(Ok(text)) => match Line::parse(text) {
                Ok(line) => output.line(&anonymizer.line(&line))?,
                // Nobody can tell what is in it.
                Err(_) => left_out += 1,
            },
            Some(Err(error @ (DumpError::Read { .. } | DumpError::SecondDump { .. }))) => {
                progress.note(&format!("{name}: {error}"))
            }
            Some(Err(_)) => left_out += 1,
        }
    }
    if left_out > 0 {
        progress.note(&format!("{name}: {left_out} lines cannot be read and are left out"));
    }
    output.finish()
}
