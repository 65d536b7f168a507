//! What a recorder sends decodes to what it was given, whatever had to be dropped on the way.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

use flate2::read::GzDecoder;
use rtctrace_protocol::event::SessionDecoder;
use rtctrace_protocol::json::RawValue;

use super::*;
use crate::transport::{Effect, Input, State};

fn recorder(limit: usize) -> Recorder {
    let mut recorder = Recorder::new(limit, 7, false, 1000);
    recorder.handle(Input::Start, 1000);
    recorder
}

/// Everything that a collector would hold after a connection at `now`.
fn sent(recorder: &mut Recorder, now: UnixMillis) -> Vec<String> {
    if recorder.transport.state() != State::Open {
        recorder.handle(Input::Frame(r#"{"type":"welcome","received":0}"#), now);
    }
    let mut lines = Vec::new();
    for round in 1..500 {
        while let Some(effect) = recorder.transport.poll_effect() {
            if let Effect::Send(frame) = effect {
                lines.extend(frame.lines().map(str::to_owned));
            }
        }
        recorder.handle(Input::Flush { buffered: 0 }, now + round * 100);
        recorder.handle(Input::Tick { buffered: 0 }, now + round * 100);
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

fn report(recorder: &mut Recorder, id: ConnectionId, text: &str, extra: &str, now: UnixMillis) {
    recorder.report(id, &mut text.to_owned(), extra, now);
}

const A: ConnectionId = ConnectionId(0);

#[test]
fn what_the_collector_could_not_read_is_left_out_and_told() {
    let mut recorder = recorder(100_000);
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    for (name, value) in [(":flat", nested(127)), (":deep", nested(128)), (":broken", "{".to_owned())] {
        recorder.record(name, None, &value, "", 1001);
    }
    recorder.record(":after", None, "1", "", 1002);
    let lines = sent(&mut recorder, 1003);
    let names: Vec<String> = decoded(&lines).iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(names, [":flat", ":rtctrace.dropped", ":rtctrace.dropped", ":after"]);
    assert_eq!(recorder.counter(5), 2);
}

#[test]
fn a_negotiation_decodes_to_its_full_descriptions() {
    let mut recorder = recorder(100_000);
    let offer = r#"{"type":"offer","sdp":"v=0\r\no=- 1 2\r\nm=audio 9\r\na=mid:0\r\nm=video 9\r\na=mid:1\r\n"}"#;
    recorder.record("createOffer", Some(A), "null", "\"2-0\"", 1001);
    recorder.describe("createOfferOnSuccess", A, offer, "2-0", 1002);
    recorder.describe("setLocalDescription", A, offer, "6-0", 1003);
    recorder.describe("setLocalDescriptionOnSuccess", A, "null", "6-0", 1004);
    recorder.describe("createOfferOnFailure", A, "\"OperationError\"", "2-1", 1005);
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
fn a_connection_that_is_gone_stays_gone() {
    let mut recorder = recorder(100_000);
    report(
        &mut recorder,
        A,
        r#"{"T":{"id":"T","type":"transport","timestamp":5,"bytesSent":1}}"#,
        "\"failed-0\"",
        1001,
    );
    report(&mut recorder, A, r#"{"T":{"id":"T","type":"transport","timestamp":6,"bytesSent":2}}"#, "", 2001);
    recorder.gone(A);
    report(&mut recorder, A, r#"{"T":{"id":"T","type":"transport","timestamp":7,"bytesSent":3}}"#, "", 3001);
    recorder.describe("setLocalDescription", A, "null", "6-0", 3002);
    let lines = sent(&mut recorder, 4000);
    assert_eq!(
        lines,
        [
            r#"["g","PC_0",{"0":{"type":5,"80":1},"t":5},"failed-0",1001]"#,
            r#"["g","PC_0",{"0":{"80":2},"t":6},1000]"#,
            r#"[6,"PC_0",null,"6-0",1001]"#
        ]
    );
}

#[test]
fn a_report_that_is_none_is_told_and_leaves_the_next_one_right() {
    let mut recorder = recorder(100_000);
    for bad in ["[]", "{", "", r#"{"T":1}"#] {
        report(&mut recorder, A, bad, "", 1001);
    }
    report(&mut recorder, A, r#"{"T":{"id":"T","type":"transport","timestamp":6,"bytesSent":2}}"#, "", 2001);
    assert_eq!(recorder.transport.dropped().reports, 4);
    let lines = sent(&mut recorder, 2000);
    assert_eq!(lines[0], r#"[":rtctrace.dropped","PC_0",{"lines":1,"bytes":2},1001]"#);
    assert_eq!(lines[4], r#"["g","PC_0",{"0":{"type":5,"80":2},"t":6},1000]"#);
}

#[test]
fn a_small_buffer_takes_what_is_small_once_it_is_compressed() {
    let mut recorder = recorder(64 * 1024);
    let sections: String = (0..100).map(|mid| format!("m=video {}\\r\\na=mid:{mid}\\r\\n", "x".repeat(200))).collect();
    let description = |kind| format!(r#"{{"type":"{kind}","sdp":"v=0\r\n{sections}"}}"#);
    let text = |number: u32| {
        let pad = "x".repeat(25_000);
        format!(r#"{{"T":{{"id":"T","type":"transport","timestamp":{number},"bytesSent":{number},"pad":"{pad}"}}}}"#)
    };
    recorder.describe("createOfferOnSuccess", A, &description("offer"), "2-0", 1001);
    report(&mut recorder, A, &text(1), "", 1002);
    for number in 2..10 {
        let call = format!("6-{number}");
        recorder.describe("setLocalDescription", A, &description("offer"), &call, 1003);
        recorder.describe("setLocalDescriptionOnSuccess", A, "null", &call, 1004);
        report(&mut recorder, A, &text(number), "", 1005);
    }
    assert_eq!((recorder.counter(4), recorder.counter(5)), (0, 0));
    let lines = decoded(&sent(&mut recorder, 2000));
    assert_eq!(lines.len(), 26);
    assert!(lines[23].starts_with(&format!("setLocalDescription {}", description("offer"))));
    assert!(lines[25].contains(r#""bytesSent":9"#) && lines[25].len() > 25_000);
}

#[test]
fn a_description_without_room_is_none_that_later_ones_build_on() {
    let mut recorder = recorder(64 * 1024);
    let description = |content: &str| format!(r#"{{"type":"offer","sdp":"v=0\r\n{}\r\n"}}"#, content.repeat(10_000));
    recorder.describe("setRemoteDescription", A, &description("a=x\\r\\n"), "8-0", 1001);
    recorder.describe("setRemoteDescriptionOnSuccess", A, "null", "8-0", 1002);
    assert_eq!(recorder.counter(5), 1);
    recorder.describe("setRemoteDescription", A, &description("b"), "8-1", 1003);
    recorder.describe("setRemoteDescriptionOnSuccess", A, "null", "8-1", 1004);
    recorder.describe("setRemoteDescription", A, &description("b"), "8-2", 1005);
    let lines = sent(&mut recorder, 2000);
    let read = decoded(&lines);
    assert!(lines.last().unwrap().len() < 100, "compressed");
    assert_eq!(read.last().unwrap().len(), read[read.len() - 3].len());
}

#[test]
fn a_remote_description_that_is_known_only_once_it_is_set_is_written_whole_and_built_upon() {
    let mut recorder = recorder(100_000);
    let offer = r#"{"type":"offer","sdp":"v=0\r\nm=audio 9\r\na=mid:0\r\n"}"#;
    for call in ["8-0", "8-1"] {
        recorder.describe("setRemoteDescription", A, "null", call, 1001);
        recorder.describe("setRemoteDescriptionOnSuccess", A, offer, call, 1002);
    }
    recorder.describe("setRemoteDescription", A, offer, "8-2", 1003);
    let lines = sent(&mut recorder, 2000);
    assert_eq!(lines[3], format!(r#"[9,"PC_0",{offer},"8-1",0]"#));
    assert_eq!(lines[4], r#"[8,"PC_0",{"type":"offer","sdp":"v=\r\nm=\r\n"},"8-2",1]"#);
    assert_eq!(
        decoded(&lines)[3..],
        [format!("setRemoteDescriptionOnSuccess {offer} \"8-1\""), format!("setRemoteDescription {offer} \"8-2\""),]
    );
}

#[test]
fn a_line_that_no_collector_takes_is_told_instead_of_sent() {
    let mut recorder = recorder(8 * 1024 * 1024);
    let huge = format!("\"{}\"", "x".repeat(LINE_LIMIT));
    recorder.record(":huge", None, &huge, "", 1001);
    recorder.record(":small", None, "1", "", 1002);
    let lines = sent(&mut recorder, 2000);
    assert_eq!(decoded(&lines).len(), 2);
    assert!(lines[0].starts_with("[\":rtctrace.dropped\",null,{\"lines\":1,\"bytes\":10486"), "{}", lines[0]);
}

#[test]
fn reports_that_a_beacon_could_not_take_along_are_dropped_and_the_next_one_is_full() {
    let mut recorder = recorder(1_000_000);
    let text = |number: u32| {
        let pad = "x".repeat(40_000);
        format!(
            r#"{{"T":{{"id":"T","type":"transport","timestamp":{number},"bytesSent":{number},"pad{number}":"{pad}"}}}}"#
        )
    };
    report(&mut recorder, A, &text(1), "", 1001);
    report(&mut recorder, A, &text(2), "", 1002);
    recorder.handle(Input::PageHide, 1003);
    recorder.handle(Input::Shown, 9000);
    report(&mut recorder, A, &text(3), "", 9001);
    let lines = sent(&mut recorder, 9002);
    assert!(lines[0].starts_with(r#"[":rtctrace.dropped","PC_0",{"reports":2,"#));
    assert!(lines[1].starts_with(r#"["g","PC_0",{"0":{"type":5,"80":3,"pad3":"x"#), "{}", &lines[1][..60]);
}

#[test]
fn a_clock_that_is_set_back_or_forth_gives_no_negative_times_and_stops_no_timer() {
    let mut recorder = recorder(100_000);
    sent(&mut recorder, 1000);
    recorder.record(":a", None, "1", "", 60_000);
    recorder.record(":before", None, "2", "", 59_990);
    let lines = sent(&mut recorder, 60_000);
    assert_eq!(lines, [r#"[":a",null,1,60000]"#, r#"[":before",null,2,0]"#]);
    // Ten hours back: a line of then is still sent within a moment of the page's clock.
    let hours = 36_000_000;
    recorder.handle(Input::Online, 60_000 - hours);
    recorder.record(":c", None, "3", "", 60_050 - hours);
    let deadline = recorder.deadline().unwrap();
    assert!((60_000 - hours..=60_300 - hours).contains(&(deadline.min(60_300 - hours))), "{deadline}");
    let lines = sent(&mut recorder, 60_300 - hours);
    assert!(!lines[0].contains('-'), "{lines:?}");
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
                others.chain([time]).map(move |(name, text)| ((entry.id().to_owned(), name.to_owned()), text))
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
        for (at, (id, text)) in real_reports().iter().enumerate() {
            report(&mut recorder, *id, text, "", 2000 + at as i64 * 500);
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
