//! Statistics as clients of Sora's have them: browsers' of today, and those of native clients of years ago, whose entries have types and
//! members that are no more, and times in microseconds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use super::{Link, base32, body, notice, reports, session_of, start};
use crate::support::*;

/// What no line of the format carries.
const NEVER: [&str; 7] = ["id", "localCertificateId", "remoteCertificateId", "isRemote", "ip", "mediaType", "writable"];

/// Clients by name, with a report of each.
pub(crate) fn all() -> Vec<(&'static str, Value)> {
    vec![("CHROME", chrome()), ("FIREFOX", firefox()), ("SAFARI", safari()), ("NATIVE", native())]
}

fn chrome() -> Value {
    let t = 1_795_983_300_000.125;
    json!([
        {"id": "AP", "timestamp": t, "type": "media-playout", "kind": "audio", "synthesizedSamplesDuration": 0, "synthesizedSamplesEvents": 0, "totalPlayoutDelay": 12.5, "totalSamplesCount": 480, "totalSamplesDuration": 0.01},
        {"id": "CF1A:A5", "timestamp": t, "type": "certificate", "fingerprint": "1A:A5", "base64Certificate": "MIIC=", "fingerprintAlgorithm": "sha-256"},
        {"id": "COTdata1_109_maxplaybackrate=48000;stereo=1", "timestamp": t, "type": "codec", "channels": 2, "clockRate": 48000, "mimeType": "audio/opus", "sdpFmtpLine": "maxplaybackrate=48000;stereo=1", "payloadType": 109, "transportId": "Tdata1"},
        {"id": "COTdata1_120_profile-id=0", "timestamp": t, "type": "codec", "clockRate": 90000, "mimeType": "video/VP9", "sdpFmtpLine": "profile-id=0", "payloadType": 120, "transportId": "Tdata1"},
        {"id": "CPqfyUIFh+_3mAEp7AD", "priority": 9_115_005_270_282_338_814_u64, "timestamp": t, "type": "candidate-pair", "state": "succeeded", "availableOutgoingBitrate": 500_000, "bytesDiscardedOnSend": 0, "bytesReceived": 1490, "bytesSent": 1313, "consentRequestsSent": 1, "currentRoundTripTime": 0.001, "lastPacketReceivedTimestamp": 1_795_983_299_555_i64, "localCandidateId": "IqfyUIFh+", "nominated": true, "packetsSent": 10, "remoteCandidateId": "I3mAEp7AD", "totalRoundTripTime": 0.001, "transportId": "Tdata1", "writable": true},
        {"id": "D1", "label": "signaling", "timestamp": t, "type": "data-channel", "state": "open", "protocol": "", "bytesReceived": 0, "bytesSent": 7, "dataChannelIdentifier": 1, "messagesReceived": 0, "messagesSent": 1},
        {"id": "I3mAEp7AD", "port": 11490, "priority": 1, "timestamp": t, "type": "remote-candidate", "protocol": "udp", "address": "192.0.2.1", "ip": "192.0.2.1", "candidateType": "host", "foundation": "0", "isRemote": true, "transportId": "Tdata1", "usernameFragment": "ZJC71rU0h0ry"},
        {"id": "IqfyUIFh+", "port": 11490, "priority": 41_820_415, "timestamp": t, "type": "local-candidate", "protocol": "udp", "address": "192.0.2.7", "ip": "192.0.2.7", "url": "turn:192.168.1.187:49649?transport=udp", "candidateType": "relay", "foundation": "3141096367", "isRemote": false, "networkType": "wifi", "relayProtocol": "udp", "transportId": "Tdata1", "usernameFragment": "b4lt"},
        {"id": "ITdata1V5", "timestamp": t, "type": "inbound-rtp", "kind": "video", "ssrc": 5, "mid": "video_x", "trackIdentifier": "t5", "codecId": "COTdata1_120_profile-id=0", "jitter": 0.004, "packetsLost": -1, "packetsReceived": 100, "bytesReceived": 4000, "framesDecoded": 30, "framesPerSecond": 29.5, "frameWidth": 1280, "frameHeight": 720, "decoderImplementation": "libvpx", "powerEfficientDecoder": false, "estimatedPlayoutTimestamp": 3_993_000_000_000.5, "transportId": "Tdata1", "googTimingFrameInfo": "1,2,3"},
        {"active": true, "id": "OTdata1A31", "timestamp": t, "type": "outbound-rtp", "kind": "audio", "ssrc": 3_142_964_436_u32, "mid": "audio_3", "bytesSent": 0, "codecId": "COTdata1_109_maxplaybackrate=48000;stereo=1", "mediaSourceId": "SA1", "mediaType": "audio", "nackCount": 0, "packetsSent": 0, "totalPacketSendDelay": 0, "transportId": "Tdata1"},
        {"active": true, "id": "OTdata1V33", "timestamp": t, "type": "outbound-rtp", "kind": "video", "ssrc": 3_347_189_688_u32, "rid": "r0", "bytesSent": 9000, "codecId": "COTdata1_120_profile-id=0", "encodingIndex": 0, "mediaSourceId": "SV2", "mediaType": "video", "packetsSent": 12, "qualityLimitationDurations": {"none": 1.25, "cpu": 0, "other": 0, "bandwidth": 0.5}, "qualityLimitationReason": "none", "rtxSsrc": 561_799_165, "targetBitrate": 500_000.5, "transportId": "Tdata1"},
        {"id": "P", "timestamp": t, "type": "peer-connection", "dataChannelsClosed": 0, "dataChannelsOpened": 4},
        {"id": "RIV33", "timestamp": t - 600.0, "type": "remote-inbound-rtp", "kind": "video", "ssrc": 3_347_189_688_u32, "codecId": "COTdata1_120_profile-id=0", "localId": "OTdata1V33", "fractionLost": 0.25, "packetsLost": 3, "jitter": 0.001, "roundTripTime": 0.02, "roundTripTimeMeasurements": 2, "totalRoundTripTime": 0.04, "transportId": "Tdata1"},
        {"id": "ROV5", "timestamp": t - 900.0, "type": "remote-outbound-rtp", "kind": "video", "ssrc": 5, "localId": "ITdata1V5", "remoteTimestamp": t - 950.0, "packetsSent": 101, "bytesSent": 4100, "reportsSent": 1, "transportId": "Tdata1"},
        {"id": "SA1", "timestamp": t, "type": "media-source", "kind": "audio", "audioLevel": 0.5, "totalAudioEnergy": 0.25, "totalSamplesDuration": 0.12, "trackIdentifier": "66d0c0ae"},
        {"id": "SV2", "timestamp": t, "type": "media-source", "kind": "video", "width": 640, "height": 480, "frames": 12, "framesPerSecond": 30, "trackIdentifier": "77d0c0ae"},
        {"id": "Tdata1", "timestamp": t, "type": "transport", "bytesReceived": 1490, "bytesSent": 1313, "dtlsCipher": "TLS_AES_128_GCM_SHA256", "dtlsRole": "client", "dtlsState": "connected", "iceRole": "controlled", "iceState": "connected", "localCertificateId": "CF1A:A5", "selectedCandidatePairChanges": 1, "selectedCandidatePairId": "CPqfyUIFh+_3mAEp7AD", "srtpCipher": "AES_CM_128_HMAC_SHA1_80", "tlsVersion": "FEFC"},
    ])
}

