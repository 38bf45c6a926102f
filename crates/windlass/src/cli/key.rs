//! The keys that `--key` names, as verbs use them.

use crate::sign::reference::KeyRef;

/// Whether reading the private key may take its password from standard input.
pub(super) fn needs_input(reference: &KeyRef) -> bool {
    !matches!(reference, KeyRef::Secret(_)) && std::env::var_os("COSIGN_PASSWORD").is_none()
}
