//! Which browser a session ran in: from the client hints in its `create` event, else from the `User-Agent` header.

use rtctrace_protocol::json::RawValue;
use serde::Serialize;
use utoipa::ToSchema;

/// A browser, as far as it told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Browser {
    /// `Chrome`, `Firefox`, ...
    pub(crate) name: String,
    /// As the browser writes it; client hints have the major version only.
    pub(crate) version: String,
    /// The operating system.
    pub(crate) os: String,
}

/// Names come from the network: a longer one is cut.
const LONGEST: usize = 64;

/// Products of `User-Agent` headers, the most specific first: many browsers also name the ones they derive from.
const PRODUCTS: [(&str, &str); 13] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Electron/", "Electron"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Headless Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
];

/// Platforms of `User-Agent` headers; Android also says Linux, and iPhones also say Mac OS X.
const PLATFORMS: [(&str, &str); 7] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("CrOS", "Chrome OS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

impl Browser {
    /// From `userAgentData` of a client's `create`: `brands` name the browser, its engine and a made-up one.
    pub(crate) fn from_hints(create: RawValue<'_>) -> Option<Self> {
        let hints = create.get("userAgentData")?;
        let brands = hints.get("brands")?.elements().filter_map(|brand| {
            let name = brand.get("brand")?.as_str()?;
            let version = brand.get("version").and_then(RawValue::as_str).unwrap_or_default();
            // GREASE (https://wicg.github.io/ua-client-hints/#grease): a brand that is none, spelled differently each time.
            let made_up = name.contains("Not") && name.contains("Brand");
            (!made_up).then(|| (cut(&name), cut(&version)))
        });
        let (name, version) = brands.max_by_key(|(name, _)| name != "Chromium")?;
        let name = match name.as_str() {
            "Google Chrome" => "Chrome".to_owned(),
            "Microsoft Edge" => "Edge".to_owned(),
            _ => name,
        };
        let os = hints.get("platform").and_then(RawValue::as_str).map(|os| cut(&os)).unwrap_or_default();
        Some(Self { name, version, os })
    }

    /// From a `User-Agent` header.
    pub(crate) fn from_header(header: &str) -> Option<Self> {
        let (name, version) = PRODUCTS.iter().find_map(|(product, name)| {
            let (_, rest) = header.split_once(product)?;
            let version = rest.split([' ', ';', ')']).next().unwrap_or_default();
            Some(((*name).to_owned(), cut(version)))
        })?;
        let os = PLATFORMS.iter().find(|(text, _)| header.contains(text)).map_or("", |(_, os)| os);
        Some(Self { name, version, os: os.to_owned() })
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(brands: &str) -> Option<Browser> {
        let create = format!(r#"{{"userAgentData":{{"brands":{brands},"mobile":false,"platform":"Linux"}}}}"#);
        Browser::from_hints(RawValue::parse(&create).unwrap())
    }

    fn browser(name: &str, version: &str, os: &str) -> Option<Browser> {
        Some(Browser { name: name.to_owned(), version: version.to_owned(), os: os.to_owned() })
    }

    #[test]
    fn client_hints_name_the_browser_before_its_engine() {
        let grease = r#"{"brand":"Not:A-Brand","version":"8"}"#;
        let chromium = r#"{"brand":"Chromium","version":"156"}"#;
        let chrome = r#"{"brand":"Google Chrome","version":"156"}"#;
        assert_eq!(hints(&format!("[{grease},{chromium}]")), browser("Chromium", "156", "Linux"));
        assert_eq!(hints(&format!("[{chrome},{grease},{chromium}]")), browser("Chrome", "156", "Linux"));
        assert_eq!(hints(&format!("[{grease}]")), None);
        assert_eq!(hints("5"), None);
    }

    #[test]
    fn headers_name_the_browser_too() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
        assert_eq!(Browser::from_header(chrome), browser("Chrome", "131.0.0.0", "Linux"));
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0";
        assert_eq!(Browser::from_header(edge), browser("Edge", "131.0.0.0", "Windows"));
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
        assert_eq!(Browser::from_header(firefox), browser("Firefox", "128.0", "Linux"));
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";
        assert_eq!(Browser::from_header(safari), browser("Safari", "18.0", "iOS"));
        assert_eq!(Browser::from_header("curl/8"), None);
    }
}
