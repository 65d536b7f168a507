//! Settings: defaults, then a TOML file, then `RTCTRACE_*` variables, then flags. What a setting means is said here, once.

mod check;
mod list;
mod load;
mod origin;
mod print;
mod secret;
mod sora;
mod units;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use documented::DocumentedFields;
use rtctrace_protocol::privacy::{Hidden, Obfuscator};
use serde::{Deserialize, Serialize};
use url::Url;

pub(crate) use check::check;
pub(crate) use list::List;
pub(crate) use load::{Overrides, load, log_format, variables};
pub(crate) use print::{masked, render};
pub(crate) use secret::Secret;
pub(crate) use sora::{Sora, SoraTls};
pub(crate) use units::{Size, Span};

/// All settings of the collector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Config {
    /// Where the listener binds. Port 0 takes a free one.
    pub(crate) listen: String,
    /// Allows addresses of `listen` and `sora.listen` that others can reach, although not everybody is asked for credentials.
    pub(crate) insecure_open: bool,
    /// Spool, dumps and database lie under it unless their own settings say otherwise.
    pub(crate) data_dir: PathBuf,
    /// The database.
    pub(crate) database: Database,
    /// The object storage of dumps.
    pub(crate) storage: Storage,
    /// The stats tables.
    pub(crate) stats: Stats,
    /// The files of sessions that are not stored yet.
    pub(crate) spool: Spool,
    /// How sessions live and end.
    pub(crate) session: Session,
    /// What the SFU Sora sends.
    pub(crate) sora: Sora,
    /// What is hidden before anything is stored.
    pub(crate) privacy: Privacy,
    /// Who may send and who may read.
    pub(crate) access: Access,
    /// Encryption of the listener.
    pub(crate) tls: Tls,
    /// How much is taken from whom.
    pub(crate) limits: Limits,
    /// Uploads of dumps by clients.
    pub(crate) upload: Upload,
    /// How long what is stored is kept.
    pub(crate) retention: Retention,
    /// How the collector stops.
    pub(crate) shutdown: Shutdown,
    /// What the collector says of what it does.
    pub(crate) log: Log,
    /// Who takes traces of what it does.
    pub(crate) traces: Traces,
    /// Where in the world clients are.
    pub(crate) geo: Geo,
}

/// What the collector says of what it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Log {
    /// How lines look on standard error: `text`, or `json` (an object per line).
    pub(crate) format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Who takes traces of what the collector does.
#[derive(Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Traces {
    /// A receiver of OTLP over HTTP, such as `http://127.0.0.1:4318`; empty: none. `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` and
    /// `OTEL_TRACES_SAMPLER` mean what they always do.
    pub(crate) endpoint: String,
}

/// Where in the world clients are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Geo {
    /// A MaxMind file (GeoLite2 City or Country, `.mmdb`) that tells country and city of a session from its client's address, before
    /// that is obfuscated; empty: nobody is looked up. It is read again within seconds after it changed.
    pub(crate) database: PathBuf,
}

/// How the collector stops.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Shutdown {
    /// How long a stop waits for clients to hear of it, and then again for rows on their way to the database. What is not done by
    /// then, the next start does from the spool.
    pub(crate) deadline: Span,
}

/// Who may send and who may read. Files are read again within seconds after they changed; what cannot be read then changes
/// nothing, and the log says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Access {
    /// The secret of client tokens that are signed with HS256: at least 32 bytes.
    pub(crate) client_secret: Secret,
    /// A file with the secret that `client_secret` is else, whose last newline does not count; it can be replaced while the collector runs.
    pub(crate) client_secret_file: PathBuf,
    /// Keys of client tokens: files with PEM public keys (RS256, ES256, EdDSA), or JWK sets. Without a secret and without
    /// keys, clients are not asked for a token.
    pub(crate) client_key_files: List,
    /// Hashes of the API's tokens, as `rtctrace token api` writes them; empty: `api-tokens` in the data directory. Where
    /// there is no such file, the API asks nobody for a token.
    pub(crate) api_token_file: PathBuf,
    /// Origins of pages that may record, such as `https://app.example.com` or `https://*.example.com`; empty: any. A client
    /// that names no origin is no page, and passes.
    pub(crate) origins: List,
    /// Addresses (`10.0.0.0/8`) of proxies that are believed when they say for whom they ask.
    pub(crate) trusted_proxies: List,
    /// The header in which they say so: `x-forwarded-for` or `forwarded`. They must write it themselves or drop the client's.
    pub(crate) proxy_header: ProxyHeader,
}

