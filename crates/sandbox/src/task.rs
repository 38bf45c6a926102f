//! A background task and its owner: dropping the owner stops the task, shutting it down also waits.

use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

#[derive(Debug)]
pub(crate) struct Task {
    stop: CancellationToken,
    handle: JoinHandle<()>,
    _stop_on_drop: DropGuard,
}

impl Task {
    /// Starts a task that ends once `stop` is cancelled.
    pub(crate) fn start(
        stop: CancellationToken,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self {
            handle: tokio::spawn(task),
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        }
    }

    /// Stops the task and waits for its end.
    pub(crate) async fn shutdown(self) {
        self.stop.cancel();
        if let Err(error) = self.handle.await {
            tracing::warn!(%error, "a server of the sandbox did not stop cleanly");
        }
    }
}
