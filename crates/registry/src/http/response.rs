//! A response, read as far as its request allows.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::RETRY_AFTER;
use http::{HeaderMap, Method};

use super::body;
use super::place::{Origin, is_same_origin};
use super::request::Request;
use crate::error::Error;
use crate::options::Bodies;

/// Most bytes read of the body of an error.
const ERROR_BODY: usize = 16 * 1024;

/// What is said of a page. The page is not repeated, nor an address in it.
const PAGE: &str = "it is a web page, so what responds is no registry, or a login page or proxy in \
                    front of one; check the name of the registry, or log in to the network";

/// A response with its whole body.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Where it came from, after all redirects.
    pub(crate) from: Origin,
    /// Whether it came from the origin that the request was made for.
    pub(crate) at_home: bool,
}

impl Response {
    /// Reads the body. The body of an error is cut at a limit of its own.
    pub(super) async fn read(
        bodies: &Bodies,
        request: &Request<'_>,
        mut response: reqwest::Response,
        from: Origin,
    ) -> Result<Self, Error> {
        let failed = response.status().as_u16() >= 400;
        let limit = if failed { ERROR_BODY } else { request.limit };
        let too_large = || Error::TooLarge {
            at: request.at.clone(),
            limit,
        };
        let has_body = request.method != Method::HEAD;
        let stated = response.content_length().filter(|_| has_body && !failed);
        if stated.is_some_and(|stated| stated > limit as u64) {
            return Err(too_large());
        }
        let body = if failed {
            beginning(&mut response, limit).await
        } else {
            body::read(bodies, request, &mut response, limit).await?
        };
        if !failed && is_page(request, &body) {
            return Err(Error::Malformed {
                at: request.at.clone(),
                what: PAGE.to_owned(),
            });
        }
        Ok(Self {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body,
            at_home: is_same_origin(&from.place.url, &request.place.url),
            from,
        })
    }

    /// A header, if the response has it and it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// When the registry asks to come back: seconds, or a date.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = self.header(RETRY_AFTER.as_str())?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = jiff::fmt::rfc2822::DateTimeParser::new()
            .relaxed_weekday(true)
            .parse_timestamp(text)
            .ok()?;
        let wait = date.duration_since(jiff::Timestamp::now());
        Some(Duration::try_from(wait).unwrap_or_default())
    }
}

/// Whether a body is a page. The media type says nothing: there are registries whose empty responses are
/// `text/html`. A blob may be a page, and is known by its digest.
fn is_page(request: &Request<'_>, body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<") && !request.place.url.path().contains("/blobs/")
}

/// The beginning of the body of an error: what an error says is worth less than that it is one.
async fn beginning(response: &mut reqwest::Response, limit: usize) -> Bytes {
    let mut body = BytesMut::new();
    while let Ok(Some(piece)) = response.chunk().await {
        if body.len() + piece.len() > limit {
            break;
        }
        body.extend_from_slice(&piece);
    }
    body.freeze()
}
