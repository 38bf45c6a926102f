//! JSON as it was written: numbers keep their text, members their order, strings their place.
//!
//! A run's parts are copied into payloads that are compared with what other programs write, so
//! nothing may be rounded on the way.

use std::borrow::Cow;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as its text.
    Number(Cow<'a, str>),
    /// A string.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object, in order, without duplicates.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// Deepest nesting accepted.
pub const MAX_DEPTH: usize = 256;

/// Why a value cannot be copied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Nesting is deeper than [`MAX_DEPTH`].
    #[error("it is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// An object has the same key twice.
    #[error("an object has the key {key:.80?} twice")]
    Duplicate {
        /// The key.
        key: String,
    },
    /// A string is not valid.
    #[error("it is not valid JSON")]
    Syntax,
}
