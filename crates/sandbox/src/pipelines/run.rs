//! One pipeline run from its first status to its last.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::children::{Cause, Children};
use super::facts::{Facts, Overdue, Request};
use super::limits::CHILDREN;
use super::plan::Plan;
use super::progress::Progress;
use super::refusal::Refusal;
use super::state::State as TaskState;
use super::verdict::{Names, Verdict};
use super::{child, fill, outcome, validate};
use crate::cluster::object;
use crate::cluster::route::Part;
use crate::cluster::state::State;
use crate::cluster::store::Key;
use crate::run_status;
use crate::steps::duration::{self, HOUR};

/// A time that does not come.
const NEVER: Duration = Duration::from_hours(8760);

/// A run and what is recorded of it.
struct ActiveRun {
    state: Arc<State>,
    key: Key,
    plan: Plan,
    children: Children,
    /// Each task as it was started or skipped.
    filled: Vec<Option<Value>>,
    names: Names,
    began: Instant,
    finally_began: Option<Instant>,
    status: Map<String, Value>,
}

/// Runs one pipeline run. The cluster's own end leaves it unfinished.
pub(super) async fn run(state: Arc<State>, key: Key, stop: CancellationToken) {
    let mut newest = state.store().subscribe();
    let Some(run) = state.store().get(&key) else {
        return;
    };
    let mut status = Map::from_iter([("startTime".to_owned(), object::now().into())]);
    if is_cancelled(&run) {
        let verdict = Verdict::cancelled(object::name(&run));
        return write(&state, &key, &mut status, &verdict);
    }
    let plan = match Plan::make(&state, &run) {
        Ok(plan) => plan,
        Err(refusal) => {
            let verdict = Verdict::failed(refusal.reason, refusal.message);
            return write(&state, &key, &mut status, &verdict);
        }
    };
    label(&state, &key, &run);
    status.insert("pipelineSpec".to_owned(), plan.spec.clone());
    let mut active = ActiveRun::new(state, key, plan, status);
    loop {
        newest.mark_unchanged();
        let Some(run) = active.state.store().get(&active.key) else {
            return active.children.cancel_all(Cause::Cancelled);
        };
        let verdict = active.pass(&run);
        if verdict.is_final() {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep_until(active.next_deadline()) => {}
            changed = newest.changed() => if changed.is_err() { return },
        }
    }
}

fn is_cancelled(run: &Value) -> bool {
    run["spec"]["status"] == "Cancelled"
        || run["spec"]["status"] == "PipelineRunCancelled"
        || object::is_deleting(run)
}

/// Names the pipeline in a label, as Tekton does, so that its runs can be selected.
fn label(state: &State, key: &Key, run: &Value) {
    let name = run["spec"]["pipelineRef"]["name"].as_str();
    let name = name.unwrap_or_else(|| object::name(run)).to_owned();
    let set = |run: &mut Value| {
        let labels = &mut run["metadata"]["labels"];
        if labels["tekton.dev/pipeline"].is_null() && name.len() <= 63 {
            labels["tekton.dev/pipeline"] = name.into();
        }
    };
    run_status::change(state, "tekton.dev/v1", "PipelineRun", key, Part::Whole, set);
}

/// Writes the status; with the last condition the time of the end.
fn write(state: &State, key: &Key, status: &mut Map<String, Value>, verdict: &Verdict) {
    if verdict.is_final() {
        status.insert("completionTime".to_owned(), object::now().into());
    }
    let mut whole = Value::Object(std::mem::take(status));
    run_status::set_condition(&mut whole, verdict.status, verdict.reason, &verdict.message);
    let written = whole.clone();
    run_status::change(
        state,
        "tekton.dev/v1",
        "PipelineRun",
        key,
        Part::Status,
        |run| {
            run["status"] = written;
        },
    );
    if let Value::Object(whole) = whole {
        *status = whole;
    }
}

impl ActiveRun {
    fn new(state: Arc<State>, key: Key, plan: Plan, status: Map<String, Value>) -> Self {
        let show = |time: Option<Duration>| duration::show(time.unwrap_or(HOUR));
        Self {
            children: Children::new(Arc::clone(&state), &key.namespace, plan.tasks.len()),
            filled: vec![None; plan.tasks.len()],
            names: Names {
                run: key.name.clone(),
                pipeline_timeout: show(plan.timeouts.pipeline),
                tasks_timeout: show(plan.timeouts.tasks),
            },
            began: Instant::now(),
            finally_began: None,
            state,
            key,
            plan,
            status,
        }
    }

    /// Looks at what has happened, starts and cancels what follows from it, and writes the status.
    fn pass(&mut self, run: &Value) -> Verdict {
        if is_cancelled(run) {
            self.children.cancel_all(Cause::Cancelled);
            return self.end(&Verdict::cancelled(&self.names.run));
        }
        let request = match run["spec"]["status"].as_str() {
            Some("CancelledRunFinally") => Some(Request::CancelRunFinally),
            Some("StoppedRunFinally") => Some(Request::StopRunFinally),
            _ => None,
        };
        self.cancel_late(request);
        let progress = self.progress(request);
        if let Err(refusal) = self.start(run, &progress) {
            self.children.cancel_all(Cause::Cancelled);
            return self.end(&Verdict::failed(refusal.reason, refusal.message));
        }
        // what was started now runs
        let progress = self.progress(request);
        let facts = self.facts(request);
        let mut verdict = Verdict::of(&facts, &progress, &self.names);
        let skipped = self.skipped(&progress);
        if verdict.is_final() {
            let (results, found) = outcome::results(&self.plan.spec, &self.plan.tasks, &progress);
            self.set("results", results);
            if let Err(why) = found {
                let run = &self.names.run;
                verdict = Verdict::failed(
                    "CouldntGetPipelineResult",
                    format!(
                        "Failed to get PipelineResult from TaskRun Results for PipelineRun {run}: \
                         {why}"
                    ),
                );
            }
        }
        if self.overdue().pipeline {
            self.children.cancel_all(Cause::OutOfTime);
        }
        self.set("skippedTasks", skipped);
        self.end(&verdict)
    }

