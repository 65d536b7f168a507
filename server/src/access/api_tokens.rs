//! Tokens of the API: random, with scopes, and kept as hashes in a file of lines `<name> <scopes> sha256:<hex>`. A token is
//! withdrawn by taking its line out.

use std::fmt::{self, Write as _};
use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail, ensure};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use subtle::{Choice, ConstantTimeEq as _};

use super::reload::Watched;
use crate::config::{Config, Secret};

/// What tokens begin with, so that scanners of source code know them.
const PREFIX: &str = "rtct_";
/// Random bytes of a token.
const RANDOM: usize = 32;
/// What hashes begin with in the file.
const HASH: &str = "sha256:";
/// The length of a hash.
pub(super) const HASH_BYTES: usize = 32;
const LONGEST_NAME: usize = 64;

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Sessions, dumps, stats and metrics.
    Read,
    /// Dumps from elsewhere.
    Upload,
    /// Deletion of sessions.
    Delete,
    /// All of these.
    Admin,
}

impl Scope {
    const ALL: [Self; 4] = [Self::Read, Self::Upload, Self::Delete, Self::Admin];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Upload => "upload",
            Self::Delete => "delete",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|scope| scope.name() == text);
        found.ok_or_else(|| format!("`{text}` is no scope; there are {}", Self::ALL.map(Self::name).join(", ")))
    }
}

#[derive(PartialEq, Eq)]
struct Entry {
    name: String,
    scopes: Vec<Scope>,
    hash: [u8; HASH_BYTES],
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.name, self.scopes)
    }
}

/// The file as it was last read.
#[derive(Debug)]
pub(super) struct TokenFile {
    exists: bool,
    entries: Vec<Entry>,
}

/// The tokens that the API takes.
#[derive(Debug)]
pub(super) struct ApiTokens {
    file: Arc<Watched<TokenFile>>,
    /// A file that was there and went does not open the API: that would be the wrong surprise.
    asked_once: AtomicBool,
}

/// What a token is good for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Allowed,
    /// It is known, but has not that scope.
    WrongScope,
    Unknown,
}

impl ApiTokens {
    /// Those of the settings' file. There may be none.
    pub(super) fn open(config: &Config) -> anyhow::Result<Self> {
        let path = config.api_token_file();
        let files = vec![path.clone()];
        let file = Watched::new("api_tokens", files, move || read(&path))?;
        let asked_once = AtomicBool::new(file.get().exists);
        Ok(Self { file: Arc::new(file), asked_once })
    }

    /// What they are read from.
    pub(super) fn watched(&self) -> Arc<Watched<TokenFile>> {
        Arc::clone(&self.file)
    }

    /// Whether requests need one: since there is, or was, a file of them.
    pub(super) fn required(&self) -> bool {
        if self.file.get().exists {
            self.asked_once.store(true, Ordering::Relaxed);
        }
        self.asked_once.load(Ordering::Relaxed)
    }

    /// Whether there is any.
    pub(super) fn exist(&self) -> bool {
        !self.file.get().entries.is_empty()
    }

    /// Whether a token allows `scope`; any scope will do if there is none.
    pub(super) fn check(&self, token: &Secret, scope: Option<Scope>) -> Verdict {
        let hash = hash(token.expose());
        // All are compared, each in constant time.
        let mut found = None;
        for entry in &self.file.get().entries {
            let same: Choice = entry.hash.as_slice().ct_eq(&hash);
            if bool::from(same) {
                let allows =
                    scope.is_none_or(|scope| entry.scopes.iter().any(|has| [scope, Scope::Admin].contains(has)));
                found = Some(allows || found.unwrap_or(false));
            }
        }
        match found {
            Some(true) => Verdict::Allowed,
            Some(false) => Verdict::WrongScope,
            None => Verdict::Unknown,
        }
    }
}

