//! The steps of one artifact, each counted once it is done: sign, log, store.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{Instrument as _, error_span};
use windlass_core::config::{LogNeed, StoreKind};
use windlass_core::run::Run;
use windlass_core::signed::{Signed, message};

use super::artifacts::Item;
use super::means::{Means, Reach};
use crate::log::{Added, Claimed, LogError};
use crate::sign::SignError;
use crate::store::{Confirmation, Put, Store, StoreError, stamped};

/// How long stores wait for an entry that they can do without.
const IMPATIENCE: Duration = Duration::from_secs(10);

/// Signs an artifact with the signer that its part of the configuration names.
pub(super) async fn sign(
    run: &Run<'_>,
    item: Item,
    means: Means<'_>,
) -> Result<Arc<Signed>, SignError> {
    let signer = means.signers.get(item.signer);
    let signer = signer.map_err(|missing| SignError::NotLoaded(missing.to_owned()))?;
    let format = item.payload.format.as_str();
    let span = error_span!("sign", format);
    let message = message(&item.payload);
    let signature = signer.sign(&message).instrument(span).await?;
    means.metrics.of(run.kind()).signatures.inc();
    Ok(Arc::new(Signed::new(
        item.artifact,
        item.payload,
        signature,
    )))
}

/// Has the log add an entry, with the timestamps that these stores have use for. The host of the log, if that
/// has to wait for a later pass.
pub(super) async fn log(
    run: &Run<'_>,
    (signed, stores): (&Signed, &[StoreKind]),
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
    let stamped = stamped(stores, signed, &means.config.storage);
    let added = means.log.add(run, (signed, stamped), claimed, until);
    let added = added.instrument(error_span!("log"));
    if added.await? == Added::Now {
        means.metrics.of(run.kind()).uploaded.inc();
    }
    Ok(None)
}

/// Puts an artifact into a store of its part of the configuration, or reads back what an earlier pass
/// began to put there.
pub(super) async fn store(
    run: &Run<'_>,
    signed: &Arc<Signed>,
    (kind, policy, begun): (StoreKind, &'static str, Option<Confirmation>),
    means: Means<'_>,
    warnings: &mut Vec<String>,
) -> Result<Put, StoreError> {
    let store = Store::of(kind, policy, means.registries, means.config)?;
    let until = means.reach.until();
    let put = store.put(run, signed, begun, until, warnings);
    let put = put.instrument(error_span!("store", store = kind.as_str()));
    let put = put.await?;
    if let Put::Stored = put {
        means.metrics.stored(run.kind(), kind, 1);
    }
    Ok(put)
}
