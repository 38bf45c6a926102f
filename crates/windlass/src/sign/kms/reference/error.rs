//! Why a text names no key in a service.

/// What a reference may begin with.
const FORMS: &str = "hashivault://NAME, openbao://NAME, awskms://[HOST]/ID, \
                     gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K or \
                     azurekms://VAULT.vault.azure.net/KEY";

/// Why a text names no key in a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReferenceError {
    /// Nothing was given.
    #[error("the key reference is empty; write {FORMS}")]
    Empty,
    /// There is no scheme in it.
    #[error("the key reference names no service; write {FORMS}")]
    NoScheme,
    /// PKCS#11.
    #[error("keys of PKCS#11 tokens (`pkcs11:`) are not supported yet; write {FORMS}")]
    Pkcs11,
    /// Another service, which sigstore's libraries leave to a plugin.
    #[error(
        "`{scheme}://` is no key service that is built in, and plugins (sigstore-kms-{scheme}) are not \
         supported yet; write {FORMS}"
    )]
    Plugin {
        /// The scheme.
        scheme: String,
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
