//! What a signer without a key of its own is opened with.

use std::fmt;

use kube::Client;
use windlass_core::config;

use crate::environment::variable;
use crate::sign::kms::means::Environment;

/// What a signer is opened with.
#[derive(Clone)]
pub(crate) struct Means {
    /// `signers.x509.*`.
    pub(crate) settings: config::X509,
    pub(crate) environment: Environment,
    /// The cluster, and the namespace of the controller.
    pub(crate) cluster: Option<(Client, String)>,
}

impl Means {
    /// What the controller has.
    pub(crate) fn of(settings: &config::X509, client: &Client, namespace: &str) -> Self {
        Self {
            settings: settings.clone(),
            environment: variable,
            cluster: Some((client.clone(), namespace.to_owned())),
        }
    }

    /// A variable that is set.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name)
    }
}

impl fmt::Debug for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Means")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
