//! A DSSE envelope: a payload with its type and the signatures over both.
//!
//! The JSON has its members in the order and form of Tekton Chains, which uses Go's `encoding/json`
//! (docs/behaviour.md, "DSSE envelope"), so that stored envelopes look alike.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Deserializer, Serialize};

use crate::json::{StrictError, strict};
use crate::key::{PublicKey, Scheme, VerifyError};

/// The payload type of an in-toto statement.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// Most signatures of an envelope that are tried: each takes a pass over the payload.
pub const MOST_SIGNATURES: usize = 32;

/// A signed payload. Members that the specification does not know are ignored, as it demands: none of
/// them is signed, and none is written again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// The media type of the payload; signed together with it.
    pub payload_type: String,
    /// The payload in padded base64, standard or URL-safe.
    pub payload: String,
    /// One entry a signer.
    pub signatures: Vec<Signature>,
}

/// One signer's signature over the [`pae`] of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Which key signed, see [`PublicKey::key_id`]. Not signed itself; empty where the signer does
    /// not say, or says `null`.
    #[serde(default, deserialize_with = "null_as_empty")]
    pub keyid: String,
    /// The signature in padded base64, standard or URL-safe.
    pub sig: String,
}

fn null_as_empty<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// Either alphabet of base64, both of which the specification allows; not a mixture.
fn decode(text: &str) -> Option<Vec<u8>> {
    let decoded = STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text));
    decoded.ok()
}

/// What a key vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The decoded payload.
    pub payload: Vec<u8>,
    /// How the signature was made.
    pub scheme: Scheme,
}

/// Why an envelope is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Not a DSSE envelope at all.
    #[error("the envelope is not valid JSON of the form {{payloadType, payload, signatures}}")]
    Json(#[source] StrictError),
    /// The payload cannot be decoded.
    #[error("the envelope's payload is not valid base64, the payload is damaged")]
    PayloadBase64,
    /// Nobody signed.
    #[error("the envelope has no signatures")]
    NoSignatures,
    /// More signatures than are tried.
    #[error("the envelope has {found} signatures; at most {MOST_SIGNATURES} are tried")]
    TooManySignatures {
        /// How many there are.
        found: usize,
    },
    /// No signature names the key that was given.
    #[error("the envelope is signed by {}, not by the given key {given}", found.join(" and "))]
    OtherKey {
        /// The key ids in the envelope.
        found: Vec<String>,
        /// The key id of the key it was checked with.
        given: String,
    },
    /// The signature is right, but its (unsigned) `keyid` was changed.
    #[error(
        "the envelope's keyid was changed: the signature was made with the given key {given}, but \
         its keyid is {found}"
    )]
    KeyId {
        /// The key id in the envelope.
        found: String,
        /// The key id of the key that made the signature.
        given: String,
    },
    /// A signature that cannot be decoded.
    #[error("the envelope's signature is not valid base64, the signature is damaged")]
    SignatureBase64,
    /// A signature that cannot be one by this kind of key.
    #[error("the envelope's signature is damaged")]
    SignatureMalformed(#[source] VerifyError),
    /// The payload type is not the one that was signed.
    #[error(
        "the envelope's payloadType was changed after signing: it is `{found}`, the signature is \
         for `{signed}`"
    )]
    PayloadTypeChanged {
        /// The type in the envelope.
        found: String,
        /// The type that the signature covers.
        signed: &'static str,
    },
    /// A well-formed signature over something else.
    #[error(
        "the envelope's signature does not match its payload and payloadType (`{payload_type}`): \
         one of them was changed after signing, or another key signed"
    )]
    Mismatch {
        /// The type in the envelope.
        payload_type: String,
    },
}

/// The bytes that are signed: DSSE's pre-authentication encoding, version 1.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    );
    [head.as_bytes(), payload].concat()
}

/// Signs a payload together with its type. For tests.
#[cfg(test)]
pub(crate) fn sign(
    key: &crate::key::PrivateKey,
    payload_type: &str,
    payload: &[u8],
) -> Result<Envelope, crate::key::SignError> {
    let signature = key.sign(&pae(payload_type, payload))?;
    let keyid = key.public_key().key_id();
    Ok(Envelope::with_signature(
        payload_type,
        payload,
        keyid,
        &signature,
    ))
}

impl Signature {
    /// The signature itself; none if it is not base64.
    pub fn decode(&self) -> Option<Vec<u8>> {
        decode(&self.sig)
    }
}

