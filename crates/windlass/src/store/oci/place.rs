//! Where in a registry something is stored: the repository of the image, or the one that the
//! settings name.

use windlass_core::config::Storage;
use windlass_core::image::{Image, ImageError};
use windlass_registry::{Digest, Repository};

use super::error::UploadError;

/// The image that a subject of a statement names.
pub(super) fn image_of(name: &str, sha256: &str) -> Result<Image, ImageError> {
    Image::parse(&format!("{name}@sha256:{sha256}"))
}

/// The repository of an image. A scheme, which runs may name and registries have none of, is left
/// out.
pub(crate) fn repository_of(image: &Image) -> Result<Repository, UploadError> {
    let name = image.repository();
    let bare = name
        .split_once("://")
        .map_or(name.as_str(), |(_, rest)| rest);
    Repository::parse(bare).map_err(|source| UploadError::Image {
        image: image.to_string(),
        source,
    })
}

/// The host of the registry that an image's signatures go to: that of the settings, or its own. A
/// bundle may go to its own in spite of the settings; the former is asked first.
pub(super) fn host_of(image: &Image, storage: &Storage) -> Result<String, UploadError> {
    let own = repository_of(image)?;
    let repository = override_of(storage)?.unwrap_or(own);
    Ok(repository.registry().to_owned())
}

/// The repository that the settings name; none if they name none.
pub(super) fn override_of(storage: &Storage) -> Result<Option<Repository>, UploadError> {
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

pub(super) fn digest_of(image: &Image) -> Result<Digest, UploadError> {
    Digest::parse(&image.digest()).map_err(|source| UploadError::Digest {
        image: image.to_string(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use windlass_core::retry::Retry;

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
