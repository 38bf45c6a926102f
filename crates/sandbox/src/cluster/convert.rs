//! Between the version a client asks for and the version that is stored.
//! Events are stored in their core form, Tekton kinds as `tekton.dev/v1` (Tekton's own storage
//! version; kinds without a v1 as they are).

use std::borrow::Cow;

use serde_json::Value;

use crate::cluster::kind::{KINDS, Kind, ServedKind};

mod event;
mod tekton;

/// The kind whose preferred version objects of `served` are stored as.
pub(crate) fn stored_kind(served: ServedKind) -> &'static Kind {
    let same = |kind: &&Kind| kind.storage == served.kind.storage;
    KINDS.iter().find(same).unwrap_or(served.kind)
}

/// Brings a document of the version `served` into the stored form.
pub(crate) fn to_stored(served: ServedKind, mut object: Value) -> Value {
    match (served.kind.group, served.version) {
        ("events.k8s.io", _) => event::to_core(&mut object),
        ("tekton.dev", "v1beta1") if served.kind.versions.contains(&"v1") => {
            tekton::to_v1(served.kind, &mut object);
        }
        _ => {}
    }
    name_kind(stored_kind(served).preferred(), &mut object);
    object
}

/// Brings a stored object into the version `served`.
pub(crate) fn from_stored(served: ServedKind, object: &Value) -> Cow<'_, Value> {
    match (served.kind.group, served.version) {
        ("events.k8s.io", _) => {
            let mut object = object.clone();
            event::to_grouped(&mut object);
            name_kind(served, &mut object);
            Cow::Owned(object)
        }
        ("tekton.dev", "v1beta1") if served.kind.versions.contains(&"v1") => {
            let mut object = object.clone();
            tekton::to_v1beta1(served.kind, &mut object);
            name_kind(served, &mut object);
            Cow::Owned(object)
        }
        _ => Cow::Borrowed(object),
    }
}

fn name_kind(served: ServedKind, object: &mut Value) {
    if let Value::Object(fields) = object {
        fields.insert("apiVersion".into(), served.api_version().into());
        fields.insert("kind".into(), served.kind.kind.into());
    }
}
