//! Telemetry of the controller: log lines, metrics and health.

pub use self::health::{Health, Part};
pub(crate) use self::logging::{LogFormat, log_to_stderr};
pub use self::metrics::Metrics;
pub(crate) use self::server::{serve_health, serve_metrics};

mod health;
mod logging;
mod metrics;
mod server;
