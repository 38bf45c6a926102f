//! One operation of a cloud's key service, for one key, and what a refusal of it means.

use super::error::KmsError;

/// One operation of a service, for one key.
pub(super) struct Operation {
    /// What is to be done, to which key.
    pub(super) doing: String,
    key: String,
    /// What to grant, in the service's own terms, and to whom.
    permission: String,
}

impl Operation {
    /// `verb` says what is to be done to the key.
    pub(super) fn new(verb: &str, key: &str, permission: String) -> Self {
        Self {
            doing: format!("{verb} {key}"),
            key: key.to_owned(),
            permission,
        }
    }

    pub(super) fn failed(&self, why: &str) -> KmsError {
        KmsError::failed(&self.doing, why)
    }

    /// The identity does not have the permission.
    pub(super) fn denied(&self) -> KmsError {
        self.denied_without(&self.permission)
    }

    /// Something else than the permission has to be granted.
    pub(super) fn denied_without(&self, grant: &str) -> KmsError {
        KmsError::Denied {
            doing: self.doing.clone(),
            permission: grant.to_owned(),
        }
    }

    /// The key is of no use, for this reason.
    pub(super) fn unusable(&self, why: &str) -> KmsError {
        KmsError::Unusable {
            key: self.key.clone(),
            why: why.to_owned(),
        }
    }

    /// The key does not exist.
    pub(super) fn missing(&self, remedy: &'static str) -> KmsError {
        KmsError::Missing {
            what: self.key.clone(),
            remedy,
        }
    }
}
