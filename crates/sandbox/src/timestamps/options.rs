//! How an authority is started, and how it lies.

use std::time::Duration;

/// What only a timestamp authority does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    /// The timestamp is of another signature.
    OtherSignature,
    /// It answers another request.
    OtherNonce,
    /// It does not say which request it answers.
    NoNonce,
    /// It is of a time so far ahead.
    Ahead(Duration),
    /// It is of a time so long ago.
    Ago(Duration),
    /// Another authority of the same names signed it.
    OtherAuthority,
    /// It is signed over something else.
    OtherContent,
    /// There is none.
    Refused,
}

/// When the certificate of an authority is valid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Validity {
    /// Since an hour ago, for a year.
    #[default]
    Now,
    /// It has ended, an hour ago.
    Ended,
}
