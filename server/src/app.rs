//! The collector as a whole: how it starts, what its parts share, how it stops.

use std::fs::File;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};

use crate::access::{Access, Addresses, watch};
use crate::config::{self, Config};
use crate::geo::Geo;
use crate::ingest::Unfinished;
use crate::listener::{Listener, Rules, SoraListener, Tls, TlsFiles, bind};
use crate::process;
use crate::router::router;
use crate::session::{self, Registry, Stores};
use crate::spool::{self, Spool};
use crate::store::database::Database;
use crate::store::objects::Objects;
use crate::store::queue::DatabaseQueue;
use crate::store::removal;
use crate::telemetry;

/// Rows of an entry so far apart give a minute one or two of them, or none.
const TOO_FEW_ROWS: Duration = Duration::from_secs(30);
/// So long the start waits for the spool to be read.
const RECOVERY_FIRST: Duration = Duration::from_secs(2);
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
    pub(crate) stores: Arc<Stores>,
    /// Renders the metrics.
    pub(crate) metrics: Metrics,
    /// Turns true when the collector stops.
    pub(crate) stopping: Stopping,
    /// Decides who may send and who may read.
    pub(crate) access: Arc<Access>,
    /// Places for uploads of dumps.
    pub(crate) uploads: Arc<Semaphore>,
    /// Places for exports.
    pub(crate) exports: Arc<Semaphore>,
    /// Places for streams that go on.
    pub(crate) followers: Arc<Semaphore>,
    /// What lies in memory of messages that have not ended.
    pub(crate) unfinished: Arc<Unfinished>,
    /// Knows where clients are.
    pub(crate) geo: Option<Arc<Geo>>,
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

#[cfg(any(test, feature = "fuzzing"))]
impl App {
    /// One without a listener, over an empty spool or one of which nothing is read yet; and what stops it.
    pub(crate) fn unheard(
        config: Arc<Config>,
        stores: Arc<Stores>,
        access: Arc<Access>,
    ) -> std::io::Result<(Self, watch::Sender<bool>)> {
        let (stop, stopping) = watch::channel(false);
        let stopping = Stopping(stopping);
        let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle();
        let spool = Spool::open(&config)?;
        let registry =
            Registry::new(Arc::clone(&config), Arc::clone(&stores), spool, stopping.clone(), Addresses::uncounted());
        let (uploads, exports) = (places(config.limits.uploads), places(config.limits.exports));
        let followers = places(config.limits.followers);
        let (metrics, unfinished) = (Metrics(metrics), Unfinished::new(&config.limits));
        Ok((
            Self {
                config,
                registry,
                stores,
                metrics,
                stopping,
                access,
                uploads,
                exports,
                followers,
                unfinished,
                geo: None,
            },
            stop,
        ))
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

/// For whom a request is made: its peer's address, or the one that a trusted proxy names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

/// Runs the collector until a signal stops it.
pub(crate) async fn serve(config: Config) -> anyhow::Result<()> {
    config::check(&config)?;
    let config = Arc::new(config);
    // Before anything is touched: a wrong address should not leave a data directory behind.
    let access = Arc::new(Access::open(&config)?);
    let tls = Tls::open(TlsFiles::of_all(&config.tls))?;
    let geo = Geo::open(&config.geo)?.map(Arc::new);
    let (listener, addresses) = bind(&config, &access).await?;
    let sora = SoraListener::bind(&config).await?;
    let addresses = access.addresses(&config, &addresses);
    std::fs::create_dir_all(config.spool_dir())
        .with_context(|| format!("cannot create the spool {}", config.spool_dir().display()))?;
    let _lock = lock(&config.data_dir)?;
    let metrics = telemetry::install_metrics()?;
    if let Some(lack) = process::lack_of_files(process::file_limit(), &config) {
        tracing::warn!("{lack}");
    }
    if config.stats.enabled && config.stats.interval.0 >= TOO_FEW_ROWS && config.database_url()?.starts_with("postgres")
    {
        tracing::warn!("stats.interval is so long that the views by minutes see little or nothing of a call");
    }
    session::clean_up(&config.data_dir).context("cannot remove what an import left behind")?;
    let database = Database::open_or_wait(&config.database_url()?, config.limits.query_time.0).await?;
    let stores = over(&config, database)?;
    let (stop, stopping) = watch::channel(false);
    let stopping = Stopping(stopping);
    let spool = Spool::open(&config).context("cannot open the spool")?;
    let registry = Registry::new(Arc::clone(&config), Arc::clone(&stores), spool, stopping.clone(), addresses);
    let recovering = registry.clone();
    let mut recovery = tokio::spawn(async move { session::recover(&recovering).await });
    // A small spool is read before anybody is answered; a large one must not keep clients waiting at the door.
    if let Ok(done) = tokio::time::timeout(RECOVERY_FIRST, &mut recovery).await {
        done.context("the recovery of the spool panicked")??;
    } else {
        tracing::info!("the spool is large; clients are served while it is read");
        tokio::spawn(async move {
            if let Ok(Err(error)) = recovery.await {
                tracing::error!("the spool could not be read: {error:#}");
            }
        });
    }

    tokio::spawn(session::keep_collectors(registry.clone()));
    tokio::spawn(session::keep_looking_for_lost(registry.clone()));
    tokio::spawn(session::follow(registry.clone()));
    tokio::spawn(session::tell_changes(registry.clone()));
    tokio::spawn(removal::retain(registry.clone(), config.retention.clone()));
    let (upkeep, sessions) = (metrics.clone(), registry.clone());
    let (objects, queue) = (stores.objects.clone(), stores.queue.clone());
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            let (count, longest) = sessions.backlog();
            telemetry::backlog(count, longest);
            telemetry::storage_wait(objects.longest_wait());
            telemetry::stats_oldest(queue.oldest());
            upkeep.run_upkeep();
        }
    });
    let watched = access.watched().into_iter().chain(tls.as_ref().map(Tls::watched));
    let watched = watched.chain(geo.as_deref().map(Geo::watched));
    tokio::spawn(watch(watched.chain(sora.iter().flat_map(SoraListener::watched)).collect()));
    let address = listener.local_addr().context("the listener has no address")?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    // Who starts the collector on port 0 reads the addresses here. Nothing else is on standard output.
    let mut told = format!("rtctrace listening on {scheme}://{address}/\n");
    if let Some(sora) = &sora {
        told += &format!("rtctrace listening for Sora on {}\n", sora.url()?);
    }
    let (limits, deadline) = (config.limits.clone(), config.shutdown.deadline.0);
    let app = App {
        config,
        registry,
        stores: Arc::clone(&stores),
        metrics: Metrics(metrics),
        stopping,
        access: Arc::clone(&access),
        uploads: places(limits.uploads),
        exports: places(limits.exports),
        followers: places(limits.followers),
        unfinished: Unfinished::new(&limits),
        geo,
    };
    let sora = sora.map(|sora| sora.serve(app.clone()));
    let listener = Listener::new(listener, router(app), access, tls, Rules::of_all(&limits));
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;

    std::io::stdout().write_all(told.as_bytes()).context("cannot print the address")?;
    let for_sora = async {
        match &sora {
            Some(sora) => sora.accept().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = listener.accept() => {}
        () = for_sora => {}
        _ = terminate.recv() => tracing::info!("stopping: SIGTERM"),
        _ = interrupt.recv() => tracing::info!("stopping: SIGINT"),
    }

    stop.send_replace(true);
    let closed = async {
        match sora {
            Some(sora) => {
                tokio::join!(listener.close(), sora.close());
            }
            None => listener.close().await,
        }
    };
    if tokio::time::timeout(deadline, closed).await.is_err() {
        tracing::warn!("some connections did not close in time");
    }
    if tokio::time::timeout(deadline, settle(&stores)).await.is_err() {
        tracing::warn!("the database did not settle in time; the next start writes what is missing from the spool");
    }
    Ok(())
}

