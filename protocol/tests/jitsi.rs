//! Dumps of Jitsi's server, from its own browsers and backends, read as ours. They are not ours to keep: where they do not lie
//! beside the project (or where `JITSI_DUMPS` says), these tests say so and pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeMap, HashMap};

use rtctrace_protocol::dump::DumpReader;
use rtctrace_protocol::event::{SessionDecoder, Value as EventValue};
use serde_json::{Map, Value, json};

#[path = "../../tests/fixtures/jitsi.rs"]
mod fixture;

/// A header, and events: method, connection, value, time.
type Read = (Value, Vec<(String, Option<String>, Value, f64)>);

fn events(text: &str) -> Read {
    let mut reader = DumpReader::open(text.as_bytes()).unwrap();
    let metadata = serde_json::from_str(reader.metadata().text()).unwrap();
    let (mut decoder, mut events) = (SessionDecoder::new(), Vec::new());
    while let Some(line) = reader.next_line() {
        let event = decoder.decode(line.unwrap()).unwrap();
        let value = match &event.value {
            EventValue::Report(report) => {
                let mut text = String::new();
                report.write_json(&mut text);
                serde_json::from_str(&text).unwrap()
            }
            other => serde_json::from_str(&other.to_json()).unwrap(),
        };
        events.push((event.method.into_owned(), event.connection.map(|id| id.into_owned()), value, event.time));
    }
    (metadata, events)
}

/// Jitsi's deltas undone with nothing of ours: entry by entry, the members that ours carry.
#[derive(Default)]
struct Restored(BTreeMap<String, Map<String, Value>>);

impl Restored {
    fn apply(&mut self, payload: &Map<String, Value>) {
        let newest = payload.get("timestamp").cloned().unwrap_or(Value::Null);
        self.0.retain(|id, _| payload.contains_key(id));
        for (id, entry) in payload.iter().filter(|(id, _)| *id != "timestamp") {
            let known = self.0.entry(id.clone()).or_default();
            for (name, value) in entry.as_object().unwrap() {
                let value = if name == "timestamp" && *value == json!(0) { newest.clone() } else { value.clone() };
                known.insert(name.clone(), value);
            }
        }
    }

    /// Numbers of one report, whatever its entries are called.
    fn numbers(&self) -> Vec<String> {
        let entries = self.0.values().filter(|entry| entry.get("type") != Some(&json!("certificate")));
        numbers_of(entries)
    }
}

fn numbers_of<'a>(entries: impl Iterator<Item = &'a Map<String, Value>>) -> Vec<String> {
    let mut all: Vec<String> = entries
        .flat_map(|entry| {
            let kind = entry.get("type").cloned().unwrap_or_default();
            entry.iter().filter_map(move |(name, value)| Some(format!("{kind} {name} {:?}", value.as_f64()?)))
        })
        .collect();
    all.sort();
    all
}

fn assert_browser(name: &str) -> Option<Read> {
    let text = fixture::dump(name)?;
    let (metadata, events) = events(&text);
    let lines: Vec<Value> = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), lines.len());
    let mut restored: HashMap<String, Restored> = HashMap::new();
    for (line, (method, connection, value, time)) in lines.iter().zip(&events) {
        assert_eq!(line[1].as_str(), connection.as_deref());
        if let Some(sent) = line[3].as_f64() {
            assert!((sent - time).abs() < 0.01, "{sent} {time}");
        }
        if line[0] != "getstats" {
            assert_eq!(line[0], **method);
            continue;
        }
        assert_eq!(method, "getStats");
        let report = restored.entry(connection.clone().unwrap()).or_default();
        report.apply(line[2].as_object().unwrap());
        let ours = value.as_object().unwrap().values().map(|entry| entry.as_object().unwrap());
        assert_eq!(numbers_of(ours), report.numbers());
    }
    Some((metadata, events))
}

#[test]
fn a_browsers_dump_is_read_report_by_report() {
    let Some((metadata, events)) = assert_browser("chrome-relay-p2p") else { return };
    assert_eq!(metadata["clientProtocol"], "3.1_STANDARD");
    assert_eq!(metadata["fileFormat"], 3);
    assert!(metadata["userAgent"].as_str().unwrap().contains("Chrome"));
    assert_eq!(events.iter().filter(|(method, ..)| method == "getStats").count(), 20);
    let (_, _, identity, _) = &events[0];
    assert!(identity["hosts"].is_object());
}

#[test]
fn an_older_browsers_dump_has_no_numbers_and_is_read_too() {
    let Some((_, events)) = assert_browser("chrome96-add-transceiver") else { return };
    let tracks = events.iter().find(|(method, ..)| method.ends_with("getUserMediaOnSuccess")).unwrap();
    assert_eq!(tracks.2[0][0], "audio");
    assert_eq!(tracks.2[0][2], "Default - MacBook Pro Microphone (Built-in)");
}

#[test]
fn a_backends_dump_is_read_message_by_message() {
    for name in ["jicofo-sample", "jvb-sample-head"] {
        let Some(text) = fixture::dump(name) else { return };
        let (metadata, events) = events(&text);
        assert_eq!(metadata["fileFormat"], 3);
        assert_eq!(events.len(), text.lines().count());
        for (line, (method, _, value, time)) in text.lines().zip(&events) {
            let message: Value = serde_json::from_str(line).unwrap();
            let data: Value = match &message["data"] {
                Value::String(text) => serde_json::from_str(text).unwrap(),
                data => data.clone(),
            };
            match data {
                Value::Array(entry) => assert_eq!((entry[0].as_str(), &entry[2]), (Some(method.as_str()), value)),
                data => {
                    assert_eq!(message["type"], **method);
                    assert_eq!(&data, value);
                }
            }
            assert!((1.7e12..1.8e12).contains(time), "{time}");
        }
    }
}

#[test]
fn a_backends_lines_have_the_time_that_is_known_first() {
    let text = concat!(
        r#"{"statsSessionId":"a","type":"identity","data":{"confName":"c"}}"#,
        "\n",
        r#"{"statsSessionId":"a","type":"stats-entry","data":"{\"endpoints\":{},\"timestamp\":1707674478175}"}"#
    );
    let (metadata, events) = events(text);
    assert_eq!(metadata["clientProtocol"], "jitsi");
    let (first, second) = (&events[0], &events[1]);
    assert_eq!((&*first.0, &first.2, first.3), ("identity", &json!({"confName": "c"}), 1_707_674_478_175.0));
    assert_eq!((&*second.0, second.3), ("stats-entry", 1_707_674_478_175.0));
}

#[test]
fn a_torn_line_costs_itself() {
    let torn = concat!(
        r#"["connectionInfo",null,"{\"path\":\"/room\",\"userAgent\":\"x\",\"clientProtocol\":\"3.1_STANDARD\"}",1795000000000]"#,
        "\n[\"logs\",null,{},1795000000001]\n[\"logs\",null,{},1795000000002,2]\n[\"logs\",nul"
    );
    let mut reader = DumpReader::open(torn.as_bytes()).unwrap();
    let mut decoder = SessionDecoder::new();
    let (mut good, mut bad) = (0, 0);
    while let Some(line) = reader.next_line() {
        match decoder.decode(line.unwrap()) {
            Ok(_) => good += 1,
            Err(_) => bad += 1,
        }
    }
    assert_eq!(reader.metadata().get("url").unwrap().as_str().unwrap(), "/room");
    assert_eq!((good, bad), (3, 1), "the first number is 2, so a line says that 1 is missing");
}
