//! The collector as a process of its own, and what a test needs to talk to it: sockets, requests, its files.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Map, Value};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{Column as _, Connection as _, Row as _, TypeInfo as _, ValueRef as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::postgres::TestDatabase;

pub(crate) const V1: &str = "rtctrace.v1";
pub(crate) const RTCSTATS: &str = "rtcstats#5.0";

const ANY_PORT: &str = "127.0.0.1:0";

/// A running collector over a data directory of its own.
pub(crate) struct Collector {
    child: Child,
    pub(crate) address: String,
    /// Where it listens for Sora; empty if it does not.
    pub(crate) sora: String,
    pub(crate) dir: tempfile::TempDir,
    settings: Vec<(String, String)>,
    wrapper: Option<String>,
    flags: Vec<String>,
    /// Where its rows are, unless they are in its data directory. It goes after the collector.
    pub(crate) server: Option<TestDatabase>,
}

/// What names the database in its settings.
pub(crate) const DATABASE_URL: &str = "RTCTRACE_DATABASE_URL";
/// A setting that takes the words of every frame from the log.
pub(crate) const QUIET: &str = "RTCTRACE_TEST_QUIET";

impl Collector {
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        Self::over(tempfile::tempdir().unwrap(), settings, None, ANY_PORT, &[])
    }

    /// Starts it at another address, with further flags.
    pub(crate) fn start_at(listen: &str, flags: &[&str], settings: &[(&str, &str)]) -> Self {
        Self::over(tempfile::tempdir().unwrap(), settings, None, listen, flags)
    }

    /// Starts it from a shell that runs `prelude` first: to take away what a process may use.
    pub(crate) fn start_after(prelude: &str, settings: &[(&str, &str)]) -> Self {
        Self::over(tempfile::tempdir().unwrap(), settings, Some(prelude), ANY_PORT, &[])
    }

    /// Starts it over a data directory that has been prepared.
    pub(crate) fn start_in(dir: tempfile::TempDir, settings: &[(&str, &str)]) -> Self {
        Self::over(dir, settings, None, ANY_PORT, &[])
    }

    fn over(
        dir: tempfile::TempDir,
        settings: &[(&str, &str)],
        prelude: Option<&str>,
        listen: &str,
        flags: &[&str],
    ) -> Self {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let mut settings: Vec<(String, String)> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let is_told = settings.iter().any(|(name, _)| name == DATABASE_URL);
        let server = (crate::ON_POSTGRES && !is_told).then(TestDatabase::new_blocking);
        settings.extend(server.iter().map(|server| (DATABASE_URL.to_owned(), server.url.clone())));
        let wrapper = prelude.map(|prelude| format!("{prelude}; exec \"$0\" \"$@\""));
        let (child, address, sora) = spawn(dir.path(), &settings, wrapper.as_deref(), listen, &flags);
        Self { child, address, sora, dir, settings, wrapper, flags, server }
    }

    /// SIGKILL: what a crash looks like.
    pub(crate) fn crash(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM: what an operator's stop looks like. Says how long it took.
    pub(crate) fn stop(&mut self) -> Duration {
        let asked = Instant::now();
        let status = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
        assert!(self.child.wait().unwrap().success(), "it stops without an error");
        asked.elapsed()
    }

    /// Starts it again over the same data.
    pub(crate) fn restart(&mut self) {
        self.restart_at(ANY_PORT);
    }

    /// The same, at the address where its clients look for it.
    pub(crate) fn restart_at(&mut self, listen: &str) {
        (self.child, self.address, self.sora) =
            spawn(self.dir.path(), &self.settings, self.wrapper.as_deref(), listen, &self.flags);
    }

    /// Changes a setting for the next start.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// The number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn spool(&self, session: &str) -> PathBuf {
        self.dir.path().join("spool").join(format!("{session}.jsonl"))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "", "").await
    }

    /// One request by HTTP/1.0, so that the body ends with the connection.
    pub(crate) async fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        self.request_bytes(method, path, headers, body.as_bytes()).await
    }

    pub(crate) async fn request_bytes(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.0\r\nHost: test\r\nContent-Length: {length}\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // A body that is refused may not be read to its end.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        Answer::parse(&answer)
    }

    /// The value of a metric, labels and all; 0 if it was never counted.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.text();
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or(0.0)
    }

    pub(crate) async fn sessions(&self) -> Vec<Value> {
        self.get("/api/v1/sessions").await.json()["sessions"].as_array().unwrap().clone()
    }

    pub(crate) async fn session(&self, id: &str) -> Value {
        self.get(&format!("/api/v1/sessions/{id}")).await.json()
    }

    /// The session once it is stored.
    pub(crate) async fn stored(&self, id: &str) -> Value {
        until("the session is stored", async || {
            let session = self.session(id).await;
            (session["dumpBytes"].is_u64()).then_some(session)
        })
        .await
    }

    /// The stored dump, decompressed: its header and its lines.
    pub(crate) async fn dump(&self, id: &str) -> (Value, Vec<String>) {
        self.stored(id).await;
        // The spool's text is shown until it is gone, which is the very last step.
        let answer = until("the stored dump is shown", async || {
            let answer = self.get(&format!("/api/v1/sessions/{id}/dump")).await;
            (answer.header("content-type") == "application/gzip").then_some(answer)
        })
        .await;
        split_dump(&gunzip(answer.body.as_slice()))
    }

    /// The rows of a query as JSON, as far as the database knows its kinds of values.
    pub(crate) async fn query(&self, sql: &str) -> Vec<Map<String, Value>> {
        let Some(server) = &self.server else {
            let rows = sqlx::query(sql).fetch_all(&mut self.database().await).await.unwrap();
            return rows.iter().map(json_row).collect();
        };
        let mut database = PgConnection::connect(&server.url).await.unwrap();
        let sql = format!("SELECT to_jsonb(q)::text FROM ({sql}) q");
        let rows = sqlx::query_scalar::<_, String>(&sql).fetch_all(&mut database).await.unwrap();
        rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
    }

    /// Its file of SQLite.
    pub(crate) async fn database(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.dir.path().join("rtctrace.db"));
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    pub(crate) async fn socket(&self, path: &str, protocol: &str) -> Socket {
        Socket::open(&self.address, path, protocol).await.unwrap()
    }

    /// A socket of rtctrace.v1, and what its welcome says.
    pub(crate) async fn v1(&self, session: &str, from: usize) -> (Socket, u64) {
        let mut socket = self.socket(&format!("/v1/ws?session={session}&from={from}"), V1).await;
        let welcome: Value = serde_json::from_str(&socket.text().await).unwrap();
        assert_eq!(welcome["type"], "welcome");
        (socket, welcome["received"].as_u64().unwrap())
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default());
        }
    }
}

