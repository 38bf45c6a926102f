//! What a fault does to the right response: its headers and its body.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, LOCATION};
use http::{HeaderName, Response};
use http_body_util::{BodyDataStream, BodyExt, Collected, StreamBody};
use hyper::body::Frame;

use crate::body::{Body, Cut, stating_length, whole};

/// Puts a header in place of any of its name. A value that cannot be a header is left out.
pub(super) fn set_header(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Puts `base`, scheme and host or nothing, before the path of `Location`.
pub(super) fn move_location(headers: &mut HeaderMap, base: &str) {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let Some(location) = location else { return };
    let moved = format!("{base}{}", path(location));
    set_header(headers, LOCATION, &moved);
}

/// The path and query of an absolute address.
fn path(location: &str) -> &str {
    let after = location
        .split_once("://")
        .map_or(location, |(_, rest)| rest);
    after.find('/').map_or(after, |slash| &after[slash..])
}

/// The body in chunks of this many bytes, with a delay before each.
pub(super) fn slow(response: Response<Body>, chunk: usize, delay: Duration) -> Response<Body> {
    let chunk = chunk.max(1);
    streamed(stating_length(response), move |chunks| {
        chunks.flat_map(move |bytes| {
            stream::unfold(bytes.ok(), move |rest| async move {
                let mut rest = rest.filter(|rest| !rest.is_empty())?;
                tokio::time::sleep(delay).await;
                let next = rest.split_to(rest.len().min(chunk));
                Some((Ok(next), Some(rest)))
            })
        })
    })
}

/// The first bytes of the body, and then the end of the connection. The pause lets them go out: an
/// error on their heels would take them and the headers along.
pub(super) fn cut(response: Response<Body>, after: usize) -> Response<Body> {
    streamed(stating_length(response), move |chunks| {
        let part = stream::unfold((chunks, after), |(mut chunks, left)| async move {
            if left == 0 {
                return None;
            }
            let bytes = chunks.next().await?.ok()?;
            let part = bytes.slice(..bytes.len().min(left));
            let left = left - part.len();
            Some((Ok(part), (chunks, left)))
        });
        let end = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Err(Cut::Close)
        };
        part.chain(stream::once(end))
    })
}

/// The right body first: a client that reads on is to meet what follows.
pub(super) fn endless(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().remove(CONTENT_LENGTH);
    let filler = Bytes::from_static(&[b' '; 16 << 10]);
    streamed(response, move |chunks| {
        chunks.chain(stream::repeat_with(move || Ok(filler.clone())))
    })
}

/// The body with another last byte.
pub(super) async fn wrong(response: Response<Body>) -> Response<Body> {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map(Collected::to_bytes);
    let mut bytes = bytes.unwrap_or_default().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    Response::from_parts(parts, whole(bytes))
}

/// The same with its body sent as this stream makes of it.
fn streamed<S>(
    response: Response<Body>,
    change: impl FnOnce(BodyDataStream<Body>) -> S,
) -> Response<Body>
where
    S: Stream<Item = Result<Bytes, Cut>> + Send + 'static,
{
    response.map(|body| {
        let chunks = change(body.into_data_stream());
        StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data))).boxed_unsync()
    })
}
