//! Finds: artifacts with their origins, to be looked up by name and digest.

use std::collections::HashMap;

use super::explanation::ImageFound;
use super::origin::Origin;
use crate::artifact::{Digests, ResolvedArtifact};
use crate::image::Image;

/// Which digests make two artifacts the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// One in common, as in a list that is merged.
    Any,
    /// All of them.
    All,
}

/// Most origins that are kept of one artifact.
const MOST_ORIGINS: usize = 100;

#[derive(Debug)]
struct Find {
    artifact: ResolvedArtifact,
    origin: Origin,
}

/// A name, an algorithm and hex digits, within a class.
type Key = (String, String, String, String);

/// Artifacts with their origins, in the order in which they were found.
///
/// Those of different classes are kept apart: in SLSA v1.0, a definition is listed even where the
/// same thing is listed as an input.
#[derive(Debug, Default)]
pub(super) struct Finds {
    finds: Vec<Find>,
    index: HashMap<Key, Vec<usize>>,
}

impl Finds {
    pub(super) fn add(&mut self, artifact: ResolvedArtifact, class: &str, origin: Origin) {
        let at = self.finds.len();
        for key in keys(&artifact.name, &artifact.digest, class) {
            let places = self.index.entry(key).or_default();
            if places.len() < MOST_ORIGINS {
                places.push(at);
            }
        }
        self.finds.push(Find { artifact, origin });
    }

    pub(super) fn artifacts(&self) -> impl Iterator<Item = &ResolvedArtifact> {
        self.finds.iter().map(|find| &find.artifact)
    }

    /// Whether an artifact without a class is among them.
    pub(super) fn contains(&self, name: &str, digest: &Digests) -> bool {
        keys(name, digest, "").any(|key| self.index.contains_key(&key))
    }

    /// Where an artifact of one of the classes was said, each origin once.
    pub(super) fn origins(
        &self,
        name: &str,
        digest: &Digests,
        same: Keys,
        classes: &[&str],
    ) -> Vec<Origin> {
        let keys = classes.iter().flat_map(|class| keys(name, digest, class));
        let mut found: Vec<usize> = keys
            .filter_map(|key| self.index.get(&key))
            .flatten()
            .copied()
            .collect();
        found.sort_unstable();
        found.dedup();
        let finds = found.into_iter().map(|at| &self.finds[at]);
        let finds = finds.filter(|find| same == Keys::Any || find.artifact.digest == *digest);
        finds.map(|find| find.origin.clone()).collect()
    }
}

/// One key for each digest, and one for a name without any.
fn keys<'k>(
    name: &'k str,
    digest: &'k Digests,
    class: &'k str,
) -> impl Iterator<Item = Key> + use<'k> {
    let key = move |algorithm: &str, hex: &str| {
        let [class, name, algorithm, hex] = [class, name, algorithm, hex].map(str::to_owned);
        (class, name, algorithm, hex)
    };
    let bare = digest.is_empty().then(|| key("", ""));
    let pairs = digest
        .iter()
        .map(move |(algorithm, hex)| key(algorithm, hex));
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