impl Envelope {
    /// The envelope of a payload with the one signature over its [`pae`], made by the key that
    /// `keyid` names.
    ///
    /// ```
    /// use windlass_core::dsse::{Envelope, IN_TOTO, pae};
    /// use windlass_core::key::PrivateKey;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let key = PrivateKey::generate_p256(&[7; 32])?;
    /// let signature = key.sign(&pae(IN_TOTO, b"{}"))?;
    /// let public = key.public_key();
    /// let envelope = Envelope::with_signature(IN_TOTO, b"{}", public.key_id(), &signature);
    /// assert_eq!(envelope.verify(public)?.payload, b"{}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_signature(
        payload_type: &str,
        payload: &[u8],
        keyid: String,
        signature: &[u8],
    ) -> Self {
        Self {
            payload_type: payload_type.to_owned(),
            payload: STANDARD.encode(payload),
            signatures: vec![Signature {
                keyid,
                sig: STANDARD.encode(signature),
            }],
        }
    }

    /// Reads an envelope's JSON, in which no member may be there twice.
    pub fn from_json(text: &[u8]) -> Result<Self, EnvelopeError> {
        let text = strict(text).map_err(EnvelopeError::Json)?;
        let read = serde_json::from_str(text);
        read.map_err(|error| EnvelopeError::Json(StrictError::Json(error.into())))
    }

    /// The envelope's JSON, without whitespace: what the stores write.
    pub fn to_json(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let signatures: Vec<String> = self
            .signatures
            .iter()
            .map(|s| {
                format!(
                    r#"{{"keyid":{},"sig":{}}}"#,
                    quoted(&s.keyid),
                    quoted(&s.sig)
                )
            })
            .collect();
        format!(
            r#"{{"payloadType":{},"payload":{},"signatures":[{}]}}"#,
            quoted(&self.payload_type),
            quoted(&self.payload),
            signatures.join(",")
        )
    }

    /// The payload, decoded but not verified.
    pub fn decode_payload(&self) -> Result<Vec<u8>, EnvelopeError> {
        decode(&self.payload).ok_or(EnvelopeError::PayloadBase64)
    }

    /// Checks that `key` signed this payload with this payload type. One good signature is enough;
    /// a `keyid`, where there is one, must be the key's. The error names the part that is wrong as
    /// far as that can be known.
    pub fn verify(&self, key: &PublicKey) -> Result<Verified, EnvelopeError> {
        let payload = self.decode_payload()?;
        if self.signatures.is_empty() {
            return Err(EnvelopeError::NoSignatures);
        }
        let found = self.signatures.len();
        if found > MOST_SIGNATURES {
            return Err(EnvelopeError::TooManySignatures { found });
        }
        let given = key.key_id();
        let signed = pae(&self.payload_type, &payload);
        let named = |s: &&Signature| s.keyid.is_empty() || s.keyid == given;
        let mut reason = None;
        for signature in self.signatures.iter().filter(named) {
            match self.check(signature, key, &signed, &payload) {
                Ok(scheme) => return Ok(Verified { payload, scheme }),
                Err(error) => reason = Some(error),
            }
        }
        Err(reason.unwrap_or_else(|| self.other_key(key, given, &signed)))
    }

    fn check(
        &self,
        signature: &Signature,
        key: &PublicKey,
        signed: &[u8],
        payload: &[u8],
    ) -> Result<Scheme, EnvelopeError> {
        let sig = signature.decode().ok_or(EnvelopeError::SignatureBase64)?;
        key.verify(signed, &sig).map_err(|error| match error {
            VerifyError::Malformed { .. } => EnvelopeError::SignatureMalformed(error),
            VerifyError::Mismatch if key.verify(&pae(IN_TOTO, payload), &sig).is_ok() => {
                EnvelopeError::PayloadTypeChanged {
                    found: self.payload_type.clone(),
                    signed: IN_TOTO,
                }
            }
            VerifyError::Mismatch => EnvelopeError::Mismatch {
                payload_type: self.payload_type.clone(),
            },
        })
    }

    /// Every signature names another key; one that is by this key all the same was relabelled.
    fn other_key(&self, key: &PublicKey, given: String, signed: &[u8]) -> EnvelopeError {
        let relabelled = self.signatures.iter().find(|signature| {
            let sig = signature.decode();
            sig.is_some_and(|sig| key.verify(signed, &sig).is_ok())
        });
        match relabelled {
            Some(signature) => EnvelopeError::KeyId {
                found: signature.keyid.clone(),
                given,
            },
            None => EnvelopeError::OtherKey {
                found: self.signatures.iter().map(|s| s.keyid.clone()).collect(),
                given,
            },
        }
    }
}

#[cfg(test)]
mod tests;
