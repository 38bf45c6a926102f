//! The format `tekton`: the run's `status` as compact JSON.
//!
//! Releases of the reference that had this format wrote the status as the Go type of their time
//! had it. Here it is written as Tekton stored it, complete, with sorted members, so that it can be
//! compared with what the cluster shows.

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
