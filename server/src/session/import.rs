//! A whole dump becomes a session. It is written to a file beside the spool, line by line as if its client had sent it:
//! validated, addresses obfuscated. Only a whole file goes into the spool, and from there on all is as it is with a session
//! that a start finds there: its lines are decoded, and it goes to the stores. So a crash on the way costs nothing that was
//! imported, and leaves nothing of what was not.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rtctrace_protocol::dump::{DumpError, DumpReader, FILE_FORMAT, MAGIC};
use rtctrace_protocol::json::{Kind, RawValue, write_string};
use rtctrace_protocol::line::Line;
use rtctrace_protocol::privacy::{Obfuscator, obfuscate_address};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::logs::recognise;
use super::recover::rebuild;
use super::registry::Registry;
use super::{Dialect, Origin, SessionId, UnixMillis};
use crate::access::{Claims, without_tokens};
use crate::config::Privacy;
use crate::spool::{Recovered, path_of};
use crate::store::sessions::{self, SessionRow};

/// As much of a dump's beginning names it, if it does not name itself: lines, and bytes that are held for it.
const OPENING: usize = 64;
const OPENING_BYTES: usize = 1 << 20;

/// No dump is from before 2010: there was no WebRTC.
const EARLIEST: i64 = 1_262_304_000_000;
/// Clocks may be wrong by a day.
const LATEST: i64 = 24 * 3_600_000;

/// The space of names that are made of a dump's beginning (RFC 9562, section 5.5).
const NAMES: Uuid = Uuid::from_u128(0x6f1d_2a8e_53c4_4b0f_9d27_8e31_c05a_7b64);

/// A dump that is in the spool, and on its way to the stores.
#[derive(Debug)]
pub(crate) struct Imported {
    /// The session: the one that the dump names, else one made of its beginning.
    pub(crate) session: SessionId,
    /// Its lines.
    pub(crate) lines: u64,
    /// Lines that are none, and are left out.
    pub(crate) left_out: u64,
    /// Why the dump could not be read to its end; what came before counts.
    pub(crate) torn: Option<DumpError>,
    /// Ends when it is stored.
    pub(crate) stored: JoinHandle<()>,
}

/// Why a dump was not imported. Nothing of it stays.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// It is none.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// It has no line.
    #[error("the dump has no line that can be read")]
    Empty,
    /// Its session is here already.
    #[error("the session {0} is here already")]
    Known(SessionId),
    /// Who brings it has a token for another session.
    #[error("the token is for another session")]
    OtherSession,
    /// Its text is longer than it may be.
    #[error("the dump is longer than {0} bytes")]
    TooLong(u64),
    /// It is a log of Sora's, which holds many sessions.
    #[error(
        "this is a log of Sora's, and not the dump of a session; `rtctrace import` takes it where no collector runs over the data directory"
    )]
    SoraLog,
    /// The collector's own files or stores refused.
    #[error("the dump cannot be stored")]
    Store(#[source] anyhow::Error),
}

/// A reader's complaint about a dump as a whole.
fn complaint(error: DumpError) -> ImportError {
    match error {
        DumpError::TooLong { limit } => ImportError::TooLong(limit),
        error => ImportError::Dump(error),
    }
}

