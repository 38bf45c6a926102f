//! Dependencies of a payload, read back from its bytes.

use std::collections::HashMap;

use serde::Deserialize;

use super::explanation::DependencyFound;
use super::finds::{Finds, Keys};
use super::origin::Origin;
use crate::artifact::Digests;
use crate::format::Format;
use crate::payload::Payload;

/// Names of descriptors that stay in the list even if they are there twice.
pub(super) fn is_definition(name: &str) -> bool {
    matches!(name, "task" | "pipeline") || name.starts_with("stepAction/")
}

/// One dependency, as it stands in the payload.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Dependency {
    name: String,
    uri: String,
    digest: Digests,
    content: String,
}

/// The dependencies of a payload, in its order.
#[derive(Debug, Default)]
pub(super) struct Dependencies(Vec<Dependency>);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Statement {
    predicate: Predicate,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Predicate {
    materials: Vec<Dependency>,
    build_definition: Definition,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Definition {
    resolved_dependencies: Vec<Dependency>,
}

impl Dependencies {
    /// Those of a statement; other payloads have none.
    pub(super) fn of(payload: &Payload) -> Self {
        if !payload.format.is_statement() {
            return Self::default();
        }
        let statement: Statement = serde_json::from_slice(&payload.bytes).unwrap_or_default();
        let Predicate {
            mut materials,
            build_definition,
        } = statement.predicate;
        materials.extend(build_definition.resolved_dependencies);
        Self(materials)
    }

    /// `copies` are the origins of the whole task runs among them, in their order.
    pub(super) fn with_origins(
        self,
        finds: &Finds,
        copies: Vec<Origin>,
        format: Format,
    ) -> Vec<DependencyFound> {
        let same = if format == Format::SlsaV1 {
            Keys::Any
        } else {
            Keys::All
        };
        let mut times: HashMap<(&str, &Digests), usize> = HashMap::new();
        for one in &self.0 {
            *times.entry((&one.uri, &one.digest)).or_default() += 1;
        }
        let is_single: Vec<bool> = self
            .0
            .iter()
            .map(|one| times.get(&(one.uri.as_str(), &one.digest)) == Some(&1))
            .collect();
        let mut copies = copies.into_iter();
        let both = self.0.into_iter().zip(is_single);
        both.map(|(one, is_single)| {
            let copy = (!one.content.is_empty()).then(|| copies.next()).flatten();
            one.with_origins(is_single, copy, finds, same)
        })
        .collect()
    }
}

impl Dependency {
    /// Of several dependencies with one URI and digest each has the origins of its own role.
    fn with_origins(
        self,
        is_single: bool,
        copy: Option<Origin>,
        finds: &Finds,
        same: Keys,
    ) -> DependencyFound {
        let Self {
            name,
            uri,
            digest,
            content,
        } = self;
        let class = if is_definition(&name) { &name } else { "" };
        let classes = if is_single {
            &[class, ""][..]
        } else {
            &[class]
        };
        let from = match copy {
            Some(copy) => vec![copy],
            None => finds.origins(&uri, &digest, same, classes),
        };
        DependencyFound {
            name,
            uri,
            digest,
            has_content: !content.is_empty(),
            from,
        }
    }
}
