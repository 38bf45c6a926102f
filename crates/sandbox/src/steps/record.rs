//! The status of a run, in Tekton's words.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::cluster::author::Author;
use crate::cluster::kind::ServedKind;
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

/// The status of a run while it runs; written whole each time.
pub(super) struct Record {
    state: Arc<State>,
    key: Key,
    pub status: Value,
}

impl Record {
    pub(super) fn begin(state: Arc<State>, key: Key) -> Self {
        let status = json!({
            "startTime": object::now(),
            "podName": format!("{}-pod", key.name),
        });
        Self { state, key, status }
    }

    /// All steps, each waiting.
    pub(super) fn announce_steps(&mut self, names: &[String]) {
        let waiting = names.iter().map(|name| {
            json!({
                "name": name, "container": container(name),
                "waiting": {"reason": "PodInitializing"},
            })
        });
        self.status["steps"] = waiting.collect();
        self.write(&Outcome::running());
    }

    pub(super) fn start_step(&mut self, at: usize, name: &str) {
        self.status["steps"][at] = json!({
            "name": name, "container": container(name), "running": {"startedAt": object::now()},
        });
        self.write(&Outcome::running());
    }

    /// The end of a step: its exit code, the reason of its container, and Tekton's own reason.
    pub(super) fn end_step(&mut self, at: usize, code: i32, reason: &str, termination: &str) {
        let entry = &mut self.status["steps"][at];
        let now = object::now();
        let started = entry["running"]["startedAt"]
            .as_str()
            .unwrap_or(&now)
            .to_owned();
        if let Some(entry) = entry.as_object_mut() {
            entry.remove("running");
            entry.remove("waiting");
        }
        entry["terminationReason"] = termination.into();
        entry["terminated"] = json!({
            "exitCode": code, "reason": reason, "startedAt": started, "finishedAt": now,
        });
        self.write(&Outcome::running());
    }

    /// The results, if there are any; written with the end.
    pub(super) fn set_results(&mut self, results: Vec<Value>) {
        if !results.is_empty() {
            self.status["results"] = results.into();
        }
    }

    pub(super) fn finish(&mut self, outcome: &Outcome) {
        self.status["completionTime"] = object::now().into();
        self.write(outcome);
    }

    fn write(&mut self, outcome: &Outcome) {
        self.status["conditions"] = outcome.condition();
        let Some(served) = ServedKind::by_document("tekton.dev/v1", "TaskRun") else {
            return;
        };
        let author = Author {
            manager: "windlass-steps".to_owned(),
            dry_run: false,
            operation: Operation::Update,
        };
        let mut store = self.state.store();
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

fn container(step: &str) -> String {
    format!("step-{step}")
}
