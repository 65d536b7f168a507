//! PostgreSQL with TimescaleDB for tests: a server that `scripts/timescale.sh` provides, or the one that
//! `RTCTRACE_TEST_DATABASE_URL` names. Every test has a database of its own there. Tests beside the code use this file, too.

// Each of those who use it needs a part of it.
#![allow(dead_code)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

/// A server of its own, which goes with it.
pub(crate) struct Server {
    url: String,
    // Its end tells the script that nobody needs the server any more, however this process ends.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    script: Child,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// One that has not loaded TimescaleDB.
    pub(crate) fn plain() -> Self {
        Self::with(&[("RTCTRACE_TEST_PRELOAD", "")])
    }

    fn with(variables: &[(&str, &str)]) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/timescale.sh");
        let mut command = Command::new("bash");
        command.arg(&path).envs(variables.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut script = command.spawn().unwrap_or_else(|error| panic!("bash cannot run {}: {error}", path.display()));
        let (commands, answers) = (script.stdin.take(), BufReader::new(script.stdout.take().unwrap()));
        let mut server = Self { url: String::new(), commands, answers, script };
        server.url = server.answer();
        server
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let why = "there is no PostgreSQL with TimescaleDB for this test; what scripts/timescale.sh says stands above";
        assert!(!line.is_empty(), "{why}");
        line.trim().to_owned()
    }

    /// Tells it what to do, and waits until it is done.
    fn order(&mut self, what: &str) {
        writeln!(self.commands.as_mut().unwrap(), "{what}").unwrap();
        assert_eq!(self.answer(), what);
    }

    /// Ends it as a power cut would.
    pub(crate) fn stop(&mut self) {
        self.order("stop");
    }

    /// Starts it again over what it has.
    pub(crate) fn start_again(&mut self) {
        self.order("start");
    }

    /// A new database on it.
    pub(crate) async fn database(&self) -> TestDatabase {
        TestDatabase::on(&self.url).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.commands = None;
        let _ = self.script.wait();
    }
}

/// A database that goes with it.
pub(crate) struct TestDatabase {
    server: String,
    name: String,
    /// How it is reached.
    pub(crate) url: String,
}

impl TestDatabase {
    /// A new one on the server that all tests of this process share.
    pub(crate) async fn new() -> Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        match std::env::var("RTCTRACE_TEST_DATABASE_URL") {
            Ok(url) => Self::on(&url).await,
            Err(_) => Self::on(&SHARED.get_or_init(Server::start).url).await,
        }
    }

    /// The same for who cannot wait asynchronously.
    pub(crate) fn new_blocking() -> Self {
        std::thread::spawn(|| runtime().block_on(Self::new())).join().unwrap()
    }

    async fn on(server: &str) -> Self {
        let name = format!("rtctrace_test_{}", uuid::Uuid::now_v7().simple());
        let created = run(server, format!("CREATE DATABASE {name}")).await;
        created.unwrap_or_else(|error| panic!("the server for tests gives no database: {error}"));
        let mut url = url::Url::parse(server).unwrap();
        url.set_path(&name);
        Self { server: server.to_owned(), name, url: url.into() }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // A test's own runtime is not there to be waited for.
        let (server, drop) = (self.server.clone(), format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        let dropping = std::thread::spawn(move || {
            // A server that is gone has taken it along.
            let _ = runtime().block_on(run(&server, drop));
        });
        let _ = dropping.join();
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn run(server: &str, sql: String) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(server).await?;
    sqlx::raw_sql(&sql).execute(&mut connection).await?;
    connection.close().await
}
