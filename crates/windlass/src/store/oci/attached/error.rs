//! Why what is attached to an image is not read.

use windlass_registry::Error;

use super::bounds::{ENTRIES, TOTAL};
use crate::transfer::TransferError;

/// Why what is attached to an image is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttachedError {
    /// The registry refused or did not respond.
    #[error(transparent)]
    Registry(#[from] Error),
    /// The folder that the image was saved in has something that is not read.
    #[error(transparent)]
    Folder(#[from] TransferError),
    /// There are more entries than are read.
    #[error(
        "{place} brings what is attached to the image to {found} entries; at most {ENTRIES} are \
         read: remove old ones"
    )]
    TooMany {
        /// The place whose entries are too many.
        place: String,
        /// How many there are with them.
        found: usize,
    },
    /// All contents together are larger than what is read.
    #[error(
        "what is attached to the image has more than {} MiB, the most that is read: remove old or \
         large entries",
        TOTAL >> 20
    )]
    TooLarge,
}
