//! Why a certificate is not taken.

/// Why a certificate is not taken. Nothing of it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is not DER of this form.
    #[error("the certificate is malformed")]
    Malformed,
    /// It names nobody, or several, or with characters that no name has.
    #[error("the certificate does not name exactly one identity and its issuer")]
    Identity,
    /// It is for something else.
    #[error("the certificate is not one for signing code")]
    Purpose,
    /// The one that should have issued it may not.
    #[error("the certificate that comes next in the chain is not that of an authority")]
    NoAuthority,
    /// The one that should have issued it did not.
    #[error("the certificate was not issued by the one that comes next in its chain")]
    Issuer,
}
