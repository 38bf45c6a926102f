//! A call: one request to a repository, and which responses it expects.

use http::{HeaderName, HeaderValue, Method};

use crate::auth::challenge::Access;
use crate::error::At;
use crate::http::{Body, Place, Request};
use crate::reference::Repository;
use crate::tenant::Tenant;

/// A request to a repository.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    /// The operation, for errors: `push manifest v1`.
    pub(super) doing: String,
    pub(super) method: Method,
    pub(super) to: Target,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Body,
    /// Statuses that are expected; all others are errors.
    pub(super) expect: &'static [u16],
    /// Most bytes of the response's body.
    pub(super) limit: usize,
    /// Another repository that it reads from.
    pub(super) from: Option<&'a Repository>,
    /// Whether it may move a tag.
    pub(super) moves_tag: bool,
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// A path below the repository, with its query.
    Path(String),
    /// An address that the registry gave.
    Place(Place),
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, path: impl Into<String>, doing: impl Into<String>) -> Self {
        Self {
            doing: doing.into(),
            method,
            to: Target::Path(path.into()),
            headers: Vec::new(),
            body: Body::Empty,
            expect: &[200],
            limit: 0,
            from: None,
            moves_tag: false,
        }
    }

    /// The same with a limit for the response's body, in bytes.
    pub(super) fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    pub(super) fn expect(mut self, statuses: &'static [u16]) -> Self {
        self.expect = statuses;
        self
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn content(mut self, content: bytes::Bytes) -> Self {
        self.body = Body::Content(content);
        self
    }

    pub(super) fn at(mut self, place: Place) -> Self {
        self.to = Target::Place(place);
        self
    }

    pub(super) fn from(mut self, repository: Option<&'a Repository>) -> Self {
        self.from = repository;
        self
    }

    pub(super) fn request<'r>(
        &'r self,
        at: &'r At,
        tenant: &'r Tenant,
        place: &Place,
    ) -> Request<'r> {
        Request {
            at,
            tenant,
            method: self.method.clone(),
            place: place.clone(),
            elsewhere: place.within,
            headers: &self.headers,
            body: self.body.clone(),
            authorization: None,
            limit: self.limit,
        }
    }

    /// The access that the request itself needs.
    pub(super) fn access(&self) -> Access {
        match self.method {
            Method::GET | Method::HEAD => Access::Pull,
            _ => Access::Push,
        }
    }
}
