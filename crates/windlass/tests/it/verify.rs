//! Images, runs and files verified.

mod bounds;
mod certificates;
mod claims;
mod detached;
mod files;
#[cfg(feature = "sigstore")]
mod identities;
mod images;
pub mod registry;
mod runs;
mod saved;
mod sbom;
