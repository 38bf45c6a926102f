//! Who signed what an entry is of, and how, according to the body of the entry.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::entry::Entry;
use super::proposal::Kind;
use crate::key::Certificate;

/// A signature with its certificate as an entry has them. Nothing of it is checked: neither whether the entry is in a
/// log nor what the signature is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The bytes of the signature.
    pub signature: Vec<u8>,
    /// The certificate of the key that made it; none if it was a plain key.
    pub certificate: Option<Certificate>,
}

impl Author {
    /// That of an entry; none if its body has no signature where entries that windlass makes have it.
    pub fn of(entry: &Entry) -> Option<Self> {
        let body: Value = serde_json::from_slice(&entry.body).ok()?;
        let spec = &body["spec"];
        let (signature, verifier) = match entry.kind {
            Kind::Dsse => {
                let first = &spec["signatures"][0];
                (&first["signature"], &first["verifier"])
            }
            Kind::HashedRekord => {
                let signature = &spec["signature"];
                (&signature["content"], &signature["publicKey"]["content"])
            }
            Kind::HashedRekordV2 => {
                let signature = &spec["hashedRekordV002"]["signature"];
                let verifier = &signature["verifier"]["x509Certificate"]["rawBytes"];
                (&signature["content"], verifier)
            }
            Kind::Intoto => return None,
        };
        let certificate = decoded(verifier).and_then(|bytes| match entry.kind {
            Kind::HashedRekordV2 => Certificate::from_der(bytes).ok(),
            Kind::Dsse | Kind::HashedRekord | Kind::Intoto => Certificate::from_pem(&bytes).ok(),
        });
        Some(Self {
            signature: decoded(signature)?,
            certificate,
        })
    }
}

fn decoded(text: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(text.as_str()?).ok()
}
