//! Why a text names no key in a service.

/// What a reference may begin with.
const FORMS: &str = "hashivault://NAME, openbao://NAME, awskms://[HOST]/ID, \
                     gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K, \
                     azurekms://VAULT.vault.azure.net/KEY, pkcs11:token=TOKEN;object=LABEL or \
                     NAME://KEY of a plugin sigstore-kms-NAME";

/// Why a text names no key in a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReferenceError {
    /// Nothing was given.
    #[error("the key reference is empty; write {FORMS}")]
    Empty,
    /// There is no scheme in it.
    #[error("the key reference names no service; write {FORMS}")]
    NoScheme,
    /// The reference of a plugin's key is not as it has to be.
    #[error("the key reference of `{scheme}` is malformed: {why}; write {form}")]
    Plugin {
        /// The scheme, without what separates it from the rest.
        scheme: String,
        /// What is wrong.
        why: &'static str,
        /// What to write.
        form: String,
    },
    /// The part after the scheme is not as it has to be.
    #[error("the key reference of `{scheme}` is malformed: {why}; write {form}")]
    Malformed {
        /// The scheme with `://`.
        scheme: &'static str,
        /// What is wrong.
        why: &'static str,
        /// What to write.
        form: &'static str,
    },
}
