//! What runs are signed, logged and stored with, and how far.

use tokio::time::Instant;
use windlass_core::config::Config;

use crate::log::Log;
use crate::sign::signers::Signers;
use crate::store::oci::Oci;
use crate::telemetry::Metrics;

/// What runs are signed, logged and stored with.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    pub(crate) config: &'a Config,
    pub(crate) signers: Signers<'a>,
    pub(crate) log: &'a Log,
    pub(crate) registries: &'a Oci,
    pub(crate) metrics: &'a Metrics,
    pub(crate) reach: Reach,
}

/// How far a pass takes what it signs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reach {
    /// To the run itself: no registry and no log is asked for anything, so that nothing waits for one.
    Run,
    /// To the log and the registries as well, until this time.
    Registries(Instant),
}

impl Reach {
    /// When registries and the log are given up.
    pub(super) fn until(self) -> Instant {
        match self {
            Self::Run => Instant::now(),
            Self::Registries(until) => until,
        }
    }
}
