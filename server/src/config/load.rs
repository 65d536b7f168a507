//! Puts the layers of settings together, and refuses what no setting is called.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use figment::Figment;
use figment::error::Kind;
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Value};

use super::origin::{Origin, Origins, flag, place};
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

impl Overrides {
    /// Takes the value of a flag, if it is given.
    pub(crate) fn set(&mut self, key: &'static str, value: Option<&String>) {
        self.values.extend(value.map(|value| (key, value.clone())));
    }
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
    let mut origins = Origins::default();

    let file = file_of(overrides);
    if let Some(file) = &file {
        let layer: Dict = Figment::from(Toml::file_exact(file))
            .extract()
            .map_err(|error| anyhow!("cannot read {}: {}", file.display(), without_excerpt(&error)))?;
        let mut found = BTreeMap::new();
        flatten("", &Value::from(layer), &mut found);
        let text = std::fs::read_to_string(file).unwrap_or_default();
        for key in found.keys() {
            let place = place(file, &text, key);
            known(key, &defaults, |nearest| format!("{place}: unknown key `{key}`; did you mean `{nearest}`?"))?;
            origins.set(key, place);
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
        origins.set(key, Origin::Variable(name));
    }
    for (key, text) in &overrides.values {
        let default = defaults.get(*key).with_context(|| format!("no setting is called `{key}`"))?;
        figment = figment.merge(Serialized::default(key, typed(default, text)?));
        origins.set(key, flag(key));
    }
    figment.extract().map_err(|error| complaint(&error, &origins))
}

/// What does not fit, where it stands, and the setting's name. A value of a wrong type is not repeated: it may be a secret that
/// lacks its quotes.
fn complaint(error: &figment::Error, origins: &Origins) -> anyhow::Error {
    let key = error.path.join(".");
    let text = match &error.kind {
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => format!("it is not {expected}"),
        other => other.to_string(),
    };
    let place = origins.of(&key).map(|origin| format!("{origin}: ")).unwrap_or_default();
    anyhow!("{place}the setting `{key}`: {text}")
}

/// What the parser of a file says, without the line that it quotes: that may be one with a secret.
fn without_excerpt(error: &figment::Error) -> String {
    let text = error.to_string();
    let said: Vec<&str> = text.lines().filter(|line| !line.contains('|')).map(str::trim).collect();
    said.join(", ")
}

/// Every setting by its dotted key.
pub(super) fn leaves(config: &Config) -> anyhow::Result<BTreeMap<String, Value>> {
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
pub(super) mod tests {
    use super::*;

    pub(in crate::config) fn with_file(text: &str, variables: &[(&str, &str)]) -> anyhow::Result<Config> {
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
        assert!(
            error
                .contains("test.toml, line 2: unknown key `session.resume_grase`; did you mean `session.resume_grace`"),
            "{error}"
        );
        let error = with_file("", &[("RTCTRACE_LISTN", "x")]).unwrap_err().to_string();
        assert!(error.contains("did you mean `RTCTRACE_LISTEN`"), "{error}");
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        let error = format!("{:#}", with_file("[session]\nresume_grace = \"soon\"\n", &[]).unwrap_err());
        assert!(
            error.contains("test.toml, line 2: the setting `session.resume_grace`: `soon` is no length"),
            "{error}"
        );
        let error = format!("{:#}", with_file("", &[("RTCTRACE_SESSION_RESUME_GRACE", "soon")]).unwrap_err());
        assert!(
            error.contains("the variable RTCTRACE_SESSION_RESUME_GRACE: the setting `session.resume_grace`"),
            "{error}"
        );
        let error = format!("{:#}", with_file("listen = \"a\"\nlimits = 7\n", &[]).unwrap_err());
        assert!(error.contains("test.toml, line 2: the setting `limits`: it is not"), "{error}");
        let error = format!("{:#}", with_file("listen = \"a\"\n[limits\n", &[]).unwrap_err());
        assert!(error.contains("test.toml: ") && error.contains("line 2"), "{error}");
        let error = format!("{:#}", with_file("", &[("RTCTRACE_STATS_ENABLED", "maybe")]).unwrap_err());
        assert!(error.contains("RTCTRACE_STATS_ENABLED") && error.contains("maybe"), "{error}");
        let error = format!("{:#}", with_file("[storage]\nsecret_access_key = 98765432\n", &[]).unwrap_err());
        assert!(error.contains("`storage.secret_access_key`") && error.contains("a string"), "{error}");
        assert!(error.contains("test.toml, line 2: ") && !error.contains("98765432"), "{error}");
    }
}
