//! Blobs: content asked for by its digest, whole or in part.
//! Source: OCI distribution specification 1.1, "Pulling blobs", "Deleting Blobs"; RFC 9110,
//! section 14 (one range of bytes; several at once are answered with the whole).

use std::ops::Range;

use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CONTENT_RANGE, RANGE};
use http::{Method, StatusCode};

use super::answer::{Answer, DIGEST, Refusal};
use super::call::Call;
use super::digest::Digest;

const MEDIA: &str = "application/octet-stream";

pub(crate) fn answer(call: &Call<'_>, name: &str, digest: &Digest) -> Result<Answer, Refusal> {
    let mut store = call.state.store();
    if *call.method == Method::DELETE {
        let blobs = store
            .repositories
            .get_mut(name)
            .map(|found| &mut found.blobs);
        blobs
            .and_then(|blobs| blobs.remove(digest))
            .ok_or_else(unknown)?;
        return Ok(Answer::empty(StatusCode::ACCEPTED));
    }
    if !matches!(*call.method, Method::GET | Method::HEAD) {
        return Err(Refusal::unsupported());
    }
    let content = store.blob(name, digest).ok_or_else(unknown)?.clone();
    drop(store);
    let answer = match call.header(&RANGE) {
        "" => Answer::of(StatusCode::OK, MEDIA, content),
        wanted => part(wanted, content)?,
    };
    Ok(answer
        .with(ACCEPT_RANGES, "bytes")
        .with(DIGEST, digest.as_str()))
}

fn unknown() -> Refusal {
    Refusal::unknown("BLOB_UNKNOWN", "blob unknown to registry")
}

fn part(wanted: &str, content: Bytes) -> Result<Answer, Refusal> {
    let size = content.len();
    match range(wanted, size) {
        Asked::Whole => Ok(Answer::of(StatusCode::OK, MEDIA, content)),
        Asked::Part(range) => {
            let shown = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            let answer = Answer::of(StatusCode::PARTIAL_CONTENT, MEDIA, content.slice(range));
            Ok(answer.with(CONTENT_RANGE, shown))
        }
        Asked::Nothing => Err(Refusal::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "SIZE_INVALID",
            "the blob has no such range",
        )
        .with(CONTENT_RANGE, format!("bytes */{size}"))),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<usize>),
    Nothing,
}

fn range(wanted: &str, size: usize) -> Asked {
    let bounds = wanted
        .strip_prefix("bytes=")
        .and_then(|one| one.split_once('-'));
    let Some((first, last)) = bounds else {
        return Asked::Whole;
    };
    let range = match (first.trim().parse::<usize>(), last.trim().parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => first..size.min(last.saturating_add(1)),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(count)) if first.is_empty() => size.saturating_sub(count)..size,
        _ => return Asked::Whole,
    };
    if range.start >= range.end {
        return Asked::Nothing;
    }
    Asked::Part(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_size() {
        assert_eq!(range("bytes=0-3", 10), Asked::Part(0..4));
        assert_eq!(range("bytes=5-", 10), Asked::Part(5..10));
        assert_eq!(range("bytes=5-99", 10), Asked::Part(5..10));
        assert_eq!(range("bytes=-4", 10), Asked::Part(6..10));
    }

    #[test]
    fn a_range_beyond_the_end_asks_for_nothing() {
        assert_eq!(range("bytes=10-", 10), Asked::Nothing);
        assert_eq!(range("bytes=-0", 10), Asked::Nothing);
    }

    #[test]
    fn what_is_no_single_range_asks_for_the_whole() {
        for odd in ["bytes=4-2", "lines=1-2", "bytes=0-1,3-4", "bytes=-"] {
            assert_eq!(range(odd, 10), Asked::Whole, "{odd}");
        }
    }
}
