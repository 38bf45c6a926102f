//! Why a service could not be asked. Nothing that a service says is repeated: it may be anybody, and
//! others read what is told.

use std::time::Duration;

use windlass_core::retry::Retry;

/// A service was not reached, or failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {doing}: {why}")]
pub(crate) struct ServiceError {
    /// What was to be done, to what.
    pub(crate) doing: String,
    /// Why it failed.
    pub(crate) why: String,
    /// When the service asks to be called again.
    pub(crate) after: Option<Duration>,
    /// Whether there was no response at all.
    pub(crate) is_silent: bool,
}

impl ServiceError {
    /// What was to be done failed, and the service does not say when to ask again.
    pub(crate) fn new(doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            doing: doing.into(),
            why: why.into(),
            after: None,
            is_silent: false,
        }
    }

    /// When the same can succeed.
    pub(crate) fn retry(&self) -> Retry {
        self.after.map_or(Retry::Backoff, Retry::After)
    }
}
