//! What lists show of a session: told by its lines as they come, without decoding one.

use std::collections::HashSet;
use std::sync::Arc;

use rtctrace_protocol::line::Line;

use super::Browser;

/// As many connections as features are kept of; further ones are not counted either.
const CONNECTIONS: usize = rtctrace_features::limits::CONNECTIONS;

/// What the lines of one session say of it as a whole.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    times: Times,
    connections: HashSet<Box<str>>,
    browser: Option<Arc<Browser>>,
}

/// When its events were, in ms since the Unix epoch.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    first: Option<f64>,
    last: f64,
}

impl Summary {
    /// Takes in the next line.
    pub(crate) fn line(&mut self, line: &Line<'_>) {
        // The first time is absolute, each further one counts from the line before.
        self.times.last += line.delta();
        self.times.first.get_or_insert(self.times.last);
        match line.connection() {
            Some(connection) if !self.connections.contains(&*connection) && self.connections.len() < CONNECTIONS => {
                self.connections.insert(connection.into());
            }
            None if self.browser.is_none() && line.method() == "create" => {
                self.browser = Browser::from_hints(line.value()).map(Arc::new);
            }
            _ => {}
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

    /// Milliseconds from the first event to the last; clients' clocks may jump back, durations do not.
    pub(crate) fn duration(&self) -> i64 {
        (self.times.last - self.times.first.unwrap_or(self.times.last)).max(0.0) as i64
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
}
