//! What a recorder sends decodes to what it was given, whatever had to be dropped on the way.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

use flate2::read::GzDecoder;
use rtctrace_protocol::event::SessionDecoder;

use super::*;
use crate::transport::{Effect, Input, State};

const SESSION: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn recorder(limit: usize) -> Recorder {
    let mut recorder = Recorder::new(SESSION.into(), 7);
    recorder.transport = Transport::new(limit, 7);
    recorder.transport.handle(Input::Start, 1000);
    recorder
}

/// Everything that a collector would hold after a connection at `now`.
fn sent(recorder: &mut Recorder, now: UnixMillis) -> Vec<String> {
    if recorder.transport.state() != State::Open {
        recorder.transport.handle(Input::Frame(r#"{"type":"welcome","received":0}"#), now);
    }
    let mut lines = Vec::new();
    for round in 1..500 {
        while let Some(effect) = recorder.transport.poll_effect() {
            if let Effect::Send(frame) = effect {
                lines.extend(frame.lines().map(str::to_owned));
            }
        }
        recorder.transport.flush(now + round * 100);
        recorder.transport.handle(Input::Tick { buffered: 0 }, now + round * 100);
    }
    lines
}

/// Every event as `method value extras`, decoded.
fn decoded(lines: &[String]) -> Vec<String> {
    let mut decoder = SessionDecoder::new();
    let texts = lines.iter().map(|line| {
        let event = decoder.decode(line).unwrap();
        let extra: Vec<&str> = event.extra.iter().map(|extra| extra.text()).collect();
        format!("{} {} {}", event.method, event.value.to_json(), extra.join(" ")).trim_end().to_owned()
    });
    texts.collect()
}

fn connected(recorder: &mut Recorder) -> ConnectionId {
    let id = recorder.add_connection();
    assert!(recorder.connection_state(id, "\"connected\""));
    id
}

fn report(recorder: &mut Recorder, id: ConnectionId, text: &str, now: UnixMillis) {
    recorder.poll_started(id);
    recorder.poll_ended(id, Some(text), now);
}

#[test]
fn a_negotiation_decodes_to_its_full_descriptions() {
    let mut recorder = recorder(100_000);
    let id = recorder.add_connection();
    let offer = r#"{"type":"offer","sdp":"v=0\r\no=- 1 2\r\nm=audio 9\r\na=mid:0\r\nm=video 9\r\na=mid:1\r\n"}"#;
    let create = recorder.track_call("createOffer");
    recorder.record("createOffer", Some(id), "null", &[&quoted(&create)], 1001);
    recorder.record_description("createOfferOnSuccess", id, offer, &create, 1002);
    let set = recorder.track_call("setLocalDescription");
    recorder.record_description("setLocalDescription", id, offer, &set, 1003);
    recorder.record_description("setLocalDescriptionOnSuccess", id, "null", &set, 1004);
    let again = recorder.track_call("createOffer");
    recorder.record_description_failure("createOfferOnFailure", id, "\"OperationError\"", &again, 1005);
    let lines = sent(&mut recorder, 2000);
    assert_eq!(lines[2], r#"[6,"PC_0",{"type":"offer","sdp":"v=\r\nm=\r\nm=\r\n"},"6-0",1]"#);
    assert_eq!(
        decoded(&lines),
        [
            "createOffer null \"2-0\"".to_owned(),
            format!("createOfferOnSuccess {offer} \"2-0\""),
            format!("setLocalDescription {offer} \"6-0\""),
            "setLocalDescriptionOnSuccess null \"6-0\"".to_owned(),
            "createOfferOnFailure \"OperationError\" \"2-1\"".to_owned(),
        ]
    );
}

#[test]
fn the_first_report_says_why_and_no_connection_is_polled_twice_at_once() {
    let mut recorder = recorder(100_000);
    let id = recorder.add_connection();
    assert!(!recorder.connection_state(id, "\"connecting\""));
    assert!(!recorder.has_polled());
    assert!(recorder.connection_state(id, "\"failed\""));
    assert!(!recorder.connection_state(id, "\"connected\""), "polling begins once");
    assert_eq!(recorder.due_polls(), [id]);
    recorder.poll_started(id);
    assert_eq!(recorder.due_polls(), []);
    recorder.poll_ended(id, Some(r#"{"T":{"id":"T","type":"transport","timestamp":5,"bytesSent":1}}"#), 1001);
    report(&mut recorder, id, r#"{"T":{"id":"T","type":"transport","timestamp":6,"bytesSent":2}}"#, 2001);
    recorder.poll_started(id);
    recorder.connection_closed(id);
    recorder.poll_ended(id, Some(r#"{"T":{"id":"T","type":"transport","timestamp":7,"bytesSent":3}}"#), 3001);
    assert!(!recorder.has_polled());
    let lines = sent(&mut recorder, 4000);
    assert_eq!(
        lines,
        [r#"["g","PC_0",{"0":{"type":5,"80":1},"t":5},"failed-0",1001]"#, r#"["g","PC_0",{"0":{"80":2},"t":6},1000]"#]
    );
}

#[test]
fn a_poll_that_failed_leaves_the_next_one_due() {
    let mut recorder = recorder(100_000);
    let id = connected(&mut recorder);
    for bad in [None, Some("[]"), Some("{"), Some("")] {
        recorder.poll_started(id);
        recorder.poll_ended(id, bad, 1001);
        assert_eq!(recorder.due_polls(), [id]);
    }
    assert_eq!(sent(&mut recorder, 2000), [""; 0]);
}

#[test]
fn the_newest_pressure_record_is_an_entry_of_each_report() {
    let mut recorder = recorder(100_000);
    let id = connected(&mut recorder);
    recorder.set_pressure("fair", 1500);
    recorder.set_pressure("unheard of", 1600);
    report(&mut recorder, id, "{}", 1700);
    let lines = sent(&mut recorder, 2000);
    assert_eq!(
        decoded(&lines),
        [r#"getStats {"0":{"id":"0","timestamp":1500,"type":"compute-pressure","cpuState":3}} "connected-0""#]
    );
}

#[test]
fn a_line_that_no_collector_takes_is_told_instead_of_sent() {
    let mut recorder = recorder(8 * 1024 * 1024);
    let huge = quoted(&"x".repeat(LINE_LIMIT));
    recorder.record(":huge", None, &huge, &[], 1001);
    recorder.record(":small", None, "1", &[], 1002);
    let lines = sent(&mut recorder, 2000);
    assert_eq!(decoded(&lines).len(), 2);
    assert!(lines[0].starts_with("[\":rtctrace.dropped\",null,{\"lines\":1,\"bytes\":10486"), "{}", lines[0]);
}

/// Raw reports of a real call, `(connection, report)`.
fn real_reports() -> Vec<(ConnectionId, String)> {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/recordings/loopback-av-60s.raw-getstats.jsonl.gz");
    let lines = BufReader::new(GzDecoder::new(std::fs::File::open(path).unwrap())).lines();
    let reports = lines.map(|line| {
        let line = line.unwrap();
        let value = RawValue::parse(&line).unwrap();
        let number = value.at(0).unwrap().as_str().unwrap().trim_start_matches("PC_").parse().unwrap();
        (ConnectionId(number), value.at(1).unwrap().text().to_owned())
    });
    reports.collect()
}

/// A report's members by entry and name: their order means nothing.
type Members = BTreeMap<(String, String), String>;

/// Reports by connection and time, decoded.
fn reports_of(lines: &[String]) -> BTreeMap<(String, u64), Members> {
    let mut decoder = SessionDecoder::new();
    let mut reports = BTreeMap::new();
    for line in lines {
        let event = decoder.decode(line).unwrap();
        if let Some(report) = event.value.report() {
            let key = (event.connection.as_deref().unwrap().to_owned(), report.timestamp().to_bits());
            let members = report.entries().flat_map(|entry| {
                let time = ("timestamp", entry.timestamp().to_string());
                let others = entry.members().map(|(name, value)| (name, value.text().to_owned()));
                others.chain([time]).map(|(name, text)| ((entry.id().to_owned(), name.to_owned()), text))
            });
            reports.insert(key, members.collect());
        }
    }
    reports
}

#[test]
fn reports_that_survive_a_full_buffer_decode_as_if_nothing_had_been_dropped() {
    let record = |limit: usize| {
        let mut recorder = recorder(limit);
        connected(&mut recorder);
        connected(&mut recorder);
        for (at, (id, text)) in real_reports().iter().enumerate() {
            report(&mut recorder, *id, text, 2000 + at as i64 * 500);
        }
        let lines = sent(&mut recorder, 1_000_000);
        (lines, recorder.transport.dropped().reports)
    };
    let (all, none) = record(64 * 1024 * 1024);
    let expected = reports_of(&all);
    assert_eq!(none, 0);
    assert_eq!(expected.len(), real_reports().len());
    for limit in [45_000, 60_000, 90_000] {
        let (lines, dropped) = record(limit);
        let kept = reports_of(&lines);
        assert!(dropped > 0 && !kept.is_empty(), "{limit}: {dropped} dropped, {} kept", kept.len());
        assert_eq!(dropped as usize + kept.len(), expected.len(), "{limit}");
        for (key, report) in &kept {
            assert!(Some(report) == expected.get(key), "{limit}: {key:?} differs");
        }
    }
}
