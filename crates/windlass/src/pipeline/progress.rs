//! What earlier passes over a run signed, logged and began to store.
//!
//! A pass starts from this, so that nothing is signed or logged twice because something else failed.
//! It is read from the run, where a signature that cannot be made again is written with the first
//! write that has to happen before all stores have it; within one process it is also handed from a
//! pass to the next. Nothing on the run is believed: a signature counts if the key made it of the
//! very payload that would be signed now, a log entry if the log has it for this signature.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use windlass_core::annotation;
use windlass_core::config::{Storage, StoreKind};
use windlass_core::format::Format;
use windlass_core::key::Certificate;
use windlass_core::run::{Metadata, Run};
use windlass_core::signed::{Artifact, Identity, Repeatability, Signature, Signed, StoredProof};
use windlass_core::tlog::Author;

use super::artifacts::Item;
use crate::log::{Claimed, Log};
use crate::sign::Signer;
use crate::store::Confirmation;

/// What is in memory of an artifact besides its payload and signature, and of each of its subjects:
/// names, digests, and the entries of maps. A run with 8,000 images had 3 KiB of each.
const PER_ARTIFACT: usize = 2 << 10;
const PER_SUBJECT: usize = 1 << 10;

/// What is known of one artifact in one format.
#[derive(Debug, Default)]
pub(super) struct Begun {
    pub(super) signed: Option<Arc<Signed>>,
    /// Its log entry according to the run. Whoever may edit the run may have written it.
    pub(super) claimed: Claimed,
    /// Whether a registry may have a signature with its entry that the run does not carry.
    pub(super) may_be_elsewhere: bool,
    /// Stores that have yet to read it back.
    pub(super) confirmations: HashMap<StoreKind, Confirmation>,
    /// Stores that have it, as an earlier part of the same pass found out.
    pub(super) done: BTreeSet<StoreKind>,
}

impl Begun {
    /// Forgets what stores have, and what they have yet to read back.
    pub(super) fn forget_stores(&mut self) {
        self.confirmations.clear();
        self.done.clear();
    }
}

/// What a pass hands to the next.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The settings of the stores under which it was made.
    storage: Option<Box<Storage>>,
    artifacts: HashMap<(Artifact, Format), Begun>,
}

impl Progress {
    /// Nothing yet, under these settings of the stores.
    pub(super) fn under(storage: &Storage) -> Self {
        Self {
            storage: Some(Box::new(storage.clone())),
            artifacts: HashMap::new(),
        }
    }

    /// Forgets what stores have and have to read back, unless their settings are still these.
    pub(super) fn continue_under(&mut self, storage: &Storage) {
        if self.storage.as_deref() == Some(storage) {
            return;
        }
        self.artifacts.values_mut().for_each(Begun::forget_stores);
    }

    /// Whether there is nothing to hand on.
    pub(crate) fn is_empty(&self) -> bool {
        self.artifacts.is_empty()
    }

    /// How much it takes of memory, in artifacts and entries that are to be read back.
    pub(crate) fn weight(&self) -> usize {
        let each = self.artifacts.values().map(|begun| {
            let entries = begun.confirmations.values().map(Confirmation::weight);
            1 + entries.sum::<usize>()
        });
        each.sum()
    }

    /// How many bytes of what was signed are in memory.
    pub(crate) fn bytes(&self) -> usize {
        let each = self.artifacts.values().map(|begun| {
            let signed = begun.signed.as_ref();
            PER_ARTIFACT + signed.map_or(0, |signed| bytes_of(signed))
        });
        each.sum()
    }

    /// Notes what was signed.
    pub(super) fn keep(&mut self, signed: &Arc<Signed>) {
        self.of(signed).signed = Some(Arc::clone(signed));
    }

    /// Notes what a store has yet to read back.
    pub(super) fn confirm(&mut self, signed: &Arc<Signed>, store: StoreKind, what: Confirmation) {
        self.of(signed).confirmations.insert(store, what);
    }

    /// Notes that a store has it.
    pub(super) fn done(&mut self, signed: &Arc<Signed>, store: StoreKind) {
        self.of(signed).done.insert(store);
    }

    fn of(&mut self, signed: &Arc<Signed>) -> &mut Begun {
        let key = (signed.artifact.clone(), signed.payload.format);
        self.artifacts.entry(key).or_default()
    }

    /// The signatures that cannot be made again, for a pass that comes after a pause. What stores
    /// have is then looked for anew.
    pub(crate) fn without_confirmations(self) -> Self {
        let Self { storage, artifacts } = self;
        let unique = artifacts.into_iter().filter_map(|(key, begun)| {
            let signed = begun.signed?;
            let is_kept = is_unique(&signed);
            let begun = Begun {
                signed: Some(signed),
                ..Begun::default()
            };
            is_kept.then_some((key, begun))
        });
        Self {
            storage,
            artifacts: unique.collect(),
        }
    }

