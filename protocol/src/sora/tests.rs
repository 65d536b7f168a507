use super::*;
use crate::json::RawValue;
use crate::report::{ReportDecoder, ReportEncoder};

const ENVELOPE: &str = r#""type":"connection.rtc","id":"2Q9VRZK4M54X3B1T0PDN6JYC7W","timestamp":"2026-11-29T20:15:04.000125Z",
    "label":"rooms","version":"2025.2.1","node_name":"sora@10.0.0.1","role":"sendonly","channel_id":"standup","client_id":"ann",
    "session_id":"7N8FP3M0ZH2ASBCDPHRGS2HYB8","connection_id":"JXW8K4FG6H7TZ2F63T38ZHSJQG","simulcast":true,"spotlight":false"#;

const STATS: &str = r#"[
    {"id":"OT01V1","timestamp":1.79600850400012504883e+12,"type":"outbound-rtp","kind":"video","ssrc":1,"packetsSent":10,
     "qualityLimitationDurations":{"none":1.28000000000000002665e-01,"cpu":0}},
    {"id":"CP1","timestamp":1.79600850400012504883e+12,"type":"candidate-pair","priority":9115005270282338814}]"#;

fn body(envelope: &str, stats: &str) -> String {
    format!("{{{envelope},\"stats\":{stats}}}")
}

#[test]
fn a_push_is_read_with_all_that_its_envelope_says() {
    let text = body(&format!("{ENVELOPE},\"bundle_id\":\"both\",\"group_id\":\"g\",\"log_written\":false"), STATS);
    let push = Push::read(text.as_bytes()).unwrap();
    assert_eq!(push.subject, Subject::Client);
    assert_eq!((&*push.sender.kind, &*push.sender.version), ("connection.rtc", "2025.2.1"));
    assert_eq!(push.sender.timestamp, 1_795_983_304_000_125);
    let connection = push.connection.clone().unwrap();
    assert_eq!((&*connection.channel_id, &*connection.client_id), ("standup", "ann"));
    assert_eq!((connection.role, connection.multistream), (Role::SendOnly, None));
    assert_eq!((connection.simulcast, connection.spotlight), (true, false));
    assert_eq!(connection.bundle_id.as_deref(), Some("both"));
    let others: Vec<_> = push.others().map(|(name, value)| (name, value.text())).collect();
    assert_eq!(others, [("group_id".into(), "\"g\""), ("log_written".into(), "false")]);
}

#[test]
fn the_exporter_of_older_versions_says_the_same_under_another_name() {
    let envelope = ENVELOPE.replace("connection.rtc", "connection.user-agent");
    let text = body(&format!("{envelope},\"multistream\":true"), "[]");
    let push = Push::read(text.as_bytes()).unwrap();
    assert_eq!((push.subject, push.connection.unwrap().multistream), (Subject::Client, Some(true)));
}

#[test]
fn numbers_of_a_report_survive_its_encoding_exactly() {
    let text = body(ENVELOPE, STATS);
    let push = Push::read(text.as_bytes()).unwrap();
    let mut report = String::new();
    push.write_report(&mut report);
    let (mut encoder, mut decoder) = (ReportEncoder::new(), ReportDecoder::default());
    let mut delta = String::new();
    encoder.encode(&report, &mut delta).unwrap();
    let decoded = decoder.decode(RawValue::parse(&delta).unwrap()).unwrap();
    let entry = |kind: &str| decoded.entries().find(|entry| entry.kind() == kind).unwrap();
    assert_eq!(entry("candidate-pair").member("priority").unwrap().text(), "9115005270282338814");
    assert_eq!(Some(entry("outbound-rtp").timestamp()), "1.79600850400012504883e+12".parse().ok());
    let durations = entry("outbound-rtp").member("qualityLimitationDurations").unwrap();
    assert_eq!(durations.get("none").unwrap().as_f64(), Some(0.128));
}

