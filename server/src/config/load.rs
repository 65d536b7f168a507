//! Puts the layers of settings together, refuses what no setting is called, and prints the result.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use figment::Figment;
use figment::error::Kind;
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Value};
use url::Url;

use super::{Config, LogFormat};

/// The settings file that is read when no flag names one.
const DEFAULT_FILE: &str = "rtctrace.toml";
/// What the name of every variable begins with.
const PREFIX: &str = "RTCTRACE_";
/// Variables under this name belong to the project's tests, not to the collector.
const TESTS_PREFIX: &str = "TEST_";

/// What the command line says: the top layer.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    /// The settings file; it must exist.
    pub(crate) file: Option<PathBuf>,
    /// Keys (`session.resume_grace`) and their values, as text.
    pub(crate) values: Vec<(&'static str, String)>,
}

/// The variables of the process's environment that are the collector's.
pub(crate) fn variables() -> anyhow::Result<Vec<(String, String)>> {
    let ours = std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()));
    ours.map(|(name, value)| {
        let name = name.into_string().map_err(|name| anyhow!("the variable {name:?} is not UTF-8; unset it"))?;
        // What it holds may be a secret.
        let value = value.into_string();
        let value = value.map_err(|_| anyhow!("the value of the variable {name} is not UTF-8; write it in UTF-8"))?;
        Ok((name, value))
    })
    .collect()
}

/// How the log looks, as far as can be said of settings that may be wrong: for who tells what is wrong with them.
pub(crate) fn log_format(overrides: &Overrides) -> LogFormat {
    let is_json = match std::env::var(format!("{PREFIX}{}", variable("log.format"))) {
        Ok(format) => format == "json",
        Err(_) => file_of(overrides).is_some_and(|file| {
            let format = Figment::from(Toml::file_exact(file)).extract_inner::<LogFormat>("log.format");
            format.is_ok_and(|format| format == LogFormat::Json)
        }),
    };
    if is_json { LogFormat::Json } else { LogFormat::Text }
}

/// The settings file, if there is one.
fn file_of(overrides: &Overrides) -> Option<PathBuf> {
    overrides.file.clone().or_else(|| Path::new(DEFAULT_FILE).exists().then(|| PathBuf::from(DEFAULT_FILE)))
}

/// Reads all layers. `variables` is the process's environment.
pub(crate) fn load(overrides: &Overrides, variables: impl Iterator<Item = (String, String)>) -> anyhow::Result<Config> {
    let defaults = leaves(&Config::default())?;
    let mut figment = Figment::from(Serialized::defaults(Config::default()));

    let file = file_of(overrides);
    if let Some(file) = &file {
        let layer: Dict = Figment::from(Toml::file_exact(file))
            .extract()
            .map_err(|error| anyhow!("cannot read {}: {}", file.display(), without_excerpt(&error)))?;
        let mut found = BTreeMap::new();
        flatten("", &Value::from(layer), &mut found);
        for key in found.keys() {
            known(key, &defaults, |nearest| {
                format!("{}: unknown key `{key}`; did you mean `{nearest}`?", file.display())
            })?;
        }
        figment = figment.merge(Toml::file_exact(file));
    }

    for (name, text) in variables {
        let Some(rest) = name.strip_prefix(PREFIX).filter(|rest| !rest.starts_with(TESTS_PREFIX)) else { continue };
        let Some((key, default)) = defaults.iter().find(|(key, _)| variable(key) == rest) else {
            let names: Vec<String> = defaults.keys().map(|key| format!("{PREFIX}{}", variable(key))).collect();
            bail!("unknown variable `{name}`; did you mean `{}`?", nearest(&name, names.iter().map(String::as_str)));
        };
        let value = typed(default, &text).with_context(|| format!("the variable {name}"))?;
        figment = figment.merge(Serialized::default(key, value));
    }
    for (key, text) in &overrides.values {
        let default = defaults.get(*key).with_context(|| format!("no setting is called `{key}`"))?;
        figment = figment.merge(Serialized::default(key, typed(default, text)?));
    }
    figment.extract().map_err(complaint)
}

/// What does not fit, by the setting's name. A value of a wrong type is not repeated: it may be a secret that lacks its quotes.
fn complaint(error: figment::Error) -> anyhow::Error {
    let key = error.path.join(".");
    let text = match &error.kind {
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => format!("it is not {expected}"),
        other => other.to_string(),
    };
    anyhow!("the setting `{key}` (variable {PREFIX}{}): {text}", variable(&key))
}

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
    let explanations = super::explanations();
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

/// What the parser of a file says, without the line that it quotes: that may be one with a secret.
fn without_excerpt(error: &figment::Error) -> String {
    let text = error.to_string();
    let said: Vec<&str> = text.lines().filter(|line| !line.contains('|')).map(str::trim).collect();
    said.join(", ")
}

/// Every setting by its dotted key.
fn leaves(config: &Config) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut found = BTreeMap::new();
    flatten("", &Value::serialize(config)?, &mut found);
    Ok(found)
}

fn flatten(path: &str, value: &Value, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Dict(_, members) if !members.is_empty() || path.is_empty() => {
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, member, found);
            }
        }
        other => {
            found.insert(path.to_owned(), other.clone());
        }
    }
}

