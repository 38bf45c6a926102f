//! The keys that `--key` names, as verbs use them.

use windlass_core::key::{PrivateKey, PublicKey};

use super::output;
use crate::cluster::Connection;
use crate::sign::reference::{KeyRef, KeyRefError};

/// Whether reading the private key may take its password from standard input.
pub(super) fn needs_input(reference: &KeyRef) -> bool {
    !matches!(reference, KeyRef::Secret(_) | KeyRef::Url(_))
        && std::env::var_os("COSIGN_PASSWORD").is_none()
}

/// The public key of a reference; says which key of several it is.
pub(super) async fn public(
    reference: &KeyRef,
    connection: &Connection,
) -> Result<PublicKey, KeyRefError> {
    let mut warnings = Vec::new();
    let key = reference.load_public(connection, &mut warnings).await;
    output::warn(&warnings);
    key
}

/// The private key of a reference; says which key of several it is.
pub(super) async fn private(
    reference: &KeyRef,
    connection: &Connection,
) -> Result<PrivateKey, KeyRefError> {
    let mut warnings = Vec::new();
    let key = reference.load_private(connection, &mut warnings).await;
    output::warn(&warnings);
    key
}
