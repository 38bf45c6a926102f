//! One request with its body read and its sender known.

use bytes::Bytes;
use http::header::HeaderName;
use http::{HeaderMap, Method, StatusCode};

use crate::query::Query;

use super::auth::actor::Actor;
use super::state::State;

/// A request with its body read.
pub(crate) struct Call<'a> {
    pub state: &'a State,
    pub method: &'a Method,
    pub headers: &'a HeaderMap,
    pub query: Query,
    pub actor: Actor,
    /// Scheme and host as the client sees them.
    pub origin: String,
    /// The status that refuses to move a tag.
    pub immutable_tags: Option<StatusCode>,
    pub body: Bytes,
}

impl Call<'_> {
    pub(crate) fn header(&self, name: &HeaderName) -> &str {
        header(self.headers, name)
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}
