//! Stores: where signed artifacts are kept, and found again.
//!
//! [`Store`] is closed: every place that has to know its kinds matches them all. The stores of Tekton
//! Chains that do not exist yet are known by name and refused, so that nothing is marked as signed
//! that is not stored everywhere it should be.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use windlass_core::config::{Config, Storage, StoreKind};
use windlass_core::retry::Retry;
use windlass_core::run::Run;
use windlass_core::signed::{Signed, Stamped};
use windlass_registry::{Digest, Remote};

use self::evidence::Found;
use self::oci::attached::{AttachedError, Shelf};
use self::oci::{Layout, Oci, Settling, Stored, UploadError, layouts_of};
use crate::transfer::layout;
use crate::unsupported::{self, Unsupported};

pub(crate) mod evidence;
pub(crate) mod oci;
pub(crate) mod run;

/// A store, as the configuration has it.
#[derive(Clone, Copy)]
pub(crate) enum Store<'a> {
    /// The run itself: written with the record, in one patch.
    Run,
    /// The registry of the image.
    Oci {
        registries: &'a Oci,
        config: &'a Config,
    },
}

/// Where the artifacts of a store are looked for.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// In the annotations of this run.
    Run(&'a Run<'a>),
    /// Attached to this image: its referrers in the repository of `remote`, its tags in that of `tags`.
    Image {
        remote: &'a Remote,
        tags: &'a Remote,
        digest: &'a Digest,
    },
    /// Saved with this image in a folder.
    Folder {
        layout: &'a layout::Layout,
        digest: &'a Digest,
    },
}

impl Wanted<'_> {
    /// Reads everything that the store has there, and hands over each thing as it comes. What is
    /// damaged is among it; an error is a store that does not respond, or has more than is read.
    pub(crate) async fn each(self, mut see: impl FnMut(Found)) -> Result<(), AttachedError> {
        match self {
            Self::Run(run) => {
                run::get(run).into_iter().for_each(see);
                Ok(())
            }
            Self::Image {
                remote,
                tags,
                digest,
            } => {
                let [remote, tags] = [remote, tags].map(Shelf::Repository);
                oci::attached::read(remote, tags, digest, &mut see).await
            }
            Self::Folder { layout, digest } => {
                let saved = Shelf::Folder(layout);
                oci::attached::read(saved, saved, digest, &mut see).await
            }
        }
    }
}

/// How far a store got with an artifact.
#[derive(Debug)]
pub(crate) enum Put {
    /// It is stored, and was not before.
    Stored,
    /// It was stored already.
    Present,
    /// It has no place in this store.
    Nowhere,
    /// It is stored once the record is written.
    WithRecord,
    /// It is written and has yet to be read back.
    Confirm(Confirmation),
}

/// Something that is written and has yet to be read back.
#[derive(Debug)]
pub(crate) enum Confirmation {
    /// Entries under tags that others write too.
    Oci(Settling),
}

/// Why a store does not have an artifact.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// There is no such store yet.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// Registries refused or failed; there is at least one failure.
    #[error("{}", each(.0))]
    Oci(Vec<UploadError>),
}

impl StoreError {
    /// When the same can succeed.
    pub(crate) fn retry(&self) -> Retry {
        match self {
            Self::Unsupported(_) => Retry::Settings,
            Self::Oci(failures) => Retry::of_all(failures.iter().map(UploadError::retry)),
        }
    }
}

/// The failures in one line, without anything that a registry chose: it ends up on the run.
fn each(failures: &[UploadError]) -> String {
    let each: BTreeSet<_> = failures.iter().map(UploadError::outline).collect();
    each.into_iter().collect::<Vec<_>>().join("; ")
}

impl Confirmation {
    /// How many entries have to be read back.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Oci(settling) => settling.weight(),
        }
    }

    /// How long there is nothing to do.
    pub(crate) fn after(&self) -> Duration {
        match self {
            Self::Oci(settling) => settling.after(),
        }
    }
}

/// What verifiers look for a timestamp of, where these stores put something signed: of the whole envelope
/// beside an attestation under a tag, of the signature everywhere else.
pub(crate) fn stamped(
    stores: &[StoreKind],
    signed: &Signed,
    storage: &Storage,
) -> &'static [Stamped] {
    let layouts = if stores.contains(&StoreKind::Oci) && signed.envelope().is_some() {
        layouts_of(signed, storage)
    } else {
        Vec::new()
    };
    let is_elsewhere = stores.iter().any(|kind| *kind != StoreKind::Oci);
    if !layouts.contains(&Layout::Tag) {
        &[Stamped::Signature]
    } else if is_elsewhere || layouts.contains(&Layout::Bundle) {
        &[Stamped::Signature, Stamped::Envelope]
    } else {
        &[Stamped::Envelope]
    }
}

impl<'a> Store<'a> {
    /// The store of this kind. `artifact` is the name of its part of the configuration: `taskrun`,
    /// `pipelinerun` or `oci`.
    pub(crate) fn of(
        kind: StoreKind,
        artifact: &str,
        registries: &'a Oci,
        config: &'a Config,
    ) -> Result<Self, Unsupported> {
        if let Some(missing) = unsupported::store(artifact, kind) {
            return Err(missing);
        }
        Ok(match kind {
            StoreKind::Oci => Self::Oci { registries, config },
            // every other one is missing
            _ => Self::Run,
        })
    }

    /// Stores an artifact, unless it is there. What was begun by an earlier call is carried on. What a
    /// registry does not have by `until` is an error.
    pub(crate) async fn put(
        self,
        run: &Run<'_>,
        signed: &Arc<Signed>,
        begun: Option<Confirmation>,
        until: Instant,
        warnings: &mut Vec<String>,
    ) -> Result<Put, StoreError> {
        let stored = match (self, begun) {
            (Self::Run, _) => return Ok(Put::WithRecord),
            (Self::Oci { registries, .. }, Some(Confirmation::Oci(settling))) => {
                registries.confirm(settling, until, warnings).await
            }
            (Self::Oci { registries, config }, None) => {
                let storage = &config.storage;
                registries.put(run, signed, storage, until, warnings).await
            }
        };
        match stored.map_err(StoreError::Oci)? {
            Stored::Nowhere => Ok(Put::Nowhere),
            Stored::Present => Ok(Put::Present),
            Stored::Written => Ok(Put::Stored),
            Stored::Settling(settling) => Ok(Put::Confirm(Confirmation::Oci(settling))),
        }
    }
}
