//! Why something could not be verified, neither as valid nor as invalid.

use crate::inspect::documents::DocumentsError;
use crate::inspect::files::FileError;
use crate::inspect::runs::RunsError;
use crate::store::oci::attached::AttachedError;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    /// What is attached to an image was not read.
    #[error(transparent)]
    Attached(#[from] AttachedError),
    /// A run could not be read from its cluster.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// A document is no run.
    #[error(transparent)]
    Documents(#[from] DocumentsError),
    /// A file could not be read.
    #[error("cannot read the file {file}")]
    Read {
        /// Its name.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file contains nothing that can be verified.
    #[error("{file} contains no envelope and no bundle, and was read as a run")]
    File {
        /// Its name.
        file: String,
        /// Why it is no run.
        source: FileError,
    },
}
