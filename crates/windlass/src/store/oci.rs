//! The store `oci`: signatures and attestations beside the image, in its registry.
//!
//! With the encoding `dsse` they are layers of two manifests under the tags `sha256-HEX.sig` and
//! `sha256-HEX.att`; with `sigstore-bundle` each is a referrer of the image; with `both`, which is
//! windlass's own, each is kept in both ways. Either is made of the run alone, so storing twice adds
//! nothing (behaviour reference, sections 6.3 to 6.5).
//!
//! An override of the repository holds for tags. A referrer lives in the repository of what it
//! refers to, so for bundles the override holds only if the image is there too.

use std::time::Duration;

use jiff::Timestamp;
use windlass_core::config::Storage;
use windlass_core::dsse::Envelope;
use windlass_core::image::{Image, ImageError};
use windlass_registry::manifest::Descriptor;
use windlass_registry::{
    Digest, DigestError, Error, Name, ReferenceError, Remote, Repository, Retry, SetupError, Tag,
};

pub(crate) use self::clients::{Exemptions, client, open, options};
use self::credentials::CredentialsError;
pub(crate) use self::registries::Registries;

mod accounts;
pub(crate) mod attached;
mod bundle;
mod clients;
pub(crate) mod credentials;
mod layer;
mod listed;
#[cfg(test)]
mod live;
mod registries;

/// Something to be stored beside an image.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    /// The image.
    pub(crate) image: Image,
    /// What is stored.
    pub(crate) content: Content,
    /// When the run ended: the time of creation, the same at every attempt.
    pub(crate) created: Option<Timestamp>,
}

/// What is stored, as each encoding needs it.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// The signature of an image, with its payload.
    Signature {
        payload: Vec<u8>,
        signature: Vec<u8>,
    },
    /// A statement about an image.
    Attestation(Envelope),
    /// The same, or a signature in the form of a statement, as a bundle.
    Bundle {
        envelope: Envelope,
        predicate_type: String,
        /// Names the public key.
        hint: String,
    },
}

/// Why something is not stored beside an image.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    /// The registry refused or failed.
    #[error(transparent)]
    Registry(#[from] Error),
    /// The cluster did not say which credentials there are.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The setting is no repository.
    #[error("storage.oci.repository: {value:?} is not a repository: {source}")]
    Override {
        value: String,
        source: ReferenceError,
    },
    /// The image's name is fine for a statement and not for a registry.
    #[error("{image}: this is no place in a registry: {source}")]
    Image {
        image: String,
        source: ReferenceError,
    },
    /// The image has no digest.
    #[error("{image}: {source}")]
    Digest { image: String, source: DigestError },
    /// There is nothing to refer to.
    #[error("{digest} is not in {repository}, so nothing can refer to it; push the image first")]
    NoSubject { digest: Digest, repository: String },
    /// An index lists more than is signed.
    #[error(
        "{image} lists more than {most} manifests, the most that are signed; sign it without artifacts.oci.recursive"
    )]
    TooManyListed { image: String, most: usize },
    /// Indexes list indexes that list indexes.
    #[error(
        "{image} lists indexes more than {depth} deep; sign it without artifacts.oci.recursive"
    )]
    TooDeep { image: String, depth: usize },
    /// What should be an index cannot be read.
    #[error("{digest} is no index that can be read")]
    Index {
        digest: Digest,
        source: serde_json::Error,
    },
    /// An index lists something that cannot be signed.
    #[error("{image} lists {digest}, which cannot be signed")]
    Listed {
        image: String,
        digest: Digest,
        source: ImageError,
    },
    /// A certificate or key that this machine keeps for the registry cannot be read.
    #[error("cannot read {path}, which is kept here for the registry: {source}")]
    Certificate {
        path: String,
        source: std::io::Error,
    },
    /// There is no client to speak to the registry with.
    #[error("cannot speak to {registry}")]
    Setup {
        registry: String,
        source: SetupError,
    },
}

