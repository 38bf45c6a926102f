//! One operation of a vault.

use crate::sign::kms::error::KmsError;

/// One operation of a vault, for one key.
pub(super) struct Operation {
    pub(super) doing: String,
    pub(super) key: String,
    /// In role-based access control, and in an access policy.
    permission: [&'static str; 2],
}

impl Operation {
    pub(super) fn read(key: &str) -> Self {
        Self {
            doing: format!("read {key}"),
            key: key.to_owned(),
            permission: ["Microsoft.KeyVault/vaults/keys/read", "get"],
        }
    }

    pub(super) fn sign(key: &str) -> Self {
        Self {
            doing: format!("sign with {key}"),
            key: key.to_owned(),
            permission: ["Microsoft.KeyVault/vaults/keys/sign/action", "sign"],
        }
    }

    /// What an identity has to be allowed.
    pub(super) fn permission(&self) -> String {
        let [action, policy] = self.permission;
        format!(
            "{action} to this identity (role Key Vault Crypto User), or `{policy}` in the access policy \
             of the vault"
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
