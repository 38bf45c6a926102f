//! The body of a response on its way out.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};

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

/// A body that is sent at once.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}
