//! Encoders and decoders that fell back to software.

use super::{Session, check};

#[test]
fn a_codec_falls_back_to_software() {
    let encoder = |before: &'static str, after: &'static str| {
        Session::new().polled(30, move |second| {
            let encoder = if second < 12 { before } else { after };
            format!(r#""S":{{"type":"outbound-rtp","kind":"video","packetsSent":{},{encoder}}}"#, 50 * second)
        })
    };
    let hardware = r#""encoderImplementation":"ExternalEncoder (VideoToolbox)","powerEfficientEncoder":true"#;
    let software = r#""encoderImplementation":"libvpx","powerEfficientEncoder":false"#;
    let named = r#""encoderImplementation":"libvpx (fallback from: VideoToolbox)""#;
    let decoder = Session::new().polled(30, |second| {
        let decoder = if second < 12 { "ExternalDecoder" } else { "FFmpeg" };
        format!(
            r#""R":{{"type":"inbound-rtp","kind":"video","packetsReceived":{},"decoderImplementation":"{decoder}","powerEfficientDecoder":{}}}"#,
            50 * second,
            second < 12
        )
    });
    let of = |to: &str| {
        format!("The encoder of video fell back to software: {to} instead of ExternalEncoder (VideoToolbox)")
    };
    let (plain, told) = (of("libvpx"), of("libvpx (fallback from: VideoToolbox)"));
    check(
        "codec-fallback",
        &[
            ("hardware to software", encoder(hardware, software), Some(&plain)),
            (
                "libwebrtc names it",
                encoder(r#""encoderImplementation":"ExternalEncoder (VideoToolbox)""#, named),
                Some(&told),
            ),
            (
                "a decoder",
                decoder,
                Some("The decoder of video fell back to software: FFmpeg instead of ExternalDecoder"),
            ),
            ("software to hardware", encoder(software, hardware), None),
            ("software from the beginning", encoder(software, software), None),
            ("Safari tells no implementation", encoder(r#""rid":"x""#, r#""rid":"x""#), None),
        ],
    );
}
