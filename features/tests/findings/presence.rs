//! Whether the page was there.

use super::{Session, check};

fn between(begin: (&str, &str), millis: u64, end: (&str, &str)) -> Session {
    Session::new().page("create", "{}").wait(5000).page(begin.0, begin.1).wait(millis).page(end.0, end.1)
}

#[test]
fn a_page_is_hidden() {
    let visibility = "document.onvisibilitychange";
    check(
        "page-hidden",
        &[
            (
                "for a while",
                between((visibility, r#""hidden""#), 30_000, (visibility, r#""visible""#)),
                Some("The page was hidden for 30 s"),
            ),
            (
                "to the end",
                between((visibility, r#""hidden""#), 12_000, ("x", "1")),
                Some("The page was hidden for 12 s"),
            ),
            ("for a moment", between((visibility, r#""hidden""#), 3000, (visibility, r#""visible""#)), None),
            ("visible", between((visibility, r#""visible""#), 30_000, ("x", "1")), None),
        ],
    );
}

#[test]
fn a_page_is_frozen() {
    check(
        "page-frozen",
        &[
            (
                "and resumed",
                between(("document.onfreeze", "null"), 30_000, ("document.onresume", "null")),
                Some("The browser froze the page once, for 30 s in all"),
            ),
            ("resumed without", between(("document.onresume", "null"), 30_000, ("x", "1")), None),
        ],
    );
}

#[test]
fn a_machine_sleeps() {
    check(
        "machine-suspended",
        &[
            (
                "twice",
                between(
                    (":rtctrace.suspended", r#"{"duration":60000}"#),
                    3000,
                    (":rtctrace.suspended", r#"{"duration":2000}"#),
                ),
                Some("The machine slept twice, for 62 s in all"),
            ),
            ("an event of the page", between((":suspended", r#"{"duration":60000}"#), 3000, ("x", "1")), None),
        ],
    );
}

#[test]
fn a_browser_is_offline() {
    check(
        "page-offline",
        &[
            (
                "and online",
                between(("window.onoffline", "null"), 8000, ("window.ononline", "null")),
                Some("The browser was offline once, for 8 s in all"),
            ),
            ("online", between(("window.ononline", "null"), 8000, ("x", "1")), None),
        ],
    );
}
