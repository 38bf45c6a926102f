//! The line from a finished run to its record: artifacts → payload → earlier signature or sign → log →
//! stores → record.
//!
//! It is gone through twice for a run with something for a registry: first as far as the run itself,
//! which waits for nobody, then to the registries.
//!
//! Nothing is written to the run here. The controller marks a run only if the state of the record is
//! [`State::Complete`], which it is if every step of every artifact was confirmed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::time::Instant;
use windlass_core::config::{LogNeed, SignerKind, StoreKind};
use windlass_core::payload::Payload;
use windlass_core::retry::Retry;
use windlass_core::run::Run;
use windlass_core::signed::{Signature, Signed, message};

use self::artifacts::{Item, plan};
use self::postponed::{awaited, postponed};
use self::progress::Begun;
use self::record::Delivery;
use crate::log::{Added, Claimed, LogError};
use crate::sign::SignError;
use crate::sign::signers::Signers;
use crate::store::{Put, Store};
use crate::telemetry::{Failure, Stage};

pub(crate) use self::artifacts::{PlanError, has_images};
pub(crate) use self::means::{Means, Reach};
pub(crate) use self::progress::Progress;
pub(crate) use self::record::{Record, State};

mod artifacts;
mod failures;
mod means;
mod postponed;
mod progress;
mod record;

/// Artifacts of one run that are worked on at once.
const AT_ONCE: usize = 8;
/// How long stores wait for an entry that they can do without.
const IMPATIENCE: Duration = Duration::from_secs(10);

impl PlanError {
    /// When a repetition is worth it.
    pub(crate) fn retry(&self) -> Retry {
        match self {
            Self::Format { .. } | Self::Store(_) => Retry::Never,
            Self::NoSigner(_) => Retry::Settings,
        }
    }
}

/// Signs, logs and stores everything that is enabled for a finished run: itself, and the images it
/// built. `earlier` is what passes before this one have done.
pub(crate) async fn attest(
    run: &Run<'_>,
    means: Means<'_>,
    mut earlier: Progress,
) -> Result<Record, PlanError> {
    let plan = plan(run, means).await?;
    let storage = &means.config.storage;
    earlier.continue_under(storage);
    let mut record = Record::new(plan.warnings, storage);
    record.postpone(plan.postponed);
    for failure in plan.failures {
        let counted = Failure::at(Stage::Payload, failure.reason());
        means.metrics.failed(run.kind(), counted);
        record.fail(failure.retry(), failure.outline());
    }
    let items = plan.items.into_iter().map(|item| {
        let begun = match means.signers.get(item.signer) {
            Ok(signer) => earlier.take(&item, run, (signer, means.log)),
            Err(_) => Begun::default(),
        };
        (item, begun)
    });
    let mut deliveries = stream::iter(items)
        .map(|(item, begun)| deliver(run, item, begun, means))
        .buffered(AT_ONCE);
    while let Some(delivery) = deliveries.next().await {
        for failure in delivery.failures() {
            means.metrics.failed(run.kind(), failure);
        }
        record.add(delivery);
    }
    drop(deliveries);
    record.finish(run.kind());
    Ok(record)
}

/// Takes one artifact through every step that is enabled for it. Each step leaves a note; a step
/// that needs what a failed one did not give is not done, and its note is the failure of that one.
async fn deliver(run: &Run<'_>, item: Item, begun: Begun, means: Means<'_>) -> Delivery {
    let mut delivery = Delivery {
        signed: None,
        failed: None,
        unlogged: None,
        notes: Vec::new(),
        postponed: BTreeSet::new(),
        warnings: Vec::new(),
    };
    let awaited = awaited(&item, means);
    if begun.signed.is_none() && !awaited.is_empty() {
        delivery.postponed = awaited;
        return delivery;
    }
    let Item {
        artifact,
        payload,
        policy,
        signer,
        stores,
    } = item;
    let signed = match begun.signed {
        Some(signed) => signed,
        None => match sign(means.signers, signer, &payload).await {
            Ok(signature) => {
                means.metrics.of(run.kind()).signatures.inc();
                Arc::new(Signed::new(artifact, payload, signature))
            }
            Err(error) => {
                delivery.failed = Some(error.into());
                return delivery;
            }
        },
    };
    let had_entry = signed.entry.get().is_some();
    let logged = log(run, &signed, begun.claimed, means).await;
    let is_late = delivery.note_entry(logged, means);
    let (mut confirmations, mut done) = (begun.confirmations, begun.done);
    if signed.entry.get().is_some() != had_entry {
        // what has it has it without the entry
        confirmations.clear();
        done.clear();
    }
    for kind in stores {
        if is_late && kind != StoreKind::Tekton {
            continue;
        }
        if done.contains(&kind) {
            delivery.notes.push((kind, Ok(Put::Present)));
            continue;
        }
        let hosts = postponed(kind, (&signed.artifact, &signed.payload), means);
        if !hosts.is_empty() {
            delivery.postponed.extend(hosts);
            continue;
        }
        let warnings = &mut delivery.warnings;
        let put = match Store::of(kind, policy, means.registries, means.config) {
            Ok(store) => {
                let begun = confirmations.remove(&kind);
                let until = means.reach.until();
                store.put(run, &signed, begun, until, warnings).await
            }
            Err(unsupported) => Err(unsupported.into()),
        };
        if let Ok(Put::Stored) = put {
            means.metrics.stored(run.kind(), kind, 1);
        }
        delivery.notes.push((kind, put));
    }
    delivery.signed = Some(signed);
    delivery
}

impl Delivery {
    /// Notes how it went with the entry in the log, and whether stores wait for it.
    fn note_entry(&mut self, logged: Result<Option<String>, LogError>, means: Means<'_>) -> bool {
        let error = match logged {
            Ok(None) => return false,
            Ok(Some(host)) => return self.postponed.insert(host),
            Err(error) => error,
        };
        match means.config.transparency.need {
            // what is stored elsewhere is stored for good, with its entry
            LogNeed::Required => {
                self.failed = Some(error.into());
                means.log.is_on()
            }
            LogNeed::Deferred => {
                self.failed = Some(error.into());
                false
            }
            LogNeed::BestEffort => {
                self.unlogged = Some(error);
                false
            }
        }
    }
}

/// Has the log add an entry. The host of the log, if that has to wait for a later pass.
async fn log(
    run: &Run<'_>,
    signed: &Signed,
    claimed: Claimed,
    means: Means<'_>,
) -> Result<Option<String>, LogError> {
    if let (Reach::Run, Some(host)) = (means.reach, means.log.host_for(signed)) {
        return Ok(Some(host.to_owned()));
    }
    let mut until = means.reach.until();
    if means.config.transparency.need != LogNeed::Required {
        until = until.min(Instant::now() + IMPATIENCE);
    }
    if means.log.add(run, signed, claimed, until).await? == Added::Now {
        means.metrics.of(run.kind()).uploaded.inc();
    }
    Ok(None)
}

/// Signs a payload with the signer of this name.
async fn sign(
    signers: Signers<'_>,
    signer: SignerKind,
    payload: &Payload,
) -> Result<Signature, SignError> {
    match signers.get(signer) {
        Ok(signer) => signer.sign(&message(payload)).await,
        Err(missing) => Err(SignError::NotLoaded(missing.to_owned())),
    }
}
