//! What a vault says when it refuses, in words that say what to do. Its own words are not repeated.

use serde::Deserialize;

use crate::service::http::Answer;
use crate::sign::kms::cloud::Login;
use crate::sign::kms::error::KmsError;
use crate::sign::kms::operation::Operation;

const ELSEWHERE: &str = "check the vault and the name, and the version if there is one";

#[derive(Deserialize)]
struct Refusal {
    error: Code,
}

#[derive(Deserialize, Default)]
struct Code {
    #[serde(default)]
    code: String,
    #[serde(rename = "innererror")]
    inner: Option<Box<Code>>,
}

impl Code {
    /// The innermost, which says most.
    fn innermost(&self) -> &str {
        match &self.inner {
            Some(inner) if !inner.code.is_empty() => inner.innermost(),
            _ => &self.code,
        }
    }
}

/// What a refusal means.
pub(super) fn error(operation: &Operation, answer: &Answer, login: Login<'_>) -> KmsError {
    let read: Option<Refusal> = serde_json::from_slice(&answer.body).ok();
    let code = read.map(|read| read.error).unwrap_or_default();
    match (answer.status, code.innermost()) {
        (401, _) => login.refused(
            "the vault does not accept the token; check that the identity is of the vault's own tenant, \
             and that AZURE_ENVIRONMENT names its cloud",
        ),
        (403, "ForbiddenByFirewall" | "ForbiddenByConnection") => operation.denied_without(
            "this address in the firewall of the vault, or reach it by its private endpoint",
        ),
        (403, "KeyDisabled" | "KeyOperationForbidden") => operation.unusable(
            "it is disabled, expired or not for signing; see `az keyvault key show`",
        ),
        (403, _) => operation.denied(),
        (404, _) => operation.missing(ELSEWHERE),
        (400, _) => operation.unusable(
            "the vault does not sign with it so; use a key of type EC or RSA with the operation `sign`",
        ),
        _ => answer.failure(&operation.doing).into(),
    }
}
