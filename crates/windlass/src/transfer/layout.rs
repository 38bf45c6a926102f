//! A signed image in a folder: an OCI layout as `cosign save` writes it.
//!
//! `index.json` lists the image and what is attached to it. The annotation `kind` says which is which;
//! what is attached to the images of an index has no kind, so that nobody takes it for something of the
//! index, and its tag in `org.opencontainers.image.ref.name`. cosign 3 lists no referrers: their
//! manifests are among the blobs, and found by the subject that they name. Source: OCI image
//! specification 1.1, "Image Layout".

use std::path::{Path, PathBuf};

use windlass_registry::Digest;
use windlass_registry::manifest::Descriptor;

pub(crate) use self::read::Layout;
pub(crate) use self::write::Folder;
use super::error::TransferError;

mod files;
mod read;
mod referrers;
mod write;

const KIND: &str = "kind";
const REF_NAME: &str = "org.opencontainers.image.ref.name";
const IMAGE: &str = "dev.cosignproject.cosign/image";
const IMAGE_INDEX: &str = "dev.cosignproject.cosign/imageIndex";
const SIGNATURES: &str = "dev.cosignproject.cosign/sigs";
const ATTESTATIONS: &str = "dev.cosignproject.cosign/atts";
/// The file that says that the folder is a layout.
const MARK: (&str, &str) = ("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
const INDEX: &str = "index.json";

fn blob_path(folder: &Path, digest: &Digest) -> PathBuf {
    // hex digits alone, so the path stays in the folder
    folder
        .join("blobs")
        .join(digest.algorithm())
        .join(digest.hex())
}

fn annotation<'d>(entry: &'d Descriptor, name: &str) -> Option<&'d str> {
    let annotations = entry.annotations.as_ref()?;
    annotations.get(name).map(String::as_str)
}

fn failed(doing: &'static str, path: &Path, source: std::io::Error) -> TransferError {
    let path = path.to_owned();
    TransferError::File {
        doing,
        path,
        source,
    }
}
