//! The format `tekton`: the run's `status` as compact JSON.
//!
//! Releases of Tekton Chains that had this format wrote the status in the form of their Go type.
//! Here it is written as Tekton stored it, complete and with sorted members, so that it can be
//! compared with the status in the cluster.

use serde_json::value::RawValue;

use super::error::PayloadError;
use crate::json::Json;
use crate::run::Run;

pub(super) fn bytes(run: &Run<'_>) -> Result<Vec<u8>, PayloadError> {
    let status = run.raw().status.map_or("{}", RawValue::get);
    let status = Json::parse(status).map_err(|source| PayloadError::Copy {
        part: "status",
        source,
    })?;
    Ok(status.to_sorted().into_bytes())
}