fn json_row(row: &SqliteRow) -> Map<String, Value> {
    let cell = |column: &sqlx::sqlite::SqliteColumn| {
        let (at, raw) = (column.ordinal(), row.try_get_raw(column.ordinal()).unwrap());
        let value = match raw.type_info().name() {
            _ if raw.is_null() => Value::Null,
            "INTEGER" => Value::from(row.get::<i64, _>(at)),
            "REAL" => Value::from(row.get::<f64, _>(at)),
            _ => Value::from(row.get::<String, _>(at)),
        };
        (column.name().to_owned(), value)
    };
    row.columns().iter().map(cell).collect()
}

fn spawn(
    dir: &Path,
    settings: &[(String, String)],
    wrapper: Option<&str>,
    listen: &str,
    flags: &[String],
) -> (Child, String, String) {
    let binary = env!("CARGO_BIN_EXE_rtctrace");
    let mut command = match wrapper {
        None => Command::new(binary),
        Some(script) => {
            let mut command = Command::new("sh");
            command.args(["-c", script, binary]);
            command
        }
    };
    let log = std::fs::File::options().create(true).append(true).open(dir.join("log")).unwrap();
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RTCTRACE_")) {
        command.env_remove(name);
    }
    let mut child = command
        .args(["serve", "--listen", listen, "--data-dir"])
        .arg(dir)
        // What is measured does not tell of every frame.
        .args((!settings.iter().any(|(name, _)| name == QUIET)).then_some("--verbose"))
        .args(flags)
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut address = |what: &str| {
        let line = output.next().map_or(String::new(), Result::unwrap);
        let Some((_, address)) = line.strip_prefix(what).and_then(|url| url.split_once("://")) else {
            let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
            panic!("the collector did not start: {line:?}\n{log}");
        };
        address.trim_end_matches('/').replace("0.0.0.0", "127.0.0.1")
    };
    let all = address("rtctrace listening on ");
    let listens = settings.iter().any(|(name, _)| name == "RTCTRACE_SORA_LISTEN");
    let sora = if listens { address("rtctrace listening for Sora on ") } else { String::new() };
    (child, all, sora)
}

/// Runs the program to its end over a data directory: whether it succeeded, and what it wrote to both outputs.
pub(crate) fn run(dir: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtctrace"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RTCTRACE_")) {
        command.env_remove(name);
    }
    command.args(arguments).envs(variables.iter().copied()).env("RTCTRACE_DATA_DIR", dir).current_dir(dir);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer has a head");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let pairs = lines.map(|line| line.split_once(": ").unwrap());
        let headers = pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Self { status, headers, body: bytes[end + 4..].to_vec() }
    }

    /// One that a client of hyper's got; `None` if it has no end.
    pub(crate) async fn of(response: hyper::Response<hyper::body::Incoming>) -> Option<Self> {
        let (head, body) = response.into_parts();
        let pairs = head.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let (status, headers) = (head.status.as_u16(), pairs.collect());
        let body = http_body_util::BodyExt::collect(body).await.ok()?.to_bytes().to_vec();
        Some(Self { status, headers, body })
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Asserts on a problem document and returns its detail.
    pub(crate) fn problem(&self, status: u16, kind: &str) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:rtctrace:problem:{kind}"));
        assert_eq!(problem["status"], status);
        assert_eq!(self.status, status);
        assert!(problem["title"].is_string());
        problem["detail"].as_str().unwrap().to_owned()
    }
}

