//! A database with sessions that are known to the letter, and answers that are held against files beside the tests: the same
//! whichever database it is. `UPDATE_SNAPSHOTS=1` writes them anew.

use std::fmt::Write as _;
use std::path::Path;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use crate::support::*;

/// When the first of the sessions began, less a minute.
pub(crate) const START: i64 = 1_795_159_380_000;

/// The id of session `number`.
pub(crate) fn id(number: u32) -> String {
    format!("01930000-0000-7000-8000-{number:012}")
}

/// Runs statements on the collector's database.
pub(crate) async fn execute(collector: &Collector, sql: String) {
    match &collector.server {
        Some(server) => {
            let mut connection = PgConnection::connect(&server.url).await.unwrap();
            sqlx::raw_sql(&sql).execute(&mut connection).await.unwrap();
        }
        None => {
            let mut connection = collector.database().await;
            sqlx::raw_sql(&sql).execute(&mut connection).await.unwrap();
        }
    }
}

/// A time as the database writes it: of a row of stats, or of any other.
fn time(millis: f64, is_exact: bool) -> String {
    match (crate::ON_POSTGRES, is_exact) {
        (true, _) => format!("timestamptz 'epoch' + interval '{:.0} microseconds'", millis * 1000.0),
        (false, true) => format!("{millis:?}"),
        (false, false) => format!("{millis:.0}"),
    }
}

/// `(session, connection, track)` of some sessions; see the list of `Session`s in `seed`.
struct Session {
    user: &'static str,
    conference: &'static str,
    source: &'static str,
    browser: &'static str,
    country: &'static str,
    /// Of each connection: its columns `connected` and `ice_connection_time`.
    connections: &'static [(bool, &'static str)],
    /// Of each track of the first connection: `kind`, `freeze_count`, `total_freezes_duration`.
    tracks: &'static [(&'static str, &'static str, &'static str)],
    /// Rule and severity of each finding; none of one from before there were any.
    findings: Option<&'static [(&'static str, &'static str)]>,
    is_over: bool,
}

const SESSIONS: [Session; 6] = [
    Session {
        user: "'ann'",
        conference: "'standup'",
        source: "browser",
        browser: "'Chrome'",
        country: "'AT'",
        connections: &[(true, "120")],
        tracks: &[("'video'", "0", "0"), ("'audio'", "NULL", "NULL")],
        findings: None,
        is_over: true,
    },
    Session {
        user: "'ann'",
        conference: "'standup'",
        source: "browser",
        browser: "'Firefox'",
        country: "'DE'",
        connections: &[(false, "NULL")],
        tracks: &[],
        findings: Some(&[("ice-failed", "critical")]),
        is_over: true,
    },
    Session {
        user: "'bob'",
        conference: "'standup'",
        source: "browser",
        browser: "'Chrome'",
        country: "'DE'",
        connections: &[(true, "120"), (false, "2500")],
        tracks: &[("'video'", "5", "1.25"), ("NULL", "1", "0.1")],
        findings: Some(&[
            ("ice-failed", "critical"),
            ("packet-loss", "warning"),
            ("packet-loss", "warning"),
            ("page-hidden", "notice"),
        ]),
        is_over: true,
    },
    Session {
        user: "'o''neil, \"=1+1\"'",
        conference: "NULL",
        source: "browser",
        browser: "'Safari'",
        country: "NULL",
        connections: &[],
        tracks: &[],
        findings: Some(&[("page-hidden", "notice")]),
        is_over: true,
    },
    Session {
        user: "NULL",
        conference: "NULL",
        source: "browser",
        browser: "'Chrome'",
        country: "'AT'",
        connections: &[],
        tracks: &[],
        findings: None,
        is_over: false,
    },
    Session {
        user: "'bob'",
        conference: "'retro'",
        source: "gateway",
        browser: "NULL",
        country: "'AT'",
        connections: &[(true, "90")],
        tracks: &[("'audio'", "NULL", "NULL")],
        findings: Some(&[]),
        is_over: true,
    },
];

