//! What AWS KMS says when it refuses, in words that say what to do. Its own words are not repeated.

use serde::Deserialize;

use crate::service::http::Answer;
use crate::sign::kms::cloud::Login;
use crate::sign::kms::error::KmsError;
use crate::sign::kms::operation::Operation;

/// Why a key does not sign that somebody has disabled.
pub(super) const DISABLED: &str = "it is disabled; enable it with `aws kms enable-key`";
const STATE: &str = "its state does not allow it; it may be disabled, to be deleted or without key \
                     material, see `aws kms describe-key`";
const USAGE: &str = "its usage or algorithm is not for this; create a key with --key-usage \
                     SIGN_VERIFY --key-spec ECC_NIST_P256";
const ELSEWHERE: &str = "check the name, and the region: set AWS_REGION to the key's, or write the \
                         key as an ARN";

/// What helps at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The same request, a little later.
    Patience,
    /// The same request with credentials that were issued anew.
    NewCredentials,
}

#[derive(Deserialize)]
struct Refusal {
    /// The name of the error, which may follow a namespace and `#`.
    #[serde(rename = "__type")]
    kind: String,
    #[serde(alias = "Message", default)]
    message: String,
}

impl Refusal {
    fn of(body: &[u8]) -> Option<Self> {
        // most responses are of success
        let mut read: Self = serde_json::from_slice(body).ok()?;
        if let Some((_, name)) = read.kind.rsplit_once('#') {
            read.kind = name.to_owned();
        }
        Some(read)
    }

    /// A clock that is wrong shows in nothing but the message.
    fn is_of_the_clock(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "RequestExpired" | "RequestTimeTooSkewed"
        ) || self.message.starts_with("Signature expired")
            || self.message.starts_with("Signature not yet current")
    }
}

/// What helps at once, if anything does.
pub(super) fn remedy(body: &[u8]) -> Option<Remedy> {
    match Refusal::of(body)?.kind.as_str() {
        "ThrottlingException"
        | "Throttling"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "LimitExceededException"
        | "KMSInternalException"
        | "DependencyTimeoutException"
        | "KeyUnavailableException"
        | "ServiceUnavailableException"
        | "InternalFailure" => Some(Remedy::Patience),
        "ExpiredTokenException" | "ExpiredToken" => Some(Remedy::NewCredentials),
        _ => None,
    }
}

/// What a refusal means.
pub(super) fn error(operation: &Operation, answer: &Answer, login: Login<'_>) -> KmsError {
    let Some(refusal) = Refusal::of(&answer.body) else {
        return answer.failure(&operation.doing).into();
    };
    if refusal.is_of_the_clock() {
        return operation.failed(
            "the clock of this machine is wrong by more than five minutes, so that AWS takes the \
             request for an old one; set the clock",
        );
    }
    match refusal.kind.as_str() {
        "AccessDeniedException" | "AccessDenied" => operation.denied(),
        "NotFoundException" | "InvalidArnException" => operation.missing(ELSEWHERE),
        "DisabledException" => operation.unusable(DISABLED),
        "KMSInvalidStateException" => operation.unusable(STATE),
        "InvalidKeyUsageException" | "UnsupportedOperationException" => operation.unusable(USAGE),
        "InvalidSignatureException" | "SignatureDoesNotMatch" | "IncompleteSignature" => login.refused(
            "AWS does not accept the signature of the request; check the secret access key, and that \
             no proxy changes requests",
        ),
        "UnrecognizedClientException" | "InvalidClientTokenId" | "MissingAuthenticationToken" => {
            login.refused("AWS does not know the access key, or not in this partition")
        }
        "ExpiredTokenException" | "ExpiredToken" => login.refused("the session has ended"),
        "ThrottlingException" | "Throttling" | "TooManyRequestsException"
        | "RequestLimitExceeded" | "LimitExceededException" => operation.failed(
            "AWS limits the requests of this account for now; ask for a higher quota if this goes on",
        ),
        "KeyUnavailableException" => {
            operation.failed("the key is not available for now; it is tried again")
        }
        _ => answer.failure(&operation.doing).into(),
    }
}
