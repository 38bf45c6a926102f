//! Taking up from a registry what an earlier signing of the run has left there and nowhere else.
//!
//! A signature that cannot be made again has one log entry. Where neither of the two fits on the run, the registry has
//! both: a run that is signed once more uses them again, so that the log gets no second entry. A signature without an
//! entry there is used again as well: the log is asked to add it, and says where it is if it has it already. Nothing
//! that the registry has is believed: the signature counts if our identity made it of this very payload, the entry if
//! it passes every check of the log.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use windlass_core::annotation;
use windlass_core::config::{SignerKind, StoreKind};
use windlass_core::run::Run;
use windlass_core::signed::{Repeatability, Signature, Signed};

use super::artifacts::Item;
use super::means::{Means, Reach};
use super::progress::earlier_identity;
use crate::log::{Claimed, LogError};
use crate::sign::Signer;
use crate::store::oci::Earlier;
use crate::store::{run as run_store, stamped};

/// Most signatures of a registry that the log is asked about.
const MOST: usize = 4;
/// Bytes that a signature and its certificate take on a run, about.
const PER_SIGNATURE: usize = 3 << 10;

/// A signature that a registry has.
pub(super) enum TakenUp {
    /// The log has its entry, which it carries.
    Logged(Arc<Signed>),
    /// The log is not known to have it; this is claimed of its entry and timestamps.
    Unlogged(Arc<Signed>, Claimed),
    /// Whether the log has it could not be found out.
    Unknown(Arc<Signed>, LogError),
}

/// Whether there may be signatures of a run that it does not carry: it was signed and logged once, or there is so
/// little room that an earlier pass, which was cut off, could not write them down.
pub(super) fn may_exist(run: &Run<'_>, items: &[Item]) -> bool {
    let each = items.iter().map(|item| {
        // an envelope has the payload in base64, and is in base64 itself
        let is_statement = item.payload.format.is_statement();
        let content = if is_statement {
            item.payload.bytes.len() * 16 / 9
        } else {
            0
        };
        PER_SIGNATURE + content
    });
    let metadata = run.metadata();
    let is_marked = metadata.annotation(annotation::TRANSPARENCY).is_some();
    is_marked
        || run_store::foreign_size(metadata) + 2 * each.sum::<usize>()
            > annotation::TOTAL_SIZE_LIMIT
}

/// The signature of the same payload that a registry has, one with an entry before all others; none if there is none,
/// or if it is the one that there is anyway.
pub(super) async fn take_up(
    run: &Run<'_>,
    signed: &Signed,
    (kind, stores): (SignerKind, &[StoreKind]),
    claimed: &Claimed,
    means: Means<'_>,
) -> Result<Option<TakenUp>, LogError> {
    let Reach::Registries(until) = means.reach else {
        return Ok(None);
    };
    let is_looked_for = means.log.is_on()
        && signed.entry.get().is_none()
        && signed.repeatability == Repeatability::Unique
        && stores.contains(&StoreKind::Oci)
        && !claimed.is_of(signed);
    let Ok(by) = means.signers.get(kind) else {
        return Ok(None);
    };
    if !is_looked_for {
        return Ok(None);
    }
    let storage = &means.config.storage;
    let looked = means.registries.earlier(run, signed, storage, until).await;
    let found = looked.map_err(|error| LogError::Unread {
        reason: error.outline(),
        retry: error.retry(),
    })?;
    let ours = found
        .into_iter()
        .filter_map(|one| ours(one, signed, (by, claimed)));
    let mut unlogged: Option<(Signed, Claimed)> = None;
    for (earlier, claimed) in ours.take(MOST) {
        let stamped = stamped(stores, &earlier, storage);
        let asked = (&earlier, stamped);
        match means.log.has(run, asked, &claimed, until).await {
            Ok(true) => return Ok(Some(TakenUp::Logged(Arc::new(earlier)))),
            Ok(false) => {}
            Err(error) => return Ok(Some(TakenUp::Unknown(Arc::new(earlier), error))),
        }
        let is_current = earlier.identity.is_current(Timestamp::now());
        let is_it = earlier.signature == signed.signature;
        if is_current && (is_it || unlogged.is_none()) {
            unlogged = Some((earlier, claimed));
        }
    }
    let other = unlogged.filter(|(earlier, _)| earlier.signature != signed.signature);
    Ok(other.map(|(earlier, claimed)| TakenUp::Unlogged(Arc::new(earlier), claimed)))
}

/// A signature of a registry, if our identity made it of this payload, with what is claimed of its entry.
fn ours(
    earlier: Earlier,
    signed: &Signed,
    (by, on_run): (&Signer, &Claimed),
) -> Option<(Signed, Claimed)> {
    let signature = Signature {
        bytes: earlier.signature,
        identity: earlier_identity(earlier.certificate, by)?,
        repeatability: by.repeatability(),
    };
    let claimed = Claimed {
        url: on_run.url.clone(),
        proof: Some(Value::Object(earlier.proof).to_string()),
        index: earlier.index,
    };
    let checked = Signed::checked(&signed.artifact, &signed.payload, signature)?;
    Some((checked, claimed))
}
