//! What becomes of sessions, told to whoever listens: which began, ended, were stored, and how far those that run have come. It is found by
//! looking at all of them twice a second, and only while somebody listens: what brings lines knows nothing of it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use utoipa::ToSchema;

use super::{Registry, SessionId, UnixMillis};
use crate::store::list::live_elsewhere;

/// Between two looks at what is held here.
const TICK: Duration = Duration::from_millis(500);
/// Between two looks at what the database has of other collectors.
const ELSEWHERE: Duration = Duration::from_secs(5);
/// So many sessions of others are looked at, the newest of them.
const MOST_ELSEWHERE: u32 = 1000;
/// Of so many sessions is told at a time how far they have come, the newest of them. Of more that began, ended or were stored at once is told that
/// all is to be read again.
const MOST: usize = 500;
/// So many ticks may somebody be behind; who is further behind is told to read all again.
const BEHIND: usize = 16;

/// What became of sessions since this was told last; what did not happen is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct Changes {
    /// Ids of sessions that have begun, or go on after their end, and are in the list now; and of those whose browser is known only now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    began: Vec<String>,
    /// Ids of sessions that are over and on their way to the stores.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ended: Vec<String>,
    /// Ids of sessions that are stored, with features and findings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stored: Vec<String>,
    /// How far sessions that run have come.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    progress: Vec<Progress>,
}

/// How far a session has come.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Progress {
    /// A UUID.
    id: String,
    /// How many connections it has.
    connections: u64,
    /// How many lines it has.
    lines: u64,
    /// Milliseconds from the first event to the last.
    duration: i64,
}

/// What is told.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    /// What is known may be wrong: all is to be read again.
    Refresh,
    /// JSON of [`Changes`].
    Changes(Arc<str>),
}

/// Where it is told.
#[derive(Debug)]
pub(crate) struct Feed {
    told: broadcast::Sender<Told>,
    removed: AtomicU64,
}

impl Default for Feed {
    fn default() -> Self {
        Self { told: broadcast::Sender::new(BEHIND), removed: AtomicU64::new(0) }
    }
}

impl Feed {
    /// What is told from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Told> {
        self.told.subscribe()
    }

    /// A session was removed from the stores.
    pub(crate) fn removed(&self) {
        self.removed.fetch_add(1, Ordering::Relaxed);
    }
}

/// How a session stands.
#[derive(Debug, Clone, PartialEq)]
struct Standing {
    start: UnixMillis,
    is_over: bool,
    has_browser: bool,
    connections: u64,
    lines: u64,
    duration: i64,
}

/// All sessions at one moment.
#[derive(Debug, Default)]
struct Scene {
    here: HashMap<SessionId, Standing>,
    /// Those that run in other collectors, as far as the database tells.
    elsewhere: HashSet<SessionId>,
    removed: u64,
}

/// Tells what becomes of sessions, for ever.
pub(crate) async fn tell_changes(registry: Registry) {
    let mut known = None;
    let mut question = Question::default();
    loop {
        tokio::time::sleep(TICK).await;
        let feed = registry.changes();
        if feed.told.receiver_count() == 0 {
            (known, question) = (None, Question::default());
            continue;
        }
        question.go_on(&registry).await;
        let now = Scene { elsewhere: question.elsewhere.clone(), ..scene(&registry) };
        let told = match &known {
            // Who listens has read the list before this look, or after it: nobody knows.
            None => Some(Told::Refresh),
            Some(before) => compare(before, &now),
        };
        known = Some(now);
        if let Some(told) = told {
            // Whoever listened may just have gone.
            let _ = feed.told.send(told);
        }
    }
}

fn scene(registry: &Registry) -> Scene {
    let removed = registry.changes().removed.load(Ordering::Relaxed);
    // One that the database has not listed yet would be looked for in the list in vain.
    let is_listed = |listing: &crate::store::queue::Listing| listing.is_own() || listing.is_anothers();
    let held = registry.held_now().into_iter().filter(|handle| is_listed(&handle.listing));
    let here = held.filter_map(|handle| {
        let snapshot = handle.snapshot();
        let standing = Standing {
            start: handle.origin.start_time,
            is_over: snapshot.close_code.is_some(),
            has_browser: snapshot.browser.is_some(),
            connections: snapshot.connections,
            lines: snapshot.lines,
            duration: snapshot.duration,
        };
        (snapshot.lines > 0).then_some((handle.id, standing))
    });
    Scene { here: here.collect(), elsewhere: HashSet::new(), removed }
}

