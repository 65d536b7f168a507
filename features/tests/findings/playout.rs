//! What the loudspeakers get.

use super::{Session, check};

#[test]
fn playout_has_glitches() {
    let made_up = |each: u64| {
        Session::new().polled(30, move |second| {
            let seconds = second.clamp(10, 15) - 10;
            format!(
                r#""P":{{"type":"media-playout","kind":"audio","synthesizedSamplesDuration":{},"totalSamplesDuration":{second}}}"#,
                each as f64 / 100.0 * seconds as f64
            )
        })
    };
    check(
        "synthesized-playout",
        &[
            (
                "a tenth of five seconds",
                made_up(10),
                Some("The loudspeaker got 0.5 s of made-up samples, 10% at 22:13:35 UTC"),
            ),
            ("a little", made_up(1), None),
            ("none", made_up(0), None),
        ],
    );
}
