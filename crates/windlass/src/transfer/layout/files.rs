//! The files of a layout that is read: regular ones, in the folder, of a bounded size. Whoever made the
//! folder may have put links, pipes and files of any size into it.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use windlass_registry::Digest;

use super::names::blob_path;
use crate::transfer::error::TransferError;

/// Largest manifest that is read.
pub(super) const MANIFEST: usize = 4 << 20;

/// A folder that is read.
pub(super) struct Files {
    /// As it was typed.
    pub(super) folder: PathBuf,
    /// Where it is.
    place: PathBuf,
}

impl Files {
    /// The files of a folder.
    pub(super) fn of(folder: &Path) -> Result<Self, TransferError> {
        let path = || folder.to_owned();
        let place = match fs::canonicalize(folder) {
            Ok(place) if place.is_dir() => place,
            Ok(_) => return Err(TransferError::NoFolder { path: path() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(TransferError::Absent { path: path() });
            }
            Err(error) => return Err(failed("read", folder, error)),
        };
        let folder = path();
        Ok(Self { folder, place })
    }

    /// The file of a content.
    pub(super) fn path_of(&self, digest: &Digest) -> PathBuf {
        blob_path(&self.folder, digest)
    }

    /// Opens a file, which is in the folder even if it is a link. Also gives its size.
    pub(super) fn open(&self, path: &Path) -> Result<(File, u64), TransferError> {
        let real = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let path = path.to_owned();
                return Err(TransferError::NoFile { path });
            }
            Err(error) => return Err(failed("read", path, error)),
        };
        if !real.starts_with(&self.place) {
            let path = path.to_owned();
            return Err(TransferError::Outside { path });
        }
        let read_failed = |error| failed("read", path, error);
        // before it is opened: a pipe would wait for somebody to write
        let found = fs::metadata(&real).map_err(read_failed)?;
        if !found.is_file() {
            let why = "it is no file".to_owned();
            let path = path.to_owned();
            return Err(TransferError::Damaged { path, why });
        }
        let file = File::open(&real).map_err(read_failed)?;
        Ok((file, found.len()))
    }

    /// Reads a file of at most `limit` bytes; `bound` says what it must not be larger than.
    pub(super) fn read(
        &self,
        path: &Path,
        limit: usize,
        bound: &str,
    ) -> Result<Vec<u8>, TransferError> {
        let (file, _) = self.open(path)?;
        let mut content = Vec::new();
        let read = file.take(limit as u64 + 1).read_to_end(&mut content);
        read.map_err(|error| failed("read", path, error))?;
        if content.len() > limit {
            let why = format!("it is larger than {bound}");
            let path = path.to_owned();
            return Err(TransferError::Damaged { path, why });
        }
        Ok(content)
    }

    /// Reads a content of at most `limit` bytes, and checks that it is the one of this digest.
    pub(super) fn content(
        &self,
        digest: &Digest,
        limit: usize,
        bound: &str,
    ) -> Result<Vec<u8>, TransferError> {
        let path = self.path_of(digest);
        let content = self.read(&path, limit, bound)?;
        if digest.names(&content) {
            return Ok(content);
        }
        let why = format!("it is not {digest}");
        Err(TransferError::Damaged { path, why })
    }
}

/// What could not be done with a file.
pub(super) fn failed(doing: &'static str, path: &Path, source: std::io::Error) -> TransferError {
    let path = path.to_owned();
    TransferError::File {
        doing,
        path,
        source,
    }
}
