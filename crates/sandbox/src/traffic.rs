//! The requests to one server: the log of them, the faults among them, and their end. Every server
//! gives its owner the same view of them, made by [`observable!`](observable).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::request::Parts;
use tokio_util::sync::CancellationToken;

use crate::fault::{self, Fault, FaultAnswer};
use crate::request_log::RequestLog;

#[derive(Debug)]
pub(crate) struct Traffic<Q> {
    pub log: RequestLog,
    /// Cancelled once the server stops.
    pub stop: CancellationToken,
    connections: AtomicUsize,
    faults: Mutex<Vec<Fault<Q>>>,
}

impl<Q: Clone> Traffic<Q> {
    /// The traffic of a server that remembers this many requests.
    pub(crate) fn new(request_log: usize) -> Self {
        Self {
            log: RequestLog::new(request_log),
            stop: CancellationToken::new(),
            connections: AtomicUsize::new(0),
            faults: Mutex::default(),
        }
    }

    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Vec<Fault<Q>>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault that a request gets, which is then one turn nearer to its end.
    pub(crate) fn fault(&self, parts: &Parts) -> Option<FaultAnswer<Q>> {
        let query = parts.uri.query().unwrap_or_default();
        let (method, path) = (parts.method.as_str(), parts.uri.path());
        fault::take(&mut self.faults(), method, path, query)
    }
}

/// The methods by which the owner of a running server sees and disturbs its traffic. They are the
/// server's own, so that a test calls them without an import.
macro_rules! observable {
    ($server:ty, $fault:ty) => {
        impl $server {
            /// The newest requests, oldest first, each once its response was decided.
            pub fn requests(&self) -> Vec<$crate::request_log::SeenRequest> {
                self.state.traffic.log.all()
            }

            /// The newest requests, which are then forgotten.
            pub fn take_requests(&self) -> Vec<$crate::request_log::SeenRequest> {
                self.state.traffic.log.take()
            }

            /// Forgets the requests seen so far.
            pub fn clear_requests(&self) {
                self.take_requests();
            }

            /// How many of the newest requests have this method (empty for any) and this text in
            /// their path.
            pub fn count(&self, method: &str, path_contains: &str) -> usize {
                self.state.traffic.log.count(method, path_contains)
            }

            /// Waits until [`Self::count`] is at least this.
            pub async fn reached(&self, method: &str, path_contains: &str, requests: usize) {
                let log = &self.state.traffic.log;
                log.reached(method, path_contains, requests).await;
            }

            /// How many connections were accepted so far.
            pub fn connections(&self) -> usize {
                self.state.traffic.connections()
            }

            /// Adds a fault. The first that matches a request and is not used up applies.
            pub fn fail(&self, fault: $fault) {
                self.state.traffic.faults().push(fault);
            }

            /// Takes back all faults.
            pub fn clear_faults(&self) {
                self.state.traffic.faults().clear();
            }
        }
    };
}

pub(crate) use observable;
