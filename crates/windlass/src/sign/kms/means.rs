//! What a key in a service is opened with: the settings of the login, and the environment.

use std::fmt;

use windlass_core::config;

use super::plugins::Plugins;
use crate::environment::variable;

/// Reads a variable of the environment; empty ones count as unset.
pub(crate) type Environment = fn(&str) -> Option<String>;

/// What a key in a service is opened with.
#[derive(Clone)]
pub(crate) struct Means {
    /// `signers.kms.*`; on the command line nothing is set.
    pub(crate) settings: config::Kms,
    pub(crate) environment: Environment,
    /// The programs that are run.
    pub(crate) plugins: Plugins,
}

impl Means {
    /// What a command has: the environment alone.
    pub(crate) fn of_environment() -> Self {
        Self {
            plugins: Plugins::of_command(),
            ..Self::of(&config::Kms::default())
        }
    }

    /// What the controller has, without plugins.
    pub(crate) fn of(settings: &config::Kms) -> Self {
        Self {
            settings: settings.clone(),
            environment: variable,
            plugins: Plugins::Off,
        }
    }

    /// The first of these variables that is set.
    pub(crate) fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| (self.environment)(name))
    }
}

impl fmt::Debug for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Means")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
