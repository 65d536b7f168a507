//! The recorded dumps of upstream's client and server, read from the first byte to the last.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};

use flate2::read::GzDecoder;
use rtctrace_protocol::dump::DumpReader;
use rtctrace_protocol::event::SessionDecoder;
use rtctrace_protocol::json::{Kind, RawValue};
use rtctrace_protocol::line::{Line, write_line};
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

/// Adds up what the bytes of a delta are. What is left over are commas and braces.
fn count_delta(delta: RawValue<'_>, shares: &mut BTreeMap<&'static str, usize>) {
    let mut add = |cause, bytes| *shares.entry(cause).or_default() += bytes;
    // With its quotes and its colon.
    let key = |name: &str| name.len() + 3;
    for (id, entry) in delta.members() {
        if id == "t" {
            add("time of the report", key(&id) + entry.text().len());
            continue;
        }
        add("short ids of entries", key(&id));
        for (name, value) in entry.members() {
            let length = value.text().len();
            if name == "t" {
                add("times of entries of their own", key(&name) + length);
                continue;
            }
            let is_token = name.bytes().all(|byte| byte.is_ascii_digit());
            add(if is_token { "tokens of members" } else { "names of members without a token" }, key(&name));
            match value.kind() {
                Kind::Number if value.text().contains(['.', 'e']) => add("fractions", length),
                Kind::Number => add("integers", length),
                Kind::String => add("strings and references", length),
                Kind::Object => add("objects in members", length),
                Kind::Null => add("members that vanished", length),
                _ => add("booleans and arrays", length),
            }
        }
    }
}

/// Run with `--nocapture` to read it.
#[test]
fn every_byte_of_the_reports_has_a_cause() {
    for (name, most) in [("loopback-av-60s", 147_041), ("loopback-20video-60s", 1_706_453)] {
        let path = format!("{}/../tests/fixtures/recordings/{name}.raw-getstats.jsonl.gz", env!("CARGO_MANIFEST_DIR"));
        let mut encoders: HashMap<String, ReportEncoder> = HashMap::new();
        let (mut shares, mut total, mut lines, mut raw) = (BTreeMap::new(), 0, 0, 0);
        for pair in BufReader::new(GzDecoder::new(File::open(path).unwrap())).lines() {
            let pair = pair.unwrap();
            let pair = RawValue::parse(&pair).unwrap();
            let connection = pair.at(0).unwrap().as_str().unwrap().into_owned();
            let (mut delta, mut line) = (String::new(), String::new());
            let encoder = encoders.entry(connection.clone()).or_default();
            encoder.encode(pair.at(1).unwrap().text(), &mut delta).unwrap();
            write_line(&mut line, "getStats", Some(&connection), &delta, &[], 1000.0);
            count_delta(RawValue::parse(&delta).unwrap(), &mut shares);
            *shares.entry("envelope of the line").or_default() += line.len() - delta.len();
            total += line.len();
            raw += pair.at(1).unwrap().text().len();
            lines += 1;
        }
        let rest = total - shares.values().sum::<usize>();
        shares.insert("commas and braces", rest);
        println!("\n{name}: {lines} reports, {raw} bytes raw, {total} bytes sent");
        let mut shares: Vec<_> = shares.into_iter().collect();
        shares.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        for (cause, bytes) in shares {
            println!("{bytes:>9} {:>5.1}%  {cause}", bytes as f64 * 100.0 / total as f64);
        }
        assert!(total <= most, "{name}: {total} bytes, once {most}");
    }
}
