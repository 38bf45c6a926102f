//! What a run says of the entry of a signature, and what came of it. Whoever may edit the run may have
//! written it.

use windlass_core::run::Metadata;
use windlass_core::signed::{Signed, Stamped, StoredProof};
use windlass_core::tlog::{Author, Entry};
use windlass_core::{annotation, tlog};

/// What came of adding an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    /// The log was told of the signature.
    Now,
    /// Nothing had to be done.
    Nothing,
}

/// What a run says of an entry, as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Claimed {
    /// The address of the entry.
    pub(crate) url: Option<String>,
    /// The entry and the timestamps themselves.
    pub(crate) proof: Option<String>,
    /// The number of the entry, where somebody else than the run says it.
    pub(crate) index: Option<u64>,
}

/// An entry that a run has or names; nothing of it is checked.
#[derive(Debug, Default)]
pub(super) struct Claim {
    /// The entry that the run has.
    pub(super) stored: Option<Entry>,
    /// The number of the entry.
    pub(super) index: Option<u64>,
}

/// Timestamps that a run has; nothing of them is checked.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    signature: Option<Vec<u8>>,
    envelope: Option<Vec<u8>>,
}

impl Stamps {
    /// The one of this.
    pub(super) fn of(&self, what: Stamped) -> Option<&[u8]> {
        let stamp = match what {
            Stamped::Signature => &self.signature,
            Stamped::Envelope => &self.envelope,
        };
        stamp.as_deref()
    }
}

impl Claimed {
    /// What the annotations of a run say under a key.
    pub(crate) fn on_run(metadata: &Metadata<'_>, key: &str) -> Self {
        let text = |name: String| metadata.annotation(&name).map(str::to_owned);
        Self {
            url: text(annotation::log_entry(key)),
            proof: text(annotation::proof(key)),
            index: None,
        }
    }

    /// Whether it has an entry of this very signature, by what the entry says of itself.
    pub(crate) fn is_of(&self, signed: &Signed) -> bool {
        let author = self.read().0.stored.as_ref().and_then(Author::of);
        let signature = signed.signature_bytes();
        author.is_some_and(|author| signature.is_some_and(|it| *it == *author.signature))
    }

    /// Whether there is any.
    pub(crate) fn is_some(&self) -> bool {
        self.url.is_some() || self.proof.is_some()
    }

    /// It, read: the entry, and the timestamps beside it.
    pub(super) fn read(&self) -> (Claim, Stamps) {
        let StoredProof {
            entry,
            timestamp,
            envelope_timestamp,
        } = self
            .proof
            .as_deref()
            .map_or_else(StoredProof::default, StoredProof::read);
        let claim = Claim {
            stored: entry,
            index: self
                .index
                .or_else(|| self.url.as_deref().and_then(tlog::index_in_url)),
        };
        let stamps = Stamps {
            signature: timestamp,
            envelope: envelope_timestamp,
        };
        (claim, stamps)
    }
}
