//! What all runs of one step runner share.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::cluster::state::State;
use crate::images::Digests;

/// Where a step's output goes: namespace/run, step, line.
pub type Output = Arc<dyn Fn(&str, &str, &str) + Send + Sync>;

/// What all runs share.
pub(super) struct Shared {
    pub state: Arc<State>,
    pub output: Option<Output>,
    pub digests: Option<Digests>,
    /// One for each task run whose steps run.
    pub places: Semaphore,
    /// Folders of volume claims, kept as long as the runner.
    pub claims: PathBuf,
    pub stop: CancellationToken,
}
