//! Certificates: X.509, as far as a signer's certificate is kept and its key used. Nothing in a
//! certificate is checked here.

use super::error::KeyError;
use super::pem;
use super::public::PublicKey;

const LABEL: &str = "CERTIFICATE";
const EXPECTED: &str = "a certificate (PEM type `CERTIFICATE`)";

/// A certificate and the public key in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    key: PublicKey,
}

impl Certificate {
    /// Reads the first PEM block of `text`, which has to be a `CERTIFICATE`.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        let block = pem::first(text, EXPECTED)?;
        if block.label != LABEL {
            return Err(pem::wrong_type(&block.label, EXPECTED));
        }
        Self::from_der(block.body.to_vec())
    }

    /// Reads every `CERTIFICATE` of a PEM text, up to `most` of them; there has to be one.
    pub fn all_from_pem(text: &str, most: usize) -> Result<Vec<Self>, KeyError> {
        let blocks = pem::blocks(text, pem::END_OF_CERTIFICATE).take(most);
        let read = blocks.map(|block| Self::from_pem(block.as_bytes()));
        let found: Vec<_> = read.collect::<Result<_, _>>()?;
        if found.is_empty() {
            return Err(pem::not_pem(text.as_bytes(), EXPECTED));
        }
        Ok(found)
    }

    /// Reads DER.
    pub fn from_der(der: Vec<u8>) -> Result<Self, KeyError> {
        let key = PublicKey::from_certificate(&der)?;
        Ok(Self { der, key })
    }

    /// The certificate as DER, as bundles hold it.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate as a PEM block, as annotations hold it.
    pub fn to_pem(&self) -> String {
        pem::write(LABEL, &self.der)
    }

    /// The key that it is for.
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }
}
