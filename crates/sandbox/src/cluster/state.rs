//! What the requests of one cluster share: its objects, its only credential, its traffic.

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cluster::pod_log::PodLogs;
use crate::cluster::store::Store;
use crate::traffic::Traffic;

/// The only user, as in the kubeconfig.
pub(crate) const USER: &str = "windlass";

#[derive(Debug)]
pub(crate) struct State {
    store: Mutex<Store>,
    /// The user's bearer token.
    pub token: String,
    pub traffic: Traffic<Infallible>,
    pub logs: PodLogs,
}

impl State {
    /// An empty cluster whose user has this token, and which remembers this many requests.
    pub(crate) fn new(token: String, request_log: usize) -> Self {
        Self {
            store: Mutex::new(Store::new()),
            token,
            traffic: Traffic::new(request_log),
            logs: PodLogs::new(),
        }
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an `Authorization` header is the user's.
    pub(crate) fn is_user(&self, authorization: &str) -> bool {
        authorization.strip_prefix("Bearer ") == Some(self.token.as_str())
    }
}
