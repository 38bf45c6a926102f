//! The keys that `--key` names, as verbs use them.

use windlass_core::error::Chain;
use windlass_core::key::PublicKey;

use crate::cluster::Connection;
use crate::sign::reference::{KeyRef, KeyRefError};

/// The key to check with. A public key that was read but is damaged is a finding, not a failure to
/// check: it may be the part that was tampered with.
pub(super) async fn public(
    reference: &KeyRef,
    connection: &Connection,
) -> anyhow::Result<Result<PublicKey, String>> {
    match reference.load_public(connection).await {
        Ok(key) => Ok(Ok(key)),
        Err(error @ KeyRefError::NotPublic { .. }) => Ok(Err(Chain(&error).to_string())),
        Err(error) => Err(error.into()),
    }
}

/// Whether reading the private key may take its password from standard input.
pub(super) fn needs_input(reference: &KeyRef) -> bool {
    !matches!(reference, KeyRef::Secret(_)) && std::env::var_os("COSIGN_PASSWORD").is_none()
}
