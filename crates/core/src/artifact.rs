//! Artifacts: named things with digests, that runs consume or produce.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::image::is_lower_hex;

/// Hex digits by algorithm.
pub type Digests = BTreeMap<String, String>;

/// An artifact whose name stands for digests: a subject of a statement, or a dependency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolvedArtifact {
    /// A repository or a URI.
    pub name: String,
    /// Its digests.
    pub digest: Digests,
}

impl ResolvedArtifact {
    /// An artifact with one digest.
    pub(crate) fn new(name: impl Into<String>, algorithm: &str, hex: &str) -> Self {
        let digest = Digests::from([(algorithm.to_owned(), hex.to_owned())]);
        Self {
            name: name.into(),
            digest,
        }
    }
}

/// A digest that has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest<'a> {
    /// Lower-case name of the algorithm.
    pub(crate) algorithm: String,
    /// Hex digits, as many as the algorithm has.
    pub(crate) hex: &'a str,
}

impl<'a> Digest<'a> {
    /// Reads `ALGORITHM:HEX`: docs/behaviour.md, "Digests and merging".
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (algorithm, hex) = text.split_once(':')?;
        if hex.contains(':') {
            return None;
        }
        let algorithm = algorithm.trim().to_lowercase();
        let hex = hex.trim();
        let length = match algorithm.as_str() {
            "sha1" => 40,
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => return None,
        };
        let is_valid = hex.len() == length && hex.bytes().all(is_lower_hex);
        is_valid.then_some(Self { algorithm, hex })
    }
}

/// A list in which artifacts that are the same are one entry.
///
/// Two are the same when they have the same name and share one digest. The later one's digests are
/// added to the earlier one, in its place: docs/behaviour.md, "Digests and merging". A digest of
/// the earlier one that is empty is also shared with a later one that has none of that algorithm,
/// as it is in Chains. Lookups are indexed, so that a run with very many results costs no more than
/// their number.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    entries: Vec<ResolvedArtifact>,
    index: HashMap<(String, String, String), BTreeSet<usize>>,
    /// Algorithms whose digest is empty, by name and position.
    empty: HashMap<String, BTreeMap<usize, BTreeSet<String>>>,
}

impl Merged {
    /// Adds an artifact; gives its position if it became an entry of its own.
    pub(crate) fn add(&mut self, artifact: ResolvedArtifact) -> Option<usize> {
        let same = self.position(&artifact);
        let ResolvedArtifact { name, digest } = artifact;
        let at = same.unwrap_or(self.entries.len());
        if same.is_none() {
            self.entries.push(ResolvedArtifact {
                name: name.clone(),
                digest: Digests::new(),
            });
        }
        for (algorithm, hex) in digest {
            self.set(at, &name, &algorithm, &hex);
        }
        same.is_none().then_some(at)
    }

    /// Position of the first entry that is the same.
    fn position(&self, artifact: &ResolvedArtifact) -> Option<usize> {
        let ResolvedArtifact { name, digest } = artifact;
        let shared = digest.iter().filter_map(|(algorithm, hex)| {
            let key = (name.clone(), algorithm.clone(), hex.clone());
            self.index.get(&key)?.first().copied()
        });
        let lacks = |algorithm: &String| digest.get(algorithm).is_none_or(String::is_empty);
        let by_absence = self.empty.get(name).and_then(|entries| {
            let mut entries = entries.iter();
            entries.find_map(|(at, algorithms)| algorithms.iter().any(lacks).then_some(*at))
        });
        shared.chain(by_absence).min()
    }

