//! Runs that are yet to be run.

use serde_json::Value;

use crate::cluster::object;
use crate::cluster::state::State;
use crate::cluster::store::Key;
use crate::run_status;

/// Runs of a kind that changed after `revision` and are yet to be run, with their uids, and the
/// revision now.
pub(crate) fn unfinished(
    state: &State,
    storage: &str,
    revision: u64,
    is_pending: impl Fn(&Value) -> bool,
) -> (Vec<(Key, String)>, u64) {
    let store = state.store();
    let wanted = |key: &Key, run: &Value| {
        (key.storage == storage && !is_pending(run) && !run_status::is_finished(run))
            .then(|| (key.clone(), object::meta(run, "uid").to_owned()))
    };
    let found = match store.since(revision) {
        Ok(changes) => changes
            .filter(|change| !change.deleted)
            .filter_map(|change| wanted(&change.key, &change.after))
            .collect(),
        Err(_) => store
            .objects()
            .iter()
            .filter_map(|(key, run)| wanted(key, run))
            .collect(),
    };
    (found, store.revision())
}