/// Where proxies say for whom they ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ProxyHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Encryption of the listener. Both files or none; they are read again within seconds after they changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Tls {
    /// PEM file of the certificate and what it was signed with, the collector's own first.
    pub(crate) certificate: PathBuf,
    /// PEM file of its private key.
    pub(crate) key: PathBuf,
}

/// The database.
#[derive(Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Database {
    /// `sqlite://<path>`, or `postgres://<user>:<password>@<host>/<database>` with TimescaleDB; empty: `rtctrace.db` in the data
    /// directory. Behind a `?` may stand `sslmode=verify-full`, `sslrootcert=<file>` and the like; a password that is not
    /// there is taken from `PGPASSWORD` or `~/.pgpass`.
    pub(crate) url: String,
}

/// The object storage of dumps.
#[derive(Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Storage {
    /// `file:///<path>`, `s3://<bucket>/<prefix>`, `gs://<bucket>/<prefix>` or `az://<container>/<prefix>`; empty: `dumps` in the
    /// data directory. The path of the URL is the prefix of every dump. What is not said here is taken from the provider's
    /// own variables (`AWS_*`, `GOOGLE_*`, `AZURE_*`) or the machine's role.
    pub(crate) url: String,
    /// Another server than the provider's own, such as `http://127.0.0.1:9000`.
    pub(crate) endpoint: String,
    /// The region of an S3 bucket.
    pub(crate) region: String,
    /// S3 buckets are named in the path and not in the host; most servers that are not AWS want it.
    pub(crate) path_style: bool,
    /// S3 access key, or Azure account.
    pub(crate) access_key_id: String,
    /// Its secret, or Azure's access key.
    pub(crate) secret_access_key: Secret,
    /// Session token of temporary S3 credentials.
    pub(crate) session_token: Secret,
}

/// The stats tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Stats {
    /// Whether reports are written to the stats tables. Dumps and features do not depend on it.
    pub(crate) enabled: bool,
    /// Each entry of the reports has one row at most for so long, and one of its last state; 0: one for every report in which it
    /// changed. Dumps and features do not depend on it; `rtctrace reprocess` thins what is stored, or has all of it again. What is
    /// summed up by minutes counts from row to row within a minute: a tenth of a minute costs it a tenth, a minute all.
    pub(crate) interval: Span,
    /// Rows that may wait for the database. Beyond it a session stops offering rows and is written from its dump at its end.
    pub(crate) queue_bytes: Size,
}

/// The files of sessions that are not stored yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Spool {
    /// What an acknowledged line survives: `process`, the death of the collector; `power`, that of the machine (each
    /// acknowledgement then follows a sync of the spool's file system, which all sessions that wrote meanwhile share).
    pub(crate) durability: Durability,
    /// The most that the spool may hold; 0: what its disk has. Beyond it no session begins and nothing is read from the sockets
    /// of others, so that their clients keep their lines, until dumps are stored.
    pub(crate) max_bytes: Size,
    /// A session's text goes on in a next file when it has so many bytes; readers see one text.
    pub(crate) part_bytes: Size,
}

/// What an acknowledged line survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Durability {
    /// The death of the process.
    Process,
    /// The death of the machine.
    Power,
}

/// How sessions live and end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Session {
    /// How long a session whose socket is gone waits for its client.
    pub(crate) resume_grace: Span,
    /// How long after its end a session goes on all the same when its client comes back late (its dump is fetched from object
    /// storage and stored anew at the next end); 0s: not at all.
    pub(crate) resume_window: Span,
    /// How long a socket may be silent, pings unanswered, before it counts as gone.
    pub(crate) idle_timeout: Span,
}

/// What is hidden before anything is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Privacy {
    /// Whether IP addresses are obfuscated.
    pub(crate) addresses: bool,
    /// Whether names of cameras, microphones and captured windows are left out: labels of tracks and devices come out empty.
    pub(crate) labels: bool,
}

impl Privacy {
    /// What hides it, if anything is to be hidden.
    pub(crate) fn obfuscator(&self) -> Option<Obfuscator> {
        let hidden = Hidden { addresses: self.addresses, labels: self.labels };
        (hidden.addresses || hidden.labels).then(|| Obfuscator::hiding(hidden))
    }
}

/// Uploads of dumps by clients, beside those that the API takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Upload {
    /// A path where a client with a client's token may upload a dump, as at `server.httpUploadPath` of upstream's server;
    /// empty: none.
    pub(crate) path: String,
}

