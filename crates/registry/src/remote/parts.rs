//! Blobs of any size, read and written in parts, so that no more than a part is in memory.
//!
//! A part is read by a range request and written as a chunk of an upload. Its reader checks the digest
//! of the whole. An upload that fails begins again with the whole blob, which is the caller's choice.
//! Source: OCI distribution specification 1.1, "Pulling blobs", "Pushing a blob in chunks"; RFC 9110,
//! section 14.

use std::ops::Range;

use bytes::Bytes;
use http::header::{CONTENT_RANGE, CONTENT_TYPE, RANGE};
use http::{HeaderValue, Method};

use super::call::Call;
use super::send::Remote;
use super::uploads::{LIMIT, OCTETS, finish};
use crate::digest::{Digest, Hasher};
use crate::error::Error;
use crate::manifest::Descriptor;
use crate::reference::Repository;

/// Bytes of a part.
pub const PART: u64 = 8 << 20;

/// Reads a blob part by part. It is complete only when [`Parts::finish`] says so.
#[derive(Debug)]
pub struct Parts<'r> {
    remote: &'r Remote,
    digest: Digest,
    size: u64,
    at: u64,
    hasher: Hasher,
}

impl Remote {
    /// Begins to read a blob of the size that its descriptor states. Nothing is sent yet.
    pub fn blob_parts(&self, blob: &Descriptor) -> Parts<'_> {
        Parts {
            remote: self,
            digest: blob.digest.clone(),
            size: blob.size,
            at: 0,
            hasher: Hasher::like(&blob.digest),
        }
    }

    /// Whether a blob exists in the repository, or could be mounted from another one of the same
    /// registry.
    pub async fn has_or_mounts(
        &self,
        digest: &Digest,
        from: Option<&Repository>,
    ) -> Result<bool, Error> {
        let writing = self.writing();
        if self.retrying(|| writing.has_blob(digest)).await? {
            return Ok(true);
        }
        let from = from.filter(|from| {
            from.registry() == self.repository.registry() && **from != self.repository
        });
        match from {
            // one that may not be read from there is pushed
            Some(from) => Ok(writing.mount(digest, from).await.unwrap_or(false)),
            None => Ok(false),
        }
    }

    /// Writes a blob of this size, whose bytes `part` gives range by range.
    pub async fn push_parts<E: From<Error>>(
        &self,
        digest: &Digest,
        size: u64,
        mut part: impl AsyncFnMut(Range<u64>) -> Result<Bytes, E>,
    ) -> Result<(), E> {
        let writing = self.writing();
        if size <= PART {
            let content = part(0..size).await?;
            // what the caller gives is what it has checked; a digest of its own names it only if so
            if !digest.names(&content) {
                return Err(writing.differs(digest, Digest::of(&content)).into());
            }
            let push = || writing.push_once(digest, &content, None);
            return Ok(self.retrying(push).await?);
        }
        let doing = format!("push blob {digest}");
        let begun = writing.begin(&doing, digest, &Bytes::new(), None).await?;
        let Some(mut there) = begun else {
            return Ok(());
        };
        let mut start = 0;
        while start < size {
            let end = size.min(start + PART);
            let content = part(start..end).await?;
            let mut call = Call::new(Method::PATCH, "", doing.as_str())
                .at(there.clone())
                .header(CONTENT_TYPE, OCTETS)
                .content(content)
                .expect(&[201, 202, 204])
                .limit(LIMIT);
            let range = HeaderValue::from_str(&format!("{start}-{}", end - 1));
            call.headers
                .extend(range.ok().map(|range| (CONTENT_RANGE, range)));
            let response = writing.send_once(&call).await?;
            there = writing.location(&doing, &response)?.unwrap_or(there);
            start = end;
        }
        // the registry compares the digest, too
        writing.send_once(&finish(&doing, there, digest)).await?;
        Ok(())
    }

    fn differs(&self, expected: &Digest, actual: Digest) -> Error {
        Error::Digest {
            at: self.at(&format!("read blob {expected}")),
            expected: expected.clone(),
            actual,
        }
    }
}

impl Parts<'_> {
    /// The next part; none behind the last.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let length = PART.min(self.size - self.at);
        if length == 0 {
            return Ok(None);
        }
        let doing = format!("read blob {}", self.digest);
        let malformed = |what: String| Error::Malformed {
            at: self.remote.at(&doing),
            what,
        };
        let mut call = Call::new(Method::GET, format!("blobs/{}", self.digest), &*doing)
            .limit(usize::try_from(length).unwrap_or(usize::MAX));
        if self.size > PART {
            let range = format!("bytes={}-{}", self.at, self.at + length - 1);
            let range = HeaderValue::from_str(&range);
            call.headers.extend(range.ok().map(|range| (RANGE, range)));
            call = call.expect(&[206, 200]);
        }
        let response = match self.remote.send(&call).await {
            // all of it is sent, though a part is what was asked for
            Err(Error::TooLarge { .. }) if self.size > PART => {
                return Err(malformed(format!(
                    "the registry sends no parts of blobs, and this one is larger than {PART} bytes"
                )));
            }
            response => response?,
        };
        if response.body.len() as u64 != length {
            return Err(malformed(format!(
                "{} bytes came where {length} were expected",
                response.body.len()
            )));
        }
        self.hasher.update(&response.body);
        self.at += length;
        Ok(Some(response.body))
    }

    /// Checks that all parts together are the blob.
    pub fn finish(self) -> Result<(), Error> {
        let actual = self.hasher.finish();
        if self.at == self.size && actual == self.digest {
            return Ok(());
        }
        Err(self.remote.differs(&self.digest, actual))
    }
}
