//! The operations of a vault.

use crate::sign::kms::operation::Operation;

pub(super) fn read(key: &str) -> Operation {
    Operation::new(
        "read",
        key,
        permission("Microsoft.KeyVault/vaults/keys/read", "get"),
    )
}

pub(super) fn sign(key: &str) -> Operation {
    let permission = permission("Microsoft.KeyVault/vaults/keys/sign/action", "sign");
    Operation::new("sign with", key, permission)
}

pub(super) fn create(key: &str) -> Operation {
    let permission = "Microsoft.KeyVault/vaults/keys/create/action to this identity (role Key Vault Crypto \
                      Officer), or `create` in the access policy of the vault";
    Operation::new("create", key, permission.to_owned())
}

/// What an identity has to be allowed: in role-based access control, and in an access policy.
fn permission(action: &str, policy: &str) -> String {
    format!(
        "{action} to this identity (role Key Vault Crypto User), or `{policy}` in the access policy of \
         the vault"
    )
}
