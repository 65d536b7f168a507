//! The collector as a whole: how it starts, what its parts share, how it stops.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use metrics_exporter_prometheus::PrometheusHandle;
use rtctrace_protocol::dump::MAX_LINE;
use tokio::net::{TcpListener, lookup_host};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::config::Config;
use crate::listener::Listener;
use crate::router::router;
use crate::session::{self, Registry, Stores};
use crate::store::database::Database;
use crate::store::objects::Objects;
use crate::store::stats::StatsQueue;
use crate::telemetry;

/// What a stop waits for: sockets that close, rows on their way to the database.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);
/// How often histograms and idle metrics are tidied.
const UPKEEP: Duration = Duration::from_secs(5);

/// What requests and sockets share.
#[derive(Debug, Clone)]
pub(crate) struct App {
    /// The settings.
    pub(crate) config: Arc<Config>,
    /// The sessions that run.
    pub(crate) registry: Registry,
    /// Where sessions end.
    pub(crate) stores: Stores,
    /// Renders the metrics.
    pub(crate) metrics: Metrics,
    /// Turns true when the collector stops.
    pub(crate) stopping: Stopping,
}

/// Says when the collector stops.
#[derive(Debug, Clone)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Waits until it does.
    pub(crate) async fn wait(&mut self) {
        // The sender lives as long as the process; if it went, that would be the end, too.
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }

    /// Whether it does.
    pub(crate) fn is_now(&self) -> bool {
        *self.0.borrow()
    }
}

/// The metrics, ready to be rendered.
#[derive(Clone)]
pub(crate) struct Metrics(PrometheusHandle);

impl Metrics {
    /// Prometheus' text format.
    pub(crate) fn render(&self) -> String {
        self.0.render()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

/// The address of a request's peer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeerAddress(pub(crate) SocketAddr);

/// Runs the collector until a signal stops it.
pub(crate) async fn serve(config: Config) -> anyhow::Result<()> {
    check(&config)?;
    // Before anything is touched: a wrong address should not leave a data directory behind.
    let listener = bind(&config).await?;
    std::fs::create_dir_all(config.spool_dir())
        .with_context(|| format!("cannot create the spool {}", config.spool_dir().display()))?;
    let _lock = lock(&config.data_dir)?;
    let metrics = telemetry::install_metrics()?;

    let database = Database::open(&config.database_url()?).await?;
    let objects = Objects::open(&config.storage_url()?)?;
    let (stats, writer) = StatsQueue::new(database.clone(), config.stats.queue_bytes.0);
    tokio::spawn(writer.run());
    let stores = Stores { database, objects, stats };
    let (stop, stopping) = watch::channel(false);
    let stopping = Stopping(stopping);
    let config = Arc::new(config);
    let registry = Registry::new(Arc::clone(&config), stores.clone(), stopping.clone());
    session::recover(&registry).await?;

    let upkeep = metrics.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            upkeep.run_upkeep();
        }
    });
    let address = listener.local_addr().context("the listener has no address")?;
    let sockets = config.limits.sockets;
    let app = App { config, registry, stores: stores.clone(), metrics: Metrics(metrics), stopping };
    let listener = Listener::new(listener, router(app), sockets);
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;

    // The one line on standard output: who starts the collector on port 0 reads the address here.
    writeln!(std::io::stdout(), "rtctrace listening on http://{address}/").context("cannot print the address")?;
    tokio::select! {
        () = listener.accept() => {}
        _ = terminate.recv() => tracing::info!("stopping: SIGTERM"),
        _ = interrupt.recv() => tracing::info!("stopping: SIGINT"),
    }

    stop.send_replace(true);
    if tokio::time::timeout(STOP_TIMEOUT, listener.close()).await.is_err() {
        tracing::warn!("some connections did not close in time");
    }
    let settled = async {
        stores.stats.settle().await;
        stores.database.close().await;
    };
    if tokio::time::timeout(STOP_TIMEOUT, settled).await.is_err() {
        tracing::warn!("the database did not settle in time; the next start writes what is missing from the spool");
    }
    Ok(())
}

/// What no type of a setting can say.
fn check(config: &Config) -> anyhow::Result<()> {
    let longest = MAX_LINE as u64;
    if config.limits.line_bytes.0 > longest {
        bail!(
            "limits.line_bytes is {}; readers of dumps take lines of at most {longest} bytes",
            config.limits.line_bytes
        );
    }
    if config.session.idle_timeout.0 < Duration::from_secs(1) {
        bail!("session.idle_timeout is {}; it is at least 1s", config.session.idle_timeout);
    }
    Ok(())
}

/// Binds the listener, if it is one that the settings may open.
async fn bind(config: &Config) -> anyhow::Result<TcpListener> {
    let listen = &config.listen;
    let addresses: Vec<SocketAddr> = lookup_host(listen)
        .await
        .with_context(|| format!("listen is `{listen}`; it is an address and a port, such as 127.0.0.1:8080"))?
        .collect();
    if !config.insecure_open && !addresses.iter().all(|address| address.ip().is_loopback()) {
        bail!(
            "refusing to listen on {listen}: others can reach it, and this collector asks nobody for credentials. \
             Listen on a loopback address, or say --insecure-open if that is what you want"
        );
    }
    TcpListener::bind(addresses.as_slice()).await.with_context(|| format!("cannot listen on {listen}"))
}

/// One collector per data directory: two would write each other's spool files.
fn lock(data_dir: &Path) -> anyhow::Result<File> {
    let path = data_dir.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    file.try_lock().with_context(|| format!("another collector uses the data directory {}", data_dir.display()))?;
    Ok(file)
}
