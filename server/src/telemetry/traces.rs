//! Traces by OTLP, where the settings name who takes them. What is worth a span is slow: a request, a socket from its welcome to its
//! close, the storing of a session and each step of that. Lines and frames have none. Without a receiver no span exists.

use std::time::Duration;

use anyhow::{Context, bail};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use crate::config;

/// The target of every span: nobody else has an interest in them.
pub(crate) const TARGET: &str = "rtctrace::trace";
/// Where a receiver takes traces, unless its URL has a path.
const PATH: &str = "/v1/traces";
/// How long one batch may take to be sent.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a stop waits for the last batch.
const LAST_MOMENTS: Duration = Duration::from_secs(2);

/// The way to the receiver of spans. What cannot be sent is dropped: a batch waits in memory of a fixed size.
#[derive(Debug)]
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// Opens it, if the settings name a receiver. Threads of its own send; this must not be called by one of tokio's.
    pub(crate) fn open(settings: &config::Traces) -> anyhow::Result<Option<Self>> {
        if settings.endpoint.is_empty() {
            return Ok(None);
        }
        let context = || {
            format!(
                "traces.endpoint is `{}`; write for example http://127.0.0.1:4318",
                config::masked(&settings.endpoint)
            )
        };
        let mut url = Url::parse(&settings.endpoint).with_context(context)?;
        if !matches!(url.scheme(), "http" | "https") {
            bail!(context());
        }
        if url.path() == "/" {
            url.set_path(PATH);
        }
        let client = reqwest::blocking::Client::builder().timeout(TIMEOUT).build().context("cannot speak HTTP")?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(url)
            .with_timeout(TIMEOUT)
            .build()
            .with_context(context)?;
        // OTEL_RESOURCE_ATTRIBUTES and OTEL_TRACES_SAMPLER are read by the library.
        let mut resource = Resource::builder();
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("rtctrace");
        }
        Ok(Some(Self(
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build(),
        )))
    }

    /// Sends what is left.
    pub(crate) fn close(self) {
        if let Err(error) = self.0.shutdown_with_timeout(LAST_MOMENTS) {
            tracing::warn!("the last spans were not sent: {error}");
        }
    }
}

/// What makes traces of spans.
pub(super) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(traces: &Traces) -> impl Layer<S> + use<S> {
    let tracer = traces.0.tracer("rtctrace");
    let is_ours = filter_fn(|metadata| metadata.target() == TARGET).with_max_level_hint(Level::INFO);
    tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false).with_filter(is_ours)
}
