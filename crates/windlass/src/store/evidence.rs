//! What a store has: signatures and statements, as far as they can be read. Nothing is verified here.

use windlass_core::dsse::Envelope;

use crate::sigstore::Material;

/// Something that a store has.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Where it was found, for people.
    pub(crate) place: String,
    /// What names its artifact in the annotations of a run; none in registries, where the image does.
    pub(crate) key: Option<String>,
    /// What it is.
    pub(crate) evidence: Evidence,
}

/// What something in a store turns out to be.
#[derive(Debug, Clone)]
pub(crate) enum Evidence {
    /// A signature without an envelope.
    Signature {
        /// The signed payload, if it was stored.
        payload: Option<Vec<u8>>,
        signature: Vec<u8>,
        /// What vouches for it.
        material: Material,
    },
    /// A signed statement.
    Statement {
        envelope: Envelope,
        /// The payload, where it was stored a second time.
        payload: Option<Vec<u8>>,
        /// What vouches for the signature.
        material: Material,
    },
    /// Neither, such as a list of packages without signature: its media type.
    Other(String),
    /// Something that should be one of these and cannot be read, and why.
    Damaged(String),
}

impl Evidence {
    /// The bytes that were signed, if they are there.
    pub(crate) fn payload(&self) -> Option<Vec<u8>> {
        match self {
            Self::Signature { payload, .. } => payload.clone(),
            Self::Statement { envelope, .. } => envelope.decode_payload().ok(),
            Self::Other(_) | Self::Damaged(_) => None,
        }
    }
}
