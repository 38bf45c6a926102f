//! Verification of an image, a run or a file: what is found, whether each thing is valid, and the
//! verdict.

use windlass_core::key::PublicKey;
use windlass_core::verify::Expected;

use self::report::Report;

pub(crate) mod blob;
pub(crate) mod file;
pub(crate) mod image;
pub(crate) mod report;
pub(crate) mod run;

/// What is asked of everything that is found.
pub(crate) struct Asked {
    pub(crate) key: PublicKey,
    pub(crate) expected: Expected,
}

impl Asked {
    /// Whether only an attestation can answer.
    fn needs_attestation(&self) -> bool {
        let Expected {
            predicate_type,
            subject: _,
            provenance,
        } = &self.expected;
        predicate_type.is_some() || provenance.is_asked_for()
    }

    fn report(&self, target: String, digest: Option<String>) -> Report {
        Report::new(target, digest, &self.key)
    }
}
