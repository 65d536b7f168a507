//! What searches begin with: the recordings of tests, cut down to a line of each kind, as frames, messages and dumps.

use std::collections::HashSet;
use std::path::Path;

use rtctrace_protocol::line::Line;

use super::script::NEXT;
use super::sockets::JITSI_SESSION;

/// Longer lines are of no use to a search that changes bytes.
const LONGEST: usize = 3_000;

/// Header and lines of a recording: the shortest line of every method, in their order.
fn recording(name: &str) -> (String, Vec<String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/recordings").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let header: Vec<&str> = text.lines().take(2).collect();
    let lines: Vec<&str> = text.lines().skip(2).collect();
    let method = |line: &str| Line::parse(line).unwrap().method().into_owned();
    let mut shortest: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].len() <= LONGEST).collect();
    shortest.sort_by_key(|at| lines[*at].len());
    let mut seen = HashSet::new();
    shortest.retain(|at| seen.insert(method(lines[*at])));
    shortest.sort_unstable();
    // Two reports of a connection, one after the other: the second builds on the first.
    let reports = lines.iter().enumerate().filter(|(_, line)| line.len() <= LONGEST && method(line) == "getStats");
    shortest.extend(reports.map(|(at, _)| at).take(2));
    (header.join("\n") + "\n", shortest.into_iter().map(|at| lines[at].to_owned()).collect())
}

fn recordings() -> [(String, Vec<String>); 3] {
    ["rich-session.jsonl", "loopback-av-60s.jsonl", "rich-session-bogus-candidate.jsonl"].map(recording)
}

/// Steps of a script.
fn script(steps: &[String]) -> Vec<u8> {
    steps.join(&char::from(NEXT).to_string()).into_bytes()
}

/// Sockets of our client.
pub(super) fn v1() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (_, lines) in recordings() {
        for some in lines.chunks(6) {
            let all = some.join("\n");
            seeds.push(script(&some.iter().map(|line| format!("t{line}")).collect::<Vec<_>>()));
            seeds.push(script(&[format!("t{all}"), "r0".to_owned(), format!("t{all}"), "tc".to_owned()]));
            seeds.push(script(&[format!("f{all}"), "k2".to_owned(), format!("t{all}")]));
            seeds.push(script(&[format!("+{all}"), format!("t{all}"), "p?".to_owned(), "c\u{3}bye".to_owned()]));
        }
    }
    let close = "t[\":a\",null,1,1795159383861]\n[\"close\",null,null,1]";
    seeds.push(close.as_bytes().to_vec());
    seeds.push(script(&[close.to_owned(), "t[1,null,1,1]".to_owned()]));
    seeds.push(b"w\x81\x85\0\0\0\0[1,2]\x1eb\0\x1eo\x1ep\x1ec".to_vec());
    seeds
}

/// Sockets of upstream's client.
pub(super) fn rtcstats() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (_, lines) in recordings() {
        for some in lines.chunks(8) {
            seeds.push(script(&some.iter().map(|line| format!("t{line}")).collect::<Vec<_>>()));
        }
    }
    seeds.push(b"t[\"create\",\"PC_0\",{},1795159383861]\x1er\x1et[\"x\",null,0,1]\x1ek\x1eb1".to_vec());
    seeds
}

