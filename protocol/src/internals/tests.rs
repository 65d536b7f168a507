//! Texts of Chromium's of several ages through the reader of dumps.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use crate::dump::DumpReader;
use crate::event::SessionDecoder;
use crate::json::{RawValue, write_string};
use crate::line::Line;
use crate::privacy::Obfuscator;

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

fn quoted(text: &str) -> String {
    let mut out = String::new();
    write_string(&mut out, text);
    out
}

/// A dump of one connection with these updates (what `type`, `value` and time are) and series (key, type, start, values).
fn document(updates: &[(&str, &str, &str)], series: &[(&str, &str, &str, &str)]) -> String {
    let update = |(kind, value, time): &(&str, &str, &str)| {
        format!("{{\"type\":{},\"value\":{},\"time\":{time}}}", quoted(kind), quoted(value))
    };
    let one = |(key, kind, times, values): &(&str, &str, &str, &str)| {
        let (start, end) = times.split_once(' ').unwrap();
        let values = quoted(values);
        format!(
            "\"{key}\":{{\"startTime\":\"{start}\",\"endTime\":\"{end}\",\"statsType\":\"{kind}\",\"values\":{values}}}"
        )
    };
    format!(
        "{{\"getUserMedia\":[],\"PeerConnections\":{{\"7-1\":{{\"rtcConfiguration\":{},\"constraints\":\"\",\"updateLog\":[{}],\"stats\":{{{}}}}}}}}}",
        quoted(
            "{ iceServers: [stun:192.0.2.1, turn:a?transport=udp], iceTransportPolicy: all, bundlePolicy: balanced, iceCandidatePoolSize: 0 }"
        ),
        updates.iter().map(update).collect::<Vec<_>>().join(","),
        series.iter().map(one).collect::<Vec<_>>().join(","),
    )
}

