//! What upstream has not of a track: rates, delays and losses over time, the score of speech, and the layers of simulcast.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

mod common;

use common::connection;
use rtctrace_features::{ConnectionFeatures, TrackFeatures};

/// A line with a report at `t` ms.
fn report(entries: &str, t: u32) -> String {
    format!(r#"["getStats","PC_0",{{{entries},"t":{t}}},1000]"#)
}

fn of(lines: &[String]) -> ConnectionFeatures {
    connection(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The features of the only track, which an event of that name has brought, after reports that are a second apart.
fn track(method: &str, kind: &str, reports: &[&str]) -> TrackFeatures {
    let mut lines = vec![format!(r#"["{method}","PC_0",["{kind}","a","label","stream"],1000]"#)];
    lines.extend((1..).zip(reports).map(|(second, entries)| report(entries, 1000 * second)));
    of(&lines).tracks.remove(0)
}

const IN: &str = r#""R":{"type":"inbound-rtp","trackIdentifier":"a""#;
const OUT: &str = r#""S":{"type":"media-source","trackIdentifier":"a"},"R":{"type":"outbound-rtp","mediaSourceId":"S""#;

fn close(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() <= expected / 128.0 + 1e-12)
}

#[test]
fn rates_are_what_counters_grow_from_report_to_report() {
    let features = track(
        "ontrack",
        "video",
        &[
            &format!(r#"{IN},"bytesReceived":1000,"framesDecoded":10}}"#),
            r#""R":{"bytesReceived":2000,"framesDecoded":30}"#,
            r#""R":{"bytesReceived":4000,"framesDecoded":60}"#,
            r#""R":{"jitter":0.1}"#,
        ],
    );
    assert_eq!((features.bitrate_mean, features.bitrate_max), (Some(8000.0), Some(16_000.0)));
    assert_eq!((features.bitrate_p5, features.bitrate_p95), (Some(0.0), Some(16_000.0)));
    assert!(close(features.bitrate_p50, 8000.0), "{:?}", features.bitrate_p50);
    assert_eq!(features.frame_rate_mean, Some(50.0 / 3.0));
    assert_eq!(features.jitter_max, Some(0.1));
}

#[test]
fn one_report_has_no_rate_and_a_metric_without_a_sample_is_absent() {
    let features = track("ontrack", "video", &[&format!(r#"{IN},"bytesReceived":1000,"packetsReceived":3}}"#)]);
    let found = [features.bitrate_mean, features.loss_mean, features.jitter_mean, features.round_trip_time_p50];
    assert_eq!(found, [None; 4]);
    assert_eq!(features.packets_received, Some(3));
}

#[test]
fn reports_that_come_at_once_are_one_sample() {
    let lines = [
        r#"["ontrack","PC_0",["video","a","label"],1000]"#.to_owned(),
        report(&format!(r#"{IN},"bytesReceived":0}}"#), 1000),
        report(r#""R":{"bytesReceived":999}"#, 1001),
        report(r#""R":{"jitter":1}"#, 1100),
        report(r#""R":{"jitter":2}"#, 2000),
    ];
    // What the entry said in reports that are no samples counts in the next that is one.
    let track = &of(&lines).tracks[0];
    assert_eq!((track.bitrate_max, track.jitter_mean), (Some(7992.0), Some(2.0)));
}

#[test]
fn a_clock_that_goes_back_has_no_rate() {
    let lines = [
        r#"["ontrack","PC_0",["video","a","label"],1000]"#.to_owned(),
        report(&format!(r#"{IN},"bytesReceived":0}}"#), 9000),
        report(r#""R":{"bytesReceived":500}"#, 2000),
        report(r#""R":{"bytesReceived":600}"#, 3000),
    ];
    assert_eq!(of(&lines).tracks[0].bitrate_max, Some(800.0));
}

#[test]
fn losses_are_those_of_each_interval() {
    let features = track(
        "ontrack",
        "audio",
        &[
            &format!(r#"{IN},"packetsReceived":0,"packetsLost":0}}"#),
            r#""R":{"packetsReceived":90,"packetsLost":10}"#,
            r#""R":{"packetsReceived":190,"packetsLost":9}"#,
            r#""R":{"packetsLost":9}"#,
        ],
    );
    assert_eq!((features.loss_mean, features.loss_max, features.loss_p5), (Some(0.05), Some(0.1), Some(0.0)));
    assert_eq!(features.packets_lost, Some(9));
    assert_eq!(features.packets_lost_ratio, Some(9.0 / 199.0));
}

/// As Firefox has it when more packets came than were expected.
#[test]
fn a_counter_of_losses_that_has_wrapped_around_is_below_0() {
    let features = track("ontrack", "audio", &[&format!(r#"{IN},"packetsReceived":50,"packetsLost":4294967294}}"#)]);
    assert_eq!((features.packets_lost, features.packets_lost_ratio), (Some(-2), Some(0.0)));
}

#[test]
fn the_far_end_tells_the_round_trip_time_of_what_is_sent() {
    let features = track(
        "addTrack",
        "audio",
        &[
            &format!(r#"{OUT},"packetsSent":100}}"#),
            r#""F":{"type":"remote-inbound-rtp","localId":"R","roundTripTime":0.1,"jitter":0.02,"fractionLost":0.25,"packetsLost":5}"#,
            r#""R":{"packetsSent":200}"#,
            r#""F":{"roundTripTime":0.4,"fractionLost":0}"#,
            r#""F":null"#,
            r#""R":{"packetsSent":250}"#,
        ],
    );
    // As long as nothing new is told, it is what it was: 0.1 in two samples, 0.4 in one.
    assert!(close(features.round_trip_time_mean, 0.2), "{:?}", features.round_trip_time_mean);
    assert_eq!((features.round_trip_time_max, features.jitter_p95), (Some(0.4), Some(0.02)));
    assert!(close(features.loss_mean, 0.5 / 3.0));
    assert_eq!((features.packets_sent, features.packets_lost), (Some(250), Some(5)));
    assert_eq!(features.packets_lost_ratio, Some(0.02));
}

#[test]
fn speech_is_scored_by_delay_loss_and_codec() {
    let scored = |codec: &str, rest: &str| {
        track(
            "ontrack",
            "audio",
            &[
                &format!(
                    r#""C":{{"type":"codec",{codec}}},{IN},"codecId":"C","packetsReceived":0,"packetsLost":0,"jitterBufferDelay":0,"jitterBufferEmittedCount":0}},"T":{{"type":"transport","selectedCandidatePairId":"P"}},"P":{{"type":"candidate-pair","currentRoundTripTime":0.2}}"#
                ),
                r#""R":{"packetsReceived":50,"jitterBufferDelay":2400,"jitterBufferEmittedCount":48000}"#,
                rest,
            ],
        )
    };
    let opus = r#""mimeType":"audio/opus","sdpFmtpLine":"useinbandfec=1""#;
    // d = 100 + 50 ms: R = 93.2 - 3.6
    let features = scored(opus, r#""R":{"jitter":0.1}"#);
    assert!(features.mos_mean.is_some_and(|mos| (mos - 4.3287).abs() < 0.001), "{:?}", features.mos_mean);
    assert_eq!(features.mos_mean, features.mos_min);
    // Then a fifth is lost: Ie,eff = 95 * 20 / (20 + 20), R = 42.1
    let lossy =
        r#""R":{"packetsReceived":90,"packetsLost":10,"jitterBufferDelay":4800,"jitterBufferEmittedCount":96000}"#;
    let features = scored(opus, lossy);
    assert!(features.mos_min.is_some_and(|mos| (mos - 2.1681).abs() < 0.001), "{:?}", features.mos_min);
    assert!(close(features.mos_p5, 2.1681));
    assert!(features.mos_mean > features.mos_min);
    assert!(scored(r#""mimeType":"audio/opus""#, lossy).mos_min < features.mos_min, "without error correction");
    assert_eq!(scored(r#""mimeType":"audio/G722""#, lossy).mos_mean, None);
}

#[test]
fn freezes_and_concealment_are_shares_and_limitations_last_seconds() {
    let entry = r#""totalFreezesDuration":2,"totalInterFrameDelay":8,"concealedSamples":60,"silentConcealedSamples":20,"totalSamplesReceived":400"#;
    let features = track("ontrack", "video", &[&format!("{IN},{entry}}}")]);
    assert_eq!((features.freeze_ratio, features.audible_concealment_ratio), (Some(0.25), Some(0.1)));
    let entry = r#""qualityLimitationDurations":{"none":10.5,"cpu":2,"bandwidth":3,"other":0}"#;
    let features = track("addTrack", "video", &[&format!("{OUT},{entry}}}")]);
    assert_eq!(features.none_quality_limitation_duration, Some(10.5));
    assert_eq!(features.cpu_quality_limitation_duration, Some(2.0));
    assert_eq!(features.bandwidth_quality_limitation_duration, Some(3.0));
    assert_eq!(features.other_quality_limitation_duration, Some(0.0));
    let features = track("addTrack", "video", &[&format!("{OUT}}}")]);
    assert_eq!(features.none_quality_limitation_duration, None);
}

#[test]
fn the_layers_of_a_sender_are_kept_apart_and_upstream_s_track_is_the_first_of_them() {
    let layer = |id: &str, rid: &str, width: u32| {
        format!(
            r#""{id}":{{"type":"outbound-rtp","kind":"video","mediaSourceId":"S","mid":"1","rid":"{rid}","frameWidth":{width},"frameHeight":{},"bytesSent":0,"framesEncoded":0}}"#,
            width / 2
        )
    };
    let first = format!(
        r#""S":{{"type":"media-source","trackIdentifier":"a"}},{},{},"X":{{"type":"outbound-rtp","mid":"0","bytesSent":5}}"#,
        layer("L", "l", 320),
        layer("H", "h", 1280)
    );
    let features = track(
        "addTrack",
        "video",
        &[
            &first,
            r#""L":{"bytesSent":1000,"framesEncoded":15},"H":{"bytesSent":10000,"framesEncoded":30}"#,
            r#""L":{"bytesSent":2000,"framesEncoded":30}"#,
        ],
    );
    let layers: serde_json::Value = serde_json::from_str(features.simulcast_layers.as_ref().unwrap().text()).unwrap();
    let expected = serde_json::json!([
        { "rid": "l", "maxWidth": 320, "maxHeight": 160, "frameRateMean": 15, "bitrateMean": 8000, "activeSeconds": 2 },
        { "rid": "h", "maxWidth": 1280, "maxHeight": 640, "frameRateMean": 15, "bitrateMean": 40000, "activeSeconds": 1 },
    ]);
    assert_eq!(layers, expected);
    assert_eq!((features.rid.as_deref(), features.max_width), (Some("l"), Some(320)));
    assert_eq!(features.bitrate_mean, Some(8000.0));
    let single = track("addTrack", "video", &[&format!(r#"{OUT},"kind":"video","mid":"1","rid":"h"}}"#)]);
    assert_eq!(single.simulcast_layers, None, "one layer is the track");
}

#[test]
fn a_layer_is_its_newest_stream_and_speech_has_none() {
    let layers = |kind: &str, streams: &[String]| {
        let of = |(at, stream): (usize, &String)| {
            format!(r#""{at}":{{"type":"outbound-rtp","kind":"{kind}","mediaSourceId":"S","mid":"1",{stream}}}"#)
        };
        let streams: Vec<_> = streams.iter().enumerate().map(of).collect();
        let all = format!(r#""S":{{"type":"media-source","trackIdentifier":"a"}},{}"#, streams.join(","));
        let json = track("addTrack", "video", &[&all]).simulcast_layers?;
        let layers: Vec<serde_json::Value> = serde_json::from_str(json.text()).unwrap();
        Some(layers.iter().map(|layer| layer["maxWidth"].as_u64().unwrap()).collect::<Vec<_>>())
    };
    let stream = |name: &str, width: usize| format!(r#"{name}"frameWidth":{width},"frameHeight":9"#);
    let (low, high) = (r#""rid":"l","encodingIndex":0,"#, r#""rid":"h","encodingIndex":1,"#);
    let again = [stream(low, 1), stream(high, 2), stream(low, 3), stream(high, 4)];
    assert_eq!(layers("video", &again), Some(vec![3, 4]));
    assert_eq!(layers("audio", &again), None);
    let again = [r#""encodingIndex":0,"#, r#""encodingIndex":1,"#, r#""encodingIndex":0,"#];
    let again: Vec<_> = again.iter().zip(1..).map(|(name, width)| stream(name, width)).collect();
    assert_eq!(layers("video", &again), Some(vec![3, 2]));
    assert_eq!(layers("video", &[stream(low, 1), stream(low, 2)]), None, "one layer is the track");
    let many: Vec<_> = (1..=20).map(|width| stream("", width)).collect();
    assert_eq!(layers("video", &many), Some((5..=20).collect()));
}

/// Reports of speech that is received, on a pair that says nothing of its round trip time.
fn speech(rest: &[&str]) -> TrackFeatures {
    let first = format!(
        r#""C":{{"type":"codec","mimeType":"audio/opus"}},"D":{{"type":"codec","mimeType":"audio/PCMU"}},{IN},"codecId":"C","packetsReceived":0,"packetsLost":0,"jitterBufferDelay":0,"jitterBufferEmittedCount":0}},"T":{{"type":"transport","selectedCandidatePairId":"P"}},"P":{{"type":"candidate-pair"}},"O":{{"type":"outbound-rtp"}}"#
    );
    let mut reports = vec![first.as_str()];
    reports.extend(rest);
    track("ontrack", "audio", &reports)
}

const MORE: &str = r#""R":{"packetsReceived":50,"jitterBufferDelay":2400,"jitterBufferEmittedCount":48000}"#;

fn is_score(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() < 0.001)
}

#[test]
fn without_a_round_trip_time_there_is_no_score_and_where_the_pair_has_none_far_ends_may() {
    assert_eq!(speech(&[MORE]).mos_mean, None);
    let far_end = |kind: &str, id: &str, time: f64| {
        format!(r#""F{id}":{{"type":"{kind}","localId":"{id}","roundTripTime":{time}}}"#)
    };
    // d = 100 + 50 ms: R = 93.2 - 3.6
    for (kind, id) in [("remote-inbound-rtp", "O"), ("remote-outbound-rtp", "R")] {
        let features = speech(&[&far_end(kind, id, 0.2), MORE]);
        assert!(is_score(features.mos_mean, 4.3287), "{kind}: {:?}", features.mos_mean);
    }
    let both = format!("{},{}", far_end("remote-inbound-rtp", "O", 0.2), far_end("remote-outbound-rtp", "R", 9.0));
    assert!(is_score(speech(&[&both, MORE]).mos_mean, 4.3287));
    // What is told of streams that nobody has, or of oneself in the wrong direction, is not of this connection.
    assert_eq!(speech(&[&far_end("remote-inbound-rtp", "X", 0.2), MORE]).mos_mean, None);
    assert_eq!(speech(&[&far_end("remote-inbound-rtp", "R", 0.2), MORE]).mos_mean, None);
    // The newest counts, also of those that are gone, and the pair's own before it.
    let newest = [&far_end("remote-inbound-rtp", "O", 9.0), r#""FO":{"roundTripTime":0.2}"#, r#""FO":null"#, MORE];
    assert!(is_score(speech(&newest).mos_mean, 4.3287));
    let own = [&far_end("remote-inbound-rtp", "O", 9.0), r#""P":{"currentRoundTripTime":0.2}"#, MORE];
    assert!(is_score(speech(&own).mos_mean, 4.3287));
}

#[test]
fn what_was_lost_counts_for_all_the_time_in_which_nothing_came() {
    let outage = [
        r#""F":{"type":"remote-inbound-rtp","localId":"O","roundTripTime":0.2}"#,
        MORE,
        r#""R":{"jitter":1}"#,
        r#""R":{"jitter":2}"#,
        r#""X":{"type":"other"}"#,
        r#""R":{"packetsReceived":90,"packetsLost":160,"jitterBufferDelay":4800,"jitterBufferEmittedCount":96000}"#,
        r#""R":{"packetsReceived":140,"jitterBufferDelay":7200,"jitterBufferEmittedCount":144000}"#,
    ];
    let features = speech(&outage);
    // 0 before and after it, and 0.8 in the four samples of the outage.
    assert!(close(features.loss_mean, 0.8 * 4.0 / 6.0), "{:?}", features.loss_mean);
    assert_eq!(features.loss_max, Some(0.8));
    let (good, bad) = (features.mos_mean.unwrap(), features.mos_min.unwrap());
    assert!((good - (2.0 * 4.2156 + 4.0 * bad) / 6.0).abs() < 0.1 && bad < 1.5, "{good} {bad}");
    // Nothing was lost in a pause.
    let pause = [outage[0], MORE, r#""R":{"jitter":1}"#, r#""R":{"packetsReceived":60,"packetsLost":0}"#];
    let lossy = [&pause[..], &[r#""R":{"packetsReceived":70,"packetsLost":10}"#]].concat();
    assert_eq!((speech(&pause).loss_mean, speech(&lossy).loss_mean), (Some(0.0), Some(0.5 / 3.0)));
}

#[test]
fn speech_is_scored_by_the_codec_that_it_has_now() {
    let lossy =
        r#""R":{"packetsReceived":40,"packetsLost":10,"jitterBufferDelay":2400,"jitterBufferEmittedCount":48000}"#;
    let with = |change: &str| {
        speech(&[r#""F":{"type":"remote-inbound-rtp","localId":"O","roundTripTime":0.2}"#, change, lossy])
    };
    let opus = with(r#""X":{"type":"other"}"#);
    let other = with(r#""R":{"codecId":"D"}"#);
    assert!(other.mos_min > opus.mos_min && opus.mos_min.is_some());
    assert_eq!(other.codec_mime_type.as_deref(), Some("audio/opus"), "as upstream, the first");
    assert_eq!(with(r#""C":{"mimeType":"audio/PCMU"}"#).mos_min, other.mos_min);
    assert_eq!(with(r#""R":{"codecId":"gone"}"#).mos_min, opus.mos_min);
}

#[test]
fn a_delay_without_bounds_has_no_score() {
    let features = speech(&[
        r#""F":{"type":"remote-inbound-rtp","localId":"O","roundTripTime":0.2}"#,
        r#""R":{"packetsReceived":50,"jitterBufferDelay":1e308,"jitterBufferEmittedCount":1e-308}"#,
        r#""R":{"packetsReceived":90,"jitterBufferDelay":1e999,"jitterBufferEmittedCount":1e999}"#,
    ]);
    assert_eq!((features.mos_mean, features.jitter_buffer_delay_mean), (None, None));
}

#[test]
fn what_the_far_end_missed_is_what_it_told_last_sample_or_not() {
    let far_end = format!(
        r#"{OUT},"packetsSent":100}},"F":{{"type":"remote-inbound-rtp","localId":"R","packetsLost":5,"roundTripTime":0.1}}"#
    );
    for last in
        [r#""F":{"packetsLost":7}"#, r#""F":null,"G":{"type":"remote-inbound-rtp","localId":"R","packetsLost":7}"#]
    {
        let lines = [
            r#"["addTrack","PC_0",["audio","a","label"],1000]"#.to_owned(),
            report(&far_end, 1000),
            report(last, 1100),
            report(r#""F":null,"G":null"#, 1200),
        ];
        let track = &of(&lines).tracks[0];
        assert_eq!((track.packets_lost, track.round_trip_time_max), (Some(7), Some(0.1)), "{last}");
    }
}

#[test]
fn a_time_of_a_report_that_is_a_day_away_is_none() {
    let lines = |t: [u64; 2]| {
        let report = |entries: &str, t: u64| format!(r#"["getStats","PC_0",{{{entries},"t":{t}}},1000]"#);
        of(&[
            r#"["ontrack","PC_0",["video","a","label"],1700000000000]"#.to_owned(),
            report(&format!(r#"{IN},"bytesReceived":0}}"#), t[0]),
            report(r#""R":{"bytesReceived":500}"#, t[1]),
        ])
        .tracks[0]
            .bitrate_max
    };
    assert_eq!(lines([1_700_000_001_000, 1_700_000_003_000]), Some(2000.0));
    assert_eq!(lines([1_700_000_001_000, 1_800_000_000_000]), Some(4000.0));
    assert_eq!(lines([7, 9]), Some(4000.0));
}

#[test]
fn a_stream_that_comes_again_has_one_distribution() {
    let features = track(
        "ontrack",
        "video",
        &[
            &format!(r#"{IN},"bytesReceived":0}}"#),
            r#""R":{"bytesReceived":100}"#,
            r#""R":null"#,
            r#""X":{"type":"codec"}"#,
            &format!(r#"{IN},"bytesReceived":5000}}"#),
            r#""R":{"bytesReceived":5300}"#,
        ],
    );
    assert_eq!((features.bitrate_mean, features.bitrate_max), (Some(1600.0), Some(2400.0)));
}

#[test]
fn the_packets_of_all_streams_are_summed_up_whoever_they_belong_to() {
    let lines = [
        report(
            r#""A":{"type":"inbound-rtp","packetsReceived":90,"packetsLost":10},"B":{"type":"inbound-rtp","packetsReceived":100,"packetsLost":-5},"C":{"type":"outbound-rtp","packetsSent":40},"D":{"type":"remote-inbound-rtp","localId":"C","packetsLost":10}"#,
            1000,
        ),
        report(r#""A":null,"C":{"packetsSent":50}"#, 2000),
    ];
    let features = of(&lines);
    assert_eq!((features.packets_received, features.received_packets_lost), (Some(190), Some(10)));
    assert_eq!(features.received_packets_lost_ratio, Some(0.05));
    assert_eq!((features.packets_sent, features.sent_packets_lost), (Some(50), Some(10)));
    assert_eq!(features.sent_packets_lost_ratio, Some(0.2));
}

#[test]
fn a_share_of_losses_is_that_of_streams_that_tell_them() {
    let features = of(&[report(
        r#""A":{"type":"inbound-rtp","packetsReceived":90,"packetsLost":10},"B":{"type":"inbound-rtp","packetsReceived":900},"C":{"type":"outbound-rtp","packetsSent":40},"D":{"type":"remote-inbound-rtp","localId":"C","packetsLost":10},"E":{"type":"outbound-rtp","packetsSent":60}"#,
        1000,
    )]);
    assert_eq!((features.packets_received, features.received_packets_lost_ratio), (Some(990), Some(0.1)));
    assert_eq!((features.packets_sent, features.sent_packets_lost_ratio), (Some(100), Some(0.25)));
}

#[test]
fn the_best_and_the_worst_video_received_are_told_apart_in_every_sample() {
    let video = |id: &str, height: u32| {
        format!(
            r#""{id}":{{"type":"inbound-rtp","kind":"video","frameWidth":9,"frameHeight":{height},"framesDecoded":0}}"#
        )
    };
    let lines = [
        report(&format!("{},{}", video("A", 180), video("B", 720)), 1000),
        report(r#""A":{"framesDecoded":15},"B":{"framesDecoded":30}"#, 2000),
        report(r#""A":{"framesDecoded":30},"B":{"framesDecoded":50,"frameHeight":360}"#, 3000),
    ];
    let features = of(&lines);
    assert_eq!(features.tallest_inbound_video_height, Some(540.0));
    assert_eq!(features.tallest_inbound_video_frame_rate, Some(25.0));
    assert_eq!(features.shortest_inbound_video_height, Some(180.0));
    assert_eq!(features.shortest_inbound_video_frame_rate, Some(15.0));
}

/// Members that a browser has not leave features out, and no others.
#[test]
fn a_browser_that_tells_little_costs_only_what_it_does_not_tell() {
    let features = track(
        "ontrack",
        "audio",
        &[
            &format!(r#"{IN},"bytesReceived":0,"jitter":0.01,"packetsReceived":0}}"#),
            r#""R":{"bytesReceived":500,"packetsReceived":9}"#,
        ],
    );
    assert_eq!((features.bitrate_mean, features.jitter_mean), (Some(4000.0), Some(0.01)));
    assert_eq!((features.loss_mean, features.mos_mean, features.jitter_buffer_delay_mean), (None, None, None));
}

#[test]
fn how_unevenly_packets_were_lost_is_the_variance_of_what_each_sample_added() {
    // 0 to 4, nothing new, 4 to 6: 4, 0 and 2 in three samples.
    let received = [
        &format!(r#"{IN},"packetsReceived":50,"packetsLost":0}}"#),
        r#""R":{"packetsReceived":96,"packetsLost":4}"#,
        r#""X":{"type":"peer-connection"}"#,
        r#""R":{"packetsReceived":190,"packetsLost":6}"#,
    ];
    assert!(close(track("ontrack", "audio", &received).packets_lost_variance, 8.0 / 3.0));
    let sent = [
        &format!(r#"{OUT},"packetsSent":50}},"F":{{"type":"remote-inbound-rtp","localId":"R","packetsLost":0}}"#),
        r#""F":{"packetsLost":4}"#,
        r#""R":{"packetsSent":100}"#,
        r#""F":{"packetsLost":6}"#,
    ];
    assert!(close(track("addTrack", "audio", &sent).packets_lost_variance, 8.0 / 3.0));
    // As much in every sample; a counter that wraps around has lost less than none; one sample says nothing.
    let even = [&format!(r#"{IN},"packetsLost":1}}"#), r#""R":{"packetsLost":3}"#, r#""R":{"packetsLost":5}"#];
    assert_eq!(track("ontrack", "audio", &even).packets_lost_variance, Some(0.0));
    let wrapped =
        [&format!(r#"{IN},"packetsLost":1}}"#), r#""R":{"packetsLost":4294967295}"#, r#""R":{"packetsLost":1}"#];
    assert_eq!(track("ontrack", "audio", &wrapped).packets_lost_variance, Some(4.0));
    assert_eq!(track("ontrack", "audio", &even[..1]).packets_lost_variance, None);
    // While the stream is gone no sample counts.
    let gone = [
        &format!(r#"{IN},"packetsLost":0}}"#),
        r#""R":{"packetsLost":2}"#,
        r#""R":null"#,
        r#""X":{"type":"peer-connection"}"#,
    ];
    assert_eq!(track("ontrack", "audio", &gone).packets_lost_variance, Some(0.0));
}
