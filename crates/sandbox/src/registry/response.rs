//! What a request gets: a whole [`Response`], or a [`Refusal`] with one of the error
//! codes of the OCI distribution specification 1.1, "Error codes".

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::body::{self, Body};

pub(crate) const JSON: &str = "application/json";
pub(crate) const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// A response before it is sent.
#[derive(Debug)]
pub(crate) struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Response {
    /// A response without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    pub(crate) fn of(status: StatusCode, media: &str, body: impl Into<Bytes>) -> Self {
        let mut response = Self::empty(status).with(CONTENT_TYPE, media);
        response.body = body.into();
        response
    }

    pub(crate) fn json(status: StatusCode, value: &Value) -> Self {
        Self::of(status, JSON, serde_json::to_vec(value).unwrap_or_default())
    }

    /// The same with one more header. A value that cannot be a header is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.insert(name, value);
        }
        self
    }
}

impl From<Response> for http::Response<Body> {
    fn from(whole: Response) -> Self {
        let mut response = Self::new(body::whole(whole.body));
        *response.status_mut() = whole.status;
        *response.headers_mut() = whole.headers;
        response
    }
}

/// A request that is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub header: Option<(HeaderName, String)>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            header: None,
        }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.header = Some((name, value.into()));
        self
    }

    pub(crate) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn unknown(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(crate) fn unsupported() -> Self {
        let message = "the operation is unsupported";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", message)
    }

    pub(crate) fn digest() -> Self {
        Self::bad(
            "DIGEST_INVALID",
            "provided digest did not match uploaded content",
        )
    }
}

impl From<getrandom::Error> for Refusal {
    fn from(error: getrandom::Error) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "UNKNOWN",
            format!("no random bytes: {error}"),
        )
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        let error = json!({"code": refusal.code, "message": refusal.message, "detail": null});
        let response = Self::json(refusal.status, &json!({"errors": [error]}));
        match refusal.header {
            Some((name, value)) => response.with(name, value),
            None => response,
        }
    }
}

/// The code that goes with a status when a fault names only the status.
pub(crate) fn code_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UNAUTHORIZED",
        403 => "DENIED",
        404 => "NAME_UNKNOWN",
        405 => "UNSUPPORTED",
        413 => "SIZE_INVALID",
        429 => "TOOMANYREQUESTS",
        500.. => "UNKNOWN",
        _ => "MANIFEST_INVALID",
    }
}
