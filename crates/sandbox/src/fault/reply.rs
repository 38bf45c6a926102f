//! A reply that a test writes, without regard to the request.

use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

use crate::body::{Body, whole};

/// A reply without regard to the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// `Retry-After` header, seconds or an HTTP date.
    pub retry_after: Option<String>,
    /// Body as it is sent; `None` is an error body as the server's protocol has it.
    pub body: Option<String>,
    /// `Content-Type` header; `None` is JSON.
    pub media_type: Option<String>,
}

impl From<u16> for Reply {
    fn from(status: u16) -> Self {
        Self {
            status,
            retry_after: None,
            body: None,
            media_type: None,
        }
    }
}

impl Reply {
    /// The same with a `Retry-After` header.
    #[must_use]
    pub fn retry_after(mut self, value: impl Into<String>) -> Self {
        self.retry_after = Some(value.into());
        self
    }

    /// The same with this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The same with this media type.
    #[must_use]
    pub fn media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }

    /// The response, made from a failure in the server's own words.
    pub(crate) fn response(
        &self,
        failure: impl Fn(StatusCode) -> Response<Body>,
    ) -> Response<Body> {
        let mut response = failure(status(self.status));
        if let Some(body) = &self.body {
            *response.body_mut() = whole(body.clone());
        }
        for (name, value) in [
            (CONTENT_TYPE, &self.media_type),
            (RETRY_AFTER, &self.retry_after),
        ] {
            let value = value.as_deref().map(HeaderValue::from_str);
            if let Some(Ok(value)) = value {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// A status from its number; one that cannot be is 500.
pub(crate) fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
