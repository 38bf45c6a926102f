//! The front door: the files, by their paths.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use serde_json::json;

use super::repository::Repository;
use crate::body::{Body, RequestBody, drain, json as response, whole};
use crate::exchange::Server;
use crate::traffic::Traffic;

/// Requests that are remembered.
const REQUEST_LOG: usize = 10_000;

#[derive(Debug)]
pub(super) struct State {
    pub(super) traffic: Traffic<Infallible>,
    repository: Mutex<Repository>,
}

impl State {
    pub(super) fn new(repository: Repository) -> Self {
        Self {
            traffic: Traffic::new(REQUEST_LOG),
            repository: Mutex::new(repository),
        }
    }

    pub(super) fn repository(&self) -> MutexGuard<'_, Repository> {
        let repository = self.repository.lock();
        repository.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server for State {
    type Quirk = Infallible;

    fn traffic(&self) -> &Traffic<Infallible> {
        &self.traffic
    }

    async fn respond(
        self: &Arc<Self>,
        parts: &Parts,
        body: RequestBody,
        _: Option<&Self::Quirk>,
    ) -> Response<Body> {
        drain(body).await;
        let path = parts.uri.path().trim_start_matches('/');
        let file = self.repository().file(path);
        match file.filter(|_| matches!(parts.method, Method::GET | Method::HEAD)) {
            Some(content) => {
                let mut response = Response::new(whole(content));
                let media_type = HeaderValue::from_static("application/json");
                response.headers_mut().insert(CONTENT_TYPE, media_type);
                response
            }
            None => self.refusal(StatusCode::NOT_FOUND, "no such file"),
        }
    }

    fn refusal(&self, status: StatusCode, message: &str) -> Response<Body> {
        response(status, &json!({ "message": message }))
    }

    fn credential(&self, _: &HeaderMap) -> String {
        String::new()
    }
}
