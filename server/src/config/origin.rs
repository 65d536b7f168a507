//! Where a setting was set: for who is told that it is wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// What set a setting last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// The settings file, and in which line, as far as that can be said.
    File(PathBuf, Option<usize>),
    /// A variable.
    Variable(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file, Some(line)) => write!(f, "{}, line {line}", file.display()),
            Self::File(file, None) => write!(f, "{}", file.display()),
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::Flag(name) => write!(f, "the flag {name}"),
        }
    }
}

/// Every setting that is not as it is by default.
#[derive(Debug, Default)]
pub(super) struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// A layer above those before sets a key.
    pub(super) fn set(&mut self, key: &str, origin: Origin) {
        self.0.insert(key.to_owned(), origin);
    }

    /// Of a key, or of something within it.
    pub(super) fn of(&self, key: &str) -> Option<&Origin> {
        let within = |known: &str| key.strip_prefix(known).is_some_and(|rest| rest.starts_with('.'));
        self.0.get(key).or_else(|| self.0.iter().find(|(known, _)| within(known)).map(|(_, origin)| origin))
    }
}

/// The flag that sets a key.
pub(super) fn flag(key: &str) -> Origin {
    Origin::Flag(format!("--{}", key.replace(['.', '_'], "-")))
}

/// The place of a key in a file.
pub(super) fn place(file: &Path, text: &str, key: &str) -> Origin {
    Origin::File(file.to_owned(), line_of(text, key))
}

/// The line, from 1, where a TOML text sets a key: by itself, in its section, or in an inline table.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let plain = |name: &str| {
        let parts = name.split('.').map(|part| part.trim().trim_matches(['"', '\'']));
        parts.collect::<Vec<_>>().join(".")
    };
    let mut section = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            section = plain(header) + ".";
        } else if let Some((name, _)) = line.split_once('=') {
            let set = section.clone() + &plain(name);
            if key.strip_prefix(&set).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
                return Some(number);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_however_it_is_written() {
        let text = "# [limits]\nlisten = \"x\"\nsession.idle_timeout = 1\ngeo = { database = \"x\" }\n\
             \n[ limits ]\n  \"sessions\" = 3 # = 4\n[tls]\nkey=\"\"\n";
        for (key, line) in [
            ("listen", Some(2)),
            ("session.idle_timeout", Some(3)),
            ("geo.database", Some(4)),
            ("limits.sessions", Some(7)),
            ("tls.key", Some(9)),
            ("key", None),
            ("limits.session", None),
        ] {
            assert_eq!(line_of(text, key), line, "{key}");
        }
    }
}
