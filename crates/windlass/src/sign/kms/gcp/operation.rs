//! One operation of Google Cloud KMS, and what its errors say of keys.

use crate::sign::kms::error::KmsError;

/// What is wrong with the algorithm of a version.
pub(super) const ALGORITHM: &str = "its algorithm is not for this; create a key with --purpose \
                         asymmetric-signing --default-algorithm ec-sign-p256-sha256 (also supported: \
                         ec-sign-p384-sha384, rsa-sign-pkcs1-* and rsa-sign-pss-*)";

/// One operation of the service, for one key.
pub(super) struct Operation {
    pub(super) doing: String,
    pub(super) key: String,
    pub(super) permission: &'static str,
}

impl Operation {
    pub(super) fn failed(&self, why: &str) -> KmsError {
        KmsError::Failed {
            doing: self.doing.clone(),
            why: why.to_owned(),
            after: None,
        }
    }
}

/// A key or version, for people.
pub(super) fn place(name: &str) -> String {
    format!("key {name} of Google Cloud KMS")
}
