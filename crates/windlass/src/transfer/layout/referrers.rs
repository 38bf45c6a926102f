//! Referrers that the index of a layout does not list: manifests among the blobs that name their
//! subject. cosign 3 saves bundles so.

use std::io::{ErrorKind, Read as _};
use std::path::Path;

use windlass_registry::Digest;
use windlass_registry::manifest::{Descriptor, MANIFEST as IMAGE_MANIFEST, Manifest};

use super::files::{Files, MANIFEST, failed};
use crate::transfer::bounds::{FILES, SCANNED};
use crate::transfer::error::TransferError;

/// A manifest and what it refers to.
pub(super) struct Referrer {
    pub(super) subject: Digest,
    pub(super) descriptor: Descriptor,
}

/// The manifests among the blobs that name a subject. What is in them counts once it is read by its
/// digest.
pub(super) async fn among_blobs(files: &Files) -> Result<Vec<Referrer>, TransferError> {
    let mut found = Vec::new();
    let mut left = SCANNED;
    for digest in digests(&files.folder.join("blobs").join("sha256"))? {
        // whoever set a deadline has to get a turn
        tokio::task::yield_now().await;
        let Some(text) = object(files, &digest)? else {
            continue;
        };
        left = left
            .checked_sub(text.len() as u64)
            .ok_or_else(|| TransferError::LargeFolder {
                path: files.folder.clone(),
            })?;
        let Ok(manifest) = serde_json::from_slice::<Manifest>(&text) else {
            continue;
        };
        let Some(subject) = &manifest.subject else {
            continue;
        };
        let media_type = manifest.media_type.as_deref().unwrap_or(IMAGE_MANIFEST);
        let mut descriptor = Descriptor::of(media_type, &text);
        descriptor.digest = digest;
        descriptor.artifact_type = Some(manifest.kind().to_owned());
        found.push(Referrer {
            subject: subject.digest.clone(),
            descriptor,
        });
    }
    Ok(found)
}

/// What the files of a folder are named by, in order.
fn digests(folder: &Path) -> Result<Vec<Digest>, TransferError> {
    let listing = match folder.read_dir() {
        Ok(listing) => listing,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("read", folder, error)),
    };
    let mut digests = Vec::new();
    for (number, entry) in listing.enumerate() {
        if number == FILES {
            let path = folder.to_owned();
            return Err(TransferError::ManyFiles { path });
        }
        let name = entry.map_err(|error| failed("read", folder, error))?;
        let name = name.file_name();
        let digest = name
            .to_str()
            .map(|hex| Digest::parse(&format!("sha256:{hex}")));
        digests.extend(digest.and_then(Result::ok));
    }
    digests.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    Ok(digests)
}

/// The content of a file, if it may be a manifest.
fn object(files: &Files, digest: &Digest) -> Result<Option<Vec<u8>>, TransferError> {
    let path = files.path_of(digest);
    let (mut file, size) = files.open(&path)?;
    let mut text = vec![0; 1];
    if size == 0 || size > MANIFEST as u64 {
        return Ok(None);
    }
    let read_failed = |error| failed("read", &path, error);
    file.read_exact(&mut text).map_err(read_failed)?;
    if text != b"{" {
        return Ok(None);
    }
    let rest = file.take(MANIFEST as u64).read_to_end(&mut text);
    rest.map_err(read_failed)?;
    Ok(Some(text))
}
