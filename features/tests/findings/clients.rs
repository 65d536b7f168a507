//! Clients that tell of themselves by reports alone, as through the SFU Sora, and old ones.

use super::Session;

/// A report of a native client of an old libwebrtc, of which so many packets of 50 are lost a second, and with so many freezes.
fn native(second: u64, lost: u64, freezes: u64) -> String {
    [
        r#""RTCCodec_0":{"type":"codec","mimeType":"video/VP8"}"#.to_owned(),
        r#""RTCMediaStream_s":{"type":"stream","streamIdentifier":"s","trackIds":["RTCMediaStreamTrack_sender_1"]}"#.to_owned(),
        format!(r#""RTCMediaStreamTrack_sender_1":{{"type":"track","kind":"video","mediaSourceId":"RTCVideoSource_1","framesSent":{}}}"#, 30 * second),
        format!(r#""RTCVideoSource_1":{{"type":"media-source","kind":"video","trackIdentifier":"v","framesPerSecond":30,"frames":{}}}"#, 30 * second),
        format!(
            r#""RTCOutboundRTPVideoStream_148236668":{{"type":"outbound-rtp","kind":"video","mediaType":"video","isRemote":false,"trackId":"RTCMediaStreamTrack_sender_1","mediaSourceId":"RTCVideoSource_1","packetsSent":{},"framesEncoded":{},"keyFramesEncoded":1,"pliCount":0}}"#,
            100 * second,
            30 * second
        ),
        format!(
            r#""RTCRemoteInboundRtpVideoStream_148236668":{{"type":"remote-inbound-rtp","kind":"video","localId":"RTCOutboundRTPVideoStream_148236668","packetsLost":{},"roundTripTime":0.03}}"#,
            2 * lost * second
        ),
        format!(
            r#""RTCInboundRTPVideoStream_9":{{"type":"inbound-rtp","kind":"video","trackId":"RTCMediaStreamTrack_receiver_2","packetsReceived":{},"packetsLost":0,"framesDecoded":{},"freezeCount":{freezes},"totalFreezesDuration":{}}}"#,
            100 * second,
            30 * second,
            2 * freezes
        ),
        r#""RTCTransport_0_1":{"type":"transport","dtlsState":"connected","selectedCandidatePairId":"RTCIceCandidatePair_1"}"#.to_owned(),
        r#""RTCIceCandidatePair_1":{"type":"candidate-pair","state":"succeeded","currentRoundTripTime":0.03,"localCandidateId":"L"}"#.to_owned(),
    ]
    .join(",")
}

#[test]
fn a_session_of_reports_alone_has_no_findings_if_all_is_well() {
    assert_eq!(Session::new().polled(60, |second| native(second, 0, 0)).findings(), []);
}

#[test]
fn a_session_of_reports_alone_has_those_that_reports_tell() {
    let session = Session::new().polled(30, |second| native(second, 6, u64::from(second > 20)));
    let found: Vec<_> = session.findings().iter().map(|finding| finding.rule.id).collect();
    assert_eq!(found, ["packet-loss", "video-frozen"]);
}

#[test]
fn reports_that_come_seldom_are_compared_one_by_one() {
    let session = (0..6_u64).fold(Session::new(), |session, number| {
        let second = 15 * number;
        session.report(&native(second, 6, 0)).wait(15_000)
    });
    assert_eq!(
        session.sentences("packet-loss"),
        ["Packet loss of sent video reached 12% at 22:13:35 UTC, 900 packets in all"]
    );
    assert_eq!(session.findings().len(), 1);
}
