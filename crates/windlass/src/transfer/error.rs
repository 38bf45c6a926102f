//! Why a signed image could not be copied.

use std::path::PathBuf;

use windlass_registry::{Digest, Error, Name, Repository};

use super::bounds::{DEPTH, FILES, MANIFEST_BYTES, MANIFESTS, SCANNED};

/// Why a signed image could not be copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransferError {
    #[error(transparent)]
    Registry(#[from] Error),
    #[error("{digest} was not found in {place}")]
    Missing { digest: Digest, place: String },
    #[error("{0} is neither an image nor an index")]
    NoManifest(Digest),
    #[error("the image has more than {MANIFESTS} manifests")]
    TooMany,
    #[error("its indexes are nested more than {DEPTH} deep")]
    TooDeep,
    #[error("its manifests are larger than {MANIFEST_BYTES} bytes together")]
    LargeManifests,
    #[error("its layers are larger than {limit} bytes together")]
    TooLarge { limit: u64 },
    #[error("{0} is no index, so it has no platforms; leave --platform out")]
    NoPlatforms(Digest),
    #[error("the index has no image for {wanted}; it has {found}")]
    NoSuchPlatform { wanted: String, found: String },
    #[error("{repository}:{name} exists already and is another one; use --force to replace it")]
    Exists { repository: Repository, name: Name },
    #[error("cannot {doing} {}", path.display())]
    File {
        doing: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the folder {} was not found; name one that `save` has written", path.display())]
    Absent { path: PathBuf },
    #[error("{} is a file; name a folder", path.display())]
    NoFolder { path: PathBuf },
    #[error("{} is not an OCI layout: {why}", path.display())]
    NoLayout { path: PathBuf, why: String },
    #[error("{} is missing; save the image again", path.display())]
    NoFile { path: PathBuf },
    #[error("{} is damaged: {why}; save the image again", path.display())]
    Damaged { path: PathBuf, why: String },
    #[error(
        "{} is a link that leads out of the folder; copy the folder with the files themselves, as \
         `cp -rL` does",
        path.display()
    )]
    Outside { path: PathBuf },
    #[error("{} has more than {FILES} files; save the image in a folder of its own", path.display())]
    ManyFiles { path: PathBuf },
    #[error(
        "{} has more than {} GiB of JSON, the most that is read; save the image in a folder of its own",
        path.display(),
        SCANNED >> 30
    )]
    LargeFolder { path: PathBuf },
}
