//! The body of a response, read within the budget that all bodies share.
//!
//! Its beginning is read at once: almost all bodies end in it. The rest is read once there is room for
//! all of it, and has to arrive in a bounded time from then on. It counts for as long as any of it is
//! in memory.

use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, timeout_at};

use super::failure::failure;
use super::host::authority;
use super::request::Request;
use crate::budget::Share;
use crate::error::Error;
use crate::options::Bodies;

/// A body that counts until it is dropped.
struct Counted {
    body: BytesMut,
    _share: Share,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read(
    bodies: &Bodies,
    request: &Request<'_>,
    response: &mut reqwest::Response,
    limit: usize,
) -> Result<Bytes, Error> {
    let stated = response.content_length();
    let too_large = || Error::TooLarge {
        at: request.at.clone(),
        limit,
    };
    let mut body = BytesMut::new();
    let mut counted = None;
    while let Some(piece) = piece(bodies, request, response, counted.as_ref()).await? {
        let length = body.len() + piece.len();
        if length > limit {
            return Err(too_large());
        }
        if counted.is_none() && length > bodies.free {
            let whole = stated.and_then(|stated| usize::try_from(stated).ok());
            let whole = whole.unwrap_or(limit).min(limit);
            let share = share(bodies, request, whole).await?;
            counted = Some((share, Instant::now() + bodies.time));
            body.reserve(whole.saturating_sub(body.len()));
        }
        body.extend_from_slice(&piece);
    }
    Ok(match counted {
        None => body.freeze(),
        Some((share, _)) => Bytes::from_owner(Counted {
            body,
            _share: share,
        }),
    })
}

/// Room for this many bytes, in the share of the tenant: who names many registries, or one that others
/// need too, leaves them theirs.
async fn share(bodies: &Bodies, request: &Request<'_>, bytes: usize) -> Result<Share, Error> {
    let party = request.tenant.as_str();
    let taken = bodies.budget.take(party, bytes, bodies.patience).await;
    taken.map_err(|_| Error::Busy {
        at: request.at.clone(),
    })
}

/// The next piece of the body, in the time that it has.
async fn piece(
    bodies: &Bodies,
    request: &Request<'_>,
    response: &mut reqwest::Response,
    counted: Option<&(Share, Instant)>,
) -> Result<Option<Bytes>, Error> {
    let url = response.url().clone();
    let failed = |error| failure(request.at, &url, error);
    let Some((_, end)) = counted else {
        return response.chunk().await.map_err(failed);
    };
    let chunk = timeout_at(*end, response.chunk()).await;
    let late = || Error::Slow {
        at: request.at.clone(),
        host: authority(&url),
        time: bodies.time,
    };
    chunk.map_err(|_| late())?.map_err(failed)
}
