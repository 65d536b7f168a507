//! What lists show of a session: told by its lines as they come, without decoding one.

use std::collections::HashSet;
use std::sync::Arc;

use rtctrace_protocol::line::Line;
use rtctrace_protocol::sora::{EVENT, Lived, Stay};

use super::Browser;

/// As many connections as features are kept of; further ones are not counted either.
const CONNECTIONS: usize = rtctrace_features::limits::CONNECTIONS;
/// A page has few connections to Sora; further ones, and longer names of them, are not looked for.
const SORA_CONNECTIONS: usize = 16;
const LONGEST_SORA_CONNECTION: usize = 255;

/// What the lines of one session say of it as a whole.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    times: Times,
    connections: HashSet<Box<str>>,
    browser: Option<Arc<Browser>>,
    sora: Arc<[Box<str>]>,
}

/// When its events were, in ms since the Unix epoch.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    first: Option<f64>,
    /// When the session began, as its header says.
    begin: f64,
    /// Of the newest line.
    line: f64,
    stay: Stay,
}

impl Times {
    fn take_in(&mut self, line: &Line<'_>) {
        // The first time is absolute, each further one counts from the line before.
        self.line += line.delta();
        let (method, connection) = (line.method(), line.connection());
        let lived = match (&*method, &connection) {
            // It counts from what was heard last.
            ("close", None) => {
                self.first.get_or_insert(self.line);
                return self.stay.lengthen(line.delta());
            }
            (EVENT, Some(_)) => {
                self.was_there(Lived::since(line.value()));
                Lived::of(line.value())
            }
            _ => Lived::Then,
        };
        if matches!(lived, Lived::Then | Lived::UntilThen) {
            self.first.get_or_insert(self.line);
        }
        self.stay.take_in(lived, self.line);
    }

    /// The connection was there from then on. If the session began later, it counts from its first line.
    fn was_there(&mut self, since: Option<i64>) {
        let fits = |since: &f64| (self.begin..=self.line).contains(since);
        if let Some(since) = since.map(|micros| micros as f64 / 1000.0).filter(fits) {
            self.first = Some(self.first.map_or(since, |first| first.min(since)));
        }
    }
}

impl Summary {
    /// Of a session that began then, as its header says, in ms since the Unix epoch.
    pub(crate) fn since(begin: i64) -> Self {
        Self { times: Times { begin: begin as f64, ..Times::default() }, ..Self::default() }
    }

    /// Takes in the next line.
    pub(crate) fn line(&mut self, line: &Line<'_>) {
        self.times.take_in(line);
        match line.connection() {
            Some(connection) if !self.connections.contains(&*connection) && self.connections.len() < CONNECTIONS => {
                // What Sora says itself names its connection.
                if line.method().starts_with(":sora.") {
                    self.is_about(&connection);
                }
                self.connections.insert(connection.into());
            }
            None if self.browser.is_none() && line.method() == "create" => {
                self.browser = Browser::from_hints(line.value()).map(Arc::new);
            }
            None if line.method() == "identity" => {
                let told = line.value().get("sora").and_then(|sora| sora.get("connection_id")?.as_str());
                if let Some(connection) = told {
                    self.is_about(&connection);
                }
            }
            _ => {}
        }
    }

    /// A connection of Sora's is named.
    fn is_about(&mut self, connection: &str) {
        let fits = (1..=LONGEST_SORA_CONNECTION).contains(&connection.len()) && self.sora.len() < SORA_CONNECTIONS;
        if fits && !self.sora.iter().any(|known| **known == *connection) {
            self.sora = self.sora.iter().cloned().chain([connection.into()]).collect();
        }
    }

    /// The same for lines that nobody has parsed yet; what is none counts for nothing.
    pub(crate) fn lines(&mut self, text: &str) {
        text.lines().filter_map(|line| Line::parse(line).ok()).for_each(|line| self.line(&line));
    }

    /// When the lines so far were.
    pub(crate) fn times(&self) -> Times {
        self.times
    }

    /// Forgets the times of the newest lines: their client will send them again.
    pub(crate) fn rewind(&mut self, times: Times) {
        self.times = times;
    }

