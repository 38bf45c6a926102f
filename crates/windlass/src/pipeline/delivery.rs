//! How a pass over one artifact went, note by note.

use std::collections::BTreeSet;
use std::sync::Arc;

use windlass_core::config::{LogNeed, StoreKind};
use windlass_core::retry::Retry;
use windlass_core::signed::Signed;

use super::means::Means;
use crate::log::LogError;
use crate::sign::SignError;
use crate::store::{Put, StoreError};

/// Why a step of the flow did not succeed for an artifact.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    /// It is not signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Its signature has no entry in the log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A store does not have it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StepError {
    pub(super) fn retry(&self) -> Retry {
        match self {
            Self::Sign(error) => error.retry(),
            Self::Log(error) => error.retry(),
            Self::Store(error) => error.retry(),
        }
    }
}

/// How one pass over one artifact went: every step that is enabled has a note.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// The artifact, once it is signed.
    pub(super) signed: Option<Arc<Signed>>,
    /// Signing or logging failed.
    pub(super) failed: Option<StepError>,
    /// Why it has no entry in the log, where it is stored without one.
    pub(super) unlogged: Option<LogError>,
    /// Hosts of registries, and of the log, that it goes to in a later pass.
    pub(super) postponed: BTreeSet<String>,
    /// What each store says.
    pub(super) notes: Vec<(StoreKind, Result<Put, StoreError>)>,
    /// What people should know.
    pub(super) warnings: Vec<String>,
}

impl Delivery {
    /// Notes that it is not signed, which ends the pass over it.
    pub(super) fn without_signature(mut self, error: SignError) -> Self {
        self.failed = Some(error.into());
        self
    }

    /// Notes how it went with the entry in the log, and whether stores wait for it.
    pub(super) fn note_entry(
        &mut self,
        logged: Result<Option<String>, LogError>,
        means: Means<'_>,
    ) -> bool {
        let error = match logged {
            Ok(None) => return false,
            Ok(Some(host)) => return self.postponed.insert(host),
            Err(error) => error,
        };
        match means.config.transparency.need {
            // what is stored elsewhere is stored for good, with its entry
            LogNeed::Required => {
                self.failed = Some(error.into());
                means.log.is_on()
            }
            LogNeed::Deferred => {
                self.failed = Some(error.into());
                false
            }
            LogNeed::BestEffort => {
                self.unlogged = Some(error);
                false
            }
        }
    }
}
