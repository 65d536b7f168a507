//! What is heard of audio that is received.

use super::{Session, check};

/// An audio of 48,000 samples a second, with counters for each second.
fn audio(seconds: u64, members: impl Fn(u64) -> String) -> Session {
    Session::new().polled(seconds, |second| {
        format!(
            r#""R":{{"type":"inbound-rtp","kind":"audio","totalSamplesReceived":{}{}}}"#,
            48_000 * second,
            members(second)
        )
    })
}

#[test]
fn samples_that_were_missing_are_heard_as_gaps() {
    let concealed = |each: u64, silent: u64| {
        audio(30, move |second| {
            let seconds = second.clamp(10, 15) - 10;
            format!(r#","concealedSamples":{},"silentConcealedSamples":{}"#, each * seconds, silent * seconds)
        })
    };
    check(
        "audio-concealment",
        &[
            (
                "a tenth of five seconds",
                concealed(4800, 0),
                Some("Received audio had gaps: 0.5 s were invented, 10% at 22:13:35 UTC"),
            ),
            ("silence, which nobody misses", concealed(4800, 4800), None),
            ("a few", concealed(480, 0), None),
            ("a browser that does not tell", audio(30, |_| String::new()), None),
        ],
    );
}

#[test]
fn a_clock_that_differs_is_made_up_for_all_the_time() {
    let corrected = |inserted: u64, removed: u64, until: u64| {
        audio(60, move |second| {
            let second = second.min(until);
            format!(
                r#","insertedSamplesForDeceleration":{},"removedSamplesForAcceleration":{}"#,
                inserted * second,
                removed * second
            )
        })
    };
    check(
        "audio-clock-drift",
        &[
            ("too slow", corrected(2400, 0, 60), Some("Received audio was stretched by 5% for 59 s")),
            ("too fast", corrected(0, 2400, 60), Some("Received audio was hurried by 5% for 59 s")),
            ("both ways", corrected(2400, 2400, 60), None),
            ("a burst", corrected(2400, 0, 10), None),
            ("a little", corrected(48, 0, 60), None),
        ],
    );
}
