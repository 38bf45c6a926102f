//! What earlier passes over a run signed, logged and began to store.
//!
//! A pass starts from this, so that nothing is signed or logged twice because something else failed.
//! It is read from the run, where a signature that cannot be made again is written with the first
//! write that has to happen before all stores have it; within one process it is also handed from a
//! pass to the next. Nothing on the run is believed: a signature counts if the key made it of the
//! very payload that would be signed now, a log entry if the log has it for this signature.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use windlass_core::annotation;
use windlass_core::config::StoreKind;
use windlass_core::format::Format;
use windlass_core::run::{Metadata, Run};
use windlass_core::signed::{Artifact, Repeatability, Signed};

use super::artifacts::Item;
use crate::sign::Signer;
use crate::store::Confirmation;

/// What is known of one artifact in one format.
#[derive(Debug, Default)]
pub(super) struct Begun {
    pub(super) signed: Option<Arc<Signed>>,
    /// The URL of its log entry according to the run. Whoever may edit the run may have written it.
    pub(super) claimed: Option<String>,
    pub(super) confirmations: HashMap<StoreKind, Confirmation>,
}

/// What a pass hands to the next.
#[derive(Debug, Default)]
pub(crate) struct Progress(HashMap<String, Begun>);

impl Progress {
    /// Whether there is nothing to hand on.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes what was signed.
    pub(super) fn keep(&mut self, signed: &Arc<Signed>) {
        let key = key(&signed.artifact, signed.payload.format);
        self.0.entry(key).or_default().signed = Some(Arc::clone(signed));
    }

    /// Notes what a store has yet to read back.
    pub(super) fn confirm(&mut self, signed: &Arc<Signed>, store: StoreKind, what: Confirmation) {
        self.keep(signed);
        let key = key(&signed.artifact, signed.payload.format);
        let begun = self.0.entry(key).or_default();
        begun.confirmations.insert(store, what);
    }

    /// The signatures that cannot be made again, for a pass that comes after a pause. What has to be
    /// read back is then looked for anew.
    pub(crate) fn without_confirmations(self) -> Self {
        let unique = self.0.into_iter().filter_map(|(key, begun)| {
            let signed = begun.signed?;
            let is_unique = signed.repeatability == Repeatability::Unique;
            let begun = Begun {
                signed: Some(signed),
                ..Begun::default()
            };
            is_unique.then_some((key, begun))
        });
        Self(unique.collect())
    }

    /// What was begun of an artifact, if its payload and the signer are still the same.
    pub(super) fn take(&mut self, item: &Item, run: &Run<'_>, signer: &Signer) -> Begun {
        let begun = self.0.remove(&key(&item.artifact, item.payload.format));
        let is_same = |signed: &Arc<Signed>| {
            signed.payload.bytes == item.payload.bytes && signed.identity == *signer.identity()
        };
        match begun {
            Some(begun) if begun.signed.as_ref().is_some_and(is_same) => begun,
            _ => on_run(item, run.metadata(), signer),
        }
    }
}

/// The signature that the run carries, if it is the one of this payload by this signer, and the log
/// entry that the run claims it has.
fn on_run(item: &Item, metadata: &Metadata<'_>, signer: &Signer) -> Begun {
    let key = key(&item.artifact, item.payload.format);
    let stored = metadata.annotation(&annotation::signature(&key));
    let stored = stored.and_then(|text| STANDARD.decode(text).ok());
    let (artifact, payload) = (&item.artifact, &item.payload);
    let (identity, repeatability) = (signer.identity(), signer.repeatability());
    let restored = stored
        .and_then(|stored| Signed::restore(artifact, payload, &stored, identity, repeatability));
    let claimed = metadata.annotation(&annotation::log_entry(&key));
    Begun {
        claimed: claimed.filter(|_| restored.is_some()).map(str::to_owned),
        signed: restored.map(Arc::new),
        confirmations: HashMap::new(),
    }
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
        | Format::SimpleSigning => short.to_owned(),
    }
}
