//! The recorded dumps of upstream's client and server, read from the first byte to the last.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;

use rtctrace_protocol::dump::DumpReader;
use rtctrace_protocol::event::SessionDecoder;
use rtctrace_protocol::json::{Kind, RawValue};
use rtctrace_protocol::line::Line;
use rtctrace_protocol::privacy::Obfuscator;
use rtctrace_protocol::report::{ReportDecoder, ReportEncoder};

fn lines(name: &str) -> Vec<String> {
    let path = format!("{}/../tests/fixtures/recordings/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let mut reader = DumpReader::open(BufReader::new(File::open(path).unwrap())).unwrap();
    assert_eq!(reader.metadata().get("clientProtocol").unwrap().as_str().unwrap(), "rtcstats#5.0");
    let mut lines = Vec::new();
    while let Some(line) = reader.next_line() {
        lines.push(line.unwrap().to_owned());
    }
    lines
}

/// Whether two values are equal, numbers by their value.
fn equal(a: RawValue<'_>, b: RawValue<'_>) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ if a.kind() == Kind::Object => {
            a.members().count() == b.members().count()
                && a.members().all(|(name, value)| b.get(&name).is_some_and(|other| equal(value, other)))
        }
        _ => a == b,
    }
}

const RECORDINGS: [(&str, usize); 3] =
    [("loopback-av-60s", 204), ("rich-session", 230), ("rich-session-bogus-candidate", 229)];

#[test]
fn every_line_decodes_to_an_event() {
    for (name, count) in RECORDINGS {
        let mut decoder = SessionDecoder::new();
        let mut last = 0.0;
        let lines = lines(name);
        assert_eq!(lines.len(), count, "{name}");
        for (index, line) in lines.iter().enumerate() {
            let event = decoder.decode(line).unwrap_or_else(|error| panic!("{name} line {index}: {error}"));
            assert!(event.time >= last && event.time > 1_795_000_000_000.0, "{name} line {index}");
            assert!(event.method.parse::<u32>().is_err(), "{name} line {index}: {} is no name", event.method);
            last = event.time;
            let value = event.value.to_json();
            RawValue::parse(&value).unwrap();
            if &*event.method == "setRemoteDescription" || &*event.method == "createOfferOnSuccess" {
                let sdp = RawValue::parse(&value).unwrap().get("sdp").unwrap().as_str().unwrap().into_owned();
                assert!(!sdp.contains("\r\nm=\r\n"), "{name} line {index}: a section was not restored");
                assert!(!sdp.starts_with("v=\r\n"), "{name} line {index}");
            }
        }
    }
}

#[test]
fn decoded_reports_encode_to_lines_whose_decoding_is_identical() {
    for (name, _) in RECORDINGS {
        let mut codecs: HashMap<String, (ReportEncoder, ReportDecoder)> = HashMap::new();
        let mut decoder = SessionDecoder::new();
        let mut reports = 0;
        for line in &lines(name) {
            let event = decoder.decode(line).unwrap();
            let Some(report) = event.value.report() else { continue };
            reports += 1;
            let mut expected = String::new();
            report.write_json(&mut expected);
            let (encoder, again) = codecs.entry(event.connection.unwrap().into_owned()).or_default();
            let mut delta = String::new();
            encoder.encode(&expected, &mut delta).unwrap();
            let restored = again.decode(RawValue::parse(&delta).unwrap()).unwrap();
            assert_eq!(restored.len(), report.len());
            let mut ids = HashMap::new();
            for (entry, other) in report.entries().zip(restored.entries()) {
                ids.insert(entry.id().to_owned(), other.id().to_owned());
            }
            for entry in report.entries() {
                let other = restored.get(&ids[entry.id()]).unwrap();
                assert_eq!(other.kind(), entry.kind());
                assert_eq!(other.timestamp(), entry.timestamp());
                assert_eq!(other.members().count(), entry.members().count());
                for (member, value) in entry.members() {
                    let other = other.member(member).unwrap_or_else(|| panic!("{member} is missing"));
                    let reference = value.as_str().and_then(|id| ids.get(&*id)).filter(|_| member.ends_with("Id"));
                    match reference {
                        Some(id) => assert_eq!(other.as_str().unwrap(), id.as_str()),
                        None => assert!(equal(other, value), "{member}: {other:?} is not {value:?}"),
                    }
                }
            }
        }
        assert!(reports > 40, "{name}: {reports} reports");
    }
}

#[test]
fn a_dump_that_was_obfuscated_once_stays_as_it_is() {
    for (name, _) in RECORDINGS {
        let mut obfuscator = Obfuscator::new();
        for line in &lines(name) {
            let mut out = String::new();
            obfuscator.line(&Line::parse(line).unwrap(), &mut out);
            assert_eq!(out, *line, "{name}");
        }
    }
}
