//! One run from its first status to its last: attempts, until one succeeds or none is left.

use std::sync::Arc;

use serde_json::Value;

use super::attempt;
use super::record::{Outcome, Record};
use super::shared::Shared;
use super::stop::cancelled;
use crate::cluster::store::Key;

/// Most retries of a run.
const RETRIES: usize = 100;

/// Runs one task run. The cluster's own end leaves it unfinished.
pub(super) async fn run(shared: Arc<Shared>, key: Key) {
    let Some(run) = shared.state.store().get(&key) else {
        return;
    };
    let mut record = Record::begin(Arc::clone(&shared.state), key.clone());
    if let Some(outcome) = cancelled(&run) {
        return record.finish(&outcome);
    }
    let retries = retries(&run);
    if retries > RETRIES {
        let message = format!("expected 0 <= {retries} <= {RETRIES}: spec.retries");
        return record.finish(&Outcome::failed("TaskRunValidationFailed", message));
    }
    loop {
        let Some(run) = shared.state.store().get(&key) else {
            return;
        };
        if let Some(outcome) = cancelled(&run) {
            return record.finish(&outcome);
        }
        let ended = {
            let place = tokio::select! {
                place = shared.places.acquire() => place,
                () = shared.stop.cancelled() => return,
            };
            let ended = Box::pin(attempt::run(&shared, &key, &run, &mut record)).await;
            drop(place);
            ended
        };
        let Some(outcome) = ended else { return };
        if !outcome.is_retriable() || record.retries() >= retries {
            return record.finish(&outcome);
        }
        record.retry(&outcome);
    }
}

fn retries(run: &Value) -> usize {
    let retries = run["spec"]["retries"].as_u64().unwrap_or_default();
    usize::try_from(retries).unwrap_or(usize::MAX)
}
