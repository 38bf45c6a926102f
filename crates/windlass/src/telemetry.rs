//! Telemetry of the controller: log lines, metrics and health.

pub(crate) use self::address::{Address, MetricsPlace, PortError};
pub(crate) use self::circuits::{Circuits, OpenCircuit};
pub(crate) use self::failure::{Failure, Reason, Stage};
pub use self::health::{Detail, Health, Part};
pub(crate) use self::logging::{Level, LogFormat, LogLevel, log_to_stderr};
pub use self::metrics::Metrics;
pub(crate) use self::server::{serve_health, serve_metrics};
pub(crate) use self::tls::Tls;
pub(crate) use self::traces::Traces;

mod address;
mod circuits;
mod failure;
mod health;
mod logging;
mod metrics;
#[cfg(test)]
pub(crate) mod recorded;
mod server;
mod tls;
mod traces;
