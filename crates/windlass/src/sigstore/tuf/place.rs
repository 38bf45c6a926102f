//! Where trust is kept on this machine, and which origin `windlass trust initialize` chose.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cache::read;
use super::origin::{Origin, PUBLIC_MIRROR, PUBLIC_ROOT};
use super::{is_root, mirror};
use crate::environment::variable;
use crate::local_file;
use crate::sigstore::trust::TrustError;

/// File with the chosen mirror.
const REMOTE: &str = "remote.json";
/// File with the root that goes with it.
const ROOT: &str = "remote.root.json";

#[derive(Serialize, Deserialize)]
struct Remote {
    mirror: String,
}

/// The folder with everything: `TUF_ROOT`, or one in the user's cache folder.
pub(crate) fn folder() -> Result<PathBuf, TrustError> {
    if let Some(folder) = variable("TUF_ROOT") {
        return Ok(PathBuf::from(folder).join("windlass"));
    }
    let cache = variable("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache")));
    cache
        .map(|cache| cache.join("windlass").join("tuf"))
        .ok_or(TrustError::NoFolder)
}

/// The origin that is used: of what is typed, or else as it was chosen, or else the public instance.
pub(crate) fn origin(
    typed_mirror: Option<&str>,
    typed_root: Option<&Path>,
) -> Result<Origin, TrustError> {
    let folder = folder()?;
    let root = typed_root.map(read_root).transpose()?;
    let (mirror, root) = match (typed_mirror, root) {
        (Some(mirror), Some(root)) => (mirror.to_owned(), root),
        (Some(mirror), None) if is_public(mirror) => (mirror.to_owned(), PUBLIC_ROOT.to_vec()),
        // without a root of its own, a mirror has to be one of the public instance
        (Some(mirror), None) => match chosen(&folder)? {
            Some((of, root)) if of == mirror => (mirror.to_owned(), root),
            _ => (mirror.to_owned(), PUBLIC_ROOT.to_vec()),
        },
        (None, Some(root)) => (PUBLIC_MIRROR.to_owned(), root),
        (None, None) => {
            let public = || (PUBLIC_MIRROR.to_owned(), PUBLIC_ROOT.to_vec());
            chosen(&folder)?.unwrap_or_else(public)
        }
    };
    mirror::parse(&mirror)?;
    Ok(Origin {
        mirror,
        root,
        folder,
    })
}

fn is_public(mirror: &str) -> bool {
    mirror.trim_end_matches('/') == PUBLIC_MIRROR
}

/// Remembers an origin as the one that is used if nothing is typed.
pub(crate) fn choose(origin: &Origin) -> Result<(), TrustError> {
    let failed = |source: io::Error| TrustError::Cache {
        folder: origin.folder.display().to_string(),
        source,
    };
    std::fs::create_dir_all(&origin.folder).map_err(failed)?;
    let remote = Remote {
        mirror: origin.mirror.clone(),
    };
    let remote = serde_json::to_vec(&remote).map_err(|error| failed(error.into()))?;
    // the root first: a mirror without it would be taken for the public instance's
    for (name, content) in [(ROOT, origin.root.as_slice()), (REMOTE, &remote)] {
        let path = origin.folder.join(name);
        local_file::replace(&path, content, local_file::PUBLIC).map_err(failed)?;
    }
    Ok(())
}

fn chosen(folder: &Path) -> Result<Option<(String, Vec<u8>)>, TrustError> {
    let damaged = || TrustError::Kept {
        folder: folder.display().to_string(),
    };
    let Some(remote) = read(&folder.join(REMOTE)).map_err(|_| damaged())? else {
        return Ok(None);
    };
    let remote: Remote = serde_json::from_slice(&remote).map_err(|_| damaged())?;
    let root = read(&folder.join(ROOT)).map_err(|_| damaged())?;
    Ok(Some((remote.mirror, root.ok_or_else(damaged)?)))
}

fn read_root(path: &Path) -> Result<Vec<u8>, TrustError> {
    let name = || path.display().to_string();
    let root = read(path).and_then(|root| root.ok_or_else(|| io::ErrorKind::NotFound.into()));
    let root = root.map_err(|source| TrustError::File {
        file: name(),
        source,
    })?;
    if !is_root(&root) {
        return Err(TrustError::NoRoot { file: name() });
    }
    Ok(root)
}
