//! A gate holds requests until a test releases them, so that a race has a fixed order.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Holds every request that comes to it until [`Gate::release`]. Clones are the same gate.
#[derive(Debug, Clone)]
pub struct Gate(Arc<watch::Sender<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    arrived: usize,
    open: bool,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::default()))
    }

    /// Waits until this many requests have come to the gate.
    pub async fn reached(&self, requests: usize) {
        let mut seen = self.0.subscribe();
        // The sender is held by self: the wait cannot end any other way.
        let _ = seen.wait_for(|seen| seen.arrived >= requests).await;
    }

    /// Lets go the requests that wait, and those that are yet to come.
    pub fn release(&self) {
        self.0.send_modify(|seen| seen.open = true);
    }

    /// Stays until the gate is open or the server stops.
    pub(crate) async fn pass(&self, stop: &CancellationToken) {
        self.0.send_modify(|seen| seen.arrived += 1);
        let mut seen = self.0.subscribe();
        tokio::select! {
            _ = seen.wait_for(|seen| seen.open) => {}
            () = stop.cancelled() => {}
        }
    }
}
