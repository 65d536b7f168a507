//! `rtctrace features`: what a dump's events come to, and what was wrong.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use rtctrace_features::FeatureExtractor;
use rtctrace_protocol::event::SessionDecoder;

use super::dump;
use super::progress::Progress;

/// Which features, and in which shape.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Dump of a session, gzip-compressed or not.
    file: PathBuf,
    /// Upstream's features only, in the shape of its extractor: the client's, with its connections as `peerConnections`.
    #[arg(long)]
    upstream: bool,
    /// What was wrong in place of the features: an array, the worst first.
    #[arg(long, conflicts_with = "upstream")]
    findings: bool,
}

/// Prints the features or the findings of a dump.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let mut dump = dump::open(&options.file)?;
    let (mut decoder, mut extractor) = (SessionDecoder::new(), FeatureExtractor::new());
    let (mut progress, mut left_out) = (Progress::new(), 0_u64);
    loop {
        let number = dump.line_number();
        progress.show(|| format!("{number} lines"));
        match dump.next_line() {
            None => break,
            Some(Ok(line)) => match decoder.decode(line) {
                Ok(event) => extractor.event(&event),
                Err(_) => left_out += 1,
            },
            Some(Err(error)) => progress.note(&format!("{}: {error}", options.file.display())),
        }
    }
    if left_out > 0 {
        progress.note(&format!("{}: {left_out} lines do not decode and are left out", options.file.display()));
    }
    let features = || extractor.features(&decoder);
    let shown = match options {
        Options { findings: true, .. } => serde_json::to_value(extractor.findings(&decoder))?,
        Options { upstream: true, .. } => serde_json::to_value(features().upstream())?,
        Options { .. } => serde_json::to_value(features())?,
    };
    let text = serde_json::to_string_pretty(&shown)?;
    writeln!(std::io::stdout(), "{text}").context("cannot print the features")
}
