//! Verification of an image, a run or a file: what was found, whether each thing is valid, and the
//! verdict.

use windlass_core::key::PublicKey;
use windlass_core::verify::Expected;
use windlass_registry::Repository;

pub(crate) mod blob;
mod claims;
mod error;
pub(crate) mod file;
mod identity;
pub(crate) mod image;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod sealed;
mod signer;
mod subject;

pub(crate) use self::error::VerifyError;
use self::report::Requirement;
pub(crate) use self::signer::ExpectedSigner;
pub(crate) use self::subject::Subject;

/// What everything that is found is compared with.
pub(crate) struct VerifyRequest {
    /// Who has to have signed it.
    pub(crate) signer: ExpectedSigner,
    /// What an attestation has to say.
    pub(crate) expected: Expected,
    /// The repository of the image that it has to name.
    pub(crate) identity: Option<Repository>,
    /// What an image signature has to be annotated with, by name.
    pub(crate) annotations: Vec<(String, String)>,
    /// Whether the digest of an image has to be the one that was signed.
    pub(crate) checks_subject: bool,
    /// Whether the mark of a run has to be sealed.
    pub(crate) seal: SealRule,
}

/// What is expected of the seal of a run's mark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SealRule {
    /// It is valid if there is one: Chains writes none.
    #[default]
    IfPresent,
    /// There is one.
    Required,
}

impl VerifyRequest {
    /// Anything that a key signed.
    pub(crate) fn of_key(key: &PublicKey) -> Self {
        Self::of(ExpectedSigner::of_key(key))
    }

    /// Anything that somebody signed.
    pub(crate) fn of(signer: ExpectedSigner) -> Self {
        Self {
            signer,
            identity: None,
            expected: Expected::default(),
            annotations: Vec::new(),
            checks_subject: true,
            seal: SealRule::IfPresent,
        }
    }

    /// What can satisfy it: an image signature, as for cosign, unless it is about what an
    /// attestation says.
    pub(crate) fn requirement(&self) -> Requirement {
        let Expected {
            predicate_type,
            subject: _,
            provenance,
        } = &self.expected;
        if predicate_type.is_some() || provenance.is_asked_for() {
            Requirement::Attestation
        } else {
            Requirement::Signature
        }
    }
}