#[test]
fn times_of_native_clients_are_in_microseconds() {
    let entry = r#"{"id":"P","timestamp":1640225763760085,"type":"peer-connection","dataChannelsOpened":1}"#;
    let text = body(ENVELOPE, &format!("[{entry}]"));
    let mut report = String::new();
    Push::read(text.as_bytes()).unwrap().write_report(&mut report);
    assert_eq!(report, format!("{{\"P\":{}}}", entry.replace("760085", "760.085")));
}

#[test]
fn what_only_an_obsolete_member_says_the_one_of_today_says() {
    let report = |entry: &str| {
        let text = body(ENVELOPE, &format!("[{entry}]"));
        let mut report = String::new();
        Push::read(text.as_bytes()).unwrap().write_report(&mut report);
        report
    };
    let old = r#"{"id":"A","timestamp":1640225763760085,"type":"inbound-rtp","kind":null,"ip":"192.0.2.7","mediaType":"video"}"#;
    let today =
        r#"{"A":{"id":"A","timestamp":1640225763760.085,"type":"inbound-rtp","address":"192.0.2.7","kind":"video"}}"#;
    assert_eq!(report(old), today);
    let both = r#"{"id":"A","timestamp":1,"type":"x","ip":"192.0.2.7","address":"192.0.2.8","mediaType":"video","kind":"audio"}"#;
    assert_eq!(report(both), format!("{{\"A\":{both}}}"));
}

#[test]
fn what_is_wrong_with_a_push_is_named() {
    let good = body(ENVELOPE, STATS);
    let cases: &[(&str, &str, &str)] = &[
        ("\"type\":\"connection.rtc\",", "", "type is missing"),
        (
            "connection.rtc",
            "connection.xyz",
            "type is not connection.user-agent, connection.rtc, connection.sora or node.erlang-vm",
        ),
        ("\"id\":\"2Q9VRZK4M54X3B1T0PDN6JYC7W\"", "\"id\":7", "id is not a string of at most 255 bytes"),
        ("2026-11-29T20:15:04.000125Z", "yesterday", "timestamp is not a time of RFC 3339"),
        ("\"2026-11-29T20:15:04.000125Z\"", "1", "timestamp is not a time of RFC 3339"),
        ("\"label\":\"rooms\"", "\"label\":null", "label is missing"),
        ("\"2025.2.1\"", "2025.2", "version is not a string of at most 255 bytes"),
        ("sora@10.0.0.1", "", "node_name is not a string with something in it"),
        ("\"role\":\"sendonly\"", "\"role\":\"upstream\"", "role is not sendrecv, sendonly or recvonly"),
        ("\"simulcast\":true", "\"simulcast\":\"true\"", "simulcast is not true or false"),
        (",\"spotlight\":false", "", "spotlight is missing"),
        ("\"channel_id\":\"standup\",", "", "channel_id is missing"),
        ("\"standup\"", "\"a\\u0000b\"", "channel_id is not a string of at most 255 bytes"),
        (
            "JXW8K4FG6H7TZ2F63T38ZHSJQG",
            "JXW8K4FG6H7TZ2F63T38ZHSJQ",
            "connection_id is not an id of 26 characters of base32",
        ),
        (
            "7N8FP3M0ZH2ASBCDPHRGS2HYB8",
            "7n8fp3m0zh2asbcdphrgs2hyb8",
            "session_id is not an id of 26 characters of base32",
        ),
        (STATS, "{}", "stats is not an array"),
        (STATS, "null", "stats is missing"),
        (STATS, "[[]]", "stats[0] is not an object"),
        ("\"id\":\"CP1\",", "", "stats[1].id is missing"),
        ("\"id\":\"CP1\"", "\"id\":\"OT01V1\"", "stats[1].id is another entry's, too"),
        ("\"id\":\"CP1\"", "\"id\":\"\\u004fT01V1\"", "stats[1].id is another entry's, too"),
        ("\"ssrc\":1", "\"ssrc\":1,\"\\u0073src\":2", "stats[0].ssrc is not there once"),
        ("\"ssrc\":1", "\"ssrc\":1,\"a\":[1,{\"b\":{\"c\":1,\"c\":2}}]", "stats[0].a[1].b.c is not there once"),
        ("\"role\":", "\"label\":\"rooms\",\"role\":", "label is not there once"),
        ("\"role\":", "\"new\":1,\"new\":1,\"role\":", "new is not there once"),
        ("\"role\":", "\"stats\":[],\"role\":", "stats is not there once"),
        ("\"type\":\"candidate-pair\"", "\"type\":1", "stats[1].type is not a string of at most 255 bytes"),
        (
            "\"id\":\"OT01V1\",\"timestamp\":1.79600850400012504883e+12",
            "\"id\":\"OT01V1\",\"timestamp\":\"1\"",
            "stats[0].timestamp is not a time in ms since 1970",
        ),
        ("\"ssrc\":1", "\"ssrc\":NaN", "the body is not JSON at byte 600: unexpected character"),
    ];
    Push::read(good.as_bytes()).unwrap();
    for (from, to, message) in cases {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        let error = Push::read(bad.as_bytes()).expect_err(message);
        let (said, wanted) = (error.to_string(), message.split(" at byte").next().unwrap());
        assert!(said.starts_with(wanted), "{said} instead of {message}");
        match error {
            BadBody::Json(_) => assert_eq!(error.field(), None),
            _ => assert_eq!(error.field().as_deref(), message.split(' ').next()),
        }
    }
    for length in 0..good.len() {
        assert!(Push::read(&good.as_bytes()[..length]).is_err(), "cut at {length}");
    }
    let long = good.replacen("standup", &"x".repeat(256), 1);
    assert_eq!(Push::read(long.as_bytes()).unwrap_err().field().as_deref(), Some("channel_id"));
    let deep = body(ENVELOPE, &format!("{}{}", "[".repeat(200), "]".repeat(200)));
    assert!(Push::read(deep.as_bytes()).unwrap_err().to_string().contains("nested deeper"));
    assert_eq!(Push::read(b"{\"type\":\"\xff\"}").unwrap_err(), BadBody::NotUtf8(9));
    assert_eq!(Push::read(b"[]").unwrap_err(), BadBody::NotAnObject);
}

