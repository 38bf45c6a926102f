//! Runs that were signed here although their mark was sealed with a key that nobody here knows.
//!
//! Such a seal is no evidence: anybody can write one. So the run is signed. Where another controller
//! signs with another key, it thinks the same of the seal that is written here, and the two would
//! replace each other's records without end. The second time, the run is left to the other one: what
//! is signed stays valid, whoever has the last word.

use windlass_core::decide::{Facts, Trust};
use windlass_core::run::{Kind, Metadata};

use super::released::Released;

/// The uids of such runs. One is enough to sign a run here once more after a restart.
#[derive(Debug, Default)]
pub(super) struct Conceded(Released);

impl Conceded {
    /// Remembers a run that was signed in spite of its seal.
    pub(super) fn add(&self, uid: &str) {
        self.0.add(uid.to_owned());
    }

    /// Whether the mark of a run is left as it is.
    pub(super) fn covers(&self, kind: Kind, metadata: &Metadata<'_>, trust: &Trust<'_>) -> bool {
        self.0.has(&*metadata.uid) && trust.has_foreign_seal(kind, metadata)
    }

    /// The facts about a run, whose mark counts if it is left as it is.
    pub(super) fn apply<'r>(
        &self,
        facts: Facts<'r>,
        kind: Kind,
        metadata: &Metadata<'_>,
        trust: &Trust<'_>,
    ) -> Facts<'r> {
        let believed = facts.believed || (facts.done && self.covers(kind, metadata, trust));
        Facts { believed, ..facts }
    }
}
