//! What the authorities have in common that issue certificates: why there is none, and what is certified.

use rcgen::{PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm};

use crate::serve::ListenError;

/// Why there is no authority, or no certificate.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The system gave no random numbers.
    #[error("the system gave no random numbers")]
    Random(#[from] getrandom::Error),
    /// A certificate could not be made.
    #[error("the certificate could not be made")]
    Certificate(#[from] rcgen::Error),
    /// There is no key.
    #[error("the key could not be made")]
    Key,
}

/// Why a server with an authority did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is not allowed.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// There is no authority.
    #[error("could not make the authority")]
    Authority(#[from] AuthorityError),
}

/// A key on P-256 that is to be certified, as its point.
pub(crate) struct Point(pub(crate) Vec<u8>);

impl PublicKeyData for Point {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}
