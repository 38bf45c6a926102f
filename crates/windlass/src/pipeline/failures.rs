//! What failed in a pass over one artifact, as it is counted.

use windlass_core::config::StoreKind;

use super::delivery::{Delivery, StepError};
use crate::store::StoreError;
use crate::store::oci::UploadError;
use crate::telemetry::{Failure, Reason, Stage};

impl Delivery {
    /// Each step that failed; a store as often as there are places in it that did not work.
    pub(super) fn failures(&self) -> Vec<Failure> {
        let mut failures = match &self.failed {
            None => Vec::new(),
            Some(StepError::Sign(error)) => vec![Failure::at(Stage::Sign, error.retry().into())],
            Some(StepError::Log(error)) => vec![Failure::at(Stage::Log, error.retry().into())],
            Some(StepError::Store(error)) => of_store(None, error),
        };
        if let Some(error) = &self.unlogged {
            failures.push(Failure::at(Stage::Log, error.retry().into()));
        }
        for (store, note) in &self.notes {
            if let Err(error) = note {
                failures.extend(of_store(Some(*store), error));
            }
        }
        failures
    }
}

fn of_store(store: Option<StoreKind>, error: &StoreError) -> Vec<Failure> {
    let reasons = match error {
        StoreError::Unsupported(_) => vec![Reason::Settings],
        StoreError::Oci(failures) => failures.iter().map(UploadError::reason).collect(),
    };
    let failure = |reason| Failure {
        stage: Stage::Store,
        store,
        reason,
    };
    reasons.into_iter().map(failure).collect()
}
