//! Runs pipeline runs as Tekton does: tasks in order, with results between them, `when`, `finally`,
//! matrices, retries, times and cancellation. It makes the task runs; [`crate::steps::StepRunner`]
//! runs their steps.
//!
//! What happens next is decided by pure functions: `plan` turns a run into tasks and their order,
//! `progress` and `verdict` turn what is known of the task runs into what is started, skipped and
//! told. Only `run` and `children` touch the cluster. Custom tasks, pipelines in pipelines and remote
//! resolution are refused; everything that a run may ask for is bounded (`limits`).

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cluster::Cluster;
use crate::cluster::state::State;
use crate::steps::pending;
use crate::task::Task;

mod child;
mod children;
mod facts;
mod fill;
mod graph;
mod limits;
mod matrix;
mod outcome;
mod plan;
mod progress;
mod references;
mod refusal;
mod resolve;
mod run;
mod skip;
mod state;
mod substitute;
#[cfg(test)]
mod tests;
mod validate;
mod verdict;
mod when;
mod workspaces;

/// Watches a cluster and runs its unfinished pipeline runs until dropped or shut down.
#[derive(Debug)]
pub struct PipelineRunner {
    task: Task,
}

impl PipelineRunner {
    /// Starts to run pipeline runs, those that already exist included.
    pub fn start(cluster: &Cluster) -> Self {
        let stop = cluster.state().traffic.stop.child_token();
        let state = Arc::clone(cluster.state());
        Self {
            task: Task::start(stop.clone(), serve(state, stop)),
        }
    }

    /// Leaves running pipeline runs as they are, and waits until nothing of them is under way.
    pub async fn shutdown(self) {
        self.task.shutdown().await;
    }
}

async fn serve(state: Arc<State>, stop: CancellationToken) {
    let runs = TaskTracker::new();
    let mut seen = HashSet::new();
    let mut newest = state.store().subscribe();
    let mut revision = 0;
    let is_pending = |run: &Value| run["spec"]["status"] == "PipelineRunPending";
    loop {
        newest.mark_unchanged();
        let (changed, now) = pending::unfinished(&state, "pipelineruns", revision, is_pending);
        revision = now;
        for (key, uid) in changed {
            if seen.insert(uid) {
                runs.spawn(run::run(Arc::clone(&state), key, stop.clone()));
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            changed = newest.changed() => if changed.is_err() { break },
        }
    }
    runs.close();
    runs.wait().await;
}