#[test]
fn what_sora_counts_itself_needs_no_ids() {
    let node =
        r#""type":"node.erlang-vm","timestamp":"2026-11-29T20:15:04Z","label":"l","version":"v","node_name":"n""#;
    let text = body(node, r#"[{"type":"erlang-vm-memory","total":1},{"type":"erlang-vm-memory"}]"#);
    let push = Push::read(text.as_bytes()).unwrap();
    assert_eq!((push.subject, push.connection, push.stats.len()), (Subject::Node, None, 2));
    let counters = body(&ENVELOPE.replace("connection.rtc", "connection.sora"), r#"{"rtp":{"sent":1}}"#);
    let push = Push::read(counters.as_bytes()).unwrap();
    assert_eq!((push.subject, push.stats.len()), (Subject::Connection, 1));
    let many: String = (0..100).map(|number| format!("\"m{number}\":1,")).collect();
    for (stats, field) in [
        (r#"{"rtp":{"sent":1},"rtp":{}}"#.to_owned(), "stats[0].rtp"),
        (r#"[{},{"rtp":{"sent":1,"x":{},"sent":1}}]"#.to_owned(), "stats[1].rtp.sent"),
        (format!("[{{{many}\"m7\":1}}]"), "stats[0].m7"),
        (format!("[{{{many}\"m99\":1}}]"), "stats[0].m99"),
    ] {
        let counters = body(&ENVELOPE.replace("connection.rtc", "connection.sora"), &stats);
        let error = Push::read(counters.as_bytes()).unwrap_err();
        assert_eq!(error.field().as_deref(), Some(field), "{error}");
    }
    let deep = (0..100).fold("1".to_owned(), |inner, _| format!("{{\"a\":{inner},\"b\":1}}"));
    let counters = body(&ENVELOPE.replace("connection.rtc", "connection.sora"), &deep);
    assert!(Push::read(counters.as_bytes()).is_ok());
}

const SENDER: &str = r#""id":"2Q9VRZK4M54X3B1T0PDN6JYC7W","timestamp":"2026-11-29T20:15:04.000125Z","label":"rooms","version":"2025.2.1",
    "node_name":"n","session_id":"7N8FP3M0ZH2ASBCDPHRGS2HYB8","channel_id":"standup""#;

#[test]
fn a_notice_tells_what_is_over() {
    let of = |kind: &str, more: &str| format!("{{\"type\":\"{kind}\",{SENDER}{more}}}");
    let connection = ",\"connection_id\":\"JXW8K4FG6H7TZ2F63T38ZHSJQG\"";
    for (text, ended) in [
        (of("session.created", ""), Ended::No),
        (of("session.destroyed", ""), Ended::Session),
        (of("connection.created", connection), Ended::No),
        (of("connection.destroyed", connection), Ended::Connection),
        (of("connection.failed", connection), Ended::Connection),
        (of("archive.finished", ""), Ended::No),
    ] {
        let notice = Notice::read(text.as_bytes()).unwrap();
        assert_eq!(notice.ended, ended, "{text}");
        assert_eq!(notice.connection_id.is_some(), text.contains("connection_id"));
    }
    let twice = format!("{connection}{connection}");
    for (more, field) in [
        ("", "connection_id"),
        (&*twice, "connection_id"),
        (&*format!("{connection},\"data\":1,\"data\":2"), "data"),
        (&*format!("{connection},\"connections\":[{{\"role\":1,\"role\":1}}]"), "connections[0].role"),
    ] {
        let error = Notice::read(of("connection.destroyed", more).as_bytes()).unwrap_err();
        assert_eq!(error.field().as_deref(), Some(field), "{error}");
    }
}

#[test]
fn a_notice_tells_how_long_its_connection_was_there() {
    let of = |kind: &str, member: &str| {
        let text = format!("{{\"type\":\"{kind}\"{member}}}");
        Lived::of(RawValue::parse(&text).unwrap())
    };
    let with = |time: &str| format!(",\"connection\":{{\"connection_destroyed_timestamp\":{time}}}");
    let (running, over) = (with("null"), with("\"2026-11-29T20:15:04.000125Z\""));
    assert_eq!(of("connection.created", ""), Lived::Then);
    assert_eq!(of("connection.destroyed", ""), Lived::UntilThen);
    assert_eq!(of("connection.failed", ""), Lived::UntilThen);
    assert_eq!((of("session.created", ""), of("session.updated", "")), (Lived::Untold, Lived::Untold));
    assert_eq!((of("session.updated", &running), of("session.destroyed", &running)), (Lived::Then, Lived::NotBeyond));
    for kind in ["session.updated", "session.destroyed"] {
        assert_eq!(of(kind, &over), Lived::Until(1_795_983_304_000_125));
    }
    assert_eq!(of("session.destroyed", ""), Lived::NotBeyond);
}

#[test]
fn a_logged_notice_lists_the_connections_of_its_session() {
    let connections = r#"[{"connection_id":"JXW8K4FG6H7TZ2F63T38ZHSJQG","role":"sendrecv","video_bit_rate":500,
        "connection_created_timestamp":"2026-11-29T20:15:01Z","connection_destroyed_timestamp":null},
        {"connection_id":"A7R7R4RRXS0X9E74QYAPWWZZ9M","connection_destroyed_timestamp":"2026-11-29T20:15:03Z"}]"#;
    let line = format!(
        "{{\"id\":\"3\",\"timestamp\":\"2026-11-29T20:15:04Z\",\"req\":{{\"type\":\"session.updated\",{SENDER},\"connections\":{connections}}}}}"
    );
    let Logged::Notice(notice) = Logged::read(&line).unwrap() else { panic!("{line}") };
    let times: Vec<_> = notice.connections.iter().map(|member| (member.created, member.destroyed)).collect();
    assert_eq!(times, [(Some(1_795_983_301_000_000), None), (None, Some(1_795_983_303_000_000))]);
    assert_eq!(notice.connections[1].connection_id, "A7R7R4RRXS0X9E74QYAPWWZZ9M");
    for (from, to, field) in [
        ("A7R7R4RRXS0X9E74QYAPWWZZ9M", "A", "connections[1].connection_id"),
        ("2026-11-29T20:15:03Z", "now", "connections[1].connection_destroyed_timestamp"),
        ("\"7N8FP3M0ZH2ASBCDPHRGS2HYB8\"", "null", "req.session_id"),
        ("\"type\":\"session.updated\",", "", "req.type"),
        ("\"req\"", "\"request\"", "type"),
    ] {
        let error = Logged::read(&line.replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.field().as_deref(), Some(field), "{error}");
    }
}

#[test]
fn entries_of_a_log_make_the_report_of_their_push() {
    let line = |id: &str, data: &str| {
        let envelope = ENVELOPE.replace("2Q9VRZK4M54X3B1T0PDN6JYC7W", id);
        format!("{{{envelope},\"rtc_id\":\"A\",\"rtc_type\":\"codec\",\"rtc_timestamp\":1.5e+12,\"rtc_data\":{data}}}")
    };
    let lines = [
        line("2Q9VRZK4M54X3B1T0PDN6JYC7W", r#"{"id":"A","timestamp":1.5e+12,"type":"codec","payloadType":96}"#),
        line("2Q9VRZK4M54X3B1T0PDN6JYC7W", r#"{"id":"B","timestamp":1.5e+12,"type":"transport"}"#),
        line("3Q9VRZK4M54X3B1T0PDN6JYC7W", r#"{"id":"B","timestamp":1.6e+12,"type":"transport"}"#),
    ];
    let entries: Vec<_> = lines.iter().map(|line| Entry::read(line).unwrap()).collect();
    assert!(entries[0].is_with(&entries[1]) && !entries[1].is_with(&entries[2]));
    let mut gathering = Gathering::default();
    for at in [0, 1, 0, 1] {
        gathering.take(&lines[at], &entries[at]).unwrap();
    }
    let push = gathering.push().unwrap();
    let mut report = String::new();
    push.write_report(&mut report);
    assert_eq!((push.subject, push.sender.id.as_deref()), (Subject::Client, Some("2Q9VRZK4M54X3B1T0PDN6JYC7W")));
    assert_eq!(push.others().count(), 0, "what is the entry's is not the envelope's");
    let expected = r#"{"A":{"id":"A","timestamp":1500000000000,"type":"codec","payloadType":96},"B":{"id":"B","timestamp":1500000000000,"type":"transport"}}"#;
    assert_eq!(report, expected);
    let error = Entry::read(&lines[0].replace("\"id\":\"A\"", "\"id\":5")).unwrap_err();
    assert_eq!(error.field().as_deref(), Some("rtc_data.id"));
}

#[test]
fn a_push_whose_entries_never_end_is_given_up() {
    let line = |number: usize| {
        let data = format!(r#"{{"id":"{number}","timestamp":1,"type":"codec","x":"{}"}}"#, "x".repeat(100_000));
        format!("{{{ENVELOPE},\"rtc_data\":{data}}}")
    };
    let mut gathering = Gathering::default();
    let taken = (0..100).take_while(|number| {
        let line = line(*number);
        gathering.take(&line, &Entry::read(&line).unwrap()).is_ok()
    });
    assert_eq!(taken.count(), 41);
    gathering.clear();
    assert!(gathering.is_empty() && gathering.push().is_none());
}

#[test]
fn a_line_of_any_log_is_known_by_what_it_says() {
    let entry = format!(r#"{{{ENVELOPE},"rtc_data":{{"id":"A","timestamp":1.5e+12,"type":"codec"}}}}"#);
    let push = body(ENVELOPE, STATS);
    let logged = format!(r#"{{"id":"1","timestamp":"2026-11-29T20:15:04Z","req":{push}}}"#);
    let notice = format!(r#"{{"type":"session.created",{SENDER}}}"#);
    for (line, is) in [(&entry, "entry"), (&push, "push"), (&logged, "push"), (&notice, "notice")] {
        let read = Logged::read(line).unwrap();
        let kind = match &read {
            Logged::Entry(_) => "entry",
            Logged::Push(_) => "push",
            Logged::Notice(_) => "notice",
        };
        assert_eq!((kind, Logged::is_one(line)), (is, true), "{line}");
        assert_eq!((read.session(), read.time()), ("7N8FP3M0ZH2ASBCDPHRGS2HYB8", 1_795_983_304_000_125));
        assert_eq!(read.id(), "2Q9VRZK4M54X3B1T0PDN6JYC7W");
    }
    for (line, field) in [
        (entry.replace("rtc_data", "rtc_dat"), "rtc_data"),
        (entry.replace("connection.rtc", "connection.sora"), "type"),
        (entry.replace("\"role\"", "\"rol\""), "role"),
        (entry.replace("1.5e+12", "\"now\""), "rtc_data.timestamp"),
        (entry.replace("\"id\":\"A\"", "\"id\":\"A\",\"id\":\"A\""), "rtc_data.id"),
        (entry.replace("\"rtc_data\"", "\"role\":\"sendonly\",\"rtc_data\""), "role"),
        (logged.replace("\"role\":", "\"label\":\"\",\"role\":"), "req.label"),
        (logged.replace("\"req\":", "\"id\":\"1\",\"req\":"), "id"),
        (logged.replace("\"id\":\"CP1\"", "\"id\":\"OT01V1\""), "stats[1].id"),
        ("{\"req\":7}".to_owned(), "req"),
        ("{}".to_owned(), "type"),
    ] {
        assert_eq!(Logged::read(&line).unwrap_err().field().as_deref(), Some(field), "{line}");
    }
    for line in ["", "[]", "{}", "RTCStatsDump", "{\"fileFormat\":3}", "{\"req\":{}}", &entry[..entry.len() - 1]] {
        assert!(!Logged::is_one(line), "{line}");
    }
}

#[test]
fn a_notice_about_a_session_is_told_of_each_of_its_connections() {
    let ids = ["JXW8K4FG6H7TZ2F63T38ZHSJQG", "A7R7R4RRXS0X9E74QYAPWWZZ9M"];
    let connections = format!(r#"[{{"connection_id":"{}","a":1}},{{"connection_id":"{}","a":2}}]"#, ids[0], ids[1]);
    let line = format!(r#"{{"type":"session.destroyed",{SENDER},"connections":{connections},"max_connections":2}}"#);
    let notice = Notice::read(line.as_bytes()).unwrap();
    let told = notice.by_connections().unwrap();
    for (at, About { connection_id, text }) in told.iter().enumerate() {
        let alone = Notice::read(text.as_bytes()).unwrap();
        assert_eq!((&**connection_id, alone.connections.len()), (ids[at], 1));
        assert_eq!(alone.connections[0].text.get("a").unwrap().as_u64(), Some(at as u64 + 1));
        assert_eq!(alone.text.get("max_connections").unwrap().text(), "2");
    }
    let whole = notice.of_whole_session().unwrap().unwrap();
    let whole = Notice::read(whole.as_bytes()).unwrap();
    assert_eq!((whole.ended, whole.connections.len(), whole.sender.clone()), (Ended::Session, 0, notice.sender));
    let long = line.replace("\"max_connections\":2", &format!("\"x\":\"{}\"", "x".repeat(70_000)));
    let error = Notice::read(long.as_bytes()).unwrap().by_connections().unwrap_err();
    assert_eq!(error.field().as_deref(), Some("x"));
}
