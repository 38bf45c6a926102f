//! What a signer without a key of its own is opened with.

use std::fmt;

use kube::Client;
use windlass_core::config::{self, Token};

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
    /// What a person typed; none of the controller.
    pub(crate) typed: Option<Typed>,
}

/// What a person typed of identity tokens.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    /// A token itself.
    pub(crate) token: Option<Token>,
    /// Whether a token is looked for where this process runs.
    pub(crate) is_ambient: bool,
}

impl Means {
    /// What the controller has.
    pub(crate) fn of(settings: &config::X509, client: &Client, namespace: &str) -> Self {
        Self {
            settings: settings.clone(),
            environment: variable,
            cluster: Some((client.clone(), namespace.to_owned())),
            typed: None,
        }
    }

    /// What a command has.
    pub(crate) fn of_command(settings: config::X509, typed: Typed) -> Self {
        Self {
            settings,
            environment: variable,
            cluster: None,
            typed: Some(typed),
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