impl From<io::Error> for ImportError {
    fn from(error: io::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Takes in a dump, gzip-compressed or not. When this returns, it is in the spool.
/// `limit` bounds its bytes as text: a small file may unpack to any size. `claims` are those of a client that brings it: whose
/// session it is then, whatever the dump says.
pub(crate) async fn import(
    registry: &Registry,
    input: impl BufRead + Send + 'static,
    limit: Option<u64>,
    claims: Option<Claims>,
) -> Result<Imported, ImportError> {
    let config = registry.config();
    let (dir, privacy) = (config.data_dir.join("import"), config.privacy.clone());
    let named_by_token = claims.as_ref().and_then(|claims| claims.session.clone());
    let prepare = tokio::task::spawn_blocking(move || prepare(input, &dir, &privacy, limit, claims.as_ref()));
    let prepared = prepare.await.map_err(|error| ImportError::Store(error.into()))??;
    let session = prepared.session;
    if named_by_token.is_some_and(|named| named.parse() != Ok(session)) {
        return Err(ImportError::OtherSession);
    }
    let stored = place(registry, &prepared).await?;
    let Prepared { lines, left_out, torn, .. } = prepared;
    Ok(Imported { session, lines, left_out, torn, stored })
}

/// Puts what was prepared into the spool, and has it stored.
pub(super) async fn place(registry: &Registry, prepared: &Prepared) -> Result<JoinHandle<()>, ImportError> {
    let session = prepared.session;
    // A client of the same session would find the file before it is read.
    let _turn = registry.turn(session).lock().await;
    let known = sessions::get(&registry.stores().database, session).await;
    if registry.get(session).is_some() || known.map_err(|error| ImportError::Store(error.into()))?.is_some() {
        return Err(ImportError::Known(session));
    }

    enter(registry, prepared).await
}

/// The same for all of a session that is stored, and goes on; it may have begun earlier than was known.
pub(super) async fn place_again(
    registry: &Registry,
    prepared: &Prepared,
    row: &SessionRow,
) -> Result<JoinHandle<()>, ImportError> {
    let session = prepared.session;
    let _turn = registry.turn(session).lock().await;
    let store = |error: sqlx::Error| ImportError::Store(error.into());
    if registry.get(session).is_some()
        || !sessions::reopen(&registry.stores().database, row, registry.spool().id(), prepared.start)
            .await
            .map_err(store)?
    {
        return Err(ImportError::Known(session));
    }
    registry.forget_thinned_rows(session).await;
    let stored = enter(registry, prepared).await?;
    let path = registry.stores().objects.path(session, prepared.start).to_string();
    let Some(before) = row.dump_path.clone().filter(|before| *before != path) else { return Ok(stored) };
    // Dumps lie by the days on which their sessions began.
    let registry = registry.clone();
    Ok(tokio::spawn(async move {
        if let Err(error) = stored.await {
            tracing::error!(session = %session, "a session that goes on was not stored: {error}");
            return;
        }
        if let Err(error) = forget_dump(&registry, session, before).await {
            tracing::warn!(session = %session, "the dump of before stays: {error:#}");
        }
    }))
}

/// Removes a dump that is nowhere told of any more.
async fn forget_dump(registry: &Registry, session: SessionId, path: String) -> anyhow::Result<()> {
    let stores = registry.stores();
    let row = sessions::get(&stores.database, session).await?;
    if row.is_some_and(|row| row.dump_path.as_deref() != Some(&path)) {
        stores.objects.delete(&path.into()).await?;
    }
    Ok(())
}

async fn enter(registry: &Registry, prepared: &Prepared) -> Result<JoinHandle<()>, ImportError> {
    let session = prepared.session;
    let path = path_of(registry.spool().dir(), session);
    // A link in place of a new name: it never replaces a file that another session or import has there.
    match std::fs::hard_link(&prepared.part.0, &path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(ImportError::Known(session)),
        result => result?,
    }
    // Only now: before, they may be those of a session that the start has not read yet.
    registry.spool().forget_parts(&path)?;
    registry.spool().grew(prepared.length);
    // Who hears that it is here has it as safely as acknowledged lines.
    registry.spool().commit().await?;
    let found = Recovered { session, path, length: prepared.length };
    let mut rebuilt = rebuild(registry, &found, false).await.map_err(ImportError::Store)?;
    rebuilt.journal.end_as_it_is();
    Ok(registry.store(session, rebuilt.journal))
}

/// A file that is removed when nobody wants it any more.
#[derive(Debug)]
pub(super) struct Part(PathBuf);

impl Part {
    /// A new one in this folder.
    pub(super) fn create(dir: &Path) -> io::Result<(Self, File)> {
        std::fs::create_dir_all(dir)?;
        let path = dir.join(format!("{}.part", SessionId::new()));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok((Self(path), file))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::warn!(path = %self.0.display(), "a file of an import stays: {error}");
        }
    }
}

/// The whole text of a session, in a file beside the spool.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) session: SessionId,
    /// When it began, as its header says.
    pub(super) start: UnixMillis,
    pub(super) part: Part,
    pub(super) length: u64,
    pub(super) lines: u64,
    pub(super) left_out: u64,
    pub(super) torn: Option<DumpError>,
}

