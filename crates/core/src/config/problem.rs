//! What is wrong with a configuration, and what is odd about it.

use std::borrow::Cow;

/// Name of the ConfigMap of Tekton Chains.
pub const CHAINS_CONFIG: &str = "chains-config";
/// Name of the ConfigMap of windlass's own settings. Operators that own `chains-config` refuse keys
/// in it that they do not know.
pub const WINDLASS_CONFIG: &str = "windlass-config";

/// Something that was accepted but probably not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The key.
    pub key: String,
    /// What it means, and what was perhaps meant.
    pub message: String,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

/// One value that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{key}: {value} is not allowed; use {}", place(config_map), allowed.join(", "))]
pub struct Problem {
    /// `chains-config` or `windlass-config`.
    pub config_map: &'static str,
    /// The key.
    pub key: String,
    /// The value, quoted and shortened, or `[redacted]`.
    pub value: String,
    /// What is allowed instead.
    pub allowed: Vec<Cow<'static, str>>,
}

/// Every value that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration has {} invalid value(s): {}", problems.len(), list(problems))]
pub struct ConfigError {
    /// The problems, in the order in which the keys are documented.
    pub problems: Vec<Problem>,
}

/// Where a key is, if it is not where all others are.
fn place(config_map: &str) -> &'static str {
    match config_map {
        WINDLASS_CONFIG => "in windlass-config, ",
        _ => "",
    }
}

fn list(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
