//! From a body to its session: the one of the connection, or of the node, that it names; or to all that a notice is about.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rtctrace_protocol::line::{Line, write_line};
use rtctrace_protocol::sora::{EVENT, Ended, Member, Notice, Push, Refused};

use super::later;
use crate::app::App;
use crate::config::Privacy;
use crate::ingest::socket::{later as reason_of, verdict};
use crate::problem::{Problem, Reason};
use crate::session::{
    Attach, Handle, Origin, Said, SaidReply, SaidStop, SessionId, Stop, UnixMillis, name_of_connection, name_of_node,
};
use crate::telemetry;

/// How often a session may end under a body that was to come to it.
const ATTEMPTS: usize = 3;
/// Who is asked to come back later, should after so long.
const SOON: Duration = Duration::from_secs(1);
/// So many sessions hear of a notice at one time.
const AT_ONE_TIME: usize = 16;
/// The close code of a session that is at a limit.
const LIMIT: u16 = 4001;

/// Takes a push in. When this returns, it is written.
pub(super) async fn push(app: &App, push: &Push<'_>, path: &str) -> Result<(), Problem> {
    has_room(app)?;
    let name = match &push.connection {
        Some(connection) => name_of_connection(&connection.connection_id),
        None => name_of_node(&push.sender.node_name),
    };
    for _ in 0..ATTEMPTS {
        match bring(app, push, path, &name).await? {
            Outcome::Written => return Ok(()),
            Outcome::Ended => {}
        }
    }
    Err(later(Reason::Overloaded, "The session ends and begins too fast; come back later.", SOON))
}

enum Outcome {
    Written,
    /// The session was over before it could take the body.
    Ended,
}

async fn bring(app: &App, push: &Push<'_>, path: &str, name: &str) -> Result<Outcome, Problem> {
    if let Some(handle) = running(app, name) {
        let user = push.connection.as_ref().map(|connection| &*connection.client_id);
        if handle.origin.is_anothers(user) {
            return Err(another_client());
        }
        let reply = app.registry.receive_said(&handle, Said::Push(push)).await;
        if let Some(outcome) = outcome(app, &handle, reply).await? {
            return Ok(outcome);
        }
    }
    for successor in 0..SessionId::SUCCESSORS {
        let origin = Origin::of_sora(&push.sender, push.connection.as_ref(), path, UnixMillis::now());
        let attached = attach(app, SessionId::following(name, successor), origin).await?;
        let Some((handle, is_new)) = attached else { continue };
        let reply = first_said(app, &handle, is_new, Said::Push(push)).await;
        if let Some(outcome) = outcome(app, &handle, reply).await? {
            return Ok(outcome);
        }
    }
    Err(later(Reason::Overloaded, "The connection has had too many sessions; come back later.", SOON))
}

fn has_room(app: &App) -> Result<(), Problem> {
    match app.registry.spool().is_full() {
        true => Err(later(Reason::SpoolFull, "The spool is full; come back later.", SOON)),
        false => Ok(()),
    }
}

/// The session of that id, and whether it begins; none if it is over.
async fn attach(app: &App, id: SessionId, origin: Origin) -> Result<Option<(Arc<Handle>, bool)>, Problem> {
    match app.registry.attach(id, origin, 0).await {
        Attach::Session(handle, is_new) => Ok(Some((handle, is_new))),
        Attach::Ended => Ok(None),
        Attach::OtherUser => Err(another_client()),
        Attach::Later(why) => {
            Err(later(reason_of(why), format!("This is not taken now: {why}; come back later."), SOON))
        }
    }
}

/// Tells a session that may have been begun for it.
async fn first_said(app: &App, handle: &Arc<Handle>, is_new: bool, said: Said<'_>) -> SaidReply {
    if is_new {
        app.registry.tell_of_session(handle).await;
    }
    let reply = app.registry.receive_said(handle, said).await;
    if is_new && reply.received == 0 {
        // Nobody else would remove it.
        app.registry.end(handle, LIMIT, Duration::ZERO).await;
    } else if is_new {
        app.registry.wait_for_quiet(Arc::clone(handle));
    }
    reply
}

