//! Runs the steps of task runs: each as a local process, without isolation, in a scratch folder.
//! Status is written as Tekton writes it (conditions, steps, results). There are no images, so a
//! step's `imageID` stays empty. Pipeline runs are not run and get no status. Paths
//! such as `/tekton/results` do not exist; steps must use `$(results.NAME.path)` and the like.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use tokio_util::task::TaskTracker;

use crate::cluster::Cluster;
use crate::cluster::object;
use crate::cluster::state::State;
use crate::cluster::store::Key;
use crate::task::Task;

mod context;
mod exec;
mod plan;
mod process;
mod record;
mod results;
mod run;
mod shared;
mod stop;
#[cfg(test)]
mod tests;
mod unknown;
mod variables;
mod workspace;

pub use shared::Output;

use shared::Shared;

/// How task runs are run.
#[derive(Clone, Default)]
pub struct Options {
    /// Takes each line a step prints; without it lines are logged at `info`.
    pub output: Option<Output>,
}

/// The runner could not be started.
#[derive(Debug, thiserror::Error)]
#[error(
    "could not make a scratch folder for task runs; check the space and rights of the folder \
         for temporary files"
)]
pub struct RunnerError(#[from] std::io::Error);

/// Watches a cluster and runs its unfinished task runs until dropped or shut down.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use windlass_sandbox::steps::{self, StepRunner};
/// use windlass_sandbox::{Cluster, Options};
///
/// let cluster = Cluster::start(Options::default()).await?;
/// let runner = StepRunner::start(&cluster, steps::Options::default())?;
/// // … task runs that are created now run …
/// runner.shutdown().await;
/// cluster.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct StepRunner {
    task: Task,
}

impl StepRunner {
    /// Starts to run task runs, those that already exist included.
    pub fn start(cluster: &Cluster, options: Options) -> Result<Self, RunnerError> {
        let folder = tempfile::Builder::new()
            .prefix("windlass-claims-")
            .tempdir()?;
        let stop = cluster.state().traffic.stop.child_token();
        let shared = Arc::new(Shared {
            state: Arc::clone(cluster.state()),
            output: options.output.unwrap_or_else(|| Arc::new(log)),
            claims: folder.path().to_owned(),
            stop: stop.clone(),
        });
        Ok(Self {
            task: Task::start(stop, serve(shared, folder)),
        })
    }

    /// Kills running steps and waits until every run's task is over.
    pub async fn shutdown(self) {
        self.task.shutdown().await;
    }
}

fn log(run: &str, step: &str, line: &str) {
    tracing::info!(run, step, "{line}");
}

async fn serve(shared: Arc<Shared>, claims: TempDir) {
    let runs = TaskTracker::new();
    let mut seen = HashSet::new();
    let mut newest = shared.state.store().subscribe();
    let mut revision = 0;
    loop {
        newest.mark_unchanged();
        let (changed, now) = unfinished(&shared.state, revision);
        revision = now;
        for (key, uid) in changed {
            if seen.insert(uid) {
                runs.spawn(run::run(Arc::clone(&shared), key));
            }
        }
        tokio::select! {
            () = shared.stop.cancelled() => break,
            changed = newest.changed() => if changed.is_err() { break },
        }
    }
    runs.close();
    runs.wait().await;
    drop(claims);
}

/// Task runs that changed after `revision` and are yet to be run, and the revision now.
fn unfinished(state: &State, revision: u64) -> (Vec<(Key, String)>, u64) {
    let store = state.store();
    let wanted = |key: &Key, run: &Value| {
        let pending = run["spec"]["status"] == "TaskRunPending";
        (key.storage == "taskruns" && !pending && !record::is_finished(run))
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
