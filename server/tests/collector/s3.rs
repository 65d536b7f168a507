//! Dumps in a real S3 API, which checks signatures: right, wrong and expired credentials, an outage, removal, retention.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::S3ServiceBuilder;
use s3s::{S3Result, s3_error};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::*;

const KEY: &str = "AKIDRTCTRACE";
const SECRET: &str = "the-secret-of-the-store";
const BUCKET: &str = "calls";

/// What the server knows of the one key.
#[derive(Clone, Copy)]
enum Standing {
    Valid,
    Expired,
}

#[derive(Clone)]
struct Auth(Arc<Mutex<Standing>>);

#[async_trait]
impl S3Auth for Auth {
    async fn get_secret_key(&self, key: &str) -> S3Result<SecretKey> {
        match *self.0.lock().unwrap() {
            _ if key != KEY => Err(s3_error!(InvalidAccessKeyId)),
            Standing::Expired => Err(s3_error!(ExpiredToken)),
            Standing::Valid => Ok(SecretKey::from(SECRET)),
        }
    }
}

/// An S3 server over a folder, which can go away and come back at its address.
struct Store {
    dir: tempfile::TempDir,
    address: String,
    standing: Arc<Mutex<Standing>>,
    server: Option<tokio::task::JoinHandle<()>>,
    /// While it is true, requests for dumps get no answer.
    hangs: watch::Sender<bool>,
    /// How many of these wait.
    waiting: Arc<AtomicUsize>,
}

impl Store {
    async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(BUCKET)).unwrap();
        let standing = Arc::new(Mutex::new(Standing::Valid));
        let (hangs, waiting) = (watch::Sender::new(false), Arc::default());
        let mut store = Self { dir, address: "127.0.0.1:0".to_owned(), standing, server: None, hangs, waiting };
        store.start().await;
        store
    }

    async fn start(&mut self) {
        let listener = TcpListener::bind(&self.address).await.unwrap();
        self.address = listener.local_addr().unwrap().to_string();
        let mut service = S3ServiceBuilder::new(FileSystem::new(self.dir.path()).unwrap());
        service.set_auth(Auth(Arc::clone(&self.standing)));
        let service = service.build();
        let (hangs, waiting) = (self.hangs.subscribe(), Arc::clone(&self.waiting));
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let (service, mut hangs, waiting) = (service.clone(), hangs.clone(), Arc::clone(&waiting));
            async move {
                let uri = request.uri();
                // What is to be removed stands in the body.
                if uri.path().ends_with(".gz") || uri.query().is_some_and(|query| query.starts_with("delete")) {
                    waiting.fetch_add(1, Ordering::Relaxed);
                    let _ = hangs.wait_for(|hangs| !hangs).await;
                    waiting.fetch_sub(1, Ordering::Relaxed);
                }
                service.call(request.map(s3s::Body::from)).await
            }
        });
        self.server = Some(tokio::spawn(async move {
            // With the task go its connections.
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = service.clone();
                connections.spawn(async move {
                    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
                });
            }
        }));
    }

    async fn stop(&mut self) {
        let server = self.server.take().unwrap();
        server.abort();
        let _ = server.await;
    }

    fn expire(&self, standing: Standing) {
        *self.standing.lock().unwrap() = standing;
    }

    fn settings(&self, secret: &str) -> [(&'static str, String); 5] {
        [
            ("RTCTRACE_STORAGE_URL", format!("s3://{BUCKET}/eu/west")),
            ("RTCTRACE_STORAGE_ENDPOINT", format!("http://{}", self.address)),
            ("RTCTRACE_STORAGE_REGION", "eu-west-1".to_owned()),
            ("RTCTRACE_STORAGE_ACCESS_KEY_ID", KEY.to_owned()),
            ("RTCTRACE_STORAGE_SECRET_ACCESS_KEY", secret.to_owned()),
        ]
    }

    fn collector(&self, secret: &str, more: &[(&str, &str)]) -> Collector {
        let settings = self.settings(secret);
        let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
        Collector::start(&[&settings[..], more].concat())
    }

    /// Waits until a request for a dump hangs.
    async fn hung(&self) {
        until("a request hangs", async || (self.waiting.load(Ordering::Relaxed) > 0).then_some(())).await;
    }

    /// The files of the bucket that are dumps.
    fn dumps(&self) -> Vec<PathBuf> {
        let (mut found, mut folders) = (Vec::new(), vec![self.dir.path().join(BUCKET)]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "gz") {
                    found.push(path);
                }
            }
        }
        found
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

async fn record(collector: &Collector, lines: &[String]) -> String {
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    for chunk in lines.chunks(1000) {
        socket.send(chunk.join("\n")).await;
    }
    socket.send("[36,null,null,1]").await;
    socket.acknowledged(lines.len() + 1).await;
    session
}

async fn failures(collector: &Collector) -> f64 {
    collector.metric("rtctrace_store_failures_total{store=\"objects\"}").await
}

