//! Parts that task runs and pipeline runs have in common: params, results, conditions, provenance.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::text::{Map, Text, list, map, object, objects};
use super::value::ParamValue;

/// A param given to a run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Param<'a> {
    /// Name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Value.
    #[serde(borrow)]
    pub value: ParamValue<'a>,
}

/// A param declared by a task or a pipeline.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ParamSpec<'a> {
    /// Name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Value used when the run gives none.
    #[serde(borrow)]
    pub default: Option<ParamValue<'a>>,
}

/// A result of a run or of a step.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunResult<'a> {
    /// Name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Declared type: `string`, `array` or `object`; pipeline runs do not say it.
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
    /// Value.
    #[serde(borrow)]
    pub value: ParamValue<'a>,
}

/// A condition of a run's status.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Condition<'a> {
    /// Type; the one that counts is `Succeeded`.
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
    /// `True`, `False` or `Unknown`.
    #[serde(borrow)]
    pub status: Text<'a>,
    /// One word on why.
    #[serde(borrow)]
    pub reason: Text<'a>,
    /// A sentence on why.
    #[serde(borrow)]
    pub message: Text<'a>,
}

/// Where a run's definition came from, as Tekton recorded it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Provenance<'a> {
    /// Source of a remote definition.
    #[serde(borrow, deserialize_with = "object")]
    pub ref_source: Option<RefSource<'a>>,
    /// Tekton's feature flags at that time, unread.
    #[serde(borrow)]
    pub feature_flags: Option<&'a RawValue>,
}

/// Source of a remote task, pipeline or step action.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct RefSource<'a> {
    /// Where it was read from.
    #[serde(borrow)]
    pub uri: Text<'a>,
    /// Its digests by algorithm.
    #[serde(borrow, deserialize_with = "map")]
    pub digest: Map<'a>,
    /// Path within the source.
    #[serde(borrow)]
    pub entry_point: Text<'a>,
}

/// A reference to a task or a pipeline.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Reference<'a> {
    /// Name within the cluster.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Resolver of a remote definition.
    #[serde(borrow)]
    pub resolver: Text<'a>,
}

/// A `when` expression.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct When<'a> {
    /// Left side.
    #[serde(borrow)]
    pub input: Text<'a>,
    /// Right side.
    #[serde(borrow, deserialize_with = "list")]
    pub values: Vec<Text<'a>>,
    /// Expression in the Common Expression Language, instead of the two sides.
    #[serde(borrow)]
    pub cel: Text<'a>,
}

/// What a run lays down for its pods, as far as it is read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct PodTemplate<'a> {
    /// Secrets of the namespace with credentials for registries.
    #[serde(borrow, deserialize_with = "objects")]
    pub image_pull_secrets: Vec<NamedSecret<'a>>,
}

/// A secret of the same namespace.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NamedSecret<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Text<'a>,
}