/// What became of sessions between two looks, if anything did.
fn compare(before: &Scene, now: &Scene) -> Option<Told> {
    let mut changes = Changes::default();
    let mut moved = Vec::new();
    for (id, standing) in &now.here {
        match before.here.get(id) {
            Some(known) if known == standing => {}
            None => changes.began.push(id.to_string()),
            Some(known) if standing.is_over && !known.is_over => changes.ended.push(id.to_string()),
            // It goes on after its end, or the list says by now which browser it is.
            Some(known) if known.is_over && !standing.is_over || known.has_browser != standing.has_browser => {
                changes.began.push(id.to_string());
            }
            Some(_) => moved.push((standing.start, *id, standing)),
        }
    }
    changes.stored.extend(before.here.keys().filter(|id| !now.here.contains_key(id)).map(ToString::to_string));
    let began_elsewhere = now.elsewhere.difference(&before.elsewhere);
    changes.began.extend(began_elsewhere.map(ToString::to_string));
    let over_elsewhere = before.elsewhere.difference(&now.elsewhere);
    changes.stored.extend(over_elsewhere.map(ToString::to_string));
    let told = changes.began.len() + changes.ended.len() + changes.stored.len();
    if before.removed != now.removed || told > MOST {
        return Some(Told::Refresh);
    }
    moved.sort_unstable_by_key(|(start, id, _)| std::cmp::Reverse((start.0, *id)));
    changes.progress.extend(moved.into_iter().take(MOST).map(|(_, id, standing)| Progress {
        id: id.to_string(),
        connections: standing.connections,
        lines: standing.lines,
        duration: standing.duration,
    }));
    (changes != Changes::default())
        .then(|| serde_json::to_string(&changes).map_or(Told::Refresh, |text| Told::Changes(text.into())))
}

/// What the database is asked about other collectors. Nobody waits for its answer.
#[derive(Debug, Default)]
struct Question {
    asked: Option<Instant>,
    answer: Option<JoinHandle<sqlx::Result<Vec<SessionId>>>>,
    elsewhere: HashSet<SessionId>,
}

impl Question {
    async fn go_on(&mut self, registry: &Registry) {
        if let Some(answer) = self.answer.take_if(|answer| answer.is_finished())
            && let Ok(Ok(found)) = answer.await
        {
            self.elsewhere = found.into_iter().collect();
        }
        if self.answer.is_none() && self.asked.is_none_or(|asked| asked.elapsed() >= ELSEWHERE) {
            self.asked = Some(Instant::now());
            let (database, collector) = (registry.stores().database.clone(), registry.spool().id().to_owned());
            self.answer =
                Some(tokio::spawn(async move { live_elsewhere(&database, &collector, MOST_ELSEWHERE).await }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(lines: u64) -> Standing {
        let start = UnixMillis(i64::try_from(lines).unwrap());
        Standing { start, is_over: false, has_browser: true, connections: 1, lines, duration: 5 }
    }

    fn of(here: &[(SessionId, Standing)], elsewhere: &[SessionId]) -> Scene {
        Scene { here: here.iter().cloned().collect(), elsewhere: elsewhere.iter().copied().collect(), removed: 0 }
    }

    fn told(before: &Scene, now: &Scene) -> String {
        match compare(before, now) {
            None => String::new(),
            Some(Told::Refresh) => "refresh".to_owned(),
            Some(Told::Changes(text)) => text.to_string(),
        }
    }

    #[test]
    fn what_became_of_a_session_is_told_once() {
        let [a, b] = [SessionId::new(), SessionId::new()];
        let over = Standing { is_over: true, ..standing(3) };
        let scenes = [
            of(&[], &[]),
            of(&[(a, standing(1))], &[]),
            of(&[(a, standing(2))], &[b]),
            of(&[(a, over.clone())], &[b]),
            of(&[(a, over)], &[]),
            of(&[], &[]),
            of(&[], &[]),
        ];
        let all: Vec<String> = scenes.windows(2).map(|pair| told(&pair[0], &pair[1])).collect();
        let progress = format!(r#""progress":[{{"id":"{a}","connections":1,"lines":2,"duration":5}}]"#);
        let expected = [
            format!(r#"{{"began":["{a}"]}}"#),
            format!(r#"{{"began":["{b}"],{progress}}}"#),
            format!(r#"{{"ended":["{a}"]}}"#),
            format!(r#"{{"stored":["{b}"]}}"#),
            format!(r#"{{"stored":["{a}"]}}"#),
            String::new(),
        ];
        assert_eq!(all, expected);
        let goes_on = told(&scenes[4], &scenes[1]);
        assert_eq!(goes_on, format!(r#"{{"began":["{a}"]}}"#), "after its end");
        assert_eq!(told(&scenes[0], &Scene { removed: 1, ..Scene::default() }), "refresh");
    }

    #[test]
    fn a_thousand_at_once_are_not_named_and_of_a_thousand_that_move_the_newest_are() {
        let ids: Vec<SessionId> = (0..1000).map(|_| SessionId::new()).collect();
        let at = |more: u64| {
            let all: Vec<_> = ids.iter().enumerate().map(|(at, id)| (*id, standing(at as u64 + more))).collect();
            of(&all, &[])
        };
        assert_eq!(told(&of(&[], &[]), &at(1)), "refresh");
        let text = told(&at(1), &at(2));
        assert_eq!(text.matches("\"id\"").count(), MOST);
        assert!(text.contains(&ids[999].to_string()) && !text.contains(&ids[0].to_string()));
    }
}
