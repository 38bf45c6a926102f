//! How lists inside objects are merged, fixed for each built-in kind by the `patchStrategy` and
//! `patchMergeKey` tags of `k8s.io/api`. Strategic merge patch and server-side apply both follow it.

use crate::cluster::kind::{Kind, Origin};

/// How the list at some path is merged, in the words of `x-kubernetes-list-type`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ListType {
    /// Items are maps, told apart by this field.
    Map(&'static str),
    /// Items are plain values; the list is a set.
    Set,
    /// The new list replaces the old one.
    Atomic,
}

/// Path without list indexes, and the key. Kinds do not clash on these paths.
const MAPS: &[(&str, &str)] = &[
    ("metadata.ownerReferences", "uid"),
    ("secrets", "name"),
    ("imagePullSecrets", "name"),
    ("spec.containers", "name"),
    ("spec.initContainers", "name"),
    ("spec.volumes", "name"),
    ("spec.imagePullSecrets", "name"),
    ("spec.hostAliases", "ip"),
    ("spec.topologySpreadConstraints", "topologyKey"),
    ("status.conditions", "type"),
];
/// The same below a container, in its list.
const CONTAINER_MAPS: &[(&str, &str)] = &[
    ("env", "name"),
    ("ports", "containerPort"),
    ("volumeMounts", "mountPath"),
    ("volumeDevices", "devicePath"),
];

impl ListType {
    /// The type of the list at a path, for strategic merge patch.
    pub(crate) fn strategic(path: &str) -> Self {
        let path = path.strip_prefix("spec.template.").unwrap_or(path);
        if path == "metadata.finalizers" {
            return Self::Set;
        }
        let known = MAPS.iter().find(|(known, _)| *known == path);
        let in_container = ["spec.containers.", "spec.initContainers."]
            .iter()
            .find_map(|prefix| path.strip_prefix(prefix))
            .and_then(|rest| CONTAINER_MAPS.iter().find(|(known, _)| *known == rest));
        known
            .or(in_container)
            .map_or(Self::Atomic, |(_, key)| Self::Map(key))
    }

    /// The type of the list at a path, for server-side apply: the same for built-in kinds, except
    /// that `imagePullSecrets` is one value; atomic for custom resources.
    pub(crate) fn applied(kind: &Kind, path: &str) -> Self {
        let in_metadata = path.starts_with("metadata.");
        if path == "imagePullSecrets" || kind.origin == Origin::Custom && !in_metadata {
            return Self::Atomic;
        }
        Self::strategic(path)
    }
}
