//! Transparency logs: what is proposed to one for a signature, and what makes its response an entry.
//!
//! A log is not believed: an [`Entry`] counts once [`Entry::check`] has found that it is the one of the
//! signature, that the log promised to keep it, and that it is in the tree whose root the log signed.
//! A log of version 2 promises nothing and tells no time ([`Entry::check_v2`]); its tree is in files,
//! its tiles. Nothing is sent from here. Sources: Rekor's `openapi.yaml`, rekor-tiles, RFC 6962 (the
//! tree), and the formats of transparency.dev (C2SP) for checkpoints and tiles.

mod author;
mod bundled;
mod checkpoint;
mod entry;
mod logged;
mod merkle;
mod proposal;
mod propose;
mod propose_v2;
mod response;
mod tiles;

pub use author::Author;
pub use bundled::parse_bundled;
pub use checkpoint::CheckpointError;
pub use entry::{Entry, EntryError, Promise, Proof};
pub use logged::Logged;
pub use proposal::{Kind, Proposal, ProposalError};
pub use propose::propose;
pub use propose_v2::propose_v2;
pub use response::{MalformedResponse, index_in_url, parse, uuid_in_location};
pub use tiles::{
    CheckpointSigner, Tile, entry_from_tiles, entry_path, size_in_checkpoint, tiles_of,
};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod v2_tests;