    /// Writes what is known, and how the run stands.
    fn end(&mut self, verdict: &Verdict) -> Verdict {
        let references = self.references();
        self.set("childReferences", references);
        write(&self.state, &self.key, &mut self.status, verdict);
        verdict.clone()
    }

    fn set(&mut self, field: &str, list: Vec<Value>) {
        if !list.is_empty() {
            self.status.insert(field.to_owned(), list.into());
        }
    }

    fn facts(&self, request: Option<Request>) -> Facts<'_> {
        Facts {
            tasks: &self.plan.tasks,
            graph: &self.plan.graph,
            children: self.children.look(),
            request,
            overdue: self.overdue(),
        }
    }

    fn progress(&self, request: Option<Request>) -> Progress {
        Progress::of(&self.facts(request))
    }

    /// Starts the tasks that can start now.
    fn start(&mut self, run: &Value, progress: &Progress) -> Result<(), Refusal> {
        if let Some(why) = progress.index_out_of_bound() {
            return Err(Refusal::new("InvalidTaskResultReference", why));
        }
        let refuse = |why: String| Refusal::new("CreateRunFailed", why);
        for (at, state) in progress.states.iter().enumerate() {
            let TaskState::Ready(task) = state else {
                continue;
            };
            if self.plan.tasks[at].is_final && self.finally_began.is_none() {
                self.finally_began = Some(Instant::now());
                let now = object::now().into();
                self.status.insert("finallyStartTime".to_owned(), now);
            }
            validate::matrix(&self.plan.tasks[at].name, &task["matrix"])?;
            let runs = child::task_runs(run, &self.plan, at, task).map_err(refuse)?;
            if self.children.count() + runs.len() > CHILDREN {
                return Err(refuse(format!(
                    "the run has more than {CHILDREN} task runs"
                )));
            }
            self.filled[at] = Some((**task).clone());
            self.children.create(at, runs).map_err(refuse)?;
        }
        Ok(())
    }

    /// Cancels what runs although it was asked to end or its time is over.
    fn cancel_late(&self, request: Option<Request>) {
        let overdue = self.overdue();
        for (at, task) in self.plan.tasks.iter().enumerate() {
            let is_late = if task.is_final {
                overdue.finally
            } else {
                overdue.tasks && self.finally_began.is_none()
            };
            if is_late {
                self.children.cancel(at, Cause::OutOfTime);
            } else if request == Some(Request::CancelRunFinally) && !task.is_final {
                self.children.cancel(at, Cause::Cancelled);
            }
        }
    }

    fn overdue(&self) -> Overdue {
        let now = Instant::now();
        let [pipeline, tasks, finally] = self.deadlines();
        let is_over = |deadline: Option<Instant>| deadline.is_some_and(|deadline| now >= deadline);
        Overdue {
            pipeline: is_over(pipeline),
            // those that finished in time are not late while the rest runs
            tasks: is_over(tasks) && self.tasks_were_late(),
            finally: is_over(finally),
        }
    }

    /// Whether a task was still to be done when the time of the tasks was over.
    fn tasks_were_late(&self) -> bool {
        let Some(deadline) = self.deadlines()[1] else {
            return false;
        };
        self.finally_began.is_none_or(|began| began >= deadline)
    }

    /// When the times of the run, its tasks and `finally` are over.
    fn deadlines(&self) -> [Option<Instant>; 3] {
        let after =
            |began: Instant, time: Option<Duration>| time.map(|time| began + time.min(NEVER));
        let timeouts = &self.plan.timeouts;
        let finally = self.finally_began;
        [
            after(self.began, timeouts.pipeline),
            after(self.began, timeouts.tasks),
            finally.and_then(|began| after(began, timeouts.finally)),
        ]
    }

    fn next_deadline(&self) -> Instant {
        let now = Instant::now();
        let ahead = self.deadlines().into_iter().flatten();
        let next = ahead.filter(|deadline| *deadline > now).min();
        next.unwrap_or(now + NEVER)
    }

    fn references(&self) -> Vec<Value> {
        let mut references = Vec::new();
        for (at, task) in self.plan.tasks.iter().enumerate() {
            let spec = self.filled[at].as_ref().unwrap_or(&task.spec);
            for name in self.children.names(at) {
                let mut reference = json!({
                    "apiVersion": "tekton.dev/v1",
                    "kind": "TaskRun",
                    "name": name,
                    "pipelineTaskName": task.name,
                });
                for (field, from) in [("displayName", "displayName"), ("whenExpressions", "when")] {
                    if !spec[from].is_null() {
                        reference[field] = spec[from].clone();
                    }
                }
                references.push(reference);
            }
        }
        references
    }

    fn skipped(&self, progress: &Progress) -> Vec<Value> {
        let states = self.plan.tasks.iter().zip(&progress.states);
        let skipped = states.filter_map(|(task, state)| match state {
            TaskState::Skipped(skip) => {
                let filled = fill::task(&task.spec, &progress.variables).spec;
                Some(fill::skipped(task, *skip, &filled))
            }
            _ => None,
        });
        skipped.collect()
    }
}
