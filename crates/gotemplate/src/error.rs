//! Why a template cannot be read or applied.

/// What went wrong, and where in the template.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("go-template, line {line}, column {column}: {message}")]
pub struct GoTemplateError {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    pub(crate) message: String,
}

/// The same with a place in bytes, before the text is at hand.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    at: usize,
    message: String,
}

/// What came of a step at a place in the template.
pub(crate) type Outcome<T> = Result<T, Fault>;

impl Fault {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
        }
    }

    /// The error for the text that the place is in.
    pub(crate) fn within(self, text: &str) -> GoTemplateError {
        let before = text.get(..self.at).unwrap_or(text);
        let (lines, last) = match before.rsplit_once('\n') {
            Some((above, last)) => (above.matches('\n').count() + 1, last),
            None => (0, before),
        };
        GoTemplateError {
            line: lines + 1,
            column: last.chars().count() + 1,
            message: self.message,
        }
    }
}
