//! Metadata of a run: `ObjectMeta`, as far as it is read.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::text::{Map, Text, list, map, nullable, objects, time};

/// What identifies a run and what is known of it besides its content.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Metadata<'a> {
    /// Name, unique within the namespace.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Namespace.
    #[serde(borrow)]
    pub namespace: Text<'a>,
    /// Identity that survives no deletion.
    #[serde(borrow)]
    pub uid: Text<'a>,
    /// Opaque version for preconditions.
    #[serde(borrow)]
    pub resource_version: Text<'a>,
    /// When the run was created.
    #[serde(deserialize_with = "time")]
    pub creation_timestamp: Option<Timestamp>,
    /// When its deletion was asked for; a run with finalizers stays until they are gone.
    #[serde(deserialize_with = "time")]
    pub deletion_timestamp: Option<Timestamp>,
    /// Labels, in the order of the document.
    #[serde(borrow, deserialize_with = "map")]
    pub labels: Map<'a>,
    /// Annotations, in the order of the document.
    #[serde(borrow, deserialize_with = "map")]
    pub annotations: Map<'a>,
    /// Finalizers.
    #[serde(borrow, deserialize_with = "list")]
    pub finalizers: Vec<Text<'a>>,
    /// Owners; the controlling one of a child is its `PipelineRun`.
    #[serde(borrow, deserialize_with = "objects")]
    pub owner_references: Vec<OwnerReference<'a>>,
    /// Field ownership, unread.
    #[serde(borrow)]
    pub managed_fields: Option<&'a RawValue>,
}

/// An owner of a run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct OwnerReference<'a> {
    /// API group and version.
    #[serde(borrow)]
    pub api_version: Text<'a>,
    /// Kind.
    #[serde(borrow)]
    pub kind: Text<'a>,
    /// Name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Identity.
    #[serde(borrow)]
    pub uid: Text<'a>,
    /// Whether this owner controls the run.
    #[serde(deserialize_with = "nullable")]
    pub controller: bool,
}

impl<'a> Metadata<'a> {
    /// The value of an annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.get(name).map(Text::as_str)
    }

    /// The `PipelineRun` that controls this run, of any version of Tekton's API.
    pub fn controlling_pipeline_run(&self) -> Option<&OwnerReference<'a>> {
        self.owner_references.iter().find(|owner| {
            owner.controller
                && &*owner.kind == "PipelineRun"
                && owner.api_version.split('/').next() == Some("tekton.dev")
        })
    }
}
