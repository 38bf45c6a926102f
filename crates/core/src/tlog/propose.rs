//! What is proposed to a log for a signature, and the body that its entry must have.
//!
//! A statement is logged with its envelope (`dsse`), anything else by the hash of its payload
//! (`hashedrekord`): as Chains does, and as verifiers expect it next to that content. Each kind takes
//! some schemes only (Rekor 1.5, `pkg/types/dsse` and `pkg/types/hashedrekord`): an envelope is checked
//! with SHA-256 whatever the key is, and a hash takes no scheme that hashes the message itself.
//!
//! From 1.3.10 on Rekor also refuses a hash that is not the one of the key, which its operator may change
//! (`--client-signing-algorithms`, `checkEntryAlgorithms` in `pkg/api/entries.go`). So that is sent, and told if
//! it is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::proposal::{Kind, Proposal, ProposalError};
use crate::hex;
use crate::key::Scheme;
use crate::signed::{Identity, SignatureForm, Signed, message};

/// What to sign with in the place of a key and a hash that are not taken together.
pub(super) const OTHER_HASH: &str =
    "use P-256 with SHA-256, P-384 with SHA-384, P-521 with SHA-512 or RSA with SHA-256";

/// What is proposed to a log for something signed.
pub fn propose(signed: &Signed) -> Result<Proposal, ProposalError> {
    let message = message(&signed.payload);
    let signature = signed.signature_bytes().ok_or(ProposalError::Signature)?;
    let key = signed.identity.public_key();
    let scheme = key.verify(&message, &signature);
    let scheme = scheme.map_err(|_| ProposalError::Signature)?;
    match &signed.signature {
        SignatureForm::Envelope(envelope) => {
            require_dsse(scheme)?;
            let text = envelope.to_json();
            let (hash, content) = (sha256(text.as_bytes()), &signed.payload.bytes);
            let spec = dsse(&hash, content, &signature, &signed.identity);
            let proposed = json!({
                "proposedContent": { "envelope": text, "verifiers": [verifier(&signed.identity)] },
            });
            Ok(Proposal::new(Kind::Dsse, &proposed, &spec))
        }
        SignatureForm::Detached(_) => {
            let spec = hashed(hash(scheme, &message)?, &signature, &signed.identity);
            let objection = key.details(scheme).is_none().then(|| {
                let (key, remedy) = (key.algorithm(), OTHER_HASH);
                ProposalError::KeyAndScheme {
                    key,
                    scheme,
                    remedy,
                }
            });
            Ok(Proposal::new(Kind::HashedRekord, &spec, &spec).with_objection(objection))
        }
    }
}

/// What a log keeps of an envelope: the hash of its text, that of its payload, and who signed it.
pub(super) fn dsse(hash: &Value, payload: &[u8], signature: &[u8], identity: &Identity) -> Value {
    let signature = STANDARD.encode(signature);
    json!({
        "envelopeHash": hash,
        "payloadHash": sha256(payload),
        "signatures": [{ "signature": signature, "verifier": verifier(identity) }],
    })
}

/// What a log keeps of an envelope as `intoto` 0.0.2, with the hash of its text and the identifier of its key as the log
/// has them. The signature is in base64 twice. Source: Rekor 1.5, `pkg/types/intoto/v0.0.2`.
pub(super) fn intoto(
    (hash, key_id): (&Value, Option<&Value>),
    (media_type, payload): (&str, &[u8]),
    signature: &[u8],
    identity: &Identity,
) -> Value {
    let mut signed = json!({
        "publicKey": verifier(identity),
        "sig": STANDARD.encode(STANDARD.encode(signature)),
    });
    if let Some(key_id) = key_id {
        signed["keyid"] = key_id.clone();
    }
    json!({ "content": {
        "envelope": { "payloadType": media_type, "signatures": [signed] },
        "hash": hash,
        "payloadHash": sha256(payload),
    }})
}

