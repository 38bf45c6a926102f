//! What is proposed to a log of version 2: the hash of what is signed, whatever that is. Of an envelope it
//! is the hash of its encoding (PAE), with the signature that is in the envelope. Source: rekor-tiles 2.3,
//! `pkg/types/hashedrekord`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::proposal::{Kind, Proposal, ProposalError};
use super::propose::OTHER_HASH;
use crate::key::Scheme;
use crate::signed::{Identity, Signed, message};

/// What is proposed to a log of version 2 for something signed.
pub fn propose_v2(signed: &Signed) -> Result<Proposal, ProposalError> {
    let message = message(&signed.payload);
    let signature = signed.signature_bytes().ok_or(ProposalError::Signature)?;
    let key = signed.identity.public_key();
    let scheme = key.verify(&message, &signature);
    let scheme = scheme.map_err(|_| ProposalError::Signature)?;
    let details = key.details(scheme).ok_or(ProposalError::KeyAndScheme {
        key: key.algorithm(),
        scheme,
        remedy: remedy(scheme),
    })?;
    let (algorithm, digest) = hash(scheme, &message);
    let digest = STANDARD.encode(digest);
    let signature = self::signature(&signature, &signed.identity, details);
    let request = json!({
        "hashedRekordRequestV002": { "digest": digest, "signature": signature },
    });
    let spec = logged(algorithm, &digest, &signature);
    Ok(Proposal::of_v2(Kind::HashedRekordV2, &request, &spec))
}

/// What a log keeps: a hash by the name of its algorithm, in base64, and a [`signature`].
pub(super) fn logged(algorithm: &str, digest: &str, signature: &Value) -> Value {
    json!({ "hashedRekordV002": {
        "data": { "algorithm": algorithm, "digest": digest },
        "signature": signature,
    }})
}

/// A signature, and who made it.
pub(super) fn signature(content: &[u8], identity: &Identity, details: &str) -> Value {
    json!({ "content": STANDARD.encode(content), "verifier": verifier(identity, details) })
}

/// What the signature is verified with: the certificate if there is one, else the key. DER.
fn verifier(identity: &Identity, details: &str) -> Value {
    let (name, der) = match identity {
        Identity::Key(key) => ("publicKey", key.der()),
        Identity::Certificate { leaf, .. } => ("x509Certificate", leaf.der()),
    };
    json!({ name: { "rawBytes": STANDARD.encode(der) }, "keyDetails": details })
}

/// The hash that goes with a scheme, and its name.
pub(super) fn hash(scheme: Scheme, message: &[u8]) -> (&'static str, Vec<u8>) {
    match scheme {
        Scheme::EcdsaSha384 | Scheme::RsaSha384 | Scheme::RsaPssSha384 => {
            ("SHA2_384", Sha384::digest(message).to_vec())
        }
        Scheme::EcdsaSha512
        | Scheme::Ed25519
        | Scheme::Ed25519ph
        | Scheme::RsaSha512
        | Scheme::RsaPssSha512 => ("SHA2_512", Sha512::digest(message).to_vec()),
        Scheme::EcdsaSha256 | Scheme::RsaSha256 | Scheme::RsaPssSha256 => {
            ("SHA2_256", Sha256::digest(message).to_vec())
        }
    }
}

/// What to sign with in the place of a key that the log does not take.
fn remedy(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Ed25519 => {
            "use a key of ECDSA, or one of Ed25519 in cosign.key, which signs a hash"
        }
        Scheme::RsaPssSha256 | Scheme::RsaPssSha384 | Scheme::RsaPssSha512 => {
            "use PKCS#1 v1.5 with SHA-256, or a key of ECDSA"
        }
        _ => OTHER_HASH,
    }
}
