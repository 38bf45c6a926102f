//! The body of an answer on its way out: whole, or as a fault would have it.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http::Response;
use http::header::{CONTENT_LENGTH, HeaderValue};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use crate::body::{Body, Cut, whole};

use super::answer::Answer;
use super::fault::FaultAnswer;

pub(crate) fn send(answer: Answer, fault: Option<&FaultAnswer>) -> Response<Body> {
    let length = HeaderValue::from(answer.body.len());
    let mut headers = answer.headers;
    let body = match fault {
        Some(FaultAnswer::SlowBody { chunk, delay }) => {
            headers.insert(CONTENT_LENGTH, length);
            streamed(slow(answer.body, (*chunk).max(1), *delay))
        }
        Some(FaultAnswer::CutBody(after)) => {
            headers.insert(CONTENT_LENGTH, length);
            let part = answer.body.slice(..answer.body.len().min(*after));
            streamed(cut(part))
        }
        Some(FaultAnswer::EndlessBody) => streamed(endless(answer.body)),
        Some(FaultAnswer::WrongContent) => whole(wrong(&answer.body)),
        _ => whole(answer.body),
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = headers;
    response
}

fn streamed(chunks: impl Stream<Item = Result<Bytes, Cut>> + Send + 'static) -> Body {
    StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data))).boxed_unsync()
}

fn slow(
    bytes: Bytes,
    chunk: usize,
    delay: Duration,
) -> impl Stream<Item = Result<Bytes, Cut>> + Send {
    stream::unfold(bytes, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(delay).await;
        let next = rest.split_to(rest.len().min(chunk));
        Some((Ok(next), rest))
    })
}

/// The pause lets the part go out: an error on its heels would take it and the headers along.
fn cut(part: Bytes) -> impl Stream<Item = Result<Bytes, Cut>> + Send {
    let end = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(Cut::Close)
    };
    stream::once(async move { Ok(part) }).chain(stream::once(end))
}

/// The right body first: a client that reads on is to meet what follows.
fn endless(bytes: Bytes) -> impl Stream<Item = Result<Bytes, Cut>> + Send {
    let filler = Bytes::from_static(&[b' '; 16 << 10]);
    let rest = stream::repeat_with(move || Ok(filler.clone()));
    stream::once(async move { Ok(bytes) }).chain(rest)
}

fn wrong(bytes: &Bytes) -> Bytes {
    let mut bytes = bytes.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    bytes.into()
}
