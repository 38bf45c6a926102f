//! The task runs of one pipeline run on the cluster: created, looked at and cancelled.

use std::sync::Arc;

use serde_json::{Value, json};

use super::facts::{Child, End};
use super::validate::list;
use crate::cluster::kind::ServedKind;
use crate::cluster::route::Part;
use crate::cluster::state::State;
use crate::cluster::store::Key;
use crate::cluster::verbs::{self, Writer};
use crate::run_status;

/// Tekton's words for who cancelled a task run.
const BY_PIPELINE: &str = "TaskRun cancelled as the PipelineRun it belongs to has been cancelled.";
const BY_TIMEOUT: &str = "TaskRun cancelled as the PipelineRun it belongs to has timed out.";

/// What a task run says that has no condition yet.
static NONE: Value = Value::Null;

/// Why a task run is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Cancelled,
    OutOfTime,
}

/// The task runs of each task, by name.
#[derive(Debug)]
pub(super) struct Children {
    state: Arc<State>,
    namespace: String,
    names: Vec<Vec<String>>,
}

impl Children {
    pub(super) fn new(state: Arc<State>, namespace: &str, tasks: usize) -> Self {
        Self {
            state,
            namespace: namespace.to_owned(),
            names: vec![Vec::new(); tasks],
        }
    }

    pub(super) fn names(&self, task: usize) -> &[String] {
        self.names.get(task).map_or(&[], Vec::as_slice)
    }

    pub(super) fn count(&self) -> usize {
        self.names.iter().map(Vec::len).sum()
    }

    /// Creates the task runs of a task; or says why the cluster refuses one.
    pub(super) fn create(&mut self, task: usize, runs: Vec<Value>) -> Result<(), String> {
        let Some(served) = ServedKind::by_document("tekton.dev/v1", "TaskRun") else {
            return Ok(());
        };
        let mut store = self.state.store();
        for run in runs {
            let made = verbs::create(
                &mut store,
                served,
                &self.namespace,
                run,
                Writer::Client,
                &run_status::author(),
            );
            let made = made.map_err(|status| status.to_string())?;
            let name = crate::cluster::object::name(&made).to_owned();
            self.names[task].push(name);
        }
        Ok(())
    }

    /// What became of the task runs of each task, those of a matrix in the order of their names.
    pub(super) fn look(&self) -> Vec<Vec<Child>> {
        let store = self.state.store();
        let look = |name: &String| {
            let found = store.get(&self.key(name));
            found.map_or_else(deleted, |run| child(&run))
        };
        let of_task = |names: &Vec<String>| {
            let mut names: Vec<&String> = names.iter().collect();
            names.sort();
            names.into_iter().map(look).collect()
        };
        self.names.iter().map(of_task).collect()
    }

    /// Cancels the task runs of a task that still run.
    pub(super) fn cancel(&self, task: usize, cause: Cause) {
        let message = match cause {
            Cause::Cancelled => BY_PIPELINE,
            Cause::OutOfTime => BY_TIMEOUT,
        };
        for name in self.names(task) {
            let key = self.key(name);
            let cancel = |run: &mut Value| {
                if !run_status::is_finished(run) && run["spec"]["status"].is_null() {
                    run["spec"]["status"] = json!("TaskRunCancelled");
                    run["spec"]["statusMessage"] = json!(message);
                }
            };
            run_status::change(
                &self.state,
                "tekton.dev/v1",
                "TaskRun",
                &key,
                Part::Whole,
                cancel,
            );
        }
    }

    pub(super) fn cancel_all(&self, cause: Cause) {
        (0..self.names.len()).for_each(|task| self.cancel(task, cause));
    }

    fn key(&self, name: &str) -> Key {
        Key::new("taskruns", &self.namespace, name)
    }
}

/// Somebody took the task run away: nothing more comes of it.
fn deleted() -> Child {
    Child {
        end: Some(End::Cancelled),
        reason: "TaskRunCancelled".to_owned(),
        results: Vec::new(),
    }
}

fn child(run: &Value) -> Child {
    let condition = run_status::condition(run).unwrap_or(&NONE);
    let reason = condition["reason"].as_str().unwrap_or_default();
    let end = match (condition["status"].as_str(), reason) {
        (Some("True"), _) => Some(End::Succeeded),
        (Some("False"), "TaskRunCancelled") if run["spec"]["statusMessage"] == BY_TIMEOUT => {
            Some(End::OutOfTime)
        }
        (Some("False"), "TaskRunCancelled") => Some(End::Cancelled),
        (Some("False"), _) => Some(End::Failed),
        _ => None,
    };
    let results = list(&run["status"]["results"]);
    let results = results.map(|result| {
        let name = result["name"].as_str().unwrap_or_default();
        (name.to_owned(), result["value"].clone())
    });
    Child {
        end,
        reason: reason.to_owned(),
        results: results.collect(),
    }
}
