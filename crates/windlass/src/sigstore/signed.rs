//! What is judged: something signed, and who has to have signed it.

use windlass_core::dsse::Envelope;
use windlass_core::key::PublicKey;

use super::signatory::Signatory;

/// Most bytes of a bundle: what one thing attached to an image may have.
pub(crate) const MAX_BUNDLE: usize = 16 << 20;
/// Most bytes of a trusted root. That of Sigstore's public instance has 7 kB.
pub(crate) const MAX_ROOT: usize = 1 << 20;

/// What was signed, with its signature.
#[derive(Clone, Copy)]
pub(crate) enum Signed<'a> {
    /// Some bytes, and the signature over them.
    Message {
        message: &'a [u8],
        signature: &'a [u8],
    },
    /// An envelope.
    Envelope(&'a Envelope),
}

/// A file that a bundle is about.
#[derive(Clone, Copy)]
pub(crate) enum Blob<'a> {
    /// Its bytes.
    Bytes(&'a [u8]),
    /// Its SHA-256 alone.
    Digest(&'a [u8; 32]),
}

/// Who has to have signed.
#[derive(Clone, Copy)]
pub(crate) enum Who<'a> {
    /// Whoever has the private half of a key.
    Key(&'a PublicKey),
    /// Whom a certificate names.
    Certificate(&'a Signatory),
}

/// Why a trusted root cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct RootError(pub(crate) String);
