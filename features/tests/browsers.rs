//! Reports as Firefox and Safari have them: what they can give comes out, what they cannot is absent.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

mod common;

use common::connection;
use rtctrace_features::{ConnectionFeatures, TrackFeatures};

/// The lines of a call that sends and receives audio and video, with one report a second.
fn lines(reports: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = [
        r#"["create","PC_0",{},1700000000000]"#,
        r#"["addTrack","PC_0",["audio","mic","","s"],0]"#,
        r#"["addTrack","PC_0",["video","cam","","s"],0]"#,
        r#"["ontrack","PC_0",["audio","far-audio","","t"],0]"#,
        r#"["ontrack","PC_0",["video","far-video","","t"],0]"#,
        r#"["oniceconnectionstatechange","PC_0","checking",0]"#,
        r#"["oniceconnectionstatechange","PC_0","connected",100]"#,
        r#"["onconnectionstatechange","PC_0","connecting",0]"#,
        r#"["onconnectionstatechange","PC_0","connected",100]"#,
    ]
    .map(str::to_owned)
    .into();
    lines.extend(reports.iter().map(|report| format!(r#"["getStats","PC_0",{report},1000]"#)));
    lines
}

fn call(reports: &[String]) -> ConnectionFeatures {
    let lines = lines(reports);
    connection(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

fn track<'f>(features: &'f ConnectionFeatures, id: &str) -> &'f TrackFeatures {
    features.tracks.iter().find(|track| track.track_identifier.as_deref() == Some(id)).unwrap()
}

/// Within what the buckets of a distribution tell apart.
fn close(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() <= expected.abs() / 128.0 + 1e-12)
}

/// A report of Firefox 128 at `second`: whole, as the first of a dump, and later ones with what has changed.
///
/// It has no transport, no `mediaSourceId`, no limits of quality, no implementations, no candidates' networks and no round trip time of the
/// pair in use, which says itself that it is selected. What its far end says of what is sent is all that it knows of delay.
fn firefox(second: u64) -> String {
    let n = second;
    let time = 1_700_000_000_200 + 1000 * n;
    let entries = [
        format!(
            r#""ca":{{"type":"codec","timestamp":{time},"payloadType":109,"transportId":"t0","mimeType":"audio/opus","clockRate":48000,"channels":2,"sdpFmtpLine":"maxplaybackrate=48000;stereo=1;useinbandfec=1"}}"#
        ),
        format!(
            r#""cv":{{"type":"codec","timestamp":{time},"payloadType":120,"transportId":"t0","mimeType":"video/VP8","clockRate":90000,"sdpFmtpLine":"max-fs=12288;max-fr=60"}}"#
        ),
        format!(
            r#""ia":{{"type":"inbound-rtp","timestamp":{time},"ssrc":1,"kind":"audio","mediaType":"audio","codecId":"ca","trackIdentifier":"far-audio","mid":"0","jitter":0.002,"packetsReceived":{},"packetsLost":{n},"discardedPackets":0,"jitterBufferDelay":{},"jitterBufferEmittedCount":{},"totalSamplesReceived":{},"concealedSamples":{},"silentConcealedSamples":0}}"#,
            49 * n,
            2400 * n,
            48_000 * n,
            48_000 * n,
            480 * n
        ),
        format!(
            r#""iv":{{"type":"inbound-rtp","timestamp":{time},"ssrc":2,"kind":"video","mediaType":"video","codecId":"cv","trackIdentifier":"far-video","mid":"1","jitter":0.01,"packetsReceived":{},"packetsLost":0,"bytesReceived":{},"framesDecoded":{},"frameWidth":640,"frameHeight":480,"framesPerSecond":30,"totalDecodeTime":{},"totalInterFrameDelay":{n},"freezeCount":1,"totalFreezesDuration":0.5,"framesDropped":0,"nackCount":0,"firCount":0,"pliCount":1}}"#,
            100 * n,
            125_000 * n,
            30 * n,
            0.03 * n as f64
        ),
        format!(
            r#""oa":{{"type":"outbound-rtp","timestamp":{time},"ssrc":3,"kind":"audio","mediaType":"audio","codecId":"ca","mid":"0","remoteId":"ra","packetsSent":{},"bytesSent":{}}}"#,
            50 * n,
            5000 * n
        ),
        format!(
            r#""ov":{{"type":"outbound-rtp","timestamp":{time},"ssrc":4,"kind":"video","mediaType":"video","codecId":"cv","mid":"1","remoteId":"rv","packetsSent":{},"bytesSent":{},"framesEncoded":{},"frameWidth":640,"frameHeight":480,"nackCount":0,"firCount":0,"pliCount":0,"qpSum":{},"totalEncodeTime":{}}}"#,
            90 * n,
            100_000 * n,
            25 * n,
            500 * n,
            0.1 * n as f64
        ),
        format!(
            r#""ra":{{"type":"remote-inbound-rtp","timestamp":{time},"ssrc":3,"kind":"audio","mediaType":"audio","localId":"oa","jitter":0.004,"packetsLost":{n},"fractionLost":0.02,"roundTripTime":0.1,"roundTripTimeMeasurements":{n},"totalRoundTripTime":{}}}"#,
            0.1 * n as f64
        ),
        format!(
            r#""rv":{{"type":"remote-inbound-rtp","timestamp":{time},"ssrc":4,"kind":"video","mediaType":"video","localId":"ov","jitter":0.006,"packetsLost":0,"fractionLost":0,"roundTripTime":0.1,"roundTripTimeMeasurements":{n},"totalRoundTripTime":{}}}"#,
            0.1 * n as f64
        ),
        format!(r#""sa":{{"type":"media-source","timestamp":{time},"kind":"audio","trackIdentifier":"mic"}}"#),
        format!(
            r#""sv":{{"type":"media-source","timestamp":{time},"kind":"video","trackIdentifier":"cam","width":640,"height":480,"frames":{},"framesPerSecond":30}}"#,
            30 * n
        ),
        format!(
            r#""l":{{"type":"local-candidate","timestamp":{time},"address":"192.0.2.1","port":50000,"protocol":"udp","candidateType":"host","priority":2122252543}}"#
        ),
        format!(
            r#""r":{{"type":"remote-candidate","timestamp":{time},"address":"198.51.100.1","port":3478,"protocol":"udp","candidateType":"relay","priority":8331263}}"#
        ),
        format!(
            r#""p":{{"type":"candidate-pair","timestamp":{time},"transportId":"t0","localCandidateId":"l","remoteCandidateId":"r","state":"succeeded","nominated":true,"selected":true,"writable":true,"readable":true,"bytesSent":{},"bytesReceived":{}}}"#,
            105_000 * n,
            130_000 * n
        ),
        format!(
            r#""q":{{"type":"candidate-pair","timestamp":{time},"transportId":"t0","localCandidateId":"l","remoteCandidateId":"x","state":"failed","nominated":false,"selected":false}}"#
        ),
    ];
    format!("{{{},\"t\":{time}}}", entries.join(","))
}

fn in_firefox() -> ConnectionFeatures {
    call(&(1..=5).map(firefox).collect::<Vec<_>>())
}

#[test]
fn what_firefox_tells_of_the_connection_comes_out_and_what_it_does_not_is_absent() {
    let features = in_firefox();
    assert!(features.connected);
    assert_eq!(features.ice_path.as_deref(), Some("host"));
    assert_eq!(features.uses_relay, Some(true));
    assert_eq!(features.last_candidate_pair_local_address.as_deref(), Some("192.0.2.1"));
    assert_eq!(features.last_candidate_pair_remote_type.as_deref(), Some("relay"));
    assert_eq!((features.packets_sent, features.packets_received), (Some(700), Some(745)));
    assert_eq!((features.sent_packets_lost, features.received_packets_lost), (Some(5), Some(5)));
    assert!(
        close(features.tallest_inbound_video_height, 480.0) && close(features.tallest_inbound_video_frame_rate, 30.0)
    );

    // Upstream looks for a transport, and so do its columns.
    assert_eq!((features.dtls_role.as_deref(), features.srtp_cipher.as_deref()), (None, None));
    assert_eq!((features.average_outbound_bitrate, features.average_inbound_bitrate), (None, None));
    assert_eq!(features.average_stun_round_trip_time, None);
    assert_eq!(features.first_candidate_pair_local_address, None);
    // The pair tells no round trip time and no estimate.
    assert_eq!((features.round_trip_time_mean, features.available_outgoing_bitrate_mean), (None, None));
    assert_eq!(features.clock_skew, None);
}

#[test]
fn what_firefox_tells_of_what_is_received_comes_out() {
    let features = in_firefox();
    let (audio, video) = (track(&features, "far-audio"), track(&features, "far-video"));
    assert_eq!(audio.codec_mime_type.as_deref(), Some("audio/opus"));
    assert_eq!((audio.packets_received, audio.packets_lost), (Some(245), Some(5)));
    assert!(close(audio.packets_lost_ratio, 0.02) && close(audio.loss_mean, 0.02), "{audio:?}");
    assert!(close(audio.jitter_max, 0.002) && close(audio.jitter_buffer_delay_mean, 0.05));
    assert_eq!((audio.concealment_percentage, audio.audible_concealment_ratio), (Some(0.01), Some(0.01)));
    // The round trip time is the far end's: d = 50 + 50 ms, 2 % of loss, with FEC: R = 93.2 - 2.4 - 95 * 2 / 22 = 82.16.
    assert!(audio.mos_mean.is_some_and(|mos| (mos - 4.1031).abs() < 0.001), "{:?}", audio.mos_mean);
    // It does not tell these of audio.
    assert_eq!((audio.bitrate_mean, audio.jitter_buffer_flushes), (None, None));

    assert!(close(video.bitrate_mean, 1e6) && close(video.frame_rate_mean, 30.0));
    assert_eq!((video.frame_count, video.freeze_count), (Some(150), Some(1)));
    assert_eq!((video.min_width, video.max_height), (Some(640), Some(480)));
    assert!(close(video.freeze_ratio, 0.1) && close(video.average_decode_time, 0.001));
    assert_eq!((video.decoder_implementation.as_deref(), video.power_efficient_decoder), (None, None));
    assert_eq!(video.has_null_video_decoder, Some(false));
    assert_eq!((video.average_jitter_buffer_delay, video.mos_mean), (None, None));
}

#[test]
fn the_only_source_of_a_kind_is_what_firefox_sends_of_that_kind() {
    let features = in_firefox();
    let (audio, video) = (track(&features, "mic"), track(&features, "cam"));
    assert_eq!((audio.packets_sent, audio.packets_lost), (Some(250), Some(5)));
    assert!(close(audio.bitrate_mean, 40_000.0) && close(audio.round_trip_time_mean, 0.1), "{audio:?}");
    assert!(close(audio.loss_mean, 0.02) && close(audio.jitter_p95, 0.004) && close(audio.packets_lost_ratio, 0.02));
    assert!(close(video.bitrate_mean, 800_000.0) && close(video.frame_rate_mean, 25.0));
    assert_eq!((video.packets_sent, video.packets_lost, video.loss_max), (Some(450), Some(0), Some(0.0)));
    // Why the quality is what it is it does not tell.
    assert_eq!((video.none_quality_limitation_duration, video.bandwidth_quality_limitation_percentage), (None, None));
    // Upstream asks for the source that the stream names, and has nothing without.
    assert_eq!((video.frame_count, video.codec_mime_type.as_deref(), video.duration), (None, None, Some(0)));
}

#[test]
fn of_two_sources_of_a_kind_none_is_guessed() {
    let second = |n: u64| {
        let report = firefox(n);
        let more = format!(
            r#""sw":{{"type":"media-source","kind":"video","trackIdentifier":"screen"}},"ow":{{"type":"outbound-rtp","kind":"video","mid":"2","packetsSent":{}}}"#,
            7 * n
        );
        format!("{{{more},{}", report.strip_prefix('{').unwrap())
    };
    let features = call(&[second(1), second(2)]);
    assert_eq!(track(&features, "cam").packets_sent, None);
    assert_eq!(track(&features, "mic").packets_sent, Some(100));
    // Nor if a sender without a track is still told of.
    let alone = |n: u64| {
        let report = firefox(n);
        let more = r#""ow":{"type":"outbound-rtp","kind":"video","mid":"2","packetsSent":7}"#;
        format!("{{{more},{}", report.strip_prefix('{').unwrap())
    };
    assert_eq!(track(&call(&[alone(1), alone(2)]), "cam").packets_sent, None);
}

/// A report of Safari 17 at `second`.
///
/// It is a build of the same library as Chromium's, with fewer members: codecs name no transport, timestamps are rounded to ms, candidates
/// have neither address nor network, nothing is told of implementations, limits or layers.
fn safari(second: u64) -> String {
    let n = second;
    let time = 1_700_000_000_200 + 1000 * n;
    let entries = [
        r#""C":{"type":"codec","payloadType":111,"mimeType":"audio/opus","clockRate":48000,"channels":2,"sdpFmtpLine":"minptime=10;useinbandfec=1"}"#.to_owned(),
        r#""D":{"type":"codec","payloadType":96,"mimeType":"video/H264","clockRate":90000}"#.to_owned(),
        format!(r#""IA":{{"type":"inbound-rtp","ssrc":1,"kind":"audio","transportId":"T","codecId":"C","trackIdentifier":"far-audio","mid":"0","packetsReceived":{},"packetsLost":0,"bytesReceived":{},"jitter":0.003,"jitterBufferDelay":{},"jitterBufferEmittedCount":{},"totalSamplesReceived":{},"concealedSamples":0}}"#, 50 * n, 4000 * n, 1440 * n, 48_000 * n, 48_000 * n),
        format!(r#""IV":{{"type":"inbound-rtp","ssrc":2,"kind":"video","transportId":"T","codecId":"D","trackIdentifier":"far-video","mid":"1","packetsReceived":{},"packetsLost":{n},"bytesReceived":{},"framesDecoded":{},"frameWidth":1280,"frameHeight":720}}"#, 99 * n, 250_000 * n, 24 * n),
        format!(r#""OA":{{"type":"outbound-rtp","ssrc":3,"kind":"audio","transportId":"T","codecId":"C","mediaSourceId":"SA","remoteId":"RA","packetsSent":{},"bytesSent":{}}}"#, 50 * n, 4000 * n),
        format!(r#""OV":{{"type":"outbound-rtp","ssrc":4,"kind":"video","transportId":"T","codecId":"D","mediaSourceId":"SV","packetsSent":{},"bytesSent":{},"framesEncoded":{},"frameWidth":1280,"frameHeight":720}}"#, 80 * n, 200_000 * n, 20 * n),
        r#""RA":{"type":"remote-inbound-rtp","ssrc":3,"kind":"audio","localId":"OA","roundTripTime":0.08,"fractionLost":0,"packetsLost":0,"jitter":0.001}"#.to_owned(),
        r#""SA":{"type":"media-source","kind":"audio","trackIdentifier":"mic"}"#.to_owned(),
        r#""SV":{"type":"media-source","kind":"video","trackIdentifier":"cam","width":1280,"height":720}"#.to_owned(),
        format!(r#""T":{{"type":"transport","bytesSent":{},"bytesReceived":{},"dtlsState":"connected","selectedCandidatePairId":"P"}}"#, 210_000 * n, 260_000 * n),
        format!(r#""P":{{"type":"candidate-pair","transportId":"T","localCandidateId":"L","remoteCandidateId":"M","state":"succeeded","nominated":true,"currentRoundTripTime":0.06,"totalRoundTripTime":{},"responsesReceived":{n}}}"#, 0.06 * n as f64),
        r#""L":{"type":"local-candidate","transportId":"T","candidateType":"srflx","protocol":"udp"}"#.to_owned(),
        r#""M":{"type":"remote-candidate","transportId":"T","candidateType":"host","protocol":"udp"}"#.to_owned(),
    ];
    format!("{{{},\"t\":{time}}}", entries.join(","))
}

fn in_safari() -> ConnectionFeatures {
    call(&(1..=5).map(safari).collect::<Vec<_>>())
}

#[test]
fn what_safari_tells_of_the_connection_comes_out_and_what_it_does_not_is_absent() {
    let features = in_safari();
    assert_eq!(features.ice_path.as_deref(), Some("srflx"));
    assert_eq!(features.uses_relay, Some(false));
    assert!(close(features.round_trip_time_mean, 0.06) && close(features.average_stun_round_trip_time, 0.06));
    assert!(close(features.average_outbound_bitrate, 1_680_000.0), "{:?}", features.average_outbound_bitrate);
    assert!(close(features.average_inbound_bitrate, 2_080_000.0));
    assert_eq!(features.first_candidate_pair_local_type.as_deref(), Some("srflx"));
    assert_eq!((features.packets_sent, features.packets_received), (Some(650), Some(745)));
    assert_eq!((features.sent_packets_lost, features.received_packets_lost), (Some(0), Some(5)));

    assert_eq!(
        (features.first_candidate_pair_local_address.as_deref(), features.dtls_version.as_deref()),
        (None, None)
    );
    assert_eq!(features.first_candidate_pair_local_network_type, None);
    assert_eq!(features.last_candidate_pair_remote_address, None);
    assert_eq!((features.available_outgoing_bitrate_mean, features.clock_skew), (None, None));
}

#[test]
fn what_safari_tells_of_tracks_comes_out_and_what_it_does_not_is_absent() {
    let features = in_safari();
    let (audio, video) = (track(&features, "far-audio"), track(&features, "far-video"));
    assert_eq!(audio.codec_sdp_fmtp_line.as_deref(), Some("minptime=10;useinbandfec=1"));
    assert!(close(audio.bitrate_mean, 32_000.0) && close(audio.jitter_buffer_delay_mean, 0.03));
    // d = 30 + 30 ms: R = 93.2 - 1.44
    assert!(audio.mos_mean.is_some_and(|mos| (mos - 4.3797).abs() < 0.001), "{:?}", audio.mos_mean);
    assert_eq!((audio.concealment_percentage, audio.audible_concealment_ratio), (Some(0.0), None));
    assert_eq!(video.codec_mime_type.as_deref(), Some("video/H264"));
    assert!(close(video.loss_mean, 0.01) && close(video.packets_lost_ratio, 0.01));
    assert!(close(video.frame_rate_mean, 24.0) && close(video.bitrate_mean, 2e6));
    assert_eq!(
        (video.max_width, video.freeze_count, video.freeze_ratio, video.jitter_mean),
        (Some(1280), None, None, None)
    );

    let (audio, video) = (track(&features, "mic"), track(&features, "cam"));
    assert!(close(audio.round_trip_time_mean, 0.08) && close(audio.jitter_mean, 0.001));
    assert_eq!((audio.packets_sent, audio.packets_lost, audio.packets_lost_ratio), (Some(250), Some(0), Some(0.0)));
    assert_eq!((video.frame_count, video.max_height), (Some(100), Some(720)));
    assert!(close(video.frame_rate_mean, 20.0) && close(video.bitrate_mean, 1.6e6));
    // Nothing came back of the video.
    assert_eq!((video.packets_sent, video.packets_lost, video.round_trip_time_mean), (Some(400), None, None));
    assert_eq!((video.encoder_implementation.as_deref(), video.cpu_quality_limitation_duration), (None, None));
    assert_eq!((video.cpu_quality_limitation_percentage, video.simulcast_layers.is_some()), (None, false));
}

/// Between two versions an entry may lose its timestamp, and a report its time: the event's counts.
#[test]
fn reports_without_any_time_are_as_old_as_their_events() {
    let timeless = |n| {
        let report = safari(n);
        let (entries, _) = report.rsplit_once(",\"t\":").unwrap();
        format!("{entries}}}")
    };
    let features = call(&(1..=5).map(timeless).collect::<Vec<_>>());
    assert!(close(track(&features, "far-video").bitrate_mean, 2e6));
    assert!(close(track(&features, "cam").frame_rate_mean, 20.0));
}

/// What a browser does not tell is no fault.
#[test]
fn a_healthy_call_of_these_browsers_has_no_findings() {
    for reports in [(1..=60).map(firefox).collect::<Vec<_>>(), (1..=60).map(safari).collect()] {
        let found = common::findings_of(lines(&reports).iter().map(String::as_str));
        assert_eq!(found, []);
    }
}
