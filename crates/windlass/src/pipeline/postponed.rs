//! What a pass leaves to a later one, because a registry would have to be asked.

use std::collections::BTreeSet;

use windlass_core::config::StoreKind;
use windlass_core::payload::Payload;
use windlass_core::signed::{Artifact, Repeatability};

use super::artifacts::Item;
use super::means::{Means, Reach};
use crate::sign::Signer;
use crate::store::oci;

/// The hosts that an artifact waits for, if this pass can do nothing with it. It is then signed in the
/// pass that asks them, so that no signature is kept in memory meanwhile, or made again. One that would
/// be another one then is made now: it has to be on the run before anybody is asked.
pub(super) fn awaited(item: &Item, means: Means<'_>) -> BTreeSet<String> {
    let is_repeatable = |signer: &Signer| signer.repeatability() == Repeatability::Repeatable;
    if means.log.is_on() || !means.signers.get(item.signer).is_ok_and(is_repeatable) {
        return BTreeSet::new();
    }
    let what = (&item.artifact, &item.payload);
    let each = item.stores.iter().map(|kind| {
        let hosts = postponed(*kind, what, means);
        (!hosts.is_empty()).then_some(hosts)
    });
    let all: Option<Vec<_>> = each.collect();
    all.unwrap_or_default().into_iter().flatten().collect()
}

/// The hosts that a store would ask, if it has to wait for a later pass.
pub(super) fn postponed(
    kind: StoreKind,
    (artifact, payload): (&Artifact, &Payload),
    means: Means<'_>,
) -> BTreeSet<String> {
    match (kind, means.reach) {
        (StoreKind::Oci, Reach::Run) => oci::hosts_of(artifact, payload, &means.config.storage),
        _ => BTreeSet::new(),
    }
}