/// What became of a body; `None` if it goes to the session beside this one.
async fn outcome(app: &App, handle: &Arc<Handle>, reply: SaidReply) -> Result<Option<Outcome>, Problem> {
    match reply.stop {
        None => Ok(Some(Outcome::Written)),
        Some(SaidStop::TooFast(wait)) => {
            Err(later(Reason::TooFast, "The connection sends too fast; come back later.", wait))
        }
        Some(SaidStop::Stop(Stop::Ended)) => Ok(Some(Outcome::Ended)),
        Some(SaidStop::Stop(
            limit @ (Stop::SessionTooLong(_) | Stop::SessionTooOld(_) | Stop::Unfit(Refused::Stuck)),
        )) => {
            let (reason, _) = verdict(&limit);
            telemetry::refused(reason.name());
            app.registry.end(handle, LIMIT, Duration::ZERO).await;
            Ok(None)
        }
        Some(SaidStop::Stop(Stop::Unfit(refused))) => {
            Err(Problem::new(Reason::BadRequest, format!("stats cannot be stored: {refused}.")).with_field("stats"))
        }
        Some(SaidStop::Stop(stop)) => {
            let (reason, _) = verdict(&stop);
            Err(later(reason, format!("{stop}; come back later."), SOON))
        }
    }
}

/// Tells the sessions that a notice is about. One that says all of a connection that nobody knows begins its session; any other
/// about a session that is none here is counted, and nothing else. That a session of a channel began is held for its connections.
pub(super) async fn notice(app: &App, notice: &Notice<'_>, path: &str) -> Result<(), Problem> {
    if notice.is_announcement() {
        announce(app, notice).await?;
    }
    let mut targets: Vec<(&str, Option<_>)> = match &notice.connection_id {
        Some(connection) => vec![(&**connection, None)],
        None => notice.connections.iter().map(|member| (&*member.connection_id, Some(member))).collect(),
    };
    let others = others(app, notice);
    let named: HashSet<&str> = targets.iter().map(|(connection, _)| *connection).collect();
    targets.extend(others.iter().map(String::as_str).filter(|id| !named.contains(id)).map(|id| (id, None)));
    let mut results = Vec::new();
    for some in targets.chunks(AT_ONE_TIME) {
        let told = some.iter().map(|(connection, member)| tell(app, notice, connection, *member, path));
        results.extend(futures_util::future::join_all(told).await);
        // A body may name many that nobody knows.
        tokio::task::yield_now().await;
    }
    if let Some(session) = notice.session_id.as_deref().filter(|_| notice.ended == Ended::Session)
        && let Err(error) = app.registry.spool().announced().forget(session)
    {
        tracing::warn!("what was told of a session that is over stays for a day: {error}");
    }
    if notice.is_announcement() {
        for handle in of_session(app, notice.session_id.as_deref()) {
            app.registry.tell_of_session(&handle).await;
        }
    }
    results.into_iter().collect()
}

/// Holds what is told of a session for the connections that come.
async fn announce(app: &App, notice: &Notice<'_>) -> Result<(), Problem> {
    has_room(app)?;
    let Some(session) = notice.session_id.as_deref().map(str::to_owned) else { return Ok(()) };
    let (spool, text) = (Arc::clone(app.registry.spool()), hidden(&app.config.privacy, notice.text.text()));
    let held = tokio::task::spawn_blocking(move || spool.announced().hold(&session, &text)).await;
    match held {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            tracing::error!("what is told of a session cannot be held: {error}");
            Err(later(Reason::Overloaded, "The spool cannot be written; come back later.", SOON))
        }
        Err(error) => Err(Problem::internal(error)),
    }
}