/// The messages of a client of Jitsi's, and what comes in between.
fn messages() -> Vec<String> {
    let first = r#"{"outbound-1":{"id":"outbound-1","type":"outbound-rtp","ssrc":7,"bytesSent":10,"transportId":"T","timestamp":0},"T":{"id":"T","type":"transport","timestamp":0,"selectedCandidatePairId":"CP"},"CP":{"type":"candidate-pair","timestamp":0,"localCandidateId":"L"},"C":{"type":"certificate","timestamp":1},"timestamp":1795159383861}"#;
    let next = r#"{"outbound-1":{"bytesSent":25,"timestamp":0},"T":{},"CP":{"timestamp":0},"timestamp":1795159384861}"#;
    let entry = |kind: &str, connection: &str, payload: &str, number: u32| {
        let data =
            format!("[\"{kind}\",{connection},{payload},{},{number}]", 1_795_159_383_861_u64 + u64::from(number));
        let data = serde_json::Value::from(data);
        format!(r#"{{"statsSessionId":"{JITSI_SESSION}","type":"stats-entry","data":{data}}}"#)
    };
    vec![
        format!(
            r#"{{"statsSessionId":"{JITSI_SESSION}","type":"identity","data":["identity",null,{{"confName":"a"}},1795159383861,1]}}"#
        ),
        entry("create", "\"PC_0\"", r#"{"iceServers":[{"urls":"turn:192.0.2.7"}]}"#, 2),
        entry("addTrack", "\"PC_0\"", r#""audio:a stream:s;stream:t""#, 3),
        entry("getstats", "\"PC_0\"", first, 4),
        entry("getstats", "\"PC_0\"", next, 5),
        entry("createDataChannel", "\"PC_0\"", r#"{"0":"chat","1":null}"#, 6),
        entry("getUserMediaOnSuccess", "null", r#"{"id":"s","tracks":[{"kind":"audio","id":"a","label":"mic"}]}"#, 7),
        entry(
            "onicecandidate",
            "\"PC_0\"",
            r#"{"candidate":"candidate:1 1 udp 1 192.0.2.7 9 typ host","sdpMid":"0"}"#,
            8,
        ),
        entry("dominantSpeaker", "null", "\"x\"", 12),
        entry("close", "\"PC_0\"", "null", 13),
        format!(r#"{{"statsSessionId":"{JITSI_SESSION}","type":"keepalive"}}"#),
        r#"{"statsSessionId":"jvb-7","type":"stats-entry","data":{"timestamp":1795159383861,"loss":0.5}}"#.to_owned(),
        r#"{"statsSessionId":"jvb-8","type":"logs","data":["a\nb"]}"#.to_owned(),
        format!(r#"{{"statsSessionId":"{JITSI_SESSION}","type":"close"}}"#),
    ]
}

/// Sockets of Jitsi's client and backends.
pub(super) fn jitsi() -> Vec<Vec<u8>> {
    let messages = messages();
    let split = messages.len() / 2;
    let (begin, rest) = messages.split_at(split);
    let as_text = |messages: &[String]| messages.iter().map(|message| format!("t{message}")).collect::<Vec<_>>();
    let mut seeds = Vec::new();
    for which in 0..7_u8 {
        let with = |seed: Vec<u8>| [&[which][..], &seed].concat();
        seeds.push(with(script(&as_text(&messages))));
        seeds.push(with(format!("t{}", messages.concat()).into_bytes()));
        let again = [as_text(begin), vec!["k".to_owned()], as_text(&messages), vec!["r".to_owned()], as_text(rest)];
        seeds.push(with(script(&again.concat())));
        // A stream knows no messages: values may stand in several of them.
        let all = messages.concat();
        let (left, right) = all.split_at(all.len() / 2 + 1);
        seeds.push(with(script(&[format!("t{left}"), format!("b{right}"), "r".to_owned(), format!("f{all}")])));
    }
    seeds
}

/// Dumps of all formats.
pub(super) fn dumps() -> Vec<Vec<u8>> {
    let mut dumps: Vec<Vec<u8>> =
        recordings().map(|(header, lines)| (header + &lines.join("\n") + "\n").into_bytes()).into();
    let start = r#"["connectionInfo",null,{"path":"/a","origin":"https://a","userAgent":"x","clientProtocol":"3.1_STANDARD","statsFormat":"chrome_standard"},1795159383861]"#;
    let entry = |message: String| {
        let message: serde_json::Value = serde_json::from_str(&message).ok()?;
        message["data"].as_str().map(str::to_owned)
    };
    let entries: Vec<String> = messages().into_iter().filter_map(entry).collect();
    dumps.push(format!("{start}\n{}\n", entries.join("\n")).into_bytes());
    let objects: Vec<String> = messages().into_iter().filter(|message| message.contains("jvb")).collect();
    dumps.push(format!("{start}\n{}\n", objects.join("\n")).into_bytes());
    dumps.extend(internals());
    dumps
}

/// Both dumps of `chrome://webrtc-internals`, in small.
fn internals() -> [Vec<u8>; 2] {
    let document = r#"{
 "getUserMedia": [
  {"rid":7,"pid":9,"request_id":0,"request_type":"getUserMedia","audio":"","video":"{\"width\":1}","timestamp":1795159383861},
  {"rid":7,"pid":9,"request_id":0,"stream_id":"s","audio_track_info":"{\"id\":\"a\",\"label\":\"mic\"}","timestamp":"1795159383862"}
 ],
 "PeerConnections": {"7-1": {
  "pid":9,"rtcConfiguration":"{\"iceServers\":[{\"urls\":\"turn:192.0.2.7\"}]}","url":"https://a/b",
  "updateLog":[
   {"type":"addTrack","value":"{\"kind\":\"audio\",\"id\":\"a\",\"streams\":[\"s\"]}","timestamp":1795159383863},
   {"type":"setLocalDescription","value":"type: offer, sdp: v=0\r\nc=IN IP4 192.0.2.7\r\n","time":"11/20/2026, 7:23:04 AM"},
   {"type":"transceiverModified","value":"{\"kind\":\"audio\",\"sender\":{\"track\":\"b\"},\"transceiverIndex\":0}"}
  ],
  "stats":{
   "T-bytesSent":{"startTime":"2026-11-20T07:23:04.861Z","endTime":"2026-11-20T07:23:05.861Z","statsType":"transport","values":"[1,2]"},
   "T-timestamp":{"startTime":"2026-11-20T07:23:04.861Z","endTime":"2026-11-20T07:23:05.861Z","statsType":"transport","values":"[1795159384861,1795159385861]"},
   "R-jitter":{"startTime":"2026-11-20T07:23:05.000Z","endTime":"2026-11-20T07:23:05.000Z","statsType":"remote-inbound-rtp","values":"[0.5]"}
  }
 }},
 "UserAgent": "x"
}"#;
    let lines = [
        "RTCStatsDump",
        r#"{"fileFormat":3}"#,
        r#"["create",null,{},1795159383861]"#,
        r#"["navigator.mediaDevices.getUserMedia","7-0",{"audio":""},"getUserMedia-7-9-0",1.5]"#,
        r#"["onconnectionstatechange","7-1","\"connected\"",1]"#,
        r#"["getStats","7-1",{"A":{"id":"A","timestamp":5,"type":"transport","[x/s]":1}},1]"#,
        r#"["close","7-1",null,-1]"#,
        r#"["remove","7-1",null,1]"#,
    ];
    [document.as_bytes().to_vec(), (lines.join("\n") + "\n").into_bytes()]
}
