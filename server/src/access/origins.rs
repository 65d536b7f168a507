//! Which pages may record: the allow-list of origins. It protects against other people's pages; whoever is no browser writes
//! into the header what he likes, and is stopped by tokens only.

use anyhow::ensure;
use url::Url;

/// What stands for any subdomain.
const WILDCARD: &str = "*.";

#[derive(Debug, PartialEq, Eq)]
enum Pattern {
    Exact(String),
    /// Scheme with `://`, and what follows the subdomain, port and all, with its dot in front.
    Below {
        scheme: String,
        rest: String,
    },
}

/// The allow-list; an empty one allows all.
#[derive(Debug, Default)]
pub(super) struct Origins(Vec<Pattern>);

impl Origins {
    /// Reads the patterns of the settings.
    pub(super) fn new(patterns: &[String]) -> anyhow::Result<Self> {
        patterns.iter().map(|text| pattern(text)).collect::<anyhow::Result<_>>().map(Self)
    }

    /// Whether a page of that origin may record. A client without one is no page.
    pub(super) fn allow(&self, origin: Option<&str>) -> bool {
        let Some(origin) = origin.filter(|_| !self.0.is_empty()) else { return true };
        let origin = origin.to_ascii_lowercase();
        self.0.iter().any(|pattern| match pattern {
            Pattern::Exact(text) => *text == origin,
            Pattern::Below { scheme, rest } => {
                let name = origin.strip_prefix(scheme.as_str()).and_then(|origin| origin.strip_suffix(rest.as_str()));
                name.is_some_and(|name| {
                    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
                })
            }
        })
    }
}

fn pattern(text: &str) -> anyhow::Result<Pattern> {
    let lower = text.to_ascii_lowercase();
    if lower == "null" {
        return Ok(Pattern::Exact(lower));
    }
    // A pattern is an origin but for its first label.
    let (scheme, host) = lower.split_once("://").unwrap_or_default();
    let (is_wildcard, host) = host.strip_prefix(WILDCARD).map_or((false, host), |host| (true, host));
    let origin = Url::parse(&format!("{scheme}://{host}")).map(|url| url.origin().ascii_serialization());
    ensure!(
        !host.contains('*') && origin.is_ok_and(|origin| origin == format!("{scheme}://{host}")),
        "access.origins: `{text}` is no origin; write for example https://app.example.com, https://*.example.com or \
         http://localhost:3000, without a path"
    );
    Ok(match is_wildcard {
        true => Pattern::Below { scheme: format!("{scheme}://"), rest: format!(".{host}") },
        false => Pattern::Exact(lower),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(patterns: &[&str], origin: &str) -> bool {
        let patterns: Vec<String> = patterns.iter().map(|text| (*text).to_owned()).collect();
        Origins::new(&patterns).unwrap().allow(Some(origin))
    }

    #[test]
    fn an_origin_is_allowed_exactly_or_by_its_domain() {
        assert!(allows(&[], "https://anything.example"));
        assert!(allows(&["https://app.example.com"], "https://app.example.com"));
        assert!(allows(&["https://App.Example.com"], "https://app.example.com"));
        assert!(!allows(&["https://app.example.com"], "http://app.example.com"));
        assert!(!allows(&["https://app.example.com"], "https://app.example.com:8443"));
        assert!(!allows(&["https://app.example.com"], "null"));
        assert!(allows(&["http://localhost:3000"], "http://localhost:3000"));
        let below = ["https://*.example.com"];
        assert!(allows(&below, "https://a.example.com") && allows(&below, "https://a.b.example.com"));
        for other in [
            "https://example.com",
            "https://.example.com",
            "https://aexample.com",
            "https://a.example.com.evil.test",
            "https://evil.test/a.example.com",
            "https://evil.test:1@a.example.com",
            "https://a.example.com:8443",
            "http://a.example.com",
        ] {
            assert!(!allows(&below, other), "{other}");
        }
        assert!(allows(&["https://*.example.com:8443"], "https://a.example.com:8443"));
        assert!(Origins::new(&["https://app.example.com".to_owned()]).unwrap().allow(None));
    }

    #[test]
    fn what_is_no_origin_is_named_at_start() {
        for wrong in
            ["app.example.com", "https://app.example.com/", "https://*", "https://a.*.com", "*", "https://x:443"]
        {
            let error = Origins::new(&[wrong.to_owned()]).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