#[tokio::test]
async fn a_dump_is_put_read_back_and_deleted() {
    let store = Store::open().await;
    let collector = store.collector(SECRET, &[]);
    let lines = lines(5);
    let session = record(&collector, &lines).await;
    assert_eq!(collector.dump(&session).await.1[..5], lines);
    let dumps = store.dumps();
    assert_eq!(dumps.len(), 1);
    let under = dumps[0].strip_prefix(store.dir.path().join(BUCKET)).unwrap();
    assert!(under.starts_with("eu/west"), "{}", under.display());
    assert!(under.ends_with(format!("{session}.jsonl.gz")));

    let path = format!("/api/v1/sessions/{session}");
    assert_eq!(collector.request("DELETE", &path, "", "").await.status, 204);
    assert!(store.dumps().is_empty());
    collector.get(&path).await.problem(404, "unknown-session");
    collector.request("DELETE", &path, "", "").await.problem(404, "unknown-session");
    for table in ["sessions", "features_client", "features_connection", "features_track", "stats_inbound_rtp"] {
        assert!(collector.query(&format!("SELECT * FROM {table}")).await.is_empty(), "{table}");
    }
    assert_eq!(collector.metric("rtctrace_sessions_removed_total{reason=\"request\"}").await, 1.0);
}

#[tokio::test]
async fn a_session_that_runs_is_not_deleted() {
    let collector = Collector::start(&[]);
    let session = new_session();
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines(1).join("\n")).await;
    socket.acknowledged(1).await;
    let answer = collector.request("DELETE", &format!("/api/v1/sessions/{session}"), "", "").await;
    answer.problem(409, "session-running");
    assert!(collector.spool(&session).exists());
}

#[tokio::test]
async fn a_large_dump_goes_up_in_parts() {
    let store = Store::open().await;
    let collector = store.collector(SECRET, &[("RTCTRACE_LIMITS_RATE", "off")]);
    let mut state = 7_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state
    };
    let lines: Vec<String> = (0..22_000)
        .map(|_| {
            format!("[\":noise\",null,\"{}\",1]", (0..64).map(|_| format!("{:016x}", noise())).collect::<String>())
        })
        .collect();
    let session = record(&collector, &lines).await;
    assert!(collector.dump(&session).await.1[..lines.len()] == lines[..]);
    assert!(collector.stored(&session).await["dumpBytes"].as_u64().unwrap() > 8 << 20);
}

#[tokio::test]
async fn with_wrong_or_expired_credentials_nothing_is_lost() {
    let store = Store::open().await;
    let mut collector = store.collector("another-secret", &[]);
    let lines = lines(3);
    let session = record(&collector, &lines).await;
    until("the refusal is counted", async || (failures(&collector).await >= 2.0).then_some(())).await;
    assert!(store.dumps().is_empty() && collector.spool(&session).exists());

    // The operator mends the setting.
    collector.stop();
    store.expire(Standing::Expired);
    collector.set("RTCTRACE_STORAGE_SECRET_ACCESS_KEY", SECRET);
    collector.restart();
    until("the refusal is counted", async || (failures(&collector).await >= 1.0).then_some(())).await;
    assert!(collector.spool(&session).exists());

    store.expire(Standing::Valid);
    assert_eq!(collector.dump(&session).await.1[..3], lines);
    assert!(!collector.spool(&session).exists());
    let log = std::fs::read_to_string(collector.dir.path().join("log")).unwrap();
    assert!(!log.contains(SECRET) && !log.contains("another-secret"));
}

#[tokio::test]
async fn an_outage_ends_with_every_line_stored_once() {
    let mut store = Store::open().await;
    let collector = store.collector(SECRET, &[]);
    let lines = lines(4);
    let before = record(&collector, &lines).await;
    collector.stored(&before).await;
    store.stop().await;
    let mut sessions = Vec::new();
    for _ in 0..6 {
        sessions.push(record(&collector, &lines).await);
    }
    until("the outage is counted", async || (failures(&collector).await >= 6.0).then_some(())).await;
    assert_eq!(store.dumps().len(), 1);
    store.start().await;
    for session in &sessions {
        assert_eq!(collector.dump(session).await.1[..4], lines);
    }
    assert_eq!(store.dumps().len(), 7);
}

