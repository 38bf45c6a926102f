//! The traffic of a cluster, as a test sees and disturbs it.

use super::Cluster;
use crate::fault::Fault;
use crate::request_log::SeenRequest;

impl Cluster {
    /// The newest requests, oldest first, each once its response was decided.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.state.traffic.log.all()
    }

    /// The newest requests, which are then forgotten.
    pub fn take_requests(&self) -> Vec<SeenRequest> {
        self.state.traffic.log.take()
    }

    /// Forgets the requests seen so far.
    pub fn clear_requests(&self) {
        self.take_requests();
    }

    /// How many of the newest requests have this method (empty for any) and this text in their
    /// path.
    pub fn count(&self, method: &str, path_contains: &str) -> usize {
        self.state.traffic.log.count(method, path_contains)
    }

    /// Waits until [`Cluster::count`] is at least this.
    pub async fn reached(&self, method: &str, path_contains: &str, requests: usize) {
        let log = &self.state.traffic.log;
        log.reached(method, path_contains, requests).await;
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.state.traffic.connections()
    }

    /// Adds a fault. The first that matches a request and is not used up applies.
    pub fn fail(&self, fault: Fault) {
        self.state.traffic.faults().push(fault);
    }

    /// Takes back all faults.
    pub fn clear_faults(&self) {
        self.state.traffic.faults().clear();
    }
}
