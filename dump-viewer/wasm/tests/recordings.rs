//! Whole dumps, opened as the viewer opens them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::io::Write;
use std::path::Path;

use proptest::prelude::*;
use rtctrace_viewer_wasm::{EventFlags, Growing, Opened, Reading, Recording, ReportSearch};
use serde_json::Value;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/recordings").join(name)).unwrap()
}

fn open(bytes: &[u8]) -> (Recording, Value) {
    let recording = Recording::open(bytes).unwrap();
    let overview = serde_json::from_str(&recording.overview()).unwrap();
    (recording, overview)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn entry<'v>(overview: &'v Value, connection: usize, kind: &str, media: &str) -> (usize, &'v Value) {
    let entries = overview["connections"][connection]["entries"].as_array().unwrap();
    entries
        .iter()
        .enumerate()
        .find(|(_, entry)| entry["type"] == kind && entry["texts"]["kind"]["value"] == media)
        .unwrap()
}

#[test]
fn every_line_of_a_recording_is_an_event() {
    for (name, connections) in
        [("loopback-av-60s.jsonl", 2), ("rich-session.jsonl", 3), ("rich-session-bogus-candidate.jsonl", 3)]
    {
        let bytes = fixture(name);
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        let (recording, overview) = open(&bytes);
        assert!(recording.times.len() >= lines - 2, "{name}");
        assert_eq!(overview["skipped"]["count"], 0, "{name}");
        assert_eq!(overview["interrupted"], Value::Null, "{name}");
        assert_eq!(overview["connections"].as_array().unwrap().len(), connections, "{name}");
        assert!(recording.times.windows(2).all(|pair| pair[0] <= pair[1]), "{name}");
    }
}

/// However it is cut: into lines, in the middle of a character, or not at all.
#[test]
fn a_dump_that_grows_comes_to_the_same_as_the_whole() {
    let mut bytes = fixture("rich-session.jsonl");
    bytes.extend_from_slice("[\":note\",null,\"\u{e9}\u{20ac}\",5]\r\n\nno line\n[\":note\",null,7,5]\n".as_bytes());
    let (whole, overview) = open(&bytes);
    let head = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(40).unwrap().0 + 1;
    for size in [7, 1000, 100_000, bytes.len()] {
        let mut growing = Growing::open(&bytes[..head]).unwrap();
        assert_eq!(growing.recording().times.len(), 39);
        for part in bytes[head..].chunks(size) {
            growing.append(part);
        }
        assert_eq!(json(&growing.recording().overview()), overview, "{size}");
        assert_eq!(growing.recording().partner_of, whole.partner_of);
        let last = u32::try_from(whole.times.len() - 1).unwrap();
        let value = json(&growing.recording_mut().value(last).unwrap());
        assert_eq!(
            (&value["value"], &value["line"]),
            (&json("\"7\""), &json(&(bytes.iter().filter(|byte| **byte == b'\n').count()).to_string()))
        );
    }
}

/// However large the parts are, and whatever was looked at between them.
#[test]
fn a_file_that_is_read_in_parts_comes_to_the_same_as_at_once() {
    let bytes = fixture("loopback-av-60s.jsonl");
    let (whole, overview) = open(&bytes);
    for size in [1, 4096, 100_000, usize::MAX] {
        let Opened::Recording(mut reading) = Reading::open(|| bytes.as_slice(), None).unwrap() else {
            panic!("it is one")
        };
        let (mut parts, mut before) = (0, 0);
        while reading.read_on(size) {
            parts += 1;
            let events = reading.recording().times.len();
            assert!(events > before, "{size}");
            before = events;
            if parts % 50 == 2 {
                let part = json(&reading.recording().overview());
                assert_eq!(part["features"], Value::Null);
                assert_eq!(part["end"].as_f64(), reading.recording().times.last().copied(), "{size}");
                assert!(reading.recording_mut().value(u32::try_from(events - 1).unwrap()).is_some());
            }
        }
        assert_eq!(parts > 0, size < bytes.len(), "{size}");
        assert_eq!(json(&reading.recording().overview()), overview, "{size}");
        let growing = reading.whole();
        assert_eq!(growing.recording().times, whole.times);
        assert_eq!(growing.recording().partner_of, whole.partner_of);
    }
}

