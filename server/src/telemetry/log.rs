//! How log lines look and where they go. What a line says of a session, it says in its field `session`.

use std::io::IsTerminal as _;

use anyhow::Context;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry::Registry;

use super::traces::{self, Traces};
use crate::config::{Log, LogFormat};

/// Log lines go to standard error; `verbose` shows what happens to every socket. Spans are not theirs but those of `traces`.
pub(crate) fn install_log(log: &Log, traces: Option<&Traces>, verbose: bool) -> anyhow::Result<()> {
    let level = if verbose { Level::DEBUG } else { Level::INFO };
    let lines = tracing_subscriber::fmt::layer().with_target(false).with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
    };
    let is_wanted = move |metadata: &Metadata<'_>| metadata.is_event() && *metadata.level() <= level;
    let lines = lines.with_filter(filter_fn(is_wanted).with_max_level_hint(level));
    let subscriber = Registry::default().with(lines).with(traces.map(traces::layer));
    tracing::subscriber::set_global_default(subscriber).context("a log is installed already")
}
