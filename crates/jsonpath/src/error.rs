//! Why a template cannot be read or applied.

/// What went wrong, and where in the template.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("jsonpath template, column {column}: {message}")]
pub struct JsonPathError {
    /// Column in characters, counted from 1.
    pub column: usize,
    pub(crate) message: String,
}

impl JsonPathError {
    pub(crate) fn new(column: usize, message: impl Into<String>) -> Self {
        Self {
            column,
            message: message.into(),
        }
    }
}
