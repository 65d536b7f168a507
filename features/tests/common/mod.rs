//! Shared by the tests: sessions written as lines.

#![allow(dead_code)] // Every test binary uses its own part.

use rtctrace_features::{ClientFeatures, ConnectionFeatures, FeatureExtractor, Finding, SessionFeatures};
use rtctrace_protocol::event::SessionDecoder;

/// The features of the given lines; a line that cannot be decoded is skipped, as everywhere.
pub(crate) fn features_of<'l>(lines: impl IntoIterator<Item = &'l str>) -> SessionFeatures {
    let mut decoder = SessionDecoder::new();
    let mut extractor = FeatureExtractor::new();
    for line in lines {
        if let Ok(event) = decoder.decode(line) {
            extractor.event(&event);
        }
    }
    extractor.features(&decoder)
}

/// The findings of the given lines.
pub(crate) fn findings_of<'l>(lines: impl IntoIterator<Item = &'l str>) -> Vec<Finding> {
    let mut decoder = SessionDecoder::new();
    let mut extractor = FeatureExtractor::new();
    for line in lines {
        if let Ok(event) = decoder.decode(line) {
            extractor.event(&event);
        }
    }
    extractor.findings(&decoder)
}

pub(crate) fn session(lines: &[&str]) -> SessionFeatures {
    features_of(lines.iter().copied())
}

pub(crate) fn client(lines: &[&str]) -> ClientFeatures {
    session(lines).client
}

/// The features of the only connection.
pub(crate) fn connection(lines: &[&str]) -> ConnectionFeatures {
    let mut session = session(lines);
    assert_eq!(session.connections.len(), 1);
    session.connections.remove(0)
}

/// A recording of tests/fixtures as its lines, without the header.
pub(crate) fn recording(name: &str) -> String {
    let path = format!("{}/../tests/fixtures/recordings/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap().splitn(3, '\n').nth(2).unwrap().to_owned()
}
