//! Why a file does not contain what it is taken for.

use std::io;

use windlass_core::config::ConfigError;
use windlass_core::json::StrictError;
use windlass_core::tekton::v1beta1::UpgradeError;

use super::choice::ChoiceError;
use super::yaml::YamlError;
use crate::cluster::config_map::MalformedConfigMap;
use crate::input::Input;

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// The system refused, or the file is too large.
    #[error("cannot read {input}")]
    Read {
        /// The file.
        input: Input,
        /// What the system said.
        source: io::Error,
    },
    /// The file contains something else.
    #[error("cannot use {input}")]
    Content {
        /// The file.
        input: Input,
        /// What is wrong with it.
        source: ContentError,
    },
}

/// What is wrong with the content of a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    /// It is not text: this many bytes are.
    #[error("it is not valid UTF-8 from byte {0} on")]
    Text(usize),
    /// It starts as JSON does.
    #[error("it is not valid JSON")]
    Json(#[source] StrictError),
    /// It is YAML or nothing.
    #[error("it is not valid YAML")]
    Yaml(#[from] YamlError),
    /// A list without items.
    #[error("the list has no items")]
    NoItems,
    /// An object that is no run, or a run of an unknown version.
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
    /// It is unclear which run is meant.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// Only task runs can be children.
    #[error("a child is not a TaskRun")]
    NotATaskRun,
    /// Several objects, none of which is preferred.
    #[error("it contains {0} ConfigMaps, and not one of them is called chains-config")]
    ManyConfigMaps(usize),
    /// An object that is no ConfigMap.
    #[error("expected a ConfigMap, found {0}")]
    NotAConfigMap(String),
    /// A ConfigMap that is damaged.
    #[error(transparent)]
    ConfigMap(#[from] MalformedConfigMap),
    /// A configuration that is not allowed.
    #[error(transparent)]
    Config(#[from] ConfigError),
}