#[test]
fn a_line_that_has_no_end_takes_no_memory() {
    let mut growing = Growing::open(&b"RTCStatsDump\n{\"fileFormat\":3}\n"[..]).unwrap();
    let part = vec![b'x'; 1 << 20];
    for _ in 0..200 {
        growing.append(&part);
    }
    growing.append(b"\n[\":note\",null,1,5]\n");
    let overview = json(&growing.recording().overview());
    assert_eq!((overview["skipped"]["count"].as_u64(), growing.recording().times.len()), (Some(1), 1));
    assert!(overview["skipped"]["first"][0]["reason"].as_str().unwrap().contains("longer than"));
}

#[test]
fn both_dumps_of_a_chromium_open_as_any_other() {
    for name in ["../internals/webrtc_internals_dump.gz", "../internals/rtcstats_dump.gz"] {
        let (mut recording, overview) = open(&fixture(name));
        assert_eq!((&overview["skipped"]["count"], &overview["interrupted"]), (&json("0"), &Value::Null), "{name}");
        assert_eq!(overview["connections"].as_array().unwrap().len(), 2, "{name}");
        assert!(recording.times.windows(2).all(|pair| pair[0] <= pair[1]), "{name}");
        let events = u32::try_from(recording.times.len()).unwrap();
        assert!((100..200).contains(&events), "{name}");
        assert!((0..events).all(|event| recording.value(event).is_some()), "{name}");
        entry(&overview, 0, "outbound-rtp", "video");
        entry(&overview, 1, "inbound-rtp", "audio");
    }
}

#[test]
fn every_value_can_be_looked_at_in_any_order() {
    let (mut recording, _) = open(&fixture("loopback-av-60s.jsonl"));
    let events = u32::try_from(recording.times.len()).unwrap();
    let forwards: Vec<_> = (0..events).map(|event| recording.value(event).unwrap()).collect();
    let backwards: Vec<_> = (0..events).rev().map(|event| recording.value(event).unwrap()).collect();
    assert!(forwards.iter().eq(backwards.iter().rev()));
    assert!(recording.value(events).is_none());
}

