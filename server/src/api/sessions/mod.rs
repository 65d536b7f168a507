//! `/api/v1/sessions` and `/api/v1/sessions/{id}`: what the database knows, and for running sessions what their
//! newest line changed.

mod filter;
mod list;
mod remove;
mod show;
mod watch;

use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::filter::{FILTERS, FilterParameters, filter};
pub(crate) use self::list::{__path_list, list};
pub(crate) use self::remove::{__path_remove, __path_remove_of_user, remove, remove_of_user};
pub(crate) use self::show::{__path_one, one};
pub(crate) use self::watch::{__path_watch, watch};
use crate::app::App;
use crate::problem::{Problem, Reason};
use crate::session::{Browser, Handle, SessionId, SoraOrigin};
use crate::store::filter::Outcome;
use crate::store::sessions::{self, SessionRow};

/// A session as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    /// A UUID.
    id: String,
    /// Where it comes from: `browser`; `sora`, a connection to the SFU Sora, as that tells of it; or `sora-node`, one of its nodes.
    source: String,
    /// What its client spoke: `rtctrace.v1`.
    dialect: String,
    /// `live`, or `ended` once it is over.
    state: &'static str,
    /// When it began: RFC 3339, by the collector's clock.
    start_time: String,
    /// When it ended.
    end_time: Option<String>,
    /// Milliseconds from the first event to the last.
    duration: Option<i64>,
    /// The `User-Agent` header.
    user_agent: Option<String>,
    /// The browser, as far as it told.
    browser: Option<Browser>,
    /// The page's origin.
    origin: Option<String>,
    /// The path that the client asked for.
    url: String,
    /// How many connections it has.
    connections: u64,
    /// How many lines it has.
    lines: u64,
    /// How large its stored dump is.
    dump_bytes: Option<u64>,
    /// The close code of its last socket.
    close_code: Option<u16>,
    /// Whose session it is, as its client's token says.
    user: Option<String>,
    /// Which conference it belongs to, as its client's token says.
    conference: Option<String>,
    /// The ISO 3166-1 code of the client's country.
    country: Option<String>,
    /// The client's city.
    city: Option<String>,
    /// What Sora says of it.
    sora: Option<SoraOrigin>,
    /// What became of its connections, once it is stored: `connected`, `failed` or `none`.
    outcome: Option<&'static str>,
    /// How many critical findings it has, once it is stored.
    critical_findings: Option<u64>,
    /// How many findings it has that are warnings, once it is stored.
    warning_findings: Option<u64>,
}

impl Session {
    fn of(row: SessionRow) -> Self {
        // One that was over and goes on has those of its last end until the next.
        let findings = row.findings.filter(|_| row.ended);
        Self {
            id: row.id.to_string(),
            source: row.source,
            dialect: row.dialect,
            state: if row.ended { "ended" } else { "live" },
            start_time: row.start_time.rfc3339(),
            end_time: row.end_time.map(|time| time.rfc3339()),
            duration: row.duration,
            user_agent: row.user_agent,
            browser: row.browser,
            origin: row.origin,
            url: row.url,
            connections: row.connections,
            lines: row.lines,
            dump_bytes: row.dump_bytes,
            close_code: row.close_code,
            user: row.user,
            conference: row.conference,
            country: row.location.country,
            city: row.location.city,
            sora: row.sora.map(|sora| *sora),
            outcome: row.outcome.map(Outcome::name),
            critical_findings: findings.map(|findings| findings.critical),
            warning_findings: findings.map(|findings| findings.warning),
        }
    }

    /// With what a session that is not stored yet says of itself.
    fn updated(mut self, handle: &Handle) -> Self {
        let snapshot = handle.snapshot();
        self.duration = Some(snapshot.duration);
        self.browser = snapshot.browser.as_deref().cloned();
        self.connections = snapshot.connections;
        self.lines = snapshot.lines;
        if snapshot.close_code.is_some() {
            self.state = "ended";
            self.end_time = Some(snapshot.end_time(handle.origin.start_time).rfc3339());
            self.close_code = snapshot.close_code;
        }
        self
    }
}

/// Whether there is such a session.
pub(super) async fn known(app: &App, id: SessionId) -> Result<(), Problem> {
    let is_held = app.registry.get(id).is_some_and(|handle| handle.snapshot().lines > 0);
    if is_held || sessions::get(&app.stores.database, id).await.map_err(Problem::of_query)?.is_some() {
        return Ok(());
    }
    Err(unknown(id))
}

/// The answer about a session that nobody knows.
pub(super) fn unknown(id: SessionId) -> Problem {
    Problem::new(Reason::UnknownSession, format!("No session has the id {id}."))
}
