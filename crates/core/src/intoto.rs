//! In-toto: statements about subjects.

use std::collections::BTreeMap;

/// What a statement is about: a name and its digests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Name: a repository or a URI.
    pub name: String,
    /// Hex digests by algorithm.
    pub digest: BTreeMap<String, String>,
}
