//! The lines of a watch: one event each, cut out of the response while it arrives.
//!
//! Of a line over the limit only the beginning is kept, to name the object in it. The watch goes on
//! behind it: one object must not end the watch of all others.

use std::pin::Pin;

use bytes::{Buf, Bytes};
use futures::{Stream, StreamExt};
use memchr::memchr;

/// Most bytes of a line over the limit that are kept.
const HEAD: usize = 512 << 10;
/// A buffer that grew beyond this is given back behind its line.
const SPARE: usize = 256 << 10;

type Chunks<E> = Pin<Box<dyn Stream<Item = Result<Bytes, E>> + Send>>;

/// A line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Whole(&'a [u8]),
    /// The beginning of a line over the limit.
    TooLong(&'a [u8]),
}

/// Lines of a response.
pub(super) struct Lines<E> {
    chunks: Chunks<E>,
    chunk: Bytes,
    limit: usize,
    line: Vec<u8>,
    /// How long the line is by now.
    length: usize,
}

impl<E> Lines<E> {
    pub(super) fn new(
        chunks: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
        limit: usize,
    ) -> Self {
        Self {
            chunks: Box::pin(chunks),
            chunk: Bytes::new(),
            limit,
            line: Vec::new(),
            length: 0,
        }
    }

    /// The next line; none at the end. A line that the end cuts off is left out.
    pub(super) async fn next(&mut self) -> Result<Option<Line<'_>>, E> {
        self.length = 0;
        self.line.clear();
        self.line.shrink_to(SPARE);
        loop {
            if let Some(end) = memchr(b'\n', &self.chunk) {
                let rest = self.chunk.split_to(end);
                self.keep(&rest);
                self.chunk.advance(1);
                break;
            }
            let rest = std::mem::take(&mut self.chunk);
            self.keep(&rest);
            match self.chunks.next().await {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(None),
            }
        }
        let fits = self.length <= self.limit;
        let line = if fits { Line::Whole } else { Line::TooLong };
        Ok(Some(line(&self.line)))
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        if self.length <= self.limit {
            self.line.extend_from_slice(bytes);
            return;
        }
        let room = HEAD.min(self.limit).saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..room.min(bytes.len())]);
        self.line.truncate(HEAD);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn lines_are_cut_however_the_response_is_chunked_and_long_ones_are_passed_over() {
        let text = "one\n\ntwo two\nlong long long\nlast\ncut off";
        for size in 1..=text.len() {
            let chunks: Vec<Bytes> = text
                .as_bytes()
                .chunks(size)
                .map(Bytes::from_static)
                .collect();
            let chunks = chunks.into_iter().map(Ok::<_, Infallible>);
            let mut lines = Lines::new(stream::iter(chunks), 8);
            let mut seen = Vec::new();
            while let Ok(Some(line)) = lines.next().await {
                seen.push(match line {
                    Line::Whole(line) => String::from_utf8_lossy(line).into_owned(),
                    Line::TooLong(line) => format!("+{}", String::from_utf8_lossy(line)),
                });
            }
            assert_eq!(seen[..3], ["one", "", "two two"], "chunks of {size}");
            assert!(seen[3].starts_with("+long"), "{seen:?}");
            assert_eq!(seen[4..], ["last"], "chunks of {size}");
        }
    }
}
