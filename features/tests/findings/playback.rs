//! Whether what is received may be played.

use super::{Session, check};

#[test]
fn a_browser_refuses_to_play() {
    let refused = |error: &str| {
        Session::new()
            .event("ontrack", r#"["audio","a","x"]"#)
            .event("HTMLMediaElement.playOnFailure", &format!(r#""{error}","a""#))
    };
    check(
        "autoplay-blocked",
        &[
            (
                "without a gesture",
                refused("NotAllowedError: play() failed"),
                Some("The browser refused to play what was received, once: NotAllowedError: play() failed"),
            ),
            ("interrupted by a load", refused("AbortError: The play() request was interrupted"), None),
        ],
    );
}
