//! What carries requests in the place of the network: for tests that keep time themselves.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response};
use reqwest::ResponseBuilderExt as _;

/// Carries requests to registries, and their responses back. Where a request may lead, what it carries and
/// how long it may take is decided as for the network; there is no connection, and so no TLS. A carrier that
/// never responds is a registry that keeps silent.
#[derive(Clone)]
pub struct Carrier(Arc<Carry>);

type Carry = dyn Fn(Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> + Send + Sync;

impl Carrier {
    /// Carries each request like this.
    pub fn new<F>(carry: impl Fn(Request<Bytes>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Response<Bytes>> + Send + 'static,
    {
        Self(Arc::new(move |request| carry(request).boxed()))
    }

    pub(crate) async fn carry(
        &self,
        request: reqwest::Request,
    ) -> reqwest::Result<reqwest::Response> {
        let url = request.url().clone();
        let request: Request<reqwest::Body> = request.try_into()?;
        let content = |body: reqwest::Body| body.as_bytes().map(Bytes::copy_from_slice);
        let request = request.map(|body| content(body).unwrap_or_default());
        let (parts, body) = (self.0)(request).await.into_parts();
        let response = Response::builder().url(url).body(body);
        let mut response = response.unwrap_or_default();
        *response.status_mut() = parts.status;
        *response.headers_mut() = parts.headers;
        Ok(response.into())
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Carrier")
    }
}
