//! What was fetched from a mirror, kept in files.
//!
//! The files are no more believed than what a mirror sends: each is verified again from the pinned root
//! when it is used. Each origin has a folder of its own, named by its mirror and its root, so that roots
//! do not mix. What is read is bounded, and so is the number of files: of a metadata file there is the
//! newest alone.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use sigstore_tuf::{Error, FileStore, MetadataStore, Result};

use super::origin::Origin;
use crate::local_file;

/// Largest file that is read.
const LIMIT: u64 = 6 << 20;
/// Most of the old roots that are kept.
const MOST_ROOTS: u64 = 1024;
/// File with the time at which everything was last fetched.
const FETCHED: &str = "fetched";

/// The files of an origin.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    folder: PathBuf,
    files: FileStore,
}

impl Cache {
    pub(super) fn of(origin: &Origin) -> Self {
        let mut hash = Sha256::new();
        hash.update(origin.mirror.as_bytes());
        hash.update([0]);
        hash.update(Sha256::digest(&origin.root));
        let mut name = [0; 16];
        name.copy_from_slice(&hash.finalize()[..16]);
        let folder = origin
            .folder
            .join(format!("{:032x}", u128::from_be_bytes(name)));
        Self {
            files: FileStore::new(&folder),
            folder,
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// When everything was last fetched.
    pub(super) fn last_fetched(&self) -> Option<Timestamp> {
        let text = read(&self.folder.join(FETCHED)).ok()??;
        str::from_utf8(&text).ok()?.trim().parse().ok()
    }

    pub(super) fn note_fetched(&self, at: Timestamp) -> io::Result<()> {
        let path = self.folder.join(FETCHED);
        local_file::replace(&path, at.to_string().as_bytes(), local_file::PUBLIC).map(drop)
    }
}

impl MetadataStore for Cache {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>> {
        if !is_kept(name) {
            return Ok(None);
        }
        read(&self.folder.join(name)).map_err(|source| Error::io("reading the cache", source))
    }

    fn store(&self, name: &str, bytes: &[u8]) -> Result<()> {
        if is_kept(name) {
            self.files.store(name, bytes)?;
        }
        Ok(())
    }
}

/// Whether a file is kept: the newest of each role, the roots on the way to the newest one, and the one
/// target. Names of other roles, which a mirror chooses, are not.
pub(super) fn is_kept(name: &str) -> bool {
    if let Some(root) = name.strip_prefix("root_history/") {
        let version = root.strip_suffix(".root.json");
        let version = version.and_then(|version| version.parse::<u64>().ok());
        return version.is_some_and(|version| version <= MOST_ROOTS);
    }
    let kept = [
        "root.json",
        "timestamp.json",
        "snapshot.json",
        "targets.json",
        "targets/trusted_root.json",
    ];
    kept.contains(&name)
}

/// What is in a file, if there is one.
pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut content = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LIMIT {
        return Err(io::Error::other("it has more than 6 MiB"));
    }
    Ok(Some(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_mirror_chooses_are_not_kept() {
        for name in [
            "root.json",
            "root_history/17.root.json",
            "targets/trusted_root.json",
        ] {
            assert!(is_kept(name), "{name}");
        }
        for name in [
            "165.snapshot.json",
            "role.json",
            "root_history/../../x.root.json",
            "root_history/99999.root.json",
            "targets/other",
            "../root.json",
            "fetched",
        ] {
            assert!(!is_kept(name), "{name}");
        }
    }
}
