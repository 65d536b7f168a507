//! A row of the table `sessions`: its columns, what it says, how it is read and written.

use std::sync::{Arc, LazyLock};

use crate::geo::Location;
use crate::session::{Browser, Origin, SessionId, SoraOrigin, UnixMillis};
use crate::store::database::{Row, Value, columns_of};
use crate::store::filter::Outcome;
use crate::store::findings::Counts;

/// Where sessions come from: a browser, or a connection or a node of Sora's.
fn source(origin: &Origin) -> &'static str {
    match origin.sora.as_deref() {
        None => "browser",
        Some(sora) if sora.connection_id.is_some() => "sora",
        Some(_) => "sora-node",
    }
}

/// A session as the database has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SessionRow {
    /// Its id.
    pub(crate) id: SessionId,
    /// Where it came from: `browser`, `sora`, or `sora-node`.
    pub(crate) source: String,
    /// What its client spoke.
    pub(crate) dialect: String,
    /// Whether it is over and stored.
    pub(crate) ended: bool,
    /// When it began, by the collector's clock.
    pub(crate) start_time: UnixMillis,
    /// When it ended, by the collector's clock.
    pub(crate) end_time: Option<UnixMillis>,
    /// Milliseconds from the first event to the last.
    pub(crate) duration: Option<i64>,
    /// The `User-Agent` header.
    pub(crate) user_agent: Option<String>,
    /// The browser, as far as it told.
    pub(crate) browser: Option<Browser>,
    /// The page's origin.
    pub(crate) origin: Option<String>,
    /// The path that the client asked for.
    pub(crate) url: String,
    /// How many connections it has.
    pub(crate) connections: u64,
    /// How many lines it has.
    pub(crate) lines: u64,
    /// Where its dump lies in object storage.
    pub(crate) dump_path: Option<String>,
    /// How large its dump is.
    pub(crate) dump_bytes: Option<u64>,
    /// The close code of its last socket.
    pub(crate) close_code: Option<u16>,
    /// Whose session it is.
    pub(crate) user: Option<String>,
    /// Which conference it belongs to.
    pub(crate) conference: Option<String>,
    /// Where its client is.
    pub(crate) location: Location,
    /// What Sora says of it.
    pub(crate) sora: Option<Box<SoraOrigin>>,
    /// What became of its connections, once it is over. Who writes a session has it from its features.
    pub(crate) outcome: Option<Outcome>,
    /// How many findings its last end brought. Who writes a session has them, too.
    pub(crate) findings: Option<Counts>,
    /// Which collector holds it. Of one that is over: who held it when others gave it up; none, if it had its end.
    pub(crate) collector: Option<String>,
    /// The connections of Sora's that it is about, when it is written; they have a table of their own (`links.rs`).
    pub(crate) sora_connections: Arc<[Box<str>]>,
}

impl SessionRow {
    /// A session that a collector holds.
    pub(crate) fn held(id: SessionId, origin: &Origin, collector: &str) -> Self {
        Self { collector: Some(collector.to_owned()), ..Self::live(id, origin) }
    }

    /// A session that has just begun.
    pub(crate) fn live(id: SessionId, origin: &Origin) -> Self {
        Self {
            id,
            source: source(origin).to_owned(),
            dialect: origin.dialect.name().to_owned(),
            ended: false,
            start_time: origin.start_time,
            end_time: None,
            duration: None,
            user_agent: origin.user_agent.clone(),
            browser: origin.user_agent.as_deref().and_then(Browser::from_header),
            origin: origin.origin.clone(),
            url: origin.url.clone(),
            connections: 0,
            lines: 0,
            dump_path: None,
            dump_bytes: None,
            close_code: None,
            user: origin.user.clone(),
            conference: origin.conference.clone(),
            location: origin.location.clone(),
            sora: origin.sora.clone(),
            outcome: None,
            findings: None,
            collector: None,
            sora_connections: Arc::default(),
        }
    }

    /// What it holds in memory, roughly.
    pub(in crate::store) fn bytes(&self) -> usize {
        let browser = self.browser.as_ref();
        let texts = [
            Some(&self.source),
            Some(&self.dialect),
            self.user_agent.as_ref(),
            browser.map(|browser| &browser.name),
            browser.map(|browser| &browser.version),
            browser.map(|browser| &browser.os),
            self.origin.as_ref(),
            Some(&self.url),
            self.dump_path.as_ref(),
            self.user.as_ref(),
            self.conference.as_ref(),
            self.location.country.as_ref(),
            self.location.city.as_ref(),
        ];
        let connections = self.sora_connections.iter().map(|connection| size_of::<Box<str>>() + connection.len());
        let sora = self.sora.iter().flat_map(|sora| sora.texts()).flatten().map(str::len);
        size_of::<Self>() + texts.into_iter().flatten().map(String::len).chain(connections).chain(sora).sum::<usize>()
    }

