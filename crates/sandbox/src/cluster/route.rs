//! Request paths and their resources.

use crate::cluster::kind::ServedKind;
use crate::query::{Plus, decode};

/// A path under `/api` or `/apis` that names objects.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub served: ServedKind,
    /// Empty for cluster-scoped kinds and for all namespaces.
    pub namespace: String,
    /// Absent for a collection.
    pub name: Option<String>,
    pub part: Part,
}

/// The object or one of its subresources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    Status,
}

impl Target {
    /// Reads a path; `None` if it names nothing this cluster serves.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let segments: Vec<String> = path
            .trim_matches('/')
            .split('/')
            .map(|segment| decode(segment, Plus::IsPlus))
            .collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["api", version, rest @ ..] => Self::within("", version, rest),
            ["apis", group, version, rest @ ..] if !group.is_empty() => {
                Self::within(group, version, rest)
            }
            _ => None,
        }
    }

    fn within(group: &str, version: &str, rest: &[&str]) -> Option<Self> {
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..]
                if !matches!(rest, [] | ["status" | "finalize"]) =>
            {
                (*namespace, rest)
            }
            rest => ("", rest),
        };
        let (plural, name, part) = match rest {
            [plural] => (plural, None, Part::Whole),
            [plural, name] => (plural, Some((*name).to_owned()), Part::Whole),
            [plural, name, "status"] => (plural, Some((*name).to_owned()), Part::Status),
            _ => return None,
        };
        let served = ServedKind::by_path(group, version, plural)?;
        let kind = served.kind;
        if !kind.namespaced && !namespace.is_empty()
            || kind.namespaced && namespace.is_empty() && name.is_some()
            || part == Part::Status && !kind.status
        {
            return None;
        }
        Some(Self {
            served,
            namespace: namespace.to_owned(),
            name,
            part,
        })
    }
}
