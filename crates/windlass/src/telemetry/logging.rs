//! Log lines on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt, reload};

use super::traces::Traces;

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For a person at a terminal.
    Text,
}

/// What is logged: lines of this level and those above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// The level of log lines, which may change.
#[derive(Debug)]
pub(crate) struct LogLevel {
    /// `None` if `RUST_LOG` decides.
    filter: Option<reload::Handle<EnvFilter, Registry>>,
}

impl Level {
    /// The filter for it. Only what windlass says grows with the level: libraries log the headers of
    /// requests, and with them credentials.
    fn filter(self) -> EnvFilter {
        EnvFilter::new(match self {
            Self::Debug => "info,windlass=debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        })
    }
}

impl LogLevel {
    /// Changes the level, unless `RUST_LOG` is set.
    pub(crate) fn set(&self, level: Level) {
        let Some(filter) = &self.filter else {
            tracing::info!("RUST_LOG is set; the level of the ConfigMap has no effect");
            return;
        };
        // before, since a higher level would hide it
        tracing::info!(?level, "the level of the log is set");
        if let Err(error) = filter.reload(level.filter()) {
            tracing::warn!(%error, "cannot change the level of the log");
        }
    }
}

/// Starts logging to standard error, and traces to their collector. `RUST_LOG` chooses what is logged; `info` by default, until
/// another level is set.
pub(crate) fn log_to_stderr(format: LogFormat, traces: &Traces) -> LogLevel {
    let chosen = EnvFilter::try_from_default_env().ok();
    let is_chosen = chosen.is_some();
    let (filter, handle) = reload::Layer::new(chosen.unwrap_or_else(|| Level::Info.filter()));
    let lines = fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let lines = match format {
        // as the logs of Chains, whose members are all at the top
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text => lines.with_target(false).compact().boxed(),
    };
    // a second call in one process keeps the first subscriber
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .with(traces.layer())
        .try_init();
    LogLevel {
        filter: (!is_chosen).then_some(handle),
    }
}
