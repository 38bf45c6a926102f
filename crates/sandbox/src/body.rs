//! The bodies of requests on their way in and of responses on their way out.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Body as _;
use serde_json::Value;

/// Most bytes read of a request that gets a reply without regard to it.
const DRAINED: usize = 256 << 10;
/// Longest wait for them.
const DRAIN_WAIT: Duration = Duration::from_secs(30);

/// What every server receives.
pub(crate) type RequestBody = UnsyncBoxBody<Bytes, BodyError>;

/// The rest of a request did not come.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct BodyError(BoxError);

/// The body of a request, whatever it comes from.
pub(crate) fn received<B>(body: B) -> RequestBody
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    body.map_err(|error| BodyError(error.into())).boxed_unsync()
}

/// What every server sends: bytes, or the cut that ends them early.
pub(crate) type Body = UnsyncBoxBody<Bytes, Cut>;

/// A fault ends the connection without the rest of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cut {
    #[error("a fault resets the connection")]
    Reset,
    #[error("a fault closes the connection")]
    Close,
}

/// Why there is no response, or not all of it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The body of a response that is sent over no connection: [`Cluster::respond`](crate::Cluster::respond),
/// [`Registry::respond`](crate::registry::Registry::respond).
pub type BoxBody = UnsyncBoxBody<Bytes, BoxError>;

/// A body that is sent at once.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A response of JSON.
pub(crate) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(whole(value.to_string()));
    *response.status_mut() = status;
    let media = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}

/// A response with the length of its body, as far as it is known, in a header.
pub(crate) fn stating_length(mut response: Response<Body>) -> Response<Body> {
    if let Some(length) = response.body().size_hint().exact() {
        let length = HeaderValue::from(length);
        response.headers_mut().insert(CONTENT_LENGTH, length);
    }
    response
}

/// Takes the rest of a small request in, so that the connection stays usable.
pub(crate) async fn drain(body: RequestBody) {
    if read(body, DRAINED, DRAIN_WAIT).await.is_err() {
        tracing::debug!("a refused request was not read to its end");
    }
}

/// Why the body of a request could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// It did not arrive in time.
    Late,
    /// It has more bytes than the limit.
    TooLarge,
    /// The connection ended.
    Broken(BoxError),
}

/// Reads the body of a request.
pub(crate) async fn read(
    body: RequestBody,
    limit: usize,
    wait: Duration,
) -> Result<Bytes, ReadError> {
    let body = Box::pin(Limited::new(body, limit).collect());
    match tokio::time::timeout(wait, body).await {
        Err(_) => Err(ReadError::Late),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ReadError::TooLarge),
        Ok(Err(error)) => Err(ReadError::Broken(error)),
    }
}