/// Candidates without `transportId`, no transport, and ids that are digests.
fn firefox() -> Value {
    let t = 1_795_983_300_000.0;
    json!([
        {"id": "1d2c", "timestamp": t, "type": "codec", "codecType": "encode", "payloadType": 109, "mimeType": "audio/opus", "clockRate": 48000, "channels": 2, "transportId": "transport_0"},
        {"id": "88f0", "timestamp": t, "type": "local-candidate", "address": "192.0.2.5", "candidateType": "host", "componentId": 1, "port": 50001, "priority": 2_122_252_543, "protocol": "udp", "proxied": "non-proxied"},
        {"id": "99f0", "timestamp": t, "type": "remote-candidate", "address": "192.0.2.6", "candidateType": "srflx", "port": 50002, "priority": 1_686_052_607, "protocol": "udp"},
        {"id": "3a3b", "timestamp": t, "type": "candidate-pair", "componentId": 1, "localCandidateId": "88f0", "remoteCandidateId": "99f0", "nominated": true, "selected": true, "readable": true, "writable": true, "priority": 9_115_038_255_631_187_454_u64, "state": "succeeded", "bytesSent": 10, "bytesReceived": 20, "lastPacketSentTimestamp": 1_795_983_299_990_i64, "transportId": "transport_0"},
        {"id": "5e5f", "timestamp": t, "type": "inbound-rtp", "kind": "audio", "mediaType": "audio", "ssrc": 77, "jitter": 0.001, "packetsReceived": 5, "packetsLost": 0, "bytesReceived": 500, "codecId": "1d2c", "trackIdentifier": "{4f2c}", "mid": "0", "playoutId": "", "remoteId": "6e6f"},
        {"id": "6e6f", "timestamp": t - 1000.0, "type": "remote-outbound-rtp", "kind": "audio", "mediaType": "audio", "ssrc": 77, "codecId": "1d2c", "localId": "5e5f", "bytesSent": 510, "packetsSent": 6, "remoteTimestamp": t - 1001.0},
        {"id": "7e7f", "timestamp": t, "type": "outbound-rtp", "kind": "video", "mediaType": "video", "ssrc": 78, "bitrateMean": 1.5e6, "bitrateStdDev": 12.25, "framerateMean": 29.97, "framesEncoded": 3, "qpSum": 30, "remoteId": "8e8f", "codecId": "1d2c"},
        {"id": "8e8f", "timestamp": t - 500.0, "type": "remote-inbound-rtp", "kind": "video", "mediaType": "video", "ssrc": 78, "localId": "7e7f", "jitter": 0.02, "packetsLost": 0, "roundTripTime": 0.05},
        {"id": "9e9f", "timestamp": t, "type": "media-source", "kind": "video", "trackIdentifier": "{5f2c}", "width": 320, "height": 240, "framesPerSecond": 15},
        {"id": "pc", "timestamp": t, "type": "peer-connection", "dataChannelsOpened": 1, "dataChannelsClosed": 0},
        {"id": "dc", "timestamp": t, "type": "data-channel", "label": "stats", "state": "open", "bytesSent": 1, "bytesReceived": 2, "messagesSent": 1, "messagesReceived": 1, "dataChannelIdentifier": 7},
    ])
}