#[test]
fn descriptions_and_reports_are_complete() {
    let (mut recording, overview) = open(&fixture("rich-session.jsonl"));
    let methods: Vec<_> = overview["methods"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let mut descriptions = 0;
    let mut reports = 0;
    for event in 0..recording.times.len() {
        let value = json(&recording.value(u32::try_from(event).unwrap()).unwrap());
        let method = methods[recording.method_of[event] as usize];
        match value["kind"].as_str().unwrap() {
            "description" => {
                let sdp = value["sdp"].as_str().unwrap();
                assert!(sdp.starts_with("v=0\r\n") || method == "setRemoteDescription", "{method}: {sdp}");
                descriptions += 1;
            }
            "report" => {
                let report = json(value["value"].as_str().unwrap());
                assert!(report.as_object().unwrap().values().all(|entry| entry["type"].is_string()));
                reports += 1;
            }
            _ => assert_ne!(method, "getStats"),
        }
    }
    assert!(descriptions > 20);
    assert_eq!(reports, 52);
}

#[test]
fn a_bit_rate_is_drawn_from_reports() {
    let (recording, overview) = open(&fixture("loopback-av-60s.jsonl"));
    let (index, inbound) = entry(&overview, 0, "inbound-rtp", "video");
    assert_eq!(inbound["points"].as_u64().unwrap() as usize, recording.points(0, index).unwrap().len());
    let rates = recording.series(0, index, "[bytesReceived_in_bits/s]").unwrap();
    let good: Vec<_> = rates.iter().copied().filter(|rate| !rate.is_nan()).collect();
    assert!(good.len() > 50);
    assert!(good.iter().all(|rate| (0.0..10_000_000.0).contains(rate)), "{good:?}");
    let bytes = recording.series(0, index, "bytesReceived").unwrap();
    assert!(bytes.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!(recording.series(0, index, "no such series").is_none());
    assert!(recording.series(7, index, "bytesReceived").is_none());
}

#[test]
fn the_overview_tells_what_moves() {
    let (_, overview) = open(&fixture("loopback-av-60s.jsonl"));
    let (_, inbound) = entry(&overview, 0, "inbound-rtp", "video");
    let series = |name: &str| {
        inbound["series"].as_array().unwrap().iter().find(|series| series["name"] == name).unwrap_or(&Value::Null)
    };
    assert_eq!(series("bytesReceived")["constant"], false);
    assert_eq!(series("bytesReceived")["kind"], "counter");
    assert_eq!(series("bytesReceived")["unit"], "bytes");
    assert_eq!(series("ssrc")["constant"], true);
    assert_eq!(series("[framesDecoded/s]")["kind"], "derived");
    assert_eq!(series("[framesDecoded/s]")["unit"], "frames/s");
    let states = &overview["connections"][0]["states"];
    assert_eq!(states["connection"][0][1], "new");
    assert_eq!(states["connection"].as_array().unwrap().last().unwrap()[1], "closed");
    assert_eq!(overview["features"]["connections"][0]["id"], "PC_0");
}

#[test]
fn failures_are_flagged_and_counted() {
    let (recording, overview) = open(&fixture("rich-session.jsonl"));
    let failures = recording.flags.iter().filter(|flags| **flags & EventFlags::FAILURE != 0).count();
    assert_eq!(failures, 3);
    let counted: u64 = overview["connections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|connection| connection["failures"].as_u64().unwrap())
        .sum();
    assert_eq!(counted, 2, "the third is one of getUserMedia");
}

#[test]
fn calls_know_their_outcomes_and_outcomes_their_calls() {
    let (recording, overview) = open(&fixture("rich-session.jsonl"));
    let methods = overview["methods"].as_array().unwrap();
    let method = |event: usize| methods[recording.method_of[event] as usize].as_str().unwrap();
    let mut outcomes = 0;
    for (event, partner) in recording.partner_of.iter().enumerate() {
        let is_outcome = method(event).ends_with("OnSuccess") || method(event).ends_with("OnFailure");
        let Ok(partner) = usize::try_from(*partner) else {
            assert!(!is_outcome, "{}", method(event));
            continue;
        };
        assert_eq!(recording.partner_of[partner], i32::try_from(event).unwrap());
        assert_eq!(recording.connection_of[partner], recording.connection_of[event]);
        if is_outcome {
            outcomes += 1;
            assert!(partner < event);
            assert!(method(event).starts_with(method(partner)));
        }
    }
    assert_eq!(outcomes, 42);
}

#[test]
fn outcomes_find_their_calls_by_tracking_id_and_else_in_order() {
    let lines = [
        r#"["addIceCandidate","PC_0",null,"8-0",1]"#,
        r#"["addIceCandidate","PC_0",null,"8-1",1]"#,
        r#"["addIceCandidate","PC_1",null,"8-2",1]"#,
        r#"["addIceCandidateOnSuccess","PC_0",null,"8-1",1]"#,
        r#"["addIceCandidateOnFailure","PC_0","OperationError","8-0",1]"#,
        r#"["addIceCandidateOnSuccess","PC_0",null,"8-2",1]"#,
        r#"["addTrack","PC_0",["audio","a"],1]"#,
        r#"["addTrack","PC_0",["video","v"],1]"#,
        r#"["addTrackOnSuccess","PC_0",null,"ra",1]"#,
        r#"["createOfferOnSuccess","PC_0",null,"2-0",1]"#,
    ];
    let (recording, _) = open(format!("RTCStatsDump\n{{\"fileFormat\":3}}\n{}\n", lines.join("\n")).as_bytes());
    assert_eq!(recording.partner_of, [4, 3, -1, 1, 0, -1, 8, -1, 6, -1]);
}

#[test]
fn search_finds_names_values_and_complete_descriptions() {
    let (recording, overview) = open(&fixture("rich-session.jsonl"));
    let methods: Vec<_> = overview["methods"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let found = |text: &str| -> Vec<&str> {
        let mut names: Vec<_> =
            recording.search(text).iter().map(|event| methods[recording.method_of[*event as usize] as usize]).collect();
        names.dedup();
        names
    };
    assert_eq!(found("overconstrained"), ["navigator.mediaDevices.getUserMediaOnFailure"]);
    assert_eq!(found(":note"), [":note"]);
    assert!(found("a=rtpmap:111 OPUS").contains(&"createOfferOnSuccess"));
    assert_eq!(found("getstats"), ["getStats"]);
    assert!(found("no such text").is_empty());
    assert_eq!(recording.search("").len(), recording.times.len());
}

/// The reports that a search finds, in steps of so many, each with its place.
fn reports_with(recording: &Recording, text: &str, at_once: usize) -> Vec<(u32, String)> {
    let (mut search, mut found) = (ReportSearch::new(text), Vec::new());
    loop {
        let step = search.step(recording, at_once);
        found.extend(step[1..].chunks(2).map(|pair| (pair[0], search.places(pair[1] as usize)[0].clone())));
        if step[0] as usize == recording.times.len() {
            return found;
        }
    }
}

/// The same as looking at each of them, but for times.
#[test]
fn search_finds_what_reports_hold() {
    for name in ["loopback-av-60s.jsonl", "rich-session.jsonl"] {
        let (mut recording, overview) = open(&fixture(name));
        let get_stats = overview["methods"].as_array().unwrap().iter().position(|method| method == "getStats").unwrap();
        let events = 0..u32::try_from(recording.times.len()).unwrap();
        let methods = recording.method_of.clone();
        let reports: Vec<_> = events
            .filter(|event| methods[*event as usize] as usize == get_stats)
            .map(|event| {
                let value = json(&recording.value(event).unwrap());
                let mut report: serde_json::Map<String, Value> =
                    serde_json::from_str(value["value"].as_str().unwrap()).unwrap();
                for entry in report.values_mut() {
                    entry.as_object_mut().unwrap().remove("timestamp");
                }
                (event, Value::from(report).to_string().to_lowercase())
            })
            .collect();
        let some = &reports[reports.len() / 2].1;
        let bytes = &some[some.find("\"bytesreceived\"").unwrap()..];
        let bytes = &bytes[..bytes.find(',').unwrap()];
        for text in ["no such text", "freezeCount", "transport", bytes, "IN-PROGRESS", "getStats"] {
            let wanted: Vec<_> = reports
                .iter()
                .filter(|(_, json)| json.contains(&text.to_lowercase()))
                .map(|(event, _)| *event)
                .collect();
            for at_once in [1, 7, 1000] {
                let found: Vec<_> =
                    reports_with(&recording, text, at_once).into_iter().map(|(event, _)| event).collect();
                assert_eq!(found, wanted, "{name} {text} {at_once}");
            }
        }
        let places = reports_with(&recording, bytes, 5);
        assert!(!places.is_empty() && places.len() < reports.len(), "{name}: {}", places.len());
        assert!(places.iter().all(|(_, place)| place.ends_with(" · bytesReceived")), "{name}: {places:?}");
    }
}

#[test]
fn a_search_goes_on_with_what_has_come() {
    let bytes = fixture("rich-session.jsonl");
    let whole = reports_with(&open(&bytes).0, "frameHeight", 1000);
    let head = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(150).unwrap().0 + 1;
    let mut growing = Growing::open(&bytes[..head]).unwrap();
    let mut search = ReportSearch::new("frameHeight");
    let mut found = search.step(growing.recording(), 1000)[1..].to_vec();
    assert!(found.len() < 2 * whole.len());
    growing.append(&bytes[head..]);
    found.extend_from_slice(&search.step(growing.recording(), 1000)[1..]);
    assert_eq!(
        found.chunks(2).map(|pair| pair[0]).collect::<Vec<_>>(),
        whole.iter().map(|(event, _)| *event).collect::<Vec<_>>()
    );
}

#[test]
fn previews_say_what_an_event_is_about() {
    let (recording, overview) = open(&fixture("rich-session.jsonl"));
    let events: Vec<_> = (0..u32::try_from(recording.times.len()).unwrap()).collect();
    let previews = recording.previews(&events);
    let methods = overview["methods"].as_array().unwrap();
    let of = |method: &str| {
        let event = recording.method_of.iter().position(|index| methods[*index as usize] == method).unwrap();
        previews[event].as_str()
    };
    assert_eq!(of("navigator.mediaDevices.getUserMediaOnFailure"), "OverconstrainedError · 60-0");
    assert_eq!(of("onsignalingstatechange"), "have-local-offer");
    assert!(
        of("createOfferOnSuccess").starts_with("offer: audio, video, application ("),
        "{}",
        of("createOfferOnSuccess")
    );
    assert!(of("getStats").contains(" entries"), "{}", of("getStats"));
    assert!(of("onicecandidate").starts_with("candidate:"), "{}", of("onicecandidate"));
}

#[test]
fn a_bad_line_is_named_and_costs_that_line_only() {
    let text = String::from_utf8(fixture("rich-session.jsonl")).unwrap();
    let whole = open(text.as_bytes()).0.times.len();
    let mut lines: Vec<_> = text.lines().collect();
    lines.insert(9, "{\"this\":\"is no line\"}");
    lines.insert(20, "[not json");
    let (recording, overview) = open(lines.join("\n").as_bytes());
    assert_eq!(recording.times.len(), whole);
    assert_eq!(overview["skipped"]["count"], 2);
    assert_eq!(overview["skipped"]["first"][0]["line"], 10);
    assert_eq!(overview["skipped"]["first"][1]["line"], 21);
}

#[test]
fn a_truncated_dump_is_shown_as_far_as_it_goes() {
    let bytes = fixture("rich-session.jsonl");
    let (recording, overview) = open(&bytes[..bytes.len() / 2]);
    assert!(recording.times.len() > 20);
    assert_eq!(overview["skipped"]["count"], 0);
    let lines = bytes[..bytes.len() / 2].split(|byte| *byte == b'\n').count();
    assert_eq!(overview["interrupted"]["line"], lines - 1);

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&bytes).unwrap();
    let compressed = encoder.finish().unwrap();
    let (recording, overview) = open(&compressed[..compressed.len() / 2]);
    assert!(recording.times.len() > 20);
    assert!(overview["interrupted"]["line"].as_u64().unwrap() > 20);
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_last_line_that_is_whole_and_bad_is_skipped_like_any_other() {
    let whole = fixture("rich-session.jsonl");
    let count = whole.split(|byte| *byte == b'\n').count() as u64;
    let deep = "[".repeat(200);
    for (last, reason) in
        [("[1,\n", "not JSON"), (deep.as_str(), "deeper"), ("[1,2,3,4]", "connection"), ("{}", "array")]
    {
        let is_whole = last.len() != deep.len();
        let (_, overview) = open(&[&whole, last.as_bytes()].concat());
        assert_eq!(overview["interrupted"].is_null(), is_whole, "{last}");
        let told = if is_whole { &overview["skipped"]["first"][0] } else { &overview["interrupted"] };
        assert!(told["reason"].as_str().unwrap().contains(reason), "{told}");
        assert_eq!(told["line"], count - u64::from(!is_whole), "{last}");
        assert_eq!(overview["skipped"]["count"], u32::from(is_whole));
    }
}

#[test]
fn zeros_behind_a_packed_dump_are_no_damage() {
    let (_, overview) = open(&[packed(&fixture("rich-session.jsonl")), vec![0; 512]].concat());
    assert!(overview["interrupted"].is_null() && overview["skipped"]["count"] == 0, "{}", overview["interrupted"]);
}

#[test]
fn of_two_dumps_in_one_file_the_first_is_shown() {
    let whole = fixture("rich-session.jsonl");
    let count = whole.split(|byte| *byte == b'\n').count() as u64;
    let (recording, overview) = open(&[whole.clone(), whole.clone()].concat());
    assert_eq!(overview["secondDump"], count);
    assert!(overview["interrupted"].is_null() && overview["skipped"]["count"] == 0);
    assert_eq!(recording.times.len(), open(&whole).0.times.len());
}

/// Of each: what is told, at which line, and how many events there are nevertheless.
#[test]
fn damaged_files_say_what_is_wrong_and_where_and_show_the_rest() {
    let whole = fixture("rich-session.jsonl");
    let lines: Vec<&[u8]> = whole.split(|byte| *byte == b'\n').collect();
    let all = open(&whole).0.times.len();
    let with = |place: usize, line: &[u8]| {
        let mut lines = lines.clone();
        lines.insert(place - 1, line);
        lines.join(&b'\n')
    };
    let huge = vec![b'x'; (16 << 20) + 1];
    let first = |count: usize| lines[..count].join(&b'\n');
    let mut marked = b"\xef\xbb\xbf".to_vec();
    marked.extend(&whole);
    let mut wrong_sum = packed(&whole);
    let at = wrong_sum.len() - 8;
    wrong_sum[at] ^= 1;
    let table: [(&str, Vec<u8>, &str, u64, usize); 9] = [
        ("cut in a line", first(30)[..first(30).len() - 9].to_vec(), "the file ends within line 30: ", 29, 27),
        ("binary in the middle", with(20, b"\0\x01\xff\xfe"), "not UTF-8", 20, all),
        ("Latin-1 in the middle", with(20, b"[\"create\",null,\"caf\xe9\",1]"), "not UTF-8", 20, all),
        ("a huge line", with(20, &huge), "longer than 16777216 bytes", 20, all),
        ("no JSON", with(20, b"[1,"), "not JSON at byte 3", 20, all),
        ("a byte order mark", marked, "", 0, all),
        ("packed and cut", packed(&first(200))[..packed(&first(200)).len() - 20].to_vec(), "truncated", 0, 100),
        (
            "packed, with another sum",
            wrong_sum,
            "what was unpacked is not what was packed",
            lines.len() as u64 - 1,
            all,
        ),
        (
            "packed, with more behind",
            [packed(&whole), b"more".to_vec()].concat(),
            "truncated",
            lines.len() as u64 - 1,
            all,
        ),
    ];
    for (name, bytes, reason, line, events) in table {
        let (mut recording, overview) = open(&bytes);
        let told = match overview["interrupted"].is_null() {
            true => overview["skipped"]["first"][0].clone(),
            false => overview["interrupted"].clone(),
        };
        if reason.is_empty() {
            assert!(told.is_null(), "{name}: {told}");
        } else {
            assert!(told["reason"].as_str().unwrap_or_default().contains(reason), "{name}: {told}");
            assert!(line == 0 || told["line"] == line, "{name}: {told}");
        }
        assert!(
            if line == 0 && events < all { recording.times.len() > events } else { recording.times.len() == events },
            "{name}: {}",
            recording.times.len()
        );
        look_at_all(&mut recording);
    }
}

#[test]
fn a_file_that_is_no_dump_says_so() {
    for (bytes, reason) in [
        (&b""[..], "empty"),
        (b"\x1f\x8b\x08\0", "truncated"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"PK\x03\x04", "has to be unpacked"),
        (b"\xff\xfeR\0T\0C\0", "UTF-16"),
        (b"\0\0\x01\xba", "binary"),
        (b"{\"a\":1}\n", "but it begins with"),
        (b"RTCStatsDump\n{\"a\"\n", "second line"),
    ] {
        let error = Recording::open(bytes).unwrap_err();
        assert!(error.0.contains(reason), "{}", error.0);
    }
}

/// Everything the viewer may ask for.
fn look_at_all(recording: &mut Recording) {
    let overview = json(&recording.overview());
    let events = u32::try_from(recording.times.len()).unwrap();
    assert_eq!(recording.previews(&(0..=events).collect::<Vec<_>>()).len(), recording.times.len() + 1);
    assert!(recording.search("a=").len() <= recording.times.len());
    assert!(reports_with(recording, "a", 3).len() <= recording.times.len());
    for event in (0..=events).rev().step_by(7) {
        assert_eq!(recording.value(event).is_some(), event < events);
    }
    for (index, connection) in overview["connections"].as_array().unwrap().iter().enumerate() {
        for (entry, about) in connection["entries"].as_array().unwrap().iter().enumerate() {
            let points = recording.points(index, entry).unwrap().len();
            for series in about["series"].as_array().unwrap() {
                assert_eq!(recording.series(index, entry, series["name"].as_str().unwrap()).unwrap().len(), points);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_dump_never_takes_the_reader_down(damage in prop::collection::vec((0.0..1.0f64, any::<u8>()), 1..60), cut in 0.2..1.0f64) {
        let mut bytes = fixture("rich-session.jsonl");
        bytes.truncate((bytes.len() as f64 * cut) as usize);
        // The header stays, or there is nothing to see.
        let header = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0;
        for (place, byte) in damage {
            let at = header + 1 + ((bytes.len() - header - 2) as f64 * place) as usize;
            bytes[at] = byte;
        }
        look_at_all(&mut Recording::open(bytes.as_slice()).unwrap());
    }
}

/// As in Firefox.
#[test]
fn the_pair_in_use_has_a_lane_where_no_transport_names_it() {
    let lines = [
        r#"["getStats","PC_0",{"P":{"type":"candidate-pair","selected":false},"Q":{"type":"candidate-pair","selected":false}},1000]"#,
        r#"["getStats","PC_0",{"P":{"selected":true}},1000]"#,
        r#"["getStats","PC_0",{"P":{"bytesSent":5}},1000]"#,
        r#"["getStats","PC_0",{"P":{"selected":false},"Q":{"selected":true}},1000]"#,
        r#"["getStats","PC_0",{"Q":null},1000]"#,
    ];
    let (_, overview) = open(format!("RTCStatsDump\n{{\"fileFormat\":3}}\n{}\n", lines.join("\n")).as_bytes());
    let expected =
        r#"[{"entry":null,"member":"selectedCandidatePairId","changes":[[2000.0,"P"],[4000.0,"Q"],[5000.0,""]]}]"#;
    assert_eq!(overview["connections"][0]["lanes"], json(expected));
}

#[test]
fn a_rate_after_a_sleep_is_none() {
    let sent = |time: u32, bytes: u32| {
        format!(r#"["getStats","PC_0",{{"T":{{"type":"transport","timestamp":{time},"bytesSent":{bytes}}}}},1000]"#)
    };
    let lines = [
        sent(1000, 0),
        sent(2000, 1000),
        r#"[":rtctrace.suspended",null,{"duration":800},900]"#.to_owned(),
        sent(3000, 1100),
        sent(4000, 2100),
    ];
    let (recording, _) = open(format!("RTCStatsDump\n{{\"fileFormat\":3}}\n{}\n", lines.join("\n")).as_bytes());
    assert_eq!(recording.breaks(0, 0), Some(vec![2]));
    let rates = recording.series(0, 0, "[bytesSent_in_bits/s]").unwrap();
    assert_eq!(format!("{rates:?}"), "[NaN, 8000.0, NaN, 8000.0]");
}
