//! The log of a server's requests: what a test counts, and what it waits for.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::header::{CONTENT_TYPE, HeaderName, USER_AGENT};
use http::request::Parts;
use tokio::sync::watch;

/// A request that has its response. It contains no password and no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// Method in capitals.
    pub method: String,
    /// Path as sent, without the query.
    pub path: String,
    /// Query as sent, without the question mark; empty if there was none.
    pub query: String,
    /// Whose credential came along; empty if there was none. A registry gives `Basic` and the
    /// user's name, or `Bearer` and the number of the token, counted from 1. A cluster gives
    /// `Bearer` and the user's name. A token that the server does not know is `Bearer unknown`.
    pub authorization: String,
    /// `Content-Type` header; empty if there was none.
    pub content_type: String,
    /// `User-Agent` header; empty if there was none.
    pub user_agent: String,
    /// Status code of the response; 0 if a fault left the request without one.
    pub status: u16,
}

impl SeenRequest {
    /// What is remembered of a request.
    pub(crate) fn of(parts: &Parts, authorization: String, status: u16) -> Self {
        let text = |name: &HeaderName| {
            let value = parts.headers.get(name);
            let value = value.and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        Self {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            authorization,
            content_type: text(&CONTENT_TYPE),
            user_agent: text(&USER_AGENT),
            status,
        }
    }

    /// Whether the request has this method (empty for any) and this text in its path.
    pub fn is(&self, method: &str, path_contains: &str) -> bool {
        (method.is_empty() || self.method.eq_ignore_ascii_case(method))
            && self.path.contains(path_contains)
    }
}

/// The newest requests, oldest first.
#[derive(Debug)]
pub(crate) struct RequestLog {
    requests: Mutex<VecDeque<SeenRequest>>,
    most: usize,
    changed: watch::Sender<()>,
}

impl RequestLog {
    /// A log that keeps this many requests, at least one.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            requests: Mutex::default(),
            most: most.max(1),
            changed: watch::Sender::default(),
        }
    }

    fn requests(&self) -> MutexGuard<'_, VecDeque<SeenRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, request: SeenRequest) {
        let mut requests = self.requests();
        while requests.len() >= self.most {
            requests.pop_front();
        }
        requests.push_back(request);
        drop(requests);
        self.changed.send_replace(());
    }

    pub(crate) fn all(&self) -> Vec<SeenRequest> {
        self.requests().iter().cloned().collect()
    }

    pub(crate) fn take(&self) -> Vec<SeenRequest> {
        self.requests().drain(..).collect()
    }

    pub(crate) fn count(&self, method: &str, path_contains: &str) -> usize {
        let requests = self.requests();
        let matching = requests
            .iter()
            .filter(|request| request.is(method, path_contains));
        matching.count()
    }

    /// Waits until the log contains at least this many matching requests.
    pub(crate) async fn reached(&self, method: &str, path_contains: &str, requests: usize) {
        let mut changed = self.changed.subscribe();
        while self.count(method, path_contains) < requests {
            // The sender is held by self: the wait cannot end any other way.
            let _ = changed.changed().await;
        }
    }
}
