//! The codec against real recordings, against the rules one by one, and against whatever proptest thinks of.

use std::collections::BTreeMap;
use std::io::Read;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::text::GARBAGE;
use super::{Entry, ReportDecoder, ReportEncoder, ReportError, ReportLimits, is_dropped_member};
use crate::json::{Kind, RawValue};

fn raw_reports(name: &str) -> Vec<(String, String)> {
    let path = format!("{}/../tests/fixtures/recordings/{name}.raw-getstats.jsonl.gz", env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let pair = |line: &str| {
        let pair = RawValue::parse(line).unwrap();
        (pair.at(0).unwrap().as_str().unwrap().into_owned(), pair.at(1).unwrap().text().to_owned())
    };
    text.lines().map(pair).collect()
}

/// What must come out for a report that went in: the documented removals, short ids, and `null` as absence.
#[derive(Default)]
struct Expectation {
    shorts: BTreeMap<String, String>,
    next: u32,
}

impl Expectation {
    fn of(&mut self, report: &str) -> Value {
        let Value::Object(entries) = value_of(RawValue::parse(report).unwrap()) else {
            panic!("a report is an object")
        };
        let entries: Vec<(String, Map<String, Value>)> = entries
            .into_iter()
            .map(|(id, entry)| (id, entry.as_object().unwrap().clone()))
            .filter(|(_, entry)| entry.get("type") != Some(&json!("certificate")))
            .collect();
        self.shorts.retain(|id, _| entries.iter().any(|(other, _)| other == id));
        for (id, _) in &entries {
            if !self.shorts.contains_key(id) {
                self.shorts.insert(id.clone(), self.next.to_string());
                self.next += 1;
            }
        }
        let mut out = Map::new();
        for (id, entry) in entries {
            let mut members = Map::new();
            for (name, value) in entry {
                if is_dropped_member(&name) || value.is_null() {
                    continue;
                }
                let value = match value {
                    Value::String(text) if name.ends_with("Id") => {
                        json!(self.shorts.get(&text).unwrap_or(&text))
                    }
                    Value::Object(inner) => {
                        Value::Object(inner.into_iter().filter(|(_, value)| !value.is_null()).collect())
                    }
                    other => other,
                };
                members.insert(name, value);
            }
            let short = self.shorts[&id].clone();
            members.insert("id".to_owned(), json!(short));
            out.insert(short, Value::Object(members));
        }
        Value::Object(out)
    }
}

fn decoded(decoder: &mut ReportDecoder, delta: &str) -> Value {
    let report = decoder.decode(RawValue::parse(delta).unwrap()).unwrap();
    let mut text = String::new();
    report.write_json(&mut text);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap().as_object().unwrap().len(), report.len());
    value_of(RawValue::parse(&text).unwrap())
}

fn decode_text(decoder: &mut ReportDecoder, delta: &str) {
    decoder.decode(RawValue::parse(delta).unwrap()).unwrap();
}

/// The value with every number read by the standard library: serde_json alone would round some doubles.
fn value_of(raw: RawValue<'_>) -> Value {
    match raw.kind() {
        Kind::Number => raw.text().parse::<i64>().map_or_else(|_| json!(raw.as_f64().unwrap()), |number| json!(number)),
        Kind::Array => raw.elements().map(value_of).collect(),
        Kind::Object => {
            Value::Object(raw.members().map(|(name, value)| (name.into_owned(), value_of(value))).collect())
        }
        _ => serde_json::from_str(raw.text()).unwrap(),
    }
}

#[test]
fn recorded_reports_come_back_whole_in_no_more_bytes_than_upstream_needs() {
    for (name, upstream) in [("loopback-av-60s", 147_306), ("loopback-20video-60s", 1_712_918)] {
        let mut connections: BTreeMap<String, (ReportEncoder, ReportDecoder, Expectation)> = BTreeMap::new();
        let mut bytes = 0;
        for (connection, report) in raw_reports(name) {
            let (encoder, decoder, expectation) = connections.entry(connection.clone()).or_default();
            let mut delta = String::new();
            encoder.encode(&report, &mut delta).unwrap();
            let mut line = String::new();
            crate::line::write_line(&mut line, "getStats", Some(&connection), &delta, &[], 1000.0);
            bytes += line.len();
            assert_eq!(decoded(decoder, &delta), expectation.of(&report), "{name} {connection}");
        }
        println!("{name}: {bytes} bytes, upstream {upstream}");
        assert!(bytes <= upstream, "{name}: {bytes} bytes are more than upstream's {upstream}");
    }
}