    /// What was begun of an artifact, if its payload and the signer are still the same.
    pub(super) fn take(
        &mut self,
        item: &Item,
        run: &Run<'_>,
        (signer, log): (&Signer, &Log),
    ) -> Begun {
        let key = (item.artifact.clone(), item.payload.format);
        let is_same = |begun: &Begun| {
            begun.signed.as_ref().is_some_and(|signed| {
                signed.payload.bytes == item.payload.bytes && signer.is(&signed.identity)
            })
        };
        let begun = self.artifacts.remove(&key).filter(is_same);
        let mut begun = begun.unwrap_or_else(|| on_run(item, run.metadata(), signer));
        let is_logged = |signed: &Arc<Signed>| signed.entry.get().is_some();
        if !begun.signed.as_ref().is_some_and(is_logged) {
            // what an earlier part of the pass signed may have been logged before that
            let key = self::key(&item.artifact, item.payload.format);
            begun.claimed = Claimed::on_run(run.metadata(), &key);
        }
        begun.signed = begun.signed.take_if(|signed| {
            // no log takes the signature of a certificate that has ended
            let has_entry = begun.claimed.is_some() || signed.entry.get().is_some();
            has_entry || !log.is_on() || signed.identity.is_current(Timestamp::now())
        });
        begun
    }
}

fn bytes_of(signed: &Signed) -> usize {
    // an envelope has the payload in it again, encoded
    let copies = if signed.envelope().is_some() { 3 } else { 1 };
    let payload = &signed.payload;
    let proof = signed.proof_size();
    payload.bytes.len() * copies + payload.subjects.len() * PER_SUBJECT + proof
}

/// Whether a signature, or its log entry, would be another one if it were made again.
pub(super) fn is_unique(signed: &Signed) -> bool {
    signed.repeatability == Repeatability::Unique || signed.entry.get().is_some()
}

/// The signature that the run carries, if it is the one of this payload by this signer, and the log
/// entry that the run claims it has. A signature that can be made again is: what the run carries may
/// be another form of it, which nobody here made.
fn on_run(item: &Item, metadata: &Metadata<'_>, signer: &Signer) -> Begun {
    let key = key(&item.artifact, item.payload.format);
    let repeatability = signer.repeatability();
    let restored = match repeatability {
        Repeatability::Repeatable => None,
        Repeatability::Unique => {
            let stored = decoded(metadata, &annotation::signature(&key));
            let restored = stored.and_then(|stored| {
                let pem = decoded(metadata, &annotation::certificate(&key));
                let leaf = pem.and_then(|pem| Certificate::from_pem(&pem).ok());
                let identity = &earlier_identity(leaf, signer)?;
                let (artifact, payload) = (&item.artifact, &item.payload);
                Signed::restore(artifact, payload, &stored, identity, repeatability)
            });
            restored.or_else(|| in_entry(item, metadata, &key, signer))
        }
    };
    Begun {
        signed: restored.map(Arc::new),
        ..Begun::default()
    }
}

/// The signature that is in the entry that the run carries, if it is the one of this payload by this signer. A signature
/// that is in a registry alone is on the run in this form only.
fn in_entry(item: &Item, metadata: &Metadata<'_>, key: &str, signer: &Signer) -> Option<Signed> {
    let proof = metadata.annotation(&annotation::proof(key))?;
    let author = Author::of(&StoredProof::read(proof).entry?)?;
    let signature = Signature {
        bytes: author.signature,
        identity: earlier_identity(author.certificate, signer)?,
        repeatability: signer.repeatability(),
    };
    Signed::checked(&item.artifact, &item.payload, signature)
}

/// Who made the signature that the run carries, if that can be the signer: a certificate that the run
/// carries has to be one of the same authority for the same identity. The chain is the signer's own.
pub(super) fn earlier_identity(
    leaf: Option<Certificate>,
    signer: &Signer,
) -> Option<Arc<Identity>> {
    let newest = signer.identity();
    let Some(authority) = signer.authority() else {
        return Some(newest);
    };
    let leaf = leaf?;
    let chain = newest.chain_pem().to_owned();
    let is_theirs = authority.has_issued(&leaf);
    is_theirs.then(|| Arc::new(Identity::Certificate { leaf, chain }))
}

fn decoded(metadata: &Metadata<'_>, name: &str) -> Option<Vec<u8>> {
    STANDARD.decode(metadata.annotation(name)?).ok()
}

/// What names an artifact in one format in the annotations of its run. An image may be signed in two
/// formats; the one of Chains has its name.
pub(crate) fn key(artifact: &Artifact, format: Format) -> String {
    let short = artifact.short_key();
    match format {
        Format::ImageStatement => format!("{short}.statement"),
        Format::Tekton
        | Format::SlsaV1
        | Format::SlsaV2Alpha3
        | Format::SlsaV2Alpha4
        | Format::SimpleSigning
        | Format::Statement
        | Format::Content => short.to_owned(),
    }
}

#[cfg(test)]
impl Progress {
    /// What a pass over a run with so many images hands on.
    pub(crate) fn of_images(count: usize) -> Self {
        let mut progress = Self::default();
        let Ok(key) = windlass_core::key::PrivateKey::generate_p256(&[7; 32]) else {
            return progress;
        };
        let identity = Arc::new(Identity::Key(key.public_key().clone()));
        let images = (0..count).filter_map(|number| {
            let image = format!("r.io/app@sha256:{number:064x}");
            windlass_core::image::Image::parse(&image).ok()
        });
        for image in images {
            let payload = windlass_core::payload::Payload::of_image(&image);
            let signature = windlass_core::signed::Signature {
                bytes: vec![0; 72],
                identity: Arc::clone(&identity),
                repeatability: Repeatability::Repeatable,
            };
            let signed = Signed::new(Artifact::Image(image), payload, signature);
            progress.keep(&Arc::new(signed));
        }
        progress
    }
}