    /// How many connections were seen.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.len() as u64
    }

    /// Milliseconds from the first event to the last; clients' clocks may jump back, durations do not. What is said of a session of Sora's that
    /// the connection is part of tells nothing of how long the connection was there, unless it says so.
    pub(crate) fn duration(&self) -> i64 {
        let end = self.times.stay.end();
        (end - self.times.first.unwrap_or(end)).max(0.0) as i64
    }

    /// The connections of Sora's that it is about.
    pub(crate) fn sora_connections(&self) -> Arc<[Box<str>]> {
        Arc::clone(&self.sora)
    }

    /// The browser by its client hints.
    pub(crate) fn browser(&self) -> Option<&Arc<Browser>> {
        self.browser.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_tell_of_times_connections_and_the_browser() {
        let mut summary = Summary::default();
        assert_eq!((summary.connections(), summary.duration()), (0, 0));
        let hints = r#"{"userAgentData":{"brands":[{"brand":"Google Chrome","version":"156"}],"platform":"Linux"}}"#;
        summary.lines(&format!(
            "[39,null,{hints},1795000000000]\n[27,\"PC_0\",null,5]\nno line\n[27,\"PC_1\",null,2.5]\n"
        ));
        assert_eq!((summary.connections(), summary.duration()), (2, 7));
        assert_eq!(summary.browser().map(|browser| browser.name.as_str()), Some("Chrome"));
        let before = summary.times();
        summary.lines("[27,\"PC_1\",null,-1000]");
        assert_eq!(summary.duration(), 0, "a clock may jump back");
        summary.rewind(before);
        assert_eq!(summary.duration(), 7);
    }

    #[test]
    fn a_connection_of_soras_was_there_as_long_as_is_said_of_itself() {
        let at = |lines: &[(u32, &str)]| {
            let (mut summary, mut before) = (Summary::since(2000), 0);
            for (time, line) in lines {
                let delta = i64::from(*time) - i64::from(before);
                summary.lines(&format!("[{line},{delta}]"));
                before = *time;
            }
            summary.duration()
        };
        let event = |kind: &str, more: &str| format!("\":sora.event\",\"C\",{{\"type\":\"{kind}\"{more}}}");
        let over = |time: &str| {
            format!(",\"connection\":{{\"connection_destroyed_timestamp\":\"1970-01-01T00:00:0{time}Z\"}}")
        };
        let (push, close) = ("\"g\",\"C\",{}", "\"close\",null,1000");
        let began = event("session.created", "");
        let session_over = event("session.destroyed", "");
        assert_eq!(at(&[(1000, &began), (3000, push), (4000, push), (4000, close)]), 1000);
        // Its session went on; only where nothing says when it ended, it may have been there until then.
        assert_eq!(at(&[(3000, push), (4000, push), (9000, &session_over), (9000, close)]), 6000);
        let ended = event("connection.destroyed", "");
        assert_eq!(at(&[(3000, push), (5000, &ended), (9000, &session_over), (9000, close)]), 2000);
        assert_eq!(at(&[(3000, push), (9000, &event("session.destroyed", &over("4.5"))), (9000, close)]), 1500);
        assert_eq!(at(&[(3000, push), (8000, &event("session.updated", ",\"connection\":{}"))]), 5000);
        assert_eq!(at(&[(3000, push), (9000, &event("session.updated", &over("4"))), (9500, push)]), 6500);
        assert_eq!(at(&[(9000, &session_over), (9000, close)]), 0);
        let since = |time: &str| over(time).replace("destroyed", "created");
        assert_eq!(at(&[(3000, push), (5000, &event("session.updated", &since("2.5")))]), 2500);
        assert_eq!(at(&[(3000, push), (5000, &event("session.updated", &since("1.5")))]), 2000, "before its session");
        assert_eq!(at(&[(3000, &event("session.updated", &since("9"))), (5000, push)]), 2000, "not yet");
        assert_eq!(at(&[(3000, push), (4000, push), (4300, close)]), 1300);
    }

    #[test]
    fn connections_of_sora_are_named_by_an_application_or_by_sora() {
        let mut summary = Summary::default();
        let named =
            |connection: &str| format!("[\":identity\",null,{{\"sora\":{{\"connection_id\":{connection}}}}},1]\n");
        let long = format!("\"{}\"", "x".repeat(256));
        for line in ["\"A\"", "\"B\"", "\"A\"", "7", "null", "\"\"", &long] {
            summary.lines(&named(line).replace(":identity", "identity"));
        }
        summary.lines("[\"identity\",null,{\"sora\":7},1]\n[\"identity\",null,[],1]\n[\"identity\",\"PC_0\",{\"sora\":{\"connection_id\":\"C\"}},1]");
        // What an application calls so is no identity.
        summary.lines(&named("\"D\""));
        summary.lines("[\":sora.connection\",\"E\",{},1]");
        assert_eq!(*summary.sora_connections(), ["A".into(), "B".into(), "E".into()]);
        for number in 0..100 {
            summary.lines(&named(&format!("\"{number}\"")).replace(":identity", "identity"));
        }
        assert_eq!(summary.sora_connections().len(), SORA_CONNECTIONS);
    }
}
