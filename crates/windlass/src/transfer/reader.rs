//! Reads a blob part by part, from a registry or a file, and checks it against its digest.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

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
    /// Opens the file of a blob, which has the size that is stated.
    pub(super) fn open(path: &Path, blob: &Descriptor) -> Result<Self, TransferError> {
        let failed = |source| TransferError::File {
            doing: "read",
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() || metadata.len() != blob.size {
            return Err(TransferError::Damaged {
                path: path.to_owned(),
                digest: blob.digest.clone(),
            });
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            digest: blob.digest.clone(),
            left: blob.size,
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
            digest: self.digest,
        })
    }
}

impl Reader<'_> {
    /// The next part; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, TransferError> {
        match self {
            Self::Registry(parts) => Ok(parts.next().await?),
            Self::File(parts) => parts.next(),
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
