//! What Jitsi's application tells of a conference, feature by feature.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // A test fails by panicking, its helpers too.

mod common;

use common::client;
use rtctrace_features::{ClientFeatures, FeatureExtractor, UnixMillis, limits};
use rtctrace_protocol::event::SessionDecoder;
use rtctrace_protocol::jitsi::Translator;
use rtctrace_protocol::json::RawValue;

const IDENTITY: &str = r#"["identity",null,{"endpointId":"me"},1000000]"#;

/// A line that names the dominant speaker, a second after the line before it.
fn speaker(who: &str) -> String {
    format!(r#"["dominantSpeaker",null,{{"dominantSpeakerEndpoint":{who}}},1000]"#)
}

fn of(lines: &[String]) -> ClientFeatures {
    client(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

fn spoken(speakers: &[&str]) -> (Option<i64>, Option<i64>) {
    let mut lines = vec![IDENTITY.to_owned()];
    lines.extend(speakers.iter().map(|who| speaker(who)));
    lines.push(r#"["create","PC_0",{},500]"#.to_owned());
    let client = of(&lines);
    (client.dominant_speaker_changes, client.speaker_time)
}

#[test]
fn a_turn_ends_when_anybody_else_or_nobody_speaks_or_with_the_session() {
    assert_eq!(spoken(&[r#""me""#, r#""other""#, r#""me""#]), (Some(2), Some(1500)));
    for nobody in ["null", r#""null""#, r#""""#] {
        assert_eq!(spoken(&[r#""me""#, nobody]), (Some(1), Some(1000)), "{nobody}");
        assert_eq!(spoken(&[r#""me""#, nobody, nobody, r#""me""#]), (Some(2), Some(1500)), "{nobody}");
    }
    assert_eq!(spoken(&[r#""other""#]), (Some(0), Some(0)));
    // Told twice without a break it counts twice, as theirs does, and no time twice.
    assert_eq!(spoken(&[r#""me""#, r#""me""#]), (Some(2), Some(1500)));
}

#[test]
fn without_speakers_or_without_an_own_id_nothing_is_said_of_turns() {
    assert_eq!(spoken(&[]), (None, None));
    let client = of(&[speaker(r#""me""#), speaker(r#""other""#)]);
    assert_eq!((client.dominant_speaker_changes, client.speaker_time), (None, None));
}

#[test]
fn a_client_may_learn_late_who_it_is() {
    let late = r#"["identity",null,{"endpointId":"me"},500]"#.to_owned();
    let client = of(&[speaker(r#""me""#), speaker(r#""other""#), speaker(r#""me""#), late]);
    assert_eq!((client.dominant_speaker_changes, client.speaker_time), (Some(2), Some(1500)));
}

/// It may be the collector's, which waited for the client to come back.
#[test]
fn the_line_that_ends_a_session_is_nothing_that_was_said() {
    let client = client(&[
        IDENTITY,
        r#"["conferenceStartTimestamp",null,1000000,0]"#,
        r#"["dominantSpeaker",null,{"dominantSpeakerEndpoint":"me"},1000]"#,
        r#"["close","PC_0",null,500]"#,
        r#"["close",null,null,60000]"#,
    ]);
    assert_eq!((client.speaker_time, client.conference_duration), (Some(500), Some(1500)));
}

#[test]
fn a_clock_that_goes_back_takes_no_time_from_a_turn() {
    let client = client(&[
        IDENTITY,
        r#"["dominantSpeaker",null,{"dominantSpeakerEndpoint":"me"},1000]"#,
        r#"["dominantSpeaker",null,{"dominantSpeakerEndpoint":"other"},-5000]"#,
        r#"["dominantSpeaker",null,{"dominantSpeakerEndpoint":"me"},1000]"#,
    ]);
    // The last turn is open until the newest time that there was.
    assert_eq!((client.dominant_speaker_changes, client.speaker_time), (Some(2), Some(4000)));
}

#[test]
fn the_last_start_that_is_a_time_is_the_conference_s() {
    let start = |value: &str| {
        let lines = [IDENTITY.to_owned(), format!(r#"["conferenceStartTimestamp",null,{value},1000]"#)];
        let client = of(&lines);
        (client.conference_start_time.map(|UnixMillis(time)| time), client.conference_duration)
    };
    assert_eq!(start("900000"), (Some(900_000), Some(101_000)));
    assert_eq!(start(r#""900000""#), (Some(900_000), Some(101_000)));
    // Ahead of the client's clock.
    assert_eq!(start("2000000"), (Some(2_000_000), Some(0)));
    for none in ["0", "-1", "null", r#""soon""#, "1e300", "{}"] {
        assert_eq!(start(none), (None, None), "{none}");
    }
    let client = client(&[
        r#"["conferenceStartTimestamp",null,5000,10000]"#,
        r#"["conferenceStartTimestamp",null,6000,0]"#,
        r#"["conferenceStartTimestamp",null,0,0]"#,
        r#"["onconnectionstatechange","PC_0","connected",1000]"#,
    ]);
    assert_eq!((client.conference_start_time, client.conference_duration), (Some(UnixMillis(6000)), Some(5000)));
}

#[test]
fn faces_are_summed_up_by_what_they_show() {
    let face = |shown: &str, seconds: &str| {
        format!(r#"["faceLandmarks",null,{{"duration":{seconds},"faceLandmarks":"{shown}","timestamp":1}},1]"#)
    };
    let features =
        of(&[face("happy", "3"), face("sad", "2"), face("happy", "4"), face("camera-off", "9"), face("sad", "-1")]);
    assert_eq!((features.sentiment_happy, features.sentiment_sad), (Some(7.0), Some(2.0)));
    let none = [
        features.sentiment_angry,
        features.sentiment_disgusted,
        features.sentiment_fearful,
        features.sentiment_neutral,
        features.sentiment_surprised,
    ];
    assert_eq!(none, [Some(0.0); 5]);
    assert_eq!(client(&[IDENTITY]).sentiment_happy, None);
}

#[test]
fn round_trip_times_to_others_are_in_seconds_and_of_each_the_last_counts() {
    let ping = |who: &str, rtt: &str| {
        format!(r#"["e2eRtt",null,{{"remoteEndpointId":"{who}","rtt":{rtt},"remoteRegion":"eu"}},1]"#)
    };
    let features = of(&[ping("a", "900"), ping("b", "300"), ping("a", "100"), ping("", "5"), ping("b", "\"x\"")]);
    assert_eq!(features.end_to_end_round_trip_time_last, Some(0.1));
    assert_eq!(features.end_to_end_round_trip_time_mean, Some(0.2));
    assert_eq!(features.end_to_end_round_trip_time_max, Some(0.3));
}

#[test]
fn the_deployment_is_what_the_identities_say_together() {
    let features = client(&[
        r#"["identity",null,{"deploymentInfo":{"region":"us-west-2","userRegion":"","crossRegion":0,"shard":7,"envType":"dev"}},1]"#,
        r#"["identity",null,{"deploymentInfo":{"crossRegion":"1","environment":"prod","releaseNumber":"42","more":{}}},1]"#,
        r#"["identity",null,{"deploymentInfo":"none"},1]"#,
    ]);
    let texts = [
        &features.deployment_region,
        &features.deployment_user_region,
        &features.deployment_shard,
        &features.deployment_environment_type,
        &features.deployment_environment,
        &features.deployment_release_number,
    ];
    let texts = texts.map(|text| text.as_deref());
    assert_eq!(texts, [Some("us-west-2"), None, Some("7"), Some("dev"), Some("prod"), Some("42")]);
    assert_eq!(features.deployment_cross_region, Some(true));
}

#[test]
fn of_a_crowd_only_so_many_are_kept_and_the_client_is_always_one_of_them() {
    let mut lines: Vec<_> = (0..2 * limits::ENDPOINTS).map(|who| speaker(&format!(r#""e{who}""#))).collect();
    lines.insert(0, IDENTITY.to_owned());
    lines.extend([speaker(r#""me""#), speaker(r#""e0""#)]);
    let features = of(&lines);
    assert_eq!((features.dominant_speaker_changes, features.speaker_time), (Some(1), Some(1000)));
}

/// From the messages of Jitsi's client to features.
#[test]
fn entries_of_jitsi_s_dialect_have_these_features() {
    let mut translator = Translator::new(1 << 20);
    let mut text = String::new();
    for entry in [
        r#"["identity",null,{"endpointId":"me","deploymentInfo":{"region":"eu"}},1700000000000,1]"#,
        r#"["conferenceStartTimestamp",null,"1699999999000",1700000000000,2]"#,
        r#"["dominantSpeaker",null,{"dominantSpeakerEndpoint":"me","previousSpeakers":[]},1700000001000,3]"#,
        r#"["e2eRtt",null,{"remoteEndpointId":"a","rtt":50},1700000002000,4]"#,
        r#"["faceLandmarks",null,{"duration":2,"faceLandmarks":"happy"},1700000003000,5]"#,
    ] {
        translator.entry(RawValue::parse(entry).unwrap(), 0.0, &mut text);
    }
    let (mut decoder, mut extractor) = (SessionDecoder::new(), FeatureExtractor::new());
    for line in text.lines() {
        extractor.event(&decoder.decode(line).unwrap());
    }
    let client = extractor.features(&decoder).client;
    assert_eq!(client.conference_duration, Some(4000));
    assert_eq!((client.dominant_speaker_changes, client.speaker_time), (Some(1), Some(2000)));
    assert_eq!(client.end_to_end_round_trip_time_mean, Some(0.05));
    assert_eq!((client.sentiment_happy, client.deployment_region.as_deref()), (Some(2.0), Some("eu")));
}
