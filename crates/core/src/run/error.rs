//! Why a document is not a run.

use crate::terminal::quoted;

/// Largest document accepted, in bytes. An API server accepts a tenth of it.
pub const MAX_DOCUMENT: usize = 32 << 20;

/// Why a document is not a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The document is larger than [`MAX_DOCUMENT`].
    #[error("the run has {size} bytes; the limit is {MAX_DOCUMENT}")]
    TooLarge {
        /// Size in bytes.
        size: usize,
    },
    /// The document is not valid JSON, or a field has a wrong type or occurs twice.
    #[error("cannot read the run at {path:.200}: {reason}")]
    Field {
        /// Path of the field from the document's root.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The document is of another kind.
    #[error("expected a {expected}, found {}", kind_found(found))]
    Kind {
        /// Kind that was asked for.
        expected: &'static str,
        /// Kind of the document.
        found: String,
    },
    /// The document is of another API version.
    #[error(
        "expected apiVersion tekton.dev/v1, found {}; convert the run first",
        version_found(found)
    )]
    ApiVersion {
        /// API version of the document.
        found: String,
    },
}

/// The kind of a document, which may have none, as an error names it.
///
/// ```
/// assert_eq!(windlass_core::run::kind_found("Pod"), "kind \"Pod\"");
/// assert_eq!(windlass_core::run::kind_found(""), "no kind");
/// ```
#[must_use]
pub fn kind_found(kind: &str) -> String {
    match kind {
        "" => "no kind".to_owned(),
        _ => format!("kind {}", quoted(kind)),
    }
}

/// The API version of a document, which may have none.
pub(crate) fn version_found(version: &str) -> String {
    match version {
        "" => "none".to_owned(),
        _ => quoted(version),
    }
}