    pub(in crate::store) fn read(row: &Row) -> sqlx::Result<Self> {
        let text = |column| row.text(column).map(Option::unwrap_or_default);
        let browser = match row.text("browser_name")? {
            Some(name) => Some(Browser { name, version: text("browser_version")?, os: text("browser_os")? }),
            None => None,
        };
        Ok(Self {
            id: row.id("id")?,
            source: text("source")?,
            dialect: text("dialect")?,
            ended: text("state")? == "ended",
            start_time: start_time(row)?,
            end_time: row.time("end_time")?,
            duration: row.integer("duration")?,
            user_agent: row.text("user_agent")?,
            browser,
            origin: row.text("origin")?,
            url: text("url")?,
            connections: row.count("connections")?.unwrap_or_default(),
            lines: row.count("lines")?.unwrap_or_default(),
            dump_path: row.text("dump_path")?,
            dump_bytes: row.count("dump_bytes")?,
            close_code: row.count("close_code")?.and_then(|code| u16::try_from(code).ok()),
            user: row.text("user")?,
            conference: row.text("conference")?,
            location: Location { country: row.text("country")?, city: row.text("city")? },
            sora: sora(row)?,
            outcome: row.text("outcome")?.as_deref().and_then(Outcome::of_name),
            findings: Counts::read(row)?,
            collector: row.text("collector")?,
            sora_connections: Arc::default(),
        })
    }
}

/// What Sora says of it, if it has a node: every body of Sora's names one.
fn sora(row: &Row) -> sqlx::Result<Option<Box<SoraOrigin>>> {
    let Some(node) = row.text("sora_node")? else { return Ok(None) };
    Ok(Some(Box::new(SoraOrigin {
        connection_id: row.text("sora_connection_id")?,
        session_id: row.text("sora_session_id")?,
        bundle_id: row.text("sora_bundle_id")?,
        role: row.text("sora_role")?,
        multistream: row.bool("sora_multistream")?,
        simulcast: row.bool("sora_simulcast")?,
        spotlight: row.bool("sora_spotlight")?,
        node: Some(node),
        version: row.text("sora_version")?,
        label: row.text("sora_label")?,
    })))
}

pub(in crate::store) fn start_time(row: &Row) -> sqlx::Result<UnixMillis> {
    row.time("start_time")?.ok_or_else(|| sqlx::Error::ColumnNotFound("start_time".to_owned()))
}

/// What is read of a session.
pub(in crate::store) static SELECTED: LazyLock<String> = LazyLock::new(|| columns_of("sessions", COLUMNS));

/// The columns of a row.
pub(super) const COLUMNS: &[&str] = &[
    "id",
    "source",
    "dialect",
    "state",
    "start_time",
    "end_time",
    "duration",
    "user_agent",
    "browser_name",
    "browser_version",
    "browser_os",
    "origin",
    "url",
    "connections",
    "lines",
    "dump_path",
    "dump_bytes",
    "close_code",
    "user",
    "conference",
    "country",
    "city",
    "outcome",
    "collector",
    "sora_connection_id",
    "sora_session_id",
    "sora_bundle_id",
    "sora_role",
    "sora_multistream",
    "sora_simulcast",
    "sora_spotlight",
    "sora_node",
    "sora_version",
    "sora_label",
    "critical_findings",
    "warning_findings",
];

/// Their values.
pub(super) fn values(row: &SessionRow, outcome: Option<Outcome>, findings: Option<Counts>) -> Vec<Value<'_>> {
    let browser = row.browser.as_ref();
    let sora = row.sora.as_deref();
    let text_of_sora = |text: fn(&SoraOrigin) -> Option<&String>| Value::Text(sora.and_then(text).map(String::as_str));
    let count = |value: u64| Value::Integer(Some(i64::try_from(value).unwrap_or(i64::MAX)));
    vec![
        Value::Id(row.id),
        Value::Text(Some(&row.source)),
        Value::Text(Some(&row.dialect)),
        Value::Text(Some(if row.ended { "ended" } else { "live" })),
        Value::Time(Some(row.start_time)),
        Value::Time(row.end_time),
        Value::Integer(row.duration),
        Value::Text(row.user_agent.as_deref()),
        Value::Text(browser.map(|browser| browser.name.as_str())),
        Value::Text(browser.map(|browser| browser.version.as_str())),
        Value::Text(browser.map(|browser| browser.os.as_str())),
        Value::Text(row.origin.as_deref()),
        Value::Text(Some(&row.url)),
        count(row.connections),
        count(row.lines),
        Value::Text(row.dump_path.as_deref()),
        row.dump_bytes.map_or(Value::Integer(None), count),
        Value::Integer(row.close_code.map(i64::from)),
        Value::Text(row.user.as_deref()),
        Value::Text(row.conference.as_deref()),
        Value::Text(row.location.country.as_deref()),
        Value::Text(row.location.city.as_deref()),
        Value::Text(outcome.map(Outcome::name)),
        Value::Text(row.collector.as_deref()),
        text_of_sora(|sora| sora.connection_id.as_ref()),
        text_of_sora(|sora| sora.session_id.as_ref()),
        text_of_sora(|sora| sora.bundle_id.as_ref()),
        text_of_sora(|sora| sora.role.as_ref()),
        Value::Bool(sora.and_then(|sora| sora.multistream)),
        Value::Bool(sora.and_then(|sora| sora.simulcast)),
        Value::Bool(sora.and_then(|sora| sora.spotlight)),
        text_of_sora(|sora| sora.node.as_ref()),
        text_of_sora(|sora| sora.version.as_ref()),
        text_of_sora(|sora| sora.label.as_ref()),
        findings.map_or(Value::Integer(None), |findings| count(findings.critical)),
        findings.map_or(Value::Integer(None), |findings| count(findings.warning)),
    ]
}