/// What is held of it, without what may not be stored.
fn hidden(privacy: &Privacy, text: &str) -> String {
    let (mut line, mut hidden) = (String::new(), String::new());
    write_line(&mut line, EVENT, None, text, &[], 0.0);
    if let (Some(mut obfuscator), Ok(line)) = (privacy.obfuscator(), Line::parse(&line))
        && obfuscator.rewrite(&line, &mut hidden)
        && let Ok(line) = Line::parse(&hidden)
    {
        return line.value().text().to_owned();
    }
    text.to_owned()
}

async fn tell(
    app: &App,
    notice: &Notice<'_>,
    connection: &str,
    member: Option<&Member<'_>>,
    path: &str,
) -> Result<(), Problem> {
    let said = Said::Notice(notice, member, connection);
    let told = match find(app, &name_of_connection(connection)).await {
        Some(handle) => {
            let reply = app.registry.receive_said(&handle, said).await;
            Some((handle, reply))
        }
        None => match begin(app, notice, connection, path).await? {
            Some((handle, is_new)) => {
                let reply = first_said(app, &handle, is_new, said).await;
                Some((handle, reply))
            }
            None => None,
        },
    };
    let Some((handle, reply)) = told.filter(|(_, reply)| !matches!(reply.stop, Some(SaidStop::Stop(Stop::Ended))))
    else {
        telemetry::bad_line("unknown_connection");
        return Ok(());
    };
    match reply.stop {
        // It is about to end, or to go on beside itself.
        Some(SaidStop::Stop(Stop::SessionTooLong(_) | Stop::SessionTooOld(_))) => Ok(()),
        _ => outcome(app, &handle, reply).await.map(|_| ()),
    }
}

/// The session of a connection that begins, as a notice tells; none if the notice does not say all of it, or one of it is over: then it is
/// told again, or late.
async fn begin(
    app: &App,
    notice: &Notice<'_>,
    connection: &str,
    path: &str,
) -> Result<Option<(Arc<Handle>, bool)>, Problem> {
    let Some(envelope) = notice.envelope.as_ref().filter(|_| notice.ended == Ended::No) else { return Ok(None) };
    has_room(app)?;
    let origin = Origin::of_sora(&notice.sender, Some(envelope), path, UnixMillis::now());
    attach(app, SessionId::following(&name_of_connection(connection), 0), origin).await
}

/// The connections of a session that is over, as far as they are sessions here.
fn others(app: &App, notice: &Notice<'_>) -> Vec<String> {
    let session = notice.session_id.as_deref().filter(|_| notice.ended == Ended::Session);
    let connection = |handle: Arc<Handle>| handle.origin.sora.as_deref()?.connection_id.clone();
    of_session(app, session).filter_map(connection).collect()
}

/// The sessions here of connections that are part of a session of Sora's.
fn of_session<'s>(app: &App, session: Option<&'s str>) -> impl Iterator<Item = Arc<Handle>> + use<'s> {
    let all = session.map(|session| (session, app.registry.held_now()));
    let is_of = |session: &str, handle: &Handle| {
        handle.origin.sora.as_deref().is_some_and(|sora| sora.session_id.as_deref() == Some(session))
    };
    let of = move |(session, handles): (&'s str, Vec<Arc<Handle>>)| {
        handles.into_iter().filter(move |handle| is_of(session, handle))
    };
    all.into_iter().flat_map(of)
}

/// The session of that name that runs here, as far as it is in memory.
fn running(app: &App, name: &str) -> Option<Arc<Handle>> {
    (0..SessionId::SUCCESSORS)
        .find_map(|successor| app.registry.get(SessionId::following(name, successor)).filter(|handle| handle.runs()))
}

/// The same, in the spool, too.
async fn find(app: &App, name: &str) -> Option<Arc<Handle>> {
    if let Some(handle) = running(app, name) {
        return Some(handle);
    }
    for successor in 0..SessionId::SUCCESSORS {
        if let Some(handle) = app.registry.find_running(SessionId::following(name, successor)).await {
            return Some(handle);
        }
    }
    None
}

fn another_client() -> Problem {
    let detail = "client_id is another one than that of the connection's session.";
    Problem::new(Reason::BadRequest, detail).with_field("client_id")
}