/// Writes what the spool is to hold of a dump.
fn prepare(
    input: impl BufRead,
    dir: &Path,
    privacy: &Privacy,
    limit: Option<u64>,
    claims: Option<&Claims>,
) -> Result<Prepared, ImportError> {
    let most = limit.unwrap_or(u64::MAX);
    let (is_log, input) = recognise(input)?;
    if is_log {
        return Err(ImportError::SoraLog);
    }
    let mut reading = Reading { dump: DumpReader::within(input, most).map_err(complaint)?, left_out: 0, torn: None };
    let header = reading.dump.metadata().text().to_owned();
    let (mut opening, mut held) = (Vec::new(), 0);
    while opening.len() < OPENING
        && held < OPENING_BYTES
        && let Some(line) = reading.line()?
    {
        held += line.len();
        opening.push(line);
    }
    let first = opening.first().ok_or(ImportError::Empty)?;
    let metadata = RawValue::parse(&header).map_err(|error| ImportError::Dump(error.into()))?;
    let told = start_of(metadata, first, UnixMillis::now());
    let named = metadata.get("session").and_then(RawValue::as_str).and_then(|id| id.parse().ok());
    // Its name may not depend on when it comes.
    let session = named.unwrap_or_else(|| name_of(&header, &opening, told.unwrap_or(UnixMillis(0)).0));
    let start = told.unwrap_or_else(|| {
        tracing::warn!(session = %session, "the dump does not say when it began, or says nonsense; it counts as begun now");
        UnixMillis::now()
    });
    let (part, file) = Part::create(dir)?;
    let mut output = Output::new(file, privacy.obfuscator(), most);
    output.write(MAGIC)?;
    output.write(&header_of(metadata, session, start.0, privacy.addresses, claims)?)?;
    for line in &opening {
        output.line(line)?;
    }
    drop(opening);
    while let Some(line) = reading.line()? {
        output.line(&line)?;
    }
    let (_, length, lines) = output.finish()?;
    Ok(Prepared { session, start, part, length, lines, left_out: reading.left_out, torn: reading.torn })
}

/// When a dump's session began: as its header says, else as its first line does, whose time is no delta. Of a time that cannot be
/// one, a day's folder and an age would follow, and by its age a dump is removed.
fn start_of(metadata: RawValue<'_>, first: &str, now: UnixMillis) -> Option<UnixMillis> {
    let is_sensible = |start: &i64| is_sensible(*start, now);
    let of_header = metadata.get("startTime").and_then(RawValue::as_i64).filter(is_sensible);
    let of_line = || Line::parse(first).ok().map(|line| line.delta() as i64).filter(is_sensible);
    of_header.or_else(of_line).map(UnixMillis)
}

/// Whether a session may have begun then.
pub(super) fn is_sensible(start: i64, now: UnixMillis) -> bool {
    (EARLIEST..now.0.saturating_add(LATEST)).contains(&start)
}

