//! Timestamps as they are taken: whether the authority of the settings made one.

use sigstore_tsa::{Error, verify_timestamp_for_authority};
use sigstore_types::{DerCertificate, SignatureBytes, TimestampToken, TsaAuthority};
use windlass_core::key::Certificate;

use super::unproven::Unproven;

/// An authority, by its certificates.
#[derive(Debug)]
pub(crate) struct StampAuthority(TsaAuthority);

impl StampAuthority {
    /// The one with these certificates, from the one that signs timestamps to the root.
    pub(crate) fn new(chain: &[Certificate]) -> Result<Self, &'static str> {
        let der = |certificate: &Certificate| DerCertificate::from_bytes(certificate.der());
        let (Some(leaf), Some(root)) = (chain.first(), chain.last()) else {
            return Err("it has no certificates");
        };
        let between = chain.get(1..chain.len() - 1).unwrap_or_default();
        let between = between.iter().map(der).collect();
        Ok(Self(TsaAuthority::new(der(leaf), between, der(root), None)))
    }

    /// Checks that it made a response, about these bytes.
    pub(crate) fn check(&self, response: &[u8], stamped: &[u8]) -> Result<(), Unproven> {
        let token = TimestampToken::new(response.to_vec());
        let stamped = SignatureBytes::from_bytes(stamped);
        match verify_timestamp_for_authority(&token, &stamped, &self.0) {
            Ok(_) => Ok(()),
            Err(Error::InvalidEKU | Error::CertificateValidationError(_)) => Err(Unproven::Chain),
            Err(Error::Parse(_) | Error::NoTstInfo) => Err(Unproven::Malformed),
            Err(_) => Err(Unproven::Signer),
        }
    }
}