/// Makes a token and adds its hash to the file, which nobody else may read.
pub(crate) fn create(path: &Path, name: &str, scopes: &[Scope]) -> anyhow::Result<Secret> {
    ensure!(
        is_name(name),
        "`{name}` is no name; it has up to {LONGEST_NAME} letters, digits, dots, dashes and underscores"
    );
    ensure!(!scopes.is_empty(), "a token needs a scope");
    let mut random = [0; RANDOM];
    SystemRandom::new().fill(&mut random).map_err(|_| anyhow::anyhow!("the system has no random numbers"))?;
    let token = Secret::new(format!("{PREFIX}{}", hex(&random)));
    let file = read(path)?;
    ensure!(
        file.entries.iter().all(|entry| entry.name != name),
        "{} has a token `{name}` already; take its line out to withdraw it",
        path.display()
    );
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
    let mut line = format!("{name} {} {HASH}{}\n", scopes.join(","), hex(&hash(token.expose())));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let mut file = OpenOptions::new()
        .create(true)
        .read(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    // An editor may have left its last line open.
    let mut text = String::new();
    file.read_to_string(&mut text).with_context(|| format!("cannot read {}", path.display()))?;
    if !text.is_empty() && !text.ends_with('\n') {
        line.insert(0, '\n');
    }
    file.write_all(line.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(token)
}

fn read(path: &Path) -> anyhow::Result<TokenFile> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(TokenFile { exists: false, entries: Vec::new() });
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let mut entries = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
    {
        entries.push(entry(line).with_context(|| format!("{}, line {}", path.display(), number + 1))?);
    }
    Ok(TokenFile { exists: true, entries })
}

/// The line itself is in no error: somebody may have written a token where its hash belongs.
fn entry(line: &str) -> anyhow::Result<Entry> {
    let mut words = line.split_whitespace();
    let (Some(name), Some(scopes), Some(written), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        bail!("a line is `<name> <scopes> {HASH}<hex>`");
    };
    ensure!(is_name(name), "its name is none");
    let scopes =
        scopes.split(',').map(|scope| scope.parse().map_err(anyhow::Error::msg)).collect::<anyhow::Result<_>>()?;
    let hash = written.strip_prefix(HASH).and_then(unhex).context("its hash is none")?;
    Ok(Entry { name: name.to_owned(), scopes, hash })
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

/// What is kept of a token.
pub(super) fn hash(token: &str) -> [u8; HASH_BYTES] {
    let mut bytes = [0; HASH_BYTES];
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; HASH_BYTES]> {
    let mut bytes = [0; HASH_BYTES];
    if text.len() != 2 * HASH_BYTES || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::reload::Reload as _;
    use super::*;

    #[test]
    fn a_token_allows_its_scopes_until_its_line_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config { data_dir: dir.path().to_owned(), ..Config::default() };
        let path = config.api_token_file();
        let tokens = ApiTokens::open(&config).unwrap();
        assert!(!tokens.required());
        let reader = create(&path, "grafana", &[Scope::Read]).unwrap();
        let admin = create(&path, "ops", &[Scope::Admin]).unwrap();
        tokens.watched().check();
        assert!(tokens.required() && tokens.exist());
        assert_eq!(tokens.check(&reader, Some(Scope::Read)), Verdict::Allowed);
        assert_eq!(tokens.check(&reader, None), Verdict::Allowed);
        assert_eq!(tokens.check(&reader, Some(Scope::Delete)), Verdict::WrongScope);
        assert_eq!(tokens.check(&admin, Some(Scope::Delete)), Verdict::Allowed);
        assert_eq!(tokens.check(&Secret::new("rtct_"), None), Verdict::Unknown);
        assert!(create(&path, "ops", &[Scope::Read]).unwrap_err().to_string().contains("already"));
        assert!(create(&path, "two words", &[Scope::Read]).is_err());

        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(reader.expose()), "{text}");
        std::fs::write(&path, text.lines().last().unwrap()).unwrap();
        tokens.watched().check();
        assert_eq!(tokens.check(&reader, None), Verdict::Unknown);
        create(&path, "late", &[Scope::Upload, Scope::Delete]).unwrap();
        assert_eq!(read(&path).unwrap().entries.len(), 2);

        std::fs::remove_file(&path).unwrap();
        tokens.watched().check();
        assert!(tokens.required() && !tokens.exist(), "a file that went does not open the API");
    }

    #[test]
    fn a_wrong_line_is_named_and_not_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens");
        let hash = hex(&hash("x"));
        for wrong in ["hidden", "a read hidden", &format!("a read {hash}"), &format!("a/b read {HASH}{hash}")] {
            std::fs::write(&path, format!("# tokens\n{wrong}\n")).unwrap();
            let error = format!("{:#}", read(&path).unwrap_err());
            assert!(error.contains("line 2") && !error.contains("hidden"), "{error}");
        }
        std::fs::write(&path, format!("a write {HASH}{hash}")).unwrap();
        assert!(format!("{:#}", read(&path).unwrap_err()).contains("`write` is no scope"));
    }
}
