//! Takes the mark off a run, so that the controller signs it again.
//!
//! What is stored stays until the controller replaces it. Only a run that carries a mark is written:
//! every other finished run is signed without being asked to.

use kube::Client;
use windlass_core::annotation;
use windlass_core::json::Flaw;

use super::record::{self, Change, WriteError};
use crate::cluster::call::{Call, CallError};
use crate::cluster::runs::{Head, RunId};

/// How often in a row a run is read again because it changed.
const CONFLICTS: usize = 5;

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resigned {
    /// The mark is off.
    Unmarked,
    /// There was no mark.
    NotMarked,
    /// The run is gone.
    Gone,
}

/// Why a mark could not be taken off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResignError {
    /// The API server refused or did not respond.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The object is something else.
    #[error("cannot read {run}: the API server sent something that is not a run")]
    Malformed { run: String, source: Flaw },
    /// Somebody else writes the run all the time.
    #[error("cannot take the mark off {0}: it changed {CONFLICTS} times meanwhile; try again")]
    Contended(String),
    /// The write would make the run too large, which taking something off never does.
    #[error("{0}")]
    Refused(String),
}

/// Takes the mark off this run. A run that was deleted and made anew under the same name is another
/// one, and stays as it is.
pub(crate) async fn resign(client: &Client, id: &RunId) -> Result<Resigned, ResignError> {
    for _ in 0..CONFLICTS {
        let call = Call::get(format!("read {id}"), id.path());
        let object = match call.send(client).await {
            Ok(object) => object,
            Err(error) if error.status() == Some(404) => return Ok(Resigned::Gone),
            Err(error) => return Err(error.into()),
        };
        let Head { metadata } =
            serde_json::from_slice(&object).map_err(|source| ResignError::Malformed {
                run: id.to_string(),
                source: source.into(),
            })?;
        if *metadata.uid != *id.uid {
            return Ok(Resigned::Gone);
        }
        if metadata.annotation(annotation::SIGNED).is_none() {
            return Ok(Resigned::NotMarked);
        }
        match record::write(client, id, &Change::unmarked(&metadata)).await {
            Ok(()) => return Ok(Resigned::Unmarked),
            Err(WriteError::Changed) => {}
            Err(WriteError::Gone) => return Ok(Resigned::Gone),
            Err(WriteError::TooLarge(reason)) => return Err(ResignError::Refused(reason)),
            Err(WriteError::Failed(error)) => return Err(error.into()),
        }
    }
    Err(ResignError::Contended(id.to_string()))
}
