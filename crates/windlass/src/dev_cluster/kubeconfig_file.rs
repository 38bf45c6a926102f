//! The kubeconfig file of the built-in cluster: for its owner only, and gone with the cluster.
//!
//! It contains the cluster's token, which with `--run-steps` is the right to run commands. Its first
//! line says who wrote it, with a digest of the rest: a file that somebody else wrote, or that was
//! changed, is neither replaced nor removed. The lock on the open file ends with the process, and so
//! tells the file of a running cluster from one that a killed process has left.

use std::fs::{DirBuilder, File, Metadata, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};
use windlass_core::hex;

use crate::local_file::{self, PRIVATE};

/// Begins the first line; the digest of all that follows that line ends it.
const MARK: &str = "# written by windlass dev, which removes it unless it was changed: sha256 ";
/// Largest file that is read to learn who wrote it.
const LIMIT: u64 = 64 * 1024;
/// Rights of a folder that is made for the file.
const FOLDER: u32 = 0o700;

/// A kubeconfig that this process wrote, removed when dropped unless it was changed.
#[derive(Debug)]
#[must_use = "the file is removed when this is dropped"]
pub struct KubeconfigFile {
    path: PathBuf,
    /// Locked as long as the cluster runs.
    file: File,
}

/// Why a kubeconfig was not written.
#[derive(Debug, thiserror::Error)]
pub enum KubeconfigFileError {
    /// The folder could not be made.
    #[error("cannot make the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file could not be written.
    #[error("cannot write the kubeconfig {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something else has the name.
    #[error(
        "cannot write the kubeconfig {}: {what} has this name; move it away, or choose another file \
         with --kubeconfig",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// It is the file of a cluster that runs.
    #[error(
        "cannot write the kubeconfig {}: another windlass dev uses it; stop that one, or choose \
         another file with --kubeconfig",
        path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
}

impl KubeconfigFile {
    /// Writes a kubeconfig to `path`, where there may be one that a killed process has left.
    pub(super) fn write(path: &Path, kubeconfig: &str) -> Result<Self, KubeconfigFileError> {
        make_folder(path)?;
        let left = left_behind(path)?;
        let content = format!("{MARK}{}\n{kubeconfig}", digest(kubeconfig));
        let failed = |source| KubeconfigFileError::Write {
            path: path.to_owned(),
            source,
        };
        let file = local_file::prepare(path, content.as_bytes(), PRIVATE).map_err(failed)?;
        // before others see it; nobody else has it open
        let _ = file.as_file().try_lock();
        let file = match left {
            None => file.persist_noclobber(path),
            Some(_) => file.persist(path),
        };
        let file = file.map_err(|error| failed(error.error))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file of this name is the one that was written, as it was written.
    fn is_unchanged(&self) -> bool {
        let Ok(mut found) = open(&self.path) else {
            return false;
        };
        is_same(&self.file, &found) && matches!(is_marked(&mut found), Ok(true))
    }
}

impl Drop for KubeconfigFile {
    fn drop(&mut self) {
        let path = self.path.display();
        if !self.is_unchanged() {
            if self.path.symlink_metadata().is_ok() {
                tracing::warn!("{path} was changed, so it is not removed; its cluster has stopped");
            }
            return;
        }
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, "cannot remove {path}, whose cluster has stopped");
        }
    }
}

fn make_folder(path: &Path) -> Result<(), KubeconfigFileError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let Some(folder) = folder else { return Ok(()) };
    let made = DirBuilder::new()
        .recursive(true)
        .mode(FOLDER)
        .create(folder);
    made.map_err(|source| KubeconfigFileError::Folder {
        path: folder.to_owned(),
        source,
    })
}

/// The file that an earlier process has left, locked; none if there is no file.
fn left_behind(path: &Path) -> Result<Option<File>, KubeconfigFileError> {
    let foreign = |what| KubeconfigFileError::Foreign {
        path: path.to_owned(),
        what,
    };
    let mut file = match open(path) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return Err(foreign("a symbolic link")),
        Err(error) => {
            return Err(KubeconfigFileError::Write {
                path: path.to_owned(),
                source: error.into(),
            });
        }
    };
    let ours = |found: &Metadata| found.is_file() && local_file::is_own(found.uid());
    if !file.metadata().is_ok_and(|found| ours(&found)) {
        return Err(foreign("something that is no file of yours"));
    }
    let in_use = || KubeconfigFileError::InUse {
        path: path.to_owned(),
    };
    if !is_marked(&mut file).unwrap_or_default() {
        return Err(foreign(
            "a file that windlass dev did not write, or that was changed since,",
        ));
    }
    // some file systems have no locks
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(in_use());
    }
    // another process may have written its own between the opening and the lock
    match open(path) {
        Ok(now) if is_same(&file, &now) => Ok(Some(file)),
        _ => Err(in_use()),
    }
}

/// Opens a file to read it; neither follows a link nor waits for a pipe.
fn open(path: &Path) -> Result<File, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map(File::from)
}

fn is_same(one: &File, other: &File) -> bool {
    match (one.metadata(), other.metadata()) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

/// Whether the file is as this program wrote it.
fn is_marked(file: &mut File) -> io::Result<bool> {
    let mut text = String::new();
    file.take(LIMIT).read_to_string(&mut text)?;
    let marked = text.strip_prefix(MARK);
    let parts = marked.and_then(|marked| marked.split_once('\n'));
    Ok(parts.is_some_and(|(stated, rest)| stated == digest(rest)))
}

fn digest(text: &str) -> String {
    hex::digits(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests;
