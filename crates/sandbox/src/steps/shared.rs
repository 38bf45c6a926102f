//! What all runs of one step runner share.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::cluster::state::State;

/// Where a step's output goes: namespace/run, step, line.
pub type Output = Arc<dyn Fn(&str, &str, &str) + Send + Sync>;

/// What all runs share.
pub(super) struct Shared {
    pub state: Arc<State>,
    pub output: Output,
    /// Folders of volume claims, kept as long as the runner.
    pub claims: PathBuf,
    pub stop: CancellationToken,
}
