//! The format `tekton`: the run's `status` as compact JSON.
//!
//! Releases of the reference that had this format wrote the status as the Go type of their time
//! had it. Here it is written as Tekton stored it, complete, with sorted members, so that it can be
//! compared with what the cluster shows.

use serde_json::value::RawValue;

use super::{Format, FormatError, Payload};
use crate::json::Json;
use crate::run::Run;

pub(super) fn payload(run: &Run<'_>) -> Result<Payload, FormatError> {
    let status = run.raw().status.map_or("{}", RawValue::get);
    let status = Json::parse(status).map_err(|source| FormatError::Copy {
        part: "status",
        source,
    })?;
    Ok(Payload {
        format: Format::Tekton,
        bytes: status.to_sorted().into_bytes(),
        subjects: Vec::new(),
        warnings: Vec::new(),
    })
}