/// What a log keeps of a hash, by the name of the algorithm and its digits.
pub(super) fn hashed(
    (algorithm, value): (&str, String),
    signature: &[u8],
    identity: &Identity,
) -> Value {
    json!({
        "data": { "hash": { "algorithm": algorithm, "value": value } },
        "signature": {
            "content": STANDARD.encode(signature),
            "publicKey": { "content": verifier(identity) },
        },
    })
}

/// What the signature is verified with: the certificate if there is one, else the key. PEM in base64.
fn verifier(identity: &Identity) -> String {
    STANDARD.encode(match identity {
        Identity::Key(key) => key.to_pem(),
        Identity::Certificate { leaf, .. } => leaf.to_pem(),
    })
}

/// An envelope is checked with SHA-256, or with Ed25519 as it is.
fn require_dsse(scheme: Scheme) -> Result<(), ProposalError> {
    match scheme {
        Scheme::EcdsaSha256 | Scheme::Ed25519 | Scheme::RsaSha256 => Ok(()),
        Scheme::EcdsaSha384
        | Scheme::EcdsaSha512
        | Scheme::Ed25519ph
        | Scheme::RsaSha384
        | Scheme::RsaSha512
        | Scheme::RsaPssSha256
        | Scheme::RsaPssSha384
        | Scheme::RsaPssSha512 => Err(ProposalError::Scheme {
            scheme,
            of: "an attestation",
            remedy: "sign with a P-256 key, or with a key in x509.pem",
        }),
    }
}

/// The hash of what is signed that goes with a scheme, and its name.
pub(super) fn hash(
    scheme: Scheme,
    message: &[u8],
) -> Result<(&'static str, String), ProposalError> {
    match scheme {
        Scheme::EcdsaSha256 | Scheme::RsaSha256 => {
            Ok(("sha256", hex::digits(&Sha256::digest(message))))
        }
        Scheme::EcdsaSha384 | Scheme::RsaSha384 => {
            Ok(("sha384", hex::digits(&Sha384::digest(message))))
        }
        Scheme::EcdsaSha512 | Scheme::RsaSha512 | Scheme::Ed25519ph => {
            Ok(("sha512", hex::digits(&Sha512::digest(message))))
        }
        Scheme::Ed25519 | Scheme::RsaPssSha256 | Scheme::RsaPssSha384 | Scheme::RsaPssSha512 => {
            Err(ProposalError::Scheme {
                scheme,
                of: "an image",
                remedy: "sign images with an ECDSA key",
            })
        }
    }
}

fn sha256(content: &[u8]) -> Value {
    json!({ "algorithm": "sha256", "value": hex::digits(&Sha256::digest(content)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Rekor 1.5 checks them.
    #[test]
    fn each_kind_takes_the_schemes_that_rekor_takes() {
        for (scheme, in_dsse, hashed) in [
            (Scheme::EcdsaSha256, true, Some("sha256")),
            (Scheme::EcdsaSha384, false, Some("sha384")),
            (Scheme::EcdsaSha512, false, Some("sha512")),
            (Scheme::Ed25519, true, None),
            (Scheme::Ed25519ph, false, Some("sha512")),
            (Scheme::RsaSha256, true, Some("sha256")),
            (Scheme::RsaSha384, false, Some("sha384")),
            (Scheme::RsaSha512, false, Some("sha512")),
            (Scheme::RsaPssSha256, false, None),
            (Scheme::RsaPssSha384, false, None),
            (Scheme::RsaPssSha512, false, None),
        ] {
            assert_eq!(require_dsse(scheme).is_ok(), in_dsse, "{scheme}");
            let name = hash(scheme, b"x").map(|(name, _)| name);
            assert_eq!(name.ok(), hashed, "{scheme}");
        }
        let error = require_dsse(Scheme::EcdsaSha384).unwrap_err().to_string();
        assert_eq!(
            error,
            "the log takes no signature by ECDSA with SHA-384 of an attestation; sign with a P-256 \
             key, or with a key in x509.pem"
        );
    }
}
