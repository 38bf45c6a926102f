//! What is written of a run: its status, in Tekton's words.

use serde_json::{Value, json};

use crate::cluster::author::Author;
use crate::cluster::kind::Served;
use crate::cluster::managed::Operation;
use crate::cluster::object;
use crate::cluster::route::Part;
use crate::cluster::state::State;
use crate::cluster::store::Key;
use crate::cluster::verbs;

/// How a run ended.
#[derive(Debug)]
pub(super) struct Outcome {
    pub status: &'static str,
    pub reason: &'static str,
    pub message: String,
}

impl Outcome {
    pub(super) fn running() -> Self {
        let message = "Not all Steps in the Task have finished executing".to_owned();
        Self {
            status: "Unknown",
            reason: "Running",
            message,
        }
    }

    pub(super) fn succeeded() -> Self {
        let message = "All Steps have completed executing".to_owned();
        Self {
            status: "True",
            reason: "Succeeded",
            message,
        }
    }

    pub(super) fn failed(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: "False",
            reason,
            message: message.into(),
        }
    }

    fn condition(&self) -> Value {
        json!([{
            "type": "Succeeded", "status": self.status, "reason": self.reason,
            "message": self.message, "lastTransitionTime": object::now(),
        }])
    }
}

/// Whether the run's condition `Succeeded` is decided.
pub(super) fn is_finished(run: &Value) -> bool {
    let conditions = run["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|one| {
        one["type"] == "Succeeded" && (one["status"] == "True" || one["status"] == "False")
    })
}

/// The status of a run while it is carried out; written whole each time.
pub(super) struct Record {
    key: Key,
    pub status: Value,
}

impl Record {
    pub(super) fn begin(key: Key) -> Self {
        let mut record = Self {
            status: json!({"startTime": object::now()}),
            key,
        };
        record.status["podName"] = format!("{}-pod", record.key.name).into();
        record
    }

    pub(super) fn finish(&mut self, state: &State, outcome: &Outcome) {
        self.status["completionTime"] = object::now().into();
        self.write(state, outcome);
    }

    pub(super) fn write(&mut self, state: &State, outcome: &Outcome) {
        self.status["conditions"] = outcome.condition();
        let Some(served) = Served::by_document("tekton.dev/v1", "TaskRun") else {
            return;
        };
        let author = Author {
            manager: "windlass-steps".to_owned(),
            dry_run: false,
            operation: Operation::Update,
        };
        let mut store = state.store();
        let Some(found) = store.get(&self.key) else {
            return;
        };
        let mut new = (*found).clone();
        new["status"] = self.status.clone();
        let written = verbs::replace(&mut store, served, Part::Status, &found, new, &author);
        if let Err(error) = written {
            tracing::warn!(run = self.key.name, %error, "could not write the status of a task run");
        }
    }
}