/// Codecs without `transportId`.
fn safari() -> Value {
    let t = 1_795_983_300_000.5;
    json!([
        {"id": "CO1_98", "timestamp": t, "type": "codec", "payloadType": 98, "mimeType": "video/H264", "clockRate": 90000, "sdpFmtpLine": "profile-level-id=42e01f"},
        {"id": "OT1V1", "timestamp": t, "type": "outbound-rtp", "kind": "video", "ssrc": 1, "bytesSent": 100, "framesSent": 2, "frameWidth": 640, "codecId": "CO1_98", "mediaSourceId": "SV1", "transportId": "T1", "encoderImplementation": "VideoToolbox", "qualityLimitationDurations": {"bandwidth": 0, "none": 2.5}},
        {"id": "IT1A2", "timestamp": t, "type": "inbound-rtp", "kind": "audio", "ssrc": 2, "audioLevel": 0, "concealedSamples": 480, "jitterBufferDelay": 0.5, "totalSamplesReceived": 48000, "trackIdentifier": "a", "transportId": "T1"},
        {"id": "SV1", "timestamp": t, "type": "media-source", "kind": "video", "width": 640, "height": 360, "trackIdentifier": "v"},
        {"id": "T1", "timestamp": t, "type": "transport", "bytesSent": 100, "dtlsState": "connected", "selectedCandidatePairId": "CP1", "localCertificateId": "CF1"},
        {"id": "CP1", "timestamp": t, "type": "candidate-pair", "state": "succeeded", "nominated": true, "localCandidateId": "I1", "remoteCandidateId": "I2", "transportId": "T1", "currentRoundTripTime": 0.03},
        {"id": "I1", "timestamp": t, "type": "local-candidate", "candidateType": "host", "address": "", "port": 0, "protocol": "udp", "transportId": "T1"},
        {"id": "I2", "timestamp": t, "type": "remote-candidate", "candidateType": "host", "address": "2001:db8::7", "port": 9, "protocol": "udp", "transportId": "T1"},
        {"id": "AP", "timestamp": t, "type": "media-playout", "kind": "audio", "totalPlayoutDelay": 1.5, "totalSamplesCount": 100},
    ])
}

