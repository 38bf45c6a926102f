//! Artifacts: named things with digests, that runs consume or produce.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::image::is_lower_hex;

/// Hex digits by algorithm.
pub type Digests = BTreeMap<String, String>;

/// A named thing with its digests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Artifact {
    /// A repository or a URI.
    pub name: String,
    /// Its digests.
    pub digest: Digests,
}

impl Artifact {
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
    /// Reads `ALGORITHM:HEX`: behaviour reference, section 3.1.
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
/// added to the earlier one, in its place: behaviour reference, section 3.1. Lookups are indexed,
/// so that a run with very many results costs no more than their number.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    entries: Vec<Artifact>,
    index: HashMap<(String, String, String), BTreeSet<usize>>,
}

impl Merged {
    pub(crate) fn add(&mut self, artifact: Artifact) {
        let Artifact { name, digest } = artifact;
        let key = |algorithm: &str, hex: &str| (name.clone(), algorithm.to_owned(), hex.to_owned());
        let same = digest
            .iter()
            .filter_map(|(algorithm, hex)| self.index.get(&key(algorithm, hex))?.first().copied())
            .min();
        let at = same.unwrap_or(self.entries.len());
        if same.is_none() {
            self.entries.push(Artifact {
                name: name.clone(),
                digest: Digests::new(),
            });
        }
        for (algorithm, hex) in digest {
            self.index
                .entry(key(&algorithm, &hex))
                .or_default()
                .insert(at);
            let Some(old) = self.entries[at]
                .digest
                .insert(algorithm.clone(), hex.clone())
            else {
                continue;
            };
            if old == hex {
                continue;
            }
            if let Some(positions) = self.index.get_mut(&key(&algorithm, &old)) {
                positions.remove(&at);
            }
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Artifact> {
        self.entries
    }
}

impl Extend<Artifact> for Merged {
    fn extend<I: IntoIterator<Item = Artifact>>(&mut self, artifacts: I) {
        artifacts
            .into_iter()
            .for_each(|artifact| self.add(artifact));
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
        merged.add(Artifact::new("a", "sha1", "1"));
        merged.add(Artifact::new("b", "sha1", "1"));
        merged.add(Artifact::new("a", "sha1", "2"));
        let both = Digests::from([
            ("sha1".to_owned(), "2".to_owned()),
            ("sha256".to_owned(), "3".to_owned()),
        ]);
        merged.add(Artifact {
            name: "a".to_owned(),
            digest: both.clone(),
        });
        let entries = merged.into_vec();
        assert_eq!(entries.len(), 3);
        assert_eq!(entries[2].digest, both);
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
            merged.add(Artifact {
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
