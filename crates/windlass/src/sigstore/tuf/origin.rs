//! Where a trusted root comes from.

use std::path::PathBuf;

pub(crate) use crate::sigstore::trust::PUBLIC_MIRROR;

/// The pinned root of the public instance.
pub(crate) const PUBLIC_ROOT: &[u8] = include_bytes!("root.json");

/// Where a trusted root comes from.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// The address of the mirror.
    pub(crate) mirror: String,
    /// The root that everything starts at.
    pub(crate) root: Vec<u8>,
    /// Where what was fetched is kept.
    pub(crate) folder: PathBuf,
}
