//! The line from a finished run to its record: artifacts → payload → earlier signature or sign → log →
//! stores → record.
//!
//! It is gone through twice for a run with something for a registry: first as far as the run itself,
//! which waits for nobody, then to the registries.
//!
//! Nothing is written to the run here. The controller marks a run only if the state of the record is
//! [`State::Complete`], which it is if every step of every artifact was confirmed.

use std::mem;
use std::sync::Arc;

use futures::{StreamExt, stream};
use windlass_core::config::{SignerKind, StoreKind};
use windlass_core::run::Run;
use windlass_core::signed::Signed;

use self::artifacts::{Item, plan};
use self::delivery::Delivery;
use self::earlier::TakenUp;
use self::postponed::{awaited, postponed};
use self::progress::Begun;
use crate::log::{Claimed, LogError};
use crate::sign::SignError;
use crate::store::Put;
use crate::telemetry::{Failure, Stage};

pub(crate) use self::artifacts::{PlanError, has_images};
pub(crate) use self::means::{Means, Reach};
pub(crate) use self::progress::Progress;
pub(crate) use self::record::{Record, State};

mod artifacts;
mod delivery;
mod earlier;
mod failures;
mod means;
mod postponed;
mod progress;
mod record;
mod steps;

/// Artifacts of one run that are worked on at once.
const AT_ONCE: usize = 8;

/// Signs, logs and stores everything that is enabled for a finished run: itself, and the images it
/// built. `progress` is what passes before this one have done.
pub(crate) async fn attest(
    run: &Run<'_>,
    means: Means<'_>,
    mut progress: Progress,
) -> Result<Record, PlanError> {
    let plan = plan(run, means).await?;
    let storage = &means.config.storage;
    progress.continue_under(storage);
    let mut record = Record::new(plan.warnings, storage);
    record.postpone(plan.postponed);
    for failure in plan.failures {
        let counted = Failure::at(Stage::Payload, failure.reason());
        means.metrics.failed(run.kind(), counted);
        record.fail(failure.retry(), failure.outline());
    }
    let may_be_elsewhere = earlier::may_exist(run, &plan.items);
    let items = plan.items.into_iter().map(|item| {
        let mut begun = match means.signers.get(item.signer) {
            Ok(signer) => progress.take(&item, run, (signer, means.log)),
            Err(_) => Begun::default(),
        };
        begun.may_be_elsewhere = may_be_elsewhere;
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
async fn deliver(run: &Run<'_>, item: Item, mut begun: Begun, means: Means<'_>) -> Delivery {
    let mut delivery = Delivery::default();
    if begun.signed.is_none() {
        delivery.postponed = awaited(&item, means);
        if !delivery.postponed.is_empty() {
            return delivery;
        }
    }
    let (policy, stores) = (item.policy, item.stores.clone());
    let before = begun.signed.clone();
    let had_entry = before.as_ref().is_some_and(has_entry);
    let (signed, logged) = match signed_and_logged(run, item, &mut begun, means).await {
        Ok(done) => done,
        Err(error) => return delivery.without_signature(error),
    };
    // what has it without the entry gets it with the entry, and what is known of another is not known of this one
    let is_same = before.is_some_and(|before| Arc::ptr_eq(&before, &signed));
    if has_entry(&signed) != had_entry || !is_same {
        begun.forget_stores();
    }
    let is_late = delivery.note_entry(logged, means);
    for kind in stores {
        if is_late && kind != StoreKind::Tekton {
            continue;
        }
        let hosts = postponed(kind, (&signed.artifact, &signed.payload), means);
        if begun.done.contains(&kind) {
            delivery.notes.push((kind, Ok(Put::Present)));
        } else if !hosts.is_empty() {
            delivery.postponed.extend(hosts);
        } else {
            let begun = begun.confirmations.remove(&kind);
            let warnings = &mut delivery.warnings;
            let put = steps::store(run, &signed, (kind, policy, begun), means, warnings).await;
            delivery.notes.push((kind, put));
        }
    }
    delivery.signed = Some(signed);
    delivery
}

/// What a log made of a signature: the host that is asked in a later pass, if it has to wait.
type Logged = Result<Option<String>, LogError>;

/// The earlier signature of an artifact, or a new one, with its log entry. One whose certificate has ended counts with
/// the entry that it had; where that is not valid it is made again.
async fn signed_and_logged(
    run: &Run<'_>,
    item: Item,
    begun: &mut Begun,
    means: Means<'_>,
) -> Result<(Arc<Signed>, Logged), SignError> {
    let place = (item.signer, item.stores.clone(), begun.may_be_elsewhere);
    let mut claimed = mem::take(&mut begun.claimed);
    if let Some(signed) = begun.signed.take() {
        let (signed, logged) = logged(run, signed, &place, mem::take(&mut claimed), means).await;
        if !matches!(logged, Err(LogError::Ended)) {
            return Ok((signed, logged));
        }
    }
    let signed = steps::sign(run, item, means).await?;
    Ok(logged(run, signed, &place, claimed, means).await)
}

/// A signature with its log entry, or an earlier one of the same payload that a registry has, with its own.
async fn logged(
    run: &Run<'_>,
    mut signed: Arc<Signed>,
    (kind, stores, may_be_elsewhere): &(SignerKind, Vec<StoreKind>, bool),
    mut claimed: Claimed,
    means: Means<'_>,
) -> (Arc<Signed>, Logged) {
    if *may_be_elsewhere {
        match earlier::take_up(run, &signed, (*kind, stores), &claimed, means).await {
            Ok(Some(TakenUp::Logged(earlier))) => return (earlier, Ok(None)),
            Ok(Some(TakenUp::Unknown(earlier, error))) => return (earlier, Err(error)),
            Ok(Some(TakenUp::Unlogged(earlier, theirs))) => (signed, claimed) = (earlier, theirs),
            Ok(None) => {}
            Err(error) => return (signed, Err(error)),
        }
    }
    let logged = steps::log(run, (&signed, stores), claimed, means).await;
    (signed, logged)
}

fn has_entry(signed: &Arc<Signed>) -> bool {
    signed.entry.get().is_some()
}
