//! What becomes of the dialect's messages, and that nothing they say does harm.

use proptest::prelude::*;

use super::*;
use crate::event::SessionDecoder;
use crate::json::RawValue;
use crate::line::Line;

const NOW: f64 = 1_795_000_000_000.0;

fn feed(stream: &mut ValueStream, chunk: &str) -> Vec<String> {
    let mut out = Vec::new();
    stream.feed(chunk.as_bytes(), |value| {
        out.push(value.map_or_else(|error| format!("! {error}"), str::to_owned));
    });
    out
}

fn translate(translator: &mut Translator, entry: &str) -> (Translated, String) {
    let mut out = String::new();
    let done = translator.entry(RawValue::parse(entry).unwrap(), NOW, &mut out);
    for line in out.lines() {
        Line::parse(line).unwrap();
    }
    (done, out)
}

fn line_of(entry: &str) -> String {
    let (done, out) = translate(&mut Translator::new(1 << 20), entry);
    assert_eq!(done, Translated::Stored { missing: 0 });
    out.trim_end().to_owned()
}

#[test]
fn values_are_found_wherever_messages_begin_and_end() {
    let mut stream = ValueStream::new(100);
    assert_eq!(feed(&mut stream, r#"{"a":1}[2] {"b"#), [r#"{"a":1}"#, "[2]"]);
    assert!(stream.is_inside());
    assert_eq!(feed(&mut stream, r#"":"}\"{"}"#), [r#"{"b":"}\"{"}"#]);
    assert!(!stream.is_inside());
}

#[test]
fn a_bad_value_costs_itself() {
    let mut stream = ValueStream::new(60);
    let bad = "! something that is no object or array stands between two values";
    assert_eq!(feed(&mut stream, r#"nonsense 7 {"a":1}}{"b":2}"#), [bad, bad, r#"{"a":1}"#, bad, r#"{"b":2}"#]);
    let long = format!(r#"{{"a":"{}"}}{{"b":2}}"#, "x".repeat(90));
    assert_eq!(feed(&mut stream, &long), ["! a value is longer than 60 bytes", r#"{"b":2}"#]);
    // Its end never came, and the next message is whole.
    assert!(feed(&mut stream, r#"{"statsSessionId":"a","type":"ide"#).is_empty());
    let next = r#"{"statsSessionId":"a","type":"keepalive"}"#;
    assert_eq!(feed(&mut stream, next), ["! a value was torn", next]);
}

#[test]
fn only_a_message_with_an_id_and_a_type_is_one() {
    let message = Message::parse(r#"{"statsSessionId":"a-1_B","type":"identity","data":[1]}"#).unwrap();
    assert_eq!((&*message.session, &*message.kind, message.data.unwrap().text()), ("a-1_B", "identity", "[1]"));
    for (text, error) in [
        (r#"{"type":"close"}"#, BadMessage::BadId),
        (r#"{"statsSessionId":"../a","type":"close"}"#, BadMessage::BadId),
        (r#"{"statsSessionId":7,"type":"close"}"#, BadMessage::BadId),
        (r#"{"statsSessionId":"a"}"#, BadMessage::BadType),
        ("[1]", BadMessage::NotAnObject),
    ] {
        assert_eq!(Message::parse(text).unwrap_err(), error, "{text}");
    }
    assert!(matches!(Message::parse(r#"{"a":b}"#), Err(BadMessage::Json(_))));
}

#[test]
fn an_entry_is_a_line_in_our_words() {
    for (entry, expected) in [
        (r#"["create","PC_0",{"a":1},1795000000001,1]"#, r#"[39,"PC_0",{"a":1},null,1,1795000000001]"#),
        (r#"["onnegotiationneeded","PC_0",null,1795000000001]"#, r#"[27,"PC_0",null,1795000000001]"#),
        (r#"["e2eRtt",null,{"rtt":2}]"#, r#"["e2eRtt",null,{"rtt":2},1795000000000]"#),
        (
            r#"["addTrack","PC_0","audio:a1 stream:s1;stream:s2",5,1]"#,
            r#"[30,"PC_0",["audio","a1","","s1","s2"],null,1,5]"#,
        ),
        (r#"["ontrack","PC_0","video:v1 -",5,1]"#, r#"[22,"PC_0",["video","v1",""],null,1,5]"#),
        (r#"["addTrack","PC_0","what else",5,1]"#, r#"[30,"PC_0","what else",null,1,5]"#),
        (
            r#"["addTransceiver","PC_0","audio:a1 {\"direction\":\"sendrecv\"}",5,1]"#,
            r#"[32,"PC_0",[["audio","a1",""],{"direction":"sendrecv"}],null,1,5]"#,
        ),
        (r#"["addTransceiver","PC_0","video:v1",5,1]"#, r#"[32,"PC_0",[["video","v1",""]],null,1,5]"#),
        (r#"["addTransceiver","PC_0","video {}",5,1]"#, r#"[32,"PC_0",["video",{}],null,1,5]"#),
        (r#"["addTransceiver","PC_0","video {",5,1]"#, r#"[32,"PC_0","video {",null,1,5]"#),
        (r#"["createDataChannel","PC_0",{"0":"a","1":{"id":1}},5,1]"#, r#"[35,"PC_0",["a",{"id":1}],null,1,5]"#),
        (
            r#"["navigator.mediaDevices.getUserMediaOnSuccess",null,{"id":"s","tracks":[{"id":"t","kind":"audio","label":"L","muted":false}]},5,1]"#,
            r#"[61,null,[["audio","t","L","s"]],null,{"id":"s","tracks":[{"id":"t","kind":"audio","label":"L","muted":false}]},1,5]"#,
        ),
        // What only the collector says.
        (r#"["close",null,1000,5,1]"#, r#"[":close",null,1000,null,1,5]"#),
        (r#"["close","PC_0",{},5,1]"#, r#"[36,"PC_0",{},null,1,5]"#),
        (r#"["g","PC_0",{"t":1},5,1]"#, r#"[":g","PC_0",{"t":1},null,1,5]"#),
        (r#"["getStats","PC_0",{"t":1},5,1]"#, r#"[":getStats","PC_0",{"t":1},null,1,5]"#),
        (r#"[":rtctrace.gap",null,{"from":1,"to":9},5,1]"#, r#"["::rtctrace.gap",null,{"from":1,"to":9},null,1,5]"#),
        // What does not fit is kept.
        (r#"["logs",null,1,"when","which",3]"#, r#"["logs",null,1,null,"when",3,"which",1795000000000]"#),
        (r#"["logs",7,1,5,1]"#, r#"["stats-entry",null,["logs",7,1,5,1],1795000000000]"#),
        (r#"{"endpoints":{},"timestamp":7}"#, r#"["stats-entry",null,{"endpoints":{},"timestamp":7},7]"#),
        (r#"["getstats","PC_0","",5,1]"#, r#"["getstats","PC_0","",null,1,5]"#),
        ("[\"logs\",null,\n{},\r\n5,1]", r#"["logs",null,{},null,1,5]"#),
        ("[\"logs\",null,{\n},5,1]", r#"["logs",null,{ },null,1,5]"#),
    ] {
        assert_eq!(line_of(entry), expected);
    }
}

#[test]
fn messages_hold_entries_as_text_or_as_they_are() {
    let line = |text: &str| {
        let mut out = String::new();
        Translator::new(1 << 20).message(&Message::parse(text).unwrap(), NOW, &mut out);
        out.trim_end().to_owned()
    };
    let message = |rest: &str| line(&format!(r#"{{"statsSessionId":"a",{rest}}}"#));
    assert_eq!(
        message(r#""type":"identity","data":["identity",null,{"a":1},5,1]"#),
        r#"["identity",null,{"a":1},null,1,5]"#
    );
    assert_eq!(
        message(r#""type":"identity","data":{"confName":"c"}"#),
        r#"["identity",null,{"confName":"c"},1795000000000]"#
    );
    assert_eq!(message(r#""type":"stats-entry","data":"[\"logs\",null,1,5,1]""#), r#"["logs",null,1,null,1,5]"#);
    assert_eq!(
        message(r#""type":"stats-entry","data":"{\"timestamp\":7}""#),
        r#"["stats-entry",null,{"timestamp":7},7]"#
    );
    assert_eq!(message(r#""type":"stats-entry","data":"{""#), r#"["stats-entry",null,"{",1795000000000]"#);
    assert_eq!(message(r#""type":"news","data":[1]"#), r#"["news",null,[1],1795000000000]"#);
}

#[test]
fn numbers_are_used() {
    let mut translator = Translator::new(1 << 20);
    let entry = |number: u64| format!(r#"["logs",null,{number},1000,{number}]"#);
    assert_eq!(translate(&mut translator, &entry(1)).0, Translated::Stored { missing: 0 });
    assert_eq!(translate(&mut translator, &entry(1)), (Translated::Duplicate, String::new()));
    let (done, lines) = translate(&mut translator, &entry(5));
    assert_eq!(done, Translated::Stored { missing: 3 });
    assert_eq!(lines, "[\":rtctrace.gap\",null,{\"from\":2,\"to\":4},0]\n[\"logs\",null,5,null,5,0]\n");
    assert_eq!(translator.number(), 5);
    assert_eq!(translate(&mut translator, &entry(3)).0, Translated::Duplicate);
}

#[test]
fn what_is_too_long_for_a_line_is_recorded_by_its_number() {
    let mut translator = Translator::new(100);
    let (_, lines) = translate(&mut translator, &format!(r#"["logs",null,"{}",1000,1]"#, "x".repeat(100)));
    assert_eq!(lines, "[\":rtctrace.dropped\",null,{\"lines\":1,\"bytes\":128},null,1,1000]\n");
    let report =
        format!(r#"["getstats","PC_0",{{"A":{{"type":"x","v":"{}"}},"timestamp":5}},1000,2]"#, "x".repeat(100));
    assert!(translate(&mut translator, &report).1.starts_with("[\":rtctrace.dropped\",\"PC_0\""));
    // The next one stands by itself.
    let (_, line) = translate(&mut translator, r#"["getstats","PC_0",{"A":{"v":"y"},"timestamp":6},1000,3]"#);
    let mut decoder = SessionDecoder::new();
    assert!(decoder.decode(line.trim_end()).unwrap().value.to_json().contains(r#""type":"x","v":"y""#), "{line}");
}

/// Reports that their client would make, and what they are in full.
fn report(step: usize) -> (String, String) {
    let count = |by: usize| step * by;
    let gone = step == 3;
    let mut delta = format!(
        r#""CF1":{{{}}},"T1":{{"timestamp":0,{}"bytesSent":{},"selectedCandidatePairId":"P1"}}"#,
        if step == 0 { r#""timestamp":0,"type":"certificate","fingerprint":"aa""# } else { r#""timestamp":0"# },
        if step == 0 { r#""type":"transport","localCertificateId":"CF1","# } else { "" },
        count(100)
    );
    let mut full = format!(r#""T1":{{"timestamp":{}.5,"bytesSent":{},"#, 1000 + step, count(100));
    full.push_str(r#""selectedCandidatePairId":"P1""#);
    if !gone {
        let kind = if step == 0 || step == 4 { r#""type":"candidate-pair","state":"succeeded","# } else { "" };
        delta.push_str(&format!(
            r#","P1":{{"timestamp":{}.25,{kind}"rtt":0.000{},"nested":{{"a":{step}}}}}"#,
            900 + step,
            10 + step
        ));
    }
    delta.push_str(&format!(r#","timestamp":{}.5"#, 1000 + step));
    (format!("{{{delta}}}"), full)
}

#[test]
fn reports_are_ours_and_go_on_behind_a_crash() {
    let entry = |step: usize| format!(r#"["getstats","PC_0",{},{},{}]"#, report(step).0, 1000 + step, step + 1);
    let mut whole = Translator::new(1 << 20);
    let whole_lines: Vec<String> = (0..8).map(|step| translate(&mut whole, &entry(step)).1).collect();
    assert_eq!(
        whole_lines[0].trim_end(),
        r#"["g","PC_0",{"0":{"type":5,"80":0,"125":"1"},"1":{"type":6,"118":"succeeded","rtt":10e-5,"nested":{"a":0},"t":900.25},"t":1000.5},{"ids":{"0":"T1","1":"P1"},"omitted":["CF1"]},1,1000]"#
    );
    let events = |lines: &[String]| -> Vec<String> {
        let mut decoder = SessionDecoder::new();
        lines.iter().map(|line| decoder.decode(line.trim_end()).unwrap().value.to_json()).collect()
    };
    let expected = events(&whole_lines);
    assert_eq!(
        expected[2],
        r#"{"0":{"id":"0","timestamp":1002.5,"type":"transport","bytesSent":200,"selectedCandidatePairId":"1"},"1":{"id":"1","timestamp":902.25,"type":"candidate-pair","state":"succeeded","rtt":12e-5,"nested":{"a":2}}}"#
    );
    assert!(!expected[3].contains("candidate-pair") && expected[4].contains(r#""2":{"id":"2""#));
    for crash in 1..8 {
        let mut lines = whole_lines[..crash].to_vec();
        let mut translator = Translator::new(1 << 20);
        for line in &lines {
            translator.replay(&Line::parse(line.trim_end()).unwrap());
        }
        assert_eq!(translator.number(), crash as u64);
        lines.extend((crash..8).map(|step| translate(&mut translator, &entry(step)).1));
        assert_eq!(events(&lines), expected, "crash before report {crash}");
        assert_eq!(lines, whole_lines, "crash before report {crash}");
    }
}

#[test]
fn a_session_cannot_make_its_translator_grow_without_bound() {
    let mut translator = Translator::new(16 << 20);
    let large = "x".repeat(3 << 20);
    for connection in 0..8 {
        let (_, line) = translate(
            &mut translator,
            &format!(r#"["getstats","PC_{connection}",{{"A":{{"type":"x","v":"{large}"}}}},1000,{}]"#, connection + 1),
        );
        assert_eq!(line.starts_with("[\"g\""), connection < 5, "PC_{connection}");
    }
}

#[test]
fn what_stands_for_a_text_does_not_multiply_it() {
    // A time that every entry takes over, an id that every track repeats: a line of 60 KB would become gigabytes.
    let digits = "1".repeat(30_000);
    let entries: String = (0..1_000).map(|id| format!("\"{id}\":{{\"timestamp\":0}},")).collect();
    let payload = format!("{{{entries}\"timestamp\":{digits}}}");
    let mut translator = Translator::new(1 << 20);
    let (_, out) = translate(&mut translator, &format!("[\"getstats\",\"PC_0\",{payload},{NOW},1]"));
    assert!(out.len() < 2 * payload.len(), "{} bytes", out.len());
    let tracks = vec!["0"; 10_000].join(",");
    let stream = format!("{{\"id\":\"{digits}\",\"tracks\":[{tracks}]}}");
    let line = line_of(&format!("[\"getUserMediaOnSuccess\",null,{stream},{NOW},1]"));
    assert_eq!(line, format!("[\"getUserMediaOnSuccess\",null,{stream},null,1,{NOW}]"));
}

#[test]
fn a_dump_that_names_a_long_id_often_is_not_gone_on_with() {
    let id = "x".repeat(1 << 20);
    let members: String = (0..500).map(|number| format!(",\"m{number}Id\":\"1\"")).collect();
    let line =
        format!("[\"getStats\",\"PC_0\",{{\"1\":{{\"type\":\"x\"{members}}}}},{{\"ids\":{{\"1\":\"{id}\"}}}},1,1]");
    let mut translator = Translator::new(4 << 20);
    translator.replay(&Line::parse(&line).unwrap());
    let (_, out) = translate(&mut translator, "[\"getstats\",\"PC_0\",{\"a\":{\"timestamp\":0}},1,2]");
    assert!(out.starts_with("[\"getstats\",\"PC_0\",{\"a\""), "it is kept as it came: {out}");
}

fn payload() -> impl Strategy<Value = String> {
    let id = prop::sample::select(vec!["A", "B", "1", "timestamp", "é"]);
    let member = (
        prop::sample::select(vec!["type", "timestamp", "id", "xId", "v", "nested", "ip"]),
        prop::sample::select(vec![
            "0",
            "1.50",
            "null",
            "\"A\"",
            "\"1\"",
            "\"certificate\"",
            "{\"k\": 1}",
            "{}",
            "[1]",
            "1e5",
        ]),
    );
    let entry = prop::collection::vec(member, 0..5).prop_map(|members| {
        members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect::<Vec<_>>().join(",")
    });
    prop::collection::vec((id, entry), 0..4).prop_map(|entries| {
        let entries: Vec<String> = entries.iter().map(|(id, entry)| format!("\"{id}\":{{{entry}}}")).collect();
        format!("{{{}}}", entries.join(","))
    })
}

proptest! {
    #[test]
    fn a_stream_gives_the_same_values_however_it_is_cut(cuts in prop::collection::vec(1usize..40, 0..12), texts in prop::collection::vec("[a-z{}\\[\\]\"\\\\ é]{0,12}", 1..6)) {
        let values: Vec<String> = texts.iter().map(|text| {
            let mut out = String::from("{\"statsSessionId\":\"a\",\"data\":");
            crate::json::write_string(&mut out, text);
            out + "}"
        }).collect();
        let whole = values.join("\n");
        let mut stream = ValueStream::new(1000);
        let (mut found, mut rest) = (Vec::new(), whole.as_bytes());
        for cut in cuts {
            let (chunk, behind) = rest.split_at(cut.min(rest.len()));
            stream.feed(chunk, |value| found.push(value.map(str::to_owned)));
            rest = behind;
        }
        stream.feed(rest, |value| found.push(value.map(str::to_owned)));
        prop_assert_eq!(found, values.into_iter().map(Ok).collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_are_values_or_errors(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6)) {
        let mut stream = ValueStream::new(50);
        for chunk in chunks {
            stream.feed(&chunk, |value| if let Ok(text) = value { let _ = Message::parse(text); });
            prop_assert!(stream.pending_bytes() <= 50);
        }
    }

    #[test]
    fn any_reports_give_lines_that_decode_and_replay(payloads in prop::collection::vec((0..2_u8, payload()), 1..10), crash in 0usize..10) {
        let mut translator = Translator::new(1 << 20);
        let mut decoder = SessionDecoder::new();
        let mut lines: Vec<String> = Vec::new();
        for (step, (connection, payload)) in payloads.iter().enumerate() {
            if step == crash {
                translator = Translator::new(1 << 20);
                for line in &lines {
                    translator.replay(&Line::parse(line).unwrap());
                }
            }
            let (_, out) = translate(&mut translator, &format!("[\"getstats\",\"PC_{connection}\",{payload},{step},{}]", step + 1));
            for line in out.lines() {
                decoder.decode(line).unwrap();
                lines.push(line.to_owned());
            }
            prop_assert_eq!(translator.number(), step as u64 + 1);
        }
        prop_assert_eq!(lines.len(), payloads.len());
    }

    #[test]
    fn any_entry_gives_lines_that_replay_to_the_same_state(entries in prop::collection::vec((
        prop::sample::select(vec!["\"g\"", "\"close\"", "\"getstats\"", "\"ontrack\"", "7", "\":rtctrace.gap\""]),
        prop::sample::select(vec!["null", "\"PC_0\"", "1"]),
        prop::sample::select(vec!["{}", "\"audio:x stream:y\"", "[1,2]", "{\"A\":{\"v\":1}}", "{\"from\":1,\"to\":99}"]),
        prop::sample::select(vec!["1000", "-5", "null", "1e300", "\"x\"", "0.25", "1795000000000.125"]),
        prop::sample::select(vec!["1", "2", "3", "7", "-1", "1.5", "\"9\"", "null", "9007199254740993"]),
    ), 1..8)) {
        let mut translator = Translator::new(1 << 20);
        let mut replayed = Translator::new(1 << 20);
        for (kind, connection, payload, time, number) in entries {
            let (_, out) = translate(&mut translator, &format!("[{kind},{connection},{payload},{time},{number}]"));
            for line in out.lines() {
                replayed.replay(&Line::parse(line).unwrap());
            }
            prop_assert_eq!(translator.number(), replayed.number());
            prop_assert_eq!(translator.is_numbered(), replayed.is_numbered());
            prop_assert_eq!(translator.time(), replayed.time());
        }
    }
}
