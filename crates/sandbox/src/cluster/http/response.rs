//! The responses that every part of the cluster makes: JSON, text and refusals.

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_TYPE;
use serde_json::Value;

use crate::body::{Body, whole};
use crate::cluster::status::Status;

/// A response with a JSON body.
pub(crate) fn json(code: u16, value: &Value) -> Response<Body> {
    typed(
        code,
        "application/json",
        serde_json::to_vec(value).unwrap_or_default(),
    )
}

pub(crate) fn typed(code: u16, media: &str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(whole(body));
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or_default();
    if let Ok(media) = media.parse() {
        response.headers_mut().insert(CONTENT_TYPE, media);
    }
    response
}

pub(crate) fn refuse(status: &Status) -> Response<Body> {
    json(status.code, &status.to_value())
}

pub(crate) fn plain(text: &'static str) -> Response<Body> {
    typed(200, "text/plain; charset=utf-8", text)
}