    fn set(&mut self, at: usize, name: &str, algorithm: &str, hex: &str) {
        let key = |hex: &str| (name.to_owned(), algorithm.to_owned(), hex.to_owned());
        self.index.entry(key(hex)).or_default().insert(at);
        if hex.is_empty() {
            let entries = self.empty.entry(name.to_owned()).or_default();
            entries.entry(at).or_default().insert(algorithm.to_owned());
        }
        let digests = &mut self.entries[at].digest;
        let Some(old) = digests.insert(algorithm.to_owned(), hex.to_owned()) else {
            return;
        };
        if old == hex {
            return;
        }
        if let Some(positions) = self.index.get_mut(&key(&old)) {
            positions.remove(&at);
        }
        if old.is_empty() {
            self.forget_empty(at, name, algorithm);
        }
    }

    fn forget_empty(&mut self, at: usize, name: &str, algorithm: &str) {
        let Some(entries) = self.empty.get_mut(name) else {
            return;
        };
        if let Some(algorithms) = entries.get_mut(&at) {
            algorithms.remove(algorithm);
            if algorithms.is_empty() {
                entries.remove(&at);
            }
        }
    }

    /// What the entry at a position has become.
    pub(crate) fn get(&self, at: usize) -> Option<&ResolvedArtifact> {
        self.entries.get(at)
    }

    pub(crate) fn into_vec(self) -> Vec<ResolvedArtifact> {
        self.entries
    }
}

impl Extend<ResolvedArtifact> for Merged {
    fn extend<I: IntoIterator<Item = ResolvedArtifact>>(&mut self, artifacts: I) {
        for artifact in artifacts {
            self.add(artifact);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_has_a_known_algorithm_and_lower_case_hex() {
        let hex = "a".repeat(64);
        let spaced = format!(" SHA256 : {hex} ");
        let digest = Digest::parse(&spaced).unwrap();
        assert_eq!(
            (digest.algorithm.as_str(), digest.hex),
            ("sha256", hex.as_str())
        );
        for bad in ["sha256:AA", "md5:aa", "sha256", "", "sha256:a:b"] {
            assert_eq!(Digest::parse(bad), None, "{bad}");
        }
        assert_eq!(Digest::parse(&format!("sha256:{}", "A".repeat(64))), None);
    }

    #[test]
    fn artifacts_that_share_a_digest_are_merged_in_place() {
        let mut merged = Merged::default();
        merged.add(ResolvedArtifact::new("a", "sha1", "1"));
        merged.add(ResolvedArtifact::new("b", "sha1", "1"));
        merged.add(ResolvedArtifact::new("a", "sha1", "2"));
        let both = Digests::from([
            ("sha1".to_owned(), "2".to_owned()),
            ("sha256".to_owned(), "3".to_owned()),
        ]);
        merged.add(ResolvedArtifact {
            name: "a".to_owned(),
            digest: both.clone(),
        });
        let entries = merged.into_vec();
        assert_eq!(entries.len(), 3);
        assert_eq!(entries[2].digest, both);
    }

    #[test]
    fn an_empty_digest_is_shared_with_what_lacks_the_algorithm() {
        let mut merged = Merged::default();
        assert_eq!(merged.add(ResolvedArtifact::new("a", "x", "")), Some(0));
        assert_eq!(merged.add(ResolvedArtifact::new("b", "y", "1")), Some(1));
        assert_eq!(merged.add(ResolvedArtifact::new("a", "y", "1")), None);
        assert_eq!(merged.add(ResolvedArtifact::new("a", "x", "2")), Some(2));
        let digests = |at| merged.get(at).unwrap().digest.len();
        assert_eq!([digests(0), digests(1), digests(2)], [2, 1, 1]);
    }

    #[test]
    fn an_overwritten_digest_no_longer_identifies() {
        let mut merged = Merged::default();
        let digests = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect::<Digests>()
        };
        let add = |merged: &mut Merged, pairs: &[(&str, &str)]| {
            merged.add(ResolvedArtifact {
                name: "a".to_owned(),
                digest: digests(pairs),
            });
        };
        add(&mut merged, &[("x", "1"), ("y", "1")]);
        add(&mut merged, &[("x", "1"), ("y", "2")]);
        add(&mut merged, &[("y", "1")]);
        assert_eq!(merged.into_vec().len(), 2);
    }
}
