//! The settings as they are printed: each with what it means, secrets masked.

use std::collections::BTreeMap;

use figment::value::Value;
use url::Url;

use super::load::leaves;
use super::{Config, explanations};

/// What stands above the printed settings.
const INTRODUCTION: &str = "\
# Every setting can be set here (`rtctrace.toml`, or `--config FILE`), by an environment variable, or some by a flag; each of these wins
# over the one before. The variable of `durability` in `[spool]` is RTCTRACE_SPOOL_DURABILITY; lists are written `a, b` there.

";

/// The settings as a TOML file, each with what it means, secrets masked.
pub(crate) fn render(config: &Config) -> anyhow::Result<String> {
    let mut top = String::from(INTRODUCTION);
    let mut shown = config.clone();
    shown.database.url = masked(&config.database_url()?);
    shown.storage.url = masked(config.storage_url()?.as_str());
    shown.storage.endpoint = masked(&config.storage.endpoint);
    shown.traces.endpoint = masked(&config.traces.endpoint);
    let explanations = explanations();
    let mut sections = BTreeMap::<String, String>::new();
    for (key, value) in leaves(&shown)? {
        let text = match &value {
            Value::String(_, text) => serde_json::to_string(text)?,
            other => serde_json::to_string(other)?,
        };
        let comment = comment(explanations.get(&key).copied().unwrap_or_default());
        match key.split_once('.') {
            Some((section, name)) => {
                *sections.entry(section.to_owned()).or_default() += &format!("{comment}{name} = {text}\n");
            }
            None => top += &format!("{comment}{key} = {text}\n"),
        }
    }
    for (section, lines) in sections {
        let about = comment(explanations.get(&section).copied().unwrap_or_default());
        top += &format!("\n{about}[{section}]\n{lines}");
    }
    Ok(top)
}

fn comment(text: &str) -> String {
    text.lines().map(|line| format!("# {}\n", line.trim())).collect()
}

/// A URL without its password and without the values of its query, where stores put keys.
pub(crate) fn masked(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else {
        // What cannot be read may hold a password all the same.
        return if text.contains(['@', '?']) { "***".to_owned() } else { text.to_owned() };
    };
    // `key:secret@place` is one, too, and has no password.
    if url.cannot_be_a_base() && text.contains('@') {
        return format!("{}:***", url.scheme());
    }
    if url.password().is_none() && url.query().is_none() {
        return text.to_owned();
    }
    if url.password().is_some() && url.set_password(Some("***")).is_err() {
        return "***".to_owned();
    }
    let names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    if !names.is_empty() {
        url.set_query(Some(&names.iter().map(|name| format!("{name}=***")).collect::<Vec<_>>().join("&")));
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::super::load::tests::with_file;
    use super::*;

    #[test]
    fn the_result_is_printed_without_secrets_and_reads_back() {
        let mut config = Config::default();
        config.database.url = "postgres://me:unseen1@db/rtctrace?sslpassword=unseen2".to_owned();
        config.access.client_secret = crate::config::Secret::new("unseen3");
        let text = render(&config).unwrap();
        assert!(!text.contains("unseen") && !format!("{config:?}").contains("unseen"), "{text}");
        assert!(text.contains("client_secret = \"***\"") && text.contains("origins = []"), "{text}");
        assert!(text.contains("# How sessions live and end.\n[session]\n# How long a socket may be silent"), "{text}");
        assert!(text.contains("\nidle_timeout = \"60s\"\n# How long a session whose socket is gone"), "{text}");
        with_file(&text, &[]).unwrap();
    }

    #[test]
    fn every_setting_is_explained() {
        let explanations = explanations();
        for key in leaves(&Config::default()).unwrap().keys() {
            assert!(explanations.get(key).is_some_and(|text| text.ends_with('.')), "{key}");
            let section = key.split_once('.').map_or(key.as_str(), |(section, _)| section);
            assert!(explanations.contains_key(section), "{section}");
        }
    }
}
