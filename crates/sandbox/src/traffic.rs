//! The requests to one server: the log of them, the faults among them, and their end.

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
