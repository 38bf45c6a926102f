//! What an explanation says, and its JSON form.

use serde::Serialize;

use super::origin::Origin;
use crate::artifact::Digests;

/// What will be signed about a run, and why. The names of the fields are those of the JSON form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Explanation {
    /// The run.
    pub run: RunName,
    /// What the configuration says of the run and of its images.
    pub artifacts: Vec<Signing>,
    /// Images that are signed, if images are: those of a task run's own results.
    pub images: Vec<ImageFound>,
    /// Subjects of the payload, in its order.
    pub subjects: Vec<SubjectFound>,
    /// Materials (SLSA v0.2) or resolved dependencies (SLSA v1.0) of the payload, in its order.
    pub dependencies: Vec<DependencyFound>,
    /// Near misses, what was left out, and what is not enabled.
    pub warnings: Vec<String>,
}

/// What names a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RunName {
    /// `TaskRun` or `PipelineRun`.
    pub kind: &'static str,
    /// Name.
    pub name: String,
    /// Namespace; empty if the document does not say it.
    pub namespace: String,
    /// UID.
    pub uid: String,
    /// Key of its payload and signature where space is short.
    pub short_key: String,
    /// Key of its payload and signature where names may be long.
    pub full_key: String,
}

/// What the configuration says of one kind of artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Signing {
    /// `taskrun`, `pipelinerun` or `oci`, as in the keys of the configuration.
    pub artifact: &'static str,
    /// Neither the signer nor the storage is switched off.
    pub enabled: bool,
    /// Format of the payload.
    pub format: &'static str,
    /// Who signs.
    pub signer: &'static str,
    /// Where payload and signature are kept.
    pub storage: Vec<&'static str>,
    /// Whether there will be entries in the transparency log: `off`, `always` or `manual`.
    pub transparency: &'static str,
    /// Why it will not be signed though it is enabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// An image to sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ImageFound {
    /// `REGISTRY/PATH@sha256:HEX`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Key of its signature where space is short.
    pub short_key: String,
    /// Key of its signature where names may be long.
    pub full_key: String,
    /// Which results name it.
    pub from: Vec<Origin>,
}

/// A subject of the payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SubjectFound {
    /// Its name.
    pub name: String,
    /// Its digests, hex by algorithm.
    pub digest: Digests,
    /// Which results name it.
    pub from: Vec<Origin>,
}

/// A dependency of the payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DependencyFound {
    /// Its name in the payload, if it has one there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where it came from; empty for a task that is kept as a whole.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uri: String,
    /// Its digests, hex by algorithm.
    #[serde(skip_serializing_if = "Digests::is_empty")]
    pub digest: Digests,
    /// The payload contains a whole task run here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_content: bool,
    /// What names it.
    pub from: Vec<Origin>,
}
