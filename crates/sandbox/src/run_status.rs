//! The status of a run, as its controller writes it. Shared by the runners of both kinds.

use serde_json::{Value, json};

use crate::cluster::author::Author;
use crate::cluster::kind::ServedKind;
use crate::cluster::managed::Operation;
use crate::cluster::object;
use crate::cluster::route::Part;
use crate::cluster::state::State;
use crate::cluster::store::Key;
use crate::cluster::verbs;

/// Whether the run's condition `Succeeded` is decided.
pub(crate) fn is_finished(run: &Value) -> bool {
    condition(run).is_some_and(|one| one["status"] == "True" || one["status"] == "False")
}

/// The run's condition `Succeeded`.
pub(crate) fn condition(run: &Value) -> Option<&Value> {
    let conditions = run["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .find(|one| one["type"] == "Succeeded")
}

/// Sets the condition `Succeeded` in a status; one that says the same keeps its time.
pub(crate) fn set_condition(status: &mut Value, verdict: &str, reason: &str, message: &str) {
    let before = &status["conditions"][0];
    if before["status"] == verdict && before["reason"] == reason && before["message"] == message {
        return;
    }
    status["conditions"] = json!([{
        "type": "Succeeded", "status": verdict, "reason": reason, "message": message,
        "lastTransitionTime": object::now(),
    }]);
}

/// Changes an object under the lock of the store; an object that is gone stays gone.
pub(crate) fn change(
    state: &State,
    api_version: &str,
    kind: &str,
    key: &Key,
    part: Part,
    change: impl FnOnce(&mut Value),
) {
    let Some(served) = ServedKind::by_document(api_version, kind) else {
        return;
    };
    let mut store = state.store();
    let Some(found) = store.get(key) else {
        return;
    };
    let mut new = (*found).clone();
    change(&mut new);
    let written = verbs::replace(&mut store, served, part, &found, new, &author());
    if let Err(error) = written {
        tracing::warn!(kind, name = key.name, %error, "could not write an object");
    }
}

/// Who writes what the runners write.
pub(crate) fn author() -> Author {
    Author {
        manager: "windlass-steps".to_owned(),
        dry_run: false,
        operation: Operation::Update,
    }
}
