//! Runs the steps of task runs: each as a local process, without isolation, in a scratch folder that
//! is also its `HOME`. Status is written as Tekton writes it (conditions, steps, results, retries),
//! and a pod with a container for each step, whose logs are kept. Images are not run: a step has an
//! `imageID` where its image is known. Paths such as `/tekton/results` do not exist; steps must use
//! `$(results.NAME.path)` and the like.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::cluster::Cluster;
use crate::images::Digests;
use crate::task::Task;

mod attempt;
mod context;
pub(crate) mod duration;
mod exec;
mod image;
mod name;
pub(crate) mod pending;
mod plan;
mod pod;
mod process;
mod record;
mod results;
mod run;
mod shape;
mod shared;
mod stop;
#[cfg(test)]
mod tests;
pub(crate) mod unknown;
pub(crate) mod variables;
mod workspace;

pub use shared::Output;

use shared::Shared;

/// How task runs are run.
#[derive(Clone, Default)]
pub struct Options {
    /// Takes each line a step prints, besides the log of its pod.
    pub output: Option<Output>,
    /// Finds the digests of images that this process knows.
    pub digests: Option<Digests>,
}

/// Most task runs whose steps run at once; others wait.
const AT_ONCE: usize = 32;

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
            output: options.output,
            digests: options.digests,
            places: Semaphore::new(AT_ONCE),
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

async fn serve(shared: Arc<Shared>, claims: TempDir) {
    let runs = TaskTracker::new();
    let mut seen = HashSet::new();
    let mut newest = shared.state.store().subscribe();
    let mut revision = 0;
    let is_pending = |run: &Value| run["spec"]["status"] == "TaskRunPending";
    loop {
        newest.mark_unchanged();
        let (changed, now) = pending::unfinished(&shared.state, "taskruns", revision, is_pending);
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