fn known(key: &str, defaults: &BTreeMap<String, Value>, error: impl Fn(&str) -> String) -> anyhow::Result<()> {
    let is_section = defaults.keys().any(|known| known.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')));
    if defaults.contains_key(key) || is_section {
        return Ok(());
    }
    bail!(error(nearest(key, defaults.keys().map(String::as_str))))
}

fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> &'a str {
    names.min_by_key(|name| strsim::damerau_levenshtein(wrong, name)).unwrap_or("")
}

/// `session.resume_grace` is `SESSION_RESUME_GRACE` in the environment.
fn variable(key: &str) -> String {
    key.replace('.', "_").to_ascii_uppercase()
}

/// Text from the environment or the command line, as the type that the setting has.
fn typed(default: &Value, text: &str) -> anyhow::Result<Value> {
    Ok(match default {
        Value::Bool(..) => match text {
            "true" | "1" | "yes" | "on" => Value::from(true),
            "false" | "0" | "no" | "off" => Value::from(false),
            _ => bail!("`{text}` is neither true nor false"),
        },
        Value::Num(..) => Value::from(text.parse::<u64>().with_context(|| format!("`{text}` is no whole number"))?),
        _ => Value::from(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(text: &str, variables: &[(&str, &str)]) -> anyhow::Result<Config> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("test.toml");
        std::fs::write(&file, text).unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load(&Overrides { file: Some(file), values: Vec::new() }, variables.collect::<Vec<_>>().into_iter())
    }

    #[test]
    fn variables_win_over_the_file_and_the_file_over_the_defaults() {
        let config = with_file(
            "listen = \"127.0.0.1:1\"\n[session]\nresume_grace = \"5s\"\n[limits]\nsessions = 7\n",
            &[
                ("RTCTRACE_SESSION_RESUME_GRACE", "2s"),
                ("RTCTRACE_STATS_ENABLED", "false"),
                ("RTCTRACE_TEST_CHROMIUM", "x"),
                ("PATH", "/bin"),
            ],
        )
        .unwrap();
        assert_eq!(config.listen, "127.0.0.1:1");
        assert_eq!(config.session.resume_grace.to_string(), "2s");
        assert_eq!(config.limits.sessions, 7);
        assert!(!config.stats.enabled);
        assert!(config.privacy.addresses);
    }

    #[test]
    fn the_settings_to_copy_are_settings() {
        let config = with_file(include_str!("../../../deploy/rtctrace.toml"), &[]).unwrap();
        assert_eq!(config.listen, "0.0.0.0:8443");
        assert_eq!(config.retention.dumps.to_string(), "30d");
    }

    #[test]
    fn flags_win_over_variables() {
        let flags = Overrides { file: None, values: vec![("listen", "127.0.0.1:3".to_owned())] };
        let config = load(&flags, [("RTCTRACE_LISTEN".to_owned(), "127.0.0.1:2".to_owned())].into_iter()).unwrap();
        assert_eq!(config.listen, "127.0.0.1:3");
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        let error = with_file("[session]\nresume_grase = \"5s\"\n", &[]).unwrap_err().to_string();
        assert!(error.contains("`session.resume_grase`; did you mean `session.resume_grace`"), "{error}");
        let error = with_file("", &[("RTCTRACE_LISTN", "x")]).unwrap_err().to_string();
        assert!(error.contains("did you mean `RTCTRACE_LISTEN`"), "{error}");
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        let error = format!("{:#}", with_file("[session]\nresume_grace = \"soon\"\n", &[]).unwrap_err());
        assert!(error.contains("resume_grace") && error.contains("soon"), "{error}");
        let error = format!("{:#}", with_file("", &[("RTCTRACE_STATS_ENABLED", "maybe")]).unwrap_err());
        assert!(error.contains("RTCTRACE_STATS_ENABLED") && error.contains("maybe"), "{error}");
        let error = format!("{:#}", with_file("[storage]\nsecret_access_key = 98765432\n", &[]).unwrap_err());
        assert!(error.contains("`storage.secret_access_key`") && error.contains("a string"), "{error}");
        assert!(error.contains("RTCTRACE_STORAGE_SECRET_ACCESS_KEY") && !error.contains("98765432"), "{error}");
    }

    #[test]
    fn the_result_is_printed_without_secrets_and_reads_back() {
        let mut config = Config::default();
        config.database.url = "postgres://me:unseen1@db/rtctrace?sslpassword=unseen2".to_owned();
        config.access.client_secret = super::super::Secret::new("unseen3");
        let text = render(&config).unwrap();
        assert!(!text.contains("unseen") && !format!("{config:?}").contains("unseen"), "{text}");
        assert!(text.contains("client_secret = \"***\"") && text.contains("origins = []"), "{text}");
        assert!(text.contains("# How sessions live and end.\n[session]\n# How long a socket may be silent"), "{text}");
        assert!(text.contains("\nidle_timeout = \"60s\"\n# How long a session whose socket is gone"), "{text}");
        with_file(&text, &[]).unwrap();
    }

    #[test]
    fn every_setting_is_explained() {
        let explanations = super::super::explanations();
        for key in leaves(&Config::default()).unwrap().keys() {
            assert!(explanations.get(key).is_some_and(|text| text.ends_with('.')), "{key}");
            let section = key.split_once('.').map_or(key.as_str(), |(section, _)| section);
            assert!(explanations.contains_key(section), "{section}");
        }
    }
}
