//! A request: what is sent, and how much of the response is read.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use reqwest::Url;

use crate::error::At;

/// One request, which may be sent several times along redirects.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    pub(crate) at: &'a At,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: &'a [(HeaderName, HeaderValue)],
    pub(crate) body: Body,
    pub(crate) authorization: Option<HeaderValue>,
    /// Most bytes of the response's body.
    pub(crate) limit: usize,
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