/// As the SDKs for iOS, Android and Unity, and Momo, had them.
fn native() -> Value {
    let t = 1_795_983_300_000_125_i64;
    json!([
        {"id": "RTCCodec_video_Outbound_120", "timestamp": t, "type": "codec", "payloadType": 120, "mimeType": "video/VP9", "clockRate": 90000},
        {"id": "RTCOutboundRTPVideoStream_148236668", "timestamp": t, "type": "outbound-rtp", "ssrc": 148_236_668, "isRemote": false, "mediaType": "video", "kind": "video", "trackId": "RTCMediaStreamTrack_sender_2", "transportId": "RTCTransport_0_1", "codecId": "RTCCodec_video_Outbound_120", "firCount": 0, "pliCount": 1, "nackCount": 2, "qpSum": 300, "mediaSourceId": "RTCVideoSource_2", "packetsSent": 12, "bytesSent": 3456, "framesEncoded": 4, "totalEncodeTime": 0.125},
        {"id": "RTCInboundRTPAudioStream_99", "timestamp": t, "type": "inbound-rtp", "ssrc": 99, "isRemote": false, "mediaType": "audio", "kind": "audio", "trackId": "RTCMediaStreamTrack_receiver_5", "transportId": "RTCTransport_0_1", "packetsReceived": 7, "bytesReceived": 700, "packetsLost": 0, "lastPacketReceivedTimestamp": 3600.25, "jitter": 0.001, "fractionLost": 0},
        {"id": "RTCMediaStreamTrack_sender_2", "timestamp": t, "type": "track", "trackIdentifier": "v", "mediaSourceId": "RTCVideoSource_2", "remoteSource": false, "ended": false, "detached": false, "kind": "video", "frameWidth": 640, "frameHeight": 480, "framesSent": 4, "hugeFramesSent": 0},
        {"id": "RTCMediaStreamTrack_receiver_5", "timestamp": t, "type": "track", "trackIdentifier": "a", "remoteSource": true, "ended": false, "detached": false, "kind": "audio", "jitterBufferDelay": 0.25, "audioLevel": 0.5},
        {"id": "RTCMediaStream_local", "timestamp": t, "type": "stream", "streamIdentifier": "local", "trackIds": ["RTCMediaStreamTrack_sender_2"]},
        {"id": "RTCCsrc_1", "timestamp": t, "type": "csrc", "contributorSsrc": 1, "inboundRtpStreamId": "RTCInboundRTPAudioStream_99", "packetsContributedTo": 3},
        {"id": "RTCVideoSource_2", "timestamp": t, "type": "media-source", "trackIdentifier": "v", "kind": "video", "width": 640, "height": 480, "framesPerSecond": 30},
        {"id": "RTCTransport_0_1", "timestamp": t, "type": "transport", "bytesSent": 3456, "bytesReceived": 700, "dtlsState": "connected", "selectedCandidatePairId": "RTCIceCandidatePair_aaaa_bbbb", "selectedCandidatePairChanges": 1},
        {"id": "RTCIceCandidatePair_aaaa_bbbb", "timestamp": t, "type": "candidate-pair", "transportId": "RTCTransport_0_1", "localCandidateId": "RTCIceCandidate_aaaa", "remoteCandidateId": "RTCIceCandidate_bbbb", "state": "succeeded", "priority": 179_616_219_446_525_440_u64, "nominated": true, "writable": true, "bytesSent": 3456, "totalRoundTripTime": 0.002},
        {"id": "RTCIceCandidate_aaaa", "timestamp": t, "type": "local-candidate", "transportId": "RTCTransport_0_1", "isRemote": false, "networkType": "wifi", "ip": "192.0.2.9", "address": "192.0.2.9", "port": 5000, "protocol": "udp", "candidateType": "host", "priority": 2_122_260_223, "deleted": false},
        {"id": "RTCIceCandidate_bbbb", "timestamp": t, "type": "remote-candidate", "transportId": "RTCTransport_0_1", "isRemote": true, "ip": "192.0.2.10", "address": "192.0.2.10", "port": 5001, "protocol": "udp", "candidateType": "host", "priority": 2_130_706_431, "deleted": false},
        {"id": "RTCPeerConnection", "timestamp": t, "type": "peer-connection", "dataChannelsOpened": 0, "dataChannelsClosed": 0},
    ])
}

fn millis(entry: &Value) -> f64 {
    let time = entry["timestamp"].as_f64().unwrap();
    if time >= 1e14 { time / 1000.0 } else { time }
}

