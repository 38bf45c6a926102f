//! How much of a signed image is moved at most.

/// Most manifests of one image: its own, those of an index, and those attached.
pub(super) const MANIFESTS: usize = 500;
/// How deep indexes may be nested.
pub(super) const DEPTH: usize = 4;
/// Most bytes of all manifests together.
pub(super) const MANIFEST_BYTES: usize = 64 << 20;
/// Most bytes of all blobs together.
pub(super) const BLOB_BYTES: u64 = 256 << 30;
/// Most files of a folder that are looked at.
pub(super) const FILES: usize = 20_000;
/// Most bytes of them that are read to find out which are manifests.
pub(super) const SCANNED: u64 = 1 << 30;
