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
    /// The same in a log of version 2, version 0.0.2.
    HashedRekordV2,
    /// An envelope, `intoto` 0.0.2, as Chains before 0.29 and cosign have logged them. It is read only.
    Intoto,
}

impl Kind {
    /// Its name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dsse => "dsse",
            Self::Intoto => "intoto",
            Self::HashedRekord | Self::HashedRekordV2 => "hashedrekord",
        }
    }

    /// The version of its format.
    pub fn version(self) -> &'static str {
        match self {
            Self::Dsse | Self::HashedRekord => "0.0.1",
            Self::HashedRekordV2 | Self::Intoto => "0.0.2",
        }
    }

    /// The kind with this name and version.
    pub(super) fn of(name: &str, version: &str) -> Option<Self> {
        let kinds = [
            Self::Dsse,
            Self::HashedRekord,
            Self::HashedRekordV2,
            Self::Intoto,
        ];
        let is_it = |kind: &Self| kind.name() == name && kind.version() == version;
        kinds.into_iter().find(is_it)
    }
}

/// What is proposed to a log for a signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Kind of the entry.
    pub kind: Kind,
    /// What is sent, JSON.
    pub request: String,
    /// Why a log that refuses it does so, if it is set up as Rekor is from 1.3.10 on.
    pub objection: Option<ProposalError>,
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
    /// The log does not take this scheme of this key, whatever is signed.
    #[error("the log takes no signature by {scheme} with a key of {key}; {remedy}")]
    KeyAndScheme {
        /// The kind of key.
        key: &'static str,
        /// The scheme.
        scheme: Scheme,
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
            objection: None,
            body: with(logged),
        }
    }

    /// The same, which a log may refuse for a reason.
    pub(super) fn with_objection(self, objection: Option<ProposalError>) -> Self {
        Self { objection, ..self }
    }
}

impl Proposal {
    /// One to a log of version 2, whose requests have another form than its entries.
    pub(super) fn of_v2(kind: Kind, request: &Value, logged: &Value) -> Self {
        let body = json!({ "apiVersion": kind.version(), "kind": kind.name(), "spec": logged });
        Self {
            kind,
            request: request.to_string(),
            objection: None,
            body,
        }
    }

    /// The body of the entry as it is in the tree: members in order, no spaces (RFC 8785). Numbers and
    /// letters beyond ASCII, which that has more rules for, are not in it.
    pub fn canonical_body(&self) -> Vec<u8> {
        self.body.to_string().into_bytes()
    }
}
