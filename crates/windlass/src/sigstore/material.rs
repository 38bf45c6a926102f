//! What a signature comes with, as it is stored: nothing of it is checked or even read here.

use bytes::Bytes;

/// What a signature comes with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Material {
    /// Nothing: a signature by a key.
    #[default]
    None,
    /// The bundle that the signature is in.
    Bundle(Bytes),
    /// The annotations that cosign and Chains write where there is no bundle.
    Annotated(Box<Annotated>),
}

/// What is annotated to a signature: each empty if there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Annotated {
    /// The certificate of the key that signed, in PEM.
    pub(crate) certificate: String,
    /// The certificates above it, in PEM.
    pub(crate) chain: String,
    /// The log entry with the log's promise, cosign's JSON.
    pub(crate) entry: String,
    /// The timestamp, cosign's JSON.
    pub(crate) timestamp: String,
    /// The log entry with its proof and the timestamp, as in a bundle. Where there is one, the two before
    /// do not count.
    pub(crate) proof: String,
    /// The envelope beside which the timestamp is, byte by byte: the timestamp may be of that, and not of the
    /// signature in it.
    pub(crate) envelope: Bytes,
}

impl Material {
    /// What is annotated; nothing if all of it is empty.
    pub(crate) fn annotated(annotated: Annotated) -> Self {
        let Annotated {
            certificate,
            chain: _,
            entry,
            timestamp,
            proof,
            envelope: _,
        } = &annotated;
        if [certificate, entry, timestamp, proof]
            .iter()
            .all(|part| part.trim().is_empty())
        {
            return Self::None;
        }
        Self::Annotated(Box::new(annotated))
    }

    /// The same beside this envelope, which is kept only if there is a timestamp.
    pub(crate) fn beside(mut self, envelope: &Bytes) -> Self {
        if let Self::Annotated(annotated) = &mut self
            && !annotated.timestamp.trim().is_empty()
        {
            annotated.envelope = envelope.clone();
        }
        self
    }
}
