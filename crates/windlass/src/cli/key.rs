//! The keys that `--key` names, as verbs use them.

use std::sync::Arc;

use windlass_core::key::{PrivateKey, PublicKey};

use super::output;
use crate::cluster::Connection;
use crate::input::Input;
use crate::sign::Signer;
use crate::sign::kms::means::Means;
use crate::sign::kms::reference::Reference;
use crate::sign::kms::signer::KmsSigner;
use crate::sign::reference::{KeyRef, KeyRefError};

/// Whether reading the private key, or its password, may take standard input.
pub(super) fn needs_input(reference: &KeyRef) -> bool {
    match reference {
        KeyRef::Secret(_) | KeyRef::Url(_) | KeyRef::Service(_) => false,
        KeyRef::File(Input::Stdin) => true,
        KeyRef::Environment(_) | KeyRef::File(_) => std::env::var_os("COSIGN_PASSWORD").is_none(),
    }
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

/// What signs with the key of a reference; says which key of several it is.
pub(super) async fn signer(
    reference: &KeyRef,
    connection: &Connection,
) -> Result<Signer, KeyRefError> {
    if let KeyRef::Service(key) = reference {
        return service(key).await;
    }
    Ok(Signer::of_key(private(reference, connection).await?))
}

/// The same for detached signatures, which verifiers expect with SHA-256 whatever file the key is from.
pub(super) async fn detached_signer(
    reference: &KeyRef,
    connection: &Connection,
) -> Result<Signer, KeyRefError> {
    if let KeyRef::Service(key) = reference {
        return service(key).await;
    }
    let key = private(reference, connection).await?;
    Ok(Signer::of_key(key.for_detached()))
}

async fn service(key: &Reference) -> Result<Signer, KeyRefError> {
    let (means, doubt) = (Means::of_environment(), Arc::default());
    let opened = Box::pin(KmsSigner::open(key, &means, &doubt)).await;
    let signer = opened.map_err(|error| KeyRefError::service(key, error))?;
    Ok(Signer::Kms(Box::new(signer)))
}

async fn private(reference: &KeyRef, connection: &Connection) -> Result<PrivateKey, KeyRefError> {
    let mut warnings = Vec::new();
    let key = reference.load_private(connection, &mut warnings).await;
    output::warn(&warnings);
    key
}
