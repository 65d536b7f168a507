//! Texts of Chromium's through the reader of dumps.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::dump::DumpReader;
use crate::event::SessionDecoder;

/// The header, and the events with absolute times.
fn read(text: &str) -> (String, Vec<String>) {
    let mut reader = DumpReader::open(text.as_bytes()).unwrap();
    let (mut decoder, mut events) = (SessionDecoder::new(), Vec::new());
    while let Some(line) = reader.next_line() {
        let mut out = String::new();
        decoder.decode(line.unwrap()).unwrap().write_json(&mut out);
        events.push(out);
    }
    (reader.metadata().text().to_owned(), events)
}

#[test]
fn a_dump_of_nothing_is_a_dump() {
    let (header, events) = read("{\n \"getUserMedia\": [],\n \"PeerConnections\": {},\n \"UserAgent\": \"x\"\n}");
    assert!(header.contains("\"userAgent\":\"x\""), "{header}");
    assert_eq!(events, [r#"["create",null,{},0]"#]);
}