/// A collector that has these sessions. Session 3 has stats, too.
pub(crate) async fn collector() -> Collector {
    let collector = Collector::start(&[]);
    let mut sql = String::new();
    for (number, session) in (1_u32..).zip(&SESSIONS) {
        let (id, start) = (id(number), START + i64::from(number) * 60_000);
        let outcome = match session {
            Session { is_over: false, .. } => "NULL",
            Session { connections: [], .. } => "'none'",
            Session { connections, .. } if connections.iter().any(|(connected, _)| *connected) => "'connected'",
            Session { .. } => "'failed'",
        };
        let Session { user, conference, source, browser, country, .. } = session;
        let (version, os) = if *browser == "NULL" { ("NULL", "NULL") } else { ("'140.0'", "'Linux'") };
        let (state, end, bytes) = match session.is_over {
            true => ("ended", time((start + 30_000) as f64, false), "1000"),
            false => ("live", "NULL".to_owned(), "NULL"),
        };
        let (start_time, connections) = (time(start as f64, false), session.connections.len());
        let count = |wanted: &str| {
            let of = |findings: &[(&str, &str)]| findings.iter().filter(|(_, severity)| *severity == wanted).count();
            session.findings.map_or_else(|| "NULL".to_owned(), |findings| of(findings).to_string())
        };
        let (critical, warning) = (count("critical"), count("warning"));
        let _ = write!(
            sql,
            "INSERT INTO sessions (id, source, dialect, state, start_time, end_time, duration, user_agent, browser_name, \
             browser_version, browser_os, origin, url, connections, lines, dump_bytes, \"user\", conference, country, outcome, \
             critical_findings, warning_findings) VALUES \
             ('{id}', '{source}', 'rtctrace.v1', '{state}', {start_time}, {end}, 30000, 'test', {browser}, {version}, {os}, \
             'http://app.example', '/v1/ws', {connections}, 100, {bytes}, {user}, {conference}, {country}, {outcome}, \
             {critical}, {warning}); "
        );
        if session.is_over {
            let _ = write!(
                sql,
                "INSERT INTO features_client (session_id, start_time, duration, device_memory, called_get_user_media, screen) VALUES \
                 ('{id}', {start_time}, {number}000, 0.5, true, '{{\"width\":10,\"height\":5}}'); "
            );
        }
        for (position, (connected, ice)) in session.connections.iter().enumerate() {
            let _ = write!(
                sql,
                "INSERT INTO features_connection (session_id, connection_id, position, connected, ice_connection_time, dtls_role, \
                 start_time) VALUES ('{id}', 'PC_{position}', {position}, {connected}, {ice}, 'client', {start_time}); "
            );
        }
        for (position, (rule, severity)) in session.findings.unwrap_or_default().iter().enumerate() {
            let (connection, kind) = if *rule == "page-hidden" { ("NULL", "NULL") } else { ("'PC_0'", "'audio'") };
            let (begin, end) = (start + 1000 * position as i64, start + 2000 * position as i64);
            let (begin, end) = (time(begin as f64, false), time(end as f64, false));
            let _ = write!(
                sql,
                "INSERT INTO findings (session_id, position, rule, severity, connection_id, kind, begin_time, end_time, sentence, measured) \
                 VALUES ('{id}', {position}, '{rule}', '{severity}', {connection}, {kind}, {begin}, {end}, '=A, \"b\" {position}', \
                 '{{\"share\":{{\"value\":0.25,\"unit\":\"0..1\"}}}}'); "
            );
        }
        for (position, (kind, freezes, duration)) in session.tracks.iter().enumerate() {
            let _ = write!(
                sql,
                "INSERT INTO features_track (session_id, connection_id, position, kind, freeze_count, total_freezes_duration) \
                 VALUES ('{id}', 'PC_0', {position}, {kind}, {freezes}, {duration}); "
            );
        }
    }
    for at in 0..3000_u32 {
        // A spike that lasts for one report.
        let jitter = if at == 1234 { 0.75 } else { 0.01 };
        let time = time((START + 200_000 + i64::from(at) * 1000) as f64 + 0.125, true);
        let _ = write!(
            sql,
            "INSERT INTO stats_inbound_rtp (time, session_id, connection_id, stats_id, ssrc, kind, packets_received, jitter, \
             power_efficient_decoder, extra) VALUES ({time}, '{}', 'PC_0', 'IT01V1', 4000000000, 'video', {}, {jitter}, true, NULL); ",
            id(3),
            at * 50,
        );
    }
    for at in 0..3_u32 {
        let time = time((START + 200_000 + i64::from(at) * 1000) as f64, true);
        let _ = write!(
            sql,
            "INSERT INTO stats_inbound_rtp (time, session_id, connection_id, stats_id, packets_received, jitter, extra) VALUES \
             ({time}, '{}', 'PC_1', 'IT02A1', {at}, {at}.5, '{{\"newMember\":{at},\"b\":true,\"text\":\"x\"}}'); \
             INSERT INTO stats_ice_candidate (time, session_id, connection_id, stats_id, type, port, url) VALUES \
             ({time}, '{}', 'PC_0', 'I{at}', '{}-candidate', {at}, 'turn:a,\"b\"'); ",
            id(3),
            id(3),
            if at == 0 { "remote" } else { "local" },
        );
    }
    execute(&collector, format!("BEGIN; {sql} COMMIT;")).await;
    collector
}

/// Holds an answer against the file of that name.
pub(crate) fn assert_snapshot(name: &str, answer: &Answer) {
    assert_snapshot_of(name, 200, answer);
}

/// The same for one of another status.
pub(crate) fn assert_snapshot_of(name: &str, status: u16, answer: &Answer) {
    assert_eq!(answer.status, status, "{name}: {}", answer.text());
    let text = match answer.header("content-type") {
        "application/json" | "application/problem+json" => serde_json::to_string_pretty(&answer.json()).unwrap() + "\n",
        _ => answer.text(),
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/collector/snapshots").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        return std::fs::write(path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{name} is another one; UPDATE_SNAPSHOTS=1 writes what is there now:\n{text}");
}
