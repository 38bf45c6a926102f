//! What Google Cloud KMS says when it refuses, in words that say what to do. Its own words are not
//! repeated.

use serde::Deserialize;

use super::operation::ALGORITHM;
use crate::service::http::Answer;
use crate::sign::kms::cloud::Login;
use crate::sign::kms::error::KmsError;
use crate::sign::kms::operation::Operation;

const STATE: &str = "it is not enabled, or its purpose is not asymmetric-signing; enable it with \
                     `gcloud kms keys versions enable`, or name another version or key";
const ELSEWHERE: &str = "check project, location, key ring and key; a key in another location is \
                         another key";

#[derive(Deserialize)]
struct Refusal {
    error: Status,
}

/// `google.rpc.Status`.
#[derive(Deserialize, Default)]
struct Status {
    #[serde(default)]
    status: String,
    #[serde(default)]
    details: Vec<Detail>,
}

/// `google.rpc.ErrorInfo`, or another of which nothing is read.
#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    reason: String,
}

/// What a refusal means.
pub(super) fn error(operation: &Operation, answer: &Answer, login: Login<'_>) -> KmsError {
    let read: Option<Refusal> = serde_json::from_slice(&answer.body).ok();
    let status = read.map(|read| read.error).unwrap_or_default();
    let has = |reason: &str| status.details.iter().any(|detail| detail.reason == reason);
    if has("SERVICE_DISABLED") {
        return operation.denied_without(
            "the use of the API to the project: `gcloud services enable cloudkms.googleapis.com`",
        );
    }
    if has("ACCESS_TOKEN_SCOPE_INSUFFICIENT") {
        return operation.denied_without(
            "the scope https://www.googleapis.com/auth/cloud-platform to the node, or use Workload \
             Identity",
        );
    }
    match (answer.status, status.status.as_str()) {
        (401, _) => login.refused("Google does not accept the token; check the credentials"),
        (403, _) => operation.denied(),
        (404, _) => operation.missing(ELSEWHERE),
        (400, "FAILED_PRECONDITION") => operation.unusable(STATE),
        (400, "INVALID_ARGUMENT") => operation.unusable(ALGORITHM),
        _ => answer.failure(&operation.doing).into(),
    }
}
