//! The variables that are read.

use std::ffi::OsString;

use zeroize::Zeroizing;

/// The PIN, by the name that cosign gives it.
pub(crate) const PIN: &str = "COSIGN_PKCS11_PIN";
/// The library that may be loaded, by the name that cosign gives it.
pub(crate) const MODULE: &str = "COSIGN_PKCS11_MODULE_PATH";
/// The libraries that may be loaded, with colons between them. The first is loaded unless a URI names
/// another one.
pub(crate) const MODULES: &str = "SIGSTORE_KMS_PKCS11_MODULES";

/// What is read of the environment.
#[derive(Default)]
pub(crate) struct Environment {
    pub(crate) pin: Option<Zeroizing<String>>,
    pub(crate) modules: Option<OsString>,
}

impl Environment {
    /// That of this process.
    pub(crate) fn of_process() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            pin: set(PIN)
                .and_then(|pin| pin.into_string().ok())
                .map(Zeroizing::new),
            modules: set(MODULES).or_else(|| set(MODULE)),
        }
    }
}
