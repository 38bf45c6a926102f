//! Reads a blob part by part, from a registry or a file, and checks it against its digest.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use bytes::Bytes;
use windlass_registry::manifest::Descriptor;
use windlass_registry::{Digest, Hasher, PART, Parts};

use super::error::TransferError;

/// A blob that is being read.
pub(crate) enum Reader<'s> {
    Registry(Parts<'s>),
    File(FileParts),
}

/// A file that is read in parts.
pub(crate) struct FileParts {
    path: PathBuf,
    file: File,
    digest: Digest,
    left: u64,
    hasher: Hasher,
}

impl FileParts {
    /// The file of a blob, which has the size that is stated.
    pub(super) fn of(
        path: PathBuf,
        (file, size): (File, u64),
        blob: &Descriptor,
    ) -> Result<Self, TransferError> {
        let stated = blob.size;
        if size != stated {
            let why = format!("it has {size} bytes, and {stated} are stated of it");
            return Err(TransferError::Damaged { path, why });
        }
        Ok(Self {
            path,
            file,
            digest: blob.digest.clone(),
            left: stated,
            hasher: Hasher::like(&blob.digest),
        })
    }

    fn next(&mut self) -> Result<Option<Bytes>, TransferError> {
        let length = PART.min(self.left);
        if length == 0 {
            return Ok(None);
        }
        let mut part = vec![0; usize::try_from(length).unwrap_or_default()];
        let read = self.file.read_exact(&mut part);
        read.map_err(|source| TransferError::File {
            doing: "read",
            path: self.path.clone(),
            source,
        })?;
        self.hasher.update(&part);
        self.left -= length;
        Ok(Some(part.into()))
    }

    fn finish(self) -> Result<(), TransferError> {
        if self.left == 0 && self.hasher.finish() == self.digest {
            return Ok(());
        }
        Err(TransferError::Damaged {
            path: self.path,
            why: format!("it is not {}", self.digest),
        })
    }
}

impl Reader<'_> {
    /// The next part; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, TransferError> {
        match self {
            Self::Registry(parts) => Ok(parts.next().await?),
            Self::File(parts) => {
                // a disk is never awaited, and whoever set a deadline has to get a turn
                tokio::task::yield_now().await;
                parts.next()
            }
        }
    }

    /// Checks that what was read is the whole blob.
    pub(super) fn finish(self) -> Result<(), TransferError> {
        match self {
            Self::Registry(parts) => Ok(parts.finish()?),
            Self::File(parts) => parts.finish(),
        }
    }
}
