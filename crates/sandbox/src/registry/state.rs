//! What the requests of a registry share.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::traffic::Traffic;

use super::auth::tokens::Issuer;
use super::options::Options;
use super::quirk::Quirk;
use super::store::Store;

/// What registries with the same content have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    store: Mutex<Store>,
    tokens: Mutex<Issuer>,
    started: Instant,
    skipped: Mutex<Duration>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            store: Mutex::default(),
            tokens: Mutex::default(),
            started: Instant::now(),
            // Later than the end that expired tokens are given.
            skipped: Mutex::new(Duration::from_secs(1)),
        }
    }
}

/// One registry.
#[derive(Debug)]
pub(crate) struct State {
    pub options: Options,
    pub address: SocketAddr,
    pub scheme: &'static str,
    pub shared: Arc<Shared>,
    pub traffic: Traffic<Quirk>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(crate) fn new(
        options: Options,
        address: SocketAddr,
        scheme: &'static str,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            traffic: Traffic::new(options.request_log),
            options,
            address,
            scheme,
            shared,
        }
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        locked(&self.shared.store)
    }

    pub(crate) fn tokens(&self) -> MutexGuard<'_, Issuer> {
        locked(&self.shared.tokens)
    }

    /// The time on the registry's clock: how long it runs, and what was skipped.
    pub(crate) fn now(&self) -> Duration {
        self.shared.started.elapsed() + *locked(&self.shared.skipped)
    }

    pub(crate) fn skip(&self, time: Duration) {
        *locked(&self.shared.skipped) += time;
    }
}
