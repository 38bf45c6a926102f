//! The writes to a run, and how they end.

use bytes::Bytes;
use windlass_core::annotation;
use windlass_core::run::Metadata;

use super::reconcile::{Outcome, Pass, Reconciler, SETTLED, later};
use super::record::{self, Change};
use crate::cluster::call::{APPLY_PATCH, Call, CallError, MERGE_PATCH};
use crate::cluster::runs::{RunId, escaped};

impl Reconciler {
    /// Adds the finalizer.
    pub(super) async fn protect(&self, id: &RunId, metadata: &Metadata<'_>) -> Pass {
        let manager = escaped(annotation::FINALIZER_FIELD_MANAGER);
        let uri = format!("{}?fieldManager={manager}&force=false", id.path());
        let body = record::finalizer_apply(id.kind, metadata);
        let call = Call::patch(format!("protect {id}"), uri, APPLY_PATCH, body);
        Written::from(call.send(&self.client).await).into_pass()
    }

    /// Makes a change, unless the run is no longer what the change was made from.
    pub(super) async fn write(&self, id: &RunId, change: &Change) -> Written {
        let manager = escaped(annotation::FIELD_MANAGER);
        let uri = format!("{}?fieldManager={manager}", id.path());
        let call = Call::patch(format!("record {id}"), uri, MERGE_PATCH, change.body());
        Written::from(call.send(&self.client).await)
    }
}

/// How a write ended.
pub(super) enum Written {
    Done,
    /// The run is gone.
    Gone,
    /// The run is not what it was.
    Changed,
    /// The run would be larger than the API server allows, which no repetition changes.
    TooLarge(String),
    Failed(CallError),
}

impl From<Result<Bytes, CallError>> for Written {
    fn from(answer: Result<Bytes, CallError>) -> Self {
        let Err(error) = answer else {
            return Self::Done;
        };
        let CallError::Refused {
            status, message, ..
        } = &error
        else {
            return Self::Failed(error);
        };
        let lower = message.to_lowercase();
        match status {
            404 => Self::Gone,
            409 => Self::Changed,
            422 if lower.contains("uid") && lower.contains("immutable") => Self::Gone,
            413 | 422 | 500 if lower.contains("too long") || lower.contains("too large") => {
                Self::TooLarge(error.to_string())
            }
            _ => Self::Failed(error),
        }
    }
}

impl Written {
    /// What is left to do when nothing depends on how the write ended.
    pub(super) fn into_pass(self) -> Pass {
        match self {
            Self::Done | Self::Gone => SETTLED,
            Self::Changed => Pass::Changed,
            Self::TooLarge(reason) => {
                tracing::error!("{reason}");
                Pass::End(Outcome::Later { after: None })
            }
            Self::Failed(error) => Pass::End(later(error)),
        }
    }
}
