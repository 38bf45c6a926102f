//! A request: what is sent, and how much of the response is read.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use windlass_core::network::Reach;

use super::place::Place;
use crate::error::At;
use crate::tenant::Tenant;

/// One request, which may be sent several times along redirects.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    pub(crate) at: &'a At,
    /// On whose behalf it is sent.
    pub(crate) tenant: &'a Tenant,
    pub(crate) method: Method,
    pub(crate) place: Place,
    /// The nearest address that a redirect to another origin may lead to.
    pub(crate) elsewhere: Reach,
    pub(crate) headers: &'a [(HeaderName, HeaderValue)],
    pub(crate) body: Body,
    pub(crate) authorization: Option<HeaderValue>,
    /// Most bytes of the response's body.
    pub(crate) limit: usize,
}

impl Request<'_> {
    /// Whether it changes something.
    pub(super) fn writes(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD)
    }

    /// Whether no redirect takes it to another origin: a write, since the other host cannot know who
    /// meant it, and what carries a secret.
    pub(super) fn stays_home(&self) -> bool {
        self.writes() || matches!(self.body, Body::Secret(_))
    }
}

/// What a request carries.
#[derive(Debug, Clone, Default)]
pub(crate) enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// Content.
    Content(Bytes),
    /// Something that must not get to another origin.
    Secret(Bytes),
}
