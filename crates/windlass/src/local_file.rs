//! Files that windlass writes on this machine: whole or not at all, with the rights they are to have
//! from the first byte on, and never through a link that another user made.
//!
//! A file is written under a name that nobody can guess and renamed. Whoever can only write to the
//! folder, as everybody can to `/tmp`, neither chooses where the content goes nor reads it under way.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// Rights of a file for its owner only.
pub(crate) const PRIVATE: u32 = 0o600;
/// Rights of a file that others may read, before the umask.
pub(crate) const PUBLIC: u32 = 0o644;
/// Rights of an output file before the umask, as of any file that a program makes.
const OUTPUT: u32 = 0o666;
const PERMISSION_BITS: u32 = 0o777;

/// Writes a file that does not exist yet; one that has appeared in the meantime stays.
pub(crate) fn create(path: &Path, content: &[u8], mode: u32) -> io::Result<File> {
    let file = prepare(path, content, mode)?;
    Ok(file.persist_noclobber(path)?)
}

/// Writes a file in place of the one of this name, if there is one; a link is replaced, not
/// followed.
pub(crate) fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<File> {
    let file = prepare(path, content, mode)?;
    Ok(file.persist(path)?)
}

/// Writes what a command puts out to where the user wants it: a file, which keeps its rights, or a
/// device, a pipe or a link that is the user's own, such as `/dev/stdout`.
pub(crate) fn output(path: &Path, content: &[u8]) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return replace(path, content, OUTPUT).map(drop);
        }
        Err(error) => return Err(error),
    };
    let is_own = is_own(found.uid());
    if found.is_file() {
        let mode = if is_own {
            found.mode() & PERMISSION_BITS
        } else {
            OUTPUT
        };
        let file = replace(path, content, mode)?;
        return if is_own {
            // the umask has no say in rights that were there before
            file.set_permissions(Permissions::from_mode(mode))
        } else {
            Ok(())
        };
    }
    if !is_own && found.uid() != ROOT {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "a link or pipe of another user has this name; choose another",
        ));
    }
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).open(path);
    file?.write_all(content)
}

/// A file with this content under another name in the same folder.
pub(crate) fn prepare(path: &Path, content: &[u8], mode: u32) -> io::Result<NamedTempFile> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(without_path)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// The error without the name under which the file was to be written, which means nothing to the
/// user.
fn without_path(error: io::Error) -> io::Error {
    let text = error.to_string();
    match text.split_once(" at path ") {
        Some((cause, _)) => io::Error::new(error.kind(), cause.to_owned()),
        None => error,
    }
}

/// Whether a file of this owner is the user's own.
pub(crate) fn is_own(owner: u32) -> bool {
    owner == rustix::process::geteuid().as_raw()
}

const ROOT: u32 = 0;

#[cfg(test)]
mod tests;
