//! A signed image in a folder: an OCI layout as `cosign save` writes it.
//!
//! `index.json` lists the image and what is attached to it. The annotation `kind` says which is which;
//! what is attached to the images of an index has no kind, so that nobody takes it for something of the
//! index, and its tag in `org.opencontainers.image.ref.name`. cosign 3 lists no referrers: their
//! manifests are among the blobs, and found by the subject that they name. Source: OCI image
//! specification 1.1, "Image Layout".

pub(crate) use self::read::Layout;
pub(crate) use self::write::Folder;

mod files;
mod names;
mod read;
mod referrers;
mod write;
