//! Why a key could not be used. No text here ever contains key material or a password.

use super::scheme::Scheme;

/// Why bytes are not a usable key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Nothing but whitespace.
    #[error("the key is empty; expected {expected}")]
    Empty {
        /// What would have been accepted.
        expected: &'static str,
    },
    /// No PEM block at all.
    #[error("the key is not PEM, {looks}; expected {expected}")]
    NotPem {
        /// What it is instead, and what to do.
        looks: &'static str,
        /// What would have been accepted.
        expected: &'static str,
    },
    /// A block that starts but does not end.
    #[error("the `{label}` block has no END line, the key looks cut short; copy the whole file")]
    Truncated {
        /// The type named in the BEGIN line.
        label: String,
    },
    /// A block whose body is not base64.
    #[error("the `{label}` block is not valid base64, the key is damaged")]
    Base64 {
        /// The type named in the BEGIN line.
        label: String,
    },
    /// A well-formed block of a kind that does not belong here.
    #[error("found {what} (PEM type `{found}`); expected {expected}")]
    WrongType {
        /// The type named in the BEGIN line.
        found: String,
        /// The same in words.
        what: &'static str,
        /// What would have been accepted.
        expected: &'static str,
    },
    /// The private key's encoding is broken, or its numbers are not a key.
    #[error("the `{label}` block does not contain a valid private key")]
    Private {
        /// The type named in the BEGIN line.
        label: String,
        /// Where decoding stopped.
        #[source]
        source: pkcs8::Error,
    },
    /// The public key's encoding is broken, or its numbers are not a key.
    #[error("the `{label}` block does not contain a valid public key, the key is damaged")]
    Public {
        /// The type named in the BEGIN line.
        label: String,
        /// Where decoding stopped.
        #[source]
        source: pkcs8::spki::Error,
    },
    /// A valid key of an algorithm or curve that is not supported.
    #[error(
        "the key's algorithm ({algorithm}) is not supported; use ECDSA on P-256, P-384 or P-521, \
         Ed25519 or RSA"
    )]
    Algorithm {
        /// Object identifiers of the algorithm and curve.
        algorithm: String,
    },
    /// An RSA key of a size that cosign and Chains refuse.
    #[error("the RSA key has {bits} bits; use 2048, 3072 or 4096")]
    RsaSize {
        /// Length of the modulus.
        bits: u32,
    },
    /// Random bytes that are not a private key of the curve (chance: 1 in 2³²).
    #[error("the random bytes are outside the curve's range; generate new ones")]
    Random,
    /// cosign's encrypted file could not be opened.
    #[error(transparent)]
    Cosign(#[from] CosignError),
}

/// Why cosign's encrypted file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum CosignError {
    /// The block's body is not the JSON that cosign writes.
    #[error(
        "the encrypted key is not the JSON that cosign writes (line {line}, column {column}); \
         the file is damaged"
    )]
    Json {
        /// Line inside the PEM body, from 1.
        line: usize,
        /// Column inside the PEM body.
        column: usize,
    },
    /// A key derivation or cipher that cosign does not use.
    #[error("the encrypted key uses {field} `{found}`; expected `{expected}`")]
    Algorithm {
        /// Which member.
        field: &'static str,
        /// Its value.
        found: String,
        /// The only value that is accepted.
        expected: &'static str,
    },
    /// Scrypt parameters outside what cosign writes, which could exhaust memory.
    #[error(
        "the encrypted key uses scrypt with N={n}, r={r}, p={p}; accepted are N=32768, 65536 or \
         131072 with r=8 and p=1"
    )]
    Parameters {
        /// Cost.
        n: u64,
        /// Block size.
        r: u64,
        /// Parallelism.
        p: u64,
    },
    /// A member that is not base64 or has the wrong length.
    #[error("the encrypted key's {field} is not {expected}; the file is damaged")]
    Field {
        /// Which member.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The box does not open.
    #[error("the password does not decrypt the key{hint}")]
    Password {
        /// What to look at first.
        hint: &'static str,
    },
    /// scrypt or the cipher refused its input.
    #[error("cannot derive the encryption key from the password")]
    Derivation,
}

/// The signature could not be computed; for a key that was read successfully this is a defect.
#[derive(Debug, thiserror::Error)]
#[error("cannot compute the signature with the {scheme} key")]
pub struct SignError {
    /// The scheme that was used.
    pub scheme: Scheme,
    /// What the algorithm reported.
    #[source]
    pub source: p256::ecdsa::signature::Error,
}

/// Why a signature was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The bytes cannot be a signature of this kind of key, whatever was signed.
    #[error("the signature is malformed: a signature by this key is {expected}")]
    Malformed {
        /// The encoding and length that the key's signatures have.
        expected: &'static str,
    },
    /// A well-formed signature, of other bytes or by another key.
    #[error("the signature is well-formed but does not match this key and these bytes")]
    Mismatch,
}