/// How long what is stored is kept, counted from the session's begin. `0s` is for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Retention {
    /// Dumps. The rows of their sessions stay.
    pub(crate) dumps: Span,
    /// Sessions with all that belongs to them: dumps, features and stats.
    pub(crate) sessions: Span,
}

/// How much is taken from whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Limits {
    /// The longest WebSocket message and beacon.
    pub(crate) frame_bytes: Size,
    /// How much of messages that have begun and not ended, and of values that go on in a next message, may lie in memory, over all
    /// sockets. Beyond it those that bring more of such a message are cut, and come back later.
    pub(crate) unfinished_bytes: Size,
    /// The longest line.
    pub(crate) line_bytes: Size,
    /// Whether `lines_per_second`, `bytes_per_second` and `work_per_second` hold; `off` for load tests.
    pub(crate) rate: bool,
    /// Lines that one session may bring per second. Ten seconds' worth may come at once; whoever brings more is read more slowly.
    pub(crate) lines_per_second: u64,
    /// Bytes that one session may bring per second; else as `lines_per_second`.
    pub(crate) bytes_per_second: Size,
    /// How long the lines of one session may keep a core busy per second; else as `lines_per_second`.
    pub(crate) work_per_second: Span,
    /// How long after its start a session still takes lines; beyond it the session ends.
    pub(crate) session_age: Span,
    /// The longest spool file of one session; beyond it the session ends.
    pub(crate) session_bytes: Size,
    /// Sessions that run or wait for their client at one time.
    pub(crate) sessions: usize,
    /// Sessions from one address (of IPv6: one /64) at one time. 0: a tenth of `sessions` where others can reach the collector, directly
    /// or through trusted proxies; no limit where it listens on loopback only.
    pub(crate) sessions_per_address: usize,
    /// Connections to the listener at one time.
    pub(crate) sockets: usize,
    /// From a connection's start, its TLS handshake included, to the end of its first request's headers; and in HTTP/1 for
    /// every further request from its predecessor's answer.
    pub(crate) header_time: Span,
    /// How long a connection may be without a request (in HTTP/1 the shorter of the two), how long a peer may take nothing of what
    /// is sent to it, how long one message may take, and how long an upload may pause.
    pub(crate) idle_time: Span,
    /// The longest body of a request. Uploads of dumps have a limit of their own; a beacon is held to `frame_bytes`, too.
    pub(crate) body_bytes: Size,
    /// The longest body of an upload of dumps. Each of them unpacks to at most `session_bytes`.
    pub(crate) upload_bytes: Size,
    /// Uploads at one time.
    pub(crate) uploads: usize,
    /// Files of features or stats that the API makes at one time.
    pub(crate) exports: usize,
    /// Streams of the API that go on for as long as somebody listens: changes of sessions, and lines of sessions that run.
    pub(crate) followers: usize,
    /// How long the database may take for a query of the API.
    pub(crate) query_time: Span,
    /// Bytes per second that an upload brings at least, after its first `idle_time` and in the mean; 0: any. A slower one is given up, as is
    /// one that brings nothing for `idle_time`.
    pub(crate) upload_bytes_per_second: Size,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            insecure_open: false,
            data_dir: PathBuf::from("./data"),
            database: Database { url: String::new() },
            storage: Storage {
                url: String::new(),
                endpoint: String::new(),
                region: String::new(),
                path_style: true,
                access_key_id: String::new(),
                secret_access_key: Secret::default(),
                session_token: Secret::default(),
            },
            stats: Stats { enabled: true, interval: span(0), queue_bytes: Size(64 << 20) },
            spool: Spool { durability: Durability::Process, max_bytes: Size(0), part_bytes: Size(64 << 20) },
            session: Session { resume_grace: span(60), resume_window: span(24 * 3600), idle_timeout: span(60) },
            sora: Sora::default(),
            privacy: Privacy { addresses: true, labels: false },
            access: Access {
                client_secret: Secret::default(),
                client_secret_file: PathBuf::new(),
                client_key_files: List::default(),
                api_token_file: PathBuf::new(),
                origins: List::default(),
                trusted_proxies: List::default(),
                proxy_header: ProxyHeader::XForwardedFor,
            },
            tls: Tls { certificate: PathBuf::new(), key: PathBuf::new() },
            limits: Limits {
                frame_bytes: Size(4 << 20),
                unfinished_bytes: Size(256 << 20),
                line_bytes: Size(2 << 20),
                rate: true,
                lines_per_second: 200,
                bytes_per_second: Size(1 << 20),
                work_per_second: Span(Duration::from_millis(250)),
                session_age: span(7 * 24 * 3600),
                session_bytes: Size(512 << 20),
                sessions: 10_000,
                sessions_per_address: 0,
                sockets: 12_000,
                header_time: span(30),
                idle_time: span(60),
                body_bytes: Size(4 << 20),
                upload_bytes: Size(256 << 20),
                uploads: 4,
                exports: 4,
                followers: 64,
                query_time: span(30),
                upload_bytes_per_second: Size(16 << 10),
            },
            upload: Upload { path: String::new() },
            retention: Retention { dumps: span(0), sessions: span(0) },
            shutdown: Shutdown { deadline: span(3) },
            log: Log { format: LogFormat::Text },
            traces: Traces { endpoint: String::new() },
            geo: Geo { database: PathBuf::new() },
        }
    }
}