/// The same dump gets the same id every time; like others, it begins with the session's start.
fn name_of(header: &str, opening: &[String], start: i64) -> SessionId {
    let name = Uuid::new_v5(&NAMES, format!("{header}\n{}", opening.join("\n")).as_bytes());
    let mut random = [0; 10];
    random.copy_from_slice(name.as_bytes().first_chunk::<10>().unwrap_or(&[0; 10]));
    let millis = u64::try_from(start).unwrap_or_default();
    SessionId(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

/// The header as the spool needs it; members that are not the spool's stay as they are.
fn header_of(
    metadata: RawValue<'_>,
    session: SessionId,
    start: i64,
    hides: bool,
    claims: Option<&Claims>,
) -> Result<String, ImportError> {
    let text = |name| metadata.get(name).and_then(RawValue::as_str).unwrap_or_default();
    let dialect = Dialect::of_name(&text("clientProtocol")).unwrap_or(Dialect::Rtcstats5);
    let addresses = metadata.get("remoteAddresses").filter(|addresses| addresses.kind() == Kind::Array);
    let hide = |address: RawValue<'_>| {
        let mut written = String::new();
        match address.as_str() {
            Some(address) if hides => write_string(&mut written, &obfuscate_address(&address)),
            _ => written.push_str(address.text()),
        }
        written
    };
    let addresses: Vec<String> = addresses.into_iter().flat_map(RawValue::elements).map(hide).collect();
    let mut url = String::new();
    // Other servers keep what their clients prove themselves with.
    write_string(&mut url, &without_tokens(&text("url")));
    let mut ours = vec![
        ("fileFormat", FILE_FORMAT.to_string()),
        ("url", url),
        ("startTime", start.to_string()),
        ("remoteAddresses", format!("[{}]", addresses.join(","))),
        ("clientProtocol", format!("\"{}\"", dialect.name())),
        ("session", format!("\"{session}\"")),
    ];
    let mut taken: Vec<&str> = ours.iter().map(|(name, _)| *name).collect();
    if let Some(claims) = claims {
        for (name, claim) in [("user", &claims.user), ("conference", &claims.conference)] {
            taken.push(name);
            if let Some(claim) = claim {
                let mut written = String::new();
                write_string(&mut written, claim);
                ours.push((name, written));
            }
        }
    }
    let mut header = String::new();
    for (name, value) in &ours {
        header.push_str(if header.is_empty() { "{" } else { "," });
        header.push_str(&format!("\"{name}\":{value}"));
    }
    for (name, value) in metadata.members().filter(|(name, _)| !taken.contains(&&**name)) {
        header.push(',');
        write_string(&mut header, &name);
        header.push(':');
        header.push_str(value.text());
    }
    header.push('}');
    let raw = RawValue::parse(&header).map_err(|error| ImportError::Dump(error.into()))?;
    if Origin::from_metadata(raw).is_none() {
        return Err(ImportError::Dump(DumpError::NoMetadata));
    }
    Ok(header)
}

struct Reading<R: BufRead> {
    dump: DumpReader<R>,
    left_out: u64,
    torn: Option<DumpError>,
}

impl<R: BufRead> Reading<R> {
    /// The next text that is a line.
    fn line(&mut self) -> Result<Option<String>, ImportError> {
        while let Some(next) = self.dump.next_line() {
            match next {
                Ok(text) => match Line::parse(text) {
                    Ok(line) => return Ok(Some(line.text().to_owned())),
                    Err(_) => self.left_out += 1,
                },
                Err(error @ (DumpError::Read { .. } | DumpError::SecondDump { .. })) => self.torn = Some(error),
                Err(DumpError::TooLong { limit }) => return Err(ImportError::TooLong(limit)),
                Err(_) => self.left_out += 1,
            }
        }
        Ok(None)
    }
}

/// A text that is written line by line.
pub(super) struct Output {
    file: BufWriter<File>,
    obfuscator: Option<Obfuscator>,
    /// As many bytes as it may have.
    most: u64,
    length: u64,
    lines: u64,
}

impl Output {
    /// One of at most `most` bytes, whose addresses are hidden by `obfuscator`.
    pub(super) fn new(file: File, obfuscator: Option<Obfuscator>, most: u64) -> Self {
        Self { file: BufWriter::new(file), obfuscator, most, length: 0, lines: 0 }
    }

    /// The file with all of it, how long it is, and how many lines it has.
    pub(super) fn finish(self) -> io::Result<(File, u64, u64)> {
        Ok((self.file.into_inner().map_err(io::IntoInnerError::into_error)?, self.length, self.lines))
    }

    fn write(&mut self, line: &str) -> Result<(), ImportError> {
        self.length += line.len() as u64 + 1;
        // What is read has the same limit, but may grow on the way: a dump of Jitsi's is translated.
        if self.length > self.most {
            return Err(ImportError::TooLong(self.most));
        }
        self.file.write_all(line.as_bytes())?;
        self.file.write_all(b"\n")?;
        Ok(())
    }

    /// The next line, which was written before.
    pub(super) fn again(&mut self, line: &Line<'_>) -> Result<(), ImportError> {
        self.lines += 1;
        if let Some(obfuscator) = &mut self.obfuscator {
            obfuscator.rewrite(line, &mut String::new());
        }
        self.write(line.text())
    }

    /// The next line.
    pub(super) fn line(&mut self, text: &str) -> Result<(), ImportError> {
        self.lines += 1;
        let (Some(obfuscator), Ok(line)) = (&mut self.obfuscator, Line::parse(text)) else { return self.write(text) };
        let mut hidden = String::new();
        obfuscator.line(&line, &mut hidden);
        self.write(&hidden)
    }
}

/// Removes what imports that were cut short left behind.
pub(crate) fn clean_up(data_dir: &Path) -> io::Result<()> {
    match std::fs::read_dir(data_dir.join("import")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        entries => {
            for entry in entries? {
                match std::fs::remove_file(entry?.path()) {
                    // A tool that runs beside this one takes its own away.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    result => result?,
                }
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_dump_without_an_id_gets_the_same_one_every_time_and_another_dump_another() {
        let name = |header: &str, line: &str| name_of(header, &[line.to_owned()], 1_795_159_383_861);
        let id = name("{}", "[1,null,2,3]");
        assert_eq!(id, name("{}", "[1,null,2,3]"));
        assert_ne!(id, name("{}", "[1,null,2,4]"));
        assert_eq!(id.0.get_version_num(), 7);
    }

    #[test]
    fn a_start_that_can_be_none_is_that_of_the_first_line_or_none() {
        let (now, then) = (1_795_159_383_861, 1_795_000_000_000);
        let start = |header: &str, line: &str| start_of(RawValue::parse(header).unwrap(), line, UnixMillis(now));
        let line = format!("[39,null,{{}},{then}]");
        assert_eq!(start(&format!("{{\"startTime\":{}}}", then - 5), &line), Some(UnixMillis(then - 5)));
        for wrong in ["0", "-1", "1795000000", "9223372036854775807", "1e300", "\"today\"", "null", "1795959383861"] {
            let header = format!("{{\"startTime\":{wrong}}}");
            assert_eq!(start(&header, &line), Some(UnixMillis(then)), "{wrong}");
            assert_eq!(start(&header, "[39,null,{},5]"), None, "{wrong}");
            assert_eq!(start(&header, "[39,null,{},1e15]"), None, "{wrong}");
        }
    }

    #[test]
    fn any_header_that_is_json_is_one_and_its_members_stay_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let deep = format!("{}1{}", "[".repeat(126), "]".repeat(126));
        let others = format!("\"half\":\"\\ud800\",\"large\":1e999,\"long\":{},\"deep\":{deep}", "7".repeat(400));
        let dump = format!(
            "RTCStatsDump\n{{\"fileFormat\":3,{others},\"remoteAddresses\":[1e999,\"192.0.2.7\"],\"url\":\"\\ud800\"}}\n\
             [39,null,{{}},1795159383861]\n"
        );
        let prepared = prepare(dump.as_bytes(), dir.path(), &Config::default().privacy, None, None).unwrap();
        let text = std::fs::read_to_string(&prepared.part.0).unwrap();
        let header = text.lines().nth(1).unwrap();
        assert!(header.contains(&others) && header.contains("[1e999,\"192.0.2.x\"]"), "{header}");
        assert!(Origin::from_metadata(RawValue::parse(header).unwrap()).is_some());
    }

    #[test]
    fn what_is_torn_or_no_line_costs_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let dump = "RTCStatsDump\n{\"fileFormat\":3,\"room\":\"a\",\"remoteAddresses\":[\"192.0.2.7\"]}\n\
             [39,null,{},1795159383861]\nnonsense\n[20,\"PC_0\",{\"address\":\"192.0.2.7\"},1]\n[36,nul";
        let prepared = prepare(dump.as_bytes(), dir.path(), &Config::default().privacy, None, None).unwrap();
        assert_eq!((prepared.lines, prepared.left_out), (2, 2));
        let text = std::fs::read_to_string(&prepared.part.0).unwrap();
        assert_eq!(text.len() as u64, prepared.length);
        assert!(text.ends_with("[39,null,{},1795159383861]\n[20,\"PC_0\",{\"address\":\"192.0.2.x\"},1]\n"), "{text}");
        let header = RawValue::parse(text.lines().nth(1).unwrap()).unwrap();
        let origin = Origin::from_metadata(header).unwrap();
        assert_eq!(origin.start_time, UnixMillis(1_795_159_383_861));
        assert_eq!(origin.remote_address.as_deref(), Some("192.0.2.x"));
        assert_eq!(header.get("room").and_then(RawValue::as_str).as_deref(), Some("a"));
        drop(prepared);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "what nobody takes is removed");
    }
}
