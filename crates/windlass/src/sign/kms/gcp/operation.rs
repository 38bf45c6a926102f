//! The operations of Google Cloud KMS, and what its errors say of keys.

use crate::sign::kms::operation::Operation;

/// What is wrong with the algorithm of a version.
pub(super) const ALGORITHM: &str = "its algorithm is not for this; create a key with --purpose \
                         asymmetric-signing --default-algorithm ec-sign-p256-sha256 (also supported: \
                         ec-sign-p384-sha384, rsa-sign-pkcs1-* and rsa-sign-pss-*)";

/// An operation that takes this permission, for one key or version.
pub(super) fn operation(verb: &str, name: &str, permission: &str) -> Operation {
    let permission = format!(
        "{permission} on the key to this identity (roles/cloudkms.signerVerifier, and \
         roles/cloudkms.viewer where the reference names no version)"
    );
    Operation::new(verb, &place(name), permission)
}

/// A key or version, for people.
pub(super) fn place(name: &str) -> String {
    format!("key {name} of Google Cloud KMS")
}