/// The members of an entry that a line carries, with references as lines have them.
fn carried<'a>(entry: &'a Value, ids: &HashMap<String, String>) -> impl Iterator<Item = (&'a str, Value)> {
    let is_carried = |name: &str| !NEVER.contains(&name) && name != "timestamp" && name != "type";
    let members = entry.as_object().unwrap().iter().filter(move |(name, _)| is_carried(name));
    let ids = ids.clone();
    members.map(move |(name, value)| {
        let named = value.as_str().filter(|_| name.ends_with("Id")).and_then(|id| ids.get(id));
        (name.as_str(), named.map_or(value.clone(), |short| json!(short)))
    })
}

/// Holds a report of a dump against the entries that were pushed; says what the entries are called there.
pub(crate) fn assert_report(
    client: &str,
    stats: &Value,
    report: &BTreeMap<String, Value>,
    lines: &[String],
) -> HashMap<String, String> {
    let ids: HashMap<String, String> =
        report.iter().map(|(id, entry)| (id.clone(), entry["id"].as_str().unwrap().to_owned())).collect();
    let pushed: Vec<&Value> = stats.as_array().unwrap().iter().filter(|entry| entry["type"] != "certificate").collect();
    assert_eq!(report.len(), pushed.len(), "{client}: {lines:?}");
    for entry in pushed {
        let held = &report[entry["id"].as_str().unwrap()];
        assert_eq!(
            (&held["type"], held["timestamp"].as_f64()),
            (&entry["type"], Some(millis(entry))),
            "{client}: {held}"
        );
        let mut count = 3;
        for (name, value) in carried(entry, &ids) {
            assert!(is_same(&held[name], &value), "{client}: {name} of {held} is {value} in {entry}");
            count += 1;
        }
        assert_eq!(held.as_object().unwrap().len(), count, "{client}: {held}");
    }
    // What no report carries of certificates stands beside what is said of the connection.
    let line = lines.iter().rev().find(|line| line.starts_with("[\":sora.connection\"")).unwrap();
    let told = &serde_json::from_str::<Value>(line).unwrap()[2];
    for entry in stats.as_array().unwrap() {
        let mut kept = entry.as_object().unwrap().clone();
        let place = if entry["type"] == "certificate" { "certificates" } else { "transports" };
        let is_own = |name: &str| !["id", "type", "timestamp"].contains(&name);
        kept.retain(|name, _| if place == "certificates" { is_own(name) } else { name.ends_with("CertificateId") });
        if !kept.is_empty() {
            assert_eq!(told[place][entry["id"].as_str().unwrap()], Value::Object(kept), "{client}: {told}");
        }
        // What these say, another member says, too.
        for (obsolete, member) in [("ip", "address"), ("mediaType", "kind")] {
            assert!(entry[obsolete].is_null() || entry[obsolete] == entry[member], "{client}: {entry}");
        }
    }
    ids
}

/// Holds the rows of the database against the entries that were pushed: each value is in its column, or beside them.
pub(crate) async fn assert_rows(
    collector: &Collector,
    session: &str,
    client: &str,
    stats: &Value,
    ids: &HashMap<String, String>,
) {
    for entry in stats.as_array().unwrap().iter().filter(|entry| entry["type"] != "certificate") {
        let kind = entry["type"].as_str().unwrap();
        let table = match kind {
            "local-candidate" | "remote-candidate" => "stats_ice_candidate".to_owned(),
            "track" | "stream" | "csrc" => "stats_other".to_owned(),
            kind => format!("stats_{}", kind.replace('-', "_")),
        };
        let short = &ids[entry["id"].as_str().unwrap()];
        let rows = collector
            .query(&format!("SELECT * FROM {table} WHERE session_id = '{session}' AND stats_id = '{short}'"))
            .await;
        assert_eq!(rows.len(), 1, "{client}: {entry} in {table}");
        let row = &rows[0];
        let extra = as_json(row.get("extra"));
        assert_eq!(extra["rtc_id"], entry["id"], "{client}: by this it is found in Sora's log");
        let time = match &row["time"] {
            Value::String(text) => {
                chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros() as f64 / 1000.0
            }
            number => number.as_f64().unwrap(),
        };
        assert_eq!(time, millis(entry), "{client}: {entry}");
        for (name, value) in carried(entry, ids) {
            let column = row.get(&snake(name)).filter(|cell| !cell.is_null());
            let held = column.map_or_else(
                || extra[name].clone(),
                |cell| match value {
                    Value::Object(_) | Value::Array(_) => as_json(Some(cell)),
                    _ => cell.clone(),
                },
            );
            assert!(is_same(&held, &value), "{client}: {name} is {value} in {entry}, and {held} in {row:?}");
        }
    }
}

