//! What the requests of a registry share, and the log of them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::header::{CONTENT_TYPE, HeaderName, USER_AGENT};
use http::request::Parts;
use tokio_util::sync::CancellationToken;

use super::auth::tokens::Issuer;
use super::fault::Fault;
use super::options::Options;
use super::store::Store;

/// A request the registry has answered. Holds no password and no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// Method in capitals.
    pub method: String,
    /// Path as sent, without the query.
    pub path: String,
    /// Query as sent, without the question mark; empty if there was none.
    pub query: String,
    /// Whose credential came along: `Basic` and the user's name, or `Bearer` and the number of the
    /// token, counted from 1 (`unknown` if it was never issued); empty if there was none.
    pub authorization: String,
    /// `Content-Type` header; empty if there was none.
    pub content_type: String,
    /// `User-Agent` header; empty if there was none.
    pub user_agent: String,
    /// Status code answered; 0 if a fault left the request without an answer.
    pub status: u16,
}

/// What registries beside each other have in common.
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
    pub stop: CancellationToken,
    pub shared: Arc<Shared>,
    pub connections: AtomicUsize,
    requests: Mutex<VecDeque<SeenRequest>>,
    faults: Mutex<Vec<Fault>>,
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
            options,
            address,
            scheme,
            stop: CancellationToken::new(),
            shared,
            connections: AtomicUsize::new(0),
            requests: Mutex::default(),
            faults: Mutex::default(),
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

    pub(crate) fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        locked(&self.faults)
    }

    pub(crate) fn requests(&self) -> MutexGuard<'_, VecDeque<SeenRequest>> {
        locked(&self.requests)
    }

    pub(crate) fn remember(&self, parts: &Parts, authorization: String, status: u16) {
        let text = |name: &HeaderName| {
            let value = parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let request = SeenRequest {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            authorization,
            content_type: text(&CONTENT_TYPE),
            user_agent: text(&USER_AGENT),
            status,
        };
        let mut requests = self.requests();
        while requests.len() >= self.options.request_log.max(1) {
            requests.pop_front();
        }
        requests.push_back(request);
    }
}