#[tokio::test]
async fn what_is_older_than_it_may_be_goes_dumps_first() {
    let store = Store::open().await;
    let settings = [("RTCTRACE_RETENTION_DUMPS", "1d"), ("RTCTRACE_RETENTION_SESSIONS", "30d")];
    let mut collector = store.collector(SECRET, &settings);
    let mut sessions = Vec::new();
    for days in [0_i64, 2, 40] {
        let session = record(&collector, &lines(2)).await;
        collector.stored(&session).await;
        sessions.push((session, days));
    }
    collector.stop();
    let mut database = collector.database().await;
    for (session, days) in &sessions {
        let sql = "UPDATE sessions SET start_time = start_time - ? WHERE id = ?";
        sqlx::query(sql).bind(days * 86_400_000).bind(session).execute(&mut database).await.unwrap();
    }
    drop(database);
    collector.restart();
    until("the oldest is gone", async || (collector.sessions().await.len() == 2).then_some(())).await;
    until("an old dump is gone", async || (store.dumps().len() == 1).then_some(())).await;
    assert!(store.dumps()[0].ends_with(format!("{}.jsonl.gz", sessions[0].0)));
    let old = format!("/api/v1/sessions/{}", sessions[1].0);
    until("its row says so", async || collector.get(&old).await.json()["dumpBytes"].is_null().then_some(())).await;
    collector.get(&format!("{old}/dump")).await.problem(404, "unknown-session");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_that_is_reprocessed_is_fetched_before_the_database_is_locked() {
    let store = Store::open().await;
    let collector = store.collector(SECRET, &[]);
    let session = record(&collector, &lines(3)).await;
    collector.stored(&session).await;
    let reprocess = || {
        let (dir, settings) = (collector.dir.path().to_owned(), store.settings(SECRET));
        tokio::task::spawn_blocking(move || {
            run(&dir, &["reprocess"], &settings.each_ref().map(|(name, value)| (*name, value.as_str())))
        })
    };
    let mut database = collector.database().await;
    sqlx::raw_sql("PRAGMA busy_timeout = 0").execute(&mut database).await.unwrap();

    store.hangs.send_replace(true);
    let tool = reprocess();
    store.hung().await;
    // Its client comes back at this moment.
    sqlx::raw_sql("UPDATE sessions SET state = 'live'").execute(&mut database).await.unwrap();
    store.hangs.send_replace(false);
    let (success, _, errors) = tool.await.unwrap();
    assert!(!success && errors.contains("changed while the dump was fetched"), "{errors}");
    assert_eq!(collector.session(&session).await["state"], "live");

    sqlx::raw_sql("UPDATE sessions SET state = 'ended'; DELETE FROM features_client")
        .execute(&mut database)
        .await
        .unwrap();
    let (success, printed, errors) = reprocess().await.unwrap();
    assert!(success && printed == "1 sessions reprocessed\n", "{errors}");
    assert_eq!(collector.query("SELECT 1 FROM features_client").await.len(), 1);
    assert!(std::fs::read_dir(collector.dir.path().join("import")).unwrap().next().is_none(), "nothing is left behind");
}

#[tokio::test]
async fn a_store_that_hangs_is_told_before_its_requests_fail() {
    let store = Store::open().await;
    let collector = store.collector(SECRET, &[]);
    let objects = async || {
        let ready = collector.get("/readyz").await;
        (ready.status, ready.json()["stores"]["objects"].as_str().unwrap().to_owned())
    };
    store.hangs.send_replace(true);
    let session = record(&collector, &lines(3)).await;
    store.hung().await;
    assert_eq!(objects().await, (200, "ok".to_owned()));
    until("it is slow", async || (objects().await == (200, "slow".to_owned())).then_some(())).await;
    assert_eq!(failures(&collector).await, 0.0);
    store.hangs.send_replace(false);
    assert_eq!(collector.dump(&session).await.1[..3], lines(3));
    assert_eq!(objects().await, (200, "ok".to_owned()));
}

#[tokio::test]
async fn a_client_that_comes_back_while_its_session_is_removed_finds_nothing_of_it() {
    let store = Store::open().await;
    let collector = store.collector(SECRET, &[("RTCTRACE_SESSION_RESUME_GRACE", "100ms")]);
    let (session, lines) = (new_session(), lines(4));
    let (mut socket, _) = collector.v1(&session, 0).await;
    socket.send(lines[..3].join("\n")).await;
    socket.acknowledged(3).await;
    socket.close().await;
    collector.dump(&session).await;

    store.hangs.send_replace(true);
    let path = format!("/api/v1/sessions/{session}");
    let removal = collector.request("DELETE", &path, "", "");
    let back = async {
        store.hung().await;
        let attempt = collector.v1(&session, 3);
        let mut attempt = std::pin::pin!(attempt);
        assert!(tokio::time::timeout(Duration::from_millis(500), &mut attempt).await.is_err(), "it waits");
        assert_eq!(store.waiting.load(Ordering::Relaxed), 1, "nothing is fetched meanwhile");
        store.hangs.send_replace(false);
        attempt.await
    };
    let (answer, (mut socket, received)) = tokio::join!(removal, back);
    assert_eq!((answer.status, received), (204, 0));
    socket.send(format!("{}\n[36,null,null,1]", lines[3])).await;
    socket.acknowledged(2).await;
    assert_eq!(collector.dump(&session).await.1[0], lines[3]);
    assert_eq!(store.dumps().len(), 1);
}
