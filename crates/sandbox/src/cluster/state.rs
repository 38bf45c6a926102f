//! What the requests of one cluster share: its objects, its only credential, its log of requests
//! and its faults.

use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::cluster::http::seen::SeenRequest;
use crate::cluster::store::Store;
use crate::fault::Fault;

/// What requests share.
#[derive(Debug)]
pub(crate) struct State {
    store: Mutex<Store>,
    pub token: String,
    requests: Mutex<VecDeque<SeenRequest>>,
    request_log: usize,
    faults: Mutex<Vec<Fault>>,
    pub connections: AtomicUsize,
    pub stop: CancellationToken,
}

impl State {
    /// An empty cluster whose user has this token.
    pub(crate) fn new(token: String, request_log: usize, stop: CancellationToken) -> Self {
        Self {
            store: Mutex::new(Store::new()),
            token,
            requests: Mutex::default(),
            request_log,
            faults: Mutex::default(),
            connections: AtomicUsize::new(0),
            stop,
        }
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn remember(&self, request: SeenRequest) {
        let mut requests = self.requests();
        while requests.len() >= self.request_log.max(1) {
            requests.pop_front();
        }
        requests.push_back(request);
    }

    pub(crate) fn requests(&self) -> MutexGuard<'_, VecDeque<SeenRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