/// So many places, or as many as there can be.
pub(crate) fn places(number: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(number.min(Semaphore::MAX_PERMITS)))
}

/// Opens the stores, for a tool that needs all of them.
pub(crate) async fn open(config: &Config) -> anyhow::Result<Arc<Stores>> {
    over(config, Database::open(&config.database_url()?).await?)
}

fn over(config: &Config, database: Database) -> anyhow::Result<Arc<Stores>> {
    let objects = Objects::open(config)?;
    let collector = spool::collector_of(&config.data_dir).context("cannot tell which collector this is")?;
    let (queue, writer) = DatabaseQueue::new(database.clone(), config.stats.queue_bytes.0, collector);
    tokio::spawn(writer.run());
    Ok(Arc::new(Stores { database, objects, queue }))
}

/// Writes what is on its way to the database, and closes it.
pub(crate) async fn settle(stores: &Stores) {
    stores.queue.settle().await;
    stores.database.close().await;
}

/// What a tool needs to store sessions where no collector runs; no collector starts while the lock is held.
pub(crate) async fn offline(config: Config) -> anyhow::Result<(Registry, File)> {
    config::check(&config)?;
    std::fs::create_dir_all(config.spool_dir())
        .with_context(|| format!("cannot create the spool {}", config.spool_dir().display()))?;
    let lock = lock(&config.data_dir)?;
    session::clean_up(&config.data_dir).context("cannot remove what an import left behind")?;
    let stores = open(&config).await?;
    // Nothing stops but the process.
    let (_, stopping) = watch::channel(false);
    let spool = Spool::open(&config).context("cannot open the spool")?;
    Ok((Registry::new(Arc::new(config), stores, spool, Stopping(stopping), Addresses::uncounted()), lock))
}

/// One collector per data directory: two would write each other's spool files.
fn lock(data_dir: &Path) -> anyhow::Result<File> {
    let path = data_dir.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    file.try_lock().with_context(|| format!("another collector uses the data directory {}", data_dir.display()))?;
    Ok(file)
}
