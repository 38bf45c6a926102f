//! Blobs: content read by its digest, whole or in part.
//! Source: OCI distribution specification 1.1, "Pulling blobs", "Deleting Blobs"; RFC 9110,
//! section 14 (one range of bytes; several at once get the whole).

use std::ops::Range;

use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CONTENT_RANGE, RANGE};
use http::{Method, StatusCode};

use super::call::Call;
use super::digest::Digest;
use super::response::{DIGEST, Refusal, Response};

const MEDIA: &str = "application/octet-stream";

pub(crate) fn respond(call: &Call<'_>, name: &str, digest: &Digest) -> Result<Response, Refusal> {
    let mut store = call.state.store();
    if *call.method == Method::DELETE {
        let blobs = store
            .repositories
            .get_mut(name)
            .map(|found| &mut found.blobs);
        blobs
            .and_then(|blobs| blobs.remove(digest))
            .ok_or_else(unknown)?;
        return Ok(Response::empty(StatusCode::ACCEPTED));
    }
    if !matches!(*call.method, Method::GET | Method::HEAD) {
        return Err(Refusal::unsupported());
    }
    let content = store.blob(name, digest).ok_or_else(unknown)?.clone();
    drop(store);
    let response = match call.header(&RANGE) {
        "" => Response::of(StatusCode::OK, MEDIA, content),
        wanted => part(wanted, content)?,
    };
    Ok(response
        .with(ACCEPT_RANGES, "bytes")
        .with(DIGEST, digest.as_str()))
}

fn unknown() -> Refusal {
    Refusal::unknown("BLOB_UNKNOWN", "blob unknown to registry")
}

fn part(wanted: &str, content: Bytes) -> Result<Response, Refusal> {
    let size = content.len();
    match range(wanted, size) {
        Selection::Whole => Ok(Response::of(StatusCode::OK, MEDIA, content)),
        Selection::Part(range) => {
            let shown = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            let response = Response::of(StatusCode::PARTIAL_CONTENT, MEDIA, content.slice(range));
            Ok(response.with(CONTENT_RANGE, shown))
        }
        Selection::Nothing => Err(Refusal::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "SIZE_INVALID",
            "the blob has no such range",
        )
        .with(CONTENT_RANGE, format!("bytes */{size}"))),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Selection {
    Whole,
    Part(Range<usize>),
    Nothing,
}

fn range(wanted: &str, size: usize) -> Selection {
    let bounds = wanted
        .strip_prefix("bytes=")
        .and_then(|one| one.split_once('-'));
    let Some((first, last)) = bounds else {
        return Selection::Whole;
    };
    let range = match (first.trim().parse::<usize>(), last.trim().parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => first..size.min(last.saturating_add(1)),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(count)) if first.is_empty() => size.saturating_sub(count)..size,
        _ => return Selection::Whole,
    };
    if range.start >= range.end {
        return Selection::Nothing;
    }
    Selection::Part(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_size() {
        assert_eq!(range("bytes=0-3", 10), Selection::Part(0..4));
        assert_eq!(range("bytes=5-", 10), Selection::Part(5..10));
        assert_eq!(range("bytes=5-99", 10), Selection::Part(5..10));
        assert_eq!(range("bytes=-4", 10), Selection::Part(6..10));
    }

    #[test]
    fn a_range_beyond_the_end_asks_for_nothing() {
        assert_eq!(range("bytes=10-", 10), Selection::Nothing);
        assert_eq!(range("bytes=-0", 10), Selection::Nothing);
    }

    #[test]
    fn what_is_no_single_range_asks_for_the_whole() {
        for odd in ["bytes=4-2", "lines=1-2", "bytes=0-1,3-4", "bytes=-"] {
            assert_eq!(range(odd, 10), Selection::Whole, "{odd}");
        }
    }
}
