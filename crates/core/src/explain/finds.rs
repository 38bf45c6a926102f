//! Finds: artifacts with their origins, to be looked up by name and digest.

use std::collections::HashMap;

use super::ImageFound;
use super::origin::Origin;
use crate::artifact::{Artifact, Digests};
use crate::image::Image;

/// Which digests make two artifacts the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// One in common, as in a list that is merged.
    Any,
    /// All of them.
    All,
}

#[derive(Debug)]
struct Find {
    artifact: Artifact,
    /// Name of its descriptor in SLSA v1.0.
    role: String,
    origin: Origin,
}

/// Artifacts with their origins, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Finds {
    finds: Vec<Find>,
    index: HashMap<(String, String, String), Vec<usize>>,
}

impl Finds {
    pub(super) fn add(&mut self, artifact: Artifact, role: &str, origin: Origin) {
        let at = self.finds.len();
        for key in keys(&artifact.name, &artifact.digest) {
            self.index.entry(key).or_default().push(at);
        }
        self.finds.push(Find {
            artifact,
            role: role.to_owned(),
            origin,
        });
    }

    pub(super) fn artifacts(&self) -> impl Iterator<Item = &Artifact> {
        self.finds.iter().map(|find| &find.artifact)
    }

    /// Where an artifact was said, each origin once.
    pub(super) fn origins(
        &self,
        name: &str,
        digest: &Digests,
        same: Keys,
        role: impl Fn(&str) -> bool,
    ) -> Vec<Origin> {
        let keys = keys(name, digest);
        let mut found: Vec<usize> = keys
            .filter_map(|key| self.index.get(&key))
            .flatten()
            .copied()
            .collect();
        found.sort_unstable();
        found.dedup();
        let finds = found.into_iter().map(|at| &self.finds[at]);
        let finds = finds.filter(|find| same == Keys::Any || find.artifact.digest == *digest);
        finds
            .filter(|find| role(&find.role))
            .map(|find| find.origin.clone())
            .collect()
    }
}

/// One key for each digest, and one for a name without any.
fn keys<'k>(
    name: &'k str,
    digest: &'k Digests,
) -> impl Iterator<Item = (String, String, String)> + 'k {
    let bare = digest
        .is_empty()
        .then(|| (name.to_owned(), String::new(), String::new()));
    let pairs = digest.iter();
    let pairs = pairs.map(|(algorithm, hex)| (name.to_owned(), algorithm.clone(), hex.clone()));
    bare.into_iter().chain(pairs)
}

/// Images to sign with their origins, each once.
#[derive(Debug, Default)]
pub(super) struct Images(indexmap::IndexMap<Image, Vec<Origin>>);

impl Images {
    pub(super) fn add(&mut self, image: Image, origin: Origin) {
        self.0.entry(image).or_default().push(origin);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Image> {
        self.0.keys()
    }

    pub(super) fn into_found(self) -> Vec<ImageFound> {
        let images = self.0.into_iter();
        images
            .map(|(image, from)| ImageFound {
                reference: image.to_string(),
                short_key: image.short_key().to_owned(),
                full_key: image.full_key(),
                from,
            })
            .collect()
    }
}