#[test]
fn a_dump_of_nothing_is_a_dump() {
    let (header, events) = read("{\n \"getUserMedia\": [],\n \"PeerConnections\": {},\n \"UserAgent\": \"x\"\n}");
    assert!(header.contains("\"userAgent\":\"x\""), "{header}");
    assert_eq!(events, [r#"["create",null,{},0]"#]);
}

#[test]
fn what_is_no_such_dump_is_named() {
    let error = |text: &str| DumpReader::open(text.as_bytes()).err().unwrap().to_string();
    assert!(error("{\n \"a\": 1\n}").starts_with("this is no dump"));
    assert!(error("{\n \"a\": ").starts_with("this is no dump"));
    assert!(error("{\"PeerConnections\":[]}").starts_with("this is no dump"));
    let wrong = "{\n \"PeerConnections\": {\n  \"7-1\": x";
    assert!(error(wrong).starts_with("the webrtc-internals dump is not JSON at byte 33"), "{}", error(wrong));
    let reader = DumpReader::within(wrong.as_bytes(), 20);
    assert_eq!(reader.err().unwrap().to_string(), "the dump is longer than 20 bytes of text");
}

#[test]
fn one_that_was_cut_has_what_came_before() {
    let update = |kind: &str| format!(r#"{{"time":"1/2/2024, 3:04:05 PM","type":"{kind}","value":"[{{]"}}"#);
    let text = format!(
        "{{\n \"PeerConnections\": {{\n  \"7-1\": {{\"updateLog\":[{},{},{}",
        update("createOffer"),
        update("signalingstatechange"),
        &update("close")[..30]
    );
    let mut reader = DumpReader::open(text.as_bytes()).unwrap();
    let mut lines = Vec::new();
    while let Some(line) = reader.next_line() {
        lines.push(line.map_or_else(|error| error.to_string(), str::to_owned));
    }
    // The client, the connection and two calls.
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert_eq!(lines.last().unwrap(), "the dump cannot be read beyond line 3: the file is truncated");
}

/// As Chromium wrote them until 2025: names without `on`, texts in its own words, the time in those of the reader's language.
#[test]
fn older_words_become_our_events() {
    let time = "\"10/5/2021, 12:29:05 PM\"";
    let transceiver = "Caused by: addTrack\n\ngetTransceivers()[0]:{\n  mid:null,\n  kind:'audio',\n  sender:{\n    track:'t1',\n    streams:['s1','s2'],\n  },\n  receiver:{\n    track:'t2',\n    streams:[],\n  },\n  direction:'sendrecv',\n  currentDirection:null,\n}";
    let received =
        transceiver.replace("addTrack", "setRemoteDescription").replace("'audio'", "'video'").replace("[0]", "[1]");
    let received =
        received.replace("track:'t1'", "track:null").replace("'t2',\n    streams:[]", "'t3',\n    streams:['s3']");
    let text = document(
        &[
            ("transceiverAdded", transceiver, time),
            ("negotiationneeded", "", time),
            ("createOffer", "options: {offerToReceiveVideo: -1, voiceActivityDetection: true, iceRestart: true}", time),
            ("createOfferOnSuccess", "type: offer, sdp: v=0\r\nm=audio\r\n", time),
            ("setLocalDescription", "type: offer, sdp: v=0\r\nm=audio\r\n", time),
            ("signalingstatechange", "have-local-offer", time),
            ("setLocalDescriptionOnSuccess", "", time),
            (
                "icecandidate",
                "sdpMid: 0, sdpMLineIndex: 0, candidate: candidate:1 1 udp 2 192.0.2.7 5 typ host, url: , relayProtocol: udp",
                time,
            ),
            ("iceconnectionstatechange (legacy)", "connected", time),
            ("iceconnectionstatechange", "connected", time),
            (
                "icecandidateerror",
                "url: turn:a\naddress: 192.0.2.x\nport: 15\nhost_candidate: 192.0.2.x:15\nerror_text: no\nerror_code: 401",
                time,
            ),
            ("createDataChannel", "label: chat, ordered: true, protocol: ", time),
            ("setRemoteDescription", "type: answer, sdp: v=0\r\n", time),
            ("setRemoteDescriptionOnFailure", "Failed, sdp: no", time),
            ("transceiverAdded", &received, time),
            ("stop", "", time),
        ],
        &[("T-bytesSent", "transport", "2021-10-05T10:29:05.500Z 2021-10-05T10:29:06.500Z", "[1,2]")],
    );
    let (_, events) = read(&text);
    // Two hours east of Greenwich.
    let at = 1_633_429_745_000_u64;
    let first = format!(
        r#"["create","7-1",{{"iceServers":[{{"urls":"stun:192.0.2.1"}},{{"urls":"turn:a?transport=udp"}}],"iceTransportPolicy":"all","bundlePolicy":"balanced","iceCandidatePoolSize":0}},{at}]"#
    );
    assert_eq!(events[1], first);
    let audio = r#""mid":null,"kind":"audio","sender":{"track":"t1","streams":["s1","s2"]},"receiver":{"track":"t2","streams":[]},"direction":"sendrecv","currentDirection":null"#;
    let video = r#""mid":null,"kind":"video","sender":{"track":null,"streams":["s1","s2"]},"receiver":{"track":"t3","streams":["s3"]},"direction":"sendrecv","currentDirection":null"#;
    let expected = [
        format!(r#"["transceiverAdded","7-1",{{{audio},"reason":"addTrack","transceiverIndex":0}}"#),
        r#"["addTrack","7-1",["audio","t1","","s1","s2"]"#.to_owned(),
        r#"["onnegotiationneeded","7-1",null"#.to_owned(),
        r#"["createOffer","7-1",{"offerToReceiveVideo":-1,"voiceActivityDetection":true,"iceRestart":true},"2-0""#.to_owned(),
        r#"["createOfferOnSuccess","7-1",{"type":"offer","sdp":"v=0\r\nm=audio\r\n"},"2-0""#.to_owned(),
        r#"["setLocalDescription","7-1",{"type":"offer","sdp":"v=0\r\nm=audio\r\n"},"6-0""#.to_owned(),
        r#"["onsignalingstatechange","7-1","have-local-offer""#.to_owned(),
        r#"["setLocalDescriptionOnSuccess","7-1",null,"6-0""#.to_owned(),
        r#"["onicecandidate","7-1",{"sdpMid":"0","sdpMLineIndex":0,"candidate":"candidate:1 1 udp 2 192.0.2.7 5 typ host","url":"","relayProtocol":"udp"}"#.to_owned(),
        r#"["iceconnectionstatechange (legacy)","7-1","connected""#.to_owned(),
        r#"["oniceconnectionstatechange","7-1","connected""#.to_owned(),
        r#"["onicecandidateerror","7-1",{"url":"turn:a","address":"192.0.2.x","port":15,"hostCandidate":"192.0.2.x:15","errorText":"no","errorCode":401}"#.to_owned(),
        r#"["createDataChannel","7-1",["chat",{"ordered":true,"protocol":""}]"#.to_owned(),
        r#"["setRemoteDescription","7-1",{"type":"answer","sdp":"v=0\r\n"},"8-0""#.to_owned(),
        r#"["setRemoteDescriptionOnFailure","7-1","Failed, sdp: no","8-0""#.to_owned(),
        format!(r#"["transceiverAdded","7-1",{{{video},"reason":"setRemoteDescription","transceiverIndex":1}}"#),
        r#"["ontrack","7-1",["video","t3","","s3"]"#.to_owned(),
        r#"["close","7-1",null"#.to_owned(),
    ];
    for (event, expected) in events[2..].iter().zip(&expected) {
        assert_eq!(*event, format!("{expected},{at}]"));
    }
    let reports = [
        r#"["getStats","7-1",{"0":{"id":"0","timestamp":1633429745500,"type":"transport","bytesSent":1}},1633429745500]"#,
        r#"["getStats","7-1",{"0":{"id":"0","timestamp":1633429746500,"type":"transport","bytesSent":2}},1633429746500]"#,
    ];
    assert_eq!(events[2 + expected.len()..], reports);
}

#[test]
fn series_become_the_reports_that_they_were_made_of() {
    const ALL: &str = "1970-01-12T13:46:40.000Z 1970-01-12T13:46:42.002Z";
    let text = document(
        &[],
        &[
            ("O-1-mid", "outbound-rtp", ALL, "[0,0,0]"),
            ("O-1-bytesSent", "outbound-rtp", ALL, "[5,6,7]"),
            ("O-1-type", "outbound-rtp", ALL, "[\"outbound-rtp\",\"outbound-rtp\",\"outbound-rtp\"]"),
            ("O-1-timestamp", "outbound-rtp", ALL, "[1000000000.5,1000001001,1000002002]"),
            // It came with the second report.
            ("O-1-remoteId", "outbound-rtp", "1970-01-12T13:46:41.001Z 1970-01-12T13:46:42.002Z", "[\"R\",\"R\"]"),
            ("O-1-[bytesSent_in_bits/s]", "outbound-rtp", ALL, "[8,8]"),
            // It went after the first.
            ("S-kind", "media-source", "1970-01-12T13:46:40.000Z 1970-01-12T13:46:40.000Z", "[\"audio\"]"),
            ("S-timestamp", "media-source", "1970-01-12T13:46:40.000Z 1970-01-12T13:46:40.000Z", "[1000000000.5]"),
            // News of the far end came after the first report, and none after the second.
            ("R-jitter", "remote-inbound-rtp", "1970-01-12T13:46:40.700Z 1970-01-12T13:46:40.700Z", "[0.5,0.5]"),
            (
                "R-timestamp",
                "remote-inbound-rtp",
                "1970-01-12T13:46:40.700Z 1970-01-12T13:46:40.700Z",
                "[1000000700,1000000700]",
            ),
        ],
    );
    let (_, events) = read(&text);
    let reports = [
        r#"["getStats","7-1",{"0":{"id":"0","timestamp":1000000000.5,"type":"outbound-rtp","mid":"0","bytesSent":5},"1":{"id":"1","timestamp":1000000000.5,"type":"media-source","kind":"audio"}},1000000000.5]"#,
        r#"["getStats","7-1",{"0":{"id":"0","timestamp":1000001001,"type":"outbound-rtp","mid":"0","bytesSent":6,"remoteId":"2"},"2":{"id":"2","timestamp":1000000700,"type":"remote-inbound-rtp","jitter":0.5}},1000001001]"#,
        r#"["getStats","7-1",{"0":{"id":"0","timestamp":1000002002,"type":"outbound-rtp","mid":"0","bytesSent":7,"remoteId":"2"},"2":{"id":"2","timestamp":1000000700,"type":"remote-inbound-rtp","jitter":0.5}},1000002002]"#,
    ];
    assert_eq!(events[2..], reports);
}

#[test]
fn lines_of_the_rtcstats_dump_become_ours_and_ours_stay() {
    let text = concat!(
        "RTCStatsDump\n{\"fileFormat\":3}\n",
        "[\"create\",null,{\"deviceMemory\":8},1000]\n",
        "[\"navigator.mediaDevices.getUserMedia\",\"7-0\",{\"audio\":\"\",\"video\":\"{\\\"width\\\": 640}\"},\"getUserMedia-7-9-0\",5.5]\n",
        "[\"navigator.mediaDevices.getUserMediaOnSuccess\",\"7-0\",[[\"audio\",\"t\",\"mic\",\"s\"]],\"getUserMedia-7-9-0\",1]\n",
        "[\"addTrack\",\"7-1\",[\"audio\",\"t\",\"s\"],1]\n",
        "[\"ondatachannel\",\"7-1\",{\"label\":\"chat\"},1]\n",
        "[\"onconnectionstatechange\",\"7-1\",\"\\\"connected\\\"\",1]\n",
        "[\"getStats\",\"7-1\",{\"A\":{\"id\":\"A\",\"timestamp\":5,\"type\":\"transport\",\"[x/s]\":1},\"B\":{\"id\":\"B\",\"timestamp\":5,\"type\":\"codec\"}},1]\n",
        "[\"getStats\",\"7-1\",{\"A\":{\"id\":\"A\",\"timestamp\":6,\"type\":\"transport\"}},1]\n",
        "[\"close\",\"7-1\",null,1]\n[\"remove\",\"7-1\",null,1]\n",
        "[\"getStats\",\"PC_0\",{\"A\":{\"type\":\"codec\",\"[x/s]\":1}},1]\n",
    );
    let (_, events) = read(text);
    let expected = [
        r#"["create",null,{"deviceMemory":8},1000]"#,
        r#"["navigator.mediaDevices.getUserMedia",null,{"audio":true,"video":{"width": 640}},"60-0","getUserMedia-7-9-0",1005.5]"#,
        r#"["navigator.mediaDevices.getUserMediaOnSuccess",null,[["audio","t","mic","s"]],"60-0","getUserMedia-7-9-0",1006.5]"#,
        r#"["addTrack","7-1",["audio","t","mic","s"],1007.5]"#,
        r#"["ondatachannel","7-1",[null,"chat",{}],1008.5]"#,
        r#"["onconnectionstatechange","7-1","connected",1009.5]"#,
        r#"["getStats","7-1",{"0":{"id":"0","timestamp":5,"type":"transport"},"1":{"id":"1","timestamp":5,"type":"codec"}},1010.5]"#,
        r#"["getStats","7-1",{"0":{"id":"0","timestamp":6,"type":"transport"}},1011.5]"#,
        r#"["close","7-1",null,1012.5]"#,
        r#"["remove",null,"7-1",1013.5]"#,
        r#"["getStats","PC_0",{"A":{"id":"A","type":"codec","[x/s]":1}},1014.5]"#,
    ];
    assert_eq!(events, expected);
}

#[test]
fn lines_of_the_rtcstats_dump_are_put_in_the_order_of_their_times() {
    let text = concat!(
        "RTCStatsDump\n{\"fileFormat\":3}\n[\"create\",null,{},1000]\n",
        "[\"close\",\"7-1\",null,10]\n[\"remove\",\"7-1\",null,500.25]\n[\"close\",\"7-2\",null,-499]\nno line\n",
        "[\":a\",null,[1] , 600 ] \n[\"create\",\"7-3\",{},5000]\n[\"close\",\"7-3\",null,-3000]\n",
    );
    let mut reader = DumpReader::open(text.as_bytes()).unwrap();
    let mut lines = Vec::new();
    while let Some(line) = reader.next_line() {
        lines.push(line.unwrap().to_owned());
    }
    let expected = [
        r#"["create",null,{},1000]"#,
        r#"[36,"7-1",null,10]"#,
        r#"[36,"7-2",null,1.25]"#,
        "no line",
        r#"["remove",null,"7-1",499]"#,
        r#"[":a",null,[1] , 101]"#,
        r#"[36,"7-3",null,2000]"#,
        r#"[39,"7-3",{},3000]"#,
    ];
    assert_eq!(lines, expected);
}

#[test]
fn what_nobody_understands_is_an_event_and_its_addresses_can_be_hidden() {
    let text = document(
        &[
            ("neverSeen", "by 192.0.2.7", "5"),
            ("icecandidate", "of 192.0.2.7", "6"),
            ("setLocalDescription", "c=192.0.2.7", "7"),
        ],
        &[],
    );
    let text = text.replacen("\"constraints\"", "\"host\":\"192.0.2.7\",\"constraints\"", 1);
    let mut reader = DumpReader::open(text.as_bytes()).unwrap();
    let (mut obfuscator, mut hidden) = (Obfuscator::new(), String::new());
    while let Some(line) = reader.next_line() {
        obfuscator.line(&Line::parse(line.unwrap()).unwrap(), &mut hidden);
        hidden.push('\n');
    }
    let lines: Vec<&str> = hidden.lines().skip(2).collect();
    let expected = [
        r#"[":webrtc-internals","7-1",{"host":"192.0.2.x"},0]"#,
        r#"["neverSeen","7-1","by 192.0.2.x",0]"#,
        r#"[20,"7-1","of 192.0.2.x",1]"#,
        r#"[6,"7-1","c=192.0.2.x","6-0",1]"#,
    ];
    assert_eq!(lines, expected);
}

/// A candidate and a configuration have addresses that are to stay: those of servers.
#[test]
fn no_address_of_a_line_of_chromiums_stays_but_those_of_servers() {
    let values = [
        ("neverSeen", r#"{"a":["192.0.2.7",{"b":"at 192.0.2.7:9"}],"192.0.2.7":1}"#),
        (":note", "\"192.0.2.7\""),
        ("", "\"192.0.2.7\""),
        ("g", r#"{"A":{"x":"192.0.2.7"}}"#),
        ("getStats", "[\"192.0.2.7\"]"),
        ("onconnectionstatechange", "\"192.0.2.7\""),
        ("transceiverAdded", "Caused by: 192.0.2.7\n\ngetTransceivers()[0]:{\n  192.0.2.7,\n}"),
        ("transceiverModified", r#"{"mid":"192.0.2.7","transceiverIndex":0,"sender":{"track":"192.0.2.7"}}"#),
        ("createOfferOnFailure", r#"{"name":"192.0.2.7","more":["192.0.2.7"]}"#),
        ("setLocalDescription", r#"{"type":"offer","sdp":"c=IN IP4 192.0.2.7","more":"192.0.2.7"}"#),
        ("setRemoteDescription", "[\"192.0.2.7\"]"),
        ("icecandidate", r#"{"candidate":"candidate:1 1 udp 2 192.0.2.7 5 typ host","more":["192.0.2.7"]}"#),
        ("icecandidateerror", r#"{"address":"192.0.2.7","more":"192.0.2.7"}"#),
        ("icecandidateerror", "url: \naddress: 192.0.2.7\nnot_known: 192.0.2.7"),
        ("RTCIceTransport.onselectedcandidatepairchange", r#"{"local":"192.0.2.7","more":"192.0.2.7"}"#),
        ("createDataChannel", r#"{"label":"chat","more":"192.0.2.7"}"#),
        ("setConfiguration", r#"{"iceServers":[{"urls":"stun:198.51.100.7"}],"more":"192.0.2.7"}"#),
        ("setConfiguration", "of 192.0.2.7"),
    ];
    let updates: Vec<_> =
        values.iter().map(|(kind, value)| (*kind, *value, "5,\"more\":{\"a\":\"192.0.2.7\"}")).collect();
    let span = "1970-01-12T13:46:40.000Z 1970-01-12T13:46:40.000Z";
    let series = [
        ("P-googLocalAddress", "googCandidatePair", span, "[\"192.0.2.7:50000\"]"),
        ("P-googRemoteAddress", "googCandidatePair", span, "[\"192.0.2.7:50000\"]"),
        ("P-notKnown", "googCandidatePair", span, "[\"192.0.2.7\"]"),
        ("C-ipAddress", "localcandidate", span, "[\"192.0.2.7\"]"),
    ];
    let whole = document(&updates, &series);
    let media = r#"{"rid":1,"request_id":0,"origin":"https://192.0.2.7/","audio":"192.0.2.7"},{"rid":1,"request_id":0,"error":"192.0.2.7"}"#;
    let whole = whole.replacen("\"getUserMedia\":[", &format!("\"getUserMedia\":[{media}"), 1);
    let lines = values.iter().filter(|(kind, value)| !kind.is_empty() && RawValue::parse(value).is_ok());
    let lines: Vec<_> =
        lines.map(|(kind, value)| format!("[{},\"7-1\",{value},\"192.0.2.7\",1]\n", quoted(kind))).collect();
    let lines = format!("RTCStatsDump\n{{\"fileFormat\":3}}\n{}", lines.concat());
    for text in [whole, lines] {
        let mut reader = DumpReader::open(text.as_bytes()).unwrap();
        let (mut obfuscator, mut servers, mut count) = (Obfuscator::new(), 0, 0);
        while let Some(line) = reader.next_line() {
            let mut hidden = String::new();
            obfuscator.line(&Line::parse(line.unwrap()).unwrap(), &mut hidden);
            assert!(!hidden.contains("192.0.2.7"), "{hidden}");
            let mut again = String::new();
            assert!(!obfuscator.rewrite(&Line::parse(&hidden).unwrap(), &mut again), "{hidden} is {again}");
            servers += hidden.matches("198.51.100.7").count();
            count += 1;
        }
        assert!(count >= 14 && servers == 1, "{count}");
    }
}

/// A file of a few kilobytes that would be gigabytes of lines, were names repeated.
#[test]
fn long_names_are_left_out_and_told() {
    let long = "x".repeat(5_000);
    let values = format!("[{}]", vec!["1"; 3_000].join(","));
    let span = "1970-01-12T13:46:40.000Z 1970-01-12T14:46:42.002Z";
    let key = format!("{long}-a");
    let member = format!("A-{long}");
    let text = document(&[], &[(&key, "t", span, &values), (&member, "t", span, &values), ("A-b", "t", span, "[1,2]")]);
    let text = text.replacen("\"7-1\":", &format!("\"{long}\":{{\"updateLog\":[{{}},{{}}]}},\"7-1\":"), 1);
    let (_, events) = read(&text);
    assert!(events.iter().map(String::len).sum::<usize>() < 5_000, "{}", events.len());
    assert!(events[1].starts_with(r#"[":rtctrace.dropped",null,{"parts":3}"#), "{}", events[1]);
}

/// It would stand with each sample: a thousand times here.
#[test]
fn a_type_that_is_too_long_is_none_wherever_it_stands() {
    let span = "1970-01-12T13:46:40.000Z 1970-01-12T14:46:42.002Z";
    let long = "x".repeat(10_000);
    let times: Vec<String> = (0..1_000).map(|at| (1_000_000_000 + at * 1_000).to_string()).collect();
    let times = format!("[{}]", times.join(","));
    let kinds = format!("[\"{long}\"]");
    let told = document(&[], &[("A-timestamp", &long, span, &times), ("A-b", &long, span, "[1]")]);
    let valued =
        document(&[], &[("A-timestamp", "", span, &times), ("A-type", "", span, &kinds), ("A-b", "", span, "[1]")]);
    for text in [told, valued] {
        assert!((10_000..200_000).contains(&built(&text).0), "{}", built(&text).0);
    }
}

/// Names as long as they may be, with thousands of values.
#[test]
fn the_reports_of_a_dump_are_bounded_by_its_length_and_what_is_beyond_is_told() {
    let span = "1970-01-12T13:46:40.000Z 1970-01-12T14:46:42.002Z";
    let times: Vec<String> = (0..8_000).map(|at| (1_000_000_000 + at * 1_000).to_string()).collect();
    let (times, values) = (format!("[{}]", times.join(",")), format!("[{}]", vec!["7"; 8_000].join(",")));
    let mut keys: Vec<(String, &str)> = Vec::new();
    for entry in 0..6 {
        let id = format!("{entry}{}", "e".repeat(250));
        keys.push((format!("{id}-timestamp"), &times));
        keys.extend((0..40).map(|member| (format!("{id}-{member:02}{}", "m".repeat(90)), values.as_str())));
    }
    let series: Vec<_> = keys.iter().map(|(key, values)| (key.as_str(), "t", span, *values)).collect();
    let text = document(&[], &series);
    let limit = super::limits::MAX_BUILT + super::limits::MAX_BUILT_TIMES * text.len();
    let (bytes, left_out) = built(&text);
    assert!((limit / 2..=limit).contains(&bytes), "{bytes} of {limit}");
    let mut reader = DumpReader::open(text.as_bytes()).unwrap();
    reader.next_line().unwrap().unwrap();
    let told = format!("[\":rtctrace.dropped\",null,{{\"parts\":{left_out}}},0]");
    assert_eq!(reader.next_line().unwrap().unwrap(), told);
}

/// As many entries, samples and updates as their bytes can say: what is held of them is bounded by the dump's length.
#[test]
fn the_parts_of_a_dump_are_bounded_by_its_length_and_what_is_beyond_is_told() {
    let stats = |entries: usize, samples: usize| {
        let values = vec!["1"; samples].join(",");
        let series = |at| format!(r#""{at:x}-":{{"startTime":"0","values":"[{values}]"}}"#);
        (0..entries).map(series).collect::<Vec<_>>().join(",")
    };
    let of = |updates: usize, stats: &str| {
        let updates = vec!["{}"; updates].join(",");
        let text = format!(r#"{{"PeerConnections":{{"7-1":{{"updateLog":[{updates}],"stats":{{{stats}}}}}}}}}"#);
        let document = super::Document::parse(text).unwrap().unwrap();
        let connection = &document.connections[0];
        (connection.updates.len(), connection.sampling.times().len(), document.left_out)
    };
    let (updates, _, left_out) = of(super::limits::MAX_UPDATES, "");
    assert!((100_000..200_000).contains(&updates), "{updates}");
    assert_eq!(updates + left_out as usize, super::limits::MAX_UPDATES);
    let (_, reports, left_out) = of(0, &stats(100_000, 1));
    assert!(reports > 0 && (60_000..90_000).contains(&left_out), "{left_out}");
    let (_, reports, left_out) = of(0, &stats(10, 65_000));
    assert!(reports > 0 && (1..10).contains(&left_out), "{left_out}");
    assert_eq!(of(1_000, &stats(100, 100)).2, 0);
}

/// Each would be held several times while a line is made of it.
#[test]
fn a_part_that_is_longer_than_any_line_of_a_browser_is_dropped_and_told() {
    let long = "x".repeat(super::limits::MAX_PART);
    let (_, events) = read(&document(&[("addIceCandidate", &long, r#""1/1/2021, 10:00:00 AM""#)], &[]));
    let told =
        |events: &[String]| events.iter().filter(|line| line.starts_with(r#"[":rtctrace.dropped","7-1","#)).count();
    assert_eq!(told(&events), 1, "{} lines", events.len());
    let values = quoted(&format!("[{}]", quoted(&long)));
    let text = document(&[], &[("A-b", "t", "1970-01-12T13:46:40.000Z 1970-01-12T13:46:40.000Z", "[1]")]);
    let text = text.replacen(&quoted("[1]"), &values, 1);
    let (_, events) = read(&text);
    assert_eq!(told(&events), 1, "{} lines", events.len());
    for member in ["url", "more"] {
        let text = text.replacen(&values, &quoted("[1]"), 1);
        let text = text.replacen("\"updateLog\"", &format!("\"{member}\":\"{long}\",\"updateLog\""), 1);
        let (_, events) = read(&text);
        assert!(events.iter().any(|line| line.starts_with(r#"[":rtctrace.dropped",null,{"parts":1}"#)), "{member}");
        assert!(events.iter().all(|line| line.len() < 10_000));
    }
}

/// The bytes of all reports, and how much was left out.
fn built(text: &str) -> (usize, u64) {
    let mut document = super::Document::parse(text.to_owned()).unwrap().unwrap();
    let sampling = &mut document.connections[0].sampling;
    let mut bytes = 0;
    for report in 0..sampling.times().len() {
        let mut out = String::new();
        sampling.write(report, &mut out).unwrap();
        bytes += out.len();
    }
    (bytes, document.left_out)
}

/// What is remembered from line to line has a limit in bytes, not only in number.
#[test]
fn ids_of_any_length_are_not_kept() {
    let long = "x".repeat(10_000);
    let mut tracks = super::tracks::Tracks::default();
    tracks.label(&long, "mic");
    tracks.label("t", "mic");
    assert!(!tracks.track("audio", &long, None, RawValue::NULL).contains("mic"));
    assert!(tracks.track("audio", "t", None, RawValue::NULL).contains("mic"));

    let changed = |track: &str, index: u64| {
        format!(r#"{{"kind":"audio","sender":{{"track":"{track}"}},"reason":"x","transceiverIndex":{index}}}"#)
    };
    let mut change = |connection: &str, text: &str| {
        let mut drafts = Vec::new();
        tracks.transceiver(connection, "transceiverModified", RawValue::parse(text).unwrap(), &mut drafts);
        drafts.iter().map(|draft| draft.value.len()).sum::<usize>()
    };
    assert_eq!(change("7-1", &changed(&long, 0)), 0);
    assert!((1..100).contains(&change("7-1", &changed("t", 0))), "the long one is not known as the one before");
    for index in 0..super::limits::MAX_TRANSCEIVERS as u64 {
        change(&format!("7-{}", index % 100), &changed("t", index));
    }
    assert_eq!(change("7-2", &changed("u", 1 << 40)), 0, "one more than there may be is not remembered");

    let requested = |id: &str| {
        let (call, failure) = ("navigator.mediaDevices.getUserMedia", "navigator.mediaDevices.getUserMediaOnFailure");
        let lines = format!("[\"{call}\",\"7-0\",{{}},\"{id}\",5]\n[\"{failure}\",\"7-0\",\"no\",\"{id}\",1]\n");
        read(&format!("RTCStatsDump\n{{\"fileFormat\":3}}\n{lines}")).1
    };
    assert!(requested("a")[1].contains("\"60-0\""));
    assert!(requested(&long)[1].contains("\"60-1\""), "the call is not known any more");
}

/// Both dumps in small.
fn seeds() -> Vec<String> {
    let span = "1970-01-12T13:46:40.000Z 1970-01-12T13:46:42.002Z";
    let media = r#"[{"rid":1,"pid":2,"request_id":0,"request_type":"getUserMedia","audio":"","video":"{\"width\":1}","timestamp":1000000000},{"rid":1,"pid":2,"request_id":0,"stream_id":"s","audio_track_info":"{\"id\":\"t\",\"label\":\"mic\"}","timestamp":"1000000001"}]"#;
    let document = document(
        &[
            (
                "transceiverAdded",
                r#"{"kind":"audio","sender":{"track":"t","streams":["s"]},"receiver":{"track":"u","streams":[]},"reason":"addTrack","transceiverIndex":0}"#,
                "1000000002",
            ),
            ("addTrack", r#"{"kind":"audio","id":"t","streams":["s"]}"#, "\"1/12/1970, 1:46:40 PM\""),
            ("setLocalDescription", "type: offer, sdp: v=0\r\n", "null"),
            ("onconnectionstatechange", "\"connected\"", "\"1970-01-12T13:46:41.000Z\""),
        ],
        &[
            ("O-bytesSent", "outbound-rtp", span, "[5,6,7]"),
            ("O-timestamp", "outbound-rtp", span, "[1000000000.5,1000001001,1000002002]"),
            ("R-jitter", "remote-inbound-rtp", span, "[0.5,0.5]"),
            ("R-timestamp", "remote-inbound-rtp", span, "[1000000700,1000000700]"),
            ("old-x", "ssrc", span, "[1,null,\"a\"]"),
        ],
    );
    let document = document.replacen("\"getUserMedia\":[]", &format!("\"getUserMedia\":{media}"), 1);
    let lines = concat!(
        "RTCStatsDump\n{\"fileFormat\":3}\n[\"create\",null,{},1000]\n",
        "[\"navigator.mediaDevices.getUserMedia\",\"7-0\",{\"audio\":\"\"},\"getUserMedia-7-9-0\",5.5]\n",
        "[\"addTrack\",\"7-1\",[\"audio\",\"t\",\"s\"],1]\n[\"transceiverModified\",\"7-1\",{\"kind\":\"audio\",\"sender\":{\"track\":\"t\"},\"transceiverIndex\":0},1]\n",
        "[\"getStats\",\"7-1\",{\"A\":{\"id\":\"A\",\"timestamp\":5,\"type\":\"codec\",\"b\": {\"c\": 1}}},1]\n[\"remove\",\"7-1\",null,1]\n",
    );
    vec![document.replace(",\"", ",\n \""), document, lines.to_owned()]
}

#[test]
fn the_seeds_of_the_search_are_read_without_a_fault() {
    for seed in seeds() {
        assert!(read(&seed).1.len() > 4, "{seed}");
    }
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\\\"",
        ",",
        ":",
        "null",
        "-1",
        "1e300",
        "99999999999",
        "\\u0000",
        "\u{e9}",
        "-",
        "[1,2,3]",
        "\"timestamp\"",
        "type: ",
        "getStats",
        "transceiverAdded",
        "1970-01-12T13:46:41.000Z",
        "\"PeerConnections\":{",
        "7-1",
        "\n",
    ])
}

/// JSON of a time.
fn time() -> impl Strategy<Value = String> {
    let number =
        prop_oneof![any::<f64>(), -2e14..2e14, 0.0..1e14].prop_filter("JSON has no other", |time| time.is_finite());
    prop_oneof![
        number.prop_map(|time| format!("{time:e}")),
        "\"[0-9]{1,4}-[0-9]{1,2}-[0-9]{1,2}T[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}Z\"",
        "\"[0-9]{1,2}/[0-9]{1,2}/[0-9]{1,5}, [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}( PM)?\"",
        prop::sample::select(vec![
            "null",
            "\"\"",
            "\"NaN\"",
            "\"inf\"",
            "-0",
            "1e999",
            "-1e999",
            "1e400",
            "99999999999999",
            "1e14",
            "\"1e308\"",
            "\"99999999999999999999/1/1, 1:1:1\"",
            "\"9999-12-31T60:60:60.999Z\"",
            "\"1970-01-01T00:00:00Z\"",
        ])
        .prop_map(str::to_owned),
    ]
}

/// A time as a line may have it.
fn delta() -> impl Strategy<Value = String> {
    let number = prop_oneof![-1e15..1e15, -5000.0..5000.0];
    prop_oneof![
        number.prop_map(|delta: f64| delta.to_string()),
        prop::sample::select(vec!["1e15", "-1e15", "0", "-0.0", "1e-300", "0.0000001"]).prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// What was changed by chance is an error, or lines of which each can be parsed, in memory and number that follow from the file.
    #[test]
    fn a_damaged_dump_gives_lines_or_an_error(
        seed in prop::sample::select(seeds()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..12_usize, word(), 1..4_usize), 0..5),
    ) {
        let mut text: Vec<char> = seed.chars().collect();
        for (at, length, word, times) in changes {
            let at = at.index(text.len() + 1);
            let end = (at + length).min(text.len());
            text.splice(at..end, word.repeat(times).chars());
        }
        let text: String = text.into_iter().collect();
        let Ok(mut reader) = DumpReader::open(text.as_bytes()) else { return Ok(()) };
        let mut decoder = SessionDecoder::new();
        let mut bytes = 0;
        while let Some(line) = reader.next_line() {
            let Ok(line) = line else { continue };
            bytes += line.len();
            let parsed = Line::parse(line);
            if text.starts_with('{') {
                prop_assert!(parsed.is_ok(), "{:?}: {line}", parsed.err());
            }
            let _ = decoder.decode(line);
        }
        prop_assert!(bytes < 100 * text.len() + 10_000, "{bytes} of {}", text.len());
    }

    /// Whatever is said as a time: every line is one.
    #[test]
    fn times_of_any_kind_are_times_of_lines(times in prop::collection::vec(time(), 1..12), deltas in prop::collection::vec(delta(), 1..12)) {
        let updates: Vec<_> = times.iter().map(|time| ("createOffer", "", time.as_str())).collect();
        let start = times.first().map_or("", |time| time.trim_matches('"'));
        let spans: Vec<_> = times.iter().map(|end| format!("{start} {}", end.trim_matches('"'))).collect();
        let keys: Vec<_> = (0..spans.len()).map(|entry| format!("{entry}-b")).collect();
        let mut series: Vec<_> =
            spans.iter().zip(&keys).map(|(span, key)| (key.as_str(), "t", span.as_str(), "[1,2,3]")).collect();
        let numbers: Vec<_> = times.iter().filter(|time| !time.starts_with('"')).map(String::as_str).collect();
        let sampled = format!("[{}]", numbers.join(","));
        series.push(("T-timestamp", "t", " ", &sampled));
        let lines: Vec<_> = deltas.iter().map(|delta| format!("[\"createOffer\",\"7-1\",null,{delta}]\n")).collect();
        let lines = format!("RTCStatsDump\n{{\"fileFormat\":3}}\n{}", lines.concat());
        for text in [document(&updates, &series), lines] {
            let mut reader = DumpReader::open(text.as_bytes()).unwrap();
            let mut decoder = SessionDecoder::new();
            while let Some(line) = reader.next_line() {
                let line = line.unwrap();
                let parsed = Line::parse(line);
                prop_assert!(parsed.is_ok_and(|line| line.delta().is_finite()), "{line}");
                prop_assert!(decoder.decode(line).is_ok(), "{line}");
            }
        }
    }
}
