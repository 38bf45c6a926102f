//! One operation of AWS KMS.

use crate::sign::kms::error::KmsError;

/// One operation of the service, for one key.
pub(super) struct Operation {
    pub(super) name: &'static str,
    permission: &'static str,
    pub(super) doing: String,
    pub(super) key: String,
}

impl Operation {
    pub(super) fn new(name: &'static str, permission: &'static str, verb: &str, key: &str) -> Self {
        Self {
            name,
            permission,
            doing: format!("{verb} {key}"),
            key: key.to_owned(),
        }
    }

    /// What an identity has to be allowed.
    pub(super) fn permission(&self) -> String {
        format!(
            "{} on the key to this identity, in its IAM policy or in the policy of the key",
            self.permission
        )
    }

    pub(super) fn failed(&self, why: &str) -> KmsError {
        KmsError::Failed {
            doing: self.doing.clone(),
            why: why.to_owned(),
            after: None,
        }
    }
}
