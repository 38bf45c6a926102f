//! The configuration: `chains-config`, read into one typed value.
//!
//! Keys, allowed values and defaults follow docs/behaviour.md, "Configuration". Tekton Chains stops
//! at the first invalid value without naming its key, and ignores unknown keys silently; here all
//! invalid values are reported at once, and ignored keys are a [`Warning`]. Settings of windlass's
//! own live in a second `ConfigMap`, `windlass-config`, because an operator that owns
//! `chains-config` may refuse keys that it does not know.

use std::collections::BTreeMap;

pub use self::kinds::{
    BuildType, Encoding, LogNeed, LogVersion, PubsubProvider, SignerKind, StoreKind,
    TransparencyMode,
};
pub use self::problem::{CHAINS_CONFIG, ConfigError, Problem, WINDLASS_CONFIG, Warning};
pub use self::reader::{Parsed, TUF_MIRROR, put_trusted_root, reference};
pub use self::redact::{Endpoint, Token};
pub use self::reference::ConfigKey;
pub use self::settings::{
    ArtifactPolicy, Config, FINALIZER_GRACE, Kms, Storage, Timestamps, Transparency, TufOrigin,
    X509,
};
pub use self::shared::SharedCredentials;

mod kinds;
mod problem;
mod reader;
mod redact;
mod reference;
mod repository;
mod settings;
mod shared;
mod suggest;

#[cfg(test)]
mod tests;

impl Config {
    /// Reads the contents of `chains-config` and of `windlass-config`, either of which may be
    /// empty. Reports all bad values at once.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use windlass_core::config::Config;
    ///
    /// let chains = [("artifacts.taskrun.format".to_owned(), "slsa/v3".to_owned())];
    /// let error = Config::parse(&chains.into(), &BTreeMap::new()).unwrap_err();
    /// assert!(error.to_string().contains("artifacts.taskrun.format: \"slsa/v3\" is not allowed"));
    /// ```
    pub fn parse(
        chains: &BTreeMap<String, String>,
        windlass: &BTreeMap<String, String>,
    ) -> Result<Parsed, ConfigError> {
        reader::parse(chains, windlass)
    }
}

impl Default for Config {
    fn default() -> Self {
        reader::default()
    }
}
