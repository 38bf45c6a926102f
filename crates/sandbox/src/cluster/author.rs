//! The author of a write, as it is recorded in `metadata.managedFields`.

use crate::cluster::managed::Operation;

/// Who writes, and whether the write is a dry run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Author {
    /// Field manager; the default is the first part of the user agent.
    pub manager: String,
    pub dry_run: bool,
    /// An apply has already written the owners of what it changed.
    pub operation: Operation,
}