/// JSON: a text in SQLite.
fn as_json(cell: Option<&Value>) -> Value {
    match cell {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap(),
        other => other.cloned().unwrap_or(Value::Object(Map::new())),
    }
}

fn snake(member: &str) -> String {
    member.chars().flat_map(|c| c.is_ascii_uppercase().then_some('_').into_iter().chain(c.to_lowercase())).collect()
}

/// A whole number may be held as one with a fraction, and a boolean as 0 or 1, but a number is that number.
fn is_same(held: &Value, value: &Value) -> bool {
    match (held, value) {
        (Value::Number(held), Value::Bool(value)) => held.as_i64() == Some(i64::from(*value)),
        (Value::Number(held), Value::Number(value)) => {
            let is_small = value.as_f64().is_some_and(|value| value.abs() < 9e15);
            held == value || is_small && held.as_f64() == value.as_f64()
        }
        (Value::Object(held), Value::Object(value)) => {
            held.len() == value.len() && value.iter().all(|(name, value)| is_same(&held[name], value))
        }
        _ => held == value,
    }
}

#[tokio::test]
async fn whatever_a_client_says_is_read_back_value_by_value() {
    let collector = start(&[("RTCTRACE_PRIVACY_ADDRESSES", "false")]);
    let (by_http2, by_http1) = (Link::http2(&collector).await, Link::http1(&collector));
    for (number, (name, stats)) in all().into_iter().enumerate() {
        let connection = base32(name);
        let mut push = body(&connection, 0, &stats);
        let link = if number % 2 == 0 { &by_http2 } else { &by_http1 };
        if number == 0 {
            push["type"] = json!("connection.user-agent");
            push["multistream"] = json!(true);
        }
        assert_eq!(link.push(&push).await, 204, "{name}");
        link.tell("/sora/webhook/event", &notice("connection.destroyed", Some(&connection))).await;
        let id = session_of(&collector, &connection).await;
        let (header, lines) = collector.dump(&id).await;
        assert_eq!(
            (&header["clientProtocol"], &header["conference"], &header["user"]),
            (&json!("sora"), &json!("standup"), &json!("ann"))
        );
        let ids = assert_report(name, &stats, &reports(&lines)[0].1, &lines);
        assert_rows(&collector, &id, name, &stats, &ids).await;
        let session = collector.session(&id).await;
        let said = (
            &session["source"],
            &session["dialect"],
            &session["conference"],
            &session["outcome"],
            &session["closeCode"],
        );
        assert_eq!(
            said,
            (&json!("sora"), &json!("sora"), &json!("standup"), &json!("connected"), &json!(1000)),
            "{session}"
        );
        let multistream = if number == 0 { json!(true) } else { Value::Null };
        assert_eq!(
            session["sora"],
            json!({
                "connectionId": connection, "sessionId": base32("CHANNEL"), "bundleId": connection, "role": "sendrecv",
                "multistream": multistream, "simulcast": false, "spotlight": false,
                "node": "sora@10.0.0.1", "version": "2025.2.1", "label": "rooms",
            })
        );
        let features = &session["features"]["connections"];
        assert_eq!(
            (&features[0]["id"], &features[0]["connected"]),
            (&json!(connection), &json!(true)),
            "{name}: {features}"
        );
        for untold in ["timeToFirstVideoPacket", "iceConnected", "numberOfNegotiations", "closed", "sdpSetFailures"] {
            assert_eq!(features[0][untold], Value::Null, "{name}: {untold}");
        }
        let kinds = stats.as_array().unwrap().iter().filter_map(|entry| entry["type"].as_str()?.strip_suffix("-rtp"));
        let streams: BTreeSet<String> = kinds.filter(|kind| !kind.starts_with("remote")).map(str::to_owned).collect();
        let tracks = collector.query(&format!("SELECT direction FROM features_track WHERE session_id = '{id}'")).await;
        let tracks: BTreeSet<String> =
            tracks.iter().map(|track| track["direction"].as_str().unwrap().to_owned()).collect();
        assert_eq!(tracks, streams, "{name}");
    }
    let of_channel =
        collector.get(&format!("/api/v1/sessions?soraSession={}&source=sora", base32("CHANNEL"))).await.json();
    assert_eq!(of_channel["sessions"].as_array().unwrap().len(), all().len());
}
