//! A proposal: what is sent to a log, and the body of the entry that has to come of it.

use serde_json::{Value, json};

use crate::key::Scheme;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An envelope, version 0.0.1.
    Dsse,
    /// The hash of something signed, version 0.0.1.
    HashedRekord,
}

impl Kind {
    /// Its name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dsse => "dsse",
            Self::HashedRekord => "hashedrekord",
        }
    }

    /// The version of its format.
    pub fn version(self) -> &'static str {
        match self {
            Self::Dsse | Self::HashedRekord => "0.0.1",
        }
    }
}

/// What is proposed to a log for a signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Kind of the entry.
    pub kind: Kind,
    /// What is sent, JSON.
    pub request: String,
    /// The body of the entry that comes of it.
    pub(super) body: Value,
}

/// Why a signature cannot be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProposalError {
    /// The kind of entry does not take this scheme.
    #[error("the log takes no signature by {scheme} of {of}; {remedy}")]
    Scheme {
        /// The scheme.
        scheme: Scheme,
        /// What is signed.
        of: &'static str,
        /// What to sign with.
        remedy: &'static str,
    },
    /// The signature is not by its identity.
    #[error("the signature does not verify with its own key")]
    Signature,
}

impl Proposal {
    pub(super) fn new(kind: Kind, proposed: &Value, logged: &Value) -> Self {
        let with = |spec: &Value| json!({ "apiVersion": kind.version(), "kind": kind.name(), "spec": spec });
        Self {
            kind,
            request: with(proposed).to_string(),
            body: with(logged),
        }
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // a String takes anything
        let _ = write!(text, "{byte:02x}");
    }
    text
}
