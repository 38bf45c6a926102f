//! An authority and whom it certified: what one certificate tells about those that come after it.

use std::fmt;

use super::der::Details;
use super::error::CertificateError;
use crate::key::{Certificate, PublicKey};

/// An authority that issues certificates for one identity.
///
/// Keyless signers have another key every few minutes. What they have in common is whom the
/// authority's certificates name, so this takes the place of a public key where something is believed
/// because the same signer made it.
#[derive(Clone, PartialEq, Eq)]
pub struct Authority {
    /// The key that issues certificates.
    key: PublicKey,
    identity: String,
    issuer: String,
}

impl Authority {
    /// The authority of a certificate, which `issuer` issued. Everything is checked but the time and
    /// whether the authority is to be trusted.
    pub fn of(leaf: &Certificate, issuer: &Certificate) -> Result<Self, CertificateError> {
        let details = Details::of(leaf)?;
        details.check_purpose()?;
        details.check_issuer(issuer)?;
        Ok(Self {
            key: issuer.public_key().clone(),
            identity: details.identity()?.to_owned(),
            issuer: details.oidc_issuer()?.to_owned(),
        })
    }

    /// One that was seen earlier.
    pub fn new(key: PublicKey, identity: String, issuer: String) -> Self {
        Self {
            key,
            identity,
            issuer,
        }
    }

    /// The key that issues certificates.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whom the certificates name.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Who vouched for the identity.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether a certificate names the same identity. Whoever made it may have written anything.
    pub fn is_named_by(&self, leaf: &Certificate) -> bool {
        Details::of(leaf).is_ok_and(|details| self.is_named_in(&details))
    }

    /// Whether it issued a certificate for the same identity, whenever that was.
    pub fn has_issued(&self, leaf: &Certificate) -> bool {
        let Ok(details) = Details::of(leaf) else {
            return false;
        };
        self.is_named_in(&details)
            && details.check_purpose().is_ok()
            && details.is_signed_with(&self.key)
    }

    fn is_named_in(&self, details: &Details<'_>) -> bool {
        details.identity() == Ok(&self.identity) && details.oidc_issuer() == Ok(&self.issuer)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({} by {})", self.identity, self.issuer)
    }
}
