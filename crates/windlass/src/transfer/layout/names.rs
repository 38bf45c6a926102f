//! What files, annotations and contents of a layout are named.

use std::path::{Path, PathBuf};

use windlass_registry::Digest;
use windlass_registry::manifest::Descriptor;

pub(super) const KIND: &str = "kind";
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";
pub(super) const IMAGE: &str = "dev.cosignproject.cosign/image";
pub(super) const IMAGE_INDEX: &str = "dev.cosignproject.cosign/imageIndex";
pub(super) const SIGNATURES: &str = "dev.cosignproject.cosign/sigs";
pub(super) const ATTESTATIONS: &str = "dev.cosignproject.cosign/atts";
/// The file that says that the folder is a layout.
pub(super) const MARK: (&str, &str) = ("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
pub(super) const INDEX: &str = "index.json";

pub(super) fn blob_path(folder: &Path, digest: &Digest) -> PathBuf {
    // hex digits alone, so the path stays in the folder
    folder
        .join("blobs")
        .join(digest.algorithm())
        .join(digest.hex())
}

pub(super) fn annotation<'d>(entry: &'d Descriptor, name: &str) -> Option<&'d str> {
    let annotations = entry.annotations.as_ref()?;
    annotations.get(name).map(String::as_str)
}
