//! The identity of a run, and its path in the API.

use serde::Deserialize;
pub(crate) use windlass_core::run::Kind as RunKind;
use windlass_core::run::Metadata;

use super::event::Regarding;
use super::path::{ApiPath, Resource};

/// Names a run, across deletion and re-creation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RunId {
    pub(crate) kind: RunKind,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
}

/// The metadata of an object, whatever else it is.
#[derive(Deserialize)]
pub(crate) struct Head<'a> {
    #[serde(borrow)]
    pub(crate) metadata: Metadata<'a>,
}

impl RunId {
    /// The run that has this metadata.
    pub(crate) fn new(kind: RunKind, metadata: &Metadata<'_>) -> Self {
        Self {
            kind,
            namespace: metadata.namespace.to_string(),
            name: metadata.name.to_string(),
            uid: metadata.uid.to_string(),
        }
    }

    /// The run that an object is, or `None` when it is not an object.
    pub(crate) fn of(kind: RunKind, object: &[u8]) -> Option<Self> {
        let head = serde_json::from_slice::<Head<'_>>(object).ok()?;
        Some(Self::new(kind, &head.metadata))
    }

    /// API path.
    pub(crate) fn path(&self) -> ApiPath {
        collection(self.kind, Some(&self.namespace)).object(&self.name)
    }

    /// The run as the object of an Event.
    pub(crate) fn regarding(&self) -> Regarding {
        Regarding {
            api_version: "tekton.dev/v1",
            kind: self.kind.name(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            uid: self.uid.clone(),
        }
    }
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind.words(), self.namespace, self.name)
    }
}

/// Path of a kind's collection in one namespace, or in all.
pub(crate) fn collection(kind: RunKind, namespace: Option<&str>) -> ApiPath {
    let runs = Resource::runs(kind);
    namespace.map_or_else(|| ApiPath::all(runs), |name| ApiPath::within(name, runs))
}