impl UploadError {
    /// When the same can work though nobody changes the settings.
    fn retry(&self) -> Retry {
        match self {
            // a credential may be added at any time, and nothing tells when
            Self::Registry(Error::Denied { .. })
            | Self::NoSubject { .. }
            | Self::Credentials(_) => Retry::Backoff,
            Self::Registry(error) => error.retry(),
            Self::Override { .. }
            | Self::Image { .. }
            | Self::Digest { .. }
            | Self::TooManyListed { .. }
            | Self::TooDeep { .. }
            | Self::Index { .. }
            | Self::Listed { .. }
            | Self::Certificate { .. }
            | Self::Setup { .. } => Retry::Never,
        }
    }
}

/// When to try again what failed like this: not before the last of the times that registries asked
/// for; else soon if any of it can pass.
pub(crate) fn retry(failures: &[UploadError]) -> Retry {
    let rank = |retry: &Retry| match retry {
        Retry::Never => (0, Duration::ZERO),
        Retry::Backoff => (1, Duration::ZERO),
        Retry::After(time) => (2, *time),
    };
    let each = failures.iter().map(UploadError::retry);
    each.max_by_key(rank).unwrap_or(Retry::Never)
}

/// The image that a subject of a statement names.
pub(crate) fn image_of(name: &str, sha256: &str) -> Result<Image, ImageError> {
    Image::parse(&format!("{name}@sha256:{sha256}"))
}

/// The repository of an image. A scheme, which runs may name and registries have none of, is left
/// out.
fn repository_of(image: &Image) -> Result<Repository, UploadError> {
    let name = image.repository();
    let bare = name
        .split_once("://")
        .map_or(name.as_str(), |(_, rest)| rest);
    Repository::parse(bare).map_err(|source| UploadError::Image {
        image: image.to_string(),
        source,
    })
}

/// The repository that the settings name; none if they name none.
fn override_of(storage: &Storage) -> Result<Option<Repository>, UploadError> {
    let value = &storage.oci_repository;
    if value.is_empty() {
        return Ok(None);
    }
    let read = Repository::parse(value).map_err(|source| UploadError::Override {
        value: value.clone(),
        source,
    });
    read.map(Some)
}

fn digest_of(image: &Image) -> Result<Digest, UploadError> {
    Digest::parse(&image.digest()).map_err(|source| UploadError::Digest {
        image: image.to_string(),
        source,
    })
}

/// Adds a layer under the tag of its kind, unless it is there.
async fn attach(remote: &Remote, digest: &Digest, layer: layer::Layer) -> Result<(), UploadError> {
    let tag = Tag::of_digest(digest, layer.suffix).map_err(|source| UploadError::Image {
        image: digest.to_string(),
        source,
    })?;
    let merge = move |stored| layer.merged_into(stored);
    remote.update_manifest(&tag, merge).await?;
    Ok(())
}

/// Pushes a bundle that refers to an image.
async fn refer(
    remote: &Remote,
    subject: Descriptor,
    bundle: &bundle::Bundle<'_>,
) -> Result<(), UploadError> {
    let (manifest, blobs) = bundle.manifest(subject);
    for blob in &blobs {
        remote.push_blob(blob, None).await?;
    }
    remote.push_referrer(&manifest).await?;
    Ok(())
}

/// What a referrer refers to, if it is there.
async fn subject(remote: &Remote, digest: &Digest) -> Result<Option<Descriptor>, UploadError> {
    let name = Name::Digest(digest.clone());
    let found = remote.head_manifest(&name).await?;
    // only what names the manifest: some registries answer with more
    Ok(found.map(|found| Descriptor {
        annotations: None,
        artifact_type: None,
        rest: serde_json::Map::new(),
        ..found
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_before_the_name_of_an_image_is_no_part_of_its_repository() {
        let hex = "ab".repeat(32);
        for name in ["https://r.io/team/app", "r.io/team/app"] {
            let image = image_of(name, &hex).unwrap();
            let repository = repository_of(&image).unwrap();
            assert_eq!(repository.to_string(), "r.io/team/app");
        }
    }

    #[test]
    fn a_setting_that_is_no_repository_is_named_with_its_value() {
        let storage = Storage {
            oci_repository: "https://r.io/sigs".to_owned(),
            ..Storage::default()
        };
        let error = override_of(&storage).unwrap_err();
        assert_eq!(error.retry(), Retry::Never);
        let text = error.to_string();
        assert!(text.contains("storage.oci.repository"), "{text}");
        assert!(text.contains("leave out https://"), "{text}");
    }
}