/// What each setting means, by its dotted key: its doc comment.
fn explanations() -> BTreeMap<String, &'static str> {
    fn of<T: DocumentedFields>(section: &str, into: &mut BTreeMap<String, &'static str>) {
        let prefix = if section.is_empty() { String::new() } else { format!("{section}.") };
        into.extend(T::FIELD_NAMES.iter().zip(T::FIELD_DOCS).map(|(name, text)| (format!("{prefix}{name}"), *text)));
    }
    let mut all = BTreeMap::new();
    of::<Config>("", &mut all);
    of::<Access>("access", &mut all);
    of::<Database>("database", &mut all);
    of::<Geo>("geo", &mut all);
    of::<Limits>("limits", &mut all);
    of::<Log>("log", &mut all);
    of::<Privacy>("privacy", &mut all);
    of::<Retention>("retention", &mut all);
    of::<Session>("session", &mut all);
    of::<Shutdown>("shutdown", &mut all);
    of::<Sora>("sora", &mut all);
    of::<SoraTls>("sora.tls", &mut all);
    of::<Spool>("spool", &mut all);
    of::<Stats>("stats", &mut all);
    of::<Storage>("storage", &mut all);
    of::<Tls>("tls", &mut all);
    of::<Traces>("traces", &mut all);
    of::<Upload>("upload", &mut all);
    all
}

/// URLs may hold passwords and keys.
impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("url", &masked(&self.url)).finish()
    }
}

impl std::fmt::Debug for Traces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Traces").field("endpoint", &masked(&self.endpoint)).finish()
    }
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Storage").field("url", &masked(&self.url)).finish()
    }
}

fn span(seconds: u64) -> Span {
    Span(Duration::from_secs(seconds))
}

impl Stats {
    /// How far apart the rows of an entry are at least; `None`: there are none.
    pub(crate) fn rows(&self) -> Option<Duration> {
        self.enabled.then_some(self.interval.0)
    }
}

impl Config {
    /// The folder of the spool.
    pub(crate) fn spool_dir(&self) -> PathBuf {
        self.data_dir.join("spool")
    }

    /// Whether the listener speaks TLS.
    pub(crate) fn is_encrypted(&self) -> bool {
        !self.tls.certificate.as_os_str().is_empty()
    }

    /// The file with the hashes of the API's tokens.
    pub(crate) fn api_token_file(&self) -> PathBuf {
        let file = &self.access.api_token_file;
        if file.as_os_str().is_empty() { self.data_dir.join("api-tokens") } else { file.clone() }
    }

    /// The database's URL, with the default filled in.
    pub(crate) fn database_url(&self) -> anyhow::Result<String> {
        if !self.database.url.is_empty() {
            return Ok(self.database.url.clone());
        }
        // Through a URL, because a folder's name may hold what a URL must escape.
        Ok(format!("sqlite://{}", file_url(&absolute(&self.data_dir)?.join("rtctrace.db"))?.path()))
    }

    /// The object storage's URL, with the default filled in.
    pub(crate) fn storage_url(&self) -> anyhow::Result<Url> {
        if !self.storage.url.is_empty() {
            return Url::parse(&self.storage.url).with_context(|| {
                format!(
                    "storage.url `{}` is no URL; write for example file:///var/lib/rtctrace",
                    masked(&self.storage.url)
                )
            });
        }
        file_url(&absolute(&self.data_dir)?.join("dumps"))
    }
}

fn file_url(path: &Path) -> anyhow::Result<Url> {
    Url::from_file_path(path).map_err(|()| anyhow::anyhow!("{} has no file:// URL", path.display()))
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("the data directory {} is no path", path.display()))
}