/// A client's socket.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn open(address: &str, path: &str, protocol: &str) -> Result<Self, Error> {
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        request.headers_mut().insert("origin", HeaderValue::from_static("http://app.example"));
        request.headers_mut().insert(
            "user-agent",
            HeaderValue::from_static("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"),
        );
        if !protocol.is_empty() {
            request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_str(protocol).unwrap());
        }
        Ok(Self(connect_async(request).await?.0))
    }

    pub(crate) async fn send(&mut self, text: impl Into<String>) {
        self.0.send(Message::text(text.into())).await.unwrap();
    }

    /// Sends what may be refused on the way.
    pub(crate) async fn try_send(&mut self, message: Message) {
        let _ = self.0.send(message).await;
    }

    /// The next text frame.
    pub(crate) async fn text(&mut self) -> String {
        match self.next().await {
            Some(Message::Text(text)) => text.to_string(),
            other => panic!("no text frame but {other:?}"),
        }
    }

    async fn next(&mut self) -> Option<Message> {
        loop {
            let message = tokio::time::timeout(Duration::from_secs(60), self.0.next()).await.expect("a frame in time");
            match message {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Waits until so many lines are acknowledged.
    pub(crate) async fn acknowledged(&mut self, count: usize) {
        loop {
            let ack: Value = serde_json::from_str(&self.text().await).unwrap();
            assert_eq!(ack["type"], "ack");
            let received = ack["received"].as_u64().unwrap();
            assert!(received <= count as u64, "{received} of {count} lines are acknowledged");
            if received == count as u64 {
                return;
            }
        }
    }

    /// The next acknowledgement's number; `None` if the socket is gone.
    pub(crate) async fn try_ack(&mut self) -> Option<u64> {
        match self.next().await? {
            Message::Text(text) => serde_json::from_str::<Value>(&text).unwrap()["received"].as_u64(),
            _ => None,
        }
    }

    /// The next text frame as JSON; `None` if the socket is gone.
    pub(crate) async fn try_json(&mut self) -> Option<Value> {
        match self.next().await? {
            Message::Text(text) => serde_json::from_str(&text).ok(),
            _ => None,
        }
    }

    /// The collector's close code and reason; frames before it are passed over, the last acknowledgement is returned.
    pub(crate) async fn closed(&mut self) -> (u16, String, Option<u64>) {
        let mut last = None;
        loop {
            match self.next().await {
                Some(Message::Close(Some(frame))) => return (frame.code.into(), frame.reason.to_string(), last),
                Some(Message::Text(text)) => last = serde_json::from_str::<Value>(&text).unwrap()["received"].as_u64(),
                Some(Message::Close(None)) => return (1005, String::new(), last),
                Some(_) => {}
                None => return (1006, String::new(), last),
            }
        }
    }

    /// The same for a socket that the collector may have closed already.
    pub(crate) async fn close_or_lost(mut self) {
        let _ = self.0.close(None).await;
        while let Some(Ok(_)) = self.0.next().await {}
    }

    /// Closes without a code, as a page that goes away does, and waits for the answer.
    pub(crate) async fn close(mut self) {
        self.0.close(None).await.unwrap();
        while let Some(Ok(_)) = self.0.next().await {}
    }
}

/// A file system of its own, as large as the test wants.
pub(crate) struct Mount(PathBuf);

impl Mount {
    pub(crate) fn tmpfs(path: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let size = format!("size={size}");
        let output = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(path).output();
        if output.as_ref().is_ok_and(|output| output.status.success()) {
            return Some(Self(path.to_owned()));
        }
        eprintln!("skipped: this test mounts a small tmpfs, which is not permitted here: {output:?}");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Waits for what will be true soon.
pub(crate) async fn until<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(value) = attempt().await {
            return value;
        }
        assert!(Instant::now() < deadline, "{what}: not in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn recording(name: &str) -> (Value, Vec<String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/recordings").join(name);
    split_dump(&std::fs::read_to_string(path).unwrap())
}

/// A recording that ends with its client's end.
pub(crate) fn whole_recording() -> Vec<String> {
    let (_, mut lines) = recording("loopback-av-60s.jsonl");
    *lines.last_mut().unwrap() = "[36,null,null,110]".to_owned();
    lines
}

pub(crate) fn split_dump(text: &str) -> (Value, Vec<String>) {
    assert!(text.ends_with('\n'), "the last line is whole");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("RTCStatsDump"));
    let metadata = serde_json::from_str(lines.next().unwrap()).unwrap();
    (metadata, lines.map(str::to_owned).collect())
}

pub(crate) fn new_session() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// The most that a process has had in memory, in KiB; `None` if it is over.
pub(crate) fn highest_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}

/// What gzip makes of it.
pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// What a gzip file holds.
pub(crate) fn gunzip(packed: impl Read) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    text
}

/// The first line of a session of its own making, then `count` more.
pub(crate) fn lines(count: usize) -> Vec<String> {
    let first = format!("[\":line\",null,0,{}]", 1_795_159_383_861_i64);
    std::iter::once(first).chain((1..count).map(|n| format!("[\":line\",null,{n},10]"))).collect()
}
