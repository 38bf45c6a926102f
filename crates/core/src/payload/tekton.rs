//! The format `tekton`: the run's `status` as compact JSON.
//!
//! Releases of Tekton Chains that had this format wrote the status in the form of their Go type.
//! Here it is written as Tekton stored it, complete and with sorted members, so that it can be
//! compared with the status in the cluster.
//!
//! The signature is over bare JSON, as those of images are, and with the same key. A status with a
//! member by which such documents are told apart is therefore not signed at all: whoever may write
//! the status of a run could else have the signature of any image made.

use serde_json::value::RawValue;

use super::error::PayloadError;
use crate::json::Json;
use crate::run::Run;

/// Members by which image signatures, statements and envelopes are recognised, without regard to case.
const RESERVED: [&str; 7] = [
    "critical",
    "_type",
    "payloadtype",
    "payload",
    "signatures",
    "predicatetype",
    "predicate",
];

pub(super) fn bytes(run: &Run<'_>) -> Result<Vec<u8>, PayloadError> {
    let status = run.raw().status.map_or("{}", RawValue::get);
    let status = Json::parse(status).map_err(|source| PayloadError::Copy {
        part: "status",
        source,
    })?;
    if let Json::Object(members) = &status
        && let Some((member, _)) = members.iter().find(|(name, _)| is_reserved(name))
    {
        let member = member.to_string();
        return Err(PayloadError::Ambiguous { member });
    }
    Ok(status.to_sorted().into_bytes())
}

/// Whether a reader may take a member for a reserved one. Programs in Go, such as cosign, ignore
/// case.
fn is_reserved(name: &str) -> bool {
    if name.is_ascii() {
        return RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name));
    }
    // as Unicode folds case: `ſ` is an `s`
    let folded = name.to_uppercase().to_lowercase();
    RESERVED.contains(&folded.as_str())
}
