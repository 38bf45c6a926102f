//! The status of a run, in Tekton's words.

use std::sync::Arc;

use serde_json::{Value, json};

use super::pod::{self, PodStep};
use crate::child_name::child_name;
use crate::cluster::object;
use crate::cluster::route::Part;
use crate::cluster::state::State;
use crate::cluster::store::Key;
use crate::run_status;

/// How a run ended.
#[derive(Debug)]
pub(super) struct Outcome {
    pub status: &'static str,
    pub reason: &'static str,
    pub message: String,
}

/// A run that is not valid.
pub(super) fn invalid(message: impl Into<String>) -> Outcome {
    Outcome::failed("TaskRunValidationFailed", message)
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

    /// Whether another attempt may succeed. What was refused or cancelled is not tried again.
    pub(super) fn is_retriable(&self) -> bool {
        self.status == "False" && matches!(self.reason, "Failed" | "TaskRunTimeout")
    }

    pub(super) fn failed(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: "False",
            reason,
            message: message.into(),
        }
    }
}

/// The status of a run while it runs; written whole each time.
pub(super) struct Record {
    state: Arc<State>,
    key: Key,
    /// Whether the run has a pod by now.
    has_pod: bool,
    pub status: Value,
}

impl Record {
    pub(super) fn begin(state: Arc<State>, key: Key) -> Self {
        let mut record = Self {
            state,
            key,
            has_pod: false,
            status: json!({}),
        };
        record.start();
        record
    }

    /// Begins an attempt.
    fn start(&mut self) {
        let suffix = match self.retries() {
            0 => "-pod".to_owned(),
            count => format!("-pod-retry{count}"),
        };
        self.has_pod = false;
        self.status["startTime"] = object::now().into();
        self.status["podName"] = child_name(&self.key.name, &suffix).into();
    }

    /// How often the run was tried before.
    pub(super) fn retries(&self) -> usize {
        self.status["retriesStatus"].as_array().map_or(0, Vec::len)
    }

    /// Puts what a failed attempt has left aside, and begins another one.
    pub(super) fn retry(&mut self, outcome: &Outcome) {
        self.status["completionTime"] = object::now().into();
        set(&mut self.status, outcome);
        self.write_pod();
        let mut attempt = self.status.take();
        let attempts = attempt.as_object_mut();
        let earlier = attempts.and_then(|attempt| attempt.remove("retriesStatus"));
        let mut all = match earlier {
            Some(Value::Array(all)) => all,
            _ => Vec::new(),
        };
        all.push(attempt);
        self.status = json!({"retriesStatus": all});
        run_status::set_condition(&mut self.status, "Unknown", "ToBeRetried", &outcome.message);
        self.write_status();
        self.start();
    }

    /// All steps, each waiting, in a pod of their own.
    pub(super) fn announce_steps(&mut self, run: &Value, steps: &[PodStep]) {
        let waiting = steps.iter().map(|step| {
            let mut entry = json!({
                "name": step.name, "container": pod::container(&step.name),
                "waiting": {"reason": "PodInitializing"},
            });
            if let Some(id) = &step.image_id {
                entry["imageID"] = id.clone().into();
            }
            entry
        });
        self.status["steps"] = waiting.collect();
        let name = self.pod_name();
        self.has_pod = pod::create(&self.state, run, &name, steps);
        self.write(&Outcome::running());
    }

    pub(super) fn pod_name(&self) -> String {
        let name = self.status["podName"].as_str();
        name.unwrap_or_default().to_owned()
    }

    pub(super) fn start_step(&mut self, at: usize) {
        let entry = &mut self.status["steps"][at];
        drop_state(entry);
        entry["running"] = json!({"startedAt": object::now()});
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
        drop_state(entry);
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
        if !self.has_pod {
            // it was refused before it had one
            self.status["podName"] = "".into();
        }
        self.write(outcome);
    }

    fn write(&mut self, outcome: &Outcome) {
        set(&mut self.status, outcome);
        self.write_pod();
        self.write_status();
    }

    fn write_pod(&self) {
        if self.has_pod {
            let name = self.pod_name();
            pod::update(&self.state, &self.key.namespace, &name, &self.status);
        }
    }

    fn write_status(&self) {
        let status = self.status.clone();
        run_status::change(
            &self.state,
            "tekton.dev/v1",
            "TaskRun",
            &self.key,
            Part::Status,
            |run| run["status"] = status,
        );
    }
}

fn set(status: &mut Value, outcome: &Outcome) {
    run_status::set_condition(status, outcome.status, outcome.reason, &outcome.message);
}

fn drop_state(entry: &mut Value) {
    if let Some(entry) = entry.as_object_mut() {
        entry.remove("running");
        entry.remove("waiting");
    }
}
