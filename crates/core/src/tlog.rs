//! Transparency logs: what is proposed to one for a signature, and what makes its response an entry.
//!
//! A log is not believed: an [`Entry`] counts once [`Entry::check`] has found that it is the one of the
//! signature, that the log promised to keep it, and that it is in the tree whose root the log signed.
//! Nothing is sent from here. Sources: Rekor's `openapi.yaml`, RFC 6962 (the tree), and the
//! checkpoint format of transparency.dev.

mod checkpoint;
mod entry;
mod merkle;
mod proposal;
mod propose;
mod response;

pub use checkpoint::CheckpointError;
pub use entry::{Entry, EntryError, Proof};
pub use proposal::{Kind, Proposal, ProposalError};
pub use propose::propose;
pub use response::{MalformedResponse, index_in_url, parse, uuid_in_location};

#[cfg(test)]
mod tests;
