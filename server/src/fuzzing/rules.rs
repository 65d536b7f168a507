//! What holds when an input has been taken in, whatever it was: what was acknowledged is in the spool, the spool is a dump,
//! a collector that starts over it knows what the one before knew, and every session ends in the stores.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::GzDecoder;
use futures_util::TryStreamExt as _;
use rtctrace_protocol::dump::DumpReader;
use rtctrace_protocol::line::Line;

use super::world::{Running, World, until};
use crate::session::{self, Analysis, Attach, Handle, Registry, SessionId};
use crate::store::{features, removal, sessions};

/// What a client knows of its session.
pub(super) struct Told {
    pub(super) session: SessionId,
    /// The highest number that it heard, and whether that counts lines.
    pub(super) number: u64,
    pub(super) counts: bool,
    /// What it holds, if that is known.
    pub(super) lines: Option<Vec<String>>,
}

impl Told {
    /// Whether nothing of the session need be there.
    fn is_empty(&self) -> bool {
        self.lines.as_ref().is_none_or(Vec::is_empty)
    }

    /// Looks whether a dump is what the client knows of.
    fn holds(&self, text: &str) {
        let lines = lines_of(text);
        if self.counts {
            assert!(self.number <= lines.len() as u64, "what is acknowledged is stored");
        }
        if let Some(expected) = &self.lines {
            assert_eq!(lines.get(..expected.len()), Some(&expected[..]), "every good line is stored, in its order");
            assert!(lines.len() <= expected.len() + 1, "nothing else is, but how it ended");
        }
    }
}

/// Sessions that are over go to the stores by themselves; the others wait for their clients.
pub(super) async fn settle(running: &Running) {
    let registry = &running.app.registry;
    until("sessions that are over are stored", || {
        registry.held_now().iter().all(|handle| handle.snapshot().lines > 0 && waits(handle))
    })
    .await;
}

/// A session that waits, and what was known of it.
pub(super) struct Known {
    pub(super) handle: Arc<Handle>,
    /// What the spool holds of it.
    pub(super) text: String,
    analysis: Arc<Analysis>,
}

/// What a collector knows of the sessions that wait. The spool holds as much as it says.
pub(super) async fn known(world: &World, running: &Running) -> Vec<Known> {
    let mut all = Vec::new();
    for handle in running.app.registry.held_now() {
        let text = std::fs::read_to_string(world.config.spool_dir().join(format!("{}.jsonl", handle.id))).unwrap();
        let snapshot = handle.snapshot();
        assert_eq!(text.len() as u64, snapshot.spool_bytes, "the spool holds whole lines");
        assert_eq!(lines_of(&text).len() as u64, snapshot.lines, "the spool holds as many lines as are counted");
        let analysis = running.app.registry.analysis(&handle).await;
        all.push(Known { handle, text, analysis });
    }
    all
}

/// Asks a collector that has just started what another one knew.
pub(super) async fn remembers(registry: &Registry, known: &[Known]) -> Vec<Arc<Handle>> {
    let mut again = Vec::new();
    for Known { handle: before, analysis, .. } in known {
        let Attach::Session(handle, false) = registry.attach(before.id, before.origin.as_ref().clone(), 1).await else {
            panic!("a session that waits for its client is there after a crash");
        };
        assert_eq!(handle.snapshot(), before.snapshot(), "a crash changes nothing of a session");
        assert_eq!(handle.number().await.unwrap(), before.number().await.unwrap());
        assert_eq!(registry.analysis(&handle).await, *analysis, "features and findings follow from the spool");
        again.push(handle);
    }
    again
}

/// Whether the sessions of an input are to go into the stores: that takes longer than all the rest, so one of eight's do, unless they are over already.
pub(super) fn goes_on(input: &[u8]) -> bool {
    !input.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)).is_multiple_of(8)
}

/// Ends all sessions, and waits until they are stored.
pub(super) async fn end_all(world: &World, running: Running) {
    let registry = &running.app.registry;
    // What an earlier crash left, and nobody asked for since.
    session::recover(registry).await.unwrap();
    for handle in registry.held_now().iter().filter(|handle| waits(handle)) {
        registry.end(handle, 1006, Duration::ZERO).await;
    }
    until("sessions are stored", || registry.held_now().is_empty()).await;
    running.stop();
    assert_eq!(world.files("spool"), [""; 0], "what is stored leaves the spool");
}

/// Looks at everything, and leaves nothing behind.
pub(super) async fn hold(world: &World, running: Running, told: Told, input: &[u8]) {
    settle(&running).await;
    let known = known(world, &running).await;
    running.stop();

    let running = world.start();
    remembers(&running.app.registry, &known).await;
    let spooled = known.iter().find(|known| known.handle.id == told.session);
    if goes_on(input) {
        running.stop();
        world.empty_spool();
        // What has ended by itself was stored.
        let stored = stored(world).await;
        let ended = stored.iter().find(|(id, _)| *id == told.session).map(|(_, text)| text);
        let is_there =
            spooled.map(|known| &known.text).into_iter().chain(ended).inspect(|text| told.holds(text)).count() > 0;
        assert!(is_there || told.is_empty(), "a session that has lines is kept");
        return;
    }
    end_all(world, running).await;
    let mut found = false;
    for (id, text) in stored(world).await {
        if let Some(known) = known.iter().find(|known| known.handle.id == id) {
            assert!(text.starts_with(&known.text), "what was in the spool is in the dump");
        }
        if id == told.session {
            found = true;
            told.holds(&text);
        }
    }
    assert!(found || told.is_empty(), "a session that has lines is stored");
}

/// Every stored dump as text, each checked against its row, and removed.
pub(super) async fn stored(world: &World) -> Vec<(SessionId, String)> {
    let stores = &world.stores;
    stores.queue.settle().await;
    let objects: Vec<_> = stores.objects.list().try_collect().await.unwrap();
    let mut texts = Vec::new();
    for object in objects {
        let name = object.location.filename().unwrap();
        let id: SessionId = name.strip_suffix(".jsonl.gz").unwrap().parse().unwrap();
        let bytes = stores.objects.get(&object.location).await.unwrap().bytes().await.unwrap();
        let mut text = String::new();
        GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap();
        let row = sessions::get(&stores.database, id).await.unwrap().expect("a stored dump has a row");
        assert!(row.ended);
        assert_eq!(row.lines, lines_of(&text).len() as u64);
        assert_eq!(row.dump_bytes, Some(bytes.len() as u64));
        assert_eq!(row.dump_path.as_deref(), Some(object.location.as_ref()));
        features::read(&stores.database, id).await.unwrap();
        removal::take_away(stores, &row).await.unwrap();
        assert!(sessions::get(&stores.database, id).await.unwrap().is_none());
        texts.push((id, text));
    }
    texts
}

/// The lines of a dump, each of which is one.
pub(super) fn lines_of(text: &str) -> Vec<String> {
    assert!(text.ends_with('\n'));
    let mut dump = DumpReader::open(text.as_bytes()).unwrap();
    let mut lines = Vec::new();
    while let Some(line) = dump.next_line() {
        let line = line.unwrap();
        Line::parse(line).unwrap_or_else(|error| panic!("a dump holds `{line}`: {error}"));
        lines.push(line.to_owned());
    }
    assert_eq!(lines.len() + 2, text.lines().count(), "a line is a line");
    lines
}

/// Whether a session waits for its client to come back.
fn waits(handle: &Handle) -> bool {
    handle.origin.dialect.resumes() && handle.snapshot().close_code.is_none()
}