#[test]
fn a_first_report_is_sent_under_short_names() {
    let mut encoder = ReportEncoder::new();
    let mut delta = String::new();
    let report = [
        r#"{"X":{"id":"X","timestamp":5,"type":"certificate","fingerprint":"f"}"#,
        r#""T":{"id":"T","timestamp":10.5,"type":"transport","selectedCandidatePairId":"P","localCertificateId":"X"}"#,
        r#""P":{"id":"P","timestamp":10.5,"type":"candidate-pair","writable":true,"transportId":"T","newMember":0.00027}"#,
        r#""R":{"id":"R","timestamp":9,"type":"remote-inbound-rtp","fractionLost":0}}"#,
    ];
    encoder.encode(&report.join(","), &mut delta).unwrap();
    assert_eq!(
        delta,
        r#"{"0":{"type":5,"125":"1"},"1":{"type":6,"5":"0","newMember":27e-5},"2":{"type":3,"77":0,"t":9},"t":10.5}"#
    );
}

#[test]
fn the_time_of_a_far_end_entry_stays_until_news_come() {
    let mut encoder = ReportEncoder::new();
    let mut decoder = ReportDecoder::new();
    let report = |time: f64, far: f64| {
        format!(
            r#"{{"A":{{"id":"A","timestamp":{time},"type":"inbound-rtp"}},"B":{{"id":"B","timestamp":{far},"type":"remote-inbound-rtp"}}}}"#
        )
    };
    for (time, far, expected) in [
        (10.0, 9.0, r#"{"0":{"type":1},"1":{"type":3,"t":9},"t":10}"#),
        (20.0, 9.0, r#"{"t":20}"#),
        (30.0, 25.0, r#"{"1":{"t":25},"t":30}"#),
        (40.0, 40.0, r#"{"1":{"t":40},"t":40}"#),
        (50.0, 40.0, r#"{"t":50}"#),
    ] {
        let mut delta = String::new();
        encoder.encode(&report(time, far), &mut delta).unwrap();
        assert_eq!(delta, expected);
        let report = decoder.decode(RawValue::parse(&delta).unwrap()).unwrap();
        assert_eq!(report.get("0").unwrap().timestamp(), time);
        assert_eq!(report.get("1").unwrap().timestamp(), far);
    }
}

#[test]
fn members_and_entries_vanish_and_short_ids_are_never_used_again() {
    let mut encoder = ReportEncoder::new();
    let mut deltas = Vec::new();
    for report in [
        r#"{"A":{"timestamp":1,"type":"codec","x":1,"d":{"a":1,"b":2}},"B":{"timestamp":1,"type":"codec","codecId":"A"}}"#,
        r#"{"A":{"timestamp":2,"type":"codec","d":{"b":3}},"B":{"timestamp":2,"type":"codec","codecId":"A"}}"#,
        r#"{"B":{"timestamp":3,"type":"codec","codecId":"A"}}"#,
        r#"{"A":{"timestamp":4,"type":"codec"},"B":{"timestamp":4,"type":"codec","codecId":"A"}}"#,
    ] {
        let mut delta = String::new();
        encoder.encode(report, &mut delta).unwrap();
        deltas.push(delta);
    }
    assert_eq!(
        deltas,
        [
            r#"{"0":{"type":14,"x":1,"d":{"a":1,"b":2}},"1":{"type":14,"12":"0"},"t":1}"#,
            r#"{"0":{"d":{"b":3,"a":null},"x":null},"t":2}"#,
            r#"{"1":{"12":"A"},"0":null,"t":3}"#,
            r#"{"2":{"type":14},"1":{"12":"2"},"t":4}"#,
        ]
    );
}

#[test]
fn upstreams_delta_is_read() {
    let mut decoder = ReportDecoder::new();
    let first = r#"{"0":{"11":"audio","5":"1","96":{"none":1,"cpu":0},"type":2},"1":{"125":"4","type":5,"psnrSum":[1,2]},"t":1000.25}"#;
    decoder.decode(RawValue::parse(first).unwrap()).unwrap();
    let report =
        decoder.decode(RawValue::parse(r#"{"0":{"96":{"none":2},"174":7},"1":{"168":[3]},"t":2000}"#).unwrap());
    let report = report.unwrap();
    assert_eq!(report.timestamp(), 2000.0);
    let entry = report.get("0").unwrap();
    assert_eq!(entry.kind(), "outbound-rtp");
    assert_eq!(entry.member("qualityLimitationDurations").unwrap().text(), r#"{"none":2,"cpu":0}"#);
    assert_eq!(entry.member("packetsSentWithEct1").unwrap().as_i64(), Some(7));
    assert_eq!(report.get("1").unwrap().member("psnrSum").unwrap().text(), "[3]");
    assert_eq!(report.get("1").unwrap().timestamp(), 2000.0);
}

#[test]
fn a_bad_delta_changes_nothing() {
    let mut decoder = ReportDecoder::with_limits(ReportLimits { entries: 2, bytes: 1000 });
    let mut decode = |delta: &str| decoder.decode(RawValue::parse(delta).unwrap()).map(|report| report.len());
    assert_eq!(decode(r#"{"0":{"type":2},"t":1}"#), Ok(1));
    assert_eq!(decode("[]"), Err(ReportError::NotAnObject));
    assert_eq!(decode(r#"{"1":{"type":2},"0":5}"#), Err(ReportError::EntryNotAnObject("0".to_owned())));
    assert_eq!(decode(r#"{"1":{"type":2},"t":"x"}"#), Err(ReportError::BadTime("\"x\"".to_owned())));
    let many = r#"{"1":{},"2":{},"t":5}"#;
    assert_eq!(decode(many), Err(ReportError::TooLarge { what: "entries", limit: 2 }));
    let large = format!(r#"{{"0":{{"x":"{}"}}}}"#, "y".repeat(1000));
    assert_eq!(decode(&large), Err(ReportError::TooLarge { what: "bytes", limit: 1000 }));
    assert_eq!(decode(r#"{"t":2}"#), Ok(1));
}

#[test]
fn a_report_that_is_none_is_refused_and_the_state_kept() {
    let mut encoder = ReportEncoder::new();
    let mut delta = String::new();
    encoder.encode(r#"{"A":{"timestamp":1,"type":"codec"}}"#, &mut delta).unwrap();
    delta.clear();
    assert_eq!(encoder.encode("[]", &mut delta), Err(ReportError::NotAnObject));
    assert_eq!(encoder.encode(r#"{"B":{},"C":1}"#, &mut delta), Err(ReportError::EntryNotAnObject("C".to_owned())));
    assert!(matches!(encoder.encode("{", &mut delta), Err(ReportError::Json(_))));
    assert_eq!(delta, "");
    encoder.encode(r#"{"A":{"timestamp":1,"type":"codec"},"B":{"timestamp":2}}"#, &mut delta).unwrap();
    assert_eq!(delta, r#"{"0":{"t":1},"1":{},"t":2}"#);
}

// --- any sequence of reports -----------------------------------------------------------------------------------------

fn member_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => any::<f64>().prop_filter("JSON has no such number", |number| number.is_finite()).prop_map(|number| json!(number)),
        4 => (-3_i64..400_000).prop_map(|number| json!(number)),
        2 => (1_u32..9).prop_map(|power| json!(10_u64.pow(power))),
        2 => (1_i32..9).prop_map(|power| json!(7.0 * 10_f64.powi(-power))),
        2 => prop::sample::select(vec!["A", "B", "C", "waiting", "\"\\\u{1}\u{10ffff}", ""]).prop_map(|text| json!(text)),
        1 => any::<bool>().prop_map(|flag| json!(flag)),
        1 => Just(Value::Null),
        1 => prop::collection::vec(0_u8..3, 0..3).prop_map(|array| json!(array)),
        2 => prop::collection::btree_map("[abc]", prop_oneof![Just(Value::Null), (0_u8..3).prop_map(|n| json!(n))], 0..3).prop_map(|object| json!(object)),
    ]
}

fn entry() -> impl Strategy<Value = Value> {
    let names = vec![
        "bytesSent",
        "codecId",
        "remoteId",
        "qualityLimitationDurations",
        "newMember",
        "anotherId",
        "isRemote",
        "psnrSum",
    ];
    let types = vec!["inbound-rtp", "remote-inbound-rtp", "compute-pressure", "certificate", "something-new", "codec"];
    let members = prop::collection::btree_map(prop::sample::select(names), member_value(), 0..5);
    let time = prop_oneof![6 => (1_u8..4).prop_map(|time| json!(1_795_159_384_000_u64 + u64::from(time))),
        2 => (1_u8..4).prop_map(|time| json!(f64::from(time) * 0.1)), 1 => Just(Value::Null)];
    (prop::option::weighted(0.9, prop::sample::select(types)), prop::option::weighted(0.9, time), members).prop_map(
        |(kind, time, members)| {
            let mut entry = Map::new();
            entry.extend(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
            entry.extend(kind.map(|kind| ("type".to_owned(), json!(kind))));
            entry.extend(time.map(|time| ("timestamp".to_owned(), time)));
            Value::Object(entry)
        },
    )
}

fn reports() -> impl Strategy<Value = Vec<(Value, bool)>> {
    let ids = prop::sample::select(vec!["A", "B", "C", "D", "t", "12", "\u{e9}\"\\"]);
    let report = prop::collection::btree_map(ids, entry(), 0..6).prop_map(|report| json!(report));
    prop::collection::vec((report, prop::bool::weighted(0.2)), 1..8)
}

#[test]
fn many_members_cost_no_more_than_their_number() {
    let object = |names: &mut dyn Iterator<Item = u32>, value: u32| {
        let members: Vec<String> = names.map(|name| format!("\"m{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let mut decoder = ReportDecoder::new();
    let count = 40_000;
    // The square of that number is more than a test may take.
    for value in 1..4 {
        let (forth, back) = (object(&mut (0..count), value), object(&mut (0..count).rev(), value));
        decoded(
            &mut decoder,
            &format!(r#"{{"0":{},"1":{{"96":{back}}},"t":{value}}}"#, if value == 2 { &back } else { &forth }),
        );
    }
    let entry = |id| decoder.report().get(id).unwrap();
    assert_eq!(entry("0").members().count(), count as usize);
    assert!(entry("0").members().all(|(_, value)| value.text() == "3"));
    assert_eq!(entry("1").members().next().unwrap().1.members().count(), count as usize);
    let gone = object(&mut (1..count).rev(), 0).replace(":0", ":null");
    decoded(&mut decoder, &format!(r#"{{"0":{gone},"1":{{"96":{gone}}},"t":9}}"#));
    let entry = |id| decoder.report().get(id).unwrap();
    assert_eq!(entry("0").members().count(), 1);
    assert_eq!(entry("1").members().next().unwrap().1.text(), r#"{"m0":3}"#);
    assert!(decoder.bytes() < 1_000, "{}", decoder.bytes());
}

#[test]
fn a_member_that_goes_and_comes_in_one_delta_is_there() {
    let mut decoder = ReportDecoder::new();
    decoded(&mut decoder, r#"{"0":{"a":1,"b":2,"c":3},"t":1}"#);
    let report = decoded(&mut decoder, r#"{"0":{"b":null,"a":null,"b":5},"t":2}"#);
    assert_eq!(report["0"], json!({"id": "0", "timestamp": 2, "b": 5, "c": 3}));
}

#[test]
fn a_member_that_is_there_twice_breaks_nothing() {
    let first = r#"{"A":{"id":"A","jitter":0.5,"kind":"audio","timestamp":5,"transportId":"T","type":"inbound-rtp"}}"#;
    let twice = first.replace("\"timestamp\":5", "\"timestamp\":6,\"kind\":\"audio\",\"timestamp\":5");
    let (mut encoder, mut decoder) = (ReportEncoder::new(), ReportDecoder::new());
    for text in [first, &twice, first] {
        let mut delta = String::new();
        encoder.encode(text, &mut delta).unwrap();
        assert_eq!(decoded(&mut decoder, &delta)["0"]["jitter"], 0.5, "{delta}");
    }
}

proptest! {
    #[test]
    fn any_sequence_of_reports_round_trips(reports in reports()) {
        let (mut encoder, mut decoder, mut expectation) = (ReportEncoder::new(), ReportDecoder::new(), Expectation::default());
        for (report, _) in reports {
            let mut delta = String::new();
            encoder.encode(&report.to_string(), &mut delta).unwrap();
            prop_assert_eq!(decoded(&mut decoder, &delta), expectation.of(&report.to_string()), "{}", delta);
        }
    }

    #[test]
    fn after_reports_that_were_never_sent_the_next_one_restores_everything(reports in reports()) {
        let (mut encoder, mut decoder, mut expectation) = (ReportEncoder::new(), ReportDecoder::new(), Expectation::default());
        let mut lost = false;
        for (report, lose) in reports {
            if lost {
                encoder.reset();
            }
            let mut delta = String::new();
            encoder.encode(&report.to_string(), &mut delta).unwrap();
            let expected = expectation.of(&report.to_string());
            lost = lose;
            if !lose {
                prop_assert_eq!(decoded(&mut decoder, &delta), expected, "{}", delta);
            }
        }
    }

    /// Also where the text was compacted meanwhile.
    #[test]
    fn what_the_newest_delta_does_not_name_is_what_it_was(reports in reports()) {
        let (mut encoder, mut decoder) = (ReportEncoder::new(), ReportDecoder::new());
        let mut before = BTreeMap::new();
        for (at, (report, _)) in reports.iter().enumerate() {
            let mut delta = String::new();
            encoder.encode(&report.to_string(), &mut delta).unwrap();
            let report = decoder.decode(RawValue::parse(&delta).unwrap()).unwrap();
            let mut now = BTreeMap::new();
            for entry in report.entries() {
                let members: Vec<String> = entry.members().map(|(_, value)| value.text().to_owned()).collect();
                if let Some((shape, mut known)) = before.remove(entry.id())
                    && shape == entry.shape()
                {
                    let known: &mut Vec<String> = &mut known;
                    for (place, _, value) in entry.newest_members() {
                        known[place] = value.text().to_owned();
                    }
                    prop_assert_eq!(&*known, &members);
                }
                now.insert(entry.id().to_owned(), (entry.shape(), members));
            }
            before = now;
            if at % 3 == 2 {
                decoder.give_up_garbage();
            }
        }
    }

    #[test]
    fn any_text_is_a_report_or_an_error(text in ".{0,200}") {
        let mut out = String::new();
        let encoded = ReportEncoder::new().encode(&text, &mut out);
        prop_assert!(encoded.is_ok() || out.is_empty());
    }

    #[test]
    fn any_json_is_a_delta_or_an_error(reports in reports(), junk in member_value()) {
        let mut decoder = ReportDecoder::with_limits(ReportLimits { entries: 4, bytes: 2000 });
        for (report, _) in reports {
            let _ = decoder.decode(RawValue::parse(&report.to_string()).unwrap());
            let _ = decoder.decode(RawValue::parse(&json!({ "A": junk, "0": { "t": junk, "type": junk } }).to_string()).unwrap());
            prop_assert!(decoder.report().len() <= 4);
            prop_assert!(decoder.needed_bytes() <= 2000);
            // As much has just gone, and an eighth is left behind.
            prop_assert!(decoder.bytes() <= 2000 + 2000 + 250, "{}", decoder.bytes());
        }
    }
}

#[test]
fn a_time_that_is_no_browser_s_is_not_copied_into_entries() {
    let mut decoder = ReportDecoder::new();
    let long = format!("1.{}", "0".repeat(1000));
    let error = decoder.decode(RawValue::parse(&format!("{{\"t\":{long}}}")).unwrap()).unwrap_err();
    assert!(matches!(error, ReportError::BadTime(ref time) if time.len() == 40), "{error}");
    let delta = format!(r#"{{"0":{{"type":"{}","t":{long},"a":1}},"t":5}}"#, "x".repeat(1000));
    let report = decoder.decode(RawValue::parse(&delta).unwrap()).unwrap();
    let entry = report.get("0").unwrap();
    assert_eq!((entry.timestamp(), entry.kind().len()), (5.0, 64));
}

#[test]
fn a_delta_that_names_entries_again_and_again_takes_time_in_proportion_to_its_length() {
    let limits = ReportLimits { entries: 4000, bytes: 8 << 20 };
    let mut decoder = ReportDecoder::with_limits(limits);
    let entries = |name: &str| (0..4000).map(|n| format!(r#""{name}{n}":{{"a":{n}}}"#)).collect::<Vec<_>>().join(",");
    decoder.decode(RawValue::parse(&format!("{{{}}}", entries("x"))).unwrap()).unwrap();
    // Each of them goes and comes back, from the last to the first; what comes back stands behind the others.
    let again: Vec<_> = (0..3999).rev().map(|n| format!(r#""x{n}":null"#)).collect();
    let delta = format!(r#"{{{},"x7":{{"b":1}},"x7":null,"x7":{{"c":2}}}}"#, again.join(","));
    let report = decoder.decode(RawValue::parse(&delta).unwrap()).unwrap();
    assert_eq!(report.entries().map(Entry::id).collect::<Vec<_>>(), ["x3999", "x7"]);
    assert_eq!(report.get("x7").unwrap().members().map(|(name, _)| name).collect::<Vec<_>>(), ["c"]);
    let unknown: Vec<_> = (0..8001).map(|_| r#""y":null"#).collect();
    let error = decoder.decode(RawValue::parse(&format!("{{{}}}", unknown.join(","))).unwrap()).unwrap_err();
    assert_eq!(error, ReportError::TooLarge { what: "entries", limit: 4000 });
}

#[test]
fn numbered_entries_that_come_later_stand_in_their_order() {
    let mut decoder = ReportDecoder::new();
    for delta in [r#"{"b":{},"7":{},"3":{}}"#, r#"{"a":{},"5":{},"10":{},"b":{"x":1},"5":{"y":2}}"#] {
        decoder.decode(RawValue::parse(delta).unwrap()).unwrap();
    }
    let report = decoder.report();
    assert_eq!(report.entries().map(Entry::id).collect::<Vec<_>>(), ["3", "5", "7", "10", "b", "a"]);
    assert_eq!(report.get("5").unwrap().member("y").unwrap().text(), "2");
}

#[test]
fn what_a_decoder_counts_is_what_it_holds() {
    let mut decoder = ReportDecoder::new();
    let empty = decoder.bytes();
    let members = |value: &str| (0..5000).map(|n| format!(r#""m{n}":{value}"#)).collect::<Vec<_>>().join(",");
    let delta = |members: &str| format!(r#"{{"0":{{{members}}}}}"#);
    decoder.decode(RawValue::parse(&delta(&members("1.5"))).unwrap()).unwrap();
    let full = decoder.bytes();
    assert!(full > empty + 5000 * (3 + 8 + 16 + 4), "{full}");
    decoder.decode(RawValue::parse(&delta(&members("null"))).unwrap()).unwrap();
    assert!(decoder.bytes() < 1000, "{}", decoder.bytes());
    decoder.decode(RawValue::parse(r#"{"0":null}"#).unwrap()).unwrap();
    assert_eq!(decoder.bytes(), empty);
}

#[test]
fn the_text_of_what_was_replaced_does_not_pile_up() {
    let mut decoder = ReportDecoder::new();
    decoded(&mut decoder, r#"{"0":{"type":2,"17":"track","96":{"none":1,"cpu":0}},"1":{"type":3,"t":4.5},"t":1}"#);
    for number in 2..5_000 {
        decoded(&mut decoder, &format!(r#"{{"0":{{"80":{number},"96":{{"none":{number}}}}},"t":{number}}}"#));
        assert!(decoder.bytes() < GARBAGE.1 + 2_000, "{}", decoder.bytes());
    }
    let mut json = String::new();
    decoder.report().write_json(&mut json);
    let expected = r#"{"0":{"id":"0","timestamp":4999,"type":"outbound-rtp","trackIdentifier":"track","qualityLimitationDurations":{"none":4999,"cpu":0},"bytesSent":4999},"1":{"id":"1","timestamp":4.5,"type":"remote-inbound-rtp"}}"#;
    assert_eq!(json, expected);
}

#[test]
fn a_delta_that_names_a_member_again_and_again_is_no_longer_than_itself() {
    let large = "x".repeat(1_900_000);
    for (between, last) in [(",", "1"), ("},\"0\":{", "1"), ("},\"0\":null,\"0\":{", "1"), (",\"80\":7,", "null")] {
        let mut decoder = ReportDecoder::new();
        decoded(&mut decoder, &format!(r#"{{"0":{{"type":2,"96":{{"k":"{large}"}}}}}}"#));
        let names = vec![r#""96":{"a":1}"#; 8_000].join(between);
        let delta = format!(r#"{{"0":{{{names}{between}"96":{{"a":{last},"b":2}}}}}}"#);
        decoder.decode(RawValue::parse(&delta).unwrap()).unwrap();
        assert!(decoder.longest < 2 * large.len() + 2 * delta.len() + 1_000, "{} bytes", decoder.longest);
        let entry = decoder.report().get("0").unwrap();
        let expected = if last == "null" { r#"{"b":2}"# } else { r#"{"a":1,"b":2}"# };
        assert_eq!(entry.member("qualityLimitationDurations").unwrap().text(), expected);
    }
    let mut decoder = ReportDecoder::new();
    decoded(&mut decoder, r#"{"0":{"96":{"a":1,"k":2}}}"#);
    let report = decoded(&mut decoder, r#"{"0":{"96":{"a":2}},"1":{"96":{"a":3}}}"#);
    assert_eq!(report["0"]["qualityLimitationDurations"], json!({"a": 2, "k": 2}));
}

#[test]
fn a_delta_that_names_an_entry_of_many_members_again_and_again_takes_time_in_proportion_to_its_length() {
    let members: Vec<_> = (0..40_000).map(|name| format!(r#""m{name}":1"#)).collect();
    let mut decoder = ReportDecoder::new();
    decoded(&mut decoder, &format!(r#"{{"0":{{{}}},"1":{{"a":1}}}}"#, members.join(",")));
    // Each time all members is more than a test may take.
    let again: Vec<_> = (0..10_000)
        .map(|number| format!(r#""0":{{"m{number}":null,"m{}":5}},"1":{{"a":null}}"#, number + 500))
        .collect();
    let report = decoded(&mut decoder, &format!("{{{}}}", again.join(",")));
    let count = report["0"].as_object().unwrap().values().filter(|value| **value == json!(5)).count();
    assert_eq!(count, 500);
    let count = |id| decoder.report().get(id).unwrap().members().count();
    assert_eq!((count("0"), count("1")), (30_000, 0));
    decoded(&mut decoder, r#"{"0":{"m39999":null},"0":{"m39998":null},"0":null,"1":{"a":1}}"#);
    assert!(decoder.report().gone().flat_map(Entry::members).all(|(_, value)| !value.text().is_empty()));
    decoded(&mut decoder, r#"{"1":null}"#);
    decoded(&mut decoder, r#"{"t":1}"#);
    assert_eq!((decoder.bytes(), decoder.report().len()), (decoder.report().text.len(), 0));
}

#[test]
fn a_text_too_long_for_its_places_is_refused() {
    let mut decoder = ReportDecoder::with_limits(ReportLimits { bytes: usize::MAX, ..ReportLimits::default() });
    decoder.decode(RawValue::parse(r#"{"0":{"a":1}}"#).unwrap()).unwrap();
    let delta = format!(r#"{{"0":{{"a":"{}"}}}}"#, "x".repeat((1 << 30) / 5));
    let refused = decoder.decode(RawValue::parse(&delta).unwrap()).map(|_| ());
    assert_eq!(refused, Err(ReportError::TooLarge { what: "bytes", limit: 1 << 30 }));
    assert_eq!(decoder.report().get("0").unwrap().member("a").unwrap().text(), "1");
}

#[test]
fn an_entry_that_becomes_of_another_type_is_among_those_that_are_gone_as_it_was() {
    let mut decoder = ReportDecoder::new();
    let long = "x".repeat(10_000);
    decode_text(&mut decoder, &format!(r#"{{"0":{{"80":1,"18":"{long}","type":2}},"1":{{"80":3}}}}"#));
    let gone = |decoder: &ReportDecoder| {
        let entry = |entry: Entry<'_>| format!("{} {}", entry.kind(), entry.member("bytesSent").unwrap().text());
        decoder.report().gone().map(entry).collect::<Vec<_>>()
    };
    let needed = decoder.needed_bytes();
    decode_text(&mut decoder, r#"{"0":{"80":2,"type":2},"1":{"type":5}}"#);
    assert_eq!(gone(&decoder), [""; 0], "no type is another one");
    decode_text(&mut decoder, r#"{"0":{"80":5,"type":14},"1":null}"#);
    assert_eq!(gone(&decoder), ["outbound-rtp 2", "transport 3"]);
    assert!(decoder.needed_bytes() < needed);
    let (needed, held) = (decoder.needed_bytes(), decoder.bytes());
    assert!(held > needed + decoder.report().text.len() - 10_100);
    // Both stay right through compaction.
    for _ in 0..3_000 {
        decode_text(&mut decoder, r#"{"0":{"80":6,"type":1}}"#);
        assert_eq!(gone(&decoder).len(), 1);
        decode_text(&mut decoder, r#"{"0":{"80":5,"type":14}}"#);
        assert_eq!(gone(&decoder), ["inbound-rtp 6"]);
        assert_eq!(decoder.needed_bytes(), needed);
        assert_eq!(decoder.report().get("0").unwrap().member("mid").unwrap().text().len(), 10_002);
    }
    decoder.give_up_garbage();
    assert_eq!((decoder.bytes(), decoder.needed_bytes()), (needed, needed));
}

#[test]
fn a_report_near_the_limit_is_copied_in_proportion_to_what_arrives() {
    let limits = ReportLimits { bytes: 1 << 20, ..ReportLimits::default() };
    for (count, length) in [(1, (1 << 20) - 1_000), (10_000, 10)] {
        let mut decoder = ReportDecoder::with_limits(limits);
        let members: Vec<_> = (0..count).map(|n| format!(r#""m{n}":"{}""#, "x".repeat(length))).collect();
        decode_text(&mut decoder, &format!(r#"{{"0":{{{}}}}}"#, members.join(",")));
        let (mut arrived, mut most) = (decoder.report().text.len(), 0);
        for number in 0..20_000 {
            let delta = format!(r#"{{"0":{{"80":{number},"filler":"{}"}}}}"#, "y".repeat(30));
            arrived += delta.len();
            decode_text(&mut decoder, &delta);
            most = most.max(decoder.bytes());
        }
        assert!(decoder.copied <= 10 * arrived, "{} bytes copied of {arrived}", decoder.copied);
        assert!(most <= limits.bytes + limits.bytes / 8 + 1_000, "{most}");
    }
}

#[test]
fn the_room_for_a_text_is_about_what_is_counted() {
    let mut decoder = ReportDecoder::new();
    decode_text(&mut decoder, &format!(r#"{{"0":{{"x":"{}"}}}}"#, "x".repeat(100_000)));
    for number in 0..5_000 {
        decode_text(&mut decoder, &format!(r#"{{"0":{{"80":{number},"96":{{"none":{number}}}}}}}"#));
        let (length, capacity) = (decoder.report().text.len(), decoder.report().text.capacity());
        assert!(capacity <= length + length / 4 + 2_100, "{capacity} for {length}");
    }
}

#[test]
fn an_entry_differs_when_the_text_of_a_member_does() {
    let mut decoder = ReportDecoder::new();
    let mut differs = |delta: &str| {
        let report = decoder.decode(RawValue::parse(delta).unwrap()).unwrap();
        let seen = report.generation() - 1;
        report.entries().filter(|entry| entry.differs_since(seen)).map(Entry::id).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(differs(r#"{"0":{"type":1,"80":1,"96":{"cpu":1}},"1":{"x":"a"}}"#), "0 1");
    assert_eq!(differs(r#"{"t":1}"#), "");
    assert_eq!(differs(r#"{"0":{"type":1,"80":1,"96":{"cpu":1}},"1":{"x":"a"}}"#), "", "all of it is what it was");
    assert_eq!(differs(r#"{"0":{"80":1},"1":{"x":"b"}}"#), "1");
    assert_eq!(differs(r#"{"0":{"96":{"cpu":2}},"1":{"x":"b","y":null}}"#), "0");
    assert_eq!(differs(r#"{"0":{"timestamp":7},"1":{"x":null}}"#), "1");
    assert_eq!(differs(r#"{"0":{"type":2},"1":{"x":"b"}}"#), "0 1");
    assert_eq!(differs(r#"{"0":null,"1":{"z":1.0}}"#), "1");
    assert_eq!(differs(r#"{"0":{"type":2},"1":{"z":1}}"#), "0 1");
}

#[test]
fn who_has_seen_a_report_is_told_what_has_happened_since() {
    let mut decoder = ReportDecoder::new();
    let mut decode = |delta: &str| {
        let report = decoder.decode(RawValue::parse(delta).unwrap()).unwrap();
        let seen = report.generation() - 1;
        let changed: Vec<_> =
            report.changed_since(seen).map(|(place, entry)| format!("{place}:{}", entry.id())).collect();
        let gone: Vec<_> = report.gone().map(|entry| entry.member("mid").unwrap().text().to_owned()).collect();
        (changed.join(" "), gone.join(" "), report.reshaped() > seen)
    };
    let of = |changed: &str, gone: &str, is_reshaped| (changed.to_owned(), gone.to_owned(), is_reshaped);
    assert_eq!(decode(r#"{"3":{"18":"a","80":1},"5":{"18":"b"}}"#), of("0:3 1:5", "", true));
    assert_eq!(decode(r#"{"5":{"80":2},"t":7}"#), of("1:5", "", false));
    assert_eq!(decode(r#"{"3":null,"5":{"80":3}}"#), of("0:5", "\"a\"", true));
    assert_eq!(decode(r#"{"t":8}"#), of("", "", false));
    assert_eq!(decode(r#"{"5":{"12":"1"}}"#), of("0:5", "", true), "it refers to another codec");
    assert_eq!(decode(r#"{"5":{"type":1}}"#), of("0:5", "", true));
}
